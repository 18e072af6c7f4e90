"""Tasks on the workers of a Dask cluster, as a `concurrent.futures.Executor`. Needs the extra ``cluster``.

Dask runs a task again on another worker when its worker dies. What it gives up on, and everything once the scheduler
is gone, comes out as of a broken executor, which `solver.running.tasks` replaces by processes of this machine.
"""

import re
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from solver.errors import SolverError

if TYPE_CHECKING:
    from distributed import Client

CONNECTING_S = 10.0
"""So long the scheduler has to answer, and then the first worker to be there."""


ADDRESS = re.compile(r"(tcp|tls)://\S+:\d{1,5}")


class ClusterRefused(SolverError):
    """A cluster that cannot be used: which address, why, and what to do."""


class ClusterExecutor(Executor):
    """Runs tasks on the cluster of a client; ``workers`` is how many it could run side by side when it was made."""

    def __init__(self, client: "Client", workers: int) -> None:
        self.workers = workers
        self._inner: Executor = client.get_executor(pure=False)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As of any executor."""
        from distributed.client import ClosedClientError

        try:
            inner, outer = self._inner.submit(fn, *args, **kwargs), Future[Any]()
        except ClosedClientError as closed:
            raise BrokenExecutor(str(closed)) from closed
        weak = weakref.ref(inner)  # a circle would keep results on the cluster long after they were fetched
        outer.add_done_callback(lambda done: _cancel(weak()) if done.cancelled() else None)
        inner.add_done_callback(lambda done: _hand_on(done, outer))
        return outer


@contextmanager
def cluster(address: str) -> Iterator[ClusterExecutor]:
    """The cluster whose scheduler listens at ``address``, such as ``tcp://127.0.0.1:8786``; left running at the end.

    ``tls://`` takes certificates from Dask's own configuration. Raises `ClusterRefused`.
    """
    try:
        from distributed import Client
    except ImportError as missing:
        remedy = "install the extra `cluster` of this package (locked in constraints-cluster.txt)"
        raise ClusterRefused(f"cluster {address}: {missing}: {remedy}") from missing
    remedy = "give the address of a running Dask scheduler, such as tcp://127.0.0.1:8786"
    if ADDRESS.fullmatch(address) is None:
        raise ClusterRefused(f"cluster {address}: is no address: {remedy}")
    try:
        client = Client(address, timeout=CONNECTING_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as unreached:
        raise ClusterRefused(f"cluster {address}: cannot be reached: {unreached}: {remedy}") from unreached
    try:
        yield ClusterExecutor(client, _threads(client, address))
    finally:
        client.close()


def _threads(client: "Client", address: str) -> int:
    """Threads of all workers there are; at least one must come, and every one must have this package."""
    try:
        client.wait_for_workers(1, timeout=CONNECTING_S)
    except TimeoutError as none:
        raise ClusterRefused(f"cluster {address}: no worker has joined: start one, with this package") from none
    answers = client.run(_import_solver, on_error="return")
    for worker, without in sorted(answers.items()):
        if without is not None:
            remedy = "start it in an environment that has this package, such as its image"
            raise ClusterRefused(f"cluster {address}: worker {worker} cannot run tasks: {without}: {remedy}")
    return sum(client.nthreads().values())


def _import_solver() -> None:
    """Unpickled by its name, and so only where this package is."""


def _cancel(inner: Future[Any] | None) -> None:
    if inner is not None:
        inner.cancel()


def _hand_on(inner: Future[Any], outer: Future[Any]) -> None:
    """What became of one future to another one, unless nobody waits for it any more."""
    from distributed import KilledWorker

    if not outer.set_running_or_notify_cancel():
        return
    if inner.cancelled():
        outer.set_exception(BrokenExecutor("the cluster no longer has the task"))
        return
    error = inner.exception()
    if isinstance(error, KilledWorker):
        outer.set_exception(BrokenExecutor(str(error)))
    elif error is not None:
        outer.set_exception(error)
    else:
        outer.set_result(inner.result())
