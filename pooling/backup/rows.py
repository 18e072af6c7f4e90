"""A table's rows in the one spelling that both kinds of database give and take: a JSON array a line.

Instants and dates are ISO 8601 (UTC), bytes base64, ids text, JSON columns plain JSON with sorted keys. So the same
content gives the same lines from SQLite and PostgreSQL; only their order may differ, as text is sorted by each in its
own way. A table's content is therefore summed up in a number that does not depend on the order.
"""

import hashlib
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import JSON, Column, Date, DateTime, Dialect, LargeBinary, Table, Uuid, select
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session

AT_ONCE = 2_000
MODULUS = 1 << 256
ENCODER = msgspec.json.Encoder(order="sorted")
DECODER = msgspec.json.Decoder(list[Any])

Convert = Callable[[Any], Any]


def portable_lines(session: Session, table: Table) -> Iterator[bytes]:
    """Every row of the table in the open transaction's view, as a line; by primary key where there is one."""
    query = select(table).order_by(*table.primary_key.columns)
    rows = session.connection().execute(query, execution_options={"yield_per": AT_ONCE})
    for row in rows:
        yield ENCODER.encode(list(row)) + b"\n"


def driver_rows(lines: Iterable[bytes], columns: Sequence[Column[Any]], dialect: Dialect) -> Iterator[tuple[Any, ...]]:
    """Lines as the database's driver takes them. Raises ValueError for a line that is no row of these columns."""
    converters = [_converter(column, dialect) for column in columns]
    for line in lines:
        values = DECODER.decode(line)
        if len(values) != len(converters):
            raise ValueError(f"{len(values)} values for {len(converters)} columns")
        yield tuple(convert(value) for convert, value in zip(converters, values, strict=True))


def _converter(column: Column[Any], dialect: Dialect) -> Convert:
    """From the portable value to the driver's."""
    from_json = _from_json(column)
    bind = column.type.dialect_impl(dialect).bind_processor(dialect)
    keeps_null = isinstance(column.type, JSON) and not column.nullable  # there, none is JSON's own null

    def convert(value: Any) -> Any:
        if value is None and not keeps_null:
            return None
        made = from_json(value)
        return made if bind is None else bind(made)

    return convert


def _from_json(column: Column[Any]) -> Convert:
    kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    if isinstance(kind, DateTime):
        return datetime.fromisoformat
    if isinstance(kind, Date):
        return date.fromisoformat
    if isinstance(kind, Uuid):
        return UUID
    if isinstance(kind, LargeBinary):
        return b64decode
    return _same


def _same(value: Any) -> Any:
    return value


class Sum:
    """What a table holds, in a number: each row's SHA-256, added up, whatever the order; and how many rows."""

    def __init__(self) -> None:
        self.rows = 0
        self._total = 0

    def add(self, line: bytes) -> bytes:
        """Count the line in; returns it."""
        self.rows += 1
        self._total = (self._total + int.from_bytes(hashlib.sha256(line).digest(), "big")) % MODULUS
        return line

    @property
    def content(self) -> str:
        """64 hexadecimal digits."""
        return f"{self._total:064x}"


def content_of(session: Session, table: Table) -> Sum:
    """What the table holds in the open transaction's view."""
    total = Sum()
    for line in portable_lines(session, table):
        total.add(line)
    return total
