"""The database: engine, the one transaction, column types, bulk insert.

SQLite (WAL, foreign keys on) by default, PostgreSQL 15 or later through psycopg 3; one dialect-neutral schema.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Connection, DateTime, Dialect, Engine, Integer, Table, create_engine, event, text
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, SQLModel

BIG_INTEGER = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER keys

SQLITE_STEPS = 20_000
"""Steps of SQLite's machine between two looks at the clock: some milliseconds."""

SYNCHRONOUS = "FULL"
"""SQLite: what was committed outlives a power cut."""

FOR_READING = "pooling_for_reading"
STATEMENT_TIME = "pooling_statement_time"
CLOSING = "pooling.closing"
"""Key in a session's ``info`` of what is still done before its commit, by rank."""

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant; SQLite keeps it without zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive datetime cannot be stored: {value!r}; give it a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def connect(url: str, *, connections: int = 15, statement_time_s: float | None = None) -> Engine:
    """An engine for ``sqlite:///path`` or ``postgresql+psycopg://…``; a SQLite file is created with its folder.

    ``connections``: how many at most at once. ``statement_time_s``: what the database works on for longer is broken
    off (PostgreSQL: a statement; SQLite: a transaction); None: nothing is.
    """
    pool = {"pool_size": connections, "max_overflow": 0, "pool_use_lifo": True}
    if not url.startswith("sqlite"):
        engine = create_engine(url, hide_parameters=True, **pool)
        engine.__dict__[STATEMENT_TIME] = None  # each connection knows it
        if statement_time_s is not None:
            event.listen(engine, "connect", partial(_limit_postgresql, statement_time_s))
        return engine
    Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 30.0}, hide_parameters=True, **pool)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    engine.__dict__[STATEMENT_TIME] = statement_time_s
    if statement_time_s is not None:  # after the beginning, which may wait for another writer
        event.listen(engine, "begin", partial(_limit_sqlite, statement_time_s))
    return engine


def _limit_postgresql(seconds: float, connection: Any, _record: object) -> None:
    connection.execute(f"SET statement_timeout = {int(seconds * 1000)}")
    connection.commit()


def _limit_sqlite(seconds: float, connection: Connection) -> None:
    """From the beginning of a transaction on; SQLite asks every so many steps of its machine."""
    limit_driver(seconds, connection.connection.driver_connection)


def limit_driver(seconds: float, driver: Any) -> None:
    """Have the driver's connection break off what it still works on after so many seconds from now."""
    until = time.monotonic() + seconds
    driver.set_progress_handler(lambda: time.monotonic() > until, SQLITE_STEPS)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late; _begin_sqlite opens the transaction
    for pragma in ("journal_mode=WAL", f"synchronous={SYNCHRONOUS}", "foreign_keys=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    driver: Any = connection.connection.driver_connection
    if driver.in_transaction:  # begun by `looking`, which this connection carries on
        return
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """The one transaction of a request, job or command: all of it is kept, or nothing is.

    Service functions take the session and never commit. What `at_close` was given runs last, just before the commit.
    """
    with Session(engine) as session, session.begin():
        yield session
        session.flush()
        closing: dict[int, Callable[[Session], None]] = session.info.get(CLOSING, {})
        for rank in sorted(closing):
            closing[rank](session)


def at_close(session: Session, rank: int, work: Callable[[Session], None]) -> None:
    """Have ``work`` done at the end of the open `transaction`, in the order of ranks; a rank has one work."""
    session.info.setdefault(CLOSING, {})[rank] = work


def one_at_a_time(session: Session, name: str) -> None:
    """Let no other transaction past the same ``name`` until this one ends; SQLite has one writer by itself."""
    if session.connection().dialect.name == "postgresql":
        session.connection().execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A transaction for reading: one consistent view that holds no writer back; PostgreSQL refuses writes in it."""
    with Session(_for_reading(engine), expire_on_commit=False) as session:  # its end is a rollback: there is nothing
        yield session


def _for_reading(engine: Engine) -> Engine:
    """The engine with the options of reading transactions; made once, as it is needed by every request."""
    made: Engine | None = engine.__dict__.get(FOR_READING)
    if made is None:
        options: dict[str, Any] = {"reading": True}
        if engine.dialect.name == "postgresql":
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        made = engine.execution_options(**options)
        engine.__dict__[FOR_READING] = made
    return made


def insert_rows(session: Session, table: Table, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> int:
    """Insert many ready rows inside the open transaction; returns how many.

    ``rows`` hold driver values in the order of ``columns`` (no type of the table is applied): SQLite takes them by
    ``executemany``, PostgreSQL by ``COPY``. Sorted by the table's index keys they go in fastest.
    """
    connection = session.connection()
    cursor: Any = connection.connection.cursor()  # drivers take iterators and copy, which the common type leaves out
    names = ", ".join(columns)
    try:
        if connection.dialect.name == "postgresql":
            count = 0
            with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
                    count += 1
            return count
        marks = ", ".join("?" * len(columns))
        cursor.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)  # noqa: S608 names of the table
        return max(0, int(cursor.rowcount))
    finally:
        cursor.close()
