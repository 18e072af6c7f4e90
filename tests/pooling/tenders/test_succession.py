"""A participant ends: on its date the successor has its memberships, answers and commitments."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from pooling.database import reading, transaction
from pooling.demand import succession as lines
from pooling.demand.tables import Line
from pooling.notices.tables import Notice
from pooling.reference.tables import Participant
from pooling.tenders.jobs import HANDLERS, SCHEDULE
from tests.pooling.jobs.working import enqueued, work_all
from tests.pooling.tenders.conftest import Round

SUCCEED = {"tenders.succeed": HANDLERS["tenders.succeed"]}
LAST = date(2027, 3, 1)


def merge(planned: Round, old: str, new: str) -> None:
    with transaction(planned.api.engine) as session:
        _merge(session, old, new)


def _merge(session: Session, old: str, new: str) -> None:
    row = session.exec(select(Participant).where(Participant.code == old)).one()
    row.valid_to, row.successor = LAST, new
    session.add(row)


def pass_on(planned: Round, day: datetime) -> None:
    planned.api.clock.now = day
    enqueued(planned.api.engine, "tenders.succeed", now=day)
    work_all(planned.api.engine, SUCCEED, now=day)


def members(planned: Round, key: str) -> dict[str, dict[str, Any]]:
    return {each["participant"]: each for each in planned.tender(key)["members"]}


BEFORE, ON = datetime(2027, 2, 28, 12, tzinfo=UTC), datetime(2027, 3, 1, 12, tzinfo=UTC)


def test_a_merger_adds_up_what_both_may_call_off(planned: Round) -> None:
    """FO's and SE-M's agreements become SE-M's on the day, not before; nothing is lost or counted twice."""
    key = planned.confirmed()
    before = members(planned, key)
    merge(planned, "NO-HSO", "SE-M")
    pass_on(planned, BEFORE)
    assert members(planned, key).keys() == before.keys()
    pass_on(planned, ON)
    after, tender = members(planned, key), planned.tender(key)
    assert sorted(after) == ["DK-OST", "FO", "SE-M"]
    for name in ("quantity_per_year", "estimate_quantity", "maximum_quantity", "maximum_value_cents"):
        merged = sum(before[code]["volumes"][0][name] for code in ("NO-HSO", "SE-M"))
        assert after["SE-M"]["volumes"][0][name] == merged
    assert (tender["lots"][0]["quantity_per_year"], tender["buyers"]) == (2_350_000, ["DK-OST", "SE-M"])
    assert tender["lead"] in after
    version = tender["version"]
    pass_on(planned, ON)
    assert planned.tender(key)["version"] == version, "once is enough"
    history = planned.planner.get(f"/v1/tenders/{key}/history").json()["items"]
    assert (history[-1]["what"], history[-1]["participant"]) == ("succeeded", "SE-M")
    assert history[-1]["details"] == {"from": "NO-HSO", "to": "SE-M"}


def test_both_bodies_and_the_planners_are_told_once_whatever_passes_on(planned: Round) -> None:
    """Lines of demand and memberships pass on in two jobs: that is one piece of news."""
    planned.confirmed()
    merge(planned, "NO-HSO", "SE-M")
    pass_on(planned, ON)
    audiences = ["participant:NO-HSO", "participant:SE-M", "planners"]
    assert told(planned) == audiences
    with transaction(planned.api.engine) as session:
        moved = lines.succeed(session, ON.date(), ON)
        assert ("NO-HSO", "SE-M") in {(each.ended, each.successor) for each in moved}
    assert told(planned) == audiences


def told(planned: Round) -> list[str]:
    with reading(planned.api.engine) as session:
        rows = session.exec(select(Notice).where(Notice.kind == "succession", Notice.subject_id == "NO-HSO"))
        return sorted(each.audience for each in rows)


CHAIN = [("NO-HSO", "NO-HV", LAST), ("NO-HV", "NO-HMN", date(2027, 6, 1))]
"""NO-HSO passes to NO-HV, and that to NO-HMN three months later."""


@pytest.mark.parametrize("late", [False, True])
def test_a_chain_is_followed_on_its_dates_by_lines_and_tenders_alike(planned: Round, *, late: bool) -> None:
    """Lines can start after the second date only; whoever looks after both dates sees both steps."""
    key = planned.confirmed()
    with transaction(planned.api.engine) as session:
        for row in session.exec(select(Participant).where(col(Participant.code).in_(["NO-HSO", "NO-HV"]))):
            row.successor, row.valid_to = next((new, on) for old, new, on in CHAIN if old == row.code)
    days = [on for _, _, on in CHAIN]
    for day in days[1:] if late else days:
        reached = CHAIN if day == days[-1] else CHAIN[:1]
        pass_on(planned, datetime(day.year, day.month, day.day, 12, tzinfo=UTC))
        with transaction(planned.api.engine) as session:
            lines.succeed(session, day, planned.api.clock.now)
            assert lines.due(session, day) == []
            told = [
                (each.subject_id, each.facts["successor"], each.facts["on"])
                for each in session.exec(select(Notice).where(Notice.kind == "succession"))
                if each.subject_id.startswith("NO-")
            ]
            held = session.exec(select(Line.participant).where(Line.sent_as == "NO-HSO")).all()
        chain = [(old, new, on.isoformat()) for old, new, on in reached]
        assert sorted(told) == sorted(chain * 3), "to both bodies and the planners, each once"
        assert set(held) == {reached[-1][1]}
        assert members(planned, key).keys() - {"DK-OST", "FO", "SE-M"} == {reached[-1][1]}


