"""Tasks over executors: the same results whatever happens to the workers, and a wait that can be ended."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from solver import Instance, Progress, solve
from solver.check import check
from solver.errors import WorkerLost
from solver.running.stopping import hand_in, told_to_stop
from solver.running.tasks import LOSSES, runner
from solver.running.workers import GRACE_S, Processes
from tests.solver.many_families import comparable, families

ROOT = Path(__file__).parents[2]


# What the workers run; it lies here because a spawned process finds functions by their module. ----------------------


def square(number: int) -> int:
    return number * number


def slowest_first(number: int) -> int:
    time.sleep(0.05 * (4 - number))
    return number


def own_pid(_: int) -> int:
    time.sleep(0.3)
    return os.getpid()


def lasting_until(there: tuple[int, str]) -> int:
    """The number, once the file is there; leaves one file for each time it began."""
    number, path = there
    folder = Path(path)
    (folder / f"began-{number}-{os.getpid()}").touch()
    while not (folder / "go").exists():
        time.sleep(0.02)
    return number


def deadly(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def deadly_once(there: tuple[int, str]) -> int:
    number, path = there
    if number == 1 and not Path(path, "died").exists():
        Path(path, "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def failing(number: int) -> int:
    if number == 1:
        raise ArithmeticError(f"no result for {number}")
    return number


def until_told(there: tuple[int, str]) -> str:
    """Ends early when told to, as a search between its rounds."""
    number, path = there
    Path(path, f"began-{number}").touch()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if told_to_stop():
            return f"best of {number} so far"
        time.sleep(0.02)
    return "never told"


def deaf(there: tuple[int, str]) -> int:
    """The first is done at once, the others disappear into a library that hears nothing."""
    number, path = there
    if number:
        Path(path, f"began-{number}").touch()
        time.sleep(60)
    return number


def handing_in(there: tuple[int, str]) -> str:
    """As `deaf`, telling what it has so far before."""
    for size in range(3):
        hand_in(f"{there[0]} to {size}")
    return f"done: {deaf(there)}"


def places(count: int, folder: Path) -> list[tuple[int, str]]:
    return [(number, str(folder)) for number in range(count)]


class Begun:
    """A stop that becomes true once so many tasks have begun; it says when that was."""

    def __init__(self, count: int, folder: Path) -> None:
        self.count, self.folder, self.at = count, folder, float("inf")

    def __call__(self) -> bool:
        if self.at == float("inf") and len(list(self.folder.glob("began-*"))) >= self.count:
            self.at = time.monotonic()
        return self.at < float("inf")


class LastFirst(Executor):
    """Runs tasks here, the last one handed in first, when somebody asks for them."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[object], Callable[[], object]]] = []
        self.lock = threading.Lock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[object] = Future()
        with self.lock:
            self.waiting.append((future, lambda: fn(*args, **kwargs)))
            if len(self.waiting) == 5:
                for waiting, work in reversed(self.waiting):
                    waiting.set_running_or_notify_cancel()
                    waiting.set_result(work())
        return future


# Results


@pytest.mark.parametrize("stop", [None, lambda: False], ids=["no stop", "a stop"])
@pytest.mark.parametrize("workers", [1, 2])
def test_results_stand_in_the_order_of_the_tasks(workers: int, stop: Callable[[], bool] | None) -> None:
    with runner(workers=workers, stop=stop) as running:
        assert running.map(slowest_first, range(4)) == [0, 1, 2, 3]
        assert running.map(square, []) == []
        assert running.map(square, range(100)) == [number * number for number in range(100)]


def test_the_order_of_completion_does_not_show() -> None:
    seen: list[int] = []
    with runner(LastFirst()) as running:
        assert running.map(square, range(5), on_done=lambda k, _: seen.append(k)) == [0, 1, 4, 9, 16]
    assert sorted(seen) == [0, 1, 2, 3, 4]


def test_each_task_is_told_of_when_it_is_done() -> None:
    seen: list[tuple[int, int]] = []
    with ThreadPoolExecutor(4) as pool, runner(pool) as running:
        running.map(slowest_first, range(4), on_done=lambda k, result: seen.append((k, result)))
    assert seen == [(3, 3), (2, 2), (1, 1), (0, 0)]


def test_one_worker_and_no_stop_run_in_this_thread() -> None:
    with runner() as running:
        assert running.map(lambda _: threading.current_thread(), [0]) == [threading.current_thread()]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("stop", [None, lambda: False], ids=["no stop", "a stop"])
