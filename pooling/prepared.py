"""Queries of the requests that come most: built and compiled once, then run by the driver, without objects on the way.

They are written as any other query; what is saved is putting the same one together for every request.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Dialect, Engine, Select, Table, Uuid
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine
from sqlmodel import Session

from pooling.looking import Reading, at_once

MOST_SHAPES = 256
KNOWN_IDS = 4096
MOST_ROWS = 64
Convert = Callable[[Any], Any]
Made = TypeVar("Made")
Outward = tuple[tuple[int, Convert], ...]
"""By place, how a column's values are made of the driver's."""


@dataclass(frozen=True, slots=True)
class _Ready:
    """A query in the words of a dialect, and how values go in and come out."""

    statement: str
    fixed: Mapping[str, Any]
    order: Sequence[str] | None
    """names of parameters by place; None: the driver takes them by name"""
    inward: Mapping[str, Convert]
    columns: tuple[TypeEngine[Any], ...]
    outward: Outward | None = None


class Prepared:
    """A query by its shape: ``build(**shape)`` makes it, with a `bindparam` for each value that differs."""

    def __init__(self, build: Callable[..., Select[Any]]) -> None:
        self._build = build
        self._ready: dict[Hashable, _Ready] = {}

    def rows(self, opened: Reading | Session, values: Mapping[str, Any], **shape: Hashable) -> list[tuple[Any, ...]]:
        """The rows as plain tuples, each value as the column's type has it."""
        if isinstance(opened, Session):  # inside a transaction that writes: nothing to be saved
            return [tuple(row) for row in opened.connection().execute(self._build(**shape), values)]
        rows, outward = self._by_driver(opened, values, shape)
        return list(zip(*_converted(rows, outward))) if rows and outward else rows

    def columns(self, opened: Reading | Session, values: Mapping[str, Any], **shape: Hashable) -> list[Iterable[Any]]:
        """The same a column at a time, each to be gone through once; nothing where there are no rows."""
        if isinstance(opened, Session):
            return list(zip(*self.rows(opened, values, **shape)))
        return _converted(*self._by_driver(opened, values, shape))

    def _by_driver(
        self, reading: Reading, values: Mapping[str, Any], shape: Mapping[str, Hashable]
    ) -> tuple[list[tuple[Any, ...]], Outward]:
        """The rows as the driver has them, and what is to be converted."""
        key = (reading.dialect.name, *shape.items())
        ready = self._ready.get(key)
        if ready is None:
            ready = _made_ready(self._build(**shape), reading.dialect)
        given = {**ready.fixed, **values}
        for name, convert in ready.inward.items():
            given[name] = convert(given[name])
        parameters = given if ready.order is None else [given[name] for name in ready.order]
        rows, cursor = reading.ask(ready.statement, parameters)
        outward = ready.outward
        if outward is None:  # how values come out is known once the driver has said what they are
            outward = _outward(ready.columns, cursor.description, reading.dialect)
            if len(self._ready) >= MOST_SHAPES:
                self._ready.clear()
            self._ready[key] = replace(ready, outward=outward)
        return rows, outward


def _converted(rows: list[tuple[Any, ...]], outward: Outward) -> list[Iterable[Any]]:
    """The columns of the rows, some of them converted."""
    columns: list[Iterable[Any]] = list(zip(*rows))
    for place, convert in outward if rows else ():
        columns[place] = map(convert, columns[place])
    return columns


def made_of(model: Callable[..., Made], columns: Sequence[Iterable[Any]], convert: Mapping[int, Convert]) -> list[Made]:
    """A ``model`` of each row, whose parameters are the columns in their order; ``convert``: some of them, by place."""
    shown = [map(convert[place], column) if place in convert else column for place, column in enumerate(columns)]
    return list(map(model, *shown)) if shown else []


def _made_ready(query: Select[Any], dialect: Dialect) -> _Ready:
    compiled = query.compile(dialect=dialect)
    if not isinstance(compiled, SQLCompiler):
        raise TypeError(f"{type(compiled).__name__}: a query is compiled by an SQLCompiler")
    inward = {}
    for parameter, name in compiled.bind_names.items():
        convert = parameter.type.dialect_impl(dialect).bind_processor(dialect)
        if convert is not None:
            inward[name] = convert
    order = compiled.positiontup if compiled.positional else None
    columns = tuple(column.type for column in query.selected_columns)
    return _Ready(str(compiled), dict(compiled.params), order, inward, columns)


def _outward(columns: Sequence[TypeEngine[Any]], description: Sequence[Sequence[Any]], dialect: Dialect) -> Outward:
    """By place, how a value is made of the driver's, where that is not the same."""
    found = []
    for place, (kind, told) in enumerate(zip(columns, description)):
        convert = kind.dialect_impl(dialect).result_processor(dialect, told[1])
        if convert is not None:  # ids come again and again: those of a page's submissions, of its plan
            found.append((place, lru_cache(KNOWN_IDS)(convert) if isinstance(kind, Uuid) else convert))
    return tuple(found)


class PreparedInsert:
    """Rows into a table by one statement that is a transaction of its own: for what is entered all the time."""

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        self._table = table
        self._columns = columns
        self._ready: dict[tuple[str, int], tuple[str, tuple[Convert | None, ...]]] = {}

    def enter(self, engine: Engine, rows: Sequence[Mapping[str, Any]]) -> None:
        """Returns once the rows are durable; raises what a session would."""
        for start in range(0, len(rows), MOST_ROWS):
            part = rows[start : start + MOST_ROWS]
            statement, inward = self._of(engine.dialect, len(part))
            values = [
                row[name] if convert is None else convert(row[name])
                for row in part
                for name, convert in zip(self._columns, inward)
            ]
            at_once(engine, statement, values)

    def _of(self, dialect: Dialect, count: int) -> tuple[str, tuple[Convert | None, ...]]:
        found = self._ready.get((dialect.name, count))
        if found is None:
            types = [self._table.c[name].type.dialect_impl(dialect) for name in self._columns]
            marks = ", ".join("?" if dialect.name == "sqlite" else f"%s::{kind.compile(dialect)}" for kind in types)
            values = ", ".join([f"({marks})"] * count)
            statement = f"INSERT INTO {self._table.name} ({', '.join(self._columns)}) VALUES {values}"  # noqa: S608 names of the table
            found = statement, tuple(kind.bind_processor(dialect) for kind in types)
            self._ready[dialect.name, count] = found
        return found
