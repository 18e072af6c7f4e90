"""Processes of the service that are there at once: `python -m tests.e2e.nursery` imports everything, then forks.

It reads an order a line and answers with a line: ``start`` a server or worker (its process id), ``wait`` for the end of
one. What is forked is a process of its own, with the very command of `serve` or the very worker; it is killed by id.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

from connectors import sandbox
from tests.readers import FORKED, Readers

LEASE_S = 1.5
"""Of the workers that are killed: their jobs are taken over after this, not after the usual twenty seconds."""


class Nursery:
    """Starts processes of the service, and kills them; at the end of a ``with`` block those that live still."""

    def __init__(self, log: Path) -> None:
        command = [sys.executable, "-m", "tests.e2e.nursery"]
        self.log = log
        one = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "POOLING_REQUESTS_PER_MINUTE": "0"}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=one)
        self._living: set[int] = set()

    def start(self, *words: str) -> int:
        """Start ``serve URL PORT …`` or ``work URL …``; the rest are faults to plant. Its process id."""
        started = int(self._told({"start": words, "log": str(self.log)}))
        self._living.add(started)
        return started

    def kill(self, process: int) -> None:
        """SIGKILL, and its end."""
        os.kill(process, signal.SIGKILL)
        assert self._told({"wait": process}) == "SIGKILL"
        self._living.remove(process)

    def _told(self, order: dict[str, Any]) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in list(self._living):
            self.kill(process)

    def close(self) -> None:
        """Start no more."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def serve(url: str, port: str, *faults: str) -> None:
    """The command `serve`, without a worker in it."""
    from pooling.database import connect
    from pooling.serving import serve as command
    from tests.e2e import faults as planted

    planted.plant(faults)
    command.main(["--port", port, "--no-worker"], obj=connect(url), standalone_mode=False)


def work(url: str, *faults: str) -> None:
    """A worker with every kind of job there is, as `worker` starts it."""
    from pooling.database import connect
    from pooling.jobs.context import Means
    from pooling.jobs.worker import Worker
    from pooling.working import HANDLERS, SCHEDULE
    from tests.e2e import faults as planted

    planted.plant(faults)
    Worker(Means(connect(url), lease=timedelta(seconds=LEASE_S)), HANDLERS, SCHEDULE).start()
    signal.pause()


PARTS: dict[str, Callable[..., None]] = {"serve": serve, "work": work}


def fork(words: Sequence[str], log: str) -> int:
    """A child that is one part of the service; its process id."""
    child = os.fork()
    if child:
        return child
    try:
        target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for number in (1, 2):
            os.dup2(target, number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        PARTS[words[0]](*words[1:])
    finally:
        os._exit(1)


def main() -> None:
    """Take orders until there are no more."""
    for name in ("pooling.serving", "pooling.working", "tests.e2e.faults"):
        import_module(name)
    readers = Readers()
    if FORKED:
        readers.open()
        setattr(sandbox, "_start", readers.start)  # noqa: B010 in the place of the product's own, for all that are forked
    assert threading.active_count() == 1, "threads of our own are lost in a fork"
    for line in sys.stdin:
        order = json.loads(line)
        if "start" in order:
            print(fork(order["start"], order["log"]), flush=True)
        else:
            status = os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1])
            print(signal.Signals(-status).name if status < 0 else status, flush=True)
    readers.close()


if __name__ == "__main__":
    main()
