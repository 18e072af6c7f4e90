"""Two planners decide on a tender and two coordinators answer for a member, all at once, over real HTTP.

There is one outcome each: whoever came too late is told 409 or 412, and nothing that was said 200 to is lost.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from pooling.database import reading, transaction
from pooling.invariants.commands import CHECKS
from pooling.market import service as market
from pooling.planning.rules import shifted
from pooling.settings import Settings
from tests import copies
from tests.pooling.api_client import Clock, api, make_account
from tests.pooling.planning.demand import add_lines, line, offer, policy, submission
from tests.pooling.serving import served
from tests.pooling.tenders.conftest import CYCLE, close, make_cycle, plan_of

MEMBERS = ("SE-AB", "SE-M")
BORDER = 30.0


def pairs(session: Session, many: int, now: datetime) -> None:
    """Made up: in each of so many months two regions need gloves, and their two lines can start in no other."""
    market.store_offers(session, [offer()], file=("offers.csv", "e" * 64), loaded_at=now)
    lines = []
    for number in range(many):
        month = shifted(f"{now.year + 2}-01", number)
        window = {"earliest_start": month, "latest_start": month}
        lines += [line("SE-M", 900_000, **window), line("SE-AB", 700_000, **window)]
    add_lines(session, submission(session), lines)


@dataclass(slots=True)
class Races:
    """Clients of a service with tenders that are proposed: two planners, and two coordinators of each member."""

    client: httpx.Client
    planners: Sequence[dict[str, str]]
    coordinators: Mapping[str, Sequence[dict[str, str]]]
    threads: Executor
    due: date

    def read(self, path: str, who: dict[str, str] | None = None) -> httpx.Response:
        found = self.client.get(path, headers=who or self.planners[0])
        assert found.status_code == 200, found.text
        return found

    def write(self, method: str, path: str, body: Any, who: dict[str, str], etag: str) -> httpx.Response:
        headers = {**who, "If-Match": etag, "Idempotency-Key": str(uuid4())}
        return self.client.request(method, path, json=body, headers=headers)

    def step(self, key: str, step: str, **body: Any) -> None:
        """A planner moves the tender on, alone."""
        path = f"/v1/tenders/{key}"
        done = self.write("POST", f"{path}/{step}", body, self.planners[0], self.read(path).headers["ETag"])
        assert done.status_code == 200, done.text

    def together(self, asks: Sequence[Callable[[], httpx.Response]]) -> list[httpx.Response]:
        """All at once, as far as threads can."""
        barrier = Barrier(len(asks))

        def one(ask: Callable[[], httpx.Response]) -> httpx.Response:
            barrier.wait(BORDER)
            return ask()

        return list(self.threads.map(one, asks))


@pytest.fixture
def now() -> datetime:
    """The server's own clock is the real one."""
    return datetime.now(UTC)


def proposed(database_url: str, many: int, now: datetime) -> list[str]:
    """So many tenders of one cycle, each of the same two members."""
    with api(database_url, clock=Clock(now)) as made:
        copies.install_reference(made.engine)
        with transaction(made.engine) as session:
            pairs(session, many, now)
        make_cycle(made)
        close(made)
        far = policy(as_of=now.date(), horizon_months=36 + many, max_pools_per_quarter="none")
        plan, planner = plan_of(made, by=far), made.client("planner")
        etag = planner.get(f"/v1/cycles/{CYCLE}").headers["ETag"]
        done = planner.post(f"/v1/cycles/{CYCLE}/proposal", json={"plan": str(plan)}, headers={"If-Match": etag})
        assert done.status_code == 201, done.text
        keys: list[str] = done.json()["tenders"]
        assert len(keys) == many
        return keys


def race(engine: Engine, database_url: str, many: int, now: datetime) -> None:
    keys = proposed(database_url, many, now)
    planners = [make_account(engine, "planner", now=now).headers for _ in range(2)]
    coordinators = {
        code: [make_account(engine, "coordinator", participants=[code], now=now).headers for _ in range(2)]
        for code in MEMBERS
    }
    with (
        ThreadPoolExecutor(4) as threads,
        served(database_url, settings=Settings(requests_per_minute=0)) as client,
    ):
        races = Races(client, planners, coordinators, threads, now.date() + timedelta(days=30))
        outcomes = [one_round(races, key, number) for number, key in enumerate(keys)]
    nothing_is_lost(engine, dict(zip(keys, outcomes, strict=True)))


