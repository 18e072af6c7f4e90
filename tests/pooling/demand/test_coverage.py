"""Who has sent what for a cycle: by participant, inhabitants and spend; reminders to those who have not."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from pooling.working import HANDLERS
from tests.pooling.api_client import Api
from tests.pooling.cycles.worlds import ENDS, opened, step
from tests.pooling.demand.api_world import app, forecast
from tests.pooling.jobs.working import enqueued, work_all

__all__ = ["app"]
HUS = "FI-18-HUS"
WITHIN = ("FI-18-IU", "FI-18-KU", "FI-18-LU", "FI-18-VK", "FI-18-HEL")


def push(app: Api, code: str, quantity: int = 1000, *, price: str = "2", **changes: Any) -> None:
    """Demand in euros, so that spend is quantity times price."""
    line = forecast(participant=code, quantity=quantity, unit_price=price, currency="EUR", external_id=code, **changes)
    done = app.client("planner").post("/v1/forecasts", json={"source": "erp", "lines": [line]})
    assert done.status_code == 200, done.text


def coverage(app: Api, code: str = "autumn", role: str = "planner", *participants: str) -> Any:
    answer = app.client(role, participants=participants).get(f"/v1/cycles/{code}/coverage")
    assert answer.status_code == 200, answer.text
    return answer.json()


def of(told: Any, participant: str) -> Any:
    (found,) = [row for row in told["participants"] if row["participant"] == participant]
    return found


def test_each_has_sent_or_stands_or_is_missing(app: Api) -> None:
    push(app, "SE-AB", 10)
    opened(app)
    push(app, "SE-M", 100)
    told = coverage(app)
    assert (told["sent"], told["standing"]) == (1, 1)
    assert told["expected"] == told["sent"] + told["standing"] + told["missing"] > 50
    mine, standing = of(told, "SE-M"), of(told, "SE-AB")
    assert (mine["state"], mine["lines"], mine["spend_eur_per_year"], mine["submissions"]) == ("sent", 1, 200.0, 1)
    assert (standing["state"], standing["sent_at"], standing["lines"]) == ("standing", None, 1)
    assert of(told, "DK-84")["state"] == "missing"
    assert (told["base_cycle"], told["base_spend_eur_per_year"], told["share_not_sent"]) == (None, None, None)
    step(app.client("planner"), "autumn", "close")
    push(app, "DK-84", 5)
    assert coverage(app)["participants"] == told["participants"]


def test_unchanged_forecasts_are_sent_for_the_cycle_too(app: Api) -> None:
    """Of one system, by the cycle's name or while it is open; not of others, nor before the cycle or after it."""
    lines = [
        forecast(participant=code, quantity=10, unit_price="2", currency="EUR", external_id=code)
        for code in ("SE-M", "SE-AB")
    ]

    def sent(*mine: Any, **more: Any) -> Any:
        done = app.client("planner").post("/v1/forecasts", json={"source": "erp", "lines": [*mine], **more})
        assert done.status_code == 200, done.text
        return done.json()

    sent(*lines)
    opened(app)
    sent(lines[1], {**lines[0], "quantity": 11})
    assert [of(coverage(app), code)["state"] for code in ("SE-AB", "SE-M")] == ["sent", "sent"]
    assert [of(coverage(app), code)["submissions"] for code in ("SE-AB", "SE-M")] == [0, 1]
    step(app.client("planner"), "autumn", "close")
    later = {"opens_on": "2027-02-01", "closes_on": "2027-02-28", "plan_by": "2027-03-31", "decide_by": "2027-04-30"}
    opened(app, "spring", **later)
    assert [of(coverage(app, "spring"), code)["state"] for code in ("SE-AB", "SE-M")] == ["standing", "standing"]
    again = sent(lines[1], cycle="spring")
    assert (again["submission"], again["results"][0]["status"]) == (None, "unchanged")
    mine = of(coverage(app, "spring"), "SE-AB")
    assert (mine["state"], mine["submissions"], mine["lines"]) == ("sent", 0, 1)
    assert mine["sent_at"] is not None
    assert of(coverage(app, "spring"), "SE-M")["state"] == "standing"
    assert (coverage(app, "spring")["sent"], coverage(app)["sent"]) == (1, 2)


