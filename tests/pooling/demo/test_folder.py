"""The demonstration's folder is made anew, and nothing that is not the demonstration's is touched."""

import json
from pathlib import Path

import pytest

from pooling.demo import folder
from pooling.errors import BadInput

FILES = {"inbox/a.csv": b"1", "offers.csv": b"2"}


def test_a_new_folder_gets_marker_readme_and_files(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "demo"
    folder.prepare(out)
    folder.write(out, FILES, {"seed": 7})
    marker = json.loads((out / folder.MARKER).read_text())
    assert marker["seed"] == 7
    assert marker["made_up"] is True
    assert (out / "inbox" / "a.csv").read_bytes() == b"1"
    assert "made up" in (out / "README.txt").read_text()


def test_a_demonstration_is_made_anew_and_other_files_stay(tmp_path: Path) -> None:
    folder.prepare(tmp_path)
    folder.write(tmp_path, FILES, {})
    (tmp_path / folder.DATABASE).write_bytes(b"old")
    (tmp_path / folder.REPORT).write_bytes(b"old")
    (tmp_path / "my notes.txt").write_text("keep")
    folder.prepare(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [folder.MARKER, "my notes.txt"]
    folder.write(tmp_path, {"offers.csv": b"3"}, {})
    assert not (tmp_path / "inbox").exists()


def test_a_demonstration_that_was_stopped_can_be_made_again(tmp_path: Path) -> None:
    folder.prepare(tmp_path)
    (tmp_path / folder.DATABASE).write_bytes(b"begun")
    folder.prepare(tmp_path)
    folder.write(tmp_path, FILES, {})
    (tmp_path / "offers.csv").unlink()
    folder.prepare(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [folder.MARKER]


@pytest.mark.parametrize(
    "marker",
    [
        None,
        "not json",
        "[]",
        '{"made_by": "someone else", "wrote": []}',
        '{"made_by": ["pooling demo"]}',
    ],
)
def test_a_folder_that_no_demonstration_wrote_is_left_as_it_is(tmp_path: Path, marker: str | None) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "precious").write_text("keep")
    (out / "precious").write_text("keep")
    if marker is not None:
        (out / folder.MARKER).write_text(marker)
    with pytest.raises(BadInput, match=r"nothing was touched; give an empty or new folder with --out"):
        folder.prepare(out)
    assert (out / "precious").read_text() == "keep"
    assert (tmp_path / "precious").read_text() == "keep"


def test_only_known_places_are_written_so_that_they_can_be_removed(tmp_path: Path) -> None:
    folder.prepare(tmp_path)
    for path in ("../x", "other.csv"):
        with pytest.raises(ValueError, match="no place of the demonstration"):
            folder.write(tmp_path, {path: b""}, {})
    assert set(folder.ABOUT.split()) >= {name for name in folder.WRITTEN if name.endswith((".csv", ".html"))}


def test_a_file_or_a_link_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for name in ("file", "link"):
        with pytest.raises(BadInput, match="not a folder"):
            folder.prepare(tmp_path / name)
    with pytest.raises(BadInput, match="question mark"):
        folder.prepare(tmp_path / "what?")


def test_a_link_inside_is_removed_and_not_what_it_points_to(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("keep")
    folder.prepare(out)
    folder.write(out, FILES, {})
    (out / "offers.csv").unlink()
    (out / "offers.csv").symlink_to(elsewhere)
    folder.prepare(out)
    assert (elsewhere / "precious").read_text() == "keep"
    assert [path.name for path in out.iterdir()] == [folder.MARKER]
