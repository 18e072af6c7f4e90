"""Slots for items against every way of placing them, and against published optima."""

from collections.abc import Iterator
from dataclasses import fields
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solver.errors import InvalidInstance
from solver.slots import SlotAnswer, SlotProblem, single_source, solve
from solver.slots import search as searching
from tests.benchmarks.sscflp import FOLDER, OPTIMA, read_sscflp

CASES, ITEMS, SLOTS = 60, 6, 4
HARD_CASES, HARD_CASES_BY_SETS = 2_000, 200
"""Cases of the suite, a few milliseconds each; the proof takes ten times as many."""


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


def hard_problems(seed: int, count: int) -> Iterator[SlotProblem]:
    """Values and costs of either sign, sizes of 0, least sizes, exclusive groups; some where all items are served."""
    draw = np.random.default_rng(seed)
    for _ in range(count):
        items, slots = int(draw.integers(0, 6)), int(draw.integers(1, 4))
        item, slot = np.nonzero(draw.random((items, slots)) < 0.7)
        order = draw.permutation(len(item))
        least = draw.choice([0, 0, 2, 4], slots)
        yield SlotProblem(
            size=draw.choice([0, 0, 1, 2, 3, 5, 0.5], items),
            opening_cost=draw.integers(-12, 15, slots),
            min_size=least,
            max_size=least + draw.choice([0, 1, 3, 8, np.inf], slots),
            item=item[order],
            slot=slot[order],
            value=draw.integers(-12, 20, len(item)) + (1000 if draw.random() < 0.2 else 0),
            exclusive=None if draw.random() < 0.5 else draw.integers(-1, 2, slots),
        )


def optimum(problem: SlotProblem) -> float:
    """As `best_of_all`, over all placements at once."""
    listed = list(product(range(-1, problem.slots), repeat=problem.items))
    places = np.array(listed, dtype=int).reshape(len(listed), problem.items)
    values = np.full((problem.items, problem.slots + 1), -np.inf)  # the last column, which -1 is, for staying out
    values[:, -1] = 0
    values[problem.item, problem.slot] = problem.value
    total = values[np.arange(problem.items), places].sum(axis=1)
    best = 0.0
    for chosen in product((False, True), repeat=problem.slots):
        opened = np.array(chosen)
        groups = problem.group[opened & (problem.group >= 0)].tolist()
        if len(set(groups)) < len(groups):
            continue
        load = ((places[:, :, None] == np.arange(problem.slots)) * problem.size[None, :, None]).sum(axis=1)
        fits = np.where(opened, (load >= problem.min_size) & (load <= problem.max_size), True).all(axis=1)
        fits &= np.r_[opened, True][places].all(axis=1)
        best = max(best, float(total[fits].max(initial=-np.inf) - problem.opening_cost[opened].sum()))
    return best


def proven_best(problem: SlotProblem) -> None:
    answer, best = solve(problem), optimum(problem)
    sound(problem, answer)
    assert answer.value == pytest.approx(best, abs=1e-6), problem
    assert answer.bound >= best - 1e-9 * max(1.0, abs(best)), problem
    assert answer.gap <= 1e-6


def test_hard_problems_are_solved_as_by_trying_everything() -> None:
    for problem in hard_problems(1, HARD_CASES):
        proven_best(problem)


def test_hard_problems_are_solved_by_sets_of_slots_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "SMALL_CELLS", -1)
    for problem in hard_problems(2, HARD_CASES_BY_SETS):
        proven_best(problem)


