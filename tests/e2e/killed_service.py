"""A server and a worker that are killed again and again while clients write, and the judge of what is left."""

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, text

from pooling.database import reading, transaction
from pooling.invariants.commands import CHECKS
from tests.e2e import writers
from tests.e2e.nursery import Nursery
from tests.e2e.writers import Signals, Writer
from tests.pooling.api_client import make_account
from tests.pooling.planning.demand import small_world

START_S = 30.0
WRITES = (0, 2, 4, 8, 24)
MOMENT_S = 0.1
"""A server is killed within this after one of so many acknowledged writes: some lives are long enough for anybody."""
WORKERS_KILLED = 0.5
"""Share of the cycles in which the worker is killed too: its jobs take longer than a cycle."""
Step = Callable[[Writer, int], None]


@dataclass
class Outcome:
    """What was done to the service, and what its clients were told."""

    killed: Counter[str] = field(default_factory=Counter)
    acknowledged: Counter[str] = field(default_factory=Counter)
    cut: int = 0
    jobs: Counter[str] = field(default_factory=Counter)


@dataclass
class Killed:
    """The service over one database, with its clients at work."""

    engine: Engine
    url: str
    nursery: Nursery
    port: int
    faults: Sequence[str]
    clients: list[Writer]
    outcome: Outcome = field(default_factory=Outcome)
    server: int = 0
    worker: int = 0

    def start_server(self) -> None:
        """A server that answers."""
        self.server = self.nursery.start("serve", self.url, str(self.port), *self.faults)
        until = time.monotonic() + START_S
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1.0):
                    return
            except OSError:
                assert time.monotonic() < until, "the server does not start"
                time.sleep(0.02)

    def start_worker(self) -> None:
        self.worker = self.nursery.start("work", self.url, *self.faults)

    def cycle(self, chance: random.Random) -> None:
        """Kill at a random moment, look at the database as it was left, start again."""
        self._wait_for(chance.choice(WRITES))
        time.sleep(chance.uniform(0, MOMENT_S))
        with_worker = chance.random() < WORKERS_KILLED
        self.nursery.kill(self.server)
        self.outcome.killed["server"] += 1
        if with_worker:
            self.nursery.kill(self.worker)
            self.outcome.killed["worker"] += 1
        self.check()
        if with_worker:
            self.start_worker()
        self.start_server()

    def _wait_for(self, writes: int) -> None:
        """Until so many more are acknowledged."""
        enough = self._acknowledged() + writes
        until = time.monotonic() + START_S
        while self._acknowledged() < enough:
            _raise_failures(self.clients, self.nursery.log)
            assert time.monotonic() < until, f"no {writes} writes are acknowledged in {START_S} s"
            time.sleep(0.005)

    def _acknowledged(self) -> int:
        return sum(client.writes for client in self.clients)

    def check(self) -> None:
        """Nothing contradicts itself."""
        with reading(self.engine) as session:
            found = [f"{name}: {each}" for name, look in CHECKS.items() for each in look(session)]
        assert not found, f"the database contradicts itself: {found[:5]}"

    def judge(self) -> None:
        """What was acknowledged is there, once, as it was said, in every ledger."""
        self.check()
        with reading(self.engine) as session:

            def rows(query: str) -> list[tuple[Any, ...]]:
                return [tuple(row) for row in session.connection().execute(text(query))]

            deeds = rows("SELECT principal, operation, request, resource_type FROM audit_entry")
            jobs = {_uuid(row[0]) for row in rows("SELECT id FROM job")}
            answers = Counter(row[0] for row in rows("SELECT client FROM stored_response"))
            feed = rows("SELECT type, resource_id, version, action FROM feed_entry ORDER BY position")
            names = Counter(row[0] for row in rows("SELECT label FROM api_key"))
            names += Counter(row[0] for row in rows("SELECT name FROM person"))
            names += Counter(row[0] for row in rows("SELECT learnt FROM dialogue"))
            series = rows("SELECT status, count(*) FROM submission WHERE series = 'killed uploads' GROUP BY status")
            plans = rows("SELECT seed, count(*) FROM plan GROUP BY seed")
        for client in self.clients:
            self._judge_deeds(client, deeds, jobs)
            who = str(client.account.principal.id)
            assert answers[who] == client.stored, f"{who}: {answers[who]} answers kept of {client.stored}"
            for kind, version in client.versions.items():
                told = [(row[2], row[3]) for row in feed if row[:2] == kind]
                said = [str(number) for number in range(1, version + 1)]
                assert [row[0] for row in told] == said, f"feed of {kind}: {told}, acknowledged up to {version}"
                assert [row[1] for row in told] == ["created"] + ["updated"] * (version - 1), f"feed of {kind}: {told}"
        twice = {name: count for name, count in names.items() if count > 1 and "test" not in name.lower()}
        assert not twice, f"there twice: {twice}"
        loads = sum(value == "loaded" for client in self.clients for value in client.state.values())
        counted = dict(series)
        assert sum(counted.values()) == loads, f"{counted} submissions of {loads} uploads that were loaded"
        assert counted.get("accepted", 0) <= 1, f"{counted}: one submission of a series counts"
        assert all(count == 1 for _, count in plans), f"plans by seed: {plans}"

    def _judge_deeds(self, client: Writer, deeds: list[tuple[Any, ...]], jobs: set[str]) -> None:
        """A PUT without a key, repeated after a lost answer, is entered too: without a resource, as it did nothing."""
        who = str(client.account.principal.id)
        own = [deed for deed in deeds if deed[0] == who and (client.keyed or deed[3] is not None)]
        done = {request: operation for _, operation, request, _ in own}
        found = Counter(operation for request, operation in done.items() if request not in jobs)
        told = f"{who}: {found} in the audit, {client.acknowledged} acknowledged"
        assert found.total() == client.acknowledged.total(), told

    def read_back(self) -> None:
        """Every resource answers what it was last acknowledged to be."""
        for client in self.clients:
            with httpx.Client(
                base_url=client.base, headers=client.account.headers, timeout=30.0, trust_env=False
            ) as reader:
                for path, expected in client.state.items():
                    answer = reader.get(path)
                    assert answer.status_code == (404 if expected is None else 200), f"{path}: {answer.status_code}"
                    if expected is not None:
                        found = _told(answer.json())
                        assert expected in found, f"{path}: {found}, acknowledged {expected}"


