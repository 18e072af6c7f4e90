"""Slots for items against every way of placing them, and against published optima."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from solver.errors import InvalidInstance
from solver.slots import SlotAnswer, SlotProblem, single_source, solve
from tests.benchmarks.sscflp import FOLDER, OPTIMA, read_sscflp

CASES, ITEMS, SLOTS = 60, 6, 4


def random_problem(seed: int) -> SlotProblem:
    draw = np.random.default_rng(seed)
    items, slots = int(draw.integers(1, ITEMS + 1)), int(draw.integers(1, SLOTS + 1))
    item, slot = np.nonzero(draw.random((items, slots)) < 0.8)
    least = draw.integers(0, 12, slots) * draw.integers(0, 2, slots)
    return SlotProblem(
        size=draw.integers(0, 9, items),
        opening_cost=draw.integers(-3, 25, slots),
        min_size=least,
        max_size=np.where(draw.random(slots) < 0.3, np.inf, least + draw.integers(0, 15, slots)),
        item=item,
        slot=slot,
        value=draw.integers(-5, 30, len(item)),
        exclusive=draw.integers(-1, 2, slots),
    )


def worth(problem: SlotProblem, place: np.ndarray, opened: np.ndarray) -> float | None:
    """What an answer is worth, counted apart from the solver; None where it breaks a rule."""
    values = {(i, j): v for i, j, v in zip(problem.item, problem.slot, problem.value, strict=True)}
    load = np.zeros(problem.slots)
    total = -float(problem.opening_cost[opened].sum())
    for item, slot in enumerate(place.tolist()):
        if slot >= 0:
            if (item, slot) not in values or not opened[slot]:
                return None
            total += values[item, slot]
            load[slot] += problem.size[item]
    fits = (load[opened] >= problem.min_size[opened]) & (load[opened] <= problem.max_size[opened])
    groups = problem.group[opened]
    groups = groups[groups >= 0]
    return total if fits.all() and len(set(groups.tolist())) == len(groups) else None


def best_of_all(problem: SlotProblem) -> float:
    found = 0.0
    for chosen in product((False, True), repeat=problem.slots):
        opened = np.array(chosen)
        for place in product(range(-1, problem.slots), repeat=problem.items):
            if all(slot < 0 or opened[slot] for slot in place):
                value = worth(problem, np.array(place), opened)
                found = found if value is None else max(found, value)
    return found


def sound(problem: SlotProblem, answer: SlotAnswer) -> None:
    value = worth(problem, answer.place, answer.opened)
    assert value is not None
    assert value == pytest.approx(answer.value)
    assert answer.bound >= answer.value


@pytest.mark.parametrize("seed", range(CASES))
def test_small_problems_are_solved_as_by_trying_everything(seed: int) -> None:
    problem = random_problem(seed)
    answer = solve(problem)
    sound(problem, answer)
    assert answer.value == pytest.approx(best_of_all(problem))
    assert answer.bound == pytest.approx(answer.value, abs=1e-5)
    assert not answer.by_clock


def test_the_same_call_gives_the_same_answer() -> None:
    problem = random_problem(5)
    first, second = solve(problem, seed=3), solve(problem, seed=3)
    assert first.to_document() == second.to_document()


def test_two_customers_share_the_facility_that_is_cheaper_for_both() -> None:
    # One facility for both: 10 + 2 + 3 = 15; two facilities: 10 + 12 + 2 + 1 = 25.
    problem, constant = single_source([4, 5], [9, 9], [10, 12], [[2, 8], [3, 1]])
    answer = solve(problem)
    assert constant - answer.value == pytest.approx(15)
    assert answer.place.tolist() == [0, 0]


def test_too_little_room_for_all_leaves_out_what_is_worth_least() -> None:
    # Only one of the two customers fits, so their large constant does not force both in.
    problem, _ = single_source([4, 5], [5], [1], [[2], [3]])
    answer = solve(problem)
    sound(problem, answer)
    assert (answer.place >= 0).sum() == 1
    assert answer.value == pytest.approx(best_of_all(problem))


def test_no_time_still_gives_a_lawful_answer_with_a_true_bound() -> None:
    problem = random_problem(7)
    answer = solve(problem, time_limit_s=0)
    sound(problem, answer)
    assert answer.bound >= best_of_all(problem) - 1e-6


def test_every_fault_of_a_problem_is_named() -> None:
    with pytest.raises(InvalidInstance) as refused:
        SlotProblem([1, -1], [0], [3], [2], [0, 5], [0, 0], [1, np.nan])
    assert {fault.path for fault in refused.value.faults} == {"size[1]", "max_size[0]", "item[1]", "value[1]"}


def test_limits_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="time_limit_s -1"):
        solve(random_problem(1), time_limit_s=-1)


@pytest.mark.parametrize("name", ["Lib_2-p1", "Lib_3-p3"])
def test_published_optima_are_proven(shared_data: Path, name: str) -> None:
    problem, constant = single_source(*read_sscflp(shared_data / FOLDER.name / name))
    answer = solve(problem, time_limit_s=120)
    sound(problem, answer)
    assert bool((answer.place >= 0).all())
    assert constant - answer.value == pytest.approx(OPTIMA[name])
    assert constant - answer.bound == pytest.approx(OPTIMA[name], rel=1e-6)
