"""Every command line that the documents or our own messages show is one that the program knows; none is run."""

import argparse
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import pytest

from pooling.__main__ import PLACES, pooling
from solver import __main__ as solver_main

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md")))
PROGRAMS = ("./run ", "pooling ", "python -m ")


def within(group: click.Group) -> dict[str, click.Command]:
    """Its commands by their words."""
    context = click.Context(group)
    return {name: one for name in group.list_commands(context) if (one := group.get_command(context, name))}


def commands(group: click.Group = pooling, before: str = "pooling") -> Iterator[str]:
    """The full name of every command that does something."""
    for name, command in within(group).items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{before} {name}")
        else:
            yield f"{before} {name}"


def shown(text: str) -> Iterator[str]:
    """Command lines in indented or fenced blocks and in backticks, comments left out."""
    for line in re.findall(r"^(?: {4,})?(\S.*)$", text, re.MULTILINE):
        if line.startswith(PROGRAMS):
            yield re.sub(r"\s+#.*", "", line)
    for span in re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if span.startswith(PROGRAMS):
            yield " ".join(span.split())


def said_by_us(path: Path) -> Iterator[str]:
    """Command lines in backticks in a source: messages and docstrings; a name in braces stands for a value."""
    for span in re.findall(r"`((?:\./run|pooling) [^`\n]+)`", path.read_text(encoding="utf-8")):
        yield re.sub(r"\{[^}]*\}", "VALUE", span)


def own_words() -> set[str]:
    """The words that ./run does not hand on to the command line."""
    labels = re.findall(r"^ {4}(\w[\w |-]*)\)$", (ROOT / "run").read_text(encoding="utf-8"), re.MULTILINE)
    return {word for label in labels for word in label.split(" | ")}


def wrong(line: str, *, whole: bool = True) -> str | None:
    """Why the program would not take this command line; None where it would. Not ``whole``: its end may be left out."""
    words = [word for word in shlex.split(line) if word != "…"]
    try:
        if words[:3] == ["python", "-m", "solver"]:
            _check_solver(words[3:])
        elif words[0] == "pooling":
            _check(pooling, words[1:], whole=whole)
        elif words[:3] == ["python", "-m", "pooling"]:
            _check(pooling, words[3:], whole=whole)
        elif words[0] == "./run" and words[1] not in own_words():
            _check(pooling, words[1:], whole=whole)
    except (click.UsageError, argparse.ArgumentError, SystemExit) as refused:
        return f"{line}: {refused}"
    return None


def _check(command: click.Command, words: list[str], *, whole: bool) -> None:
    """Names, options and their values, level by level; a word in capitals stands for some value."""
    if isinstance(command, click.Group) and words and "|" in words[0]:
        for name in words[0].split("|"):
            _check(command, [name, *words[1:]], whole=whole)
        return
    context = click.Context(command, info_name=command.name)
    given, rest, _ = command.make_parser(context).parse_args(list(words))
    for parameter in command.get_params(context):
        value = given.get(str(parameter.name))
        if isinstance(value, str) and not value.isupper() and not isinstance(parameter.type, click.Path):
            parameter.type.convert(value, parameter, context)
        if words and whole and parameter.required and not isinstance(value, str):
            raise click.MissingParameter(ctx=context, param=parameter)
    if isinstance(command, click.Group) and rest:
        if rest[0].isupper():
            return
        found = within(command).get(rest[0])
        if found is None:
            raise click.NoSuchCommand(rest[0], ctx=context)
        _check(found, rest[1:], whole=whole)
    elif rest:
        raise click.UsageError(f"unexpected {rest}", ctx=context)


def _check_solver(words: list[str]) -> None:
    if words:
        solver_main._parser().parse_args(words)


def test_every_command_is_in_the_list_of_commands() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)

    def missing(names: list[str]) -> list[str]:
        return [name for name in names if not any(f"{line} ".startswith(f"{name} ") for line in listed)]

    known = list(commands())
    assert len(known) > 15
    assert missing([*known, "pooling planted"]) == ["pooling planted"]


def test_every_word_of_a_module_is_found_in_its_place() -> None:
    offered = {(command.name, place) for place in set(PLACES.values()) for command in import_module(place).COMMANDS}
    assert offered == set(PLACES.items())


def test_the_list_of_commands_shows_what_each_needs() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    for line in re.findall(r"^\| `(pooling [^`]+)`", text, re.MULTILINE):
        assert wrong(f"{line} --no-such-option") is not None
        names = [word for word in line.split() if word.islower() and not word.startswith("-")]
        command: click.Command = pooling
        for name in names[1:]:
            assert isinstance(command, click.Group)
            command = within(command)[name]
        required = [parameter for parameter in command.params if parameter.required]
        assert len(names) < len(line.split()) or not required, f"{line}: show {required}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_command_lines_of_the_documents_can_be_given(path: Path) -> None:
    assert [said for line in shown(path.read_text(encoding="utf-8")) if (said := wrong(line))] == []


def test_the_documents_show_many_command_lines() -> None:
    found = [line for path in PAGES for line in shown(path.read_text(encoding="utf-8"))]
    assert len(found) > 30
    assert sum(line.startswith("python -m solver") for line in found) >= 2
    assert sum(line.startswith("./run") for line in found) >= 8


def test_command_lines_in_our_own_messages_can_be_given() -> None:
    found = {
        line: path.name
        for folder in ("pooling", "connectors", "solver")
        for path in (ROOT / folder).rglob("*.py")
        for line in said_by_us(path)
    }
    assert len(found) > 5
    assert [(name, said) for line, name in found.items() if (said := wrong(line, whole=False))] == []


@pytest.mark.parametrize(
    "line",
    [
        "pooling lod x.csv",
        "pooling load x.csv --mapings m.toml",
        "pooling load x.csv y.csv",
        "pooling load --partial",
        "pooling requeue 12ab",
        "pooling offers fitt",
        "pooling reference show regions",
        "pooling plan --workers many",
        "pooling plan --out",
        "./run offers laod x.toml",
        "./run serv",
        "python -m pooling demos",
        "python -m solver sove x.json",
        "python -m solver solve x.json --workers 0",
        "pooling offers load|lst",
    ],
)
def test_a_planted_wrong_command_line_is_found(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert wrong(line) is not None
    capsys.readouterr()  # argparse tells standard error


def test_lines_are_found_wherever_they_stand() -> None:
    text = "text `pooling show` and `x`\n\n    ./run plan --out x   # why\n\n```sh\npooling volume\n```\n"
    assert list(shown(text)) == ["./run plan --out x", "pooling volume", "pooling show"]
