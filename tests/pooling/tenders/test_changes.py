"""A change that a member proposes: what can be proposed, how it is judged, and the planner's step that asks again."""

from datetime import timedelta
from typing import Any

import pytest

from pooling.database import reading
from pooling.planning import service as planning
from tests.pooling.planning.conftest import here
from tests.pooling.tenders.conftest import CYCLE, MEMBERS, Round
from tests.pooling.tenders.test_life import code_of, do, notices

__all__ = ["here"]
OTHER = "2028-06"
"""A start in the horizon that is not the tender's."""


def proposes(planned: Round, key: str, code: str = "SE-M", **change: Any) -> Any:
    return planned.answer(key, code, answer="change", change=change)


def member(planned: Round, key: str, code: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in planned.tender(key)["members"] if each["participant"] == code)
    return found


def asks_again(planned: Round, key: str, code: str, **body: Any) -> Any:
    path = f"/v1/tenders/{key}/answers/{code}"
    etag = planned.planner.get(path).headers["ETag"]
    return planned.planner.post(f"{path}/ask-again", json=body, headers={"If-Match": etag})


def volume(lot: int, low: int, quantity: int, high: int) -> dict[str, int]:
    return {"lot": lot, "quantity_low": low, "quantity": quantity, "quantity_high": high}


def standing(planned: Round, key: str) -> dict[str, Any]:
    found: dict[str, Any] = planned.planner.get(f"/v1/tenders/{key}/standing").json()["expected"]
    return found


def horizon(planned: Round) -> tuple[str, str]:
    """The first month of the plan's horizon, and the first after it."""
    with reading(planned.api.engine) as session:
        policy = planning.stored_plan(session, planned.plan).frozen.policy
    first, months = policy["horizon_start"], policy["horizon_months"]
    ahead = int(first[:4]) * 12 + int(first[5:]) - 1 + months
    return first, f"{ahead // 12:04d}-{ahead % 12 + 1:02d}"


@pytest.mark.parametrize("start", ["1999-01", "2199-01", "9999-12", "before", "after"])
def test_a_start_that_cannot_be_planned_is_refused(planned: Round, start: str) -> None:
    key = planned.invited()
    first, after = horizon(planned)
    before = f"{int(first[:4]) - 1}{first[4:]}"
    refused = proposes(planned, key, start={"before": before, "after": after}.get(start, start))
    assert refused.status_code == 422, refused.text
    assert [(each["pointer"], each["code"]) for each in refused.json()["errors"]] == [
        ("#/change/start", "out-of-range")
    ]
    assert first in refused.json()["errors"][0]["detail"]
    assert member(planned, key, "SE-M")["answer"] == "none"


def test_the_first_and_the_last_month_of_the_horizon_can_be_proposed(planned: Round) -> None:
    key = planned.invited()
    first, after = horizon(planned)
    last = f"{int(after[:4]) - (after[5:] == '01')}-{(int(after[5:]) - 2) % 12 + 1:02d}"
    for start in (first, last):
        assert proposes(planned, key, start=start).status_code == 200


def test_a_start_whose_notice_is_due_before_today_is_refused(planned: Round) -> None:
    first, _ = horizon(planned)
    key = planned.invited(due="2027-05-01")
    assert proposes(planned, key, start=first).status_code == 200
    planned.api.clock.now += timedelta(days=150)
    refused = proposes(planned, key, start=first)
    assert refused.json()["errors"][0]["pointer"] == "#/change/start", refused.text
    assert proposes(planned, key, start=OTHER).status_code == 200


