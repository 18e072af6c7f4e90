"""The commands of the queue, and the worker inside the service."""

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from pooling import housekeeping, working
from pooling.__main__ import pooling
from pooling.audit import read
from pooling.database import reading, transaction
from pooling.deeds import Deed
from pooling.idempotency import Kept, Scope, find, keep
from pooling.jobs import JobContext, Kind
from pooling.jobs.context import Means
from pooling.jobs.rules import Status
from pooling.jobs.worker import Worker
from tests.pooling.jobs.test_processes import PATIENCE_S, until
from tests.pooling.jobs.working import enqueued, job_of, work_all

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KIND = "responses.expire"


def run(url: str, *words: str) -> Result:
    return CliRunner().invoke(pooling, ["--database", url, *words])


def test_a_worker_process_does_jobs_shows_life_and_stops_cleanly(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    job, alive = enqueued(engine, KIND, now=datetime.now(UTC)), tmp_path / "alive"
    command = [sys.executable, "-m", "pooling", "--database", database_url, "worker", "--alive", str(alive)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            until(lambda: job_of(engine, job).status == "succeeded")
            until(alive.exists)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
            assert process.stdout is not None
            assert "stopping" in process.stdout.read()
        finally:
            process.kill()


def test_the_service_does_jobs_by_itself(engine: Engine, database_url: str) -> None:
    job = enqueued(engine, KIND, now=datetime.now(UTC))
    with working.embedded(database_url):
        until(lambda: job_of(engine, job).status == "succeeded")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_job_that_ends_its_thread_does_not_end_the_worker(engine: Engine) -> None:
    ended = []

    def end(context: JobContext) -> None:
        ended.append(context.held.attempt)
        raise KeyboardInterrupt

    handlers = {"a.end": Kind(end), "a.go": Kind(lambda _: None)}
    worker = Worker(Means(engine), handlers, light=1)
    worker.start()
    try:
        enqueued(engine, "a.end", now=datetime.now(UTC))
        until(lambda: ended == [1])
        job = enqueued(engine, "a.go", now=datetime.now(UTC))
        until(lambda: job_of(engine, job).status == "succeeded")
    finally:
        worker.stop(1.0)


def test_recurring_jobs_are_ones_that_somebody_does() -> None:
    assert {each.kind for each in working.SCHEDULE} <= set(working.HANDLERS)
    assert len(working.SCHEDULE) >= len(housekeeping.SCHEDULE) > 3


def test_the_queue_is_listed_and_a_dead_letter_put_back(engine: Engine, database_url: str) -> None:
    job = enqueued(engine, KIND, now=NOW, max_attempts=1)
    with transaction(engine) as session:
        session.connection().exec_driver_sql("UPDATE job SET status = 'failed', attempts = 1")
    shown = run(database_url, "jobs", "list", "--status", "failed").stdout
    assert str(job) in shown
    assert f"{KIND} failed: 1" in shown
    assert str(job) not in run(database_url, "jobs", "list", "--status", "queued").stdout
    assert run(database_url, "jobs", "retry", str(job)).exit_code == 0
    assert (job_of(engine, job).status, job_of(engine, job).attempts) == (Status.QUEUED, 0)
    again = run(database_url, "jobs", "retry", str(job))
    assert again.exception is not None
    assert "none that failed" in str(again.exception)


def test_old_answers_expire(engine: Engine) -> None:
    scope = Scope("client", "lines.write", "k" * 16)
    with transaction(engine) as session:
        keep(session, scope, Kept(200, {}, b""), fingerprint="f", mark="m", now=NOW)
    for days, kept in ((6, True), (8, False)):
        enqueued(engine, KIND, now=NOW + timedelta(days=days))
        work_all(engine, working.HANDLERS, now=NOW + timedelta(days=days))
        with transaction(engine) as session:
            found = find(session, scope, fingerprint="f", mark="m", now=NOW)
            assert (found is not None) is kept


def test_reads_are_sealed_and_a_minute_without_any_leaves_no_entry(engine: Engine) -> None:
    with transaction(engine) as session:
        read(session, Deed("p", "lines.list", NOW), path="/v1/lines", participants=["SE-M"])
    entries = []
    for _ in range(2):
        job = enqueued(engine, "audit.seal-reads", now=NOW)
        work_all(engine, working.HANDLERS, now=NOW)
        assert job_of(engine, job).status == "succeeded"
        with reading(engine) as session:
            rows = session.connection().exec_driver_sql("SELECT operation FROM audit_entry").scalars().all()
        entries.append(sorted(rows))
    assert "audit.seal" in entries[0]
    assert entries[0] == entries[1]


def test_every_command_has_help() -> None:
    for command in working.COMMANDS:
        assert isinstance(command, click.Command)
        assert command.help
