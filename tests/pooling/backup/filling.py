"""Rows of every type in every table of the schema, odd values among them."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Engine,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    Uuid,
    insert,
)
from sqlalchemy.types import TypeDecorator

from pooling.backup.service import all_tables
from pooling.database import transaction

ROWS = 4
ODD = "å \\ \"'\t\n\r\\N ;,\u2028\U0001f33f"


def fill(engine: Engine) -> None:
    """So many rows in each table; what refers to another row refers to the one of its number."""
    with transaction(engine) as session:
        if session.connection().dialect.name == "sqlite":
            session.connection().exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for table in all_tables():
            rows = [{column.name: _value(column, number) for column in table.columns} for number in range(1, ROWS + 1)]
            session.connection().execute(insert(table), rows)


def _value(column: Column[Any], number: int) -> Any:
    for key in column.foreign_keys:
        return _value(key.column, number)
    if column.nullable and number == 1:
        return None
    return _of_type(column, number)


def _of_type(column: Column[Any], number: int) -> Any:
    kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    if isinstance(kind, JSON):
        return {"z": [number, 2.5, 1e300, None, True, {}], "a": {ODD: ODD}}
    if isinstance(kind, Boolean):
        return number % 2 == 0
    if isinstance(kind, Uuid):
        return UUID(int=number)
    if isinstance(kind, DateTime):
        return datetime(2026, 3, 29, 1, 59, 59, 999_999 * (number % 2), tzinfo=UTC) + timedelta(days=number)
    if isinstance(kind, Date):
        return date(2026, 2, 28) + timedelta(days=number)
    if isinstance(kind, LargeBinary):
        return bytes(range(256)) + bytes([number])
    if isinstance(kind, Float):
        return (0.1 + 0.2) * number
    if isinstance(kind, Integer):
        return number
    length = (kind.length if isinstance(kind, String) else None) or 100
    return f"{number}{column.name}{ODD}"[:length]


def tables_of(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """All content, read through the types, rows sorted in our own way."""
    from pooling.database import reading

    with reading(engine) as session:
        return {table.name: _rows(session, table) for table in all_tables()}


def _rows(session: Any, table: Table) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in session.connection().execute(table.select())), key=repr)
