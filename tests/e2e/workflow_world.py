"""A small Nordic world, made up, for random walks through the workflow: databases to copy, one for each stage of it.

Every figure that a region sends has digits of its own, so that it is known wherever it turns up.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from sqlalchemy.engine import make_url

from pooling.access import keys, people
from pooling.access.rules import SCOPES, Role
from pooling.database import transaction
from pooling.market import service as market
from pooling.market.rules import TierRecord
from pooling.planning import service as planning
from pooling.planning.solving import Effort, solve_judged
from pooling.reference import service as reference
from pooling.settings import Settings
from pooling.working import HANDLERS
from tests.pooling.api_client import Api, Clock, RoleClient, api
from tests.pooling.jobs.working import enqueued, job_of, work_all
from tests.pooling.planning.demand import GLOVES, GOWNS, figure, offer, policy

FIRST = datetime(2026, 11, 22, 12, tzinfo=UTC)
BUYING = datetime(2027, 11, 8, 12, tzinfo=UTC)
"""A day on which the agreements can be called off from."""
KEYS_LAST = 500
"""Days from the first one on."""
CYCLE, LATER = "first", ("second", "third")
SOURCE = "erp"
START = "2027-09"
BUYERS: Mapping[str, tuple[str, ...]] = {
    GLOVES: ("DK-OST", "FO", "NO-HSO", "NO-HV", "SE-M"),
    GOWNS: ("NO-HSO", "NO-HV", "SE-M"),
}
ENDS, AFTER = "NO-HV", "NO-HSO"
"""Whom the administrator lets end, and who takes over."""
REGIONS = tuple(sorted({code for codes in BUYERS.values() for code in codes}))


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody with a key."""

    name: str
    role: Role
    id: UUID
    key: str
    codes: frozenset[str] = frozenset()

    @property
    def sees_all(self) -> bool:
        """Whether all figures are open to it."""
        return self.role in (Role.PLANNER, Role.AUDITOR)

    @property
    def plans(self) -> bool:
        """Whether it decides."""
        return self.role is Role.PLANNER

    def acts_for(self, code: str) -> bool:
        """Whether it may do what that region may."""
        return self.plans or (self.role in (Role.COORDINATOR, Role.PARTNER) and code in self.codes)


CAST: Mapping[str, tuple[Role, tuple[str, ...]]] = {
    "planner": (Role.PLANNER, ()),
    "other planner": (Role.PLANNER, ()),
    **{f"coordinator of {code}": (Role.COORDINATOR, (code,)) for code in REGIONS},
    "coordinator of two": (Role.COORDINATOR, ("FO", "SE-M")),
    "partner": (Role.PARTNER, ("NO-HSO",)),
    "auditor": (Role.AUDITOR, ()),
    "administrator": (Role.ADMINISTRATOR, ()),
}
WIDTH = 800_000_011


def digits(seed: object) -> int:
    """Nine digits and less that have nothing to do with those of another seed, nor with sums of them."""
    return int.from_bytes(blake2b(str(seed).encode(), digest_size=8).digest(), "big") % WIDTH


def forecast(code: str, category: str) -> dict[str, Any]:
    """A region's yearly demand; its price is above what is offered."""
    low, quantity, high, price = (digits((code, category, name)) for name in ("low", "quantity", "high", "price"))
    return {
        "participant": code,
        "category": category,
        "item_code": f"{code}-{category[:5]}",
        "quantity": 7_000_000_000 + quantity,
        "quantity_low": 6_200_000_000 + low,
        "quantity_high": 7_800_000_000 + high,
        "unit": "piece",
        "unit_price": f"9.{100_000 + price % 900_000}",
        "currency": "EUR",
        "price_basis": "ex-vat",
        "date": "2026-10-01",
        "earliest_start": START,
        "latest_start": "2027-12",
    }


@dataclass
class World:
    """A database to begin with, what is in it, and the time it is there."""

    copy: Callable[[], AbstractContextManager[str]]
    cast: Mapping[str, Actor]
    plan: UUID
    now: datetime


