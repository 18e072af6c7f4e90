"""The way large families are solved, on instances small enough to know the best plan."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest

from solver import Instance, solve
from solver.check import check
from solver.family import solving
from solver.family.branching import Branching
from solver.family.categories import Categories
from solver.family.rules import modelled
from solver.family.solving import solve_block
from solver.family.task import Task, trivial_bound
from solver.limits import Prices
from solver.lots import Block, Market
from solver.milp import Effort
from tests.solver.brute import best
from tests.solver.instances import THEMES, Document, random_instance

SEEDS = range(6)
TOLERANCE_EUR = 0.01
LEAST_BETTER = 3
"""Of the instances, so many at least have a better bound by categories."""


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "LARGE_CELLS", 0)


@pytest.mark.parametrize("theme", THEMES)
def test_large_blocks_reach_the_best_plan(theme: tuple[str, ...]) -> None:
    for seed in SEEDS:
        document = random_instance(seed, theme=theme)
        total, _ = best(document)
        plan = solve(Instance.from_document(document), time_limit_s=60)
        assert check(document, plan.to_document()) == []
        slack = TOLERANCE_EUR + 1e-6 * abs(total)
        assert plan.objective_eur == pytest.approx(total, abs=slack), (theme, seed)
        assert plan.bound_eur >= total - slack, (theme, seed)


@pytest.mark.parametrize("theme", THEMES)
def test_pools_brought_in_by_their_prices_bound_every_plan(theme: tuple[str, ...]) -> None:
    # without nodes nothing but the relaxation by prices and the sets of pools is done
    for seed in SEEDS:
        document = random_instance(seed, theme=theme)
        instance = Instance.from_document(document)
        if instance.fixed:
            continue
        total, _ = best(document)
        market = Market(instance)
        for name in market.families:
            block = market.block([name])
            effort = Effort(60.0, 1e-6, 0, 0)
            found = solve_block(Task(block, market.left, Prices.none(market.left), effort, ends_at=2e10))
            assert found.priced_value <= found.bound + TOLERANCE_EUR
            if len(market.families) == 1:
                assert found.bound >= total - TOLERANCE_EUR - 1e-6 * abs(total), (theme, seed)


def single_families(theme: tuple[str, ...]) -> Iterator[tuple[Document, Market, Block]]:
    """Instances of one family that has places for lines, nothing decided before."""
    for seed in SEEDS:
        document = random_instance(seed, theme=theme)
        instance = Instance.from_document(document)
        market = Market(instance)
        block = market.block(market.families)
        if not instance.fixed and len(market.families) == 1 and len(block.cell_line):
            yield document, market, block


def effort() -> Effort:
    return Effort(60.0)


@pytest.mark.parametrize("theme", THEMES)
def test_categories_bound_every_plan_at_any_prices(theme: tuple[str, ...]) -> None:
    # every plan opens a pool or does not: the two bounds together hold for all
    for document, market, block in single_families(theme):
        total, _ = best(document)
        model = modelled(block, market.left, Prices.none(market.left), exact_leads=False)
        draw = np.random.default_rng(1)
        for pool in range(len(model.open)):
            chosen = np.arange(len(model.open)) == pool
            duals = draw.normal(0.0, 100.0, model.milp.row_count)
            halves = [
                Categories(model, opened, closed).bounds(duals, effort).every
                for opened, closed in ((chosen, ~chosen & chosen), (~chosen & chosen, chosen))
            ]
            assert max(halves) >= total - TOLERANCE_EUR - 1e-6 * abs(total)


def test_categories_at_the_prices_of_the_relaxation_bound_no_worse_and_often_better() -> None:
    better = 0
    for theme in THEMES:
        for _, market, block in single_families(theme):
            model = modelled(block, market.left, Prices.none(market.left), exact_leads=False)
            relaxed = model.milp.solve(effort(), relaxed=True)
            assert relaxed.row_duals is not None
            none = np.zeros(len(model.open), dtype=bool)
            bound = Categories(model, none, none).bounds(relaxed.row_duals, effort).every
            assert bound <= relaxed.bound + TOLERANCE_EUR + 2e-3 * abs(relaxed.bound)
            better += bound < relaxed.bound * (1 - 1e-3)
    assert better >= LEAST_BETTER


@pytest.mark.parametrize("theme", THEMES)
def test_deciding_pools_one_after_another_bounds_every_plan(theme: tuple[str, ...]) -> None:
    for document, market, block in single_families(theme):
        total, _ = best(document)
        model = modelled(block, market.left, Prices.none(market.left), exact_leads=False)
        start = trivial_bound(block)
        tree = Branching(model, effort, share=np.ones(len(model.open)), bound=start, threads=2)
        for _ in tree.steps(partial(float, total)):
            assert total - TOLERANCE_EUR - 1e-6 * abs(total) <= tree.bound <= start


def test_large_blocks_have_the_same_plan_and_bound_again_and_on_one_thread() -> None:
    found = 0
    for _, market, block in single_families(THEMES[3]):
        one, again, alone = (
            solve_block(Task(block, market.left, Prices.none(market.left), effort(), ends_at=2e10, threads=threads))
            for threads in (2, 2, 1)
        )
        assert (one.pools, one.bound, one.by_clock) == (again.pools, again.bound, False)
        assert one.pools == alone.pools
        assert one.bound == pytest.approx(alone.bound, abs=TOLERANCE_EUR)
        found += bool(one.pools)
    assert found
