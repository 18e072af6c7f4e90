"""What Ctrl-C does to a command that has something to show for its work."""

import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from solver.running.stopping import Stop
from solver.running.workers import Thread

Result = TypeVar("Result")
POLL_S = 0.1
"""So long a signal may stay unheard."""
ONE_KEYSTROKE_S = 0.2
"""Wrappers hand a signal on that the whole process group has had already: within this time it is the same one."""


def until_interrupted(
    work: Callable[[Stop], Result], *, first: Callable[[], None], second: Callable[[], None]
) -> Result:
    """Run ``work``, handing it a ``stop`` that the first Ctrl-C makes true; ``first`` and ``second`` are called then.

    The work has a thread of its own: Python hears a signal in the main thread only, and there not while it is inside
    another library. Called from another thread, where no signal arrives, the work runs there and is never stopped.
    """
    if threading.current_thread() is not threading.main_thread():
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
        return outcome.result()
    finally:
        signal.signal(signal.SIGINT, before)
        thread.close()
