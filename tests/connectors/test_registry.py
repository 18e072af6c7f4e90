"""What every source promises, held against each one in the registry."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.errors import BadData, BadPlan, ConnectorError
from connectors.files import FileSource, Limits
from connectors.frames import ROW, known, schema
from connectors.registry import SOURCES, source_class
from connectors.source import Cursor, DemandSource
from tests.connectors.samples import PLAN


@dataclass(frozen=True)
class Kit:
    """A source of one kind with demand that the test controls."""

    source: DemandSource
    send: Callable[[str, list[tuple[str, int]]], None]
    send_nonsense: Callable[[str], None]


def files_kit(folder: Path) -> Kit:
    drop = folder / "drop"
    drop.mkdir()

    def send(name: str, rows: list[tuple[str, int]]) -> None:
        lines = "".join(f"{item};{quantity};0,5\n" for item, quantity in rows)
        (drop / f"{name}.csv").write_text("Navn;Antal;Pris\n" + lines)

    def send_nonsense(name: str) -> None:
        (drop / f"{name}.csv").write_bytes(b"%PDF-1.7")

    return Kit(FileSource(drop, PLAN, Limits(batch_rows=2)), send, send_nonsense)


KITS = {"files": files_kit}


@pytest.fixture(params=sorted(SOURCES))
def kit(request, tmp_path) -> Kit:
    return KITS[request.param](tmp_path)


def fetched(kit: Kit, since: Cursor | None = None):
    """Item names received and the last cursor."""
    batches = list(kit.source.fetch(since))
    return [name for batch in batches for name in batch.frame["item_name"]], batches[-1].cursor if batches else since


def test_every_source_is_built_here():
    assert set(KITS) == set(SOURCES)


def test_a_source_is_found_by_its_name():
    assert all(source_class(name) is kind for name, kind in SOURCES.items())
    with pytest.raises(BadPlan, match="no source 'fax'; known are files") as caught:
        source_class("fax")
    assert caught.value.code == "unknown-source"


def test_frames_have_the_declared_schema(kit):
    kit.send("a", [("x", 1), ("y", 2), ("z", 3)])
    for batch in kit.source.fetch(None):
        assert batch.frame.schema == schema(batch.frame.columns[1:])
        assert batch.frame.columns[0] == ROW
        assert all(known(column) for column in batch.frame.columns[1:])
        assert batch.frame.height > 0
        assert batch.frame[ROW].null_count() == 0
        assert len(batch.digest) == 64
        assert batch.origin


def test_an_empty_source_gives_nothing(kit):
    assert list(kit.source.fetch(None)) == []


def test_all_rows_come_in_order(kit):
    kit.send("b", [("p", 1)])
    kit.send("a", [(f"x{number}", number) for number in range(1, 8)])
    assert fetched(kit)[0] == [*(f"x{number}" for number in range(1, 8)), "p"]


def test_nothing_comes_twice_from_the_last_cursor(kit):
    kit.send("a", [("x", 1), ("y", 2), ("z", 3)])
    _, cursor = fetched(kit)
    assert fetched(kit, cursor) == ([], cursor)


def test_what_is_new_or_changed_comes_after_the_cursor(kit):
    kit.send("a", [("x", 1)])
    kit.send("b", [("y", 2)])
    _, cursor = fetched(kit)
    kit.send("b", [("y", 20)])
    kit.send("0", [("new", 1)])
    names, cursor = fetched(kit, cursor)
    assert names == ["new", "y"]
    assert fetched(kit, cursor)[0] == []


def test_no_row_is_lost_from_any_cursor(kit):
    kit.send("a", [("x", 1), ("y", 2), ("z", 3)])
    kit.send("b", [("p", 4), ("q", 5), ("r", 6)])
    batches = list(kit.source.fetch(None))
    assert len(batches) == 4
    for stored in range(1, len(batches) + 1):
        before = {name for batch in batches[:stored] for name in batch.frame["item_name"]}
        after, _ = fetched(kit, batches[stored - 1].cursor)
        assert before | set(after) == {"x", "y", "z", "p", "q", "r"}


def test_what_came_before_a_refusal_stands(kit):
    kit.send("a", [("x", 1)])
    kit.send_nonsense("b")
    batches = kit.source.fetch(None)
    first = next(batches)
    with pytest.raises(BadData) as caught:
        next(batches)
    assert caught.value.code == "not-a-table"
    kit.send("b", [("y", 2)])
    assert fetched(kit, first.cursor)[0] == ["y"]


@pytest.mark.parametrize("value", ["", "no cursor", "[1]", '{"a": 1}', "7"])
def test_a_cursor_of_another_kind_is_refused(kit, value):
    with pytest.raises(ConnectorError) as caught:
        list(kit.source.fetch(Cursor(value)))
    assert caught.value.code == "bad-cursor"


def test_a_file_source_may_be_one_file(tmp_path):
    path = tmp_path / "demand.csv"
    path.write_text("Navn;Antal;Pris\nx;1;2\n")
    (batch,) = FileSource(path, PLAN).fetch(None)
    assert batch.origin == "demand.csv"
    assert list(FileSource(path, PLAN).fetch(batch.cursor)) == []
    assert batch.decimal_mark is None


def test_a_folder_passes_over_what_is_no_finished_demand_file(tmp_path):
    for name in (".hidden.csv", "~$open.xlsx", "half.csv.part", "readme.md"):
        (tmp_path / name).write_text("Navn;Antal;Pris\nx;1;2\n")
    (tmp_path / "folder.csv").mkdir()
    assert list(FileSource(tmp_path, PLAN).fetch(None)) == []


def test_a_refusal_names_the_file(tmp_path):
    (tmp_path / "bad.csv").write_text("")
    with pytest.raises(BadData, match=r"bad\.csv: the file has no bytes"):
        list(FileSource(tmp_path, PLAN).fetch(None))


@pytest.mark.parametrize("name", ["gone.csv", "pipe.csv"])
def test_what_is_no_file_is_no_access(tmp_path, name):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(ConnectorError) as caught:
        list(FileSource(tmp_path / name, PLAN).fetch(None))
    assert caught.value.code == "cannot-open"
