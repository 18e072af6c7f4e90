"""kill -9 of workers at any moment: each job's effect is there once in the end, none is lost, none is there twice."""

import random
import time
from collections import Counter
from datetime import UTC, datetime
from functools import partial

import pytest
from sqlalchemy import Engine, func, select

from pooling.database import reading, transaction
from pooling.invariants import ledgers
from pooling.jobs import service
from pooling.jobs.rules import Status
from pooling.jobs.tables import JOBS
from tests.pooling.jobs.test_processes import PATIENCE_S, another, until, victim
from tests.pooling.jobs.working import words

LEASE_S = 1.0
SECONDS = 0.05
"""What a job takes, in or after its transaction."""


def _enqueue(engine: Engine, kind: str, count: int) -> list[str]:
    expected = [f"{number:04}" for number in range(count)]
    with transaction(engine) as session:
        for word in expected:
            payload = {"word": word, "seconds": SECONDS}
            service.enqueue(session, kind, payload, now=datetime.now(UTC), actor=None, max_attempts=1000)
    return expected


def _left(engine: Engine) -> int:
    with reading(engine) as session:
        query = select(func.count()).where(JOBS.c.status.in_((Status.QUEUED, Status.RUNNING)))
        return int(session.connection().execute(query).scalar_one())


def _fewer_left(engine: Engine, than: int) -> bool:
    return _left(engine) < than


def _killed(engine: Engine, url: str, *, kind: str, jobs: int, cycles: int, seed: int) -> Counter[str]:
    """Kill so many workers in the middle of jobs, then let one finish; how often each effect is there."""
    chance = random.Random(seed)
    _enqueue(engine, kind, jobs)
    for _ in range(cycles):
        assert _left(engine) > 0, "no work was left to be killed in: give more jobs"
        before = _left(engine)
        with victim(url, lease_s=LEASE_S) as process:
            until(partial(_fewer_left, engine, before))
            time.sleep(chance.uniform(0, 4 * SECONDS))
            process.kill()
            process.wait(PATIENCE_S)
    with another(engine, lease_s=LEASE_S):
        until(lambda: _left(engine) == 0)
    with reading(engine) as session:
        assert list(ledgers.jobs(session)) == []
        assert list(ledgers.audit(session)) == []
    return Counter(words(engine))


def _once_each(found: Counter[str], jobs: int) -> None:
    assert set(found) == {f"{number:04}" for number in range(jobs)}, "an effect is missing"
    assert set(found.values()) == {1}, "an effect is there twice"


def test_killed_workers_leave_each_effect_once(engine: Engine, database_url: str) -> None:
    _once_each(_killed(engine, database_url, kind="word.note", jobs=80, cycles=4, seed=1), 80)


@pytest.mark.prove
def test_two_hundred_killed_workers_leave_each_effect_once(engine: Engine, database_url: str) -> None:
    _once_each(_killed(engine, database_url, kind="word.note", jobs=4000, cycles=200, seed=2), 4000)


def test_with_effect_and_end_in_two_transactions_the_same_test_fails(engine: Engine, database_url: str) -> None:
    with pytest.raises(AssertionError, match="an effect is there twice"):
        _once_each(_killed(engine, database_url, kind="word.split", jobs=80, cycles=4, seed=3), 80)
