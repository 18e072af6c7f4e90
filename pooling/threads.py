"""Threads in which handlers run: what the framework's way there and back does, without what it does beside that."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, Self

THREADS = "threads"
"""Where the application's state holds the `Threads` of its handlers while it runs."""
_Call = tuple[asyncio.Future[Any], Callable[[], Any]]


class Threads:
    """So many threads, from ``with`` to its end, which waits for the calls that were taken on."""

    def __init__(self, count: int) -> None:
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
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
        for thread in self._threads:
            thread.join()

    def do(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        """What ``work`` returns or raises, once a thread has done it; to be asked for by the event loop."""
        future = asyncio.get_running_loop().create_future()
        self._calls.put((future, work))
        return future

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            _do(*call)
            del call  # what it holds must not outlive it while the thread waits for the next one


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
