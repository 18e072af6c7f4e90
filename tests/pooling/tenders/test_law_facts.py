"""What the law is told of a tender: the days of its cycle, answers that count, the term with options."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session, select

from pooling.cycles.tables import Cycle
from pooling.database import reading, transaction
from pooling.market import service as market
from pooling.reference import service as reference
from pooling.reference.tables import Participant
from pooling.tenders import consequences
from tests.pooling.planning.demand import NOW, add_lines, line, offer, submission
from tests.pooling.tenders.conftest import DUE, MEMBERS, Round, planned_world

SYRINGES = "insulin-syringes"
EXACT = {"SE-M": 650_007, "SE-AB": 500_009, "SE-O": 100_003}


def found(planned: Round, key: str, rule: str) -> dict[str, Any]:
    """What the rule answers first."""
    items = planned.planner.get(f"/v1/tenders/{key}/consequences").json()["items"]
    return next(each for each in items if each["rule"] == rule)


def exact(session: Session) -> None:
    """Three Swedes that say nothing above what they expect; values over the term are no whole cents."""
    reference.install(session)
    standing = [offer(SYRINGES, SYRINGES, criteria=())]
    market.store_offers(session, standing, file=("offers.csv", "e" * 64), loaded_at=NOW)
    lines = [line(code, need, SYRINGES, quantity_high=need) for code, need in EXACT.items()]
    add_lines(session, submission(session), lines)


@pytest.fixture
def swedish(database_url: str) -> Iterator[Round]:
    with planned_world(database_url, exact) as made:
        yield made


def test_a_buyer_that_ends_within_the_extension_is_named_with_its_successor(planned: Round) -> None:
    key = planned.propose().json()["tenders"][0]
    last = date.fromisoformat(planned.tender(key)["ends_before"])
    with transaction(planned.api.engine) as session:
        row = session.exec(select(Participant).where(Participant.code == "SE-M")).one()
        row.valid_to, row.successor = last + timedelta(days=40), "SE-AB"
    assert found(planned, key, "succession")["applies"] == "no"
    assert planned.change(key, facts={"option_months": 6}).status_code == 200
    told = found(planned, key, "succession")
    assert (told["applies"], told["participants"]) == ("yes", ["SE-M"])
    assert "SE-AB" in told["follows"]


@pytest.mark.parametrize(
    ("zone", "hour", "expected"),
    [
        ("Europe/Helsinki", 20, 200),
        ("Europe/Helsinki", 22, 409),
        ("America/Nuuk", 24, 200),
        ("America/Nuuk", 26, 409),
    ],
)
def test_the_day_of_the_freeze_is_the_cycles_not_that_of_utc(
    planned: Round, zone: str, hour: int, expected: int
) -> None:
    """Hours of UTC from the first of the day of the notice on: Helsinki is three ahead of it, Nuuk an hour behind."""
    with transaction(planned.api.engine) as session:
        session.exec(select(Cycle)).one().time_zone = zone
    key = planned.propose().json()["tenders"][0]
    last = date.fromisoformat(planned.tender(key)["notice_by"])
    midnight = datetime.combine(last, time(), tzinfo=UTC)
    assert planned.do(key, "review").status_code == 200
    assert planned.do(key, "invite", due=last.isoformat()).status_code == 200
    planned.api.clock.now = midnight + timedelta(hours=12)
    for code in MEMBERS:
        assert planned.answer(key, code, answer="commit").status_code == 200
    planned.api.clock.now = midnight + timedelta(hours=hour)
    done = planned.do(key, "confirm")
    assert done.status_code == expected, done.text
    if expected == 409:
        assert f"fixed on {last + timedelta(days=1)}, after the notice of {last}" in done.json()["detail"]


def test_what_was_said_before_it_was_asked_again_counts_no_more(planned: Round) -> None:
    """The maximum is that of the lines again, as it was before the member committed to a tenth."""
    key = planned.invited()
    before = found(planned, key, "thresholds")["figures"]["value_cents"]
    lot = planned.tender(key)["lots"][0]["id"]
    less = {"lot": lot, "quantity_low": 90_000, "quantity": 100_000, "quantity_high": 110_000}
    assert planned.answer(key, "NO-HSO", answer="commit", volumes=[less]).status_code == 200
    committed = found(planned, key, "thresholds")["figures"]["value_cents"]
    assert committed < before
    assert planned.answer(key, "NO-HSO", answer="change", change={"volumes": [less]}).status_code == 200
    assert found(planned, key, "thresholds")["figures"]["value_cents"] == committed, "a change by what it proposes"
    assert planned.answer(key, "NO-HSO", answer="commit", volumes=[less]).status_code == 200
    assert planned.ask_again(key, "NO-HSO").status_code == 200
    again = planned.tender(key)["lots"][0]["unit_price_eur"], found(planned, key, "thresholds")["figures"]
    assert again[1]["value_cents"] >= before


def test_a_maximum_that_is_the_estimate_is_warned_of_before_the_freeze_and_blocks_nothing(swedish: Round) -> None:
    """Nothing above what is expected: the maximum of the whole is the estimates', each rounded up by itself."""
    key = swedish.propose().json()["tenders"][0]
    assert swedish.change(key, facts={"option_months": 7}).status_code == 200
    items = swedish.planner.get(f"/v1/tenders/{key}/consequences").json()["items"]
    (warned,) = [each for each in items if each["rule"] == "estimate-and-maximum" and "upper range" in each["why"]]
    assert (warned["severity"], sorted(warned["participants"])) == ("warning", sorted(EXACT))
    assert swedish.do(key, "review").status_code == swedish.do(key, "invite", due=DUE).status_code == 200
    for code in EXACT:
        assert swedish.answer(key, code, answer="commit").status_code == 200
    done = swedish.do(key, "confirm")
    assert done.status_code == 200, done.text


def test_the_value_in_the_notice_is_the_one_that_thresholds_are_held_against(planned: Round) -> None:
    key = planned.confirmed()
    assert planned.change(key, facts={"option_months": 12}).status_code == 200
    assert planned.do(key, "hand-over").status_code == 200
    shown = planned.planner.get(f"/v1/tenders/{key}/notice").json()
    assert shown["maximum_value_cents"] == found(planned, key, "thresholds")["figures"]["value_cents"]
    assert shown["maximum_value_cents"] > shown["lots"][0]["maximum_value_cents"]


def test_a_main_cpv_of_what_has_left_the_tender_is_none(swedish: Round) -> None:
    key = swedish.propose().json()["tenders"][0]
    with reading(swedish.api.engine) as session:
        known = reference.categories(session)
    foreign = next(each.cpv for each in known.values() if each.cpv and each.cpv != known[SYRINGES].cpv)
    with transaction(swedish.api.engine) as session:
        consequences.queries.row_of(session, UUID(key)).main_cpv = foreign
    assert found(swedish, key, "china-ipi")["figures"]["main_cpv"] == int((known[SYRINGES].cpv or "")[:8])
