"""What commands share: the database opened only by the commands that use it, and how they speak to a person."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import update_wrapper
from os.path import relpath
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from sqlalchemy import Engine

from pooling import database, schema, settings
from pooling.errors import BadSetting

NAME = "pooling"
"""The program's name; our texts name commands by it, in backticks (see `as_called`)."""

OPTION = "url"
"""Name of the option of the outermost command that holds a database address."""

PREPARE = "pooling.prepare"
"""Key in the outermost context's ``meta`` of what is done with an engine before a command gets it."""


PIPE_WIDTH = 200
"""Columns where nobody watches: a table piped to a file or another program is not cut."""


def screen(*, stderr: bool = False) -> Console:
    """The terminal as it is; where there is none, wide enough for every table."""
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=PIPE_WIDTH)


def program(called: str | None = None) -> str:
    """How the command line is called here: by its name where it is installed, by ``./run`` in a checkout.

    ``called``: the name under which it was started, as the system gives it.
    """
    name = Path(called if called is not None else sys.argv[0]).name
    if name == NAME:
        return NAME
    script = Path(__file__).resolve().parents[1] / "run"
    if not script.is_file():
        return f"python -m {NAME}"
    way = relpath(script)
    return way if way.startswith("..") else f"./{way}"


def as_called(text: str) -> str:
    """The text with the commands it names in backticks as they can be given here."""
    return text.replace(f"`{NAME} ", f"`{program()} ")


def chosen_url(context: click.Context) -> str:
    """The address of the database that the command line or the environment names."""
    url = context.find_root().params.get(OPTION)
    return (settings.Settings(database_url=url) if url else settings.from_environment()).database_url


@contextmanager
def as_it_stands(context: click.Context) -> Iterator[Engine]:
    """The chosen database, not made and not migrated by being looked at. Raises BadSetting where it is not ready."""
    url = chosen_url(context)
    if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).is_file():
        raise BadSetting(f"the database {url} is not there; name the right one, by --database or POOLING_DATABASE_URL")
    engine = database.connect(url)
    try:
        if gap := schema.schema_gap(engine):
            raise BadSetting(f"{gap}; use the version it is of, or run `{NAME} database migrate`")
        yield engine
    finally:
        engine.dispose()


def pass_engine(command: Callable[..., Any]) -> Callable[..., Any]:
    """Hand the command a migrated engine as its first argument; asking for help opens nothing."""

    @click.pass_context
    def opened(context: click.Context, /, *arguments: Any, **options: Any) -> Any:
        root = context.find_root()
        if root.obj is None:
            root.obj = root.with_resource(schema.opened(chosen_url(context)))
            root.meta.get(PREPARE, lambda _engine: None)(root.obj)
        return context.invoke(command, root.obj, *arguments, **options)

    return update_wrapper(opened, command)
