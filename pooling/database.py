"""The database: engine, the one transaction, column types, bulk insert, migrations.

SQLite (WAL, foreign keys on) by default, PostgreSQL 15 or later through psycopg 3; one dialect-neutral schema.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import BigInteger, Connection, DateTime, Dialect, Engine, Integer, Table, create_engine, event
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session, SQLModel

BIG_INTEGER = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER keys

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


def connect(url: str) -> Engine:
    """An engine for ``sqlite:///path`` or ``postgresql+psycopg://…``; a SQLite file is created with its folder."""
    if not url.startswith("sqlite"):
        return create_engine(url, hide_parameters=True)
    Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 30.0}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


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
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """The one transaction of a request, job or command: all of it is kept, or nothing is.

    Service functions take the session and never commit.
    """
    with Session(engine) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A transaction for reading: one consistent view that holds no writer back."""
    with Session(engine.execution_options(reading=True)) as session, session.begin():
        yield session


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