def test_every_fault_of_a_change_is_named_at_its_place(planned: Round) -> None:
    key = planned.invited()
    lot = member(planned, key, "SE-M")["volumes"][0]["lot"]

    def faults(**change: Any) -> list[tuple[str, str]]:
        refused = proposes(planned, key, **change)
        assert refused.status_code == 422, refused.text
        return [(each["pointer"], each["code"]) for each in refused.json()["errors"]]

    foreign = [volume(lot, 1, 2, 3), volume(lot + 9, 1, 2, 3)]
    assert faults(criterion="no-such-criterion", start="1999-01", volumes=foreign) == [
        ("#/change/start", "out-of-range"),
        ("#/change/criterion", "not-found"),
        ("#/change/volumes/1/lot", "not-found"),
    ]
    assert faults(volumes=[volume(lot, 5, 2, 3)]) == [("#/change/volumes/0", "out-of-range")]
    assert faults(volumes=[volume(lot, 5, 6, 3)]) == [("#/change/volumes/0", "out-of-range")]
    assert faults(volumes=[volume(lot, 1, 2, 3)] * 2) == [("#/change/volumes", "invalid")]
    assert faults(volumes=[volume(lot, 0, 0, 0)]) == [("#/change/volumes", "out-of-range")]
    assert faults(volumes=[]) == [("#/change", "missing")]
    assert member(planned, key, "SE-M")["version"] == 1, "nothing was taken"
    assert proposes(planned, key, criterion="uhm-basic", volumes=[volume(lot, 1, 2, 3)]).status_code == 200


def test_a_proposed_volume_is_judged_as_proposed(planned: Round) -> None:
    key = planned.invited()
    before = standing(planned, key)
    assert before["holds"]
    said = member(planned, key, "SE-M")["volumes"][0]
    lot, own = said["lot"], said["quantity_per_year"]
    assert proposes(planned, key, volumes=[volume(lot, 100, 100, 100)]).status_code == 200
    after = standing(planned, key)
    assert after["lots"][0]["quantity"] == before["lots"][0]["quantity"] - own + 100
    assert [each["quantity"] for each in after["members"] if each["participant"] == "SE-M"] == [100]
    assert proposes(planned, key, volumes=[volume(lot, own, own, own)]).status_code == 200
    assert standing(planned, key)["holds"], "as much as its lines, and surer"


def test_a_proposed_start_or_criterion_is_why_it_does_not_hold_as_it_is(planned: Round) -> None:
    key = planned.invited()
    start = planned.tender(key)["start"]
    assert proposes(planned, key, start=start, criterion="uhm-basic").status_code == 200
    assert standing(planned, key)["holds"], "it starts then, on an offer that meets it"
    assert proposes(planned, key, start=OTHER, criterion="uhm-advanced").status_code == 200
    offered = planned.tender(key)["lots"][0]["criteria"]
    found = standing(planned, key)
    assert not found["holds"]
    words = [(each["code"], each["participant"]) for each in found["faults"]]
    assert words == [("change-proposed", "SE-M")] * (1 if "uhm-advanced" in offered else 2)
    assert OTHER in found["faults"][0]["words"]
    assert not planned.tender(key)["holds"]
    assert ("planners", f"tender-at-risk:{key}:{planned.tender(key)['version']}") in notices(planned, "tender-at-risk")
    assert planned.answer(key, "SE-M", answer="commit").status_code == 200
    assert standing(planned, key)["holds"]


def test_a_change_that_is_not_made_is_turned_down_by_asking_again(planned: Round) -> None:
    key = planned.invited()
    for code in set(MEMBERS) - {"SE-M"}:
        assert planned.answer(key, code, answer="commit").status_code == 200
    assert proposes(planned, key, start=OTHER).status_code == 200
    assert code_of(planned.do(key, "confirm")) == (409, "wrong-state")
    before, version = member(planned, key, "SE-M"), planned.tender(key)["version"]
    done = asks_again(planned, key, "SE-M", reason="the others cannot wait")
    assert done.status_code == 200, done.text
    assert (done.json()["answer"], done.json()["version"]) == ("none", before["version"] + 1)
    assert (planned.tender(key)["version"], planned.tender(key)["holds"]) == (version + 1, True)
    assert [audience for audience, _ in notices(planned, "asked-again")] == ["participant:SE-M"]
    told = planned.coordinator("SE-M").get("/v1/notices").json()["items"]
    (again,) = (each for each in told if each["kind"] == "asked-again")
    assert (again["due"], again["look_at"]) == (planned.tender(key)["answers_due"], f"/v1/tenders/{key}/invitation")
    event = planned.planner.get(f"/v1/tenders/{key}/history").json()["items"][-1]
    assert (event["what"], event["participant"], event["reason"]) == ("asked-again", "SE-M", "the others cannot wait")
    assert event["details"] == {"answer": "change-proposed"}
    audited = planned.api.client("auditor").get("/v1/audit?limit=500").json()["items"]
    assert [each["resource_id"] for each in audited if each["operation"] == "answers.ask-again"] == [key]
    assert planned.answer(key, "SE-M", answer="commit").status_code == 200
    assert planned.do(key, "confirm").status_code == 200


