"""What the API is measured on: the Nordic demonstration in both kinds of database, with its readers, and servers."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
from litestar.testing import TestClient
from psycopg.types.json import Json
from sqlalchemy import Engine, event, func, select
from sqlalchemy.engine import make_url
from sqlmodel import Session, SQLModel

import pooling.tables  # noqa: F401
from pooling import prepared
from pooling.access import keys, people
from pooling.access.rules import Role, Visible
from pooling.app import create_app
from pooling.backup.service import back_up, restore
from pooling.database import connect, reading, transaction
from pooling.demand.results import Loaded
from pooling.demo import service as demonstration
from pooling.demo.folder import DATABASE, POLICY
from pooling.demo.make import Demonstration, Sent
from pooling.looking import Reading
from pooling.planning.service import Effort
from pooling.schema import migrate
from pooling.settings import Settings
from solver import Progress
from tests import postgresql

ITEMS = 50
START_S = 30.0
EFFORT = Effort(time_limit_s=15.0, workers=1, seed=1, gap=0.01)
"""Enough for a plan with pools to list; how good it is does not matter here."""
SENT = "SE-M"
"""The participant that uploads and forecasts of the benchmark are of."""


@dataclass(frozen=True, slots=True)
class World:
    """A database with the demonstration in it, and the keys of those who read it, by role."""

    kind: str
    url: str
    keys: Mapping[str, str]
    seen: Mapping[str, Visible]

    def headers(self, role: str) -> dict[str, str]:
        """What requests of that role carry."""
        return {"Authorization": f"Bearer {self.keys[role]}"}


class Silent:
    """Watches the demonstration and says nothing."""

    def wrote(self, made: Demonstration) -> None: ...
    def loading(self, sent: Sent) -> None: ...
    def loaded(self, sent: Sent, result: Loaded) -> None: ...
    def doubted(self, doubts: Sequence[demonstration.Doubt]) -> None: ...
    def solving(self) -> AbstractContextManager[Any]:
        def follow(_: Progress) -> None: ...

        return nullcontext(follow)


def make_demonstration(folder: Path) -> None:
    """The demonstration, planned, in a folder of its own."""
    demonstration.run(folder, seed=1, effort=EFFORT, watcher=Silent())


@contextmanager
def worlds(folder: Path, kinds: Collection[str]) -> Iterator[list[World]]:
    """The demonstration of ``folder`` in each kind of database: SQLite in a copy of its own, PostgreSQL restored."""
    with tempfile.TemporaryDirectory(prefix="api-") as name, _postgresql("postgresql" in kinds) as server:
        saved = Path(name) / "demonstration.zip"
        source = connect(f"sqlite:///{folder / DATABASE}")
        migrate(source)
        back_up(source, saved, now=datetime.now(UTC), tell=_quiet)
        source.dispose()
        addresses = {"sqlite": f"sqlite:///{Path(name) / 'pooling.db'}", "postgresql": server}
        yield [_world(kind, addresses[kind], saved) for kind in kinds]


def _quiet(_table: str, _rows: int) -> None: ...


def _world(kind: str, url: str, saved: Path) -> World:
    engine = connect(url)
    migrate(engine)
    restore(engine, saved, replace=True, tell=_quiet)
    with transaction(engine) as session:
        several = frozenset(_with_pools(session))
        made = {
            "coordinator": _key(session, Role.COORDINATOR, several),
            "planner": _key(session, Role.PLANNER, frozenset()),
            "partner": _key(session, Role.PARTNER, frozenset({SENT})),
        }
    if kind == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
    engine.dispose()
    seen = {"coordinator": Visible(participants=several), "planner": Visible(all=True)}
    return World(kind, url, made, seen)


def _key(session: Session, role: Role, participants: frozenset[str]) -> str:
    now = datetime.now(UTC)
    if role is Role.PARTNER:
        who = people.add_system(session, "benchmark", participants, now=now)
        return keys.add(session, who, label="benchmark", now=now, scopes=frozenset({"forecasts:write"})).secret
    who = people.add_person(
        session, "Benchmark", people.Rights(roles=frozenset({role}), participants=participants), now=now
    )
    return keys.add(session, who, label="benchmark", now=now).secret


def _with_pools(session: Session) -> list[str]:
    """Participants, as many as it takes to have lines in `ITEMS` pools, those in the most pools first."""
    table = SQLModel.metadata.tables
    lot, held, line = table["plan_lot"], table["plan_lot_line"], table["line"]
    joined = lot.join(held, held.c.lot == lot.c.id).join(line, held.c.line == line.c.id)
    rows = session.connection().execute(select(line.c.participant, lot.c.pool).select_from(joined).distinct()).all()
    pools: dict[str, set[int]] = {}
    for participant, pool in rows:
        pools.setdefault(participant, set()).add(pool)
    chosen: list[str] = []
    covered: set[int] = set()
    for participant in sorted(pools, key=lambda code: (-len(pools[code]), code)):
        if len(covered) > ITEMS:
            return chosen
        chosen.append(participant)
        covered |= pools[participant]
    if len(covered) < ITEMS:
        raise SystemExit(f"api benchmark: the plan has {len(covered)} pools; {ITEMS} are needed")
    return chosen


@contextmanager
def _postgresql(wanted: bool) -> Iterator[str]:
    """The address of an empty database."""
    if not wanted:
        yield ""
        return
    name = f"benchmark_{os.getpid()}"
    with postgresql.running(durable=True) as url:
        yield postgresql.shown(postgresql.create(url, name))
        postgresql.drop(url, name)


def statements(world: World, role: str, paths: Mapping[str, str]) -> dict[str, list[Any]]:
    """All SQL that a request for each of ``paths`` sends to the driver, by name: transactions of statements.

    The first transaction ends with the list's own statement; where others' figures leave, a second enters that.
    """
    settings = replace(Settings(), database_url=world.url)
    made = {}
    with _heard() as heard, TestClient(create_app(settings)) as client:
        for name, path in paths.items():
            for _ in range(2):  # the first also does what is done once in a while
                heard.clear()
                answer = client.get(path, headers=world.headers(role))
            if answer.status_code != 200 or len(answer.json()["items"]) < ITEMS:
                raise SystemExit(f"api benchmark: {role} got {answer.status_code} and too few items from {path}")
            reads = [each for each in heard if each["columns"]]
            writes = [each for each in heard if not each["columns"] and not each["statement"].startswith("BEGIN")]
            made[name] = [reads, writes] if writes else [reads]
    return made


@contextmanager
def _heard() -> Iterator[list[dict[str, Any]]]:
    """Every statement that goes to a driver meanwhile, with its parameters and the columns of its rows."""
    told: list[dict[str, Any]] = []
    plain, at_once = Reading.ask, prepared.at_once

    def note(statement: str, parameters: Any, cursor: Any) -> None:
        columns = [column[0] for column in cursor.description or ()]
        told.append({"statement": statement, "parameters": parameters, "columns": columns})

    def ask(self: Reading, statement: str, parameters: Any) -> Any:
        rows, cursor = plain(self, statement, parameters)
        note(statement, parameters, cursor)
        return rows, cursor

    def hear(_c: Any, cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        note(statement, parameters[0] if many else parameters, cursor)

    def enter(engine: Engine, statement: str, parameters: Any) -> None:
        at_once(engine, statement, parameters)
        told.append({"statement": statement, "parameters": parameters, "columns": []})

    event.listen(Engine, "after_cursor_execute", hear)
    try:
        with patch.object(Reading, "ask", ask), patch.object(prepared, "at_once", enter):
            yield told
    finally:
        event.remove(Engine, "after_cursor_execute", hear)


@dataclass(frozen=True, slots=True)
class Server:
    """The service, running."""

    port: int
    pid: int


@contextmanager
def bare(world: World, paths: Mapping[str, Any]) -> Iterator[Server]:
    """A bare server of these statements, by path."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        url = make_url(world.url)
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        database = plain if world.kind == "postgresql" else world.url
        json.dump({"database": database, "paths": paths}, file, default=_in_words)
        file.flush()
        port = _free_port()
        words = [sys.executable, "-m", "tests.benchmarks.api_bare", str(port), file.name]
        with _running(words, port, next(iter(paths)), {}) as pid:
            yield Server(port, pid)


