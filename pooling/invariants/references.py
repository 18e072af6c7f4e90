"""Every row that refers to another finds it, also where the database was written without foreign keys."""

from collections.abc import Iterator

from sqlalchemy import Column, select
from sqlmodel import Session, SQLModel

from pooling.invariants.violation import Violation

UNDECLARED = (
    ("submission", "mapping_sha256", "mapping_version", "sha256"),
    ("submission", "cycle", "cycle", "code"),
    ("upload", "cycle", "cycle", "code"),
)
"""References that the schema does not declare: table and column, table and column that must have the value."""
SHOWN = 20
"""So many rows of one broken reference are named; the first are enough to find the cause."""


def references(session: Session) -> Iterator[Violation]:
    """One violation for each row and reference that leads nowhere, the first ones of each reference."""
    tables = SQLModel.metadata.tables
    declared = [(key.parent, key.column) for table in SQLModel.metadata.sorted_tables for key in table.foreign_keys]
    stated = [(tables[one].c[own], tables[other].c[target]) for one, own, other, target in UNDECLARED]
    for column, target in (*declared, *stated):
        yield from _broken(session, column, target)


def _broken(session: Session, column: Column[object], target: Column[object]) -> Iterator[Violation]:
    table, other = column.table, target.table.alias("target")
    found = select(*table.primary_key.columns, column.label("points_to")).select_from(
        table.outerjoin(other, column == other.c[target.name])
    )
    missing = found.where(column.is_not(None), other.c[target.name].is_(None)).limit(SHOWN)
    for row in session.connection().execute(missing):
        *key, value = row
        place = f"{table.name} {' '.join(str(part) for part in key)}"
        yield Violation(place, f"{column.name} {value}: no such {target.table.name}")
