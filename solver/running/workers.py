"""Where tasks run: spawned processes of our own, or one thread of this process."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from typing import Any

GRACE_S = 2.0
"""A task that has been told to stop has so long to return."""


class Processes(ProcessPoolExecutor):
    """Spawned processes, deaf to Ctrl-C, and gone soon after their parent says so or is gone itself.

    Each holds the reading end of one pipe. A word on it, or its end because the parent died, ends the process
    `GRACE_S` later, also out of a library that cannot be interrupted.
    """

    def __init__(self, workers: int) -> None:
        context = get_context("spawn")
        self._heard, self._line = context.Pipe(duplex=False)
        self._told = False
        super().__init__(workers, mp_context=context, initializer=_begin, initargs=(self._heard, GRACE_S))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As of any executor; the processes are started in here."""
        with _deaf_to_interrupts():
            return super().submit(fn, *args, **kwargs)

    def tell(self) -> None:
        """Tell every worker to end `GRACE_S` from now; the pool takes no more tasks."""
        if not self._told:
            self._told = True
            self._line.send_bytes(b"stop")

    def close(self) -> None:
        """Wait for the workers to be gone: the idle at once, others within `GRACE_S`."""
        self.tell()
        self.shutdown(wait=True, cancel_futures=True)
        self._line.close()
        self._heard.close()


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """What starts inside inherits a blocked SIGINT: Ctrl-C reaches the whole process group, at any moment."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(heard: Connection, grace_s: float) -> None:
    """The first thing a worker does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_when_told, args=(heard, grace_s), daemon=True).start()


def _end_when_told(heard: Connection, grace_s: float) -> None:
    """The word stays on the pipe, so that every worker finds it there."""
    wait([heard])
    time.sleep(grace_s)
    os._exit(1)


class Thread(Executor):
    """Tasks one after another in one thread of this process, so that whoever waits for them can stop waiting.

    A task that does not return when told is left behind: it ends by its own limits, or with the process.
    """

    def __init__(self) -> None:
        self._tasks: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As of any executor."""
        future: Future[Any] = Future()
        self._tasks.put((future, lambda: fn(*args, **kwargs)))
        return future

    def close(self) -> None:
        """Let the thread end after its task; nobody waits for it."""
        self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            future, work = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 raised where the future is asked
                future.set_exception(error)
