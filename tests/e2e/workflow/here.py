"""Parsing and calculating in this process: a random walk does them by the thousand, and a child process each takes a
third of a second. That children do the same, within limits, is for tests of their own (`tests/connectors`,
`tests/pooling/jobs`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch


def run_here(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    *,
    on_progress: Callable[[Any], None],
    cancelled: Callable[[], bool],
    stop: Callable[[], bool] = lambda: False,
    timeout_s: float | None = None,
) -> Any:
    """In the place of `pooling.jobs.apart.run_apart`; ``timeout_s`` is not kept to, nothing here takes long."""
    return function(*arguments, on_progress=on_progress, stop=lambda: stop() or cancelled())


@dataclass(frozen=True, slots=True)
class _Parsed:
    results: Callable[[], Iterator[Any]]


@contextmanager
def parsed_here(task: str, arguments: Mapping[str, Any], limits: object) -> Iterator[_Parsed]:
    """In the place of `connectors.sandbox.running`; ``limits`` are those of a process, and here there is none."""
    module, _, name = task.partition(":")
    with TemporaryDirectory(prefix="pooling-here-") as folder:
        yield _Parsed(lambda: getattr(import_module(module), name)(arguments, Path(folder)))


@contextmanager
def all_done_here() -> Iterator[None]:
    """While the block runs, nothing is done in child processes."""
    with (
        patch("pooling.jobs.context.run_apart", run_here),
        patch("pooling.planning.jobs.run_apart", run_here),
        patch("connectors.sandbox.running", parsed_here),
    ):
        yield
