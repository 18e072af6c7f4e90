"""Every transition has a who, a when and a why, and members are told them."""

from datetime import timedelta
from typing import Any

import pytest

from pooling.tenders.jobs import HANDLERS
from tests.pooling.jobs.working import enqueued, work_all
from tests.pooling.tenders.conftest import MEMBERS, Round

STEPS = {"review": {}, "invite": {"due": "2026-12-15"}, "confirm": {}, "hand-over": {}, "reject": {}}


def history(planned: Round, key: str, code: str | None = None) -> dict[str, dict[str, Any]]:
    client = planned.planner if code is None else planned.coordinator(code)
    found = client.get(f"/v1/tenders/{key}/history").json()["items"]
    return {each["what"]: each for each in found}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("reason", [None, "", " ", "\u200b\u2060", "..._", "x" * 2001])
def test_no_step_goes_without_a_reason(planned: Round, step: str, reason: str | None) -> None:
    key = planned.propose().json()["tenders"][0]
    body = STEPS[step] | ({} if reason is None else {"reason": reason})
    etag = planned.planner.get(f"/v1/tenders/{key}").headers["ETag"]
    refused = planned.planner.post(f"/v1/tenders/{key}/{step}", json=body, headers={"If-Match": etag})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad-request")
    assert "reason" in refused.text
    assert planned.tender(key)["status"] == "proposed"


def test_members_are_told_who_decided_and_why(planned: Round) -> None:
    key = planned.propose().json()["tenders"][0]
    assert planned.do(key, "review", reason="SE-M is large").status_code == 200
    assert planned.do(key, "invite", due="2026-12-15", reason="it looks good").status_code == 200
    for code in MEMBERS:
        assert planned.answer(key, code, answer="commit").status_code == 200
    assert planned.change(key, note="call them", reason="they asked").status_code == 200
    assert planned.do(key, "confirm", reason="all agree").status_code == 200
    assert planned.do(key, "hand-over", reason="it is signed").status_code == 200
    mine = history(planned, key, "NO-HSO")
    assert {what: (each["by_role"], each["reason"]) for what, each in mine.items()} == {
        "proposed": ("planner", None),
        "under-review": ("planner", None),
        "invited": ("planner", "it looks good"),
        "answered": ("member", None),
        "changed": ("planner", None),
        "confirmed": ("planner", "all agree"),
        "handed-over": ("planner", "it is signed"),
    }
    assert all("by" not in each for each in mine.values()), "a planner's role, not who it was"
    whole = history(planned, key)
    assert (whole["under-review"]["reason"], whole["changed"]["reason"]) == ("SE-M is large", "they asked")
    assert whole["confirmed"]["by"] is not None


def test_members_are_told_why_a_tender_came_to_nothing(planned: Round) -> None:
    first = planned.propose().json()["tenders"][0]
    second = planned.propose().json()["tenders"][0]
    replaced = history(planned, first, "SE-M")["replaced"]
    assert (replaced["by_role"], replaced["reason"]) == ("planner", "another plan was made the proposal of the cycle")
    assert planned.do(second, "reject", reason="no market").status_code == 200
    rejected = history(planned, second, "SE-M")["rejected"]
    assert (rejected["by_role"], rejected["reason"]) == ("planner", "no market")
    third = planned.invited(due="2026-11-22")
    planned.api.clock.now += timedelta(days=2)
    enqueued(planned.api.engine, "tenders.expire", now=planned.api.clock.now)
    work_all(planned.api.engine, {"tenders.expire": HANDLERS["tenders.expire"]}, now=planned.api.clock.now)
    expired = history(planned, third, "SE-M")["expired"]
    assert (expired["by_role"], "2026-11-22" in expired["reason"]) == ("service", True)


def test_an_answers_reason_is_read_by_its_member_and_planners(planned: Round) -> None:
    key = planned.invited()
    assert planned.answer(key, "SE-M", answer="decline", reason="own contract").status_code == 200
    assert history(planned, key, "SE-M")["answered"]["reason"] == "own contract"
    assert "answered" not in history(planned, key, "NO-HSO")
    assert history(planned, key)["answered"]["reason"] == "own contract"