def _in_words(value: Any) -> str:
    """A parameter as the driver takes it from text."""
    return json.dumps(value.obj) if isinstance(value, Json) else str(value)


@contextmanager
def served(world: World, *, worker: bool = False) -> Iterator[Server]:
    """The service itself, started by its command; it logs every request to a file, as it does in earnest."""
    port = _free_port()
    words = [sys.executable, "-m", "pooling", "--database", world.url, "serve", "--port", str(port)]
    more = {"POOLING_REQUESTS_PER_MINUTE": "10000000"}
    with _running([*words, "--worker" if worker else "--no-worker"], port, "/health/ready", more) as pid:
        yield Server(port, pid)


@contextmanager
def _running(words: Sequence[str], port: int, path: str, more: Mapping[str, str]) -> Iterator[int]:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, env={**os.environ, **more})
        try:
            _wait(process, port, path)
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(START_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int, path: str) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit(f"api benchmark: a server ended with {process.returncode} while starting")
        try:
            if httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise SystemExit("api benchmark: a server did not start in time")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def database_pids(world: World) -> list[int]:
    """Processes of the database server; none where there is no server."""
    if world.kind != "postgresql":
        return []
    engine = connect(world.url)
    with reading(engine) as session:
        found = session.connection().exec_driver_sql("SELECT pid FROM pg_stat_activity").scalars().all()
        own = session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    engine.dispose()
    return [pid for pid in found if pid != own]


def policy_of(folder: Path) -> dict[str, Any]:
    """The demonstration's policy, as a request for a run carries it."""
    read = tomllib.loads((folder / POLICY).read_text())
    told: dict[str, Any] = json.loads(json.dumps(read, default=str))
    return told


def count_lines(world: World, submission: str) -> int:
    """How many lines a submission has in the database."""
    table = SQLModel.metadata.tables["line"]
    engine = connect(world.url)
    with reading(engine) as session:
        wanted = select(func.count()).where(table.c.submission == submission)
        found = session.connection().execute(wanted).scalar_one()
    engine.dispose()
    return int(found)
