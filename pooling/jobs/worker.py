"""A worker: threads that claim jobs and do them, and one that shows life, hears cancels and makes recurring jobs."""

import logging
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

from sqlalchemy.exc import SQLAlchemyError

from pooling.database import reading, transaction
from pooling.jobs import claiming
from pooling.jobs.attempt import attempt, give_back
from pooling.jobs.claiming import Claimed
from pooling.jobs.context import JobContext, Kind, Means
from pooling.jobs.rules import Recurring
from pooling.jobs.schedule import make_due, overdue

LOG = logging.getLogger("pooling.jobs")
POLL_S = 0.5
BEAT_S = 1.0
"""How often progress is stored and a cancel is heard."""
SCHEDULE_S = 5.0
LIVES = 4
"""How often a lease is renewed before it would run out."""


def new_owner() -> str:
    """A name for one worker that no other ever has."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid4().hex[:12]}"


@dataclass(slots=True)
class Worker:
    """Does jobs of the kinds it knows; several on several machines may share one database.

    ``light`` jobs at a time, and beside them ``heavy`` ones (see `Kind`). Its threads never outlive the process.
    """

    means: Means
    handlers: Mapping[str, Kind]
    schedule: Sequence[Recurring] = ()
    light: int = 2
    heavy: int = 1
    owner: str = field(default_factory=new_owner)
    beaten_at: float = 0.0
    """When it last showed life, by the monotonic clock; 0 before."""
    _stopping: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _lanes: list[tuple[threading.Thread, Collection[str]]] = field(default_factory=list)
    _life: threading.Thread | None = None
    _running: dict[JobContext, float] = field(default_factory=dict)
    """Attempts under way, each with the time its lease was last renewed."""

    def start(self) -> None:
        """Begin to work, in threads of its own."""
        light = {name for name, kind in self.handlers.items() if not kind.heavy}
        lanes = [light] * self.light + [set(self.handlers) - light] * self.heavy
        self._lanes = [(_begun(self._work, kinds), kinds) for kinds in lanes if kinds]
        self._life = _begun(self._live)

    def stop(self, grace_s: float) -> None:
        """Take no more; let what runs finish within ``grace_s``, then tell it to stop; give the rest back."""
        self._stopping.set()
        working = [thread for thread, _ in self._lanes]
        _join(working, grace_s)
        for context in list(self._running):
            context.told.set()
        _join(working, min(grace_s, 2.0))
        try:
            for context in list(self._running):
                give_back(context)
        except SQLAlchemyError:  # others take them over when their leases are over
            LOG.exception("worker %s: the database does not answer", self.owner)
        self._ended.set()
        if self._life is not None:
            _join([self._life], 1.0)

    def work_once(self, kinds: Collection[str]) -> bool:
        """Claim one job and do it, here; whether there was one."""
        with reading(self.means.engine) as session:
            if not claiming.any_due(session, kinds, now=self.means.lease_clock(session)):
                return False
        with transaction(self.means.engine) as session:
            session.connection()  # SQLite may wait for another writer here: the lease begins after that
            now = self.means.lease_clock(session)
            claimed = claiming.claim(session, kinds, owner=self.owner, now=now, lease=self.means.lease)
        if claimed is not None:
            with self._held(claimed) as context:
                last = claimed.held.attempt >= claimed.max_attempts
                attempt(context, self.handlers[claimed.kind], last=last, stopping=self._stopping.is_set)
        return claimed is not None

    def make_recurring(self) -> None:
        """Make the jobs that are due by the schedule."""
        with reading(self.means.engine) as session:
            missing = overdue(session, self.schedule, now=self.means.lease_clock(session))
        for each in missing:
            with transaction(self.means.engine) as session:
                make_due(session, each, now=self.means.lease_clock(session))

    def _work(self, kinds: Collection[str]) -> None:
        while not self._stopping.is_set():
            try:
                worked = self.work_once(kinds)
            except SQLAlchemyError:  # what was claimed runs again when its lease is over
                LOG.exception("worker %s: the database does not answer", self.owner)
                worked = False
            if not worked:
                self._stopping.wait(POLL_S * random.uniform(0.8, 1.2))  # noqa: S311 spreads the load, no secret

    @contextmanager
    def _held(self, claimed: Claimed) -> Iterator[JobContext]:
        context = JobContext(self.means, claimed.held, claimed.kind, claimed.payload, claimed.actor)
        self._running[context] = time.monotonic()
        try:
            yield context
        finally:
            del self._running[context]

    def _live(self) -> None:
        """Renew leases, store progress, hear cancels, make recurring jobs."""
        scheduled_at = 0.0
        while not self._ended.wait(BEAT_S):
            try:
                self._keep_lanes()
                self.beat()
                if not self._stopping.is_set() and time.monotonic() - scheduled_at >= SCHEDULE_S:
                    scheduled_at = time.monotonic()
                    self.make_recurring()
            except SQLAlchemyError:
                LOG.exception("worker %s: the database does not answer", self.owner)

    def _keep_lanes(self) -> None:
        """A thread that a job has ended, against all that is foreseen, is begun again."""
        for number, (thread, kinds) in enumerate(self._lanes):
            if not thread.is_alive() and not self._stopping.is_set():
                LOG.error("worker %s: a thread ended; another takes its place", self.owner)
                self._lanes[number] = (_begun(self._work, kinds), kinds)

    def beat(self) -> None:
        """One sign of life for all that runs here."""
        renewed_every_s = self.means.lease.total_seconds() / LIVES
        contexts = {context.held: context for context in list(self._running)}
        with reading(self.means.engine) as session:
            told = claiming.told_to_stop(session, list(contexts))
        for held in told:
            contexts[held].told.set()
        for context in contexts.values():
            progress, context.latest = context.latest, None
            if progress is not None or self._since_life_s(context) >= renewed_every_s:
                with transaction(self.means.engine) as session:
                    until = self.means.lease_clock(session) + self.means.lease
                    if not claiming.show_life(session, context.held, progress=progress, until=until):
                        context.told.set()
                if context in self._running:
                    self._running[context] = time.monotonic()
        self.beaten_at = time.monotonic()

    def _since_life_s(self, context: JobContext) -> float:
        return time.monotonic() - self._running.get(context, 0.0)


def _begun(target: Callable[..., None], *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=target, args=arguments, name="jobs", daemon=True)
    thread.start()
    return thread


def _join(threads: Sequence[threading.Thread], seconds: float) -> None:
    """Wait for all of them, no longer than so many seconds together."""
    until = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
