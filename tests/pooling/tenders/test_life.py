"""A tender's life over HTTP: proposed, reviewed, invited, answered, confirmed, handed over; and what is refused."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from pooling.database import reading
from pooling.planning import runs
from pooling.planning.jobs import HANDLERS as PLANNING
from pooling.tenders.jobs import HANDLERS, SCHEDULE
from tests.pooling.jobs.working import enqueued, work_all
from tests.pooling.planning.conftest import here
from tests.pooling.planning.given import POLICY
from tests.pooling.tenders.conftest import CYCLE, DUE, MEMBERS, Round

__all__ = ["here"]


def notices(planned: Round, kind: str) -> list[tuple[str, str]]:
    with reading(planned.api.engine) as session:
        rows = session.connection().execute(
            text("SELECT audience, key FROM notice WHERE kind = :kind ORDER BY audience, key"), {"kind": kind}
        )
        return [(row[0], row[1]) for row in rows]


def do(planned: Round, kind: str) -> None:
    enqueued(planned.api.engine, kind, now=planned.api.clock.now)
    work_all(planned.api.engine, {kind: HANDLERS[kind]}, now=planned.api.clock.now)


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code")


def test_from_proposal_to_hand_over(planned: Round) -> None:
    key = planned.invited()
    tender = planned.tender(key)
    assert (tender["status"], tender["answers_due"], tender["holds"]) == ("invited", DUE, True)
    assert [each["participant"] for each in tender["members"]] == list(MEMBERS)
    assert [each["role"] for each in tender["members"]].count("associate") == 1  # FO cannot sign
    assert planned.planner.get(f"/v1/cycles/{CYCLE}").json()["status"] == "planned"
    assert len(notices(planned, "invited")) == len(MEMBERS)
    for code in MEMBERS:
        assert planned.answer(key, code, answer="commit").status_code == 200
    done = planned.do(key, "confirm", reason="all agree")
    assert done.status_code == 200, done.text
    assert done.json()["buyers"] == [code for code in MEMBERS if code != "FO"]
    assert planned.do(key, "hand-over").json()["status"] == "handed-over"
    history = planned.planner.get(f"/v1/tenders/{key}/history").json()["items"]
    told = [(each["what"], each["from_status"], each["to_status"]) for each in history]
    assert told[:3] == [
        ("proposed", "proposed", "proposed"),
        ("under-review", "proposed", "under-review"),
        ("invited", "under-review", "invited"),
    ]
    assert told[-2:] == [("confirmed", "invited", "confirmed"), ("handed-over", "confirmed", "handed-over")]
    assert history[-2]["reason"] == "all agree"
    audited = planned.api.client("auditor").get("/v1/audit?limit=500").json()["items"]
    ours = [each["operation"] for each in audited if each["resource_id"] == key]
    assert sorted(ours) == sorted(
        ["tenders.propose", "tenders.review", "tenders.invite", *["answers.write"] * 4]
        + ["tenders.confirm", "tenders.hand-over"]
    )


def test_the_cycle_ends_once_every_tender_is_settled(planned: Round) -> None:
    key = planned.invited()

    def decide() -> Any:
        etag = planned.planner.get(f"/v1/cycles/{CYCLE}").headers["ETag"]
        return planned.planner.post(f"/v1/cycles/{CYCLE}/decide", headers={"If-Match": etag})

    refused = decide()
    assert code_of(refused) == (409, "wrong-state")
    assert key in refused.json()["detail"]
    assert planned.do(key, "reject", reason="no market").status_code == 200
    assert decide().json()["status"] == "decided"
    assert code_of(planned.propose()) == (409, "wrong-state")


@pytest.mark.parametrize(("day", "told"), [(date(2026, 12, 31), "DK-84"), (date(2027, 1, 1), "DK-OST")])
def test_of_a_decided_cycle_those_are_told_that_exist_then(planned: Round, day: date, told: str) -> None:
    key = planned.invited()
    assert planned.do(key, "reject", reason="no market").status_code == 200
    planned.api.clock.now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    etag = planned.planner.get(f"/v1/cycles/{CYCLE}").headers["ETag"]
    assert planned.planner.post(f"/v1/cycles/{CYCLE}/decide", headers={"If-Match": etag}).status_code == 200
    audiences = [audience for audience, _ in notices(planned, "cycle-decided")]
    assert "participant:SE-M" in audiences
    danes = {f"participant:{code}" for code in ("DK-84", "DK-85", "DK-OST")} & set(audiences)
    assert danes == ({"participant:DK-OST"} if told == "DK-OST" else {"participant:DK-84", "participant:DK-85"})


@pytest.mark.parametrize("by_the_clock", [True, False])
def test_members_and_planners_are_told_what_was_decided(planned: Round, *, by_the_clock: bool) -> None:
    key = planned.invited(due="2026-11-22")
    if by_the_clock:
        planned.api.clock.now += timedelta(days=2)
        do(planned, "tenders.expire")
    else:
        assert planned.do(key, "reject", reason="no market").status_code == 200
    audiences = [audience for audience, _ in notices(planned, "tender-decided")]
    assert audiences == [*(f"participant:{code}" for code in MEMBERS), "planners"]


def test_what_may_not_be_is_refused_and_changes_nothing(planned: Round) -> None:
    key = planned.propose().json()["tenders"][0]
    assert code_of(planned.do(key, "invite", due=DUE)) == (409, "wrong-state")
    assert code_of(planned.do(key, "confirm")) == (409, "wrong-state")
    assert planned.do(key, "review").status_code == 200
    assert code_of(planned.do(key, "invite", due="2026-11-21"))[0] == 422
    assert planned.do(key, "invite", due="2026-11-22").status_code == 200, "today, where the cycle is"
    assert code_of(planned.do(key, "confirm")) == (409, "wrong-state")
    assert code_of(planned.change(key, lead="FO"))[0] == 422
    assert code_of(planned.change(key, lead="IS"))[0] == 422
    without = planned.planner.post(f"/v1/tenders/{key}/reject", json={"reason": "x"})
    assert code_of(without) == (428, "precondition-missing")
    stale = planned.planner.post(
        f"/v1/tenders/{key}/reject", json={"reason": "x"}, headers={"If-Match": '"1.abcdefabcdef"'}
    )
    assert code_of(stale) == (412, "precondition-failed")
    assert planned.tender(key)["status"] == "invited"


def test_answers_can_be_changed_until_the_end_of_the_day_where_the_cycle_is(planned: Round) -> None:
    key = planned.invited(due="2026-11-22")
    planned.api.clock.now = planned.api.clock.now.replace(hour=22, minute=59)
    assert planned.answer(key, "SE-M", answer="decline", reason="no").json()["answer"] == "declined"
    said = planned.answer(key, "SE-M", answer="commit", conditions="from May")
    assert (said.json()["answer"], said.json()["conditions"], said.json()["reason"]) == ("committed", "from May", None)
    do(planned, "tenders.expire")
    assert planned.tender(key)["status"] == "invited"
    planned.api.clock.now += timedelta(minutes=1)  # midnight in Copenhagen
    assert code_of(planned.answer(key, "FO", answer="commit")) == (409, "wrong-state")
    do(planned, "tenders.expire")
    assert planned.tender(key)["status"] == "expired"
    do(planned, "tenders.expire")
    assert [each["what"] for each in planned.planner.get(f"/v1/tenders/{key}/history").json()["items"]].count(
        "expired"
    ) == 1


def test_a_tender_that_everybody_answered_does_not_expire(planned: Round) -> None:
    key = planned.invited(due="2026-11-22")
    for code in MEMBERS:
        assert planned.answer(key, code, answer="commit").status_code == 200
    planned.api.clock.now += timedelta(days=2)
    do(planned, "tenders.expire")
    assert planned.tender(key)["status"] == "invited"
    assert planned.do(key, "confirm").status_code == 200


def test_who_has_not_answered_is_reminded_once(planned: Round) -> None:
    key = planned.invited(due="2026-11-27")
    assert planned.answer(key, "SE-M", answer="commit").status_code == 200
    do(planned, "tenders.remind")
    assert notices(planned, "answer-due-soon") == []
    planned.api.clock.now += timedelta(days=3)
    for _ in range(2):
        do(planned, "tenders.remind")
    told = [audience for audience, _ in notices(planned, "answer-due-soon")]
    assert told == ["participant:DK-OST", "participant:FO", "participant:NO-HSO"]
    assert {each.kind for each in SCHEDULE} <= HANDLERS.keys()


def test_a_new_proposal_replaces_what_is_neither_invited_nor_locked(planned: Round) -> None:
    first = planned.propose().json()["tenders"][0]
    second = planned.propose().json()
    assert (second["replaced"], second["kept"]) == ([first], [])
    assert planned.tender(first)["status"] == "rejected"
    locked = second["tenders"][0]
    assert planned.change(locked, locked=True, note="keep").json()["locked"] is True
    third = planned.propose().json()
    assert (third["tenders"], third["kept"], third["replaced"]) == ([], [locked], [])


def test_another_lead_or_depth_are_other_terms(planned: Round) -> None:
    key = planned.invited()
    before = planned.tender(key)["lead"]
    for code in ("SE-M", "NO-HSO"):
        assert planned.answer(key, code, answer="commit").status_code == 200
    read = planned.coordinator("FO").get(f"/v1/tenders/{key}/answers/FO")
    other = next(code for code in ("SE-M", "NO-HSO") if code != before)
    changed = planned.change(key, lead=other, reason="asked for")
    assert changed.status_code == 200, changed.text
    assert {each["participant"]: each["answer"] for each in changed.json()["members"]}["SE-M"] == "none"
    assert [each["participant"] for each in changed.json()["members"] if each["role"] == "lead"] == [other]
    late = planned.coordinator("FO").put(
        f"/v1/tenders/{key}/answers/FO", json={"answer": "commit"}, headers={"If-Match": read.headers["ETag"]}
    )
    assert code_of(late) == (412, "precondition-failed"), "the terms are others than were read"
    assert planned.change(key, depth="criteria").json()["depth"] == "criteria"
    assert planned.change(key, depth="joint").json()["depth"] == "joint"


def test_members_can_be_given_more_time(planned: Round) -> None:
    key = planned.propose().json()["tenders"][0]
    assert planned.change(key, due=DUE).status_code == 422, "nobody was asked yet"
    assert planned.do(key, "review").status_code == planned.do(key, "invite", due="2026-11-22").status_code == 200
    for code in MEMBERS:
        assert planned.answer(key, code, answer="commit").status_code == 200
    planned.api.clock.now += timedelta(days=2)
    other = next(code for code in ("SE-M", "NO-HSO") if code != planned.tender(key)["lead"])
    assert code_of(planned.change(key, lead=other)) == (409, "wrong-state"), "nobody could answer to that in time"
    assert planned.change(key, lead=other, due="2026-11-30").status_code == 200
    assert planned.answer(key, "SE-M", answer="commit").status_code == 200


def test_a_tender_whose_lead_declines_needs_another(planned: Round) -> None:
    key = planned.invited()
    before = planned.tender(key)["lead"]
    assert planned.answer(key, before, answer="decline", reason="no hands").status_code == 200
    assert planned.tender(key)["holds"] is False
    other = next(code for code in ("SE-M", "NO-HSO") if code != before)
    assert planned.change(key, lead=before).status_code == 200, "nothing changes"
    assert planned.change(key, lead=other).json()["holds"] is True


@pytest.mark.usefixtures("here")
def test_a_run_of_the_cycle_plans_its_lines_beside_what_stands(planned: Round) -> None:
    key = planned.confirmed()
    asked = planned.planner.post(f"/v1/cycles/{CYCLE}/runs", json={"policy": POLICY})
    assert asked.status_code == 202, asked.text
    work_all(planned.api.engine, {runs.SOLVE: PLANNING[runs.SOLVE]}, now=planned.api.clock.now)
    run = planned.planner.get(f"/v1/runs/{asked.json()['id']}").json()
    assert (run["status"], run["cycle"]) == ("succeeded", CYCLE)
    done = planned.propose(run["plan"])
    assert (done.status_code, done.json()["tenders"], done.json()["kept"]) == (201, [], [key])


def test_the_law_is_asked(planned: Round) -> None:
    key = planned.invited()
    found = planned.planner.get(f"/v1/tenders/{key}/consequences").json()
    rules = {each["rule"]: each for each in found["items"]}
    assert rules["associates"]["participants"] == ["FO"]
    assert (rules["term"]["severity"], rules["term"]["figures"]["months"]) == ("note", 36)
    assert planned.coordinator("SE-M").get(f"/v1/tenders/{key}/consequences").status_code == 404
