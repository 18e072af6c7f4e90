"""Everything in a database to one file and back, into either kind of database, while others read and write.

A backup is one reading transaction: a consistent view, which no writer waits for. A restore is one transaction: what
was there before, or all of the backup, and it is read back and compared before it counts.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zipfile import ZipFile

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, Table, func, select, text
from sqlalchemy.exc import DataError, IntegrityError
from sqlmodel import Session, SQLModel

import pooling.tables  # noqa: F401 registers every subject's tables
from pooling.backup.archive import FORMAT, Archive, BackupRefused, Manifest, TableEntry, new_member, opened, seal
from pooling.backup.rows import Sum, content_of, driver_rows, portable_lines
from pooling.database import insert_rows, reading, transaction
from pooling.errors import BadInput, counted

PRIVATE = 0o600
"""A backup is for its owner's eyes: it holds everybody's figures."""
CORRECT = "nothing was kept: find the row with `pooling check` where the backup was made, and take another backup"
Tell = Callable[[str, int], None]
"""Told of each table when it is done: its name and how many rows."""


class NotEmpty(BadInput):
    """The database holds something; a restore would replace all of it, which must be asked for."""

    code = "not-empty"


class NotRestored(BadInput):
    """The database does not take a table of the backup, or what was read back is another; nothing was kept."""

    code = "not-restored"


@dataclass(frozen=True, slots=True)
class Copied:
    """How much was copied."""

    tables: int
    rows: int


def all_tables() -> list[Table]:
    """Every table of the schema, each after those it refers to."""
    return list(SQLModel.metadata.sorted_tables)


def back_up(engine: Engine, path: Path, *, now: datetime, tell: Tell) -> Copied:
    """Write everything to a new file, which is there whole or not at all. Raises BackupRefused where it exists."""
    if path.exists():
        raise BackupRefused(f"{path}: it is there already; name a new file")
    part = path.with_name(f"{path.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb") as raw:
            with ZipFile(raw, "w") as archive, reading(engine) as session:
                manifest = _written(session, archive, now, tell)
            raw.flush()
            os.fsync(raw.fileno())
        with opened(part):
            part.rename(path)
    except FileExistsError as other:
        raise BackupRefused(f"{part}: another backup is writing it, or one broke off; remove it then") from other
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return _counted(manifest)


def _written(session: Session, archive: ZipFile, now: datetime, tell: Tell) -> Manifest:
    entries = []
    for table in all_tables():
        total = Sum()
        with new_member(archive, table.name) as member:
            for line in portable_lines(session, table):
                member.write(total.add(line))
        columns = [str(column.name) for column in table.columns]
        entries.append(TableEntry(str(table.name), columns, total.rows, member.sha256, total.content))
        tell(table.name, total.rows)
    kind = session.connection().dialect.name
    manifest = Manifest(FORMAT, _revision(session), now, kind, entries)
    seal(archive, manifest)
    return manifest


def restore(engine: Engine, path: Path, *, replace: bool, tell: Tell) -> Copied:
    """Bring everything back from a file into a migrated database.

    ``replace``: drop what the database holds; else it must be empty. Raises BackupRefused for a file that is damaged
    or of another schema, NotEmpty, NotRestored.
    """
    with opened(path) as archive, transaction(engine) as session:
        _same_schema(session, archive.manifest, path)
        _hold_all(session)
        _emptied(session, replace=replace)
        for entry in archive.manifest.tables:
            _restored(session, archive, entry, path)
            tell(entry.name, entry.rows)
        _refuse_dangling(session, path)
        return _counted(archive.manifest)


def _revision(session: Session) -> str:
    return str(MigrationContext.configure(session.connection()).get_current_revision())


def _same_schema(session: Session, manifest: Manifest, path: Path) -> None:
    ours = _revision(session)
    if manifest.revision != ours:
        raise BackupRefused(
            f"{path}: of schema {manifest.revision}, this version has {ours}: "
            "restore it with the version that made it, and migrate that database"
        )
    stated = {entry.name: entry.columns for entry in manifest.tables}
    wanted = {table.name: [column.name for column in table.columns] for table in all_tables()}
    if stated != wanted:
        names = sorted(name for name in {*stated, *wanted} if stated.get(name) != wanted.get(name))
        raise BackupRefused(f"{path}: tables {', '.join(names)} are not those of schema {ours}; take another backup")


def _hold_all(session: Session) -> None:
    """Keep all others out until the end; SQLite's write transaction does by itself."""
    if session.connection().dialect.name == "postgresql":
        names = ", ".join(f'"{table.name}"' for table in all_tables())
        session.connection().execute(text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))
    else:
        session.connection().exec_driver_sql("PRAGMA defer_foreign_keys = ON")  # rows of one table refer to each other


def _emptied(session: Session, *, replace: bool) -> None:
    connection = session.connection()
    held = {
        table.name: count
        for table in all_tables()
        if (count := connection.execute(select(func.count()).select_from(table)).scalar_one())
    }
    if held and not replace:
        said = ", ".join(f"{name} {count:,}" for name, count in held.items())
        raise NotEmpty(f"the database is not empty ({said}): name an empty one, or replace all of it with --force")
    for table in reversed(all_tables()):
        connection.execute(table.delete())


def _restored(session: Session, archive: Archive, entry: TableEntry, path: Path) -> None:
    """One table's rows stored, read back, and compared."""
    table = SQLModel.metadata.tables[entry.name]
    dialect = session.connection().dialect
    refusals = (DataError, IntegrityError, dialect.loaded_dbapi.DataError, dialect.loaded_dbapi.IntegrityError)
    try:
        rows = driver_rows(archive.lines(entry), list(table.columns), dialect)
        insert_rows(session, table, [f'"{name}"' for name in entry.columns], rows)
    except ValueError as wrong:
        raise BackupRefused(f"{path}: {entry.member}: {wrong}; take another backup") from wrong
    except refusals as wrong:
        raise NotRestored(f"{path}: {entry.member}: {_one_line(wrong)}; {CORRECT}") from wrong
    if dialect.name == "postgresql":
        _go_on_counting(session, table)
    found = content_of(session, table)
    if (found.rows, found.content) != (entry.rows, entry.content):
        raise NotRestored(
            f"{path}: {entry.member}: {counted(found.rows, 'row')} read back, {entry.rows:,} in the backup, "
            "or not the same content; nothing was kept: report this with the message"
        )


def _one_line(refusal: Exception) -> str:
    """What the database says, without the rows that it may quote on further lines."""
    return str(refusal).strip().partition("\n")[0]


def _refuse_dangling(session: Session, path: Path) -> None:
    """SQLite would tell only at the commit, and not where: rows that refer to none."""
    if session.connection().dialect.name != "sqlite":
        return
    found = session.connection().exec_driver_sql("PRAGMA foreign_key_check").all()
    if found:
        table, _, other, _ = found[0]
        raise NotRestored(f"{path}: tables/{table}.jsonl: a row refers to one of {other} that is not there; {CORRECT}")


def _go_on_counting(session: Session, table: Table) -> None:
    """Numbers that PostgreSQL gives to new rows go on after the highest restored."""
    column = table.autoincrement_column
    if column is None:
        return
    most = session.connection().execute(select(func.max(column))).scalar()
    if most is not None:
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        session.connection().execute(select(func.setval(sequence, most)))


def _counted(manifest: Manifest) -> Copied:
    return Copied(len(manifest.tables), sum(entry.rows for entry in manifest.tables))
