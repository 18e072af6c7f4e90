"""A populated service with a client for every role, in which no answer to a reader may hold another's figure."""

import base64
import binascii
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from httpx import Response
from litestar.testing import TestClient
from sqlalchemy import Engine

from pooling.access import keys, people
from pooling.access.people import Rights
from pooling.access.rules import SCOPES, Role
from pooling.database import connect
from pooling.settings import Settings
from pooling.transactions import written
from tests import copies
from tests.pooling.access.samples import Place, Sample, Sent, subjects
from tests.pooling.idle_apps import app_over

OWN = "SE-M"
OTHERS = "DK-82"
ROLES = {role.value: role for role in Role}
CLOSED = ("coordinator", "partner", "administrator")
"""Roles that may be shown no other participant's figures (an administrator: nobody's)."""


@dataclass
class World:
    """One database with a running service.

    ``planted``: what subjects put in and need again. ``canaries``: planted figures and the place they belong to.
    """

    engine: Engine
    client: TestClient[Any]
    now: datetime
    tokens: dict[str, str] = field(default_factory=dict)
    principals: dict[str, UUID] = field(default_factory=dict)
    planted: dict[str, Any] = field(default_factory=dict)
    canaries: dict[int, Place] = field(default_factory=dict)
    asking: str | None = None

    def sampled(self, role: str | None, sample: Sample, place: Place) -> Response:
        """Make and send a sample as ``role``; while it is made, ``asking`` is the role and may be renewed."""
        kept = dict(self.tokens), dict(self.principals)
        self.asking = role
        try:
            return self.ask(role, sample.method, sample.ask(self, place))
        finally:
            self.tokens, self.principals = kept

    def renewed(self) -> UUID | None:
        """Let whoever asks come with a key of a new principal, for this one sample; the key. None: nobody asks."""
        if self.asking not in ROLES:
            return None
        with self.written() as opened:
            principal, token = _one(opened.session, ROLES[self.asking], self.asking, self.now)
            self.principals[self.asking], self.tokens[self.asking] = principal, token
            return keys.of(opened.session, principal)[0].id

    def participant(self, place: Place) -> str | None:
        """The participant whose resources are at ``place``."""
        return {"own": OWN, "others": OTHERS}.get(place)

    def canary(self, place: Place) -> int:
        """A number of nine digits that is nowhere else; plant it as a confidential figure of ``place``'s.

        ``none``: a figure that belongs to no participant, the planners' alone.
        """
        made = 713_500_021 + 1_010_107 * len(self.canaries)
        self.canaries[made] = place
        return made

    def ask(self, role: str | None, method: str, sent: Sent) -> Response:
        """Send the request as ``role`` (None: without credentials), and fail where the answer tells too much."""
        headers = dict(sent.headers)
        if method == "POST":
            headers.setdefault("Idempotency-Key", str(uuid4()))
        if role is not None:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        answer = self.client.request(
            method, sent.path, json=sent.json, content=sent.content, files=sent.files, headers=headers
        )
        place = f"{method} {sent.path} as {role}"
        assert answer.status_code < 500, f"{place}: {answer.status_code} {answer.text[:500]}"
        if role is None or role.startswith(CLOSED):
            leaked = self.found(answer) & self.foreign(role)
            assert not leaked, f"{place}: figures of others in the answer: {sorted(leaked)}: {answer.text[:2000]}"
        return answer

    def foreign(self, role: str | None) -> set[int]:
        """The canaries that ``role`` may not be shown."""
        own = {"own"} if role is not None and role.startswith(("coordinator", "partner")) else set()
        return {number for number, place in self.canaries.items() if place not in own}

    def found(self, answer: Response) -> set[int]:
        """The canaries in an answer: in its body, headers, cursors and in the parts of a workbook."""
        text = "\n".join([_text(answer.content), *(f"{name}: {value}" for name, value in answer.headers.items())])
        return numbers_in(text, self.canaries)

    def written(self) -> Any:
        """A transaction of a service function, for what a sample needs before it is sent."""
        return written(self.engine, actor=None, operation="tests.prepare", now=self.now)

    def wait(self, seconds: int) -> None:
        """Let the service's clock move on."""
        self.now += timedelta(seconds=seconds)


OPAQUE = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{24,}")
BASE64 = re.compile(r"[A-Za-z0-9_-]{24,}")


def numbers_in(text: str, wanted: Mapping[int, Any]) -> set[int]:
    """Those of ``wanted`` whose digits stand in ``text``, with or without a decimal point or separators among them."""
    plain = OPAQUE.sub(" ", text)
    texts = [plain, *(_decoded(each) for each in BASE64.findall(plain))]
    shown = " ".join(
        re.sub(r"[.\u00a0\u202f']", "", each) for whole in texts for each in re.findall(r"\d[\d.\u00a0\u202f']+", whole)
    )
    return {number for number in wanted if str(number).rstrip("0") in shown}


def _decoded(token: str) -> str:
    """What an opaque token holds: its text is no secret to whoever has it."""
    try:
        return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("utf-8", "ignore")
    except (binascii.Error, ValueError):
        return ""


def _text(content: bytes) -> str:
    if not content.startswith(b"PK\x03\x04"):
        return content.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        return "\n".join(parts.read(name).decode("utf-8", "replace") for name in parts.namelist())


@contextmanager
def opened_world(url: str) -> Iterator[World]:
    """A world over an empty, migrated database."""
    engine = connect(url)
    start = datetime.now(UTC)
    copies.install_reference(engine)
    clock: list[World] = []
    settings = Settings(database_url=url, requests_per_minute=0)
    with app_over(settings, clock=lambda: clock[0].now if clock else start) as app, TestClient(app) as client:
        world = World(engine, client, start)
        clock.append(world)
        _let_in(world)
        for subject in subjects():
            subject.plant(world)
        yield world
    engine.dispose()


def _let_in(world: World) -> None:
    """Somebody of each role, and somebody of each role whose rights are gone."""
    with world.written() as opened:
        for role in Role:
            for name in (role.value, f"{role.value}-revoked"):
                world.principals[name], world.tokens[name] = _one(opened.session, role, name, world.now)
        feed = frozenset({"feed:read"})
        pools = frozenset({"pools:read"})
        name = "partner-unscoped"
        world.principals[name], world.tokens[name] = _one(opened.session, Role.PARTNER, name, world.now, feed)
        name = "partner-of-pools"
        world.principals[name], world.tokens[name] = _one(opened.session, Role.PARTNER, name, world.now, pools)
        for role in Role:
            people.revoke(opened.session, world.principals[f"{role.value}-revoked"], now=world.now)


def _one(session: Any, role: Role, name: str, now: datetime, scopes: frozenset[str] = SCOPES) -> tuple[UUID, str]:
    if role is Role.PARTNER:
        principal = people.add_system(session, name, frozenset({OWN}), now=now)
        return principal, keys.add(session, principal, label=name, scopes=scopes, now=now).secret
    named = frozenset({OWN}) if role is Role.COORDINATOR else frozenset[str]()
    principal = people.add_person(session, name, Rights(roles=frozenset({role}), participants=named), now=now)
    return principal, keys.add(session, principal, label=name, now=now).secret
