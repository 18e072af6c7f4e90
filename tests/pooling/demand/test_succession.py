"""Lines go to the successor on its day, with the history of it; what is over by then stays where it was."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text

from pooling.database import reading
from pooling.demand import service, succession
from pooling.invariants.commands import CHECKS
from pooling.working import HANDLERS
from tests.pooling.api_client import Api
from tests.pooling.cycles.worlds import opened, step
from tests.pooling.demand.api_world import app, forecast
from tests.pooling.jobs.working import enqueued, work_all

__all__ = ["app"]
DAY = datetime(2027, 1, 1, tzinfo=UTC)
"""DK-OST takes over from DK-84 and DK-85, as packaged."""
WINDOWS = {
    "over": ("2026-11", "2026-12"),
    "across": ("2026-12", "2027-01"),
    "later": ("2027-01", "2027-06"),
}


def send(app: Api, **more: Any) -> None:
    lines = [
        forecast(participant="DK-84", external_id=key, earliest_start=first, latest_start=last, **more)
        for key, (first, last) in WINDOWS.items()
    ]
    done = app.client("planner").post("/v1/forecasts", json={"source": "erp", "lines": lines})
    assert done.status_code == 200, done.text


def held(app: Api) -> dict[str, str]:
    items = app.client("planner").get("/v1/forecasts").json()["items"]
    return {each["external_id"]: each["participant"] for each in items}


def succeed(app: Api, at: datetime) -> None:
    app.clock.now = at
    enqueued(app.engine, "demand.succeed", now=at)
    work_all(app.engine, {"demand.succeed": HANDLERS["demand.succeed"]}, now=at)


def test_lines_whose_window_reaches_beyond_its_last_day_are_the_successors_from_that_day_on(app: Api) -> None:
    send(app)
    before = {"over": "DK-84", "across": "DK-84", "later": "DK-OST"}
    assert held(app) == before
    succeed(app, datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert held(app) == before
    etags = {key: app.client("planner").get(f"/v1/forecasts/erp/{key}").headers["ETag"] for key in WINDOWS}
    succeed(app, DAY)
    assert held(app) == {**before, "across": "DK-OST"}
    succeed(app, DAY)  # once more changes nothing
    client = app.client("coordinator", participants=["DK-OST"])
    shown = client.get("/v1/forecasts/erp/across").json()
    line = shown["line"]
    assert (shown["version"], shown["sent_as"], line["participant"], line["live"]) == (2, "DK-84", "DK-OST", True)
    (change,) = line["provenance"]["successions"]
    assert change == {"ended": "DK-84", "successor": "DK-OST", "at": "2027-01-01T00:00:00Z"}
    again = {key: app.client("planner").get(f"/v1/forecasts/erp/{key}").headers["ETag"] for key in WINDOWS}
    assert [key for key in WINDOWS if etags[key] != again[key]] == ["across"]
    entries = app.client("auditor").get("/v1/audit").json()["items"]
    (entry,) = [each for each in entries if each["operation"] == "lines.succeed"]
    assert (entry["details"], entry["participants"]) == ({"successor": "DK-OST", "lines": 1}, ["DK-84", "DK-OST"])
    with reading(app.engine) as session:
        assert succession.due(session, DAY.date()) == []
        told = {fault for holds in CHECKS.values() for fault in holds(session)}
    assert told == set()


def test_the_lines_frozen_for_a_cycle_that_is_not_decided_change_hands_too(app: Api) -> None:
    opened(app)
    send(app)
    step(app.client("planner"), "autumn", "close")
    with reading(app.engine) as session:
        before = service.lines_of_cycle(session, "autumn")
    send(app, quantity=7)  # the frozen ones count no longer
    succeed(app, DAY)
    with reading(app.engine) as session:
        assert service.lines_of_cycle(session, "autumn") == before
        frozen = service.lines_of(session, before)
    assert sorted(frozen["participant"]) == ["DK-84", "DK-OST", "DK-OST"]


@pytest.mark.parametrize(("valid_to", "moves"), [(date(2027, 1, 1), True), (date(2027, 1, 2), False)])
def test_a_window_that_ends_in_the_month_of_the_last_day_moves_only_from_its_first_day(
    app: Api, valid_to: date, moves: bool
) -> None:
    send(app)
    with app.engine.begin() as connection:
        connection.execute(text("UPDATE participant SET valid_to = :day WHERE code = 'DK-84'"), {"day": valid_to})
    succeed(app, datetime(2027, 1, 3, tzinfo=UTC))
    assert held(app)["across"] == ("DK-OST" if moves else "DK-84")
