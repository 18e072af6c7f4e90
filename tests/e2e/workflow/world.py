"""A small Nordic world, made up, for random walks through the workflow: who is in it, and the stages walks begin at.

Every figure that a region sends has digits of its own, so that it is known wherever it turns up.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

from pooling.access import keys, people
from pooling.access.rules import SCOPES, Role
from pooling.database import transaction
from pooling.market import service as market
from pooling.market.rules import TierRecord
from pooling.planning import service as planning
from pooling.planning.policy import policy_of
from pooling.planning.solving import Effort, solve_judged
from pooling.settings import Settings
from pooling.working import HANDLERS
from tests import copies
from tests.pooling.api_client import Api, Clock, RoleClient, api
from tests.pooling.jobs.working import worker_of
from tests.pooling.planning.demand import AS_OF, GLOVES, GOWNS, figure, offer

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
FACTS: Mapping[str, Any] = {"environment_weight": 0.3, "agreement_signed": True}
"""What the law asks planners for before a tender goes out."""
ANOTHER = "SE-AB"
"""A region that sends nothing and is asked for nothing."""
ENDS, AFTER = "NO-HV", "NO-HSO"
"""Whom the administrator lets end, and who takes over."""
REGIONS = tuple(sorted({code for codes in BUYERS.values() for code in codes}))
POLICY: Mapping[str, Any] = {
    "as_of": AS_OF.isoformat(),
    "pool_cost_eur": 100,
    "lot_cost_eur": 10,
    "line_cost_eur": 1,
    "country_cost_eur": 20,
    "forecast_correlation": 0.0,
    "criterion_value": {"uhm-basic": 0.01},
}
"""Cheap to pool, so that a few lines do."""


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
    def kind(self) -> str:
        """Its role, and whether it is of a region that has no part in anything."""
        return f"{self.role.value} of another" if self.codes == {ANOTHER} else self.role.value

    @property
    def plans(self) -> bool:
        """Whether it decides."""
        return self.role is Role.PLANNER

    def answers_for(self, code: str, answer: str) -> bool:
        """Whether it may say that in a tender for that region: a planner may decline for it, and no more."""
        return self.acts_for(code) and (answer == "decline" or not self.plans)

    def acts_for(self, code: str) -> bool:
        """Whether it may do what that region may."""
        return self.plans or (self.role in (Role.COORDINATOR, Role.PARTNER) and code in self.codes)


CAST: Mapping[str, tuple[Role, tuple[str, ...]]] = {
    "planner": (Role.PLANNER, ()),
    "other planner": (Role.PLANNER, ()),
    **{f"coordinator of {code}": (Role.COORDINATOR, (code,)) for code in REGIONS},
    "coordinator of two": (Role.COORDINATOR, ("FO", "SE-M")),
    "coordinator of another": (Role.COORDINATOR, (ANOTHER,)),
    "partner": (Role.PARTNER, ("NO-HSO",)),
    "partner of another": (Role.PARTNER, (ANOTHER,)),
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
class Running:
    """The service over a database. ``plans``: those there are, the first cycle's first."""

    made: Api
    cast: Mapping[str, Actor] = field(default_factory=dict)
    plans: list[UUID] = field(default_factory=list)

    def client(self, actor: Actor) -> RoleClient:
        """Sends as that one."""
        return RoleClient(self.made.nobody().sender, {"Authorization": f"Bearer {actor.key}"})

    def work(self, *kinds: str) -> int:
        """Jobs of these kinds that wait are done now; how many."""
        done, worker = 0, worker_of(self.made.engine, {kind: HANDLERS[kind] for kind in kinds}, now=self.made.clock.now)
        while worker.work_once(kinds):
            done += 1
        return done

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
def running(url: str, now: datetime) -> Iterator[Running]:
    """The service on that database at that time."""
    with api(url, settings=Settings(requests_per_minute=0), clock=Clock(now)) as made:
        yield Running(made)


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
    copies.install_reference(made.engine)
    with transaction(made.engine) as session:
        market.store_offers(session, offers, file=("offers.csv", "e" * 64), loaded_at=FIRST)


def cycle_body(now: datetime) -> dict[str, Any]:
    """A cycle of two weeks from today."""
    today = now.date()
    days = {"opens_on": 0, "closes_on": 14, "plan_by": 30, "decide_by": 60}
    said = {name: (today + timedelta(days=more)).isoformat() for name, more in days.items()}
    return {"name": "made up", "time_zone": "Europe/Copenhagen", **said}


def _plan(made: Api) -> UUID:
    with transaction(made.engine) as session:
        frozen = planning.take_snapshot(session, policy_of({**POLICY, "as_of": AS_OF}, today=FIRST.date()), cycle=CYCLE)
    judged = solve_judged(frozen, effort=Effort())
    with transaction(made.engine) as session:
        return planning.store_plan(session, judged, effort=Effort(), now=made.clock.now).plan


def _open(there: Running) -> None:
    """A cycle is open, and demand is in."""
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


def _closed(there: Running) -> None:
    """The cycle has closed, and there is a plan of it."""
    there.do(f"/v1/cycles/{CYCLE}", "/close")
    there.plans = [_plan(there.made)]


def _proposed(there: Running) -> None:
    """The plan's pools are taken up."""
    there.do(f"/v1/cycles/{CYCLE}", "/proposal", {"plan": str(there.plans[0])})


def _invited(there: Running) -> None:
    """One tender is invited, another under review."""
    first, second = tenders(there)
    for key in (first, second):
        there.do(key, "/review", {"reason": "made up"})
        entered = there.client(there.cast["planner"]).patch(key, json={"facts": dict(FACTS)}, headers=there.tagged(key))
        assert entered.status_code == 200, entered.text
    there.do(first, "/invite", {"due": "2026-12-15", "reason": "made up"})


def _answered(there: Running) -> None:
    """Both are invited, and all members have committed."""
    first, second = tenders(there)
    there.do(second, "/invite", {"due": "2026-12-15", "reason": "made up"})
    planner = there.client(there.cast["planner"])
    for key in (first, second):
        for member in planner.get(key).json()["members"]:
            path = f"{key}/answers/{member['participant']}"
            desk = there.client(there.cast[f"coordinator of {member['participant']}"])
            said = desk.put(path, json={"answer": "commit"}, headers=there.tagged(path))
            assert said.status_code == 200, said.text


def _agreed(there: Running) -> None:
    """One tender is handed over, the other confirmed; its term has begun, and each buyer has ordered."""
    first, second = tenders(there)
    for key in (first, second):
        there.do(key, "/confirm", {"reason": "made up"})
    there.do(first, "/hand-over", {"reason": "made up"})
    there.made.clock.now = BUYING
    planner = there.client(there.cast["planner"])
    for buyer in planner.get(f"{first}/allowances").json()["buyers"]:
        order = {"participant": buyer["participant"], "offer": buyer["offer"], "reference": "first"}
        quantity = 3_000_000_000 + digits(("order", buyer["participant"]))
        done = planner.post(f"{first}/call-offs", json={**order, "quantity": quantity})
        assert done.status_code == 201, done.text


def tenders(there: Running) -> list[str]:
    """Addresses, the one with the most members first."""
    items = there.client(there.cast["planner"]).get("/v1/tenders").json()["items"]
    return [f"/v1/tenders/{each['id']}" for each in sorted(items, key=lambda each: each["family"])]


STAGES: Mapping[str, Callable[[Running], None]] = {
    "open": _open,
    "closed": _closed,
    "proposed": _proposed,
    "invited": _invited,
    "answered": _answered,
    "agreed": _agreed,
}
"""Each goes on from the one before it."""
