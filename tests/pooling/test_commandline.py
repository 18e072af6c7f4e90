"""How commands speak: by the name they were called, of one thing as one."""

from pathlib import Path

import pytest

from pooling import commandline
from pooling.errors import closest, counted, did_you_mean

ROOT = Path(__file__).parents[2]


def test_commands_are_named_as_they_can_be_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started = str(ROOT / "pooling" / "__main__.py")
    assert commandline.program("/usr/bin/pooling") == "pooling"
    monkeypatch.chdir(ROOT)
    assert commandline.program(started) == "./run"
    monkeypatch.chdir(ROOT / "docs")
    assert commandline.program(started) == "../run"
    monkeypatch.chdir(tmp_path)
    assert (tmp_path / commandline.program(started)).resolve() == ROOT / "run"
    elsewhere = tmp_path / "app" / "pooling" / "commandline.py"
    monkeypatch.setattr(commandline, "__file__", str(elsewhere))
    assert commandline.program(started) == "python -m pooling"


def test_only_commands_in_backticks_are_renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commandline, "program", lambda: "./run")
    text = "pooling it is dear: see `pooling plan --gap 0.1`, then `pooling show`"
    assert commandline.as_called(text) == "pooling it is dear: see `./run plan --gap 0.1`, then `./run show`"


def test_one_thing_is_said_as_one() -> None:
    assert [counted(number, "lot") for number in (0, 1, 2, 1200)] == ["0 lots", "1 lot", "2 lots", "1,200 lots"]
    assert (counted(1, "category", "categories"), counted(2, "category", "categories")) == (
        "1 category",
        "2 categories",
    )


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("se-m", ["SE-M"]),
        ("SE-MM", ["SE-M"]),
        ("bassis", ["basis"]),
        ("nitrile gloves", ["nitrile-gloves"]),
        ("Mordor", []),
        ("per", []),
        ("", []),
    ],
)
def test_only_what_is_really_close_may_have_been_meant(word: str, found: list[str]) -> None:
    known = ("SE-M", "SE-AB", "basis", "per_count", "nitrile-gloves", "latex-gloves", "nothing")
    assert closest(word, known) == found
    expected = f"did you mean {found[0]}?" if found else "look again"
    assert did_you_mean(word, known, "look again") == expected
