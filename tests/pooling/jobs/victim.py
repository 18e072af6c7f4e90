"""A worker in a process of its own, to be stopped, paused and killed: `python -m …victim URL LEASE_S`.

It prints a line when it is at work and one when a job begins. With the word ``unheard`` a job is not told that it is
another's by now, so that nothing but the fence keeps it from writing; with ``unfenced`` not even that, on purpose.
"""

import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from multiprocessing import get_context

import pytest

import pooling.tables  # noqa: F401
from pooling.database import connect
from pooling.jobs import JobContext, Kind, fence
from pooling.jobs.context import Means
from pooling.jobs.worker import Worker
from tests.pooling.jobs.working import write

GRACE_S = 1.5


def tell(word: str) -> None:
    """Print a line in one write: several jobs may begin at once."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def note(context: JobContext) -> None:
    """Begin, take a while, write the word, end."""
    tell("begun")
    time.sleep(context.payload.get("seconds", 0.0))
    with context.written() as opened:
        write(opened.session, context.payload["word"])
        context.finish({})


def split(context: JobContext) -> None:
    """Write the word, and end in another transaction: what must never be done where it matters."""
    with context.written() as opened:
        write(opened.session, context.payload["word"])
    time.sleep(context.payload.get("seconds", 0.0))


def long(context: JobContext) -> None:
    """Go on until told to stop."""
    tell("begun")
    while True:
        context.check()
        time.sleep(0.05)


def deaf(context: JobContext) -> None:
    """Hear nothing for a minute."""
    tell("begun")
    time.sleep(60)


def count_apart(seconds: float, *, on_progress: Callable[[object], None], stop: Callable[[], bool]) -> int:
    """In a child: work in a process pool of its own, and tell the ids of all processes."""
    import os

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        other = pool.submit(os.getpid).result()
        pool.submit(time.sleep, seconds)
        on_progress({"processes": [os.getpid(), other], "niceness": os.nice(0)})
        until = time.monotonic() + seconds
        while time.monotonic() < until and not stop():
            time.sleep(0.05)
    return other


def apart(context: JobContext) -> None:
    """Calculate in a child process for a minute."""
    tell("begun")
    context.apart(count_apart, 60.0)


HANDLERS = {
    "word.note": Kind(note),
    "word.split": Kind(split),
    "word.long": Kind(long),
    "word.deaf": Kind(deaf),
    "word.apart": Kind(apart, heavy=True),
}


def main(url: str, lease_s: str, *options: str) -> None:
    """Work until SIGTERM."""
    faults = pytest.MonkeyPatch()
    if "unfenced" in options:
        faults.setattr(fence, "_write", lambda *_: None)
    if "unheard" in options:
        faults.setattr(JobContext, "cancelled", lambda _: False)
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    engine = connect(url)
    worker = Worker(Means(engine, lease=timedelta(seconds=float(lease_s))), HANDLERS)
    worker.start()
    tell("at work")
    told.wait()
    worker.stop(GRACE_S)
    tell("stopped")


if __name__ == "__main__":
    main(*sys.argv[1:])
