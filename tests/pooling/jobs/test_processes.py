"""Workers as processes: killed, paused, stopped, several at once. Short leases; the full length is a long proof."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from pooling.database import connect, transaction
from pooling.jobs import service
from pooling.jobs.context import Means
from pooling.jobs.rules import LEASE
from pooling.jobs.worker import Worker
from tests.pooling.jobs.victim import HANDLERS
from tests.pooling.jobs.working import enqueued, job_of, words

PATIENCE_S = 60.0
LEASE_S = 1.5


@contextmanager
def victim(url: str, *options: str, lease_s: float = LEASE_S) -> Iterator[subprocess.Popen[str]]:
    """A worker process that is at work."""
    command = [sys.executable, "-m", "tests.pooling.jobs.victim", url, str(lease_s), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        said(process, "at work")
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait(PATIENCE_S)
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def another(engine: Engine, *, lease_s: float = LEASE_S) -> Iterator[Worker]:
    """A second worker, in this process."""
    worker = Worker(Means(engine, lease=timedelta(seconds=lease_s)), HANDLERS)
    worker.start()
    try:
        yield worker
    finally:
        worker.stop(5.0)


def said(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline().strip() == word


def until(condition: Callable[[], bool], seconds: float = PATIENCE_S) -> float:
    """Wait for it; after how many seconds it was true."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it never came true"
        time.sleep(0.05)
    return time.monotonic() - began


def _taken_over(engine: Engine, url: str, lease_s: float) -> float:
    """A worker is killed in a job that another then does; seconds from the kill to its end."""
    job = enqueued(engine, "word.note", now=datetime.now(UTC), payload={"word": "a", "seconds": 0.5})
    with victim(url, lease_s=lease_s) as process:
        said(process, "begun")
        process.kill()
        with another(engine, lease_s=lease_s):
            took = until(lambda: job_of(engine, job).status == "succeeded")
    assert (words(engine), job_of(engine, job).attempts) == (["a"], 2)
    return took


def test_a_killed_workers_job_is_taken_over_when_its_lease_runs_out(engine: Engine, database_url: str) -> None:
    assert _taken_over(engine, database_url, LEASE_S) < LEASE_S + 5


@pytest.mark.prove
def test_a_killed_workers_job_is_taken_over_within_thirty_seconds(engine: Engine, database_url: str) -> None:
    assert _taken_over(engine, database_url, LEASE.total_seconds()) < 30


def _pause(process: subprocess.Popen[str], engine: Engine) -> None:
    """Stop the process at a moment when it holds no lock: what it held, nobody could take over."""
    for _ in range(50):
        process.send_signal(signal.SIGSTOP)
        if _unlocked(engine):
            return
        process.send_signal(signal.SIGCONT)
        time.sleep(0.01)
    raise AssertionError("the process held a lock whenever it was stopped")


def _unlocked(engine: Engine) -> bool:
    try:
        if engine.dialect.name == "sqlite":
            with closing(sqlite3.connect(str(engine.url.database), timeout=0.1, isolation_level=None)) as connection:
                connection.execute("BEGIN IMMEDIATE")
        else:
            with engine.connect() as connection:
                connection.exec_driver_sql("SELECT id FROM job FOR UPDATE NOWAIT")
    except (sqlite3.OperationalError, OperationalError):
        return False
    return True


def _paused_and_late(engine: Engine, url: str, *options: str) -> list[str]:
    """A worker sleeps through its lease in the middle of a job that another does; what was written when it woke."""
    job = enqueued(engine, "word.note", now=datetime.now(UTC), payload={"word": "a", "seconds": 1.0})
    with victim(url, "unheard", *options) as process:
        said(process, "begun")
        _pause(process, engine)
        with another(engine):
            until(lambda: job_of(engine, job).status == "succeeded")
        process.send_signal(signal.SIGCONT)
        time.sleep(0.5)
        process.terminate()
        said(process, "stopped")
    assert job_of(engine, job).attempts == 2
    return words(engine)


def test_a_paused_workers_late_write_is_refused(engine: Engine, database_url: str) -> None:
    assert _paused_and_late(engine, database_url) == ["a"]


def test_without_the_fence_the_late_write_would_be_there(engine: Engine, database_url: str) -> None:
    assert _paused_and_late(engine, database_url, "unfenced") == ["a", "a"]


def test_a_stopped_worker_finishes_what_is_short_and_gives_back_the_rest(engine: Engine, database_url: str) -> None:
    now = datetime.now(UTC)
    short = enqueued(engine, "word.note", now=now, payload={"word": "a", "seconds": 0.5})
    long = enqueued(engine, "word.long", now=now)
    with victim(database_url, lease_s=60) as process:
        said(process, "begun")
        said(process, "begun")
        process.terminate()
        said(process, "stopped")
        assert process.wait(PATIENCE_S) == 0
    assert job_of(engine, short).status == "succeeded"
    back = job_of(engine, long)
    assert (back.status, back.owner, back.attempts) == ("queued", None, 0)


def test_a_job_that_hears_nothing_is_given_back_all_the_same(engine: Engine, database_url: str) -> None:
    job = enqueued(engine, "word.deaf", now=datetime.now(UTC))
    with victim(database_url, lease_s=60) as process:
        said(process, "begun")
        process.terminate()
        said(process, "stopped")
        assert process.wait(PATIENCE_S) == 0
    assert (job_of(engine, job).status, job_of(engine, job).attempts) == ("queued", 0)


def test_several_workers_do_each_job_once(engine: Engine, database_url: str) -> None:
    expected = [f"{number:03}" for number in range(60)]
    with transaction(engine) as session:
        for word in expected:
            service.enqueue(session, "word.note", {"word": word}, now=datetime.now(UTC), actor=None)
    with victim(database_url, lease_s=30), victim(database_url, lease_s=30), another(engine, lease_s=30):
        until(lambda: len(words(engine)) == len(expected))
    assert words(engine) == expected


def _alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
def local(sqlite_template: Path, tmp_path: Path) -> Iterator[tuple[Engine, str]]:
    """One kind of database, for what does not depend on it."""
    path = tmp_path / "local.db"
    path.write_bytes(sqlite_template.read_bytes())
    engine = connect(f"sqlite:///{path}")
    yield engine, f"sqlite:///{path}"
    engine.dispose()


def test_a_calculation_dies_with_its_worker_and_the_processes_it_started_too(local: tuple[Engine, str]) -> None:
    engine, database_url = local
    job = enqueued(engine, "word.apart", now=datetime.now(UTC))
    with victim(database_url, lease_s=60) as process:
        until(lambda: job_of(engine, job).progress is not None)
        progress = job_of(engine, job).progress or {}
        assert progress["niceness"] >= 10
        assert all(_alive(each) for each in progress["processes"])
        process.kill()
        process.wait(PATIENCE_S)
        until(lambda: not any(_alive(each) for each in progress["processes"]), 10)


def test_a_cancelled_calculation_ends_at_once(local: tuple[Engine, str]) -> None:
    engine, database_url = local
    job = enqueued(engine, "word.apart", now=datetime.now(UTC))
    with victim(database_url, lease_s=60):
        until(lambda: job_of(engine, job).progress is not None)
        processes = (job_of(engine, job).progress or {})["processes"]
        with transaction(engine) as session:
            service.cancel(session, job, now=datetime.now(UTC))
        assert until(lambda: job_of(engine, job).status == "cancelled") < 10
        until(lambda: not any(_alive(each) for each in processes), 10)
    assert os.getpid() not in processes
