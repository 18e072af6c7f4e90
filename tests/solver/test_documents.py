"""Documents on files: written whole or not at all."""

import json
import os
import threading
from pathlib import Path

import pytest

from solver import documents
from solver.documents import Unreadable, write

BEFORE, AFTER = '{"plan": "before"}', {"plan": "after"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    path.write_text(BEFORE, encoding="utf-8")
    return path


def test_a_document_replaces_what_stood_there_and_leaves_nothing_else(path: Path) -> None:
    path.chmod(0o600)
    write(str(path), AFTER)
    assert json.loads(path.read_text(encoding="utf-8")) == AFTER
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_writing_broken_off_leaves_what_stood_there(
    path: Path, fault: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Path.write_text

    def broken(self: Path, text: str, encoding: str) -> int:
        whole(self, text[: len(text) // 2], encoding=encoding)
        raise fault

    monkeypatch.setattr(Path, "write_text", broken)
    with pytest.raises(KeyboardInterrupt if isinstance(fault, KeyboardInterrupt) else Unreadable):
        write(str(path), AFTER)
    assert path.read_text(encoding="utf-8") == BEFORE
    assert list(path.parent.iterdir()) == [path]


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "latest.json"
    link.symlink_to(path)
    write(str(link), AFTER)
    assert link.is_symlink()
    assert json.loads(path.read_text(encoding="utf-8")) == AFTER


def test_a_file_that_cannot_be_replaced_is_written_in_place(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(self: Path, target: Path) -> Path:
        raise OSError(16, f"Device or resource busy: {self} -> {target}")

    monkeypatch.setattr(Path, "replace", busy)
    write(str(path), AFTER)
    assert json.loads(path.read_text(encoding="utf-8")) == AFTER
    assert list(path.parent.iterdir()) == [path]


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")), daemon=True)
    reader.start()
    write(str(pipe), AFTER)
    reader.join(10)
    assert [json.loads(text) for text in read] == [AFTER]


def test_a_folder_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="it is a folder"):
        documents.writable(str(tmp_path))
