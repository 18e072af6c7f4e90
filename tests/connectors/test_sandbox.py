"""The child process: what it may use is bounded, what it leaves behind is nothing."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import psutil
import pytest

from connectors import sandbox
from connectors.errors import BadData, TryAgain
from connectors.limits import Limits
from connectors.worker import AHEAD_FRAMES
from tests.connectors.samples import refusal

pytestmark = pytest.mark.usefixtures("started_anew")

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def nothing_is_left_behind(tmp_path, monkeypatch):
    """After each test no child of its own is left and the temporary folder is empty."""
    before = set(psutil.Process().children())
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []
    assert set(psutil.Process().children()) <= before


@contextmanager
def running(task: str, limits: Limits = Limits(), **arguments):  # noqa: B008
    with sandbox.running(f"tests.connectors.hostile:{task}", arguments, limits) as child:
        yield child


def run(task: str, limits: Limits = Limits(), **arguments):  # noqa: B008
    with running(task, limits, **arguments) as child:
        return list(child.results())


def test_messages_and_frames_come_in_order():
    first, *frames = run("frames", frames=3, rows=2)
    assert first == {"hello": "world"}
    assert [frame["row"].to_list() for frame in frames] == [[0, 0], [1, 1], [2, 2]]


def test_the_child_runs_only_so_far_ahead(tmp_path):
    log = tmp_path / "log"
    with running("frames", frames=50, log=str(log)) as child:
        results = child.results()
        next(results)
        next(results)
        time.sleep(0.5)
        assert int(log.read_text()) == AHEAD_FRAMES + 1
        assert sum(isinstance(result, pl.DataFrame) for result in results) == 49


def test_a_hanging_task_is_ended_by_the_clock():
    began = time.monotonic()
    error = refusal(run, "hang", Limits(wall_s=1))
    assert error.code == "parser-timeout"
    assert "1 s" in str(error)
    assert time.monotonic() - began < 4


def test_time_the_caller_takes_is_not_counted():
    with running("frames", Limits(wall_s=1), frames=1) as child:
        results = child.results()
        next(results)
        time.sleep(1.2)
        assert len(list(results)) == 1


def test_a_burning_task_is_ended_by_its_processor_time():
    error = refusal(run, "burn", Limits(cpu_s=1))
    assert error.code == "parser-timeout"
    assert "processor time" in str(error)


@pytest.mark.parametrize("task", ["hog", "hog_in_polars"])
def test_a_task_that_takes_too_much_memory_is_ended(task):
    error = refusal(run, task, Limits(memory_bytes=400_000_000))
    assert error.code == "parser-killed"
    assert "400 MB" in str(error)


def test_a_task_that_writes_too_much_is_ended():
    error = refusal(run, "fill_disk", Limits(csv_bytes=1_000_000, inflated_bytes=1_000_000))
    assert (type(error), error.code) == (TryAgain, "no-space")


@pytest.mark.parametrize(("task", "said"), [("crash", "SIGSEGV"), ("fail", "RuntimeError: a fault of our own")])
def test_a_task_that_breaks_is_a_refusal(task, said):
    error = refusal(run, task)
    assert error.code == "parser-killed"
    assert said in str(error)


def test_a_task_that_falls_silent_is_killed(monkeypatch):
    monkeypatch.setattr(sandbox, "_GRACE_S", 0.1)
    error = refusal(run, "fall_silent")
    assert error.code == "parser-killed"
    assert "SIGKILL" in str(error)


def test_a_refusal_comes_through_as_it_was_raised():
    error = refusal(run, "refuse")
    assert (type(error), error.code, str(error)) == (BadData, "empty-file", "row 7: nothing there")


def test_what_is_printed_does_not_get_among_the_answers():
    (said,) = run("chatter")
    assert "environment" in said


def test_the_child_sees_nothing_of_our_environment(monkeypatch):
    monkeypatch.setenv("POOLING_DATABASE_URL", "postgresql+psycopg://secret")
    (said,) = run("chatter")
    assert "secret" not in str(said["environment"])
    assert Path(said["cwd"]).name.startswith("pooling-")


def test_leaving_early_ends_the_child():
    with running("hang") as child:
        said = next(child.results())
    with pytest.raises(ProcessLookupError):
        os.kill(said["pid"], 0)


def test_an_error_of_the_caller_ends_the_child_and_goes_on():
    def fail_amid_reading():
        with running("hang") as child:
            next(child.results())
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        fail_amid_reading()


def test_a_program_that_cannot_start_is_worth_a_retry(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert refusal(run, "hang").code == "cannot-start"


PARENT = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
from connectors import sandbox
from connectors.limits import Limits
task = "tests.connectors.hostile:" + sys.argv[2]
with sandbox.running(task, {"frames": 200, "rows": 20000}, Limits()) as child:
    print(child.process.pid, flush=True)
    for result in child.results():
        print("result", flush=True)
    print("all", flush=True)
    sys.stdin.read()
"""


@contextmanager
def parent_of(task: str, folder: Path):
    """A process that runs a task, and the pid of the child that does it."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder), task],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with parent:
        yield parent, int(parent.stdout.readline())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize(
    ("task", "said"), [("hang", "result"), ("frames", "result"), ("frames", "all"), ("hang", None)]
)
def test_a_parent_that_dies_takes_child_and_folder_with_it(tmp_path, task, said, how):
    folder = tmp_path / "temporary"
    with parent_of(task, folder) as (parent, child):
        while said and parent.stdout.readline().strip() != said:
            pass
        assert len(list(folder.iterdir())) == (0 if said == "all" else 1)
        parent.send_signal(how)
    assert parent.returncode != 0
    give_up = time.monotonic() + 5
    while (alive(child) or list(folder.iterdir())) and time.monotonic() < give_up:
        time.sleep(0.02)
    assert not alive(child)
    assert list(folder.iterdir()) == []


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended and waits for its new parent does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
