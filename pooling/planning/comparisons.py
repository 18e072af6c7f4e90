"""What the API shows of plans beside others: baselines, unlocks, what-ifs, scenarios; all the planners' and auditors'.

Money is EUR over the term, quantities are base units a year.
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pooling.access.projection import PLANNERS
from pooling.planning.answers import Count, Eur, PlanTotals
from pooling.planning.explanations import Amounts, Changes, PlannersOwn, Ratio


class Totals(PlanTotals, frozen=True, kw_only=True):
    """The figures of a plan."""

    objective_eur: Eur | None = None


class Spread(PlannersOwn, frozen=True, kw_only=True):
    """A sum as drawn: mean with its standard error, one draw in twenty below and above."""

    mean_eur: Eur
    standard_error_eur: Eur
    p5_eur: Eur
    p95_eur: Eur


class Simulated(PlannersOwn, frozen=True, kw_only=True):
    """A baseline under forecast error, and how often the plan is worth more."""

    total: Spread
    plan_over: Spread
    plan_better_share: Ratio


class Group(PlannersOwn, frozen=True, kw_only=True):
    """What a country or participant reaches alone; ``why_none`` says why it has no pool."""

    owner: ClassVar[str] = "participants"
    name: str
    participants: Annotated[list[str], Meta(description="itself where the group is one participant")]
    total_eur: Eur
    bound_eur: Eur
    lines: Count
    lines_pooled: Count
    why_none: str | None


class Baseline(PlannersOwn, frozen=True, kw_only=True):
    """What would be without the plan, by one way of doing without it."""

    name: str
    title: str
    total_eur: Eur
    bound_eur: Eur
    plan_over_eur: Eur
    plan_over_at_least_eur: Eur
    plan_over_at_most_eur: Eur
    cash_saving_eur: Eur
    totals: Totals
    simulated: dict[str, Simulated]
    parts: list[Group]


class PlanFigures(PlannersOwn, frozen=True, kw_only=True):
    """How good a plan is and is proven to be."""

    status: str
    objective_eur: Eur
    bound_eur: Eur
    gap: Ratio
    runtime_s: Eur
    stopped_by_clock: bool
    totals: Totals


class Draws(PlannersOwn, frozen=True, kw_only=True):
    """How forecast errors were drawn."""

    count: Count
    seed: Count
    correlation: Amounts


class Baselines(PlannersOwn, frozen=True, kw_only=True):
    """A plan beside going alone and rules of thumb."""

    plan: PlanFigures
    draws: Draws
    baselines: list[Baseline]


class Confirmed(PlannersOwn, frozen=True, kw_only=True):
    """A change that lets a line in, confirmed by solving again; ``cost_months`` ranks it, ``by`` would change."""

    owner: ClassVar[str] = "by"
    changes: Changes
    kind: str
    cost_months: Ratio
    by: str | None
    proven: bool
    with_eur: Eur
    without_bound_eur: Eur
    pools: Changes


class Unlock(PlannersOwn, frozen=True, kw_only=True):
    """What would let a line in: unlocked, by_solving_again, tie, none or not_found."""

    line: str
    status: str
    cheapest: Confirmed | None
    alternatives: list[Confirmed]
    settled: bool
    considered: Count
    unsettled: Count
    why: str
    solves: Count
    families_solved_again: list[str]


class OwnFigures(PlannersOwn, frozen=True, kw_only=True):
    """What a participant has in a plan."""

    lines_pooled: Count
    spend_pooled_eur_per_year: Eur
    savings_eur: Eur
    green_value_eur: Eur
    bridging_cost_eur: Eur
    line_cost_eur: Eur
    benefit_eur: Eur
    co2_saved_tonnes_per_year: Eur


class OwnDifference(PlannersOwn, frozen=True, kw_only=True):
    """What a change does to one participant."""

    owner: ClassVar[str] = "participant"
    participant: str
    before: OwnFigures
    after: OwnFigures
    difference: OwnFigures


class PoolDifferences(PlannersOwn, frozen=True, kw_only=True):
    """Pools added, removed and changed, as plans write them."""

    added: Changes
    removed: Changes
    changed: Changes


class Difference(PlannersOwn, frozen=True, kw_only=True):
    """What changes would do to a plan: as given (``before``), what of it still holds (``standing``), the touched
    families solved again (``after``). ``effect_eur`` is what the change itself does, within its proven range; range,
    bound and gap are null while families are left standing."""

    changes: Changes
    families_touched: list[str]
    families_solved_again: list[str]
    families_left_standing: list[str]
    stays_lawful: bool
    breaks: Changes
    before: Totals
    standing: Totals
    after: Totals
    difference: Totals
    by_the_change_as_it_stands_eur: Eur
    by_solving_again_eur: Eur
    by_solving_again_unchanged_eur: Eur
    effect_eur: Eur
    effect_low_eur: Eur | None
    effect_high_eur: Eur | None
    bound_eur: Eur | None
    gap: Ratio | None
    stopped_by_clock: bool
    pools: PoolDifferences
    participants: list[OwnDifference]
    runtime_s: Eur


class WhatIf(PlannersOwn, frozen=True, kw_only=True):
    """A what-if asked for as a job; ``difference`` is null until it is done."""

    id: UUID
    version: Count
    plan: UUID
    asked_at: datetime
    operation: str
    status: str
    difference: Difference | None


class Dominated(PlannersOwn, frozen=True, kw_only=True):
    """The point that is better on a frontier; whether surely so, and also with volumes drawn."""

    by: Count
    surely: bool
    when_drawn: bool


class Point(PlannersOwn, frozen=True, kw_only=True):
    """One policy of a grid and what its plan comes to, measured by the policy that the grid began with."""

    number: Count
    values: Annotated[dict[str, Any], PLANNERS]
    cash_saving_eur: Eur
    co2_saved_tonnes_per_year: Eur
    criteria_covered: Ratio
    criterion_share: Amounts
    cash_saving_simulated: Spread
    status: str
    objective_eur: Eur
    bound_eur: Eur
    gap: Ratio
    runtime_s: Eur
    stopped_by_clock: bool
    totals: Totals
    same_as: Annotated[int | None, PLANNERS]
    taken_from: Annotated[int | None, PLANNERS]
    dominated: dict[str, Dominated]


class Frontier(PlannersOwn, frozen=True, kw_only=True):
    """The points that none betters on these axes, by falling cash saving."""

    axes: list[str]
    points: Annotated[list[int], PLANNERS]


class ScenarioResult(PlannersOwn, frozen=True, kw_only=True):
    """What a grid came to."""

    base: Point
    points: list[Point]
    frontiers: dict[str, Frontier]
    baselines: Baselines


class Scenarios(PlannersOwn, frozen=True, kw_only=True):
    """A grid over policy; ``result`` is null until it is done, and left out in lists."""

    id: UUID
    version: Count
    name: str
    status: str
    asked_at: datetime
    asked_by: UUID
    policy_name: str | None
    policy: Annotated[dict[str, Any], PLANNERS]
    grid: Annotated[dict[str, Any], PLANNERS]
    time_limit_s: Eur
    workers: Count
    seed: Count
    snapshot: str | None
    cycle: Annotated[str | None, Meta(description="whose frozen lines are planned; null: all that are live")]
    operation: str
    result: ScenarioResult | UnsetType | None = UNSET


class ScenarioPage(msgspec.Struct, frozen=True):
    """Scenarios, the latest first."""

    items: list[Scenarios]
    next_cursor: str | None


class ScenarioPlan(PlannersOwn, frozen=True, kw_only=True):
    """The plan that a grid's point was stored as; ``again``: it had been stored before."""

    scenarios: UUID
    number: Count
    plan: UUID
    again: bool
