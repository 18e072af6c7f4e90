"""The service of the demonstration: on loopback, with a worker, by a clock that is set forward, and the ways in."""

import logging
import socket
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import uvicorn
from sqlalchemy import Engine

from pooling import working
from pooling.access import keys, people
from pooling.access.rules import Role
from pooling.app import create_app
from pooling.demand.uploads import LOAD_JOB
from pooling.jobs.context import Means
from pooling.jobs.worker import Worker
from pooling.planning.findings import EXPLAIN
from pooling.settings import Settings
from pooling.transactions import written

Document = Mapping[str, Any]
START_S, STOP_S, ANSWER_S, LOOK_S = 30.0, 15.0, 60.0, 0.1
JOB_S = 300.0
"""A job may wait for many others before it, on a slow machine."""
MOST_TRIES = 5
MORNING = 9  # o'clock, UTC
LEFT_OUT = frozenset({EXPLAIN, LOAD_JOB})
"""Kinds of jobs that the worker here does not do: what is found out about plans is left to a later one, and files are
stored in a stage of its own (see `Site.storing`)."""


class Refused(RuntimeError):
    """A request that the service refused; ``problem`` is its answer (RFC 9457)."""

    def __init__(self, request: str, problem: Document) -> None:
        super().__init__(f"{request}: {problem.get('status')} {problem.get('code')}: {problem.get('detail')}")
        self.problem = problem


class Clock:
    """The time of the demonstration: it goes as everywhere, from wherever it was set to."""

    def __init__(self, now: datetime) -> None:
        self.set(now)

    def __call__(self) -> datetime:
        return self._set_to + timedelta(seconds=time.monotonic() - self._set_at)

    def set(self, now: datetime) -> None:
        """From now on it is ``now``."""
        self._set_to, self._set_at = now, time.monotonic()


@dataclass(frozen=True, slots=True)
class Desk:
    """Where one principal works: requests with its key; each raises `Refused` where the service does not do it."""

    _client: httpx.Client
    _key: str

    def get(self, path: str) -> Any:
        """What is there."""
        return self.request("GET", path).json()

    def post(self, path: str, body: Document | None = None, *, of: str | None = None) -> Any:
        """Make something, or move on what stands at ``of``, as it is now."""
        return self.request("POST", path, of=of, json={} if body is None else dict(body)).json()

    def put(self, path: str, body: Document, *, of: str | None = None) -> Any:
        """Set what is not there yet, or replace what stands at ``of``, as it is now."""
        return self.request("PUT", path, of=of, json=dict(body)).json()

    def patch(self, path: str, body: Document) -> Any:
        """Change parts of what stands at ``path``, as it is now."""
        return self.request("PATCH", path, of=path, json=dict(body)).json()

    def request(self, method: str, path: str, *, of: str | None = None, **more: Any) -> httpx.Response:
        """One request; with ``of``, only if what stands there is still what it is now.

        While jobs write without a pause, SQLite may let nobody else in: the service says when to come again.
        """
        headers = {"Authorization": f"Bearer {self._key}"}
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        if of is not None:
            headers["If-Match"] = self.request("GET", of).headers["ETag"]
        for waited in range(MOST_TRIES):
            answer = self._client.request(method, path, headers=headers, **more)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or waited == MOST_TRIES - 1:
                break
            time.sleep(float(answer.headers.get("Retry-After", 1)))
        if answer.status_code >= httpx.codes.BAD_REQUEST:
            raise Refused(f"{method} {path}", answer.json())
        return answer

    def all(self, path: str) -> list[Any]:
        """Every item of a list, page by page."""
        page = self.get(path)
        items: list[Any] = page["items"]
        while page["next_cursor"] is not None:
            page = self.get(f"{path}{'&' if '?' in path else '?'}cursor={page['next_cursor']}")
            items += page["items"]
        return items

    def when(self, path: str, *, unless: Collection[str], within_s: float = JOB_S) -> Iterator[Any]:
        """What stands at ``path``, looked at again and again until its ``status`` is none of ``unless``.

        Raises TimeoutError where that takes too long.
        """
        until = time.monotonic() + within_s
        while True:
            found = self.get(path)
            yield found
            if found["status"] not in unless:
                return
            if time.monotonic() > until:
                raise TimeoutError(f"{path} is still {found['status']} after {within_s:.0f} s")
            time.sleep(LOOK_S)

    def once(self, path: str, *, unless: Collection[str], within_s: float = JOB_S) -> Any:
        """The last of `when`."""
        *_, last = self.when(path, unless=unless, within_s=within_s)
        return last


