"""Tasks over a `concurrent.futures.Executor`, on processes of our own, or right here; the results are the same.

A worker that dies takes no result with it: what was unfinished runs again on new processes. A task that kills its
worker every time is found by running it alone, and refused by name.
"""

import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import closing, contextmanager
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from solver.errors import WorkerLost
from solver.running.stopping import Post, Stop, handed_in, posted
from solver.running.workers import GRACE_S, Processes, Thread

TaskT = TypeVar("TaskT")
ResultT = TypeVar("ResultT")

POLL_S = 0.1
"""How often a wait asks whether it should stop, and hears a signal that another thread took."""
LOSSES = 3
"""So many lost executors are replaced within one `Runner.map`; then each task left runs alone, to find the culprit."""
log = logging.getLogger(__name__)


@contextmanager
def runner(executor: Executor | None = None, *, workers: int = 1, stop: Stop | None = None) -> "Iterator[Runner]":
    """A `Runner` on the executor handed in, else on ``workers`` processes of its own, or with 1 in this process.

    An executor handed in stays its owner's; where it breaks, ``workers`` processes of our own take its place. These
    are closed at the end. Whatever stood in it when ``stop`` became true and was not done `workers.GRACE_S` later is
    given up: processes of our own are ended, a thread or a task on somebody else's executor is left to its own limits.
    """
    running = Runner(executor, workers=workers, stop=stop)
    try:
        yield running
    finally:
        running.close()


class Runner:
    """Runs tasks; see `runner`, which also closes it."""

    def __init__(self, executor: Executor | None, *, workers: int, stop: Stop | None) -> None:
        self._workers, self._stop = workers, stop
        self._own: Processes | Thread | None = None
        if executor is None and workers > 1:
            self._own = Processes(workers)
        elif executor is None and stop is not None:
            self._own = Thread()
        self._executor = executor or self._own
        self._folder = None if stop is None else TemporaryDirectory(prefix="solver-", ignore_cleanup_errors=True)
        self._begun = 0
        """Tasks of earlier maps: each task has a number of its own."""

    def map(
        self,
        function: Callable[[TaskT], ResultT],
        tasks: Iterable[TaskT],
        *,
        on_done: Callable[[int, ResultT], None] | None = None,
        name: Callable[[TaskT], str] | None = None,
    ) -> list[ResultT | None]:
        """The results in the order of the tasks.

        What ``stop`` cut off stands there as far as the task had handed it in (`stopping.hand_in`), else as None.

        ``on_done`` is called here with number and result of each task when it is done, in whatever order that is.
        ``name`` says in an error which task it was. An exception of a task is raised here and the rest given up.

        Raises `WorkerLost` for a task that ends its worker process each time, and for an executor that is shut down.
        """
        todo = list(tasks)
        results: dict[int, ResultT] = {}
        losses = 0
        while not self._stopping() and (left := [k for k in range(len(todo)) if k not in results]):
            batch = left if losses < LOSSES else left[:1]
            with closing(self._finished(function, todo, batch)) as finished:
                for k, result in finished:
                    results[k] = result
                    if on_done is not None:
                        on_done(k, result)
            unfinished = [k for k in batch if k not in results]
            if unfinished and not self._stopping():
                losses += 1
                if losses > LOSSES:
                    raise WorkerLost(_culprit(name(todo[batch[0]]) if name else f"task {batch[0]}", losses))
                self._replace(len(unfinished))
        found = [results[k] if k in results else self._handed_in(k) for k in range(len(todo))]
        self._begun += len(todo)
        return found

    def close(self) -> None:
        """End what was made here."""
        self._end_workers()
        if self._folder is not None:
            self._folder.cleanup()

    def _end_workers(self) -> None:
        if self._own is not None:
            self._own.close()
            self._own = None

    def _post(self, number: int) -> Post | None:
        return None if self._folder is None else Post(self._folder.name, self._begun + number)

    def _handed_in(self, number: int) -> Any:
        post = self._post(number)
        return None if post is None else handed_in(post)

    def _finished(
        self, function: Callable[[TaskT], ResultT], tasks: Sequence[TaskT], numbers: Sequence[int]
    ) -> Generator[tuple[int, ResultT], None, None]:
        """(number, result) as tasks are done; those whose worker was lost, or that ``stop`` cut off, are missing."""
        if self._executor is None:
            yield from ((k, function(tasks[k])) for k in numbers)
            return
        futures = self._submitted(self._executor, function, tasks, numbers)
        running = set(futures)
        try:
            while running and not self._stopping():
                done, running = wait(running, timeout=POLL_S, return_when=FIRST_COMPLETED)
                yield from _results(done, futures)
        finally:
            running = {future for future in running if not future.cancel()}
        if running:
            self._tell()
            done, _ = wait(running, timeout=GRACE_S)
            yield from _results(done, futures)

    def _submitted(
        self, executor: Executor, function: Callable[[TaskT], ResultT], tasks: Sequence[TaskT], numbers: Sequence[int]
    ) -> dict[Future[ResultT], int]:
        """Each future with its number; tasks that a breaking executor no longer takes are missing."""
        futures: dict[Future[ResultT], int] = {}
        try:
            for k in numbers:
                futures[executor.submit(_run, function, tasks[k], self._post(k))] = k
        except BrokenExecutor:
            log.debug("the executor broke while tasks went to it")
        except RuntimeError as closed:
            raise WorkerLost(f"executor: {closed}: hand in one that is open") from closed
        return futures

    def _tell(self) -> None:
        """Tell the tasks that run to stop; processes of our own end soon after, whether their task listened or not."""
        post = self._post(0)
        if post is not None:
            post.stop.touch()
        if isinstance(self._own, Processes):
            self._own.tell()

    def _replace(self, unfinished: int) -> None:
        log.warning("workers were lost: %d unfinished tasks run again on %d new ones", unfinished, self._workers)
        self._end_workers()
        self._executor = self._own = Processes(self._workers)

    def _stopping(self) -> bool:
        return self._stop is not None and self._stop()


def _run(function: Callable[[TaskT], ResultT], task: TaskT, post: Post | None) -> ResultT:
    """What runs where the task runs."""
    with posted(post):
        return function(task)


def _culprit(task: str, losses: int) -> str:
    return (
        f"{task}: worker processes ended {losses} times without an answer, the last time with this task alone: "
        'give the machine more memory; a script that starts workers needs `if __name__ == "__main__":` around that'
    )


def _results(done: Iterable[Future[ResultT]], futures: dict[Future[ResultT], int]) -> Iterator[tuple[int, ResultT]]:
    """Of futures that are done, lost ones left out, in the order of their numbers.

    They are let go of: a cluster keeps a result, and makes it again if it is lost, as long as its future is held.
    """
    for number, future in sorted((futures.pop(future), future) for future in done):
        if not future.cancelled() and not isinstance(future.exception(), BrokenExecutor):
            yield number, future.result()
