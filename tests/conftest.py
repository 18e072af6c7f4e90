"""Real databases for every test: SQLite files, and a private PostgreSQL started once from packaged binaries."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg.sql import SQL, Identifier, Literal
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from connectors import sandbox
from pooling import database
from pooling.database import connect
from pooling.schema import migrate
from tests import postgresql
from tests.readers import FORKED, START, Readers

database.SYNCHRONOUS = "OFF"  # a test's own file need not outlive a power cut; the service that tests start syncs
gc.set_threshold(50_000, 20, 50)  # what modules and applications hold stays: looking through it often finds nothing
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")  # machines are shared: how long an example takes says nothing
SHARED = Path(__file__).parents[2] / "shared"


def pytest_configure(config: pytest.Config) -> None:
    """Processes of one run share the processors evenly: some virtual machines would put them all on the first."""
    worker = getattr(config, "workerinput", None)
    if worker is not None and hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[int(worker["workerid"].removeprefix("gw")) % len(processors)]})


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--prove", action="store_true", help="run the long proofs instead of the suite")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("--prove")
    kept = [item for item in items if (item.get_closest_marker("prove") is not None) == wanted]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def pytest_collection_finish() -> None:
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def reading_processes() -> Iterator[None]:
    """Files are read in processes that are forked, not started anew: importing what they need is most of their work."""
    if not FORKED:
        yield
        return
    forking = Readers()
    with patch.object(sandbox, "_start", forking.start):
        yield
    forking.close()


@pytest.fixture
def started_anew() -> Iterator[None]:
    """Files are read in processes as the product starts them."""
    with patch.object(sandbox, "_start", START):
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; tests that need it skip where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"real data is not here: {SHARED / 'data'}")
    return SHARED / "data"


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A server, with a migrated template."""
    with postgresql.running(durable=False) as url:
        postgresql.drop(url, TEMPLATE)
        template = connect(postgresql.shown(postgresql.create(url, TEMPLATE)))
        migrate(template)
        template.dispose()
        yield postgresql.shown(url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    engine = connect(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@contextmanager
def fresh_database(request: pytest.FixtureRequest, kind: str, path: Path) -> Iterator[str]:
    """The address of a fresh, migrated database of the kind; ``path``: of its file for SQLite."""
    if kind == "sqlite":
        path.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        yield f"sqlite:///{path}"
        return
    databases: Databases = request.getfixturevalue("postgresql_databases")
    with databases.lent() as url:
        yield url


@pytest.fixture(scope="session")
def postgresql_databases(postgresql_url: str) -> "Databases":
    """Databases on the server, made when they are needed and lent again once they are empty."""
    return Databases(postgresql_url)


class Databases:
    """PostgreSQL copies a database in a quarter of a second and empties one in a tenth of that."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.free: list[str] = []
        self.as_made: object = None

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The address of an empty, migrated database; nobody is connected to it."""
        name = self.free.pop() if self.free else self._made()
        yield postgresql.shown(self.url.set(database=name))
        if self._emptied(name):
            self.free.append(name)
        else:  # its schema was changed, or something still works in it
            postgresql.drop(self.url, name)

    def _made(self) -> str:
        name = f"test_{uuid4().hex}"
        made = postgresql.create(self.url, name, template=TEMPLATE)
        if self.as_made is None:
            with postgresql.opened(made) as connection:
                self.as_made = connection.execute(SCHEMA).fetchone()
        return name

    def _emptied(self, name: str) -> bool:
        with postgresql.opened(self.url.set(database=name)) as connection:
            connection.execute("SET lock_timeout = '5s'")
            connection.execute(ALONE)
            try:
                if connection.execute(SCHEMA).fetchone() != self.as_made:
                    return False
                tables = [row[0] for row in connection.execute(TABLES)]
                look = SQL("(SELECT {} FROM {} LIMIT 1)")
                looks = [look.format(Literal(table), Identifier(table)) for table in tables]
                filled = [row[0] for row in connection.execute(SQL(" UNION ALL ").join(looks))]
                connection.execute("SET session_replication_role = replica")  # no trigger or reference minds
                deletes = [SQL("DELETE FROM {}").format(Identifier(table)) for table in filled]
                if deletes:  # far quicker than TRUNCATE, which makes a file anew for each table and index
                    connection.execute(SQL("; ").join(deletes))
                connection.execute(FROM_ONE)
            except (psycopg.errors.LockNotAvailable, psycopg.errors.UndefinedTable):
                return False
            return True


TEMPLATE = "pooling_template"
ALONE = """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
FROM_ONE = "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"
SCHEMA = """SELECT
    (SELECT md5(string_agg(relname || relkind::text, ' ' ORDER BY relname)) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace),
    (SELECT md5(string_agg(attrelid::regclass::text || attname || atttypid::text || attnotnull::text, ' '
        ORDER BY attrelid::regclass::text, attnum)) FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace AND attnum > 0),
    (SELECT md5(string_agg(conname || conrelid::regclass::text || convalidated::text, ' '
        ORDER BY conrelid::regclass::text, conname)) FROM pg_constraint WHERE connamespace = 'public'::regnamespace),
    (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal),
    (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
    (SELECT count(*) FROM pg_db_role_setting WHERE setdatabase =
        (SELECT oid FROM pg_database WHERE datname = current_database())),
    (SELECT string_agg(version_num, ' ') FROM alembic_version)"""
"""What a test may have changed besides rows: relations, columns, constraints, triggers, settings, the revision."""


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh, migrated database; the test runs once on each kind."""
    with fresh_database(request, request.param, tmp_path / "pooling.db") as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    yield engine
    engine.dispose()
