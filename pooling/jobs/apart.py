"""Long calculation in a child process: of low priority, followed, stopped when asked, and gone when its parent is.

The child is a fresh interpreter (spawned, so that no lock or connection is inherited). Two pipes lead to it: down the
one goes "stop", up the other come progress and the answer. It holds the reading end of the first; where that ends, its
parent is gone, and so is it, with whatever processes it started (they are one process group).
"""

import logging
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from pooling.errors import PoolingError
from pooling.jobs.fence import JobStopped

LOG = logging.getLogger("pooling.jobs")
NICENESS = 10
POLL_S = 0.2
"""How often cancel is asked for while the child says nothing."""
STOP_POLL_S = 1.0
GRACE_S = 5.0
"""A child that is out of time has so long to return its best; then it is killed."""

Tell = Callable[[Any], None]


class ChildLost(RuntimeError):
    """The child process ended without an answer: killed, out of memory, or it failed."""


class Refused(PoolingError):
    """A refusal from the child whose own class does not travel between processes; its code and words do."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message, code)
        self.code = code

    def __str__(self) -> str:
        return str(self.args[0])


def run_apart(
    function: Callable[..., Any],
    arguments: Sequence[Any],
    *,
    on_progress: Tell,
    cancelled: Callable[[], bool],
    stop: Callable[[], bool] = lambda: False,
    timeout_s: float | None = None,
) -> Any:
    """What ``function(*arguments, on_progress=…, stop=…)`` returns, worked out in a child process.

    ``function`` is a module's own (it is found by name); arguments, progress and result can be pickled. Once
    ``cancelled()`` is true the child is killed and JobStopped raised. Once ``stop()`` is true here, or after
    ``timeout_s``, the child's own ``stop()`` is: it should return the best it has, and is waited for.
    A refusal (PoolingError) in the child is raised here.

    Raises ChildLost where the child ends without an answer, TimeoutError where it does not return `GRACE_S` after
    ``timeout_s``.
    """
    context = get_context("spawn")
    heard, line = context.Pipe(duplex=False)
    answers, said = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(heard, said, function, tuple(arguments)), name="apart")
    try:
        child.start()
        heard.close()
        said.close()
        following = _Following(child, answers, line, time.monotonic(), timeout_s)
        return following.answer(on_progress=on_progress, cancelled=cancelled, stop=stop)
    finally:
        _end(child)
        answers.close()
        line.close()


@dataclass(slots=True)
class _Following:
    """The parent's side of a child at work."""

    child: SpawnProcess
    answers: Connection
    line: Connection
    began: float
    timeout_s: float | None
    told: bool = False
    asked_at: float = 0.0

    def answer(self, *, on_progress: Tell, cancelled: Callable[[], bool], stop: Callable[[], bool]) -> Any:
        """Progress handed on until the answer comes."""
        while True:
            if cancelled():
                raise JobStopped("the calculation was cancelled")
            if not self.told and (self._late_s() > 0 or self._asked(stop)):
                self._tell_to_stop()
            if self._late_s() > GRACE_S:
                raise TimeoutError(f"the calculation did not end within {self.timeout_s} s")
            if not self.answers.poll(POLL_S):
                continue
            word, content = self._received()
            if word == "progress":
                on_progress(content)
            elif word == "refused":
                raise content
            else:
                return content

    def _asked(self, stop: Callable[[], bool]) -> bool:
        """What ``stop`` says, asked about once a second: it may look into the database."""
        if time.monotonic() - self.asked_at < STOP_POLL_S:
            return False
        self.asked_at = time.monotonic()
        return stop()

    def _late_s(self) -> float:
        return -1.0 if self.timeout_s is None else time.monotonic() - self.began - self.timeout_s

    def _received(self) -> tuple[str, Any]:
        try:
            word, content = self.answers.recv()
        except EOFError:
            self.child.join(GRACE_S)
            raise ChildLost(f"the calculation's process ended with exit code {self.child.exitcode}") from None
        return str(word), content

    def _tell_to_stop(self) -> None:
        self.told = True
        try:
            self.line.send_bytes(b"stop")
        except OSError:  # it has ended already, and its answer may still be on the way
            LOG.debug("the child was gone before it could be told to stop")


def _end(child: SpawnProcess) -> None:
    """Kill the child and what it started, whatever they do, and wait for it."""
    if child.pid is None:
        return
    if child.exitcode is None:
        _kill_group(child.pid)
    child.join()
    child.close()


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:  # it is not its group's leader yet: it has only begun to start
        os.kill(group, signal.SIGKILL)


def _work(heard: Connection, said: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """The child: its own process group, low priority, and a thread that listens to the parent."""
    os.setpgid(0, 0)
    os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    stop = threading.Event()
    threading.Thread(target=_listen, args=(heard, stop), daemon=True).start()
    sending = threading.Lock()

    def send(word: str, content: Any) -> None:
        with sending:
            said.send((word, content))

    try:
        result = function(*arguments, on_progress=lambda figures: send("progress", figures), stop=stop.is_set)
    except PoolingError as refusal:
        send("refused", _travelling(refusal))
    else:
        send("result", result)


def _travelling(refusal: PoolingError) -> PoolingError:
    """The refusal itself where it can be pickled there and back."""
    try:
        pickle.loads(pickle.dumps(refusal))  # noqa: S301 our own bytes
    except (TypeError, AttributeError, pickle.PicklingError):
        return Refused(str(refusal), refusal.code)
    return refusal


def _listen(heard: Connection, stop: threading.Event) -> None:
    """Set ``stop`` at the parent's word; where the parent is gone, end this whole process group at once."""
    wait([heard])
    try:
        heard.recv_bytes()
        stop.set()
        heard.recv_bytes()
    except EOFError:
        os.killpg(0, signal.SIGKILL)
