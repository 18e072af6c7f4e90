"""What many tests begin with, in a database that is still empty: made once of each kind, copied from then on.

Installing the packaged reference data takes a fifth of a second, and a planned cycle as much again.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from psycopg.sql import SQL, Identifier, Literal
from sqlalchemy import Engine
from sqlmodel import SQLModel

from pooling.database import transaction
from pooling.reference import service as reference

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Rows:
    """Of a table, as its database writes them."""

    table: str
    rows: Any


@dataclass(frozen=True, slots=True)
class Content:
    """Of a database, where its sequences stand, and what whoever made it returned."""

    tables: list[Rows]
    sequences: list[tuple[str, int]]
    made: Any


_KEPT: dict[tuple[str, Hashable], Content] = {}


def once(engine: Engine, make: Callable[[], Made], *, key: Hashable) -> Made:
    """The empty, migrated database as ``make`` leaves it, and what that returned; the same ``key`` is the same."""
    kind = engine.dialect.name
    if (kind, key) not in _KEPT:
        made = make()
        with _driver(engine) as connection:
            names = [table.name for table in SQLModel.metadata.sorted_tables]
            tables = list((_of_sqlite if kind == "sqlite" else _of_postgresql)(connection, names))
            _KEPT[kind, key] = Content(tables, _sequences(connection) if kind == "postgresql" else [], made)
        return made
    content = _KEPT[kind, key]
    with _driver(engine) as connection:
        (_put_sqlite if kind == "sqlite" else _put_postgresql)(connection, content)
    copied: Made = content.made
    return copied


def install_reference(engine: Engine) -> None:
    """Bring the packaged rows into an empty, migrated database."""

    def install() -> None:
        with transaction(engine) as session:
            assert reference.install(session).added > 0

    once(engine, install, key="reference")


@contextmanager
def _driver(engine: Engine) -> Iterator[Any]:
    borrowed = engine.raw_connection()
    try:
        yield borrowed.driver_connection
    finally:
        borrowed.close()


def _of_sqlite(connection: Any, tables: Sequence[str]) -> Iterator[Rows]:
    for table in tables:
        if rows := connection.execute(f"SELECT * FROM {table}").fetchall():
            yield Rows(table, rows)


def _put_sqlite(connection: Any, content: Content) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("PRAGMA defer_foreign_keys = ON")
    for each in content.tables:
        places = ", ".join("?" * len(each.rows[0]))
        connection.executemany(f"INSERT INTO {each.table} VALUES ({places})", each.rows)
    connection.execute("COMMIT")


def _of_postgresql(connection: Any, tables: Sequence[str]) -> Iterator[Rows]:
    with connection.cursor() as cursor:
        for table in tables:
            with cursor.copy(SQL("COPY {} TO STDOUT (FORMAT BINARY)").format(Identifier(table))) as copy:
                rows = b"".join(bytes(part) for part in copy)
            if cursor.rowcount:
                yield Rows(table, rows)
    connection.rollback()


def _sequences(connection: Any) -> list[tuple[str, int]]:
    wanted = "SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL"
    found: list[tuple[str, int]] = connection.execute(wanted).fetchall()
    connection.rollback()
    return found


def _put_postgresql(connection: Any, content: Content) -> None:
    with connection.cursor() as cursor:
        for each in content.tables:
            with cursor.copy(SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(Identifier(each.table))) as copy:
                copy.write(each.rows)
        for name, last in content.sequences:
            cursor.execute(SQL("SELECT setval({}, {})").format(Literal(name), Literal(last)))
    connection.commit()
