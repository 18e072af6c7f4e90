"""Plans valued by arrays, and under drawn volumes: against the judge, by hand, and against closed forms."""

import math
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver import Instance, Plan, solve
from solver.baselines.arrangement import Arrangement, Table
from solver.baselines.comparison import baselines
from solver.baselines.forecast_error import Spread, realised, volumes
from solver.check import check
from solver.plan import PlanLot, PlanPool
from tests.solver.instances import instance, line, offer, random_instance

Document = dict[str, Any]
NORMAL = NormalDist()


def arranged(document: Document) -> tuple[Instance, Plan, Arrangement]:
    question = Instance.from_document(document)
    plan = solve(question)
    assert check(document, plan.to_document()) == []
    return question, plan, Arrangement(Table(question), plan.pools)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_arrays_value_a_plan_as_the_judge_does(seed: int) -> None:
    question, plan, arrangement = arranged(random_instance(seed))
    found = arrangement.under(question.policy)
    assert found.lawful
    assert found.objective_eur == pytest.approx(plan.objective_eur, rel=1e-9, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_volumes_as_forecast_and_certain_give_the_plans_own_total(seed: int) -> None:
    document = random_instance(seed)
    for row in document["lines"]:
        row["quantity_low"] = row["quantity_high"] = row["quantity"]
    question, plan, arrangement = arranged(document)
    (came,) = realised([arrangement], question.policy, correlation=0.3, draws=3, seed=seed)
    assert came.total == pytest.approx([plan.objective_eur] * 3, rel=1e-9, abs=1e-6)
    totals = plan.totals
    cash = totals.savings_eur - totals.bridging_cost_eur - totals.set_up_cost_eur
    assert came.cash == pytest.approx([cash] * 3, rel=1e-9, abs=1e-6)


def two(spread: int = 0, **policy: Any) -> Document:
    """Two lines of 500 at 100 EUR; 900 cost 90 and 1200 cost 85; waiting costs 12 % a year."""
    lines = [
        line(name, f"DK-{name}", quantity_low=500 - spread, quantity_high=500 + spread, earliest_start=start)
        for name, start in (("a", "2027-01"), ("b", "2027-03"))
    ]
    costs = {"pool_cost_eur": 100, "lot_cost_eur": 20, "line_cost_eur": 5, "bridging_rate_per_year": 0.12}
    offers = [offer("o", (900, 90.0), (1200, 85.0), criteria=["eco"], co2_saved_kg_per_unit=2.0)]
    green = {"carbon_price_eur_per_tonne": 100, "criterion_value": {"eco": 0.01}}
    return instance(lines, offers, **{**costs, **green, **policy})


def test_a_lot_is_priced_at_the_tier_reached_and_fails_below_the_tipping_volume() -> None:
    question, _, arrangement = arranged(two())
    drawn = np.array([[500.0, 500.0], [700.0, 600.0], [300.0, 500.0]])
    came = arrangement.realised(question.policy, drawn)
    set_up = 100 + 20 + 2 * 5
    waited = [quantity * 100 * 0.12 * 2 / 12 for quantity in drawn[:, 0]]  # a waits for b
    cash = [1000 * 10 - waited[0] - set_up, 1300 * 15 - waited[1] - set_up, -waited[2] - set_up]
    green = [1000 * 0.2 + 100_000 * 0.01, 1300 * 0.2 + 130_000 * 0.01, 0]
    assert came.cash == pytest.approx(cash)
    assert came.total == pytest.approx([sum(pair) for pair in zip(cash, green, strict=True)])


def test_a_decided_lot_stands_at_its_first_tier_at_worst_and_kept_places_count_while_it_stands() -> None:
    document = two(stability_eur=7)
    document["previous"] = [{"line": "a", "offer": "o", "start": "2027-03"}]
    drawn = np.array([[500.0, 500.0], [300.0, 500.0]])
    question, _, arrangement = arranged(document)
    came = arrangement.realised(question.policy, drawn)
    assert came.total - came.cash == pytest.approx([200 + 1000 + 7, 0])
    lots = [{"offer": "o", "lines": ["a", "b"]}]
    document["fixed"] = [{"family": "f", "start": "2027-03", "lead": "DK-a", "lots": lots}]
    question, _, arrangement = arranged(document)
    came = arrangement.realised(question.policy, drawn)
    assert came.cash[1] == pytest.approx(800 * 10 - 300 * 2 - 130)
    assert came.total[1] - came.cash[1] == pytest.approx(160 + 800 + 7)


SPREAD = 120
"""Of each line of `two`: its sd is 120 / z(0.9)."""
DEVIATION = SPREAD / NORMAL.inv_cdf(0.9)


@pytest.mark.parametrize("correlation", [0.0, 0.4])
def test_the_mean_over_the_draws_is_that_of_the_normal_model(correlation: float) -> None:
    """The total volume X is normal; E[X; X >= T] = mu (1 - F(u)) + sd f(u), u = (T - mu) / sd."""
    question, _, arrangement = arranged(two(SPREAD, bridging_rate_per_year=0))
    sd = DEVIATION * math.sqrt((1 - correlation) * 2 + correlation * 4)

    def above(volume: float) -> float:
        u = (volume - 1000) / sd
        return 1000 * (1 - NORMAL.cdf(u)) + sd * NORMAL.pdf(u)

    expected = 10 * above(900) + 5 * above(1200) - 130
    (came,) = realised([arrangement], question.policy, correlation=correlation, draws=40_000, seed=1)
    found = Spread.of(came.cash)
    assert found.standard_error_eur == pytest.approx(np.std(came.cash) / 200, rel=1e-3)
    assert abs(found.mean_eur - expected) < 4 * found.standard_error_eur
    stands = float(np.mean(came.cash > 0))
    assert stands == pytest.approx(1 - NORMAL.cdf(-100 / sd), abs=4 * math.sqrt(0.25 / 40_000))


@pytest.mark.parametrize(("correlation", "variance"), [(0.0, 2), (0.6, 0.4 * 2 + 0.6 * 4)])
def test_where_the_lot_always_stands_the_percentiles_are_those_of_the_normal_model(
    correlation: float, variance: float
) -> None:
    document = two(SPREAD, bridging_rate_per_year=0)
    document["offers"][0]["tiers"] = [{"from_quantity": 1, "unit_price_eur": 90.0}]
    question, plan, arrangement = arranged(document)
    (came,) = realised([arrangement], question.policy, correlation=correlation, draws=40_000, seed=5)
    found, sd = Spread.of(came.total), DEVIATION * math.sqrt(variance) * (10 + 0.2 + 1)
    assert found.standard_error_eur == pytest.approx(sd / 200, rel=0.02)
    assert abs(found.mean_eur - plan.objective_eur) < 4 * found.standard_error_eur
    for percentile, z in ((found.p5_eur, -1.6449), (found.p95_eur, 1.6449)):
        assert percentile == pytest.approx(plan.objective_eur + z * sd, abs=0.05 * sd)


def test_errors_of_lines_have_the_correlation_asked_for_and_volumes_are_never_negative() -> None:
    document = instance([line(f"l{k}", "DK-1", quantity_low=0, quantity_high=5000) for k in range(3)], [])
    table = Table(Instance.from_document(document))
    drawn = np.concatenate(list(volumes(table, correlation=0.5, draws=20_000, seed=2)))
    assert drawn.shape == (20_000, 3)
    assert drawn.min() == 0
    table.deviation = np.full(3, 10.0)  # far from 0, nothing is cut off
    for correlation in (0.0, 0.5):
        drawn = np.concatenate(list(volumes(table, correlation=correlation, draws=20_000, seed=2)))
        assert np.corrcoef(drawn.T)[0, 1] == pytest.approx(correlation, abs=0.03)
        assert np.std(drawn, axis=0) == pytest.approx([10.0] * 3, rel=0.03)


def test_more_draws_begin_with_the_same_ones() -> None:
    question, _, arrangement = arranged(two(SPREAD))
    few, many = (
        realised([arrangement], question.policy, correlation=0.1, draws=count, seed=9)[0].total for count in (50, 150)
    )
    assert few.tolist() == many[:50].tolist()
    assert len(many) == 150


def test_the_plan_meets_the_same_draws_as_its_baselines() -> None:
    """No draw tells the greedy rule's equal plan apart; nothing alone is beaten as often as the lot stands."""
    document = two(SPREAD, bridging_rate_per_year=0, carbon_price_eur_per_tonne=0, criterion_value={})
    found = baselines(Instance.from_document(document), draws=4000, shock_correlation=0.4)
    same = found.named("largest_first").simulated
    alone = found.named("participants_alone").simulated
    for kind, rho in (("independent", 0.0), ("common_shock", 0.4)):
        assert same[kind].plan_over == Spread(0.0, 0.0, 0.0, 0.0)
        assert same[kind].plan_better_share == 0
        assert alone[kind].plan_over == found.simulated[kind]
        sd = DEVIATION * math.sqrt((1 - rho) * 2 + rho * 4)
        assert alone[kind].plan_better_share == pytest.approx(1 - NORMAL.cdf(-100 / sd), abs=0.03)


def test_an_arrangement_says_what_another_policy_would_not_allow() -> None:
    question, plan, arrangement = arranged(two(SPREAD, confidence=0.5))
    policy = question.policy
    assert arrangement.under(policy).lawful
    assert not arrangement.under(replace(policy, confidence=0.9)).lawful
    assert not arrangement.under(replace(policy, min_participants=3)).lawful
    losing = replace(policy, line_cost_eur=10_000)
    assert arrangement.under(losing).lawful
    assert not arrangement.under(replace(losing, no_one_worse_off=True)).lawful
    dearer = arrangement.under(replace(policy, term_months=24, carbon_price_eur_per_tonne=0, pool_cost_eur=200))
    totals = plan.totals
    assert dearer.objective_eur == pytest.approx(2 * (10_000 + 1000) - totals.bridging_cost_eur - 230)


def test_no_pools_are_worth_nothing() -> None:
    table = Table(Instance.from_document(two()))
    nothing = Arrangement(table, ())
    assert nothing.under(table.instance.policy).objective_eur == 0
    assert nothing.realised(table.instance.policy, np.ones((4, 2))).total.tolist() == [0] * 4
    assert realised([], table.instance.policy, correlation=0.0, draws=5, seed=0) == []


def test_a_pool_of_an_authority_and_an_associate_is_too_few() -> None:
    document = two()
    document["participants"][1]["contracting_authority"] = False
    question = Instance.from_document(document)
    lot = PlanLot("o", ("a", "b"), 0, 1000, 1000.0, 0.0)
    arrangement = Arrangement(Table(question), [PlanPool("f", "2027-03", "DK-a", (lot,))])
    assert not arrangement.under(question.policy).lawful
    assert arrangement.under(replace(question.policy, min_participants=1)).lawful