def test_it_happens_soon_after_midnight() -> None:
    (found,) = [each for each in SCHEDULE if each.kind == "tenders.succeed"]
    assert found.every <= timedelta(minutes=15)


def test_a_successor_that_was_no_member_takes_the_place(planned: Round) -> None:
    key = planned.invited(due="2027-05-01")
    assert planned.answer(key, "NO-HSO", answer="commit", conditions="by rail").status_code == 200
    merge(planned, "NO-HSO", "NO-HV")
    pass_on(planned, ON)
    after = members(planned, key)
    assert "NO-HSO" not in after
    assert (after["NO-HV"]["answer"], after["NO-HV"]["conditions"]) == ("committed", "by rail")
    assert after["NO-HV"]["volumes"][0]["committed_quantity"] == 700_000
    assert planned.answer(key, "NO-HV", answer="decline", reason="we have enough").status_code == 200


def test_what_two_answered_differently_is_asked_again_before_the_freeze(planned: Round) -> None:
    key = planned.invited(due="2027-05-01")
    assert planned.answer(key, "NO-HSO", answer="commit").status_code == 200
    assert planned.answer(key, "SE-M", answer="decline", reason="x").status_code == 200
    merge(planned, "NO-HSO", "SE-M")
    pass_on(planned, ON)
    assert members(planned, key)["SE-M"]["answer"] == "none"
    assert members(planned, key)["SE-M"]["volumes"][0]["quantity_per_year"] == 1_700_000


def test_what_two_proposed_is_asked_again_since_neither_spoke_for_both(planned: Round) -> None:
    key = planned.invited(due="2027-05-01")
    for code in ("NO-HSO", "SE-M"):
        assert planned.answer(key, code, answer="change", change={"criterion": "uhm-basic"}).status_code == 200
    merge(planned, "NO-HSO", "SE-M")
    pass_on(planned, ON)
    assert members(planned, key)["SE-M"]["answer"] == "none"


def test_after_the_day_for_answers_a_merger_leaves_time_to_say_what_holds(planned: Round) -> None:
    """One has committed and the other declined when they become one: it is asked, and what others said stands."""
    key = planned.invited("2027-02-20")
    for code in ("DK-OST", "FO", "SE-M"):
        assert planned.answer(key, code, answer="commit").status_code == 200
    assert planned.answer(key, "NO-HSO", answer="decline", reason="made up").status_code == 200
    merge(planned, "NO-HSO", "SE-M")
    pass_on(planned, ON)
    enqueued(planned.api.engine, "tenders.expire", now=ON)
    work_all(planned.api.engine, {"tenders.expire": HANDLERS["tenders.expire"]}, now=ON)
    tender = planned.tender(key)
    assert (tender["status"], tender["answers_due"]) == ("invited", "2027-03-15")
    assert {code: each["answer"] for code, each in members(planned, key).items()} == {
        "DK-OST": "committed",
        "FO": "committed",
        "SE-M": "none",
    }
    told = planned.coordinator("SE-M").get("/v1/notices").json()["items"]
    assert [each["due"] for each in told if each["kind"] == "asked-again"] == ["2027-03-15"]
    others = planned.coordinator("FO").get("/v1/notices").json()["items"]
    assert "asked-again" not in [each["kind"] for each in others]
    assert planned.answer(key, "SE-M", answer="commit").status_code == 200
    assert planned.do(key, "confirm").status_code == 200


@pytest.mark.parametrize(("answer", "told"), [(None, ["invited", "succession"]), ("commit", ["succession"])])
def test_a_successor_is_told_of_the_invitation_that_waits_for_it(
    planned: Round, answer: str | None, told: list[str]
) -> None:
    key = planned.invited("2027-04-01")
    if answer is not None:
        assert planned.answer(key, "SE-M", answer=answer).status_code == 200
    merge(planned, "SE-M", "SE-O")
    pass_on(planned, ON)
    found = planned.coordinator("SE-O").get("/v1/notices").json()["items"]
    assert sorted(each["kind"] for each in found if "cycle-" not in each["kind"]) == told
    assert [each["due"] for each in found if each["kind"] == "invited"] == ["2027-04-01"] * (len(told) - 1)
