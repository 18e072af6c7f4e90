"""The database: engine, the one transaction, column types, bulk insert, migrations.

SQLite (WAL, foreign keys on) by default, PostgreSQL 15 or later through psycopg 3; one dialect-neutral schema.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import BigInteger, Connection, DateTime, Dialect, Engine, Integer, Table, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, SQLModel

BIG_INTEGER = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER keys

REPEATABLE_READ = 3
"""PostgreSQL's level of one consistent view, as psycopg numbers it."""

SQLITE_STEPS = 20_000
"""Steps of SQLite's machine between two looks at the clock: some milliseconds."""

SYNCHRONOUS = "FULL"
"""SQLite: what was committed outlives a power cut."""

FOR_READING = "pooling_for_reading"
STATEMENT_TIME = "pooling_statement_time"
LOOKERS = "pooling_lookers"
MOST_LOOKERS = {"sqlite": 4, "postgresql": 8}
"""Handlers that read at once: more would only take the interpreter from each other. PostgreSQL works beside it."""
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
    """Break off what runs on: SQLite asks every so many steps of its machine whether to."""
    _limit_driver(seconds, connection.connection.driver_connection)


def _limit_driver(seconds: float, driver: Any) -> None:
    until = time.monotonic() + seconds
    driver.set_progress_handler(lambda: time.monotonic() > until, SQLITE_STEPS)


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """A migrated engine, closed at the end: what a command works on."""
    engine = connect(url)
    try:
        migrate(engine)
        yield engine
    finally:
        engine.dispose()


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


class Reading:
    """A reading transaction in which the driver itself is asked; also as a session for whoever wants one."""

    __slots__ = ("_checked_out", "_connection", "_engine", "_session", "dialect")

    def __init__(self, engine: Engine, checked_out: Any) -> None:
        self.dialect = engine.dialect
        self._engine = engine
        self._checked_out = checked_out
        self._connection: Connection | None = None
        self._session: Session | None = None

    def ask(self, statement: str, parameters: Any) -> tuple[list[tuple[Any, ...]], Any]:
        """The rows of a statement in the driver's own words and values, and its cursor, which describes the columns.

        Raises what a session would.
        """
        try:
            cursor = self._checked_out.driver_connection.execute(statement, parameters)
            return cursor.fetchall(), cursor
        except self.dialect.loaded_dbapi.Error as broken:
            raise self._told(statement, broken) from broken

    @property
    def session(self) -> Session:
        """The same transaction as a session."""
        if self._session is None:
            self._connection = Connection(self._engine, connection=self._checked_out)
            self._session = Session(self._connection, expire_on_commit=False)
        return self._session

    def _told(self, statement: str, broken: Any) -> BaseException:
        lost = self.dialect.is_disconnect(broken, self._checked_out.driver_connection, None)
        if lost:  # then the others in the pool are lost too, as a session has it
            self._engine.pool._invalidate(self._checked_out, broken)
        return _as_alchemy(self.dialect, statement, broken, lost=lost)

    def begin(self) -> None:
        """Open the transaction."""
        driver = self._checked_out.driver_connection
        if self.dialect.name == "postgresql":
            driver.set_isolation_level(REPEATABLE_READ)
            driver.set_read_only(True)
            return
        driver.execute("BEGIN")
        seconds = self._engine.__dict__.get(STATEMENT_TIME)
        if seconds is not None:
            _limit_driver(seconds, driver)

    def end(self) -> None:
        """Give the connection back as it was; there is nothing to keep."""
        try:
            if self._session is not None:
                self._session.close()
            if self._connection is not None and self._connection.in_transaction():
                self._connection.rollback()
            if self.dialect.name == "postgresql" and self._checked_out.is_valid:
                driver = self._checked_out.driver_connection
                driver.commit()  # after a rollback psycopg forgets what it has prepared
                driver.set_isolation_level(None)
                driver.set_read_only(None)
        except self.dialect.loaded_dbapi.Error as broken:  # it was lost meanwhile: the answer is there all the same
            self._checked_out.invalidate(broken)
        finally:
            if self._checked_out.is_valid:
                self._checked_out.close()


def _as_alchemy(dialect: Dialect, statement: str | None, broken: Any, *, lost: bool = False) -> BaseException:
    """A driver's error as everybody else meets it."""
    kind = dialect.loaded_dbapi.Error
    told: BaseException = DBAPIError.instance(
        statement, None, broken, kind, hide_parameters=True, connection_invalidated=lost, dialect=dialect
    )
    return told


@contextmanager
def looking(engine: Engine) -> Iterator[Reading]:
    """As `reading`, for requests that come by the thousand: most of them ask the driver and need no session.

    A few at a time; the others wait their turn.
    """
    turns = _turns(engine)
    turns.get()
    try:
        try:
            checked_out = engine.raw_connection()
        except engine.dialect.loaded_dbapi.Error as broken:
            raise _as_alchemy(engine.dialect, None, broken) from broken
        look = Reading(engine, checked_out)
        try:
            look.begin()
            yield look
        finally:
            look.end()
    finally:
        turns.put(None)


def _turns(engine: Engine) -> "SimpleQueue[None]":
    """As many as may look at once; a queue is the interpreter's quickest semaphore."""
    found: SimpleQueue[None] | None = engine.__dict__.get(LOOKERS)
    if found is None:
        made: SimpleQueue[None] = SimpleQueue()
        for _ in range(MOST_LOOKERS[engine.dialect.name]):
            made.put(None)
        found = engine.__dict__.setdefault(LOOKERS, made)
    return found


def at_once(engine: Engine, statement: str, parameters: Any) -> None:
    """One statement in the driver's own words that is a transaction of its own. Raises what a session would."""
    broken_by = engine.dialect.loaded_dbapi.Error
    try:
        checked_out = engine.raw_connection()
    except broken_by as broken:
        raise _as_alchemy(engine.dialect, None, broken) from broken
    driver: Any = checked_out.driver_connection
    try:
        if engine.dialect.name == "postgresql":
            driver.set_autocommit(True)
        seconds = engine.__dict__.get(STATEMENT_TIME)
        if seconds is not None:  # anew: the limit of whoever had the connection before has run out
            _limit_driver(seconds, driver)
        driver.execute(statement, parameters)
        if engine.dialect.name == "postgresql":
            driver.set_autocommit(False)
    except broken_by as broken:
        checked_out.invalidate(broken)
        raise _as_alchemy(engine.dialect, statement, broken) from broken
    finally:
        if checked_out.is_valid:
            checked_out.close()


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


def _alembic(engine: Engine) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["engine"] = engine
    return config


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to ``revision``; safe to repeat."""
    command.upgrade(_alembic(engine), revision)


def new_revision(engine: Engine, message: str, number: str) -> None:
    """Write the next revision file from the difference between the tables and ``engine``'s schema."""
    command.revision(_alembic(engine), message, autogenerate=True, rev_id=number)


def check_schema(engine: Engine) -> None:
    """Raise alembic's ``CommandError`` where the tables and the migrated schema differ."""
    command.check(_alembic(engine))


def schema_gap(engine: Engine) -> str | None:
    """What keeps the schema from being the one of this version, in words; None where nothing does."""
    wanted = ScriptDirectory.from_config(_alembic(engine)).get_current_head()
    with reading(engine) as session:
        found = MigrationContext.configure(session.connection()).get_current_revision()
    return None if found == wanted else f"the schema is at {found or 'nothing'}, this version needs {wanted}"
