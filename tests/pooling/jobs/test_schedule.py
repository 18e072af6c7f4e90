"""Recurring jobs: one for each due time, however many workers look."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from pooling.database import reading, transaction
from pooling.jobs import Kind, Recurring
from pooling.jobs.context import Means
from pooling.jobs.rules import EPOCH
from pooling.jobs.schedule import make_due
from pooling.jobs.worker import Worker

NOW = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
HOURLY = Recurring("a.tidy", every=timedelta(hours=1))


def made(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return list(session.connection().execute(text("SELECT key FROM job ORDER BY key")).scalars())


def test_due_times_are_the_same_for_every_worker() -> None:
    assert HOURLY.due(NOW) == datetime(2026, 11, 1, 12, tzinfo=UTC)
    nightly = Recurring("a.tidy", every=timedelta(days=1), offset=timedelta(hours=13))
    assert nightly.due(NOW) == datetime(2026, 10, 31, 13, tzinfo=UTC)
    assert nightly.due(EPOCH + timedelta(hours=13)) == EPOCH + timedelta(hours=13)
    with pytest.raises(ValueError, match="a second or more"):
        Recurring("a.tidy", every=timedelta(0))


def test_many_workers_make_one_job_for_each_due_time(engine: Engine) -> None:
    def look(now: datetime) -> None:
        Worker(Means(engine, lease_clock=lambda _: now), {"a.tidy": Kind(lambda _: None)}, [HOURLY]).make_recurring()

    times = [NOW, NOW + timedelta(minutes=29), NOW + timedelta(minutes=30)]
    with ThreadPoolExecutor(8) as pool:
        for now in times:
            list(pool.map(look, [now] * 8))
    assert made(engine) == ["a.tidy@2026-11-01T12:00:00+00:00", "a.tidy@2026-11-01T13:00:00+00:00"]


def test_due_times_missed_are_made_up_for_by_one_job_and_time_does_not_run_back(engine: Engine) -> None:
    for now in (NOW, NOW + timedelta(days=3), NOW):
        with transaction(engine) as session:
            make_due(session, HOURLY, now=now)
    assert made(engine) == ["a.tidy@2026-11-01T12:00:00+00:00", "a.tidy@2026-11-04T12:00:00+00:00"]


def test_the_job_is_not_made_again_once_it_has_been_dropped(engine: Engine) -> None:
    for expected in (True, False):
        with transaction(engine) as session:
            assert make_due(session, HOURLY, now=NOW) is expected
            session.connection().execute(text("DELETE FROM job"))
