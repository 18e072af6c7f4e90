"""One attempt at a time, in this thread: order, results, refusals, retries, cancels, the fence."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine

from pooling import jobs
from pooling.database import transaction
from pooling.errors import BadInput
from pooling.jobs import JobContext, JobStopped, Kind
from pooling.jobs.claiming import claim
from pooling.jobs.rules import FIRST_WAIT, LEASE, LONGEST_WAIT, wait_before
from tests.pooling.jobs.working import enqueued, job_of, words, work_all, worker_of, write

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def note(context: JobContext) -> None:
    """A visible effect: a category's name; ends with its transaction."""
    with context.written() as opened:
        write(opened.session, context.payload["word"])
        context.finish({"location": f"/v1/words/{context.payload['word']}"})


def test_a_job_is_made_with_its_callers_change_or_not_at_all(engine: Engine) -> None:
    class Undone(Exception):
        pass

    with suppress(Undone), transaction(engine) as session:
        jobs.enqueue(session, "word.note", {"word": "a"}, now=NOW, actor=None)
        raise Undone
    assert work_all(engine, {"word.note": Kind(note)}, now=NOW) == 0
    job = enqueued(engine, "word.note", now=NOW, payload={"word": "a"})
    assert work_all(engine, {"word.note": Kind(note)}, now=NOW) == 1
    done = job_of(engine, job)
    assert (done.status, done.result, done.attempts, done.owner) == ("succeeded", {"location": "/v1/words/a"}, 1, None)
    assert (done.started_at, done.finished_at) == (NOW, NOW)
    assert words(engine) == ["a"]


def test_of_two_jobs_with_one_key_only_the_first_is_made(engine: Engine) -> None:
    first, second = (enqueued(engine, "a.b", now=NOW, key="once", payload={"n": n}) for n in (1, 2))
    assert first == second
    assert job_of(engine, first).payload == {"n": 1}
    assert enqueued(engine, "a.b", now=NOW, key="other") != first


def test_the_most_urgent_first_then_the_longest_due_and_none_before_its_time(engine: Engine) -> None:
    seen: list[str] = []
    for name, priority, minutes in (("late", 0, -1), ("early", 0, -2), ("urgent", 5, 0), ("future", 9, 1)):
        run_at = NOW + timedelta(minutes=minutes)
        enqueued(engine, "a.b", now=NOW, payload={"name": name}, priority=priority, run_at=run_at)
    handlers = {"a.b": Kind(lambda context: seen.append(context.payload["name"]))}
    assert work_all(engine, handlers, now=NOW) == 3
    assert seen == ["urgent", "early", "late"]
    work_all(engine, handlers, now=NOW + timedelta(minutes=1))
    assert seen[-1] == "future"


def test_a_kind_that_a_worker_does_not_know_waits_for_one_that_does(engine: Engine) -> None:
    job = enqueued(engine, "newer.kind", now=NOW)
    assert work_all(engine, {"a.b": Kind(lambda _: None)}, now=NOW) == 0
    assert job_of(engine, job).status == "queued"


def test_a_refusal_ends_the_job_with_its_code_and_words(engine: Engine) -> None:
    def refuse(_: JobContext) -> None:
        raise BadInput("row 3: quantity -1: give 1 or more")

    job = enqueued(engine, "a.b", now=NOW)
    assert work_all(engine, {"a.b": Kind(refuse)}, now=NOW) == 1
    failed = job_of(engine, job)
    assert failed.status == "failed"
    assert failed.problem == {"code": "bad-input", "detail": "row 3: quantity -1: give 1 or more"}


