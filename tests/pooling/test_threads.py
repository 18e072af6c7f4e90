"""Threads of handlers: what a call makes or raises comes back to the loop, and the end waits for what is begun."""

import asyncio
import threading
import time
import weakref
from functools import partial
from unittest.mock import patch

import pytest

from pooling.threads import Threads, give_way


def test_what_a_call_makes_comes_back_from_another_thread() -> None:
    async def asked() -> list[int]:
        with Threads(2) as threads:
            return [await threads.do(threading.get_ident), threading.get_ident()]

    there, here = asyncio.run(asked())
    assert there != here


def test_what_a_call_raises_is_raised_where_it_is_waited_for_and_its_thread_goes_on() -> None:
    def refuse() -> None:
        raise LookupError("nothing is here")

    async def asked() -> int:
        with Threads(1) as threads:
            with pytest.raises(LookupError, match="nothing is here"):
                await threads.do(refuse)
            return int(await threads.do(lambda: 7))

    assert asyncio.run(asked()) == 7


def test_as_many_calls_as_there_are_threads_go_on_at_once() -> None:
    met = threading.Barrier(3, timeout=10.0)

    async def asked() -> int:
        with Threads(3) as threads:
            return len(await asyncio.gather(*(threads.do(met.wait) for _ in range(3))))

    assert asyncio.run(asked()) == 3


def test_the_end_waits_for_what_was_begun_and_nobody_is_told_who_no_longer_waits() -> None:
    begun, free, done = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        free.wait(10.0)
        done.set()

    async def asked() -> bool:
        with Threads(1) as threads:
            waiting = threads.do(work)
            await asyncio.to_thread(begun.wait)
            waiting.cancel()
            free.set()
        await asyncio.sleep(0)
        return waiting.cancelled()

    assert asyncio.run(asked())
    assert done.is_set()


def test_a_waiting_thread_keeps_nothing_of_its_last_call() -> None:
    class Held:
        """Something that a call holds."""

        def seen(self) -> int:
            return 1

    async def asked() -> object:
        with Threads(1) as threads:
            held = Held()
            left = weakref.ref(held)
            await threads.do(held.seen)
            del held
            for _ in range(500):  # the thread lets go soon after it has told what came of the call
                if left() is None:
                    break
                await asyncio.sleep(0.01)
            return left()

    assert asyncio.run(asked()) is None


def test_of_many_calls_only_so_many_are_at_work_at_once() -> None:
    most, now, guard = [0], [0], threading.Lock()

    def work() -> None:
        with guard:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.001)
        with guard:
            now[0] -= 1

    async def asked() -> None:
        with Threads(4, at_once=1) as threads:
            await asyncio.gather(*(threads.do(work) for _ in range(10)))

    with patch("pooling.threads.PATIENCE_S", 60.0):
        asyncio.run(asked())
    assert most == [1]


def test_a_call_that_gives_way_lets_the_next_one_begin() -> None:
    met = threading.Barrier(2, timeout=10.0)

    def work() -> None:
        give_way()
        met.wait()

    async def asked() -> None:
        with Threads(2, at_once=1) as threads:
            await asyncio.gather(threads.do(work), threads.do(work))

    with patch("pooling.threads.PATIENCE_S", 60.0):
        asyncio.run(asked())
    assert not met.broken


def test_calls_that_take_long_hold_nobody_back_and_later_as_few_are_at_work_as_before() -> None:
    free = threading.Event()
    now, most, guard = [0], [0], threading.Lock()

    def work() -> None:
        with guard:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.0005)
        with guard:
            now[0] -= 1

    async def asked() -> None:
        with Threads(4, at_once=1) as threads:
            held = [threads.do(partial(free.wait, 30.0)) for _ in range(3)]
            async with asyncio.timeout(20.0):
                assert await threads.do(lambda: 7) == 7
            free.set()
            await asyncio.gather(*held)
            with patch("pooling.threads.PATIENCE_S", 60.0):
                await asyncio.sleep(0.1)  # who watched before has looked for the last time
                await asyncio.gather(*(threads.do(work) for _ in range(20)))

    asyncio.run(asked())
    assert most == [1]
