"""Calculations in a child process: answers, refusals, progress, being told to stop, being killed."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from pooling.errors import BadInput, FileRefused, PoolingError
from pooling.jobs import JobStopped
from pooling.jobs.apart import ChildLost, run_apart

Tell = Callable[[Any], None]
Stop = Callable[[], bool]


def _apart(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    told = options.pop("told", [])
    cancelled = options.pop("cancelled", lambda: False)
    return run_apart(function, arguments, on_progress=told.append, cancelled=cancelled, **options)


def add(one: int, two: int, *, on_progress: Tell, stop: Stop) -> dict[str, int]:
    on_progress({"done": 1})
    on_progress({"done": 2})
    return {"sum": one + two, "process": os.getpid(), "niceness": os.nice(0)}


def refuse(kind: str, *, on_progress: Tell, stop: Stop) -> None:
    if kind == "file":
        raise FileRefused("a.csv: too wide", "too-wide")
    raise BadInput("line 3: quantity: give 1 or more")


def die(how: str, *, on_progress: Tell, stop: Stop) -> None:
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    raise ZeroDivisionError


def until_told(*, on_progress: Tell, stop: Stop) -> str:
    on_progress("begun")
    while not stop():
        time.sleep(0.01)
    return "best so far"


def deaf(*, on_progress: Tell, stop: Stop) -> None:
    on_progress("begun")
    time.sleep(60)


def test_the_answer_and_all_progress_come_back_from_a_nicer_process() -> None:
    told: list[Any] = []
    answer = _apart(add, 1, 2, told=told)
    assert answer["sum"] == 3
    assert answer["process"] != os.getpid()
    assert answer["niceness"] == min(19, os.nice(0) + 10)
    assert told == [{"done": 1}, {"done": 2}]


def test_refusals_come_back_as_they_were() -> None:
    with pytest.raises(BadInput, match="line 3: quantity: give 1 or more"):
        _apart(refuse, "input")
    with pytest.raises(PoolingError, match=r"^a\.csv: too wide$") as refused:
        _apart(refuse, "file")
    assert refused.value.code == "too-wide"


@pytest.mark.parametrize(("how", "code"), [("killed", "-9"), ("failed", "1")])
def test_a_child_that_ends_without_an_answer_is_named_as_lost(how: str, code: str) -> None:
    with pytest.raises(ChildLost, match=f"exit code {code}$"):
        _apart(die, how)


def test_told_to_stop_it_returns_the_best_it_has() -> None:
    told: list[Any] = []
    assert _apart(until_told, told=told, stop=lambda: bool(told)) == "best so far"
    assert _apart(until_told, timeout_s=0.5) == "best so far"


def test_one_that_does_not_end_in_time_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pooling.jobs.apart.GRACE_S", 0.2)
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=r"0\.5 s"):
        _apart(deaf, timeout_s=0.5)
    assert time.monotonic() - began < 10


def test_a_cancelled_one_is_killed_at_once() -> None:
    told: list[Any] = []
    began = time.monotonic()
    with pytest.raises(JobStopped):
        _apart(deaf, told=told, cancelled=lambda: bool(told))
    assert time.monotonic() - began < 10
