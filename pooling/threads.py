"""Threads in which handlers run: what the framework's way there and back does, without what it does beside that."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from queue import Empty, SimpleQueue
from threading import Thread, local
from types import TracebackType
from typing import Any, Self

THREADS = "threads"
"""Where the application's state holds the `Threads` of its handlers while it runs."""
_Call = tuple[asyncio.Future[Any], Callable[[], Any]]


PATIENCE_S = 0.02
"""A call that nobody takes for so long is no longer held back by those before it."""
_TURN = local()


class Threads:
    """So many threads, from ``with`` to its end, which waits for the calls that were taken on.

    ``at_once``: how many of them work at a time, until they `give_way`; the others would only take the interpreter from
    them. Calls that take long hold nobody back.
    """

    def __init__(self, count: int, *, at_once: int | None = None) -> None:
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._turns: SimpleQueue[None] = SimpleQueue()  # the interpreter's quickest semaphore
        self._extra: SimpleQueue[None] = SimpleQueue()
        for _ in range(at_once or count):
            self._turns.put(None)
        self._taken = 0
        self._watched = False
        self._threads = [Thread(target=self._work, name=f"handler_{number}", daemon=True) for number in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, broken: BaseException | None, place: TracebackType | None
    ) -> None:
        for _ in self._threads:
            self._calls.put(None)
            self._turns.put(None)
        for thread in self._threads:
            thread.join()

    def do(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        """What ``work`` returns or raises, once a thread has done it; to be asked for by the event loop."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._calls.put((future, work))
        if not self._watched:
            self._watched = True
            loop.call_later(PATIENCE_S, self._watch, loop, self._taken)
        return future

    def _watch(self, loop: asyncio.AbstractEventLoop, taken: int) -> None:
        """Give one more thread a turn where calls wait and none was taken since: those at work are held up."""
        if self._calls.empty():
            self._watched = False
            return
        if self._taken == taken and self._turns.empty():
            self._extra.put(None)
            self._turns.put(None)
        loop.call_later(PATIENCE_S, self._watch, loop, self._taken)

    def _work(self) -> None:
        while True:
            if getattr(_TURN, "end", None) is None:
                self._turns.get()
                _TURN.end = self._end_turn
            call = self._calls.get()
            if call is None:
                return
            self._taken += 1
            _do(*call)
            del call  # what it holds must not outlive it while the thread waits for the next one
            if not self._extra.empty():
                give_way()

    def _end_turn(self) -> None:
        """Somebody else's turn, but for those that were given beside."""
        try:
            if not self._extra.empty():
                self._extra.get_nowait()
                return
        except Empty:  # another thread was quicker
            pass
        self._turns.put(None)


def give_way() -> None:
    """End the turn of the thread that this is called in: from here on it waits more than it works. Safe to repeat."""
    end: Callable[[], None] | None = getattr(_TURN, "end", None)
    if end is not None:
        _TURN.end = None
        end()


def _do(future: asyncio.Future[Any], work: Callable[[], Any]) -> None:
    say = future.get_loop().call_soon_threadsafe
    try:
        made = work()
    except BaseException as broken:  # noqa: BLE001 whoever waits for it has it raised
        say(_settle, future, future.set_exception, broken)
    else:
        say(_settle, future, future.set_result, made)


def _settle(future: asyncio.Future[Any], tell: Callable[[Any], None], outcome: object) -> None:
    if not future.done():  # else nobody waits any more
        tell(outcome)


def in_thread(work: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """A handler for the event loop that has ``work`` done by a thread; its parameters are the same."""

    @wraps(work)
    async def answer(*places: Any, **named: Any) -> Any:
        threads: Threads = named["request"].app.state[THREADS]
        return await threads.do(partial(work, *places, **named))

    return answer
