"""The application for tests: on a given database, with a clock that tests set, and a client for each role.

with api(database_url) as app:
    app.client("planner").get("/v1/lines")
    app.client(Role.COORDINATOR, participants=["SE-M"]).put(...)      # a principal of its own for each description
    app.clock.now += timedelta(days=8)
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
from litestar.testing import TestClient
from litestar.types import ControllerRouterHandler
from sqlalchemy import Engine

from pooling.access import keys, people
from pooling.access.rules import SCOPES, Kind, Principal, Role
from pooling.app import Service
from pooling.database import connect, transaction
from pooling.settings import Settings
from tests import copies
from tests.pooling.idle_apps import app_over

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass(slots=True)
class Clock:
    """The time as a test has it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True, slots=True)
class Account:
    """A principal with a key that works."""

    principal: Principal
    key: str

    @property
    def headers(self) -> dict[str, str]:
        """What its requests carry."""
        return {"Authorization": f"Bearer {self.key}"}


def make_account(
    engine: Engine,
    role: Role | str,
    *,
    participants: Collection[str] = (),
    scopes: Collection[str] = tuple(sorted(SCOPES)),
    now: datetime = NOW,
) -> Account:
    """A principal of one role, made in a transaction of its own; the participants must be in the database."""
    chosen = Role(role)
    named = frozenset(participants)
    granted = frozenset(scopes) if chosen is Role.PARTNER else frozenset[str]()
    with transaction(engine) as session:
        if chosen is Role.PARTNER:
            made = people.add_system(session, "test system", named, now=now)
        else:
            rights = people.Rights(roles=frozenset({chosen}), participants=named)
            made = people.add_person(session, f"Test {chosen}", rights, now=now)
        key = keys.add(session, made, label="test", now=now - timedelta(days=1), scopes=granted, days=300)
    kind: Kind = "key" if chosen is Role.PARTNER else "person"
    principal = Principal(id=made, kind=kind, roles=frozenset({chosen}), participants=named, scopes=granted)
    return Account(principal, key.secret)


@dataclass(slots=True)
class Api:
    """A running application over one database."""

    app: Service
    engine: Engine
    clock: Clock
    _open: TestClient[Any]
    _accounts: dict[tuple[Any, ...], Account] = field(default_factory=dict)

    def account(
        self, role: Role | str, *, participants: Collection[str] = (), scopes: Collection[str] = tuple(sorted(SCOPES))
    ) -> Account:
        """The principal of this description, made when first asked for."""
        key = (Role(role), tuple(sorted(participants)), tuple(sorted(scopes)))
        if key not in self._accounts:
            self._accounts[key] = make_account(
                self.engine, role, participants=participants, scopes=scopes, now=self.clock.now
            )
        return self._accounts[key]

    def client(
        self, role: Role | str, *, participants: Collection[str] = (), scopes: Collection[str] = tuple(sorted(SCOPES))
    ) -> "RoleClient":
        """Sends requests as that principal; a POST gets an Idempotency-Key of its own unless it brings one."""
        return RoleClient(self._open, self.account(role, participants=participants, scopes=scopes).headers)

    def nobody(self) -> "RoleClient":
        """Sends requests without credentials."""
        return RoleClient(self._open, {})


@dataclass(frozen=True, slots=True)
class RoleClient:
    """Sends requests with the headers of one principal."""

    sender: TestClient[Any]
    headers: dict[str, str]

    def request(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        """One request, redirects not followed."""
        key = {"Idempotency-Key": str(uuid4())} if method == "POST" else {}
        sent = {**self.headers, **key, **(headers or {})}
        return self.sender.request(method, path, headers=sent, follow_redirects=False, **more)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)

    def put(self, path: str, **more: Any) -> httpx.Response:
        return self.request("PUT", path, **more)

    def patch(self, path: str, **more: Any) -> httpx.Response:
        return self.request("PATCH", path, **more)

    def delete(self, path: str, **more: Any) -> httpx.Response:
        return self.request("DELETE", path, **more)


@contextmanager
def api(
    database_url: str,
    *more: ControllerRouterHandler,
    settings: Settings | None = None,
    clock: Clock | None = None,
    with_reference: bool = False,
) -> Iterator[Api]:
    """The application over a migrated database, with ``more`` handlers that a test brings along.

    ``with_reference``: install the packaged participants, categories and criteria first.
    """
    clock = clock or Clock()
    chosen = replace(settings or Settings(), database_url=database_url)
    engine = connect(database_url)
    try:
        if with_reference:
            copies.install_reference(engine)
        with app_over(chosen, *more, clock=clock) as app, TestClient(app, raise_server_exceptions=False) as opened:
            yield Api(app, engine, clock, opened)
    finally:
        engine.dispose()
