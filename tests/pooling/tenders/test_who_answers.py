"""What a member commits to is for itself to say; a planner declines in its place at most."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from pooling.access.rules import EVERYONE
from pooling.database import reading, transaction
from pooling.tenders import answering
from pooling.tenders.answering import Said
from pooling.tenders.rules import Answer
from tests.pooling.tenders.conftest import Round


def by_planner(planned: Round, key: str, code: str, **body: Any) -> httpx.Response:
    path = f"/v1/tenders/{key}/answers/{code}"
    etag = planned.planner.get(path).headers["ETag"]
    return planned.planner.put(path, json=body, headers={"If-Match": etag})


@pytest.mark.parametrize("body", [{"answer": "commit"}, {"answer": "change", "change": {"start": "2028-01"}}])
def test_a_planner_neither_commits_nor_proposes_for_a_member(planned: Round, body: dict[str, Any]) -> None:
    key = planned.invited()
    refused = by_planner(planned, key, "SE-M", **body)
    assert (refused.status_code, refused.json()["code"]) == (403, "members-own")
    assert "decline in its place" in refused.json()["detail"]
    mine = planned.coordinator("SE-M").get(f"/v1/tenders/{key}/answers/SE-M").json()
    assert (mine["answer"], mine["given_by"]) == ("none", None)


def test_a_planner_declines_with_a_reason_and_the_member_is_told(planned: Round) -> None:
    key = planned.invited()
    assert by_planner(planned, key, "SE-M", answer="decline").status_code == 422, "without a reason"
    done = by_planner(planned, key, "SE-M", answer="decline", reason="they said so by telephone")
    assert done.status_code == 200, done.text
    client = planned.coordinator("SE-M")
    mine = client.get(f"/v1/tenders/{key}/answers/SE-M").json()
    assert (mine["answer"], mine["given_by"], mine["reason"]) == ("declined", "planner", "they said so by telephone")
    history = client.get(f"/v1/tenders/{key}/history").json()["items"]
    assert [each["by_role"] for each in history if each["what"] == "answered"] == ["planner"]
    with reading(planned.api.engine) as session:
        told = session.connection().execute(text("SELECT audience FROM notice WHERE kind = 'answered-for'")).all()
    assert [row[0] for row in told] == ["participant:SE-M"]
    shown = client.get("/v1/notices").json()["items"]
    assert "A planner declined for SE-M: gloves" in {each["title"] for each in shown}


def test_the_member_can_answer_otherwise_and_then_it_is_its_own_answer(planned: Round) -> None:
    key = planned.invited()
    assert by_planner(planned, key, "SE-M", answer="decline", reason="x").status_code == 200
    assert planned.answer(key, "SE-M", answer="commit").json()["given_by"] == "member"
    assert planned.answer(key, "SE-M", answer="decline", reason="own contract").json()["given_by"] == "member"


@pytest.mark.parametrize(("code", "may"), [("SE-M", True), ("NO-HSO", False)])
def test_who_plans_and_acts_for_a_member_answers_for_that_one(planned: Round, code: str, *, may: bool) -> None:
    key = UUID(planned.invited())
    said = Said(Answer.COMMITTED, {})

    def answer() -> None:
        with transaction(planned.api.engine) as session:
            answering.answer(
                session,
                key,
                code,
                said,
                sees=EVERYONE,
                own={"SE-M"},
                now=planned.api.clock.now,
                by=uuid4(),
                expect=lambda _: None,
            )

    if may:
        answer()
    else:
        with pytest.raises(answering.MembersOwn):
            answer()
