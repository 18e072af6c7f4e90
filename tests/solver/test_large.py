"""The way large families are solved, on instances small enough to know the best plan."""

import pytest

from solver import Instance, solve
from solver.check import check
from solver.family import solving
from solver.family.solving import Task, solve_block
from solver.limits import Prices
from solver.lots import Market
from solver.milp import Effort
from tests.solver.brute import best
from tests.solver.instances import THEMES, random_instance

SEEDS = range(6)
TOLERANCE_EUR = 0.01


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solving, "LARGE_CELLS", 0)


@pytest.mark.parametrize("theme", THEMES)
def test_large_blocks_reach_the_best_plan(theme: str) -> None:
    for seed in SEEDS:
        document = random_instance(seed, theme=theme)
        total, _ = best(document)
        plan = solve(Instance.from_document(document), time_limit_s=60)
        assert check(document, plan.to_document()) == []
        slack = TOLERANCE_EUR + 1e-6 * abs(total)
        assert plan.objective_eur == pytest.approx(total, abs=slack), (theme, seed)
        assert plan.bound_eur >= total - slack, (theme, seed)


@pytest.mark.parametrize("theme", THEMES)
def test_pools_brought_in_by_their_prices_bound_every_plan(theme: str) -> None:
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