def test_inhabitants_are_counted_once_where_bodies_overlap(app: Api) -> None:
    opened(app)
    whole = coverage(app)["inhabitants"]
    for code in WITHIN:
        push(app, code)
    together = coverage(app)["inhabitants_sent"]
    push(app, HUS)
    told = coverage(app)
    assert told["inhabitants_sent"] == together == 1_799_629
    assert told["inhabitants"] == whole < sum((27_000_000, 3_000_000))
    assert told["sent"] == 6


def test_the_share_of_those_who_have_not_sent_is_of_the_last_cycles_spend(app: Api) -> None:
    opened(app)
    push(app, "SE-M", 300)
    push(app, "SE-AB", 100)
    step(app.client("planner"), "autumn", "close")
    later = {"opens_on": "2027-02-01", "closes_on": "2027-02-28", "plan_by": "2027-03-31", "decide_by": "2027-04-30"}
    opened(app, "spring", **later)
    told = coverage(app, "spring")
    assert (told["base_cycle"], told["base_spend_eur_per_year"], told["share_not_sent"]) == ("autumn", 800.0, 1.0)
    push(app, "SE-AB", 7)
    told = coverage(app, "spring")
    assert (told["share_not_sent"], of(told, "SE-AB")["base_spend_eur_per_year"]) == (0.75, 200.0)
    assert "autumn" in told["base"]


def test_the_spend_of_a_body_that_ended_meanwhile_is_its_successors(app: Api) -> None:
    opened(app)
    push(app, "DK-84", 300, earliest_start="2026-12", latest_start="2026-12")
    step(app.client("planner"), "autumn", "close")
    later = {"opens_on": "2027-02-01", "closes_on": "2027-02-28", "plan_by": "2027-03-31", "decide_by": "2027-04-30"}
    opened(app, "spring", **later)
    told = coverage(app, "spring")
    assert of(told, "DK-OST")["base_spend_eur_per_year"] == 600.0
    assert "DK-84" not in [row["participant"] for row in told["participants"] if row["expected"]]


@pytest.mark.parametrize("role", ["coordinator", "partner"])
def test_a_coordinator_sees_the_own_row_and_nothing_of_others_spend(app: Api, role: str) -> None:
    opened(app)
    push(app, "SE-M", 123_457)
    push(app, "SE-AB", 654_321)
    told = coverage(app, "autumn", role, "SE-M")
    assert [row["participant"] for row in told["participants"]] == ["SE-M"]
    assert told["participants"][0]["spend_eur_per_year"] == 246_914.0
    assert (told["sent"], told["expected"] > 50) == (2, True)
    assert {"spend_eur_per_year", "base_spend_eur_per_year", "share_not_sent", "inhabitants_sent"}.isdisjoint(told)
    assert app.client("administrator").get("/v1/cycles/autumn/coverage").status_code == 403


def test_those_who_have_sent_nothing_are_told_once_in_the_last_week(app: Api) -> None:
    def remind() -> None:
        enqueued(app.engine, "demand.remind", now=app.clock.now)
        work_all(app.engine, {"demand.remind": HANDLERS["demand.remind"]}, now=app.clock.now)

    def told() -> list[str]:
        with app.engine.connect() as connection:
            wanted = text("SELECT audience FROM notice WHERE kind = 'cycle-due-soon' ORDER BY audience")
            return list(connection.execute(wanted).scalars())

    opened(app)
    push(app, "SE-M")
    app.clock.now = ENDS - timedelta(days=7, seconds=1)
    remind()
    assert told() == []
    app.clock.now = ENDS - timedelta(days=7)
    remind()
    first = told()
    assert "participant:SE-M" not in first
    assert {"participant:SE-AB", "participant:DK-84"} <= set(first)
    app.clock.now += timedelta(days=1)
    remind()
    assert told() == first
