"""A reading process that is forked is what one is that the product starts."""

import os
import resource
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from connectors import sandbox
from connectors.errors import BadData
from connectors.limits import Limits
from tests.readers import FORKED

LIMITS = Limits(cpu_s=7, memory_bytes=10**9)
ITS_OWN = {"PYTHONPATH", "TMPDIR", "_RJEM_MALLOC_CONF"}
"""Differs with the folder, or is set by polars for itself."""

pytestmark = pytest.mark.skipif(not FORKED, reason="reading processes are forked on Linux alone")


def told(_arguments: Mapping[str, Any], folder: Path) -> Iterator[dict[str, Any]]:
    """A task: what the process is told, and what it is held to."""
    kinds = ("CORE", "CPU", "DATA", "FSIZE", "NOFILE")
    yield {
        "environment": {name: value for name, value in os.environ.items() if name not in ITS_OWN},
        "limits": {kind: resource.getrlimit(getattr(resource, f"RLIMIT_{kind}")) for kind in kinds},
        "leads its session": os.getsid(0) == os.getpid(),
        "works and writes in its folder": [Path.cwd() == folder, os.environ["TMPDIR"] == str(folder)],
        "open": sorted(int(path.name) for path in Path("/proc/self/fd").iterdir() if path.exists())[:3],
    }


def ended(_arguments: Mapping[str, Any], _folder: Path) -> Iterator[dict[str, Any]]:
    """A task: the process ends at once."""
    yield {}
    os.kill(os.getpid(), signal.SIGKILL)


def answers(task: str) -> Iterator[Any]:
    with sandbox.running(f"tests.test_readers:{task}", {}, LIMITS) as child:
        yield from child.results()


def test_a_forked_process_is_told_and_held_to_the_same(request: pytest.FixtureRequest) -> None:
    forked = next(answers("told"))
    request.getfixturevalue("started_anew")
    assert next(answers("told")) == forked
    assert forked["leads its session"]
    assert forked["works and writes in its folder"] == [True, True]
    assert forked["limits"]["DATA"] == [LIMITS.memory_bytes, LIMITS.memory_bytes]


def test_the_end_of_a_forked_process_is_told() -> None:
    with pytest.raises(BadData, match="it ended with SIGKILL"):
        list(answers("ended"))


def test_processes_at_once_are_kept_apart() -> None:
    with ExitStack() as open_ones:
        children = [open_ones.enter_context(sandbox.running("tests.test_readers:told", {}, LIMITS)) for _ in range(5)]
        assert len({child.process.pid for child in children}) == len(children)
        assert all(next(child.results())["leads its session"] for child in reversed(children))