def test_an_exception_of_a_task_is_raised_and_the_runner_goes_on(workers: int, stop: Callable[[], bool] | None) -> None:
    with runner(workers=workers, stop=stop) as running:
        with pytest.raises(ArithmeticError, match="no result for 1"):
            running.map(failing, range(3))
        assert running.map(square, range(3)) == [0, 1, 4]


def test_an_exception_of_on_done_is_raised() -> None:
    def refuse(_number: int, _result: int) -> None:
        raise LookupError("no place to show it")

    with runner(workers=2) as running, pytest.raises(LookupError, match="no place"):
        running.map(square, range(3), on_done=refuse)


def test_an_executor_handed_in_stays_open() -> None:
    with ThreadPoolExecutor(1) as pool:
        with runner(pool) as running:
            running.map(square, [3])
        assert pool.submit(square, 4).result() == 16


def test_an_executor_that_is_shut_down_is_refused() -> None:
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with runner(pool) as running, pytest.raises(WorkerLost, match=r"executor: .*: hand in one that is open"):
        running.map(square, [1])


# Workers that die


@pytest.fixture
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as made:
        yield made


@pytest.mark.parametrize("own", [True, False], ids=["own processes", "a pool handed in"])
def test_a_worker_killed_in_the_middle_changes_nothing(own: bool, pool: ProcessPoolExecutor, tmp_path: Path) -> None:
    def kill_one() -> None:
        while not (begun := sorted(tmp_path.glob("began-*"))):
            time.sleep(0.02)
        os.kill(int(begun[0].name.split("-")[2]), signal.SIGKILL)
        (tmp_path / "go").touch()

    killer = threading.Thread(target=kill_one)
    killer.start()
    with runner(None if own else pool, workers=2) as running:
        results = running.map(lasting_until, [(number, str(tmp_path)) for number in range(6)])
    killer.join()
    assert results == [0, 1, 2, 3, 4, 5]
    again = [path.name.split("-")[1] for path in tmp_path.glob("began-*")]
    assert len(again) > len(set(again)), "the killed worker's task ran again"


def test_a_pool_that_was_broken_before_is_replaced(pool: ProcessPoolExecutor) -> None:
    with pytest.raises(Exception, match="terminated abruptly"):
        pool.submit(deadly, 2).result()
    with runner(pool, workers=2) as running:
        assert running.map(square, range(4)) == [0, 1, 4, 9]


def test_a_task_that_dies_once_is_run_again(tmp_path: Path) -> None:
    with runner(workers=2) as running:
        assert running.map(deadly_once, [(number, str(tmp_path)) for number in range(3)]) == [0, 1, 2]
    assert (tmp_path / "died").exists()


def test_a_task_that_always_kills_its_worker_is_refused_by_name() -> None:
    with runner(workers=2) as running:
        with pytest.raises(WorkerLost, match=rf"^family 2: worker processes ended {LOSSES + 1} times"):
            running.map(deadly, range(4), name=lambda number: f"family {number}")
        assert running.map(square, range(3)) == [0, 1, 4]