def test_sets_of_slots_keep_to_exclusive_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Served items that one slot of a group cannot hold; and a part of a placement beside an open slot of its group."""
    monkeypatch.setattr(searching, "SMALL_CELLS", -1)
    first = SlotProblem(
        size=[0, 2, 0],
        opening_cost=[2, -3, -3],
        min_size=[4, 0, 2],
        max_size=[4, 1, 10],
        item=[2, 1, 0, 1, 0, 2],
        slot=[0, 2, 0, 1, 1, 2],
        value=[1014, 994, 990, 996, 1002, 1012],
        exclusive=[-1, 0, 0],
    )
    second = SlotProblem(
        size=[3, 0.5, 1, 0],
        opening_cost=[0, -5, -2],
        min_size=[4, 0, 4],
        max_size=[4, 3, np.inf],
        item=[0, 3, 2, 0, 1, 2, 0],
        slot=[2, 0, 0, 1, 1, 1, 0],
        value=[992, 1007, 1011, 1009, 1014, 993, 994],
        exclusive=[1, 1, 0],
    )
    proven_best(first)
    proven_best(second)


@pytest.mark.prove
def test_many_hard_problems_are_solved_as_by_trying_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    for problem in hard_problems(3, 10 * HARD_CASES):
        proven_best(problem)
    monkeypatch.setattr(searching, "SMALL_CELLS", -1)
    for problem in hard_problems(4, 10 * HARD_CASES_BY_SETS):
        proven_best(problem)


def test_a_slot_that_pays_is_filled_at_a_loss() -> None:
    # Opening brings 7, its least size can only be reached by the item that costs 5.
    answer = solve(SlotProblem([2], [-7], [2], [10], [0], [0], [-5]))
    assert (answer.value, answer.bound, answer.place.tolist()) == (2, 2, [0])


def test_an_item_of_value_is_carried_by_one_that_costs() -> None:
    # The slot needs a size of 2, which the third item alone has: 11 - 9.
    answer = solve(SlotProblem([0, 0, 2, 0], [0], [2], [3], [0, 1, 2, 3], [0, 0, 0, 0], [11, -3, -9, -9]))
    assert (answer.value, answer.bound, answer.place.tolist()) == (2, 2, [0, -1, 0, -1])


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


def test_few_nodes_still_give_a_lawful_answer_with_a_true_bound() -> None:
    for problem in hard_problems(3, 20):
        answer = solve(problem, nodes=1)
        sound(problem, answer)
        assert not answer.by_clock
        assert answer.bound >= optimum(problem) - 1e-6


def test_every_fault_of_a_problem_is_named() -> None:
    with pytest.raises(InvalidInstance) as refused:
        SlotProblem([1, -1], [0], [3], [2], [0, 5], [0, 0], [1, np.nan])
    assert {fault.path for fault in refused.value.faults} == {"size[1]", "max_size[0]", "item[1]", "value[1]"}


LONG = 10**400
WRONG_FACILITIES: list[tuple[dict[str, object], set[str]]] = [
    ({"cost": [[2, "x"], [LONG, 1]], "capacity": [9, "9"]}, {"cost[0][1]", "cost[1][0]", "capacity[1]"}),
    ({"capacity": [LONG, 9], "demand": [4, None]}, {"capacity[0]", "demand[1]"}),
    ({"cost": [[2, 8], [3]], "opening_cost": "x"}, {"cost", "opening_cost"}),
    ({"cost": [[2, np.nan], [-np.inf, 1]], "demand": [4, -1]}, {"cost[0][1]", "cost[1][0]", "demand[1]"}),
    ({"opening_cost": [10, np.inf], "capacity": [-1, np.nan]}, {"opening_cost[1]", "capacity[0]", "capacity[1]"}),
    ({"capacity": [9], "cost": [[2, 8]]}, {"capacity", "cost"}),
    ({"opening_cost": [1e15, 12]}, {"cost"}),
]


@pytest.mark.parametrize(("wrong", "named"), WRONG_FACILITIES, ids=[str(wrong)[:60] for wrong, _ in WRONG_FACILITIES])
def test_faults_of_facilities_are_named_by_their_own_entries(wrong: dict[str, object], named: set[str]) -> None:
    right: dict[str, Any] = {"demand": [4, 5], "capacity": [9, 9], "opening_cost": [10, 12], "cost": [[2, 8], [3, 1]]}
    with pytest.raises(InvalidInstance) as refused:
        single_source(**(right | wrong))
    assert {fault.path for fault in refused.value.faults} == named


@pytest.mark.parametrize("wrong", ["x", LONG, None, 2j], ids=lambda value: str(value)[:8])
@pytest.mark.parametrize("name", [field.name for field in fields(SlotProblem)])
def test_an_entry_that_is_no_number_is_named(name: str, wrong: object) -> None:
    right: dict[str, Any] = {field.name: [0] for field in fields(SlotProblem)}
    with pytest.raises(InvalidInstance) as refused:
        SlotProblem(**(right | {name: [wrong]}))
    assert [fault.path for fault in refused.value.faults] == [f"{name}[0]"]


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