def _told(body: dict[str, Any]) -> tuple[Any, ...]:
    sent = body.get("sent") or {}
    return sent.get("quantity"), *(body.get(name) for name in ("name", "learnt", "label", "status"))


def _uuid(value: Any) -> str:
    plain = str(value).replace("-", "")
    return f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}-{plain[16:20]}-{plain[20:]}"


def kill_the_service(
    nursery: Nursery, engine: Engine, url: str, *, cycles: int, seed: int, faults: Sequence[str] = ()
) -> Outcome:
    """Kill server and worker so many times while clients write; raises AssertionError where anything is lost."""
    chance = random.Random(seed)
    with started(nursery, engine, url, faults) as service:
        for _ in range(cycles):
            service.cycle(chance)
    service.judge()
    return service.outcome


@contextmanager
def started(nursery: Nursery, engine: Engine, url: str, faults: Sequence[str]) -> Iterator[Killed]:
    """The service with clients at work; at the end they finish what they began, and read it back."""
    now = datetime.now(UTC)
    with transaction(engine) as session:
        count = len(small_world(session))
        session.connection().execute(
            text("UPDATE submission SET rows_read = :count, lines_made = :count"), {"count": count}
        )
    signals = Signals()
    port = _free_port()

    def writer(role: str, *participants: str, keyed: bool = True) -> Writer:
        account = make_account(engine, role, participants=participants, now=now)
        return Writer(f"http://127.0.0.1:{port}", account, signals, keyed)

    steps: list[tuple[Writer, Step]] = [
        (writer("coordinator", "SE-M"), writers.write_forecast),
        (writer("partner", "SE-AB", keyed=False), writers.write_forecast),
        (writer("coordinator", "SE-O"), writers.write_bulk),
        (writer("planner"), writers.write_market),
        (writer("administrator"), writers.write_access),
        (writer("coordinator", "SE-C"), writers.write_upload),
        (writer("planner"), writers.write_run),
    ]
    clients = [client for client, _ in steps]
    with nursery:
        service = Killed(engine, url, nursery, port, faults, clients)
        service.start_worker()
        service.start_server()
        threads = [threading.Thread(target=client.run, args=(step,), daemon=True) for client, step in steps]
        for thread in threads:
            thread.start()
        try:
            yield service
        except BaseException:
            signals.abandon.set()
            raise
        finally:
            signals.stop.set()
            for thread in threads:
                thread.join(writers.PATIENCE_S)
        _raise_failures(clients, nursery.log)
        service.read_back()
        for client in clients:
            service.outcome.acknowledged += client.acknowledged
            service.outcome.cut += client.cut
            jobs = (each for each in client.state.items() if each[0].startswith(("/v1/runs", "/v1/uploads")))
            service.outcome.jobs += Counter(f"{path.split('/')[2]} {status}" for path, status in jobs)


def _raise_failures(clients: Sequence[Writer], log: Path) -> None:
    for client in clients:
        if client.failure is not None:
            raise AssertionError(f"{client.failure}\n{log.read_text()[-3000:]}") from client.failure


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
