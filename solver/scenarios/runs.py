"""A grid over policy: what each combination's plan saves in money, in CO2e, and which criteria it brings.

Measures of a plan, all by the instance's own policy, so that plans made under different policies can be compared:

- ``cash_saving_eur``: savings less bridging cost less set-up cost over the term, every lot at the tier it was planned
  for; no green value, nothing for kept places.
- ``co2_saved_tonnes_per_year``: as in the plan's totals.
- ``criterion_share``: by criterion, the share of the instance's whole yearly spend that goes to offers which meet it
  (what stays out of pools counts as not met). Quantities in different units cannot be added up, spend can.
- ``criteria_covered``: the sum of these shares: how many criteria a euro of spend meets on average.

A low confidence plans with tiers that volumes miss more often: ``cash_saving_simulated`` is the same cash with volumes
drawn (`forecast_error`) by the instance's own forecast correlation, the same draws for every plan.

Plans are solved to a gap. After all are, a policy takes over another's plan where that is worth more to it than its
own and the judge passes it there (`exchange`); the policy's bound stays.
"""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace

from solver.baselines.arrangement import Arrangement, Table
from solver.baselines.comparison import Baselines, Draws, beside, cash_saving, draws_of, plan_figures
from solver.baselines.forecast_error import DRAWS, Spread, realised
from solver.baselines.judged import GOOD_ENOUGH, Allowance, OnDone, nobody, solving
from solver.instance import Instance, Policy
from solver.plan import Plan
from solver.scenarios.exchange import best_of_all
from solver.scenarios.frontier import (
    CASH,
    CO2,
    CRITERIA,
    DRAWN,
    ONE,
    Dominated,
    Measures,
    axes_of,
    criteria_of,
    dominated,
)
from solver.scenarios.grids import Grid, Setting, policy_key, settings
from solver.worth import Worth

SCHEMA = "pooling.scenarios/1"
POINTS_SHARE = 0.75
"""Of the time; the rest is for the baselines."""
BASE = -1
"""Stands for the instance's own policy where points are numbered; they count from 0 in the order of the grid."""


@dataclass(frozen=True)
class Point:
    """One policy and its plan.

    ``same_as``: the first point with an equal policy, whose plan this is; ``taken_from``: the point whose plan was
    worth more to this policy than its own; `BASE` in both is the instance's own policy. ``dominated``: by frontier,
    where another plan is better in everything.
    """

    number: int
    values: Mapping[str, object]
    policy: Policy
    plan: Plan
    measures: Measures
    simulated: Spread
    same_as: int | None
    taken_from: int | None
    dominated: Mapping[str, Dominated]

    def to_document(self, *, plans: bool = False) -> dict[str, object]:
        """The point's figures; with ``plans`` its whole ``pooling.plan/1`` under ``plan``."""
        return {
            "number": self.number,
            "values": dict(self.values),
            **{axis: self.measures[axis] for axis in (CASH, CO2, CRITERIA)},
            "criterion_share": {name: self.measures[ONE + name] for name in criteria_of(self.measures)},
            "cash_saving_simulated": self.simulated.to_document(),
            **plan_figures(self.plan),
            "same_as": self.same_as,
            "taken_from": self.taken_from,
            "dominated": {name: asdict(one) for name, one in self.dominated.items()},
            **({"plan": self.plan.to_document()} if plans else {}),
        }


@dataclass(frozen=True)
class Scenarios:
    """The points of a grid, the instance's own policy beside them, and its plan's baselines.

    ``frontiers``: numbers of the points that none dominates, by falling cash saving, by frontier: ``co2`` and
    ``criteria`` against cash saving, ``all`` three together, ``criterion.<name>`` for each criterion against cash.
    """

    base: Point
    points: tuple[Point, ...]
    frontiers: Mapping[str, tuple[int, ...]]
    baselines: Baselines

    def to_document(self, *, plans: bool = False) -> dict[str, object]:
        """``pooling.scenarios/1``, ready for JSON; ``plans``: with every point's whole plan."""
        axes = axes_of(criteria_of(self.base.measures))
        return {
            "schema": SCHEMA,
            "base": self.base.to_document(plans=plans),
            "points": [point.to_document(plans=plans) for point in self.points],
            "frontiers": {n: {"axes": list(axes[n]), "points": list(found)} for n, found in self.frontiers.items()},
            "baselines": self.baselines.to_document(),
        }


