"""Tasks that misbehave on purpose: the positive control of every limit of the child process."""

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from connectors.errors import BadData


def frames(arguments: Mapping[str, Any], folder: Path) -> Iterator[Any]:
    """Well-behaved: a message, then so many frames of so many rows; says how far it came in a file beside."""
    yield {"hello": "world"}
    for number in range(arguments["frames"]):
        if arguments.get("log"):
            Path(arguments["log"]).write_text(str(number))
        yield pl.DataFrame({"row": [number] * arguments.get("rows", 1)})


def hang(arguments: Mapping[str, Any], folder: Path) -> Iterator[Any]:
    """Waits for ever."""
    yield {"pid": os.getpid(), "folder": str(folder)}
    time.sleep(3600)


def burn(arguments: Mapping[str, Any], folder: Path) -> Iterator[Any]:
    """Uses processor time for ever."""
    yield {}
    while True:
        pass


def hog(arguments: Mapping[str, Any], folder: Path) -> Iterator[Any]:
    """Takes memory for ever, in Python."""
    yield {}
    taken = []
    while True:
        taken.append(bytearray(10_000_000))


def hog_in_polars(arguments: Mapping[str, Any], folder: Path) -> Iterator[Any]:
    """Takes memory in native code, which cannot raise."""
    yield {}
    yield pl.int_range(0, 10**9, eager=True).to_frame()


def fill_disk(arguments: Mapping[str, Any], folder: Path) -> Iterator[Any]:
    """Writes a file for ever."""
    yield {}
    with (folder / "big").open("wb") as file:
        while True:
            file.write(bytes(1 << 20))


def crash(arguments: Mapping[str, Any], folder: Path) -> Iterator[Any]:
    """Dies of a signal as broken native code does."""
    yield {}
    os.kill(os.getpid(), signal.SIGSEGV)


def fail(arguments: Mapping[str, Any], folder: Path) -> Iterator[Any]:
    """Has a fault of its own."""
    yield {}
    raise RuntimeError("a fault of our own")


def fall_silent(arguments: Mapping[str, Any], folder: Path) -> Iterator[Any]:
    """Closes the way its answers take, and stays."""
    yield {}
    os.closerange(3, 64)
    time.sleep(3600)


def refuse(arguments: Mapping[str, Any], folder: Path) -> Iterator[Any]:
    """Refuses the data."""
    yield {}
    raise BadData("empty-file", "row 7: nothing there")


def chatter(arguments: Mapping[str, Any], folder: Path) -> Iterator[Any]:
    """Prints where the answers go."""
    print('{"end": true}', flush=True)
    os.write(1, b"noise")
    yield {"environment": dict(os.environ), "cwd": str(Path.cwd()), "path": sys.path[:1]}
