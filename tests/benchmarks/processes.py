"""Measurements in a process of their own: its answer, the peak memory of its tree, the processor that it is kept to."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

WATCHED_EVERY_S = 0.05


class Failed(Exception):
    """A measured process ended with an error; its own message stands on standard error."""


def measured(module: str, *words: str) -> tuple[Any, int]:
    """What ``python -m module words`` writes as JSON to standard output, and the peak memory of its tree in bytes."""
    process = subprocess.Popen([sys.executable, "-m", module, *words], stdout=subprocess.PIPE, text=True)
    peak, done = [0], Event()

    def watch() -> None:
        while not done.wait(WATCHED_EVERY_S):
            peak[0] = max(peak[0], tree_bytes(process.pid))

    watcher = Thread(target=watch)
    watcher.start()
    try:
        out, _ = process.communicate()
    finally:
        done.set()
        watcher.join()
    if process.returncode:
        raise Failed(f"{module} {_shown(words)} ended with {process.returncode}")
    return json.loads(out), peak[0]


def processors() -> tuple[int, int]:
    """The one for what is measured and the one for all that is around it; the same where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def keep_to(processor: int, pids: Iterable[int]) -> None:
    """Have all threads of the processes run on one processor: a machine may put two that are busy on the same one."""
    for pid in pids:
        with suppress(OSError):  # it has ended meanwhile
            for thread in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {processor})


def tree_bytes(root: int) -> int:
    """Memory of a process and all its descendants: proportional set size, so that shared pages count once."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    tree = {root}
    while grown := {pid for pid, parent in parents.items() if parent in tree and pid not in tree}:
        tree |= grown
    return sum(_proportional_bytes(pid) for pid in tree)


def _proportional_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _shown(words: Sequence[str]) -> str:
    return " ".join(Path(word).name for word in words)
