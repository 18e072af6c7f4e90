"""Operations over HTTP: who sees which, what they say at each stage, cancel."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

from pooling import working
from pooling.database import reading, transaction
from pooling.errors import BadInput
from pooling.jobs import JobContext, Kind, enqueue, find
from tests.pooling.api_client import NOW, Api, api
from tests.pooling.jobs.working import job_of, work_all


def refuse(_: JobContext) -> None:
    raise BadInput("row 3: give 1 or more")


HANDLERS = {"a.make": Kind(lambda _: {"location": "/v1/things/1", "lines": 3}), "a.refuse": Kind(refuse)}


def asked_for(app: Api, actor: UUID | None, kind: str = "a.make", *, minutes: int = 0) -> UUID:
    with transaction(app.engine) as session:
        return enqueue(session, kind, {}, now=NOW + timedelta(minutes=minutes), actor=actor)


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def test_an_operation_is_followed_from_the_queue_to_its_result(database_url: str) -> None:
    with api(database_url) as app:
        planner = app.client("planner")
        path = f"/v1/operations/{asked_for(app, app.account('planner').principal.id)}"
        waiting = planner.get(path)
        assert (waiting.status_code, waiting.json()["status"]) == (200, "queued")
        assert int(waiting.headers["Retry-After"]) > 0
        assert work_all(app.engine, HANDLERS, now=NOW) == 1
        done = planner.get(path)
        shown = done.json()
        assert "Retry-After" not in done.headers
        assert (shown["status"], shown["location"], shown["result"]) == ("succeeded", "/v1/things/1", {"lines": 3})
        assert (shown["attempts"], shown["problem"], shown["cancel_requested"]) == (1, None, False)
        assert planner.get(path, headers={"If-None-Match": done.headers["ETag"]}).status_code == 304


def test_amounts_are_told_to_those_who_see_all_and_to_nobody_who_once_did(database_url: str) -> None:
    told = {"stage": "families", "done": 2, "best_total_eur": 4_711_000.5}
    handlers = {"a.plan": Kind(lambda _: {**told, "location": "/v1/plans/1"})}
    with api(database_url, with_reference=True) as app:
        job = asked_for(app, app.account("coordinator", participants=["SE-M"]).principal.id, "a.plan")
        work_all(app.engine, handlers, now=NOW)
        own = app.client("coordinator", participants=["SE-M"]).get(f"/v1/operations/{job}")
        assert own.json()["result"] == {"stage": "families", "done": 2}
        assert "figures" not in own.json()
        assert "4711000" not in own.text
        assert app.client("planner").get(f"/v1/operations/{job}").json()["figures"] == {"best_total_eur": 4_711_000.5}


def test_a_failed_operation_says_why(database_url: str) -> None:
    with api(database_url) as app:
        job = asked_for(app, app.account("planner").principal.id, "a.refuse")
        work_all(app.engine, HANDLERS, now=NOW)
        shown = app.client("planner").get(f"/v1/operations/{job}").json()
        assert (shown["status"], shown["problem"]) == (
            "failed",
            {"code": "bad-input", "detail": "row 3: give 1 or more"},
        )
        assert shown["location"] is None


def test_everybody_sees_their_own_and_planners_and_auditors_all(database_url: str) -> None:
    with api(database_url, with_reference=True) as app:
        one, other = (app.account("coordinator", participants=[code]).principal.id for code in ("SE-M", "SE-AB"))
        first, second, ours = asked_for(app, one), asked_for(app, other, minutes=1), asked_for(app, None, minutes=2)
        coordinator = app.client("coordinator", participants=["SE-M"])
        assert ids(coordinator.get("/v1/operations")) == [str(first)]
        assert coordinator.get(f"/v1/operations/{first}").status_code == 200
        for job in (second, ours, uuid4()):
            assert coordinator.get(f"/v1/operations/{job}").status_code == 404
        for role in ("planner", "auditor"):
            assert ids(app.client(role).get("/v1/operations")) == [str(ours), str(second), str(first)]
        assert ids(app.client("administrator").get("/v1/operations")) == [str(ours)]
        assert app.nobody().get("/v1/operations").status_code == 401


def test_lists_are_filtered_and_paged(database_url: str) -> None:
    with api(database_url) as app:
        me, planner = app.account("planner").principal.id, app.client("planner")
        jobs = [str(asked_for(app, me, minutes=minutes)) for minutes in range(3)]
        refused = str(asked_for(app, me, "a.refuse", minutes=-1))
        first = planner.get("/v1/operations?kind=a.make&limit=2")
        assert ids(first) == jobs[:0:-1]
        rest = planner.get(f"/v1/operations?kind=a.make&limit=2&cursor={first.json()['next_cursor']}")
        assert (ids(rest), rest.json()["next_cursor"]) == (jobs[:1], None)
        work_all(app.engine, HANDLERS, now=NOW - timedelta(minutes=1))
        assert ids(planner.get("/v1/operations?status=failed")) == [refused]
        assert ids(planner.get("/v1/operations?status=queued")) == jobs[::-1]
        assert planner.get("/v1/operations?status=odd").status_code == 400
        assert planner.get("/v1/operations?stat=failed").status_code == 400


def test_a_waiting_operation_is_cancelled_and_that_is_safe_to_repeat(database_url: str) -> None:
    with api(database_url) as app:
        planner = app.client("planner")
        job = asked_for(app, app.account("planner").principal.id)
        for _ in range(2):
            answer = planner.post(f"/v1/operations/{job}/cancel")
            assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
        assert work_all(app.engine, HANDLERS, now=NOW) == 0
        assert planner.post(f"/v1/operations/{uuid4()}/cancel").status_code == 404


def test_a_cancellation_holds_to_the_version_where_one_is_named(database_url: str) -> None:
    with api(database_url) as app:
        planner = app.client("planner")
        path = f"/v1/operations/{asked_for(app, app.account('planner').principal.id)}"
        seen = planner.get(path).headers["ETag"]
        refused = planner.post(f"{path}/cancel", headers={"If-Match": '"odd.x"'})
        assert (refused.status_code, refused.headers["ETag"]) == (412, seen)
        assert planner.get(path).json()["status"] == "queued"
        done = planner.post(f"{path}/cancel", headers={"If-Match": seen})
        assert (done.status_code, done.json()["status"]) == (200, "cancelled")
        assert done.headers["ETag"] == planner.get(path).headers["ETag"] != seen
        assert planner.post(f"{path}/cancel", headers={"If-Match": seen}).status_code == 412
        assert planner.post(f"{path}/cancel", headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize(("role", "status"), [("planner", 200), ("auditor", 403), ("administrator", 404)])
def test_who_may_cancel_what_somebody_else_asked_for(database_url: str, role: str, status: int) -> None:
    with api(database_url, with_reference=True) as app:
        job = asked_for(app, app.account("coordinator", participants=["SE-M"]).principal.id)
        other = app.client("coordinator", participants=["SE-AB"])
        assert other.post(f"/v1/operations/{job}/cancel").status_code == 404
        assert app.client(role).post(f"/v1/operations/{job}/cancel").status_code == status
        assert job_of(app.engine, job).status == ("cancelled" if status == 200 else "queued")


def test_housekeeping_drops_what_is_old(engine: Engine) -> None:
    with transaction(engine) as session:
        asked = enqueue(session, "a.make", {}, now=NOW, actor=uuid4())
        own = enqueue(session, "a.make", {}, now=NOW, actor=None)
        dead = enqueue(session, "a.refuse", {}, now=NOW, actor=None)
    work_all(engine, HANDLERS, now=NOW)
    left = []
    for days in (1, 2, 30, 31, 90, 91):
        later = NOW + timedelta(days=days)
        with transaction(engine) as session:
            enqueue(session, "jobs.drop-old", {}, now=later, actor=None)
        work_all(engine, working.HANDLERS, now=later)
        left.append([name for name, job in (("asked", asked), ("own", own), ("dead", dead)) if _there(engine, job)])
    assert left == [["asked", "own", "dead"], *[["asked", "dead"]] * 2, *[["dead"]] * 2, []]


def _there(engine: Engine, job: UUID) -> bool:
    with reading(engine) as session:
        return find(session, job) is not None
