"""Kills a working process at random moments and looks at the database after each: before, or after, never between.

A target names the words of a cycle, for a process that prints ``begun`` when its transaction starts. ``state`` reads
what the database says, ``expected`` what it must say once that process has finished, ``consistent`` raises
AssertionError where parts contradict each other.
"""

import json
import os
import random
import select
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
    """What is killed and how the database is judged; words are those that `tests.e2e.victim` is started with."""

    words: Callable[[int], Sequence[str]]
    state: Callable[[], State]
    expected: Callable[[State, int], State]
    consistent: Callable[[], None]


class Victims:
    """Processes one after the other, forked by `tests.e2e.victim`, which has imported everything once for all."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.e2e.victim"]
        self._forking = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self._living: int | None = None

    def start(self, words: Sequence[str]) -> None:
        """Start one, and wait until its transaction has begun."""
        assert self._forking.stdin is not None
        self._forking.stdin.write(json.dumps(words).encode() + b"\n")
        self._living = int(self._said(PATIENCE_S))
        assert self._said(PATIENCE_S) == BEGUN

    def ended(self, seconds: float) -> int | None:
        """Its exit code; None where it still works after so many seconds."""
        assert self._forking.stdout is not None
        if not select.select([self._forking.stdout], [], [], seconds)[0]:
            return None
        self._living = None
        return int(self._said(PATIENCE_S))

    def kill(self) -> None:
        """SIGKILL, whatever it does."""
        if self._living is not None:
            os.kill(self._living, signal.SIGKILL)

    def close(self) -> None:
        """Kill the one that lives, and start no more."""
        self.kill()
        assert self._forking.stdin is not None
        assert self._forking.stdout is not None
        self._forking.stdin.close()
        self._forking.wait(PATIENCE_S)
        self._forking.stdout.close()

    def _said(self, within_s: float) -> str:
        assert self._forking.stdout is not None
        assert select.select([self._forking.stdout], [], [], within_s)[0], "the victim says nothing"
        return bytes(self._forking.stdout.readline()).decode().strip()


def kill_at_random(victims: Victims, target: Target[Any], *, cycles: int, seed: int) -> Counter[str]:
    """Kill so many processes, each at a random moment of its work; how many left the database before, how many after.

    The first process is let finish, to know how long the work takes. Raises AssertionError where the database is
    neither as before nor as after, or contradicts itself.
    """
    chance = random.Random(seed)
    outcome: Counter[str] = Counter()
    duration_s = _run(victims, target, 0, kill_after_s=None, outcome=outcome)
    for cycle in range(1, cycles + 1):
        _run(victims, target, cycle, kill_after_s=chance.uniform(0, 1.1) * duration_s, outcome=outcome)
    return outcome


def _run(
    victims: Victims, target: Target[Any], cycle: int, *, kill_after_s: float | None, outcome: Counter[str]
) -> float:
    """One process; seconds from the start of its transaction to its end."""
    before = target.state()
    after = target.expected(before, cycle)
    victims.start(target.words(cycle))
    begun = time.monotonic()
    code = victims.ended(PATIENCE_S if kill_after_s is None else kill_after_s)
    if code is None:
        victims.kill()
        code = victims.ended(PATIENCE_S)
    assert code is not None, "the victim outlives its end"
    seconds = time.monotonic() - begun
    target.consistent()
    found = target.state()
    if kill_after_s is None:
        assert code == 0
        assert found == after, "the work left alone does not end as expected"
    elif found == before:
        outcome["before"] += 1
    else:
        assert found == after, f"cycle {cycle}: killed after {kill_after_s:.3f} s, neither as before nor as after"
        outcome["after"] += 1
    return seconds
