"""The packaged reference data in a database that is still empty: installed once of each kind, copied from then on.

Installing takes a fifth of a second, and most tests of the service begin with it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg.sql import SQL, Identifier, Literal
from sqlalchemy import Engine
from sqlmodel import SQLModel

from pooling.database import transaction
from pooling.reference import service as reference


@dataclass(frozen=True, slots=True)
class Content:
    """Rows of a table as its database writes them."""

    table: str
    rows: Any


_CONTENT: dict[str, list[Content]] = {}
_SEQUENCES: list[tuple[str, int]] = []


def install(engine: Engine) -> None:
    """Bring the packaged rows into an empty, migrated database."""
    kind = engine.dialect.name
    if kind in _CONTENT:
        with _driver(engine) as connection:
            (_put_sqlite if kind == "sqlite" else _put_postgresql)(connection, _CONTENT[kind])
        return
    with transaction(engine) as session:
        assert reference.install(session).added > 0
    with _driver(engine) as connection:
        names = [table.name for table in SQLModel.metadata.sorted_tables]
        _CONTENT[kind] = list((_of_sqlite if kind == "sqlite" else _of_postgresql)(connection, names))


@contextmanager
def _driver(engine: Engine) -> Iterator[Any]:
    borrowed = engine.raw_connection()
    try:
        yield borrowed.driver_connection
    finally:
        borrowed.close()


def _of_sqlite(connection: Any, tables: Sequence[str]) -> Iterator[Content]:
    for table in tables:
        if rows := connection.execute(f"SELECT * FROM {table}").fetchall():
            yield Content(table, rows)


def _put_sqlite(connection: Any, content: Sequence[Content]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for each in content:
        places = ", ".join("?" * len(each.rows[0]))
        connection.executemany(f"INSERT INTO {each.table} VALUES ({places})", each.rows)
    connection.execute("COMMIT")


def _of_postgresql(connection: Any, tables: Sequence[str]) -> Iterator[Content]:
    with connection.cursor() as cursor:
        for table in tables:
            with cursor.copy(SQL("COPY {} TO STDOUT (FORMAT BINARY)").format(Identifier(table))) as copy:
                rows = b"".join(bytes(part) for part in copy)
            if cursor.rowcount:
                yield Content(table, rows)
        wanted = "SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL"
        _SEQUENCES[:] = cursor.execute(wanted).fetchall()
    connection.rollback()


def _put_postgresql(connection: Any, content: Sequence[Content]) -> None:
    with connection.cursor() as cursor:
        for each in content:
            with cursor.copy(SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(Identifier(each.table))) as copy:
                copy.write(each.rows)
        for name, last in _SEQUENCES:
            cursor.execute(SQL("SELECT setval({}, {})").format(Literal(name), Literal(last)))
    connection.commit()
