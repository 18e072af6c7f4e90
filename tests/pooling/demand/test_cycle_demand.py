"""What is sent for a cycle, what is frozen when it closes, and how a planner corrects it afterwards."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import msgspec
from sqlalchemy import text

from pooling.database import reading
from pooling.demand import bulk, forecasts, service
from pooling.demand.forecast_views import ForecastBody
from pooling.demand.sender import ANYONE
from pooling.invariants.commands import CHECKS
from pooling.transactions import written
from pooling.working import HANDLERS
from tests.pooling.api_client import Api
from tests.pooling.cycles.worlds import ENDS, opened, step
from tests.pooling.demand.api_world import app, confirmed, csv, forecast, looked_at, send, work
from tests.pooling.jobs.working import enqueued, work_all

__all__ = ["app"]
REASON = "the region found a slip"


def lines_in(app: Api, code: str = "autumn") -> list[tuple[str, int]]:
    """Participant and quantity of the lines that the cycle is planned on."""
    with reading(app.engine) as session:
        lines = service.lines_of(session, service.lines_of_cycle(session, code))
    return sorted(lines.select("participant", "quantity").iter_rows())


def submit(app: Api, role: str = "coordinator", code: str = "SE-M", quantity: int = 1000, **fields: Any) -> Any:
    """The upload of a file with one line, after all is done with it."""
    client = app.client(role, participants=[code] if role == "coordinator" else [])
    content = csv({"Participant": code, "Quantity per year": str(quantity)})
    upload = looked_at(app, client, content, **fields)
    return confirmed(app, client, upload)


def submission(app: Api, upload: Any) -> Any:
    return app.client("planner").get(f"/v1/submissions/{upload.json()['submission']}").json()


def close(app: Api) -> None:
    assert step(app.client("planner"), "autumn", "close").status_code == 200


def test_what_is_sent_goes_to_the_open_cycle_and_its_versions_are_counted(app: Api) -> None:
    before = submission(app, submit(app, quantity=1))
    assert (before["cycle"], before["number"], before["status"]) == (None, 1, "accepted")
    opened(app)
    sent = submission(app, submit(app, quantity=2))
    assert (sent["cycle"], sent["number"], sent["supersedes"]) == ("autumn", 2, before["id"])
    named = submission(app, submit(app, quantity=3, cycle="autumn"))
    assert (named["cycle"], named["number"]) == ("autumn", 3)
    listed = app.client("planner").get("/v1/submissions?cycle=autumn").json()["items"]
    assert sorted(each["number"] for each in listed) == [2, 3]
    close(app)
    assert lines_in(app) == [("SE-M", 3)]
    late = submission(app, submit(app, quantity=4))
    assert (late["cycle"], late["status"]) == (None, "accepted")
    assert lines_in(app) == [("SE-M", 3)]


def test_the_same_file_for_a_new_cycle_is_a_word_of_its_own_and_for_the_same_one_is_not(app: Api) -> None:
    first = submit(app)
    opened(app)
    second, third = submit(app), submit(app)
    assert first.json()["submission"] != second.json()["submission"] == third.json()["submission"]
    assert submission(app, second)["cycle"] == "autumn"


def test_a_closed_cycle_is_refused_to_whoever_is_no_planner(app: Api) -> None:
    opened(app)
    draft = looked_at(app, client := app.client("coordinator", participants=["SE-M"]), csv({}), cycle="autumn")
    close(app)
    refused = send(client, csv({}), cycle="autumn")
    assert (refused.status_code, refused.json()["code"]) == (409, "cycle-closed")
    assert "2026-11-22 13:00 Europe/Copenhagen" in refused.json()["detail"]
    path = f"/v1/uploads/{draft.json()['id']}/confirm"
    late = client.post(path, json={}, headers={"If-Match": draft.headers["ETag"]})
    assert late.json()["code"] == "cycle-closed"
    partner = app.client("partner", participants=["SE-M"])
    lines = {"source": "erp", "lines": [forecast(external_id="a")], "cycle": "autumn", "correction_reason": REASON}
    assert partner.post("/v1/forecasts", json=lines).json()["code"] == "cycle-closed"
    assert send(client, csv({}), cycle="none-such").status_code == 404
    alone = send(client, csv({}), correction_reason=REASON)
    assert [each["pointer"] for each in alone.json()["errors"]] == ["#/correction_reason"]
    assert lines_in(app) == []


def test_a_planner_corrects_a_closed_cycle_with_a_reason_until_it_is_decided(app: Api) -> None:
    opened(app)
    submit(app, quantity=100)
    other = forecast(participant="SE-AB", quantity=7)
    assert app.client("planner").put("/v1/forecasts/erp/other", json=other).status_code == 201
    close(app)
    submit(app, quantity=300)  # stands for the next cycle
    planner = app.client("planner")
    content = csv({"Quantity per year": "200"})
    missing = send(planner, content, cycle="autumn")
    assert [each["code"] for each in missing.json()["errors"]] == ["missing"]
    done = submit(app, "planner", quantity=200, cycle="autumn", correction_reason=REASON)
    shown = submission(app, done)
    assert (shown["cycle"], shown["correction_reason"], shown["number"]) == ("autumn", REASON, 3)
    assert shown["status"] == "superseded"  # for the next cycle stands what was sent since
    assert lines_in(app) == [("SE-AB", 7), ("SE-M", 200)]
    entries = app.client("auditor").get("/v1/audit").json()["items"]
    (entry,) = [each for each in entries if each["operation"] == "submissions.correct"]
    assert entry["details"] == {"cycle": "autumn", "reason": REASON, "lines": 1, "instead_of": 1}
    with reading(app.engine) as session:
        assert sorted(service.live_lines(session)["quantity"]) == [7, 300]
    again = submit(app, "planner", quantity=200, cycle="autumn", correction_reason="once more")
    assert again.json()["submission"] != done.json()["submission"]
    assert lines_in(app) == [("SE-AB", 7), ("SE-M", 200)]
    with app.engine.begin() as connection:
        told = connection.execute(text("SELECT audience FROM notice WHERE kind = 'correction'")).scalars()
        assert sorted(told) == sorted(["participant:SE-M", "planners"] * 2)
        connection.execute(text("UPDATE cycle SET status = 'decided'"))
    refused = send(planner, content, cycle="autumn", correction_reason=REASON)
    assert refused.json()["code"] == "cycle-closed"


def test_forecasts_are_frozen_and_corrected_by_their_ids(app: Api) -> None:
    opened(app)
    client = app.client("partner", participants=["SE-M"])
    lines = [forecast(external_id=key, quantity=quantity) for key, quantity in (("a", 1), ("b", 2))]
    assert client.post("/v1/forecasts", json={"source": "erp", "lines": lines}).status_code == 200
    close(app)
    changed = [forecast(external_id="a", quantity=11), forecast(external_id="b", quantity=22)]
    assert client.post("/v1/forecasts", json={"source": "erp", "lines": changed}).status_code == 200
    assert lines_in(app) == [("SE-M", 1), ("SE-M", 2)]
    planner = app.client("planner")
    correction = [forecast(external_id="a", quantity=5), forecast(external_id="c", quantity=7)]
    body = {"source": "erp", "lines": correction, "cycle": "autumn", "correction_reason": REASON}
    done = planner.post("/v1/forecasts", json=body).json()
    assert [(each["status"], each["version"]) for each in done["results"]] == [("unchanged", 2), ("created", 1)]
    assert lines_in(app) == [("SE-M", 2), ("SE-M", 5), ("SE-M", 7)]
    with reading(app.engine) as session:  # for the next cycle stands what was sent since
        assert sorted(service.live_lines(session)["quantity"]) == [7, 11, 22]
        assert [fault for holds in CHECKS.values() for fault in holds(session)] == []


def test_a_correction_is_what_stands_where_nothing_was_sent_since(app: Api) -> None:
    opened(app)
    planner = app.client("planner")
    assert planner.put("/v1/forecasts/erp/a", json=forecast(quantity=1)).status_code == 201
    close(app)
    for quantity in (5, 6):
        lines = [forecast(external_id="a", quantity=quantity)]
        body = {"source": "erp", "lines": lines, "cycle": "autumn", "correction_reason": REASON}
        assert planner.post("/v1/forecasts", json=body).json()["replaced"] == 1
        assert lines_in(app) == [("SE-M", quantity)]
    assert planner.get("/v1/forecasts/erp/a").json()["line"]["quantity"] == 6


def test_what_was_confirmed_in_time_is_in_the_cycle_however_late_it_is_stored(app: Api) -> None:
    opened(app)
    submit(app, quantity=100)
    client = app.client("coordinator", participants=["SE-M"])
    app.clock.now = ENDS - timedelta(minutes=1)
    draft = looked_at(app, client, csv({"Quantity per year": "200"}))
    path = f"/v1/uploads/{draft.json()['id']}/confirm"
    assert client.post(path, json={}, headers={"If-Match": draft.headers["ETag"]}).status_code == 202
    app.clock.now = ENDS + timedelta(minutes=5)
    enqueued(app.engine, "demand.close-cycles", now=app.clock.now)
    work_all(app.engine, {"demand.close-cycles": HANDLERS["demand.close-cycles"]}, now=app.clock.now)
    assert lines_in(app) == [("SE-M", 100)]
    work(app)
    assert lines_in(app) == [("SE-M", 200)]


def test_what_was_confirmed_after_the_end_is_not_in_it_where_nobody_closed_it_yet(app: Api) -> None:
    opened(app)
    submit(app, quantity=100)
    app.clock.now = ENDS
    late = submit(app, quantity=200)
    assert submission(app, late)["cycle"] is None
    assert lines_in(app) == [("SE-M", 100)]


def test_reopening_lets_the_lines_go_and_closing_freezes_them_anew(app: Api) -> None:
    opened(app)
    submit(app, quantity=100)
    close(app)
    reopened = {"reason": "late", "closes_on": "2026-11-30"}
    assert step(app.client("planner"), "autumn", "reopen", json=reopened).status_code == 200
    with app.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM cycle_line")).scalar() == 0
    submit(app, quantity=200)
    close(app)
    assert lines_in(app) == [("SE-M", 200)]


def test_withdrawn_and_ended_lines_are_not_frozen(app: Api) -> None:
    opened(app)
    client = app.client("planner")
    for key in ("a", "b"):
        client.put(f"/v1/forecasts/erp/{key}", json=forecast(quantity=5))
    etag = {"If-Match": client.get("/v1/forecasts/erp/a").headers["ETag"]}
    assert client.delete("/v1/forecasts/erp/a", headers=etag).status_code == 204
    sent = submit(app, quantity=9)
    path = f"/v1/submissions/{sent.json()['submission']}"
    client.post(f"{path}/withdraw", headers={"If-Match": client.get(path).headers["ETag"]})
    close(app)
    assert lines_in(app) == [("SE-M", 5)]


def test_whatever_comes_while_it_closes_is_in_it_or_not_and_never_half(app: Api) -> None:
    opened(app)
    gate = Barrier(9)

    def push(number: int) -> None:
        entry = bulk.entry_of(f"f{number}", msgspec.convert(forecast(quantity=number + 1), ForecastBody))
        gate.wait()
        for again in range(3):
            with written(app.engine, actor=None, now=app.clock.now, operation="tests.push") as opened:
                forecasts.push(opened.session, f"erp{again}", [entry], sender=ANYONE, now=opened.now)

    with ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(push, number) for number in range(8)]
        gate.wait()
        close(app)
        for each in waiting:
            each.result()
    with reading(app.engine) as session:
        sent = "SELECT l.id FROM line l JOIN submission s ON s.id = l.submission WHERE s.cycle = 'autumn' ORDER BY l.id"
        in_time = list(session.connection().execute(text(sent)).scalars())
        assert service.lines_of_cycle(session, "autumn") == in_time
        assert service.live_lines(session).height == 24


def test_uploads_are_drafts_until_they_are_confirmed(app: Api) -> None:
    client = app.client("coordinator", participants=["SE-M"])
    assert submit(app).json()["stage"] == "accepted"
    assert looked_at(app, client, csv({"Quantity per year": "5"})).json()["stage"] == "draft"
    for stage, count in (("draft", 1), ("submitted", 0), ("accepted", 1)):
        assert len(client.get(f"/v1/uploads?stage={stage}").json()["items"]) == count
