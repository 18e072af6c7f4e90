"""Cycles over HTTP: announced, opened, closed, reopened; by hand and by the clock."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from pooling.cycles import service as cycles
from pooling.database import reading
from pooling.demand import service
from pooling.working import HANDLERS
from tests.pooling.api_client import Api, api
from tests.pooling.cycles.worlds import ENDS, PATH, announced, body, opened, step
from tests.pooling.demand.api_world import forecast
from tests.pooling.jobs.working import enqueued, work_all

DUE = {"cycles.open-due": HANDLERS["cycles.open-due"], "demand.close-cycles": HANDLERS["demand.close-cycles"]}


@pytest.fixture
def app(database_url: str) -> Iterator[Api]:
    with api(database_url, with_reference=True) as running:
        yield running


def clock(app: Api) -> None:
    """What the clock does now."""
    for kind in DUE:
        enqueued(app.engine, kind, now=app.clock.now)
    work_all(app.engine, DUE, now=app.clock.now)


def status(app: Api, code: str = "autumn") -> str:
    return str(app.client("coordinator", participants=["SE-M"]).get(f"/v1/cycles/{code}").json()["status"])


def test_a_cycle_is_announced_changed_opened_closed_and_reopened(app: Api) -> None:
    client = app.client("planner")
    made = announced(app)
    assert (made.headers["Location"], made.json()["status"], made.json()["version"]) == (PATH, "announced", 1)
    assert made.json()["closes_at"] == "2026-11-30T23:00:00Z"
    assert client.put(PATH, json=body(name="Other")).status_code == 428
    etag = {"If-Match": made.headers["ETag"]}
    done = client.put(PATH, json=body(name="Other", depth="framework"), headers=etag)
    assert (done.status_code, done.json()["version"], done.json()["depth"]) == (200, 2, "framework")
    assert client.post(f"{PATH}/open").status_code == 428
    assert client.post(f"{PATH}/open", headers=etag).status_code == 412
    assert step(client, "autumn", "close").json()["code"] == "wrong-state"
    assert step(client, "autumn", "open").json()["status"] == "open"
    assert step(client, "autumn", "open").status_code == 409
    closed = step(client, "autumn", "close")
    assert (closed.status_code, closed.json()["status"], closed.json()["closed_at"]) == (
        200,
        "closed",
        "2026-11-22T12:00:00Z",
    )
    again = {"reason": "one region was late", "closes_on": "2026-11-29"}
    assert step(client, "autumn", "reopen", json={"reason": "", "closes_on": "2026-11-29"}).status_code == 400
    back = step(client, "autumn", "reopen", json=again)
    assert (back.status_code, back.json()["status"]) == (200, "open"), back.text
    assert (back.json()["closes_on"], back.json()["closed_at"]) == ("2026-11-29", None)
    assert back.json()["reopened_because"] == "one region was late"
    assert [each["code"] for each in client.get("/v1/cycles?status=open").json()["items"]] == ["autumn"]
    told = app.client("auditor").get("/v1/audit").json()["items"]
    reasons = [entry["details"].get("reason") for entry in told if entry["operation"] == "cycles.reopen"]
    assert reasons == ["one region was late"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"time_zone": "Mars/Olympus"}, "#/time_zone"),
        ({"closes_on": "2026-10-31"}, "#/closes_on"),
        ({"policy_name": "none-such"}, "#/policy_name"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(app: Api, changes: dict[str, Any], pointer: str) -> None:
    refused = app.client("planner").put(PATH, json=body(**changes))
    assert refused.status_code == 422
    assert [each["pointer"] for each in refused.json()["errors"]] == [pointer]


def test_a_policy_that_is_kept_can_be_named(app: Api) -> None:
    client = app.client("planner")
    assert client.put("/v1/policies/green", json={}).status_code == 201
    assert announced(app, policy_name="green").json()["policy_name"] == "green"


def test_two_cycles_never_take_demand_on_the_same_day(app: Api) -> None:
    announced(app)
    client = app.client("planner")
    later = {"plan_by": "2027-02-01", "decide_by": "2027-03-01"}
    touching = body(opens_on="2026-11-30", closes_on="2026-12-31", **later)
    assert client.put("/v1/cycles/winter", json=touching).status_code == 422
    assert client.put("/v1/cycles/winter", json={**touching, "opens_on": "2026-12-01"}).status_code == 201
    early = step(client, "winter", "open")
    assert (early.status_code, early.json()["code"]) == (409, "wrong-state")  # autumn would take demand meanwhile
    step(client, "autumn", "open")
    step(client, "autumn", "close")
    early = step(client, "winter", "open")
    assert (early.status_code, early.json()["opens_on"]) == (200, "2026-11-22")
    refused = step(client, "autumn", "reopen", json={"reason": "more", "closes_on": "2026-11-23"})
    assert (refused.status_code, "'winter' is open" in refused.json()["detail"]) == (409, True)
    step(client, "winter", "close")
    assert step(client, "autumn", "reopen", json={"reason": "more", "closes_on": "2026-11-23"}).status_code == 200


def test_the_clock_opens_and_closes_at_the_borders_of_its_days(app: Api) -> None:
    app.clock.now = datetime(2026, 10, 31, 22, 59, 59, tzinfo=UTC)
    announced(app)
    clock(app)
    assert status(app) == "announced"
    app.clock.now = datetime(2026, 10, 31, 23, tzinfo=UTC)
    clock(app)
    assert status(app) == "open"
    app.clock.now = ENDS - timedelta(seconds=1)
    clock(app)
    assert status(app) == "open"
    app.clock.now = ENDS + timedelta(minutes=7)  # nobody looked at the clock for a while
    clock(app)
    clock(app)
    shown = app.client("planner").get(PATH).json()
    assert (shown["status"], shown["closed_at"], shown["version"]) == ("closed", "2026-11-30T23:00:00Z", 3)


def test_what_has_gone_by_cannot_be_changed(app: Api) -> None:
    opened(app)
    client = app.client("planner")
    etag = {"If-Match": client.get(PATH).headers["ETag"]}
    refused = client.put(PATH, json=body(opens_on="2026-11-02"), headers=etag)
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong-state")
    assert client.put(PATH, json=body(closes_on="2026-11-21"), headers=etag).status_code == 422
    assert client.put(PATH, json=body(closes_on="2026-11-22"), headers=etag).status_code == 200
    step(client, "autumn", "close")
    etag = {"If-Match": client.get(PATH).headers["ETag"]}
    changed = body(closes_on="2026-11-22", decide_by="2027-03-01")
    assert client.put(PATH, json={**changed, "closes_on": "2026-11-23"}, headers=etag).status_code == 409
    assert client.put(PATH, json=changed, headers=etag).json()["decide_by"] == "2027-03-01"


def test_participants_are_told_that_it_opens_and_that_it_closed(app: Api) -> None:
    opened(app)
    step(app.client("planner"), "autumn", "close")
    wanted = text("SELECT kind FROM notice WHERE audience = 'participant:SE-M' ORDER BY kind")
    with reading(app.engine) as session:
        kinds = list(session.connection().execute(wanted).scalars())
    assert kinds == ["cycle-closed", "cycle-opens"]


def test_demand_after_the_last_day_is_not_in_it_even_where_nobody_looked_at_the_clock(app: Api) -> None:
    opened(app)
    client = app.client("coordinator", participants=["SE-M"])
    app.clock.now = ENDS - timedelta(seconds=1)
    assert client.put("/v1/forecasts/erp/a", json=forecast(quantity=1)).status_code == 201
    first = client.get("/v1/lines").json()["items"]
    app.clock.now = ENDS
    etag = {"If-Match": client.get("/v1/forecasts/erp/a").headers["ETag"]}
    assert client.put("/v1/forecasts/erp/a", json=forecast(quantity=2), headers=etag).status_code == 200
    assert status(app) == "closed"
    with reading(app.engine) as session:
        assert service.lines_of_cycle(session, "autumn") == [each["id"] for each in first]
        assert service.lines_of(session, [first[0]["id"]])["quantity"].to_list() == [1]
        assert service.live_lines(session)["quantity"].to_list() == [2]


def test_one_that_was_closed_before_its_last_day_comes_before_what_opened_then(app: Api) -> None:
    """What was declined in it is declined, and its lines are what coverage compares with."""
    opened(app)
    assert step(app.client("planner"), "autumn", "close").status_code == 200
    app.clock.now += timedelta(days=1)
    day = app.clock.now.date().isoformat()
    opened(app, "short", opens_on=day, closes_on=day)
    assert day < body()["closes_on"]
    shown = app.client("planner").get("/v1/cycles/short/coverage").json()
    assert shown["base_cycle"] == "autumn"
    with reading(app.engine) as session:
        assert cycles.up_to(session, "short") == ["autumn", "short"]
        assert cycles.up_to(session, "autumn") == ["autumn"]
        assert cycles.earlier(session, "autumn") is None
