"""Repairs that are looked for without being asked: once for each version that falls short; who joins and who leaves."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select

from pooling.database import reading, transaction
from pooling.market import service as market
from pooling.market.rules import TierRecord
from pooling.tenders import repair_search, repairs, starts
from pooling.tenders.repair_search import Question
from pooling.tenders.tables import TenderMember
from tests.pooling.jobs.working import work_all
from tests.pooling.planning.conftest import here
from tests.pooling.planning.demand import GLOVES, NOW, add_lines, figure, line, offer, submission
from tests.pooling.tenders.conftest import Round, planned_world
from tests.pooling.tenders.test_changes import OTHER, horizon, proposes, volume
from tests.pooling.tenders.test_life import do
from tests.pooling.tenders.test_repairs import REPAIR, answers, look, one_too_many, store_offers

__all__ = ["here"]
pytestmark = pytest.mark.usefixtures("here")


def found(planned: Round, key: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = planned.planner.get(f"/v1/tenders/{key}/repairs").json()["items"]
    return items


def work(planned: Round) -> int:
    return work_all(planned.api.engine, REPAIR, now=planned.api.clock.now)


def looks(planned: Round) -> list[int]:
    """The versions that were looked at without being asked."""
    with reading(planned.api.engine) as session:
        query = text("SELECT key FROM job WHERE kind = 'tenders.repair' AND key IS NOT NULL ORDER BY created_at, key")
        return sorted(int(key.rsplit(":", 1)[1]) for key in session.connection().execute(query).scalars())


def finished(planned: Round) -> int:
    """How often options were kept, were there any or none."""
    audited = planned.api.client("auditor").get("/v1/audit?limit=500").json()["items"]
    return sum(each["operation"] == "tender-repairs.finish" for each in audited)


def test_what_falls_short_is_repaired_before_a_planner_asks(database_url: str) -> None:
    with planned_world(database_url, one_too_many) as planned:
        key = planned.invited()
        assert planned.answer(key, "SE-M", answer="commit").status_code == 200
        assert (work(planned), looks(planned)) == (0, []), "it holds"
        assert planned.answer(key, "NO-HSO", answer="decline", reason="own contract").status_code == 200
        version = planned.tender(key)["version"]
        assert (looks(planned), found(planned, key)) == ([version], [])
        assert work(planned) == 1
        options = found(planned, key)
        assert options[0]["fits"]
        assert [each["participant"] for each in options[0]["joins"]] == ["SE-AB"]
        assert [each["number"] for each in look(planned, key)] == [each["number"] for each in options], "once only"
        hidden = planned.coordinator("SE-M").get(f"/v1/tenders/{key}/repairs")
        assert (hidden.status_code, planned.coordinator("SE-M").get("/v1/operations").json()["items"]) == (404, [])
        done = planned.do(key, f"repairs/{options[0]['number']}/apply", due="2026-12-20")
        assert done.status_code == 200, done.text


def test_of_answers_that_follow_each_other_the_last_is_looked_at(database_url: str) -> None:
    with planned_world(database_url, one_too_many) as planned:
        key = planned.invited()
        for code in ("NO-HSO", "SE-M", "NO-HSO"):
            assert planned.answer(key, code, answer="decline", reason="own contract").status_code == 200
        version = planned.tender(key)["version"]
        assert looks(planned) == [version - 2, version - 1, version]
        assert work(planned) == 3
        assert finished(planned) == 1
        assert planned.change(key, note="nobody left").status_code == 200
        assert work(planned) == 0


def test_a_look_at_what_was_changed_otherwise_meanwhile_goes_to_what_it_is_now(database_url: str) -> None:
    with planned_world(database_url, one_too_many) as planned:
        key = planned.invited()
        assert planned.answer(key, "NO-HSO", answer="decline", reason="own contract").status_code == 200
        assert planned.change(key, note="at risk").status_code == 200
        version = planned.tender(key)["version"]
        assert (work(planned), looks(planned), finished(planned)) == (2, [version - 1, version], 1)
        assert all(each["fits"] for each in found(planned, key))
        assert planned.do(key, "reject", reason="no market").status_code == 200


def test_whose_lines_leave_is_told(database_url: str) -> None:
    """1,300 thousand can be made: with 800 thousand of SE-M there is room for one of the others no more."""
    with planned_world(database_url, one_too_many) as planned:
        key = planned.invited()
        lot = planned.tender(key)["lots"][0]["id"]
        more = volume(lot, 800_000, 800_000, 800_000)
        assert planned.answer(key, "SE-M", answer="commit", volumes=[more]).status_code == 200
        codes = [
            each["code"] for each in planned.planner.get(f"/v1/tenders/{key}/standing").json()["expected"]["faults"]
        ]
        assert codes == ["above-supply"]
        work(planned)
        smaller = next(each for each in found(planned, key) if each["leaves"])
        leaving = {(each["participant"], each["category"], each["quantity_per_year"]) for each in smaller["leaves"]}
        assert leaving <= {("NO-HSO", GLOVES, 600_000), ("SE-M", GLOVES, 800_000)}
        assert leaving


def test_the_volume_that_a_member_proposes_is_planned_with(database_url: str) -> None:
    with planned_world(database_url, one_too_many) as planned:
        key = planned.invited()
        lot = planned.tender(key)["lots"][0]["id"]
        change = {"volumes": [volume(lot, 150_000, 150_000, 150_000)]}
        assert planned.answer(key, "SE-M", answer="change", change=change).status_code == 200
        assert not planned.tender(key)["holds"], "750 of 900 thousand"
        work(planned)
        joined = next(each for each in found(planned, key) if each["kind"] == "join")
        assert [each["quantity"] for each in joined["lots"]] == [150_000 + 600_000 + 500_000]


def test_a_change_that_the_terms_meet_is_taken_up_and_committed_to(database_url: str) -> None:
    with planned_world(database_url, one_too_many) as planned:
        key = planned.invited()
        lot = planned.tender(key)["lots"][0]["id"]
        assert planned.answer(key, "NO-HSO", answer="commit").status_code == 200
        less = volume(lot, 620_000, 630_000, 640_000)
        assert proposes(planned, key, volumes=[less]).status_code == 200
        assert planned.tender(key)["holds"]
        assert work(planned) == 1, "nobody has to ask for it"
        taken = found(planned, key)[0]
        assert (taken["kind"], taken["joins"], taken["leaves"]) == ("as-proposed", [], [])
        assert [each["quantity"] for each in taken["lots"]] == [630_000 + 600_000]
        assert planned.do(key, f"repairs/{taken['number']}/apply").status_code == 200
        assert answers(planned, key) == {"NO-HSO": "committed", "SE-M": "none"}
        assert planned.answer(key, "SE-M", answer="commit", volumes=[less]).status_code == 200
        confirmed = planned.do(key, "confirm")
        assert confirmed.status_code == 200, confirmed.text


@pytest.mark.parametrize(("criterion", "met"), [("uhm-basic", True), ("bio-based", False)])
def test_a_criterion_is_met_as_proposed_by_an_offer_that_has_it(
    database_url: str, criterion: str, *, met: bool
) -> None:
    with planned_world(database_url, one_too_many) as planned:
        key = planned.invited()
        assert proposes(planned, key, criterion=criterion).status_code == 200
        work(planned)
        assert ("as-proposed" in {each["kind"] for each in found(planned, key)}) == met


def test_another_start_is_not_met_by_the_terms(database_url: str) -> None:
    with planned_world(database_url, one_too_many) as planned:
        key = planned.invited()
        assert proposes(planned, key, start="2028-02").status_code == 200
        assert not question(planned, key).as_proposed
        assert "as-proposed" not in {each["kind"] for each in searched(question(planned, key))}


WINDOW = {"earliest_start": "2028-01", "latest_start": "2028-03", "required": "uhm-basic"}


@pytest.mark.parametrize(
    ("own", "said", "holds"),
    [
        ((310_000, 340_000), (250_000, 650_000, 1_050_000), False),
        ((310_000, 340_000), (350_000, 650_000, 950_000), True),
        ((100_001, 100_001, 450_001), (300_000, 300_000, 300_000), True),
    ],
)
def test_what_is_said_of_several_lines_has_one_range(
    database_url: str, own: tuple[int, ...], said: tuple[int, int, int], *, holds: bool
) -> None:
    """900 thousand are needed, of which NO-HSO brings 600; a repair that is offered holds once it was committed to."""

    def fill(session: Session) -> None:
        store_offers(session)
        lines = [line("NO-HSO", 600_000, **WINDOW), *(line("SE-M", each, **WINDOW) for each in own)]
        add_lines(session, submission(session), lines)

    with planned_world(database_url, fill) as planned:
        key = planned.invited()
        lot = planned.tender(key)["lots"][0]["id"]
        sure = volume(lot, 600_000, 600_000, 600_000)
        assert planned.answer(key, "NO-HSO", answer="commit", volumes=[sure]).status_code == 200
        assert proposes(planned, key, volumes=[volume(lot, *said)]).status_code == 200
        assert planned.tender(key)["holds"] == holds
        work(planned)
        taken = [each for each in found(planned, key) if each["kind"] == "as-proposed"]
        assert bool(taken) == holds
        for each in taken:
            assert each["lots"][0]["quantity"] == 600_000 + said[1]
            assert planned.do(key, f"repairs/{each['number']}/apply").status_code == 200
            assert planned.answer(key, "SE-M", answer="commit", volumes=[volume(lot, *said)]).status_code == 200
            confirmed = planned.do(key, "confirm")
            assert confirmed.status_code == 200, confirmed.text


def cheaper_at_more(session: Session) -> None:
    """From 1,220 thousand on it is cheaper; 1,150 are there, and SE-AB would fit beside them."""
    tiers = (TierRecord(figure(900_000), figure(49_000)), TierRecord(figure(1_220_000), figure(48_000)))
    market.store_offers(session, [offer(tiers=tiers)], file=("offers.csv", "e" * 64), loaded_at=NOW)
    add_lines(session, submission(session), [line("SE-M", 550_000, **WINDOW), line("NO-HSO", 600_000, **WINDOW)])


def test_a_volume_that_was_only_proposed_makes_nothing_cheaper(database_url: str) -> None:
    with planned_world(database_url, cheaper_at_more) as planned:
        key = planned.invited()
        before = planned.tender(key)["lots"][0]
        assert before["unit_price_eur"] == 0.049
        assert planned.answer(key, "NO-HSO", answer="commit").status_code == 200
        assert proposes(planned, key, volumes=[volume(before["id"], 700_000, 700_000, 700_000)]).status_code == 200
        work(planned)
        (taken,) = [each for each in found(planned, key) if each["kind"] == "as-proposed"]
        assert taken["lots"][0]["unit_price_eur"] == 0.048, "where it commits to that"
        assert planned.do(key, f"repairs/{taken['number']}/apply").status_code == 200
        assert planned.tender(key)["lots"][0] == before
        assert planned.answer(key, "SE-M", answer="commit").status_code == 200
        confirmed = planned.do(key, "confirm")
        assert confirmed.status_code == 200, confirmed.text
        assert confirmed.json()["lots"][0]["unit_price_eur"] == 0.049


def test_notes_and_days_leave_what_was_found_as_it_is(database_url: str) -> None:
    with planned_world(database_url, one_too_many) as planned:
        key = planned.invited()
        lot = planned.tender(key)["lots"][0]["id"]
        assert proposes(planned, key, volumes=[volume(lot, 620_000, 630_000, 640_000)]).status_code == 200
        work(planned)
        for change in ({"note": "ask them"}, {"due": "2026-12-16"}, {"locked": True}):
            assert planned.change(key, **change).status_code == 200
            assert (work(planned), {each["fits"] for each in found(planned, key)}) == (0, {True})
        assert planned.change(key, depth="framework").status_code == 200
        assert {each["fits"] for each in found(planned, key)} == {False}, "these are other terms"


@pytest.mark.parametrize("decided", ["reject", "expire"])
def test_a_look_at_what_was_decided_meanwhile_ends_in_peace(database_url: str, decided: str) -> None:
    with planned_world(database_url, one_too_many) as planned:
        key = planned.invited(due="2026-11-24")
        assert planned.answer(key, "NO-HSO", answer="decline", reason="own contract").status_code == 200
        asked = planned.planner.post(f"/v1/tenders/{key}/repairs", json={"time_limit_s": 5}).json()
        if decided == "reject":
            assert planned.do(key, "reject").status_code == 200
        else:
            planned.api.clock.now += timedelta(days=5)
            do(planned, "tenders.expire")
        assert work(planned) == 2
        job = planned.planner.get(asked["operation"]).json()
        assert (job["status"], found(planned, key)) == ("succeeded", [])


def narrow(session: Session) -> None:
    """SE-M can start until March, the others until June."""
    store_offers(session)
    early = {"earliest_start": "2028-01", "latest_start": "2028-03", "required": "uhm-basic"}
    late = {**early, "latest_start": "2028-06"}
    lines = [line("SE-M", 650_000, **early), line("NO-HSO", 600_000, **late)]
    add_lines(session, submission(session), lines)


def question(planned: Round, key: str) -> Question:
    with reading(planned.api.engine) as session:
        return repairs.question_of(session, UUID(key), now=planned.api.clock.now)[1]


def searched(asked: Question) -> list[dict[str, Any]]:
    return repair_search.find(asked, 10.0, on_progress=lambda _: None, stop=lambda: False)


def test_a_start_that_a_member_proposes_may_be_beside_its_own_window(database_url: str) -> None:
    with planned_world(database_url, narrow) as planned:
        key = planned.invited()
        assert planned.answer(key, "SE-M", answer="change", change={"start": "2028-05"}).status_code == 200
        asked = question(planned, key)
        assert asked.wanted == {"2028-05": frozenset({"SE-M"})}
        assert "2028-05" in {each["start"] for each in searched(asked)}
        others = replace(asked, wanted={"2028-05": frozenset({"NO-HSO"})})
        assert "2028-05" not in {each["start"] for each in searched(others)}, "SE-M did not say so"
        work(planned)
        moved = next(each for each in found(planned, key) if each["start"] == "2028-05")
        assert planned.do(key, f"repairs/{moved['number']}/apply").status_code == 200
        for code in ("SE-M", "NO-HSO"):
            assert planned.answer(key, code, answer="commit").status_code == 200
        assert (planned.tender(key)["holds"], question(planned, key).now_eur > 0) == (True, True)
        assert searched(replace(question(planned, key), now_eur=0.0))[0]["leaves"] == [], "its lines can be there"
        assert planned.do(key, "confirm").json()["start"] == "2028-05"


def test_no_start_is_offered_that_cannot_be_planned(database_url: str) -> None:
    with planned_world(database_url, one_too_many) as planned:
        key = planned.invited()
        assert planned.answer(key, "SE-M", answer="change", change={"start": "2028-03"}).status_code == 200
        asked = replace(question(planned, key), start="2028-01")
        assert {"2028-01", "2028-02", "2028-03"} <= set(asked.months)
        free = replace(asked, wanted={}, months=["2028-02"])
        assert {each["start"] for each in searched(free)} <= {"2028-01", "2028-02"}


@pytest.mark.parametrize(
    ("today", "months"),
    [
        (date(2027, 1, 1), ["2028-01", "2028-02", "2028-03"]),
        (date(2027, 5, 2), ["2028-01", "2028-02", "2028-03"]),
        (date(2027, 5, 3), ["2028-02", "2028-03"]),
        (date(2028, 1, 1), []),
    ],
)
def test_a_month_can_be_planned_until_the_day_of_its_notice(today: date, months: list[str]) -> None:
    """A year before the start dialogue begins; a third of it later the notice is out, on 2 May."""
    timetable = {"dialogue": 1, "procedure": 1, "transition": 1}
    policy = {"horizon_start": "2028-01", "horizon_months": 3, "lead_time_months": 12, "timetable": timetable}
    assert starts.plannable(policy, today=today) == months


@pytest.mark.parametrize("kept", [{"start": "2199-01"}, {"start": "1999-01"}, {"volumes": [volume(1, 5, 2, 3)]}])
def test_a_kept_change_that_cannot_be_planned_breaks_no_repair(database_url: str, kept: dict[str, Any]) -> None:
    """Kept by whatever way: it counts as none."""
    with planned_world(database_url, one_too_many) as planned:
        key = planned.invited()
        assert proposes(planned, key, start=OTHER).status_code == 200
        with transaction(planned.api.engine) as session:
            _keep(session, kept)
        assert planned.answer(key, "NO-HSO", answer="decline", reason="own contract").status_code == 200
        first, after = horizon(planned)
        options = look(planned, key)
        assert options
        assert all(first <= each["start"] < after for each in options)
        assert planned.planner.get(f"/v1/tenders/{key}/standing").status_code == 200


def _keep(session: Session, change: dict[str, Any]) -> None:
    for row in session.exec(select(TenderMember).where(col(TenderMember.answer) == "change-proposed")):
        row.change = change
