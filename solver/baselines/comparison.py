"""What a plan is worth over what would happen without it: every country alone, every participant (region) alone, all
lines of a category at the commonest start on the standard offer, and a greedy rule.

Each is made of lawful pools of the same instance, passed by the judge, fixed pools included in all. A rule of thumb
makes one plan; alone, every group has a plan of its own, see `alone`. Where `min_participants` is 2 or more, a
participant alone has no pool; but it could go to market by itself, so those alone are shown a second time without that
rule. Money is EUR over the term.

Forecast error: see `forecast_error` for the draws of yearly volumes and `Arrangement.realised` for what becomes of a
lot (priced at the tier reached; below the tipping volume it fails, today's prices go on, and its costs are lost).
Every plan meets the same draws.
"""

import math
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from functools import partial

import numpy as np

from solver.baselines.alone import Group, Part, groups, solve_alone
from solver.baselines.arrangement import Arrangement, Table
from solver.baselines.by_rule import largest_first, on_the_standard_offer
from solver.baselines.forecast_error import DRAWS, MOST_DRAWS, SHOCK_CORRELATION, Spread, realised
from solver.baselines.forming import shelves
from solver.baselines.judged import GOOD_ENOUGH, Allowance, OnDone, Solving, judged, nobody, solving, whole
from solver.checks import refuse
from solver.errors import Fault
from solver.instance import Instance
from solver.lots import Market
from solver.plan import Plan, PlanPool, Totals
from solver.worth import Worth

SCHEMA = "pooling.baselines/1"
PLAN_SHARE = 0.5
"""Of the time, where the plan has to be solved too."""
EVEN_EUR = 0.005
"""A plan beats a baseline in a draw by more than half a cent: less is rounding."""
TITLES = {
    "countries_alone": "Every country alone",
    "countries_alone_without_minimum": "Every country alone, without the minimum of participants",
    "participants_alone": "Every participant (region) alone",
    "participants_alone_without_minimum": "Every participant (region) alone, without the minimum of participants",
    "standard_offer": "All lines of a category at the commonest start on the standard offer",
    "largest_first": "Greedy, the pool of largest value first",
}
"""Every baseline by name, in the order of results."""


@dataclass(frozen=True, slots=True)
class Draws:
    """How forecast errors are drawn; ``shock_correlation`` is rho with a common shock (without one it is 0)."""

    count: int
    shock_correlation: float
    seed: int

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        yield from whole(1, MOST_DRAWS, draws=self.count)
        rho: object = self.shock_correlation
        if isinstance(rho, bool) or not isinstance(rho, int | float) or not 0 <= rho < 1:
            yield Fault("shock_correlation", rho, "give a number from 0 up to, not including, 1")

    @property
    def correlations(self) -> dict[str, float]:
        """The two kinds of error and their rho."""
        return {"independent": 0.0, "common_shock": self.shock_correlation}


@dataclass(frozen=True, slots=True)
class Simulated:
    """A baseline's total, what the plan brings over it, and the share of draws in which the plan is worth more."""

    total: Spread
    plan_over: Spread
    plan_better_share: float

    def to_document(self) -> dict[str, object]:
        """The fields by name."""
        spreads = {"total": self.total.to_document(), "plan_over": self.plan_over.to_document()}
        return {**spreads, "plan_better_share": self.plan_better_share}


@dataclass(frozen=True)
class Baseline:
    """One of `TITLES`. ``bound_eur``: what it could reach at most were its parts solved further; its own total where a
    rule makes it. ``parts``: the groups on their own, largest spend first; empty where a rule makes one plan."""

    name: str
    pools: tuple[PlanPool, ...]
    totals: Totals
    bound_eur: float
    parts: tuple[Part, ...]
    simulated: Mapping[str, Simulated]

    @property
    def total_eur(self) -> float:
        return self.totals.objective_eur


@dataclass(frozen=True)
class Baselines:
    """A plan beside its baselines; ``simulated`` is the plan's own total by kind of forecast error."""

    plan: Plan
    found: tuple[Baseline, ...]
    draws: Draws
    simulated: Mapping[str, Spread]

    def named(self, name: str) -> Baseline:
        """The baseline of that name; KeyError where there is none."""
        return {baseline.name: baseline for baseline in self.found}[name]

    def to_document(self) -> dict[str, object]:
        """``pooling.baselines/1``, ready for JSON. Of the plan the figures alone, of each baseline the pools too.

        Pools of a part stand in it; a baseline's own are those of no part: the fixed ones, or all where a rule made it.
        """
        return {
            "schema": SCHEMA,
            "plan": {
                **plan_figures(self.plan),
                "simulated": {kind: spread.to_document() for kind, spread in self.simulated.items()},
            },
            "draws": {
                "count": self.draws.count,
                "seed": self.draws.seed,
                "correlation": self.draws.correlations,
            },
            "baselines": [self._written(baseline) for baseline in self.found],
        }

    def _written(self, baseline: Baseline) -> dict[str, object]:
        own = len(baseline.pools) - sum(len(part.pools) for part in baseline.parts)
        return {
            "name": baseline.name,
            "title": TITLES[baseline.name],
            "total_eur": baseline.total_eur,
            "bound_eur": baseline.bound_eur,
            "plan_over_eur": self.plan.objective_eur - baseline.total_eur,
            "plan_over_at_least_eur": self.plan.objective_eur - baseline.bound_eur,
            "plan_over_at_most_eur": self.plan.bound_eur - baseline.total_eur,
            "cash_saving_eur": cash_saving(baseline.totals),
            "totals": asdict(baseline.totals),
            "simulated": {kind: one.to_document() for kind, one in baseline.simulated.items()},
            "parts": [asdict(part) for part in baseline.parts],
            "pools": [asdict(pool) for pool in baseline.pools[:own]],
        }