def scenarios(
    instance: Instance,
    grid: Grid,
    *,
    time_limit_s: float = 600.0,
    workers: int = 1,
    seed: int = 0,
    executor: Executor | None = None,
    gap: float = GOOD_ENOUGH,
    draws: int = DRAWS,
    shock_correlation: float | None = None,
    on_done: OnDone = nobody,
) -> Scenarios:
    """A judged plan for every combination of the grid's values (at most `grids.MOST_POINTS`), and the baselines.

    Equal policies are solved once, the instance's own always. ``time_limit_s`` is for everything together, ``gap`` what
    each plan is solved to; solves run side by side on ``executor``, without one on ``workers`` processes. ``draws`` and
    ``shock_correlation`` as in `baselines`. Same arguments, same result, unless the clock stops a solve.

    Raises `InvalidInstance` with every fault of the grid, or naming the argument; `RuleBroken` where the judge finds
    fault with a plan.
    """
    asked = (Setting({}, instance.policy), *settings(instance, grid))
    drawn = draws_of(instance, draws=draws, shock_correlation=shock_correlation, seed=seed)
    first_with: dict[str, int] = {}
    for number, setting in enumerate(asked, start=BASE):
        first_with.setdefault(policy_key(setting.policy), number)
    firsts = list(first_with.values())
    instances = [replace(instance, policy=asked[number - BASE].policy) for number in firsts]
    with solving(Allowance(time_limit_s, workers, seed, gap), executor, on_done) as solver:
        plans = best_of_all(instances, solver.plans("scenarios", instances, share=POINTS_SHARE))
        beside_base = beside(instance, plans[0][0], solver, drawn, share=1 - POINTS_SHARE)
    simulated = _simulated(instance, [plan for plan, _ in plans], drawn)
    solved = {
        number: _Solved(plan, None if origin == k else firsts[origin], measured(instance, plan), spread)
        for k, (number, (plan, origin), spread) in enumerate(zip(firsts, plans, simulated, strict=True))
    }
    points = [
        _point(number, setting, first_with[policy_key(setting.policy)], solved)
        for number, setting in enumerate(asked, start=BASE)
    ]
    return _marked(instance, points, beside_base)


@dataclass(frozen=True)
class _Solved:
    """What the points of one policy have in common."""

    plan: Plan
    taken_from: int | None
    measures: Measures
    simulated: Spread


def _point(number: int, setting: Setting, first: int, solved: Mapping[int, _Solved]) -> Point:
    of = solved[first]
    same_as = None if first == number else first
    return Point(number, setting.values, setting.policy, of.plan, of.measures, of.simulated, same_as, of.taken_from, {})


def measured(instance: Instance, plan: Plan) -> Measures:
    """The plan's measures by the instance's policy; axis to value, see the top."""
    worth = Worth(instance)
    totals = worth.totals(plan.pools)
    spend = {line.id: line.quantity * line.unit_price_eur for line in instance.lines}
    met: dict[str, list[float]] = {criterion: [] for offer in instance.offers for criterion in offer.criteria}
    for lot in (lot for pool in plan.pools for lot in pool.lots):
        bought = math.fsum(spend[line] for line in lot.lines)
        for criterion in worth.offers[lot.offer].criteria:
            met[criterion].append(bought)
    whole = math.fsum(spend.values())
    shares = {criterion: math.fsum(met[criterion]) / whole if whole else 0.0 for criterion in sorted(met)}
    return {
        CASH: cash_saving(totals),
        CO2: totals.co2_saved_tonnes_per_year,
        CRITERIA: math.fsum(shares.values()),
        **{ONE + criterion: share for criterion, share in shares.items()},
    }


def _simulated(instance: Instance, plans: Sequence[Plan], draws: Draws) -> list[Spread]:
    """Each plan's cash saving with volumes drawn."""
    table, rho = Table(instance), instance.policy.forecast_correlation
    arrangements = [Arrangement(table, plan.pools) for plan in plans]
    came = realised(arrangements, instance.policy, correlation=rho, draws=draws.count, seed=draws.seed)
    return [Spread.of(one.cash) for one in came]


def _marked(instance: Instance, points: Sequence[Point], found: Baselines) -> Scenarios:
    """The result, with the points of the grid compared on every frontier."""
    base, grid = points[0], points[1:]
    measures = [{**point.measures, DRAWN: point.simulated.mean_eur} for point in grid]
    proven = [(point.policy, point.plan.bound_eur) for point in grid]
    marks: list[dict[str, Dominated]] = [{} for _ in grid]
    frontiers: dict[str, tuple[int, ...]] = {}
    for name, axes in axes_of(criteria_of(base.measures)).items():
        by = dominated(measures, axes, instance, proven)
        for mark, one in zip(marks, by, strict=True):
            if one is not None:
                mark[name] = one
        free = [k for k, one in enumerate(by) if one is None]
        frontiers[name] = tuple(sorted(free, key=lambda k: (-measures[k][CASH], k)))
    marked = tuple(replace(point, dominated=mark) for point, mark in zip(grid, marks, strict=True))
    return Scenarios(base, marked, frontiers, found)
