"""A grid over policy: frontiers worked out by hand, domination on planted points, every plan judged."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver import Instance, InvalidInstance, solve
from solver.check import check
from solver.errors import RuleBroken
from solver.explain import explain_unpooled
from solver.lots import Market
from solver.plan import Plan
from solver.scenarios.exchange import best_of_all
from solver.scenarios.frontier import CASH, CO2, CRITERIA, DRAWN, ONE, Dominated, axes_of, dominated, least_worth
from solver.scenarios.grids import MOST_POINTS, policy_key
from solver.scenarios.grids import settings as read_grid
from solver.scenarios.runs import BASE, Scenarios, measured, scenarios
from solver.worth import Worth
from tests.solver.brute import best
from tests.solver.instances import category, instance, line, offer, random_instance

Document = dict[str, Any]
CARBON, MINIMUM, CONFIDENCE = "carbon_price_eur_per_tonne", "min_participants", "confidence"


def explored(document: Document, grid: Mapping[str, Any], **options: Any) -> Scenarios:
    found = scenarios(Instance.from_document(document), grid, **{"gap": 1e-4, "draws": 20, **options})
    written = json.loads(json.dumps(found.to_document(plans=True), allow_nan=False))
    for point, of in zip([written["base"], *written["points"]], [found.base, *found.points], strict=True):
        under = Instance.from_document(document)
        asked = replace(under, policy=of.policy).to_document()
        assert check(asked, point["plan"]) == []
    return found


def choice(**policy: Any) -> Document:
    """Two lines of 500 at 100 EUR: 90 EUR without anything, or 95 EUR with 2 t CO2e saved and an ecolabel."""
    lines = [line("a", "DK-1"), line("b", "DK-2")]
    offers = [offer("plain", (1000, 90.0)), offer("green", (1000, 95.0), criteria=["eco"], co2_saved_kg_per_unit=2.0)]
    costs = {"pool_cost_eur": 300, "lot_cost_eur": 30, "line_cost_eur": 1}
    return instance(lines, offers, **{**costs, **policy})


PLAIN, GREEN, NOTHING = (10_000 - 332, 0.0, 0.0), (5_000 - 332, 2.0, 1.0), (0.0, 0.0, 0.0)


def test_the_frontier_runs_from_cash_to_green() -> None:
    found = explored(choice(), {CARBON: [0, 3000], MINIMUM: [2, 3]})
    shown = [tuple(point.measures[axis] for axis in (CASH, CO2, CRITERIA)) for point in found.points]
    assert shown == [pytest.approx(one) for one in (PLAIN, NOTHING, GREEN, NOTHING)]
    assert [dict(point.values) for point in found.points][1:3] == [{CARBON: 0, MINIMUM: 3}, {CARBON: 3000, MINIMUM: 2}]
    assert found.frontiers == dict.fromkeys(("co2", "criteria", "all", "criterion.eco"), (0, 2))
    for nothing in (found.points[1], found.points[3]):
        assert set(nothing.dominated) == set(found.frontiers)
        assert all(one.surely for one in nothing.dominated.values())
    assert found.points[0].dominated == found.points[2].dominated == {}
    assert [point.plan.gap for point in found.points] == [pytest.approx(0, abs=1e-6)] * 4


def test_what_criteria_are_worth_moves_the_plan_to_them() -> None:
    grid = {"criterion_value.eco": [0.0, 0.06], "criterion_value_scale": [0.5, 1, 2]}
    found = explored(choice(), grid)
    green = [point.measures[CRITERIA] for point in found.points]
    assert green == pytest.approx([0, 0, 0, 0, 1, 1])  # 5,000 EUR is given up for 3 %, 6 % and 12 % of 100,000 EUR
    assert found.points[4].measures[ONE + "eco"] == pytest.approx(1)
    assert found.points[5].policy.criterion_value == {"eco": 0.12}


def test_spend_that_stays_out_meets_no_criterion() -> None:
    document = choice()
    document["lines"].append(line("far", "SE-1", category="d", quantity=250, unit_price_eur=400.0))
    document["categories"].append(category("d"))
    document["participants"].append(document["participants"][0] | {"id": "SE-1", "country": "SE"})
    question = Instance.from_document(document)
    green = replace(question, policy=replace(question.policy, carbon_price_eur_per_tonne=3000))
    assert measured(question, solve(green)) == pytest.approx({CASH: 4_668, CO2: 2, CRITERIA: 0.5, ONE + "eco": 0.5})


def test_cash_is_measured_by_the_instances_own_costs() -> None:
    found = explored(choice(), {"pool_cost_eur": [300, 0]})
    assert [point.measures[CASH] for point in found.points] == pytest.approx([9_668, 9_668])
    assert [point.plan.objective_eur for point in found.points] == pytest.approx([9_668, 9_968])


def test_a_plan_for_low_confidence_promises_more_than_volumes_bring() -> None:
    document = choice()
    for row in document["lines"]:
        row["quantity_low"], row["quantity_high"] = 400, 600
    document["offers"] = [offer("o", (700, 95.0), (1000, 90.0))]
    found = explored(document, {CONFIDENCE: [0.5, 0.9]}, draws=2000)
    low, high = found.points
    assert [low.measures[CASH], high.measures[CASH]] == pytest.approx([9_668, 4_668])
    assert low.simulated == high.simulated  # the same lot, whatever was promised
    assert low.simulated.mean_eur == pytest.approx(7_500, abs=500)


def test_equal_policies_are_solved_once() -> None:
    heard: list[tuple[str, int, int]] = []
    grid = {CARBON: [0, 0.0, 5000], "criterion_value": [{}, {"eco": 0}]}
    found = explored(choice(), grid, on_done=lambda *told: heard.append(told))
    assert [point.same_as for point in found.points] == [BASE, BASE, BASE, BASE, None, 4]
    assert found.points[0].plan is found.base.plan
    assert [told for told in heard if told[0] == "scenarios"] == [("scenarios", 1, 2), ("scenarios", 2, 2)]


def test_the_baselines_are_those_of_the_instances_own_policy() -> None:
    found = explored(choice(carbon_price_eur_per_tonne=3000), {CARBON: [0]})
    assert found.baselines.plan is found.base.plan
    assert found.base.plan.objective_eur == pytest.approx(5_000 + 6_000 - 332)
    assert found.baselines.named("largest_first").total_eur == pytest.approx(5_000 + 6_000 - 332)
    assert found.points[0].plan.objective_eur == pytest.approx(10_000 - 332)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**9))
def test_every_point_is_the_best_plan_of_its_policy(seed: int) -> None:
    document = random_instance(seed)
    found = explored(document, {CARBON: [0, 200], MINIMUM: [1, 2]}, draws=2)
    for point in found.points:
        total, _ = best(replace(Instance.from_document(document), policy=point.policy).to_document())
        assert point.plan.objective_eur == pytest.approx(total, rel=2e-4, abs=0.01)


def plain(found: Scenarios) -> Document:
    document = json.loads(json.dumps(found.to_document(plans=True)))
    for point in (document["base"], *document["points"]):
        point["runtime_s"] = point["plan"]["runtime_s"] = 0
    document["baselines"]["plan"]["runtime_s"] = 0
    return document


def test_the_same_grid_has_the_same_answer_side_by_side_or_not() -> None:
    document, grid = random_instance(17), {CARBON: [0, 100], CONFIDENCE: [0.5, 0.9]}
    alone = plain(explored(document, grid, seed=2))
    assert plain(explored(document, grid, seed=2)) == alone
    with ThreadPoolExecutor(2) as executor:
        assert plain(explored(document, grid, seed=2, executor=executor)) == alone


def test_processes_of_its_own_give_the_same_answer() -> None:
    document, grid = random_instance(23), {CARBON: [0, 100]}
    assert plain(explored(document, grid, workers=2)) == plain(explored(document, grid))


# The grid -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grid", "place", "remedy"),
    [
        ({}, "grid", "at least one policy field"),
        ([], "grid", "at least one policy field"),
        ({"carbon_price": [1]}, "grid.carbon_price", "carbon_price_eur_per_tonne"),
        ({7: [1]}, "grid.7", "name one of"),
        ({CARBON: []}, f"grid.{CARBON}", "at least one value"),
        ({CARBON: 5}, f"grid.{CARBON}", "at least one value"),
        ({CARBON: "12"}, f"grid.{CARBON}", "at least one value"),
        ({CARBON: [1, -1]}, f"grid.{CARBON}[1]", "at least 0"),
        ({CARBON: [None]}, f"grid.{CARBON}[0]", "finite number"),
        ({CONFIDENCE: [0.9, 1]}, f"grid.{CONFIDENCE}[1]", "not including, 1"),
        ({CONFIDENCE: [True]}, f"grid.{CONFIDENCE}[0]", "finite number"),
        ({MINIMUM: [2.5]}, f"grid.{MINIMUM}[0]", "whole number"),
        ({"green_floor": ["eco"]}, "grid.green_floor[0]", "list of texts"),
        ({"criterion_value": [{"eco": -1}]}, "grid.criterion_value[0].eco", "at least 0"),
        ({"criterion_value": [0.1]}, "grid.criterion_value[0]", "criterion to share"),
        ({"criterion_value.eco": ["much"]}, "grid.criterion_value.eco[0]", "finite number"),
        ({"criterion_value.echo": [0.1]}, "grid.criterion_value.echo", "name a criterion that an offer meets: eco"),
        ({"criterion_value_scale": [1]}, "grid.criterion_value_scale", "no criterion a value to scale"),
        ({"criterion_value.eco": [1], "criterion_value_scale": [-1]}, "grid.criterion_value_scale[0]", "at least 0"),
        ({CARBON: list(range(MOST_POINTS + 1))}, "grid", f"at most {MOST_POINTS} points"),
    ],
)
def test_a_grid_that_cannot_be_used_is_refused_by_place_and_remedy(grid: Any, place: str, remedy: str) -> None:
    with pytest.raises(InvalidInstance) as refused:
        scenarios(Instance.from_document(choice()), grid)
    (fault,) = refused.value.faults
    assert fault.path == place
    assert remedy in fault.remedy


def test_every_fault_of_a_grid_is_named() -> None:
    with pytest.raises(InvalidInstance) as refused:
        scenarios(Instance.from_document(choice()), {CARBON: [-1, -2], "x": [1], CONFIDENCE: [0.1]})
    assert len(refused.value.faults) == 4


def test_values_are_read_as_in_a_document() -> None:
    question = Instance.from_document(choice())
    grid = {MINIMUM: [2.0, 3], "green_floor": [["eco"], []], "max_pools_per_quarter": [None, 4]}
    read = read_grid(question, grid)
    assert len(read) == 8
    assert [one.policy.green_floor for one in read][::2] == [("eco",), ()] * 2
    assert read[0].policy.min_participants == 2
    assert len({policy_key(one.policy) for one in read}) == 8
    assert policy_key(read[2].policy) == policy_key(question.policy)


# Who dominates whom, on planted points --------------------------------------------------------------------------------

TWO = (CASH, CO2)


def marks(
    points: list[tuple[float, ...]],
    bounds: list[float],
    axes: tuple[str, ...] = TWO,
    drawn: list[float] | None = None,
) -> list[Dominated | None]:
    question = Instance.from_document(choice(carbon_price_eur_per_tonne=1000))
    cash = drawn or [point[0] for point in points]
    measures = [{**dict(zip(axes, point, strict=True)), DRAWN: mean} for point, mean in zip(points, cash, strict=True)]
    return dominated(measures, axes, question, [(question.policy, bound) for bound in bounds])


def test_a_plan_with_less_of_everything_is_dominated() -> None:
    points = [(1000, 5), (2000, 5), (1000, 6), (900, 4), (2000, 5)]
    endless = [1e9] * 5
    assert marks(points, endless) == [Dominated(1, False, True), None, None, Dominated(1, False, True), None]
    three = [(1000, 5, 0.2), (2000, 5, 0.1), (1000, 4, 0.1)]
    assert marks(three, endless[:3], (CASH, CO2, CRITERIA)) == [None, None, Dominated(0, False, True)]


def test_it_is_told_where_a_better_plan_only_promises_more() -> None:
    points, drawn = [(1000.0, 5.0), (2000.0, 5.0)], [900.0, 800.0]
    assert marks(points, [1e9] * 2, drawn=drawn) == [Dominated(1, False, False), None]
    points, drawn = [*points, (1500.0, 5.0)], [*drawn, 950.0]
    assert marks(points, [1e9] * 3, drawn=drawn)[0] == Dominated(2, False, True)


def test_rounding_dominates_nobody() -> None:
    assert marks([(1000, 5), (1000.4, 5)], [1e9] * 2) == [None, None]
    assert marks([(1000, 5), (1000.6, 5)], [1e9] * 2) == [Dominated(1, False, True), None]
    assert marks([(1000, 5), (999.7, 5.1)], [1e9] * 2) == [Dominated(1, False, True), None]


def test_it_is_sure_only_where_the_policys_bound_is_below_what_as_good_a_plan_would_be_worth() -> None:
    """At 1000 EUR a tonne over one year, 2000 EUR and 5 t are worth 7000 EUR at least."""
    assert marks([(1000, 4), (2000, 5)], [6_990, 1e9]) == [Dominated(1, True, True), None]
    assert marks([(1000, 4), (2000, 5)], [7_010, 1e9]) == [Dominated(1, False, True), None]
    assert marks([(1000, 4), (3000, 4.5), (2000, 5.6)], [7_550, 1e9, 1e9])[0] == Dominated(2, True, True)


def test_a_dominated_plan_is_named_one_that_is_not_dominated() -> None:
    assert marks([(1000, 1), (2000, 2), (3000, 3)], [1e9] * 3) == [
        Dominated(2, False, True),
        Dominated(2, False, True),
        None,
    ]


def test_the_least_worth_of_a_plan_as_good_counts_only_what_is_certain() -> None:
    document = choice(carbon_price_eur_per_tonne=100, criterion_value={"eco": 0.01}, term_months=36)
    document["categories"][0]["term_months"] = 24
    question = Instance.from_document(document)
    policy, measures = question.policy, {CASH: 1000.0, CO2: 5.0, CRITERIA: 0.5, ONE + "eco": 0.5}
    assert least_worth(question, policy, measures, (CASH, CO2)) == pytest.approx(1000 + 2 * 100 * 5)
    assert least_worth(question, policy, measures, (CASH, CRITERIA)) == pytest.approx(1000 + 2 * 0.01 * 0.5 * 100_000)
    assert least_worth(question, policy, measures, (CASH, ONE + "eco")) == pytest.approx(2000)
    assert least_worth(question, replace(policy, lot_cost_eur=31), measures, (CASH, CO2)) is None
    document["offers"][1]["co2_saved_kg_per_unit"] = -1
    shedding = Instance.from_document(document)
    assert least_worth(shedding, policy, measures, (CASH, ONE + "eco")) is None
    assert least_worth(shedding, policy, measures, (CASH, CO2)) == pytest.approx(2000)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9))
def test_a_plan_is_worth_no_less_than_the_least_worth_of_its_own_measures(seed: int) -> None:
    question = Instance.from_document(random_instance(seed))
    plan = solve(question)
    measures = measured(question, plan)
    criteria = [axis.removeprefix(ONE) for axis in measures if axis.startswith(ONE)]
    for axes in axes_of(criteria).values():
        least = least_worth(question, question.policy, measures, axes)
        assert least is not None
        assert least <= plan.objective_eur + 1e-6 * abs(plan.objective_eur) + 0.01


# Plans handed round ---------------------------------------------------------------------------------------------------


def emptied(question: Instance, plan: Plan) -> Plan:
    """A lawful plan without pools that the own solve could have stopped at."""
    worth = Worth(question)
    unpooled = explain_unpooled(Market(question), worth, ())
    return replace(plan, pools=(), unpooled=unpooled, totals=worth.totals(()))


def under(document: Document, *changes: Document) -> list[Instance]:
    question = Instance.from_document(document)
    return [replace(question, policy=replace(question.policy, **change)) for change in changes]


def test_a_policy_takes_the_plan_that_is_worth_most_to_it() -> None:
    asked = under(choice(), {}, {CARBON: 3000}, {CARBON: 10})
    plans = [solve(question) for question in asked]
    own = [plans[0], emptied(asked[1], plans[1]), emptied(asked[2], plans[2])]
    (first, of_first), (second, of_second), (third, of_third) = best_of_all(asked, own)
    assert (of_first, of_second, of_third) == (0, 0, 0)
    assert first is plans[0]
    assert second.objective_eur == pytest.approx(9_668)
    assert second.bound_eur == plans[1].bound_eur == pytest.approx(10_668)
    assert third.status == "optimal"
    for question, plan in zip(asked, (first, second, third), strict=True):
        assert check(question.to_document(), plan.to_document()) == []
    assert [origin for _, origin in best_of_all(asked, plans)] == [0, 1, 2]


@pytest.mark.parametrize("change", [{"green_floor": ("eco",)}, {MINIMUM: 3}, {"max_participants_per_pool": 1}])
def test_no_policy_takes_a_plan_that_breaks_its_rules(change: Document) -> None:
    asked = under(choice(), {}, change)
    own = [solve(asked[0]), emptied(asked[1], solve(asked[1]))]
    assert best_of_all(asked, own)[1] == (own[1], 1)


def test_lots_of_a_plan_taken_over_are_at_the_tier_they_reach_there() -> None:
    document = choice()
    for row in document["lines"]:
        row["quantity_low"], row["quantity_high"] = 400, 600
    document["offers"] = [offer("o", (700, 95.0), (1000, 90.0))]
    asked = under(document, {CONFIDENCE: 0.9}, {CONFIDENCE: 0.5})
    plans = [solve(question) for question in asked]
    plan, origin = best_of_all(asked, [plans[0], emptied(asked[1], plans[1])])[1]
    assert (origin, plan.pools[0].lots[0].tier, plan.objective_eur) == (0, 1, pytest.approx(9_668))


def test_a_bound_that_a_lawful_plan_exceeds_is_an_error() -> None:
    asked = under(choice(), {}, {CARBON: 1})
    plans = [solve(question) for question in asked]
    false = replace(emptied(asked[1], plans[1]), bound_eur=9_000.0)
    with pytest.raises(RuleBroken, match="bound"):
        best_of_all(asked, [plans[0], false])