@dataclass(slots=True)
class Site:
    """The running service, and who works with it: a planner, and a coordinator for each participant.

    A coordinator of a participant that will pass to a successor acts for that one too: demand after the merger is its.
    """

    clock: Clock
    _means: Means
    _successors: Mapping[str, str | None]
    _client: httpx.Client
    _people: dict[str, UUID] = field(default_factory=dict)
    _desks: dict[str, tuple[Desk, datetime]] = field(default_factory=dict)

    @property
    def planner(self) -> Desk:
        """The planner's."""
        return self._desk("Planner", people.Rights(roles=frozenset({Role.PLANNER})))

    def coordinator(self, participant: str) -> Desk:
        """That of a participant's coordinator."""
        acts_for = {participant, self._successors.get(participant) or participant}
        rights = people.Rights(roles=frozenset({Role.COORDINATOR}), participants=frozenset(acts_for))
        return self._desk(f"Coordinator of {participant}", rights)

    def go_to(self, day: date) -> None:
        """Set the clock to the morning of a day."""
        self.clock.set(datetime(day.year, day.month, day.day, MORNING, tzinfo=UTC))

    @contextmanager
    def storing(self) -> Iterator[None]:
        """Have confirmed files stored, one at a time: SQLite has one writer, and is not fair to those who wait."""
        worker = Worker(self._means, {LOAD_JOB: working.HANDLERS[LOAD_JOB]}, light=1)
        worker.start()
        try:
            yield
        finally:
            worker.stop(STOP_S)

    def reader(self) -> UUID:
        """Let another planner in, who has no key yet: whoever wants to look at what was done."""
        rights = people.Rights(roles=frozenset({Role.PLANNER}))
        with written(self._means.engine, actor=None, now=self.clock(), operation="admin.person") as opened:
            return people.add_person(opened.session, "Reader of the demonstration", rights, now=opened.now)

    def _desk(self, name: str, rights: people.Rights) -> Desk:
        """Let somebody in who is not yet, with a key that is kept nowhere else."""
        desk, until = self._desks.get(name, (None, self.clock()))
        if desk is None or self.clock() >= until:
            with written(self._means.engine, actor=None, now=self.clock(), operation="admin.key") as opened:
                if name not in self._people:
                    made_up = f"{name} (made up)"
                    self._people[name] = people.add_person(opened.session, made_up, rights, now=opened.now)
                key = keys.add(opened.session, self._people[name], label="demonstration", now=opened.now)
            desk = Desk(self._client, key.secret)
            self._desks[name] = desk, key.key.expires_at - timedelta(days=1)
        return desk


@contextmanager
def running(
    engine: Engine, url: str, clock: Clock, successors: Mapping[str, str | None], *, log: Path
) -> Iterator[Site]:
    """The service over the database while the block runs, on a free port of this machine alone.

    ``log``: file for what it would tell whoever runs it.
    """
    means = Means(engine, clock=clock, lease_clock=lambda _session: clock())
    worker = Worker(means, {name: kind for name, kind in working.HANDLERS.items() if name not in LEFT_OUT})
    with socket.socket() as listener, _logged(log):
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = create_app(Settings(database_url=url), clock=clock)
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="demo-server", daemon=True)
        thread.start()
        worker.start()
        try:
            _wait_for(server, thread)
            with httpx.Client(base_url=address, timeout=ANSWER_S, trust_env=False) as client:
                yield Site(clock, means, successors, client)
        finally:
            worker.stop(STOP_S)
            server.should_exit = True
            thread.join(STOP_S)


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    handler = logging.FileHandler(path, encoding="utf-8")
    logger = logging.getLogger("pooling")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()


def _wait_for(server: uvicorn.Server, thread: threading.Thread) -> None:
    until = time.monotonic() + START_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until:
            raise RuntimeError("the service of the demonstration did not start")
        time.sleep(0.01)
