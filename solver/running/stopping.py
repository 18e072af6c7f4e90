"""What a running task and whoever waits for it tell each other: to stop, and the best so far.

Word goes by files in a folder that both see, so that it reaches another process and outlives its end. On a machine
without that folder nothing is heard, and a task runs to its own limits.
"""

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Stop = Callable[[], bool]
"""Asked now and then; true from the moment on that the work should end with the best it has."""


@dataclass(frozen=True, slots=True)
class Post:
    """Where one task and its runner leave word; ``number`` is the task's own within the folder."""

    folder: str
    number: int

    @property
    def stop(self) -> Path:
        """There once the tasks of this folder should stop."""
        return Path(self.folder, "stop")

    @property
    def best(self) -> Path:
        """The task's best result so far."""
        return Path(self.folder, f"{self.number}.best")


Listener = Callable[[Any], None]
_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)
_POST: ContextVar[Post | None] = ContextVar("post", default=None)


@contextmanager
def posted(post: Post | None) -> Iterator[None]:
    """Inside, `told_to_stop` and `hand_in` go by this post; without one nothing is heard or kept."""
    token = _POST.set(post)
    try:
        yield
    finally:
        _POST.reset(token)


def told_to_stop() -> bool:
    """Whether the task that asks should return the best it has; cheap enough to ask between rounds of any search."""
    post = _POST.get()
    return post is not None and post.stop.exists()


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Inside, what a task in this process hands in is told at once; one in another process is heard at its end."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def hand_in(result: object) -> None:
    """Keep what the task has so far: it is the task's result if the task is cut off before it returns one."""
    post, listener = _POST.get(), _LISTENER.get()
    if listener is not None:
        listener(result)
    if post is None:
        return
    written = post.best.with_suffix(".new")
    try:
        written.write_bytes(pickle.dumps(result))
        written.replace(post.best)
    except OSError:  # no such folder: nobody waits any more, or on another machine
        return


def handed_in(post: Post) -> Any:
    """The last result that the task handed in; None where it never did."""
    try:
        return pickle.loads(post.best.read_bytes())  # noqa: S301 the folder is the runner's own, closed to others
    except FileNotFoundError:
        return None
