"""The last day for answers is no later than the notice that names the buyers."""

from datetime import date, timedelta

import httpx
import pytest

from tests.pooling.tenders.conftest import MEMBERS, Round
from tests.pooling.tenders.test_life import do, notices


def refused_for_due(answer: httpx.Response, late: str, last: str) -> None:
    assert answer.status_code == 422, answer.text
    (fault,) = answer.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("#/due", "out-of-range")
    assert late in fault["detail"]
    assert last in fault["detail"]
    assert "give that day or an earlier one" in fault["detail"]


def test_members_answer_until_the_day_of_the_notice_and_no_later(planned: Round) -> None:
    key = planned.propose().json()["tenders"][0]
    last = planned.tender(key)["notice_by"]
    late = (date.fromisoformat(last) + timedelta(days=1)).isoformat()
    assert planned.do(key, "review", reason="r").status_code == 200
    refused_for_due(planned.do(key, "invite", due=late, reason="r"), late, last)
    assert planned.tender(key)["status"] == "under-review"
    assert planned.do(key, "invite", due="2026-12-15", reason="r").status_code == 200
    refused_for_due(planned.change(key, due=late), late, last)
    assert planned.tender(key)["answers_due"] == "2026-12-15"
    assert planned.change(key, due=last).json()["answers_due"] == last
    planned.api.clock.now = planned.api.clock.now.replace(year=2027, month=5, day=14, hour=20)
    for code in MEMBERS:
        assert planned.answer(key, code, answer="commit").status_code == 200
    done = planned.do(key, "confirm", reason="all agree")
    assert done.status_code == 200, "on the day of the notice itself"


def test_once_the_notice_has_gone_by_nobody_is_invited(planned: Round) -> None:
    key = planned.propose().json()["tenders"][0]
    assert planned.do(key, "review", reason="r").status_code == 200
    planned.api.clock.now = planned.api.clock.now.replace(year=2027, month=5, day=15)
    refused = planned.do(key, "invite", due="2027-05-20", reason="r")
    refused_for_due(refused, "2027-05-20", "2027-05-14")
    assert "reject the tender and plan a later start" in refused.text


@pytest.mark.parametrize("reviewed", [False, True])
def test_what_nobody_was_invited_to_expires_once_its_notice_has_gone_by(planned: Round, *, reviewed: bool) -> None:
    key = planned.propose().json()["tenders"][0]
    if reviewed:
        assert planned.do(key, "review", reason="r").status_code == 200
    before = planned.tender(key)
    planned.api.clock.now = planned.api.clock.now.replace(year=2027, month=5, day=14, hour=21, minute=59)
    do(planned, "tenders.expire")
    assert planned.tender(key) == before, "it is still the day of the notice in Copenhagen"
    planned.api.clock.now += timedelta(minutes=1)
    do(planned, "tenders.expire")
    do(planned, "tenders.expire")
    assert planned.tender(key)["status"] == "expired"
    history = planned.planner.get(f"/v1/tenders/{key}/history").json()["items"]
    (ended,) = [each for each in history if each["what"] == "expired"]
    assert ended["reason"] == "the notice was to go out by 2027-05-14, and nobody had been invited"
    assert [audience for audience, _ in notices(planned, "tender-decided")] == ["planners"], "no member was asked"