@dataclass
class Running:
    """The service over a copy of a world."""

    made: Api
    cast: Mapping[str, Actor]
    plan: UUID

    def client(self, actor: Actor) -> RoleClient:
        """Sends as that one."""
        return RoleClient(self.made.nobody().sender, {"Authorization": f"Bearer {actor.key}"})

    def work(self, kind: str) -> None:
        """A job of this kind, done now; it must come off."""
        key = enqueued(self.made.engine, kind, now=self.made.clock.now)
        work_all(self.made.engine, {kind: HANDLERS[kind]}, now=self.made.clock.now)
        done = job_of(self.made.engine, key)
        assert done.status == "succeeded", f"{kind}: {done.status} {done.problem}"

    def tagged(self, path: str) -> dict[str, str]:
        """If-Match of what a planner finds there."""
        found = self.client(self.cast["planner"]).get(path)
        assert found.status_code == 200, f"{path}: {found.text}"
        return {"If-Match": found.headers["ETag"]}

    def do(self, path: str, verb: str = "", body: Any = None, *, by: str = "planner") -> Any:
        """Something that must be possible, on what is there."""
        sent = {} if body is None else {"json": body}
        done = self.client(self.cast[by]).post(f"{path}{verb}", headers=self.tagged(path), **sent)
        assert done.status_code in (200, 201), f"{path}{verb}: {done.text}"
        return done.json()


@contextmanager
def running(url: str, cast: Mapping[str, Actor], plan: UUID, now: datetime) -> Iterator[Running]:
    """The service on that database at that time."""
    with api(url, settings=Settings(requests_per_minute=0), clock=Clock(now)) as made:
        yield Running(made, cast, plan)


def _cast(made: Api) -> dict[str, Actor]:
    found = {}
    with transaction(made.engine) as session:
        for name, (role, codes) in CAST.items():
            scopes = SCOPES if role is Role.PARTNER else frozenset[str]()
            if role is Role.PARTNER:
                key = people.add_system(session, name, frozenset(codes), now=FIRST)
            else:
                rights = people.Rights(roles=frozenset({role}), participants=frozenset(codes))
                key = people.add_person(session, name, rights, now=FIRST)
            secret = keys.add(session, key, label="made up", now=FIRST, scopes=scopes, days=KEYS_LAST).secret
            found[name] = Actor(name, role, key, secret, frozenset(codes))
    return found


def _fill(made: Api) -> None:
    tiers = (
        TierRecord(figure(10_000_000_019), figure(8_135_021)),
        TierRecord(figure(25_000_000_043), figure(7_971_043)),
    )
    offers = [offer(tiers=tiers), offer("gowns-green", GOWNS, tiers=tiers[:1])]
    with transaction(made.engine) as session:
        reference.install(session)
        market.store_offers(session, offers, file=("offers.csv", "e" * 64), loaded_at=FIRST)


def cycle_body(now: datetime) -> dict[str, Any]:
    """A cycle of two weeks from today."""
    today = now.date()
    days = {"opens_on": 0, "closes_on": 14, "plan_by": 30, "decide_by": 60}
    said = {name: (today + timedelta(days=more)).isoformat() for name, more in days.items()}
    return {"name": "made up", "time_zone": "Europe/Copenhagen", **said}


def _plan(made: Api) -> UUID:
    with transaction(made.engine) as session:
        frozen = planning.take_snapshot(session, policy(), cycle=CYCLE)
    judged = solve_judged(frozen, effort=Effort())
    with transaction(made.engine) as session:
        return planning.store_plan(session, judged, effort=Effort(), now=made.clock.now).plan