def test_other_failures_are_tried_again_later_and_end_as_a_dead_letter(engine: Engine) -> None:
    def fail(_: JobContext) -> None:
        raise OSError("disk of host 10.0.0.7 is full")

    job, now = enqueued(engine, "a.b", now=NOW, max_attempts=3), NOW
    for attempt in (1, 2, 3):
        assert work_all(engine, {"a.b": Kind(fail)}, now=now) == 1
        tried = job_of(engine, job)
        assert tried.attempts == attempt
        if attempt < 3:
            assert tried.status == "queued"
            assert now + FIRST_WAIT * 2 ** (attempt - 1) / 2 <= tried.run_at <= now + FIRST_WAIT * 2 ** (attempt - 1)
            now = tried.run_at
    assert (tried.status, tried.problem["code"]) == ("failed", "job-failed")
    assert "10.0.0.7" not in str(tried.problem)
    assert work_all(engine, {"a.b": Kind(fail)}, now=now + LONGEST_WAIT) == 0


def test_waits_double_are_spread_and_end_at_an_hour() -> None:
    assert wait_before(1, 0.999) < FIRST_WAIT
    assert wait_before(4, 0.0) == FIRST_WAIT * 4
    assert wait_before(60, 0.999) < LONGEST_WAIT
    assert wait_before(60, 0.0) == LONGEST_WAIT / 2


def test_effect_and_end_are_one_transaction(engine: Engine) -> None:
    def half(context: JobContext) -> None:
        with context.written() as opened:
            write(opened.session, "half")
            context.finish({})
            raise OSError("the disk failed after all")

    job = enqueued(engine, "a.b", now=NOW, max_attempts=1)
    work_all(engine, {"a.b": Kind(half)}, now=NOW)
    assert (job_of(engine, job).status, words(engine)) == ("failed", [])


def test_a_handler_may_tell_of_a_refusal_in_a_second_transaction(engine: Engine) -> None:
    def refused(context: JobContext) -> None:
        with suppress(BadInput), context.written() as opened:
            write(opened.session, "lost")
            context.finish({"n": 1})
            raise BadInput("after all")
        with context.written() as opened:
            write(opened.session, "kept")
            context.finish({"n": 2})

    job = enqueued(engine, "a.b", now=NOW)
    work_all(engine, {"a.b": Kind(refused)}, now=NOW)
    assert (words(engine), job_of(engine, job).result) == (["kept"], {"n": 2})


def test_finish_belongs_inside_the_transaction(engine: Engine) -> None:
    def outside(context: JobContext) -> None:
        context.finish({})

    job = enqueued(engine, "a.b", now=NOW, max_attempts=1)
    work_all(engine, {"a.b": Kind(outside)}, now=NOW)
    assert job_of(engine, job).status == "failed"


@pytest.mark.parametrize("finishing", [True, False])
def test_a_late_owner_writes_nothing(engine: Engine, finishing: bool) -> None:
    """While its worker slept the lease ran out, and another took the job over and did it."""

    def slow(context: JobContext) -> None:
        later = NOW + LEASE
        assert work_all(engine, {"word.note": Kind(note)}, now=later) == 1
        with context.written() as opened:
            write(opened.session, "late")
            if finishing:
                context.finish({})

    job = enqueued(engine, "word.note", now=NOW, payload={"word": "taken-over"})
    worker = worker_of(engine, {"word.note": Kind(slow)}, now=NOW)
    assert worker.work_once({"word.note"})
    assert words(engine) == ["taken-over"]
    done = job_of(engine, job)
    assert (done.status, done.attempts, done.result) == ("succeeded", 2, {"location": "/v1/words/taken-over"})


