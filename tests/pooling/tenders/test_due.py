"""The last day for answers is no later than the notice that names the buyers."""

from datetime import date, timedelta

import httpx

from tests.pooling.tenders.conftest import MEMBERS, Round


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
