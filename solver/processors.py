"""Processes and threads held to a processor each, where they are as many: some virtual machines put busy ones on one.

Where the system does not let itself be told, nothing is held anywhere.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

AVAILABLE: tuple[int, ...] = tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()
"""The processors of this process, as it was started."""


def place(number: int, of: int) -> frozenset[int]:
    """The processors for the worker or thread of this number, of so many that are busy at once: one of its own where
    they are as many, else all. Empty where it is alone: those of whoever starts it."""
    if of == 1 or not AVAILABLE:
        return frozenset()
    if of < len(AVAILABLE):
        return frozenset(AVAILABLE)
    return frozenset({AVAILABLE[number % len(AVAILABLE)]})


def hold(processors: frozenset[int]) -> None:
    """Let the calling thread, and what it starts from now on, run there; empty: where it does already."""
    if processors:
        os.sched_setaffinity(0, processors)


@contextmanager
def side_by_side(threads: int, *, beside: int = 0) -> Iterator[ThreadPoolExecutor]:
    """So many threads, beside so many that are busy already: those with the first numbers."""
    numbers = count(beside)

    def begin() -> None:
        hold(place(next(numbers), beside + threads))

    with ThreadPoolExecutor(threads, initializer=begin) as pool:
        yield pool