def test_a_lost_worker_is_said(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    with runner(workers=2) as running:
        running.map(deadly_once, [(number, str(tmp_path)) for number in range(3)])
    assert "workers were lost" in caplog.text


def test_a_solve_whose_workers_are_killed_gives_the_same_plan(pool: ProcessPoolExecutor) -> None:
    document = families(8, 30)
    question = Instance.from_document(document)
    alone = solve(question, seed=3, time_limit_s=100, whole_cells=0)
    pids = set(pool.map(own_pid, range(4)))
    killed_at: list[int] = []

    def kill_one(progress: Progress) -> None:
        if not killed_at and 0 < progress.families_done < progress.families:
            killed_at.append(progress.families_done)
            os.kill(min(pids), signal.SIGKILL)

    plan = solve(question, seed=3, time_limit_s=100, whole_cells=0, workers=2, executor=pool, on_progress=kill_one)
    assert killed_at
    assert killed_at[0] <= 5, "there was more to do"
    assert comparable(plan) == comparable(alone)
    assert len(plan.pools) >= 8
    assert check(document, plan.to_document()) == []


# Stopping


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> float:
    for module in ("tasks", "workers"):
        monkeypatch.setattr(f"solver.running.{module}.GRACE_S", 0.5)
    return 0.5


@pytest.mark.parametrize("workers", [1, 2])
def test_tasks_that_are_told_to_stop_return_their_best(workers: int, tmp_path: Path) -> None:
    with runner(workers=workers, stop=Begun(workers, tmp_path)) as running:
        results = running.map(until_told, places(8, tmp_path))
    assert results[0] == "best of 0 so far"
    assert results[-1] is None, "it had not begun"
    assert set(results) <= {None, *(f"best of {k} so far" for k in range(8))}


@pytest.mark.parametrize("workers", [1, 2])
def test_tasks_that_do_not_listen_are_given_up(workers: int, tmp_path: Path, short_grace: float) -> None:
    stop = Begun(workers, tmp_path)
    with runner(workers=workers, stop=stop) as running:
        results = running.map(deaf, places(4, tmp_path))
        assert time.monotonic() - stop.at < short_grace + 2
        assert running.map(square, range(2)) == [None, None], "nothing more is begun"
    assert results == [0, None, None, None]
    assert time.monotonic() - stop.at < short_grace + 4, "closing does not wait for them"


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_task_has_handed_in_is_its_result_when_it_is_cut_off(
    workers: int, tmp_path: Path, short_grace: float
) -> None:
    with runner(workers=workers, stop=Begun(workers, tmp_path)) as running:
        results = running.map(handing_in, places(5, tmp_path))
    assert results[:2] == ["done: 0", "1 to 2"]
    assert results[-1] is None, "it had not begun"


def test_a_local_pool_handed_in_is_told_and_heard_too(pool: ProcessPoolExecutor, tmp_path: Path) -> None:
    with runner(pool, stop=Begun(2, tmp_path)) as running:
        assert running.map(until_told, places(2, tmp_path)) == ["best of 0 so far", "best of 1 so far"]


def test_results_of_an_earlier_map_are_not_taken_for_those_of_a_later_one(short_grace: float) -> None:
    begun, go = threading.Event(), threading.Event()

    def first(number: int) -> int:
        hand_in(number + 100)
        return number

    def second(number: int) -> int:
        begun.set()
        go.wait(60)
        return number

    with runner(stop=begun.is_set) as running:
        assert running.map(first, range(2)) == [0, 1]
        assert running.map(second, range(2)) == [None, None]
    go.set()


def test_nothing_is_left_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with runner(stop=lambda: False) as running:
        running.map(lambda number: hand_in(number), range(3))
        assert len(list(tmp_path.rglob("*.best"))) == 3
    assert list(tmp_path.iterdir()) == []


def test_a_pool_handed_in_is_waited_for_no_longer_than_the_grace(tmp_path: Path, short_grace: float) -> None:
    pool = ThreadPoolExecutor(1)
    stop, go = Begun(1, tmp_path), threading.Event()

    def waiting(number: int) -> int:
        (tmp_path / f"began-{number}").touch()
        go.wait(60)
        return number

    with runner(pool, stop=stop) as running:
        assert running.map(waiting, range(3)) == [None, None, None]
    assert time.monotonic() - stop.at < short_grace + 2
    go.set()
    pool.shutdown()


def test_nothing_runs_once_stopped() -> None:
    with runner(workers=1, stop=lambda: True) as running:
        assert running.map(square, range(3)) == [None, None, None]


def test_outside_of_a_runner_nobody_is_told_and_nothing_is_kept() -> None:
    assert told_to_stop() is False
    hand_in("nothing")


# Processes end


def alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


def test_closing_ends_the_workers() -> None:
    with runner(workers=2) as running:
        pids = {pid for pid in running.map(own_pid, range(4)) if pid is not None}
        assert all(alive(pid) for pid in pids)
    assert all(gone(pid, within_s=1.0) for pid in pids)


def test_workers_do_not_hear_an_interrupt() -> None:
    pool = Processes(1)
    pid = pool.submit(own_pid, 0).result()
    waiting = pool.submit(slowest_first, 0)
    os.kill(pid, signal.SIGINT)
    assert waiting.result() == 0
    pool.close()


ORPHANS = """
import os, sys
from pathlib import Path
from solver.running.workers import Processes
from tests.solver.test_running import lasting_until
if __name__ == "__main__":
    pool = Processes(2)
    futures = [pool.submit(lasting_until, (number, sys.argv[1])) for number in range(2)]
    futures[0].result()
"""


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "orphans.py"
    script.write_text(ORPHANS, encoding="utf-8")
    command = [sys.executable, str(script), str(tmp_path)]
    parent = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while len(begun := list(tmp_path.glob("began-*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    pids = [int(path.name.split("-")[2]) for path in begun]
    assert len(pids) == 2
    assert all(alive(pid) for pid in pids)
    parent.kill()
    parent.wait()
    assert all(gone(pid, within_s=GRACE_S + 3) for pid in pids)