def test_asking_again_sets_a_commitment_aside_and_can_give_more_time(planned: Round) -> None:
    key = planned.invited(due="2026-11-22")
    assert proposes(planned, key, code="FO", start=OTHER).status_code == 200
    for code in set(MEMBERS) - {"FO"}:
        assert planned.answer(key, code, answer="commit").status_code == 200
    planned.api.clock.now += timedelta(days=2)
    late = asks_again(planned, key, "SE-M", reason="a mistake")
    assert code_of(late) == (409, "wrong-state"), "nobody could answer to that in time"
    assert asks_again(planned, key, "SE-M", reason="a mistake", due="2026-11-01").status_code == 422
    assert asks_again(planned, key, "SE-M", reason="a mistake", due="2026-12-15").json()["answer"] == "none"
    assert planned.tender(key)["answers_due"] == "2026-12-15"
    version = planned.tender(key)["version"]
    assert ("participant:FO", f"invited:{key}:{version}") in notices(planned, "invited"), "it has more time too"
    assert ("participant:NO-HSO", f"invited:{key}:{version}") not in notices(planned, "invited")
    assert planned.answer(key, "SE-M", answer="commit").status_code == 200


def test_who_may_ask_whom_again(planned: Round) -> None:
    key = planned.invited()
    assert code_of(asks_again(planned, key, "SE-M", reason="x")) == (409, "wrong-state"), "it has not answered"
    assert planned.answer(key, "FO", answer="decline", reason="no").status_code == 200
    assert code_of(asks_again(planned, key, "FO", reason="x")) == (409, "wrong-state"), "a refusal stands"
    assert planned.answer(key, "SE-M", answer="commit").status_code == 200
    assert asks_again(planned, key, "SE-M").status_code == 400, "the reason is missing"
    path = f"/v1/tenders/{key}/answers/SE-M"
    body, etag = {"reason": "x"}, planned.planner.get(path).headers["ETag"]
    assert planned.planner.post(f"{path}/ask-again", json=body).status_code == 428
    own = planned.coordinator("SE-M").post(f"{path}/ask-again", json=body, headers={"If-Match": etag})
    assert own.status_code == 403
    assert planned.answer(key, "SE-M", answer="commit", conditions="in boxes").status_code == 200
    stale = planned.planner.post(f"{path}/ask-again", json=body, headers={"If-Match": etag})
    assert code_of(stale) == (412, "precondition-failed"), "it has answered otherwise meanwhile"
    assert member(planned, key, "SE-M")["answer"] == "committed"
    missing = planned.planner.post(f"/v1/tenders/{key}/answers/IS/ask-again", json=body, headers={"If-Match": "*"})
    assert missing.status_code == 404


def test_a_tender_with_an_open_change_is_reminded_and_expires(planned: Round) -> None:
    key = planned.invited(due="2026-11-24")
    for code in set(MEMBERS) - {"SE-M"}:
        assert planned.answer(key, code, answer="commit").status_code == 200
    assert proposes(planned, key, start=OTHER).status_code == 200
    do(planned, "tenders.remind")
    assert [audience for audience, _ in notices(planned, "answer-due-soon")] == ["participant:SE-M"]
    assert planned.change(key, due="2026-11-25").status_code == 200
    version = planned.tender(key)["version"]
    assert [each for each in notices(planned, "invited") if each[1].endswith(f":{version}")] == [
        ("participant:SE-M", f"invited:{key}:{version}")
    ]
    planned.api.clock.now += timedelta(days=5)
    do(planned, "tenders.expire")
    assert planned.tender(key)["status"] == "expired"
    etag = planned.planner.get(f"/v1/cycles/{CYCLE}").headers["ETag"]
    decided = planned.planner.post(f"/v1/cycles/{CYCLE}/decide", headers={"If-Match": etag})
    assert decided.json()["status"] == "decided", decided.text
