"""Tasks on a real Dask cluster of this machine: scheduler and worker processes on the loopback address alone."""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import dask
import psutil
import pytest
import yaml
from distributed import Client, LocalCluster

from solver import Instance, Progress, solve
from solver.check import check
from solver.errors import WorkerLost
from solver.running.cluster import ClusterRefused, cluster
from solver.running.tasks import runner
from tests.solver.instances import Document
from tests.solver.many_families import comparable, families
from tests.solver.test_running import deadly, failing, lasting_until, slowest_first, square

ROOT = Path(__file__).parents[2]
LOOPBACK: Document = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "scheduler_kwargs": {"dashboard": False}}
LOOPBACK["silence_logs"] = logging.CRITICAL
"""No dashboard; the scheduler's small web server takes any free port (with None one that another may have)."""
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture(scope="module", autouse=True)
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Dask's own files go where those of the tests go."""
    with dask.config.set({"temporary-directory": str(tmp_path_factory.mktemp("dask"))}):
        yield


@pytest.fixture(scope="module")
def scheduler(scratch: None) -> Iterator[LocalCluster]:
    """Two workers of one thread each, each in a process of its own that is restarted when it dies."""
    made = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **LOOPBACK)
    yield made
    made.close(timeout=60)


@pytest.fixture
def address(scheduler: LocalCluster) -> str:
    return str(scheduler.scheduler_address)


def test_results_stand_in_the_order_of_the_tasks(address: str) -> None:
    with cluster(address) as executor, runner(executor) as running:
        assert executor.workers == 2
        assert running.map(slowest_first, range(4)) == [0, 1, 2, 3]
        assert running.map(square, range(30)) == [number * number for number in range(30)]


def test_an_exception_of_a_task_is_raised(address: str) -> None:
    with cluster(address) as executor, runner(executor) as running, pytest.raises(ArithmeticError, match="for 1"):
        running.map(failing, range(3))


def test_a_worker_killed_in_the_middle_changes_nothing(address: str, tmp_path: Path) -> None:
    def kill_one() -> None:
        while not (begun := sorted(tmp_path.glob("began-*"))):
            time.sleep(0.02)
        os.kill(int(begun[0].name.split("-")[2]), signal.SIGKILL)
        (tmp_path / "go").touch()

    killer = threading.Thread(target=kill_one)
    killer.start()
    with cluster(address) as executor, runner(executor) as running:
        results = running.map(lasting_until, [(number, str(tmp_path)) for number in range(6)])
    killer.join()
    assert results == [0, 1, 2, 3, 4, 5]
    again = [path.name.split("-")[1] for path in tmp_path.glob("began-*")]
    assert len(again) > len(set(again)), "the killed worker's task ran again"


def test_what_the_cluster_gives_up_is_refused_by_name(address: str) -> None:
    with cluster(address) as executor, runner(executor) as running, pytest.raises(WorkerLost, match=r"^family 2: "):
        running.map(deadly, [1, 2], name=lambda number: f"family {number}")


def test_a_cluster_that_goes_away_is_replaced_by_processes_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solver.running.cluster.CONNECTING_S", 1.0)
    own = LocalCluster(n_workers=1, threads_per_worker=1, processes=False, protocol="tcp://", **LOOPBACK)
    with cluster(str(own.scheduler_address)) as executor, runner(executor) as running:
        assert running.map(square, [5]) == [25]
        own.close(timeout=60)
        (tmp_path / "go").touch()
        assert running.map(lasting_until, [(number, str(tmp_path)) for number in range(3)]) == [0, 1, 2]
    assert len({path.name.split("-")[2] for path in tmp_path.glob("began-*")} - {str(os.getpid())}) >= 1


def test_waiting_for_a_cluster_can_be_stopped(address: str, tmp_path: Path) -> None:
    began = time.monotonic()
    with cluster(address) as executor, runner(executor, stop=lambda: time.monotonic() - began > 1) as running:
        assert running.map(lasting_until, [(number, str(tmp_path)) for number in range(3)]) == [None] * 3
    assert time.monotonic() - began < 60, "the tasks themselves would never end"
    (tmp_path / "go").touch()


