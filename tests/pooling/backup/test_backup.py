"""Everything to a file and back, from each kind of database into each, while others write; damaged files refused."""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zipfile import ZipFile

import pytest
from sqlalchemy import Engine, Table, insert, text
from sqlmodel import Session

from pooling.backup import service
from pooling.backup.archive import MANIFEST, BackupRefused, opened
from pooling.backup.service import NotEmpty, NotRestored, back_up, restore
from pooling.database import connect, reading, transaction
from pooling.demand.tables import MappingVersion
from pooling.jobs import enqueue
from tests.conftest import fresh_database
from tests.pooling.backup.filling import ROWS, fill, tables_of

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def nobody(_name: str, _rows: int) -> None:
    """Who listens to no progress."""


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of each kind, to restore into."""
    with fresh_database(request, request.param, tmp_path / "target.db") as url:
        engine = connect(url)
        yield engine
        engine.dispose()


def test_every_table_comes_back_equal_in_either_kind_of_database(
    engine: Engine, target: Engine, tmp_path: Path
) -> None:
    fill(engine)
    file = tmp_path / "all.zip"
    copied = back_up(engine, file, now=NOW, tell=nobody)
    assert copied.rows == ROWS * copied.tables
    assert restore(target, file, replace=False, tell=nobody) == copied
    found = tables_of(target)
    assert found == tables_of(engine)
    assert all(len(rows) == ROWS for rows in found.values())
    again = tmp_path / "again.zip"
    back_up(target, again, now=NOW, tell=nobody)
    with opened(file) as one, opened(again) as other:
        assert [(each.name, each.content) for each in one.manifest.tables] == [
            (each.name, each.content) for each in other.manifest.tables
        ]


def test_rows_made_after_a_restore_get_new_numbers(engine: Engine, target: Engine, tmp_path: Path) -> None:
    fill(engine)
    back_up(engine, tmp_path / "all.zip", now=NOW, tell=nobody)
    restore(target, tmp_path / "all.zip", replace=False, tell=nobody)
    with transaction(target) as session:
        version = MappingVersion(name="new", sha256="new", first_used_at=NOW)
        session.add(version)
        session.flush()
        assert version.id == ROWS + 1


@contextmanager
def writing(engine: Engine) -> Iterator[threading.Event]:
    """Somebody who writes pairs, each pair in one transaction, until the block ends; the event: some are there."""
    stop, begun = threading.Event(), threading.Event()

    def write() -> None:
        while not stop.is_set():
            with transaction(engine) as session:
                _pair(session)
            begun.set()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield begun
    finally:
        stop.set()
        thread.join()


def _pair(session: Session) -> None:
    word = uuid4().hex
    session.connection().execute(insert(MappingVersion), {"name": word, "sha256": word, "first_used_at": NOW})
    session.flush()
    enqueue(session, "a.b", {}, now=NOW, actor=None, key=word)


def _halves(engine: Engine) -> tuple[set[str], set[str]]:
    with reading(engine) as session:
        one = session.connection().execute(text("SELECT name FROM mapping_version")).scalars()
        other = session.connection().execute(text("SELECT key FROM job")).scalars()
        return set(one), set(other)


def test_a_backup_is_one_view_while_others_write(engine: Engine, target: Engine, tmp_path: Path) -> None:
    sizes = []
    with writing(engine) as begun:
        assert begun.wait(30)
        for number in range(3):
            file = tmp_path / f"{number}.zip"
            back_up(engine, file, now=NOW, tell=nobody)
            restore(target, file, replace=number > 0, tell=nobody)
            one, other = _halves(target)
            assert one == other
            sizes.append(len(one))
    assert 0 < sizes[0] <= sizes[1] <= sizes[2] <= len(_halves(engine)[0])
    assert sizes[0] < sizes[2], "nobody wrote meanwhile"


def test_a_database_that_holds_something_is_replaced_only_when_asked(
    engine: Engine, target: Engine, tmp_path: Path
) -> None:
    fill(engine)
    back_up(engine, tmp_path / "all.zip", now=NOW, tell=nobody)
    with transaction(target) as session:
        _pair(session)
    before = tables_of(target)
    with pytest.raises(NotEmpty, match=r"mapping_version 1.*--force"):
        restore(target, tmp_path / "all.zip", replace=False, tell=nobody)
    assert tables_of(target) == before
    restore(target, tmp_path / "all.zip", replace=True, tell=nobody)
    assert tables_of(target) == tables_of(engine)


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _one_bit(content: bytes) -> bytes:
    place = content.index(b"tables/job.jsonl") + 60  # within the table's data
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    ("damage", "said"),
    [(_cut, "not a whole backup"), (_one_bit, r"tables/job\.jsonl is"), (lambda _: b"", "not a whole")],
)
def test_a_damaged_file_is_refused_with_the_place(
    engine: Engine, tmp_path: Path, damage: Callable[[bytes], bytes], said: str
) -> None:
    fill(engine)
    before = tables_of(engine)
    file = tmp_path / "all.zip"
    back_up(engine, file, now=NOW, tell=nobody)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(BackupRefused, match=said):
        restore(engine, file, replace=True, tell=nobody)
    assert tables_of(engine) == before


def rewritten(file: Path, name: str, change: Callable[[bytes], bytes | None]) -> Path:
    """The archive with one member changed, or left out, and otherwise sound."""
    made = file.with_name("changed.zip")
    with ZipFile(file) as old, ZipFile(made, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            changed = change(content) if member == name else content
            if changed is not None:
                new.writestr(member, changed)
    return made


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (MANIFEST, lambda _: None, "manifest.json is missing"),
        (MANIFEST, lambda content: content + b" ", "manifest.json is not as it was written"),
        ("tables/offer.jsonl", lambda _: None, "tables/offer.jsonl is missing"),
        (
            "tables/offer.jsonl",
            lambda content: content.replace(b"2026", b"2027"),
            r"offer.jsonl is not as it was",
        ),
        ("tables/offer.jsonl", lambda content: content[: content.index(b"\n") + 1], r"tables/offer.jsonl .* 1 rows, 4"),
    ],
)
def test_a_file_that_was_changed_is_refused_with_the_place(
    sqlite_template: Path, tmp_path: Path, name: str, change: Callable[[bytes], bytes | None], said: str
) -> None:
    path = tmp_path / "one.db"
    path.write_bytes(sqlite_template.read_bytes())
    engine = connect(f"sqlite:///{path}")
    fill(engine)
    file = tmp_path / "all.zip"
    back_up(engine, file, now=NOW, tell=nobody)
    with pytest.raises(BackupRefused, match=said):
        restore(engine, rewritten(file, name, change), replace=True, tell=nobody)
    engine.dispose()


def test_what_was_stored_is_compared_before_it_counts(
    engine: Engine, target: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(engine)
    back_up(engine, tmp_path / "all.zip", now=NOW, tell=nobody)
    whole = service.insert_rows

    def one_short(session: Session, table: Table, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> int:
        kept = list(rows)
        return whole(session, table, columns, kept[:-1] if table.name == "feed_entry" else kept)

    monkeypatch.setattr(service, "insert_rows", one_short)
    with pytest.raises(NotRestored, match=r"tables/feed_entry\.jsonl: 3 rows read back, 4"):
        restore(target, tmp_path / "all.zip", replace=False, tell=nobody)
    assert not any(tables_of(target).values())


def test_a_row_that_refers_to_none_is_refused_with_its_table(
    sqlite_template: Path, target: Engine, tmp_path: Path
) -> None:
    source = _sqlite(sqlite_template, tmp_path)
    with closing(sqlite3.connect(tmp_path / "source.db", isolation_level=None)) as loose:  # without foreign keys
        loose.execute("INSERT INTO principal_participant (principal, participant) VALUES (?, 'X')", (UUID(int=1).hex,))
    back_up(source, tmp_path / "all.zip", now=NOW, tell=nobody)
    source.dispose()
    with pytest.raises(NotRestored, match=r"tables/principal_participant\.jsonl: .*pooling check"):
        restore(target, tmp_path / "all.zip", replace=False, tell=nobody)
    assert not any(tables_of(target).values())


def test_a_value_that_the_database_does_not_take_is_refused_with_its_table(
    sqlite_template: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    source = _sqlite(sqlite_template, tmp_path)
    with transaction(source) as session:
        session.connection().execute(insert(MappingVersion), {"name": "a\0b", "sha256": "x", "first_used_at": NOW})
    back_up(source, tmp_path / "all.zip", now=NOW, tell=nobody)
    source.dispose()
    with fresh_database(request, "postgresql", tmp_path / "unused.db") as url:
        target = connect(url)
        with pytest.raises(NotRestored, match=r"tables/mapping_version\.jsonl: .*NUL"):
            restore(target, tmp_path / "all.zip", replace=False, tell=nobody)
        assert not any(tables_of(target).values())
        target.dispose()


def _sqlite(template: Path, folder: Path) -> Engine:
    path = folder / "source.db"
    path.write_bytes(template.read_bytes())
    return connect(f"sqlite:///{path}")


def test_another_schema_is_refused(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "all.zip"
    with transaction(engine) as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '0001'"))
    back_up(engine, file, now=NOW, tell=nobody)
    with transaction(engine) as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '0002'"))
    with pytest.raises(BackupRefused, match="of schema 0001, this version has 0002"):
        restore(engine, file, replace=True, tell=nobody)


def test_a_backup_is_private_never_overwrites_and_leaves_nothing_when_it_fails(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "all.zip"
    back_up(engine, file, now=NOW, tell=nobody)
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BackupRefused, match="there already"):
        back_up(engine, file, now=NOW, tell=nobody)

    def broken(_name: str, _rows: int) -> None:
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        back_up(engine, tmp_path / "other.zip", now=NOW, tell=broken)
    assert [path.name for path in tmp_path.glob("*.zip*")] == ["all.zip"]