def cash_saving(totals: Totals) -> float:
    """Savings less bridging cost less set-up cost: what the participants together keep in money."""
    return totals.savings_eur - totals.bridging_cost_eur - totals.set_up_cost_eur


def plan_figures(plan: Plan) -> dict[str, object]:
    """How good a plan is and is proven to be."""
    figures = ("status", "objective_eur", "bound_eur", "gap", "runtime_s", "stopped_by_clock")
    return {**{name: getattr(plan, name) for name in figures}, "totals": asdict(plan.totals)}


def baselines(
    instance: Instance,
    *,
    plan: Plan | None = None,
    time_limit_s: float = 60.0,
    workers: int = 1,
    seed: int = 0,
    executor: Executor | None = None,
    gap: float = GOOD_ENOUGH,
    draws: int = DRAWS,
    shock_correlation: float | None = None,
    on_done: OnDone = nobody,
) -> Baselines:
    """The plan (solved here where none is handed in) beside every baseline of `TITLES`.

    ``time_limit_s`` is for all solves together, ``gap`` what each is solved to; they run on ``executor``, without one
    on ``workers`` processes. ``shock_correlation`` is rho of the draws with a common shock: unless given the policy's,
    or 0.3 where that is 0. ``on_done`` is told of every plan solved. Same arguments, same result, unless the clock
    stops a solve.

    Raises `InvalidInstance` naming the argument, `RuleBroken` where the judge finds fault with a plan.
    """
    drawn = draws_of(instance, draws=draws, shock_correlation=shock_correlation, seed=seed)
    with solving(Allowance(time_limit_s, workers, seed, gap), executor, on_done) as solver:
        if plan is None:
            (plan,) = solver.plans("plan", [instance], share=PLAN_SHARE)
            return beside(instance, plan, solver, drawn, share=1 - PLAN_SHARE)
        return beside(instance, judged(instance, plan), solver, drawn, share=1.0)


def draws_of(instance: Instance, *, draws: int, shock_correlation: float | None, seed: int) -> Draws:
    """The draws asked for; raises `InvalidInstance`."""
    usual = instance.policy.forecast_correlation or SHOCK_CORRELATION
    return Draws(draws, usual if shock_correlation is None else shock_correlation, seed)


def beside(instance: Instance, plan: Plan, solver: Solving, draws: Draws, *, share: float) -> Baselines:
    """The judged plan beside its baselines, solved in about ``share`` of the time."""
    fixed = Worth(instance).fixed_pools()
    made = [*_alone(instance, solver, fixed, share), *_by_rule(instance, plan, fixed)]
    table = Table(instance)
    arrangements = [Arrangement(table, pools) for pools in (plan.pools, *(baseline.pools for baseline in made))]
    spreads: dict[str, Spread] = {}
    simulated: list[dict[str, Simulated]] = [{} for _ in made]
    for kind, rho in draws.correlations.items():
        came = realised(arrangements, instance.policy, correlation=rho, draws=draws.count, seed=draws.seed)
        spreads[kind] = Spread.of(came[0].total)
        for entry, of_baseline in zip(simulated, came[1:], strict=True):
            over = came[0].total - of_baseline.total
            better = float(np.mean(over > EVEN_EUR))
            entry[kind] = Simulated(Spread.of(of_baseline.total), Spread.of(over), better)
    found = tuple(replace(baseline, simulated=entry) for baseline, entry in zip(made, simulated, strict=True))
    return Baselines(plan, found, draws, spreads)


def _alone(instance: Instance, solver: Solving, fixed: tuple[PlanPool, ...], share: float) -> Iterator[Baseline]:
    """The baselines in which every group is on its own."""
    worth = Worth(instance)
    fixed_eur = worth.totals(fixed).objective_eur
    countries = groups(instance, lambda participant: participant.country)
    people = groups(instance, lambda participant: participant.id)
    kinds: list[tuple[str, list[Group], int | None]] = []
    for name, among in (("countries_alone", countries), ("participants_alone", people)):
        kinds.append((name, among, None))
        if instance.policy.min_participants > 1:
            kinds.append((f"{name}_without_minimum", among, 1))
    for name, among, minimum in kinds:
        solve = partial(solver.plans, name, share=share / len(kinds), explained=False)
        parts = solve_alone(instance, among, solve, fixed_eur=fixed_eur, min_participants=minimum)
        pools = (*fixed, *(pool for part in parts for pool in part.pools))
        bound = fixed_eur + math.fsum(part.bound_eur for part in parts)
        yield Baseline(name, pools, worth.totals(pools), bound, parts, {})


def _by_rule(instance: Instance, plan: Plan, fixed: tuple[PlanPool, ...]) -> Iterator[Baseline]:
    """The baselines that a rule of thumb makes; like the plan's, their totals are those that the judge has passed."""
    market, worth = Market(instance), Worth(instance)
    on = shelves(market)
    for name, rule in (("standard_offer", on_the_standard_offer), ("largest_first", largest_first)):
        pools = (*fixed, *rule(market, on))
        totals = worth.totals(pools)
        bound = max(plan.bound_eur, totals.objective_eur)
        ruled = replace(plan, pools=pools, unpooled=(), totals=totals, bound_eur=bound)
        judged(instance, ruled, explained=False)
        yield Baseline(name, pools, totals, totals.objective_eur, (), {})
