"""The same question has the same answer, and an answer cut short by the clock is on time and true."""

import json
import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from solver import Instance, Plan, solve
from solver.check import check
from tests.solver.instances import Document
from tests.solver.larger import larger_instance

WHOLE, APART = 20_000, 0
"""Places for lines up to which all families go into one model."""
SLACK_S, STARTING_S = 4.0, 8.0
"""How late an answer may be on a busy machine, and how late where processes have to be started first."""


def answered(instance: Instance, **options: Any) -> Document:
    """All that a plan says but how long it took."""
    plan = solve(instance, **{"time_limit_s": 300.0, **options})
    assert not plan.stopped_by_clock
    return plan.to_document() | {"runtime_s": 0}


@cache
def question(families: int, participants: int) -> tuple[Document, Instance]:
    document = larger_instance(1, families=families, participants=participants)
    return document, Instance.from_document(document)


Size = tuple[int, int]


@pytest.fixture(params=[(4, 8), pytest.param((3, 12), marks=pytest.mark.prove)], ids=["quick", "long"])
def size(request: pytest.FixtureRequest) -> Size:
    """Families and participants; solved apart the second takes five times as long as the first."""
    chosen: Size = request.param
    return chosen


@pytest.mark.parametrize(("whole_cells", "workers"), [(WHOLE, 1), (APART, 1), (APART, 2)])
def test_one_process_gives_the_same_plan_again(whole_cells: int, workers: int, size: Size) -> None:
    document, instance = question(*size)
    options = {"whole_cells": whole_cells, "workers": workers, "seed": 3}
    first = answered(instance, **options)
    assert check(document, first) == []
    assert first["pools"]
    assert answered(Instance.from_document(json.loads(json.dumps(document))), **options) == first


RUN = """
import json, sys
from solver import Instance, solve
document, workers, whole_cells = json.load(sys.stdin)
plan = solve(Instance.from_document(document), time_limit_s=300.0, workers=workers, whole_cells=whole_cells, seed=3)
print(json.dumps(plan.to_document()))
"""


def run(document: Document, *, workers: int, whole_cells: int, hash_seed: int) -> Document:
    """The plan of a process of its own, whose sets are in an order of their own."""
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps([document, workers, whole_cells]),
        env=os.environ | {"PYTHONHASHSEED": str(hash_seed)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    plan: Document = json.loads(done.stdout)
    assert not plan["stopped_by_clock"]
    return plan | {"runtime_s": 0}


@pytest.mark.parametrize(("whole_cells", "workers"), [(WHOLE, 1), (WHOLE, 2), (APART, 1), (APART, 2)])
def test_two_runs_give_the_same_plan(whole_cells: int, workers: int, size: Size) -> None:
    document, _ = question(*size)
    one, two = (run(document, workers=workers, whole_cells=whole_cells, hash_seed=seed) for seed in (1, 2))
    assert one == two


@pytest.mark.parametrize("whole_cells", [WHOLE, APART])
def test_what_is_left_of_the_clock_decides_nothing(whole_cells: int, size: Size) -> None:
    _, instance = question(*size)
    plans = [answered(instance, whole_cells=whole_cells, time_limit_s=limit) for limit in (100.0, 10_000.0)]
    assert plans[0] == plans[1]


def test_the_seed_is_told(size: Size) -> None:
    _, instance = question(*size)
    assert [answered(instance, seed=seed)["seed"] for seed in (0, 7)] == [0, 7]


# Stopped by the clock -------------------------------------------------------------------------------------------------


@cache
def long_question() -> tuple[Document, Instance, float]:
    """One that takes seconds, and the best total known of it."""
    document = larger_instance(3, families=6, categories=3, participants=20)
    instance = Instance.from_document(document)
    return document, instance, solve(instance, time_limit_s=300.0).objective_eur


def in_time(*, time_limit_s: float, slack_s: float, **options: Any) -> Plan:
    """The plan, judged: it is on time, and its bound holds for the best plan known."""
    document, instance, best = long_question()
    began = time.perf_counter()
    plan = solve(instance, time_limit_s=time_limit_s, **options)
    assert time.perf_counter() - began <= time_limit_s + slack_s
    assert check(document, plan.to_document()) == []
    assert plan.bound_eur >= best - 1e-6 * abs(best) - 0.01
    return plan


@pytest.mark.parametrize("time_limit_s", [1e-9, 0.2, 1.0])
@pytest.mark.parametrize("whole_cells", [WHOLE, APART])
def test_the_clock_ends_the_search_with_a_true_bound(whole_cells: int, time_limit_s: float) -> None:
    in_time(time_limit_s=time_limit_s, slack_s=SLACK_S, whole_cells=whole_cells)


@pytest.mark.parametrize("time_limit_s", [1e-9, 2.0])
def test_the_clock_ends_processes_too(time_limit_s: float) -> None:
    in_time(time_limit_s=time_limit_s, slack_s=STARTING_S, whole_cells=APART, workers=2)


def test_the_least_time_is_too_little() -> None:
    """The positive control: the clock does stop these searches."""
    for whole_cells in (WHOLE, APART):
        assert in_time(time_limit_s=1e-9, slack_s=SLACK_S, whole_cells=whole_cells).stopped_by_clock