def test_nothing_listens_beyond_this_machine(scheduler: LocalCluster) -> None:
    here = psutil.Process()
    listening = [
        connection.laddr.ip
        for process in (here, *here.children(recursive=True))
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 3
    assert set(listening) == {"127.0.0.1"}


# Plans


def test_a_worker_killed_in_the_middle_of_a_solve_gives_the_same_plan(address: str) -> None:
    document = families(8, 40)
    question = Instance.from_document(document)
    alone = solve(question, time_limit_s=100, seed=3, whole_cells=0)
    with Client(address, set_as_default=False) as client:
        pids = list(client.run(os.getpid).values())
    killed_at: list[int] = []

    def kill_one(progress: Progress) -> None:
        if not killed_at and 0 < progress.families_done < progress.families:
            killed_at.append(progress.families_done)
            os.kill(pids[0], signal.SIGKILL)

    with cluster(address) as executor:
        plan = solve(question, time_limit_s=100, seed=3, whole_cells=0, executor=executor, on_progress=kill_one)
    assert killed_at
    assert killed_at[0] <= 5, "both workers were at work"
    assert comparable(plan) == comparable(alone)
    assert len(plan.pools) >= 8
    assert check(document, plan.to_document()) == []


def started(service: str, changed: dict[str, str]) -> subprocess.Popen[bytes]:
    """A service of the cluster as the compose file starts it, but for some words, and on the loopback address."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"][service]
    words = [*compose["entrypoint"], *compose["command"]]
    assert changed.keys() <= set(words)
    command = [changed.get(word, word) for word in words]
    return subprocess.Popen(
        [sys.executable, *command[1:], "--host", "127.0.0.1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT,
        env=os.environ | {"DASK_TEMPORARY_DIRECTORY": dask.config.get("temporary-directory")},
    )  # fmt: skip


def free_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return str(taken.getsockname()[1])


def test_the_services_of_the_compose_file_solve_for_the_command_line(tmp_path: Path) -> None:
    port, question = free_port(), families(3, 12)
    (tmp_path / "i.json").write_text(json.dumps(question), encoding="utf-8")
    address, out = f"tcp://127.0.0.1:{port}", tmp_path / "p.json"
    scheduler = started("scheduler", {"8786": port})
    try:
        ports = {"tcp://scheduler:8786": address, "8789": "0", "/tmp": str(tmp_path)}
        workers = [started("worker", ports) for _ in range(2)]
        try:
            with Client(address, timeout=60, set_as_default=False) as client:
                client.wait_for_workers(2, timeout=60)
            command = [sys.executable, "-m", "solver", "solve", str(tmp_path / "i.json"), "--cluster", address]
            ran = subprocess.run([*command, "--out", str(out)], capture_output=True, cwd=ROOT, timeout=300, check=True)
        finally:
            for worker in workers:
                worker.terminate()
                worker.wait(30)
    finally:
        scheduler.terminate()
        scheduler.wait(30)
    plan = json.loads(out.read_text(encoding="utf-8"))
    assert b"Traceback" not in ran.stderr
    assert plan["workers"] == 2, "as many as the cluster can run side by side"
    assert check(question, plan) == []
    alone = solve(Instance.from_document(question))
    assert plan["objective_eur"] == pytest.approx(alone.objective_eur, rel=1e-3)


# Refusals


def test_an_address_where_nobody_listens_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solver.running.cluster.CONNECTING_S", 0.5)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(ClusterRefused, match=f"cluster {address}: cannot be reached: .*give the address"):
        cluster(address).__enter__()


@pytest.mark.parametrize(
    "address", ["", "nonsense", "tcp://", "ftp://127.0.0.1:1", "tcp://127.0.0.1:99999", "tls://127.0.0.1:1"]
)
def test_an_address_that_is_none_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solver.running.cluster.CONNECTING_S", 0.5)
    with pytest.raises(ClusterRefused, match=r"cluster .*give the address"):
        cluster(address).__enter__()


def test_a_cluster_without_workers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solver.running.cluster.CONNECTING_S", 0.5)
    with (
        LocalCluster(n_workers=0, processes=False, protocol="tcp://", **LOOPBACK) as empty,
        pytest.raises(ClusterRefused, match="no worker has joined"),
    ):
        cluster(str(empty.scheduler_address)).__enter__()


def test_workers_without_this_package_are_refused(address: str) -> None:
    with Client(address, set_as_default=False) as client:
        client.run(exec, "import sys; sys.modules['solver.running.cluster'] = None")
        with pytest.raises(ClusterRefused, match=r"worker tcp:.* cannot run tasks: .*solver.*: start it"):
            cluster(address).__enter__()
        client.run(exec, "import sys; del sys.modules['solver.running.cluster']")


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterRefused, match="install the extra `cluster`"):
        cluster("tcp://127.0.0.1:8786").__enter__()