def test_without_the_fence_the_late_owner_would_have_written(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pooling.jobs.fence._write", lambda *_: None)
    test_a_late = pytest.raises(AssertionError)
    with test_a_late:
        test_a_late_owner_writes_nothing(engine, finishing=False)
    assert "late" in words(engine)


def test_a_lease_is_good_until_it_runs_out(engine: Engine) -> None:
    job = enqueued(engine, "a.b", now=NOW)
    with transaction(engine) as session:
        assert claim(session, {"a.b"}, owner="one", now=NOW)
    with transaction(engine) as session:
        assert claim(session, {"a.b"}, owner="two", now=NOW + LEASE - timedelta(seconds=1)) is None
        taken = claim(session, {"a.b"}, owner="two", now=NOW + LEASE)
    assert taken is not None
    assert (taken.held.job, taken.held.owner, taken.held.attempt) == (job, "two", 2)


def test_a_job_that_every_worker_dies_of_is_not_taken_for_ever(engine: Engine) -> None:
    job, now = enqueued(engine, "a.b", now=NOW, max_attempts=2), NOW
    for _ in range(4):
        with transaction(engine) as session:
            claim(session, {"a.b"}, owner="one", now=now)
        now += LEASE
    dead = job_of(engine, job)
    assert (dead.status, dead.attempts, dead.problem["code"]) == ("failed", 2, "worker-lost")


def cancelled(engine: Engine, job: UUID) -> None:
    with transaction(engine) as session:
        assert jobs.cancel(session, job, now=NOW) is not None


def test_a_waiting_job_is_cancelled_at_once_and_a_done_one_stays_done(engine: Engine) -> None:
    waiting = enqueued(engine, "a.b", now=NOW)
    cancelled(engine, waiting)
    assert job_of(engine, waiting).status == "cancelled"
    done = enqueued(engine, "a.b", now=NOW)
    assert work_all(engine, {"a.b": Kind(lambda _: {"n": 1})}, now=NOW) == 1
    cancelled(engine, done)
    assert (job_of(engine, done).status, job_of(engine, done).cancel_requested_at) == ("succeeded", None)
    with transaction(engine) as session:
        assert jobs.cancel(session, uuid4(), now=NOW) is None


def _stops(context: JobContext) -> None:
    context.check()


def _writes(context: JobContext) -> None:
    with context.written() as opened:
        write(opened.session, "cancelled")


@pytest.mark.parametrize("go_on", [_stops, _writes])
def test_a_running_job_hears_that_it_is_cancelled(engine: Engine, go_on: Callable[[JobContext], None]) -> None:
    job = enqueued(engine, "a.b", now=NOW)

    def work(context: JobContext) -> None:
        assert not context.cancelled()
        cancelled(engine, job)
        worker.beat()
        assert context.cancelled()
        go_on(context)

    worker = worker_of(engine, {"a.b": Kind(work)}, now=NOW)
    assert worker.work_once({"a.b"})
    assert (job_of(engine, job).status, job_of(engine, job).finished_at) == ("cancelled", NOW)
    assert words(engine) == []


def test_a_cancelled_job_whose_worker_died_is_not_begun_again(engine: Engine) -> None:
    job = enqueued(engine, "a.b", now=NOW)
    with transaction(engine) as session:
        claim(session, {"a.b"}, owner="dead", now=NOW)
    cancelled(engine, job)
    assert job_of(engine, job).status == "running"
    assert work_all(engine, {"a.b": Kind(lambda _: None)}, now=NOW + LEASE) == 0
    assert job_of(engine, job).status == "cancelled"


def test_progress_is_stored_with_the_next_sign_of_life_also_within_a_transaction(engine: Engine) -> None:
    job = enqueued(engine, "a.b", now=NOW)

    def work(context: JobContext) -> None:
        context.progress({"done": 1, "of": 2})
        worker.beat()
        assert job_of(engine, job).progress == {"done": 1, "of": 2}
        with context.written():
            context.progress({"done": 2, "of": 2})  # must not wait for the transaction it stands in
        worker.beat()

    worker = worker_of(engine, {"a.b": Kind(work)}, now=NOW)
    worker.work_once({"a.b"})
    assert (job_of(engine, job).status, job_of(engine, job).progress) == ("succeeded", {"done": 2, "of": 2})


def test_a_job_given_back_does_not_count_as_an_attempt(engine: Engine) -> None:
    job = enqueued(engine, "a.b", now=NOW)

    def work(context: JobContext) -> None:
        worker.stop(0.0)
        raise JobStopped("told")

    worker = worker_of(engine, {"a.b": Kind(work)}, now=NOW)
    worker.work_once({"a.b"})
    back = job_of(engine, job)
    assert (back.status, back.attempts, back.owner) == ("queued", 0, None)