def _closed(url: str) -> tuple[Mapping[str, Actor], UUID]:
    """Demand is in, the cycle has closed, and there is a plan of it."""
    with running(url, {}, UUID(int=0), FIRST) as there:
        _fill(there.made)
        there.cast = _cast(there.made)
        planner = there.client(there.cast["planner"])
        assert planner.put(f"/v1/cycles/{CYCLE}", json=cycle_body(FIRST)).status_code == 201
        there.do(f"/v1/cycles/{CYCLE}", "/open")
        lines = [
            {"external_id": f"{code}.{category[:5]}", **forecast(code, category)}
            for category, codes in BUYERS.items()
            for code in codes
        ]
        sent = planner.post("/v1/forecasts", json={"source": SOURCE, "lines": lines})
        assert sent.json()["created"] == len(lines), sent.text
        there.do(f"/v1/cycles/{CYCLE}", "/close")
        return there.cast, _plan(there.made)


def _invited(there: Running) -> None:
    """One tender is invited, another under review."""
    there.do(f"/v1/cycles/{CYCLE}", "/proposal", {"plan": str(there.plan)})
    first, second = tenders(there)
    for key in (first, second):
        there.do(key, "/review", {"reason": "made up"})
    there.do(first, "/invite", {"due": "2026-12-15"})


def tenders(there: Running) -> list[str]:
    """Addresses, the one with the most members first."""
    items = there.client(there.cast["planner"]).get("/v1/tenders").json()["items"]
    return [f"/v1/tenders/{each['id']}" for each in sorted(items, key=lambda each: each["family"])]


def _agreed(there: Running) -> None:
    """One tender is handed over, the other confirmed; its term has begun."""
    _invited(there)
    first, second = tenders(there)
    there.do(second, "/invite", {"due": "2026-12-15"})
    planner = there.client(there.cast["planner"])
    for key in (first, second):
        for member in planner.get(key).json()["members"]:
            path = f"{key}/answers/{member['participant']}"
            said = planner.put(path, json={"answer": "commit"}, headers=there.tagged(path))
            assert said.status_code == 200, said.text
        there.do(key, "/confirm", {"reason": "made up"})
    there.do(first, "/hand-over", {})
    there.made.clock.now = BUYING


STAGES: Mapping[str, tuple[Callable[[Running], None], datetime]] = {
    "closed": (lambda _: None, FIRST),
    "invited": (_invited, FIRST),
    "agreed": (_agreed, FIRST),
}


class SqliteWorlds:
    """Databases as files in a folder; ``empty``: a migrated one."""

    def __init__(self, template: Path, folder: Path) -> None:
        self.empty, self.folder = f"sqlite:///{template}", folder

    @contextmanager
    def copy(self, url: str) -> Iterator[str]:
        """A copy of one that nobody uses now."""
        target = self.folder / f"{uuid4().hex}.db"
        target.write_bytes(Path(url.removeprefix("sqlite:///")).read_bytes())
        yield f"sqlite:///{target}"
        for path in self.folder.glob(f"{target.name}*"):
            path.unlink()


class PostgresqlWorlds:
    """Databases of one server; ``empty``: a migrated one."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.empty = self._named("pooling_template")

    def _named(self, name: str) -> str:
        return self.url.set(database=name).render_as_string(hide_password=False)

    def _run(self, statement: str) -> None:
        plain = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(statement.encode())

    @contextmanager
    def copy(self, url: str) -> Iterator[str]:
        """A copy of one that nobody uses now."""
        name = f"workflow_{uuid4().hex}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {make_url(url).database} STRATEGY FILE_COPY")
        yield self._named(name)
        self._run(f"DROP DATABASE {name} WITH (FORCE)")


Worlds = SqliteWorlds | PostgresqlWorlds


@contextmanager
def worlds_of(kind: Worlds) -> Iterator[dict[str, World]]:
    """A world for each stage, until the end of the block; all begin with the same demand and the same plan."""
    with ExitStack() as kept:
        closed = kept.enter_context(kind.copy(kind.empty))
        cast, plan = _closed(closed)
        found = {}
        for name, (fill, now) in STAGES.items():
            url = kept.enter_context(kind.copy(closed))
            with running(url, cast, plan, now) as there:
                fill(there)
                found[name] = World(partial(kind.copy, url), cast, plan, there.made.clock.now)
        yield found
