"""Logs: a line a request with its id; nothing of what anybody sent. Metrics: counts and times."""

import json
import logging
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from litestar import get
from sqlalchemy import text

from pooling import jobs, logs
from pooling.database import transaction
from tests.pooling import counters
from tests.pooling.api_client import NOW, Api, api

CANARY = 739_391


@pytest.fixture
def app(sqlite_template: Path, tmp_path: Path) -> Iterator[Api]:
    @get("/broken", sync_to_thread=True)
    def broken() -> None:
        raise RuntimeError(f"the price of SE-M is {CANARY}")

    path = tmp_path / "pooling.db"
    path.write_bytes(sqlite_template.read_bytes())
    with api(f"sqlite:///{path}", counters.CounterController, broken) as running:
        counters.install(running.engine)
        yield running


def formatted(record: logging.LogRecord) -> dict[str, Any]:
    line = logs.JsonLines().format(record)
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def test_each_request_is_a_line_with_its_id_and_nothing_it_held(app: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pooling")
    account = app.account("planner")
    path = app.client("planner").post("/v1/counters", json={"value": CANARY}).headers["location"]
    answer = app.client("planner").get(f"/v1/counters?least={CANARY}")
    assert str(CANARY) in answer.text
    assert path
    lines = [formatted(record) for record in caplog.records if record.name == "pooling.requests"]
    assert [line["status"] for line in lines] == [201, 200]
    last = lines[-1]
    assert last["request_id"] == answer.headers["x-request-id"]
    assert last["trace_id"] == answer.headers["traceparent"][3:35]
    assert (last["method"], last["operation"]) == ("GET", counters.LIST)
    assert last["principal"] == str(account.principal.id)
    assert isinstance(last["ms"], float)
    everything = json.dumps([formatted(record) for record in caplog.records])
    assert str(CANARY) not in everything
    assert account.key not in everything


def test_a_failure_is_told_by_kind_and_place_without_its_message(app: Api, caplog: pytest.LogCaptureFixture) -> None:
    answer = app.nobody().get("/broken")
    assert answer.status_code == 500
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    line = formatted(record)
    assert str(line["message"]).startswith(f"request {answer.headers['x-request-id']} ")
    failure = line["failure"]
    assert failure[0]["kind"] == "builtins.RuntimeError"
    assert any("test_logs.py" in place for place in failure[0]["at"])
    assert str(CANARY) not in json.dumps(line)


def test_causes_are_told_too() -> None:
    try:
        try:
            raise KeyError("secret")
        except KeyError as cause:
            raise ValueError("secret") from cause
    except ValueError:
        record = logging.LogRecord("pooling", logging.ERROR, "", 1, "it %s", ("failed",), sys.exc_info())
    line = formatted(record)
    assert [each["kind"] for each in line["failure"]] == ["builtins.ValueError", "builtins.KeyError"]
    assert line["message"] == "it failed"
    assert line["level"] == "error"
    assert "secret" not in json.dumps(line)


def test_the_configuration_is_one_that_logging_takes() -> None:
    import logging.config

    names = ("pooling", "uvicorn", "uvicorn.error", "uvicorn.access", None)
    before = {name: (logging.getLogger(name).handlers[:], logging.getLogger(name).level) for name in names}
    propagating = {name: logging.getLogger(name).propagate for name in names}
    try:
        logging.config.dictConfig(logs.config("WARNING"))
        assert logging.getLogger("pooling").level == logging.WARNING
        assert isinstance(logging.getLogger("pooling").handlers[0].formatter, logs.JsonLines)
        assert logging.getLogger("uvicorn.access").handlers == []
    finally:
        for name, (handlers, level) in before.items():
            logging.getLogger(name).handlers[:] = handlers
            logging.getLogger(name).setLevel(level)
            logging.getLogger(name).propagate = propagating[name]


class Paper(StringIO):
    """Counts how often it is written to."""

    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        return super().write(text)


def record_of(level: int, message: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord(logs.REQUESTS, level, "", 1, message, arguments, None)


def test_lines_of_requests_are_written_together_and_soon() -> None:
    paper = Paper()
    handler = logs.GatheringHandler(paper)
    for number in range(100):
        handler.handle(record_of(logging.INFO, "line %d", number))
    until = time.monotonic() + 10
    while "line 99\n" not in paper.getvalue():
        assert time.monotonic() < until, "nobody writes the lines"
        time.sleep(0.005)
    assert paper.getvalue().splitlines() == [f"line {number}" for number in range(100)]
    assert paper.writes < 50


def test_a_failure_is_written_at_once_after_what_came_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "GATHERED_S", 60.0)
    paper = Paper()
    handler = logs.GatheringHandler(paper)
    handler.handle(record_of(logging.INFO, "begun"))
    assert paper.getvalue() == ""
    handler.handle(record_of(logging.ERROR, "failed"))
    assert paper.getvalue() == "begun\nfailed\n"


def test_what_is_kept_is_written_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "GATHERED_S", 60.0)
    paper = Paper()
    handler = logs.GatheringHandler(paper)
    monkeypatch.setattr(logging.getLogger(logs.REQUESTS), "handlers", [handler])
    handler.handle(record_of(logging.INFO, "last"))
    logs.write_out()
    assert paper.getvalue() == "last\n"


def test_a_line_that_cannot_be_made_ends_nobodys_request(capsys: pytest.CaptureFixture[str]) -> None:
    paper = Paper()
    handler = logs.GatheringHandler(paper)
    handler.handle(record_of(logging.ERROR, "%d", "no number"))
    assert paper.getvalue() == ""
    assert "Logging error" in capsys.readouterr().err


def test_jobs_are_counted_and_a_database_that_fails_takes_nothing_else_along(app: Api) -> None:
    with transaction(app.engine) as session:
        jobs.enqueue(session, "demand.confirm", {}, now=NOW, actor=None)
    lines = app.nobody().get("/metrics").text.splitlines()
    assert 'pooling_jobs{kind="demand.confirm",status="queued"} 1.0' in lines
    [waits] = [line for line in lines if line.startswith("pooling_jobs_oldest_seconds ")]
    assert float(waits.split()[1]) > 0 or datetime.now(UTC) < NOW
    with transaction(app.engine) as session:
        session.connection().execute(text("DROP TABLE job"))
    answer = app.nobody().get("/metrics")
    assert answer.status_code == 200
    assert "pooling_threads 15.0" in answer.text
    assert "pooling_jobs{" not in answer.text


def test_requests_are_counted_by_operation(app: Api) -> None:
    planner = app.client("planner")
    for _ in range(3):
        planner.get("/v1/counters")
    planner.post("/v1/counters", json={"value": CANARY})
    planner.get("/nowhere/at/all")
    answer = app.nobody().get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert f'pooling_requests_total{{operation="{counters.LIST}",status="200"}} 3.0' in lines
    assert f'pooling_requests_total{{operation="{counters.CREATE}",status="201"}} 1.0' in lines
    assert 'pooling_requests_total{operation="none",status="404"} 1.0' in lines
    assert f'pooling_request_seconds_count{{operation="{counters.LIST}"}} 3.0' in lines
    assert "pooling_requests_running 1.0" in lines  # this one
    assert "pooling_threads 15.0" in lines
    assert any(line.startswith("pooling_database_connections ") for line in lines)
    assert str(CANARY) not in answer.text
