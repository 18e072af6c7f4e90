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
from tests.pooling.demand.api_world import app, confirmed, csv, forecast, looked_at
from tests.pooling.jobs.working import enqueued, work_all

__all__ = ["app"]
OLD = {"Participant": "DK-84", "Currency": "DKK"}
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


def quantities(app: Api) -> list[tuple[str, str, int]]:
    """Who it was sent for, who holds it and how much, of all lines that count."""
    items = app.client("planner").get("/v1/lines").json()["items"]
    return sorted((each["sent_as"], each["participant"], each["quantity"]) for each in items)


def test_a_region_that_will_end_sends_its_file_again(app: Api) -> None:
    client = app.client("coordinator", participants=["DK-84"])
    confirmed(app, client, looked_at(app, client, csv(OLD)))
    assert quantities(app) == [("DK-84", "DK-OST", 1000)], "its demand starts after the merger"
    again = looked_at(app, client, csv({**OLD, "Quantity per year": "900"}))
    assert again.json()["status"] == "ready", again.text
    assert again.json()["preview"]["dropped"] == 1
    assert confirmed(app, client, again).json()["status"] == "loaded"
    assert quantities(app) == [("DK-84", "DK-OST", 900)]


def test_from_the_day_on_the_successor_replaces_what_was_sent_before_and_nobody_else(app: Api) -> None:
    before, other = (app.client("coordinator", participants=[code]) for code in ("DK-84", "DK-85"))
    after = app.client("coordinator", participants=["DK-OST"])
    first = confirmed(app, before, looked_at(app, before, csv(OLD))).json()
    series = first["preview"]["series"]
    early = looked_at(app, after, csv({**OLD, "Participant": "DK-OST"}), series=series).json()
    assert (early["status"], early["problem"]["code"]) == ("unreadable", "series-taken"), "it is not there yet"
    waiting = looked_at(app, before, csv({**OLD, "Quantity per year": "800"}))
    succeed(app, DAY)
    held_back = confirmed(app, before, waiting).json()
    assert (held_back["status"], held_back["problem"]["code"]) == ("refused", "series-taken")
    for client in (before, other):
        late = looked_at(app, client, csv({**OLD, "Quantity per year": "800"})).json()
        assert (late["status"], late["problem"]["code"]) == ("unreadable", "series-taken")
    same = looked_at(app, after, csv(OLD)).json()["preview"]
    assert (same["series"], same["already_loaded"]) == (series, True)
    again = looked_at(app, after, csv({**OLD, "Quantity per year": "900"}))
    assert again.json()["preview"]["replaces"] == first["submission"]
    assert confirmed(app, after, again).json()["status"] == "loaded"
    assert quantities(app) == [("DK-84", "DK-OST", 900)]
    merged = looked_at(app, after, csv({**OLD, "Participant": "DK-OST"}), series=series)
    assert confirmed(app, after, merged).json()["status"] == "loaded"
    assert quantities(app) == [("DK-OST", "DK-OST", 1000)]


def test_a_series_that_names_another_too_is_not_one_region_s(app: Api) -> None:
    planner = app.client("planner")
    both = csv(OLD, {**OLD, "Participant": "DK-85", "Category": "none such"})
    confirmed(app, planner, looked_at(app, planner, both, series="capital"))
    client = app.client("coordinator", participants=["DK-84"])
    taken = looked_at(app, client, csv(OLD), series="capital").json()
    assert (taken["status"], taken["problem"]["code"]) == ("unreadable", "series-taken")
    succeed(app, DAY)
    after = app.client("coordinator", participants=["DK-OST"])
    assert confirmed(app, after, looked_at(app, after, csv(OLD), series="capital")).json()["status"] == "loaded"


def test_forecasts_of_an_ended_region_are_the_successor_s_to_replace_and_delete(app: Api) -> None:
    old, new = (app.client("coordinator", participants=[code]) for code in ("DK-84", "DK-OST"))

    def put(client: Any, quantity: int) -> tuple[str, str | None]:
        line = forecast(participant="DK-84", external_id="a", quantity=quantity)
        done = client.post("/v1/forecasts?partial=true", json={"source": "erp", "lines": [line]})
        (result,) = done.json()["results"]
        return result["status"], next(iter(each["code"] for each in result["faults"]), None)

    assert put(old, 1) == ("created", None)
    assert put(old, 2) == ("replaced", None)
    assert put(new, 3) == ("refused", "not-yours")
    succeed(app, DAY)
    assert put(old, 4) == ("refused", "not-yours")
    assert put(new, 5) == ("replaced", None)
    etag = {"If-Match": new.get("/v1/forecasts/erp/a").headers["ETag"]}
    assert old.delete("/v1/forecasts/erp/a", headers=etag).status_code == 404
    assert new.delete("/v1/forecasts/erp/a", headers=etag).status_code == 204
