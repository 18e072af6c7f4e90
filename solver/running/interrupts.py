"""What Ctrl-C does to a command that has something to show for its work."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import TypeVar

from solver.running.stopping import Stop
from solver.running.workers import Thread

Result = TypeVar("Result")
POLL_S = 0.1
"""So long a signal may stay unheard."""
ONE_KEYSTROKE_S = 0.2
"""Wrappers hand a signal on that the whole process group has had already: within this time it is the same one."""


def ignored() -> None:
    """From now on Ctrl-C does nothing: what a command is for is done. In threads where none arrives, nothing to do."""
    if _hears():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def put_back() -> Iterator[None]:
    """Whoever heard Ctrl-C at the beginning hears it again at the end."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if _hears() and before is not None:  # None: not a handler of Python's, which it cannot put back
            signal.signal(signal.SIGINT, before)


def _hears() -> bool:
    return threading.current_thread() is threading.main_thread()


def until_interrupted(
    work: Callable[[Stop], Result], *, first: Callable[[], None], second: Callable[[], None], keep: bool = False
) -> Result:
    """Run ``work``, handing it a ``stop`` that the first Ctrl-C makes true; ``first`` and ``second`` are called then.

    The work has a thread of its own: Python hears a signal in the main thread only, and there not while it is inside
    another library. Called from another thread, where no signal arrives, the work runs there and is never stopped.

    ``keep``: Ctrl-C goes on to be heard in this way after the work, so that none can come between a result and what
    is done with it; the caller ends it by `ignored` or `put_back`.
    """
    if not _hears():
        return work(lambda: False)
    interrupted = threading.Event()
    heard_at: list[float] = []

    def hear(_number: int, _frame: object) -> None:
        heard_at.append(time.monotonic())
        if len(heard_at) == 1:
            interrupted.set()
            first()
        elif heard_at[-1] - heard_at[0] > ONE_KEYSTROKE_S:
            second()

    thread = Thread()
    before = signal.signal(signal.SIGINT, hear)
    try:
        outcome: Future[Result] = thread.submit(work, interrupted.is_set)
        done = False
        while not done:  # in short waits: a signal that another thread takes would not end a long one
            done = bool(wait([outcome], timeout=POLL_S).done)
        result = outcome.result()
    except BaseException:
        signal.signal(signal.SIGINT, before)
        raise
    finally:
        thread.close()
    if not keep:
        signal.signal(signal.SIGINT, before)
    return result
