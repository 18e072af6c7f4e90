"""Kills a working process at random moments and looks at the database after each: before, or after, never between.

`prepare` names the process for a cycle, which prints ``begun`` when its transaction starts. ``state`` reads what the
database says, ``expected`` what it must say once that process has finished, ``consistent`` raises AssertionError where
parts contradict each other.
"""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

State = TypeVar("State")
BEGUN = "begun"
PATIENCE_S = 120


@dataclass(frozen=True)
class Target(Generic[State]):
    """What is killed and how the database is judged; words are those behind ``python -m``."""

    words: Callable[[int], Sequence[str]]
    state: Callable[[], State]
    expected: Callable[[State, int], State]
    consistent: Callable[[], None]


def kill_at_random(target: Target[Any], *, cycles: int, seed: int) -> Counter[str]:
    """Kill so many processes, each at a random moment of its work; how many left the database before, how many after.

    The first process is let finish, to know how long the work takes. Raises AssertionError where the database is
    neither as before nor as after, or contradicts itself.
    """
    chance = random.Random(seed)
    outcome: Counter[str] = Counter()
    duration_s = _run(target, 0, kill_after_s=None, outcome=outcome)
    for cycle in range(1, cycles + 1):
        _run(target, cycle, kill_after_s=chance.uniform(0, 1.1) * duration_s, outcome=outcome)
    return outcome


def _run(target: Target[Any], cycle: int, *, kill_after_s: float | None, outcome: Counter[str]) -> float:
    """One process; seconds from the start of its transaction to its end."""
    before = target.state()
    after = target.expected(before, cycle)
    process = subprocess.Popen([sys.executable, "-m", *target.words(cycle)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline().strip() == BEGUN
        begun = time.monotonic()
        if kill_after_s is not None:
            _wait(process, kill_after_s)
            process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)
        seconds = time.monotonic() - begun
    finally:
        process.kill()
        process.stdout.close()
        process.wait(PATIENCE_S)
    target.consistent()
    found = target.state()
    if kill_after_s is None:
        assert process.returncode == 0
        assert found == after, "the work left alone does not end as expected"
    elif found == before:
        outcome["before"] += 1
    else:
        assert found == after, f"cycle {cycle}: killed after {kill_after_s:.3f} s, neither as before nor as after"
        outcome["after"] += 1
    return seconds


def _wait(process: subprocess.Popen[str], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return