def one_round(races: Races, key: str, number: int) -> list[str]:
    """A tender's answers and its decision, each wanted by two at once; what was done to it, in order."""
    races.step(key, "review", reason="r")
    races.step(key, "invite", due=races.due.isoformat(), reason="r")
    lot = races.read(f"/v1/tenders/{key}").json()["lots"][0]["id"]
    committed = two_coordinators_answer_for_each_member(races, key, lot)
    decided, changed = two_planners_decide(races, key, one_more=number % 2 == 1)
    tender = races.read(f"/v1/tenders/{key}").json()
    assert tender["status"] == decided
    volumes = {each["participant"]: each["volumes"][0] for each in tender["members"]}
    if not changed:
        assert {code: each["committed_quantity"] for code, each in volumes.items()} == committed
    if decided == "confirmed":
        assert not changed, "who declined before the freeze was frozen all the same"
        assert tender["buyers"] == list(MEMBERS)
        assert {code: each["estimate_quantity"] for code, each in volumes.items()} == {
            code: 3 * quantity for code, quantity in committed.items()
        }
    history = races.read(f"/v1/tenders/{key}/history").json()["items"]
    done = [each["what"] for each in history]
    assert done == ["proposed", "under-review", "invited", *["answered"] * (len(MEMBERS) + changed), decided]
    return done


def two_coordinators_answer_for_each_member(races: Races, key: str, lot: int) -> dict[str, int]:
    """All four at once, each with a volume of its own; the volumes that stand."""

    def answers(code: str, which: int) -> Callable[[], httpx.Response]:
        who, path = races.coordinators[code][which], f"/v1/tenders/{key}/answers/{code}"
        volume = {"lot": lot, "quantity_low": 790_000, "quantity": 800_000 + which, "quantity_high": 810_000}
        body, etag = {"answer": "commit", "volumes": [volume]}, races.read(path, who).headers["ETag"]
        return lambda: races.write("PUT", path, body, who, etag)

    places = [(code, which) for code in MEMBERS for which in range(2)]
    found = dict(zip(places, races.together([answers(*place) for place in places]), strict=True))
    for code in MEMBERS:
        assert sorted(found[code, which].status_code for which in range(2)) == [200, 412]
    return {code: 800_000 + which for (code, which), answer in found.items() if answer.status_code == 200}


def two_planners_decide(races: Races, key: str, *, one_more: bool) -> tuple[str, bool]:
    """One confirms and one rejects what both have read; the status that stands, and whether an answer came between.

    ``one_more``: they take whatever version there is, and SE-M declines meanwhile.
    """
    path, member = f"/v1/tenders/{key}", f"/v1/tenders/{key}/answers/SE-M"
    etag = "*" if one_more else races.read(path).headers["ETag"]
    asks = [
        lambda: races.write("POST", f"{path}/confirm", {"reason": "r"}, races.planners[0], etag),
        lambda: races.write("POST", f"{path}/reject", {"reason": "no market"}, races.planners[1], etag),
    ]
    if one_more:
        who = races.coordinators["SE-M"][0]
        read, body = races.read(member, who).headers["ETag"], {"answer": "decline", "reason": "second thoughts"}
        asks.append(lambda: races.write("PUT", member, body, who, read))
    statuses = [each.status_code for each in races.together(asks)]
    assert sorted(statuses[:2]) == [200, 409 if one_more else 412], "not one outcome"
    assert set(statuses[2:]) <= {200, 409}
    return ("confirmed" if statuses[0] == 200 else "rejected"), statuses[2:] == [200]


def nothing_is_lost(engine: Engine, outcomes: dict[str, list[str]]) -> None:
    """What was done is in the audit, once; and nothing contradicts anything."""
    deeds = {
        "proposed": "tenders.propose",
        "under-review": "tenders.review",
        "invited": "tenders.invite",
        "answered": "answers.write",
        "confirmed": "tenders.confirm",
        "rejected": "tenders.reject",
    }
    with reading(engine) as session:
        wanted = text("SELECT resource_id, operation FROM audit_entry WHERE resource_type = 'tender'")
        audited = Counter((key, operation) for key, operation in session.connection().execute(wanted))
        assert audited == Counter((key, deeds[what]) for key, done in outcomes.items() for what in done)
        looked_at = CHECKS.keys() - {"submissions"}  # the counts of the made-up one are made up too
        assert [f"{name}: {fault}" for name in looked_at for fault in CHECKS[name](session)] == []


def test_one_outcome_each(engine: Engine, database_url: str, now: datetime) -> None:
    race(engine, database_url, 5, now)


@pytest.mark.prove
def test_one_outcome_each_two_hundred_times(engine: Engine, database_url: str, now: datetime) -> None:
    race(engine, database_url, 200, now)
