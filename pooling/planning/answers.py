"""What the API shows of runs, plans, pools and what became of lines; each figure is marked with who may see it.

Money is EUR, gains are over the contract term, spend is per year, quantities are base units a year, months are
``YYYY-MM``. What a reader may not see is left out; what is not known is null.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pooling.access.projection import OPEN, OWN, PLANNERS
from pooling.planning.pool_views import Gain

Eur = Annotated[float, PLANNERS]
Count = Annotated[int, PLANNERS]
Words = Annotated[list[str], PLANNERS]
Free = Annotated[dict[str, Any], PLANNERS]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A named policy; ``document`` holds what was given, all else is the packaged default's when it is used."""

    name: str
    version: Annotated[int, OPEN]
    document: Free | UnsetType = UNSET
    created_at: datetime
    changed_at: datetime


class PolicyPage(msgspec.Struct, frozen=True):
    """Policies by name."""

    items: list[Policy]
    next_cursor: str | None


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The solver's last word: the stage, families done, the best total so far, and what is proven."""

    stage: str
    families_done: Annotated[int, OPEN]
    families: Annotated[int, OPEN]
    best_total_eur: Annotated[float | None, PLANNERS] | UnsetType = UNSET
    bound_eur: Annotated[float | None, PLANNERS] | UnsetType = UNSET
    gap: Annotated[float | None, PLANNERS] | UnsetType = UNSET


class RunProblem(msgspec.Struct, frozen=True):
    """Why a run failed."""

    code: str
    detail: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that was asked for. ``policy`` is what was in force when it was; ``again``: the plan was there before."""

    id: UUID
    version: Annotated[int, OPEN]
    status: Annotated[str, Meta(description="queued, running, succeeded, failed or cancelled")]
    asked_at: datetime
    asked_by: UUID
    policy_name: str | None
    policy: Free | UnsetType = UNSET
    time_limit_s: Annotated[float, OPEN]
    workers: Annotated[int, OPEN]
    seed: Annotated[int, OPEN]
    gap: Annotated[float, OPEN, Meta(description="asked: the proven gap that is good enough")]
    cycle: Annotated[str | None, Meta(description="whose frozen lines it plans; null: all that are live")] = None
    operation: Annotated[str, Meta(description="address of its job")]
    cancel: Annotated[str | None, Meta(description="keep or discard, once somebody ended it")]
    plan: UUID | None
    again: bool | None
    started_at: datetime | None
    finished_at: datetime | None
    progress: Progress | None
    problem: RunProblem | None


class RunPage(msgspec.Struct, frozen=True):
    """Runs, the latest first."""

    items: list[Run]
    next_cursor: str | None


class Gains(msgspec.Struct, frozen=True, kw_only=True):
    """What pooling gives a line over the term; ``savings_eur`` is cash, below 0 a green premium.

    ``green_value_eur`` is what the policy holds CO2e and criteria to be worth, ``net_eur`` both less the costs.
    """

    savings_eur: Annotated[float, OWN] | UnsetType = UNSET
    green_value_eur: Annotated[float, OWN] | UnsetType = UNSET
    bridging_cost_eur: Annotated[float, OWN] | UnsetType = UNSET
    set_up_cost_eur: Annotated[float, OWN] | UnsetType = UNSET
    net_eur: Annotated[float, OWN] | UnsetType = UNSET


class SummedGains(msgspec.Struct, frozen=True, kw_only=True):
    """The same for all lines of a lot, member or pool, with the costs of setting it up."""

    whole: ClassVar[Meta] = PLANNERS
    savings_eur: Eur
    green_value_eur: Eur
    bridging_cost_eur: Eur
    set_up_cost_eur: Eur
    net_eur: Eur


class PlanTotals(msgspec.Struct, frozen=True, kw_only=True):
    """A plan in figures; ``whole``: planners and auditors alone."""

    whole: ClassVar[Meta] = PLANNERS
    savings_eur: Eur
    green_value_eur: Eur
    bridging_cost_eur: Eur
    set_up_cost_eur: Eur
    stability_eur: Eur
    co2_saved_tonnes_per_year: Eur
    lines: Count
    lines_pooled: Count
    spend_eur_per_year: Eur
    spend_pooled_eur_per_year: Eur


class PlanItem(msgspec.Struct, frozen=True, kw_only=True):
    """A stored plan in a list. ``totals`` is null in plans stored before it was kept apart."""

    id: UUID
    version: Annotated[int, OPEN]
    created_at: datetime
    as_of: date
    policy_name: str
    snapshot: str
    solver_version: str
    status: Annotated[str, Meta(description="optimal: proven within the gap of 0.01 %; else feasible")]
    pools: Count | UnsetType = UNSET
    objective_eur: Eur | UnsetType = UNSET
    bound_eur: Eur | UnsetType = UNSET
    gap: Eur | UnsetType = UNSET
    totals: Annotated[PlanTotals | None, PLANNERS] | UnsetType = UNSET


class PlanPage(msgspec.Struct, frozen=True):
    """Plans, the latest first."""

    items: list[PlanItem]
    next_cursor: str | None


class Excluded(msgspec.Struct, frozen=True):
    """A line or offer that could not take part at all."""

    whole: ClassVar[Meta] = PLANNERS
    kind: str
    id: str
    reason: str
    words: str


class ReasonCount(msgspec.Struct, frozen=True):
    """How many lines stay out for a reason."""

    whole: ClassVar[Meta] = PLANNERS
    reason: str
    meaning: str
    lines: Count


class Explained(msgspec.Struct, frozen=True):
    """A kind of finding that is kept of a plan, and since when."""

    kind: str
    made_at: datetime


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One stored plan: what it rested on, what it comes to, how good it is proven to be.

    No plan can be worth more than ``bound_eur``. ``interrupted``: somebody ended the search early and kept this.
    """

    owner: ClassVar[str] = "participants"
    id: UUID
    version: Annotated[int, OPEN]
    created_at: datetime
    as_of: date
    horizon_start: str
    horizon_months: Annotated[int, OPEN]
    lead_time_months: Annotated[int, OPEN]
    policy_name: str
    snapshot: str
    solver_version: str
    seed: Annotated[int, OPEN]
    workers: Annotated[int, OPEN]
    time_limit_s: Annotated[float, OPEN]
    runtime_s: Annotated[float, OPEN]
    status: str
    interrupted: bool
    participants: Annotated[list[str], PLANNERS] | UnsetType = UNSET
    policy: Free | UnsetType = UNSET
    pools: Count | UnsetType = UNSET
    objective_eur: Eur | UnsetType = UNSET
    bound_eur: Eur | UnsetType = UNSET
    gap: Eur | UnsetType = UNSET
    totals: Annotated[PlanTotals, PLANNERS] | UnsetType = UNSET
    unpooled: Annotated[list[ReasonCount], PLANNERS] | UnsetType = UNSET
    excluded: Annotated[list[Excluded], PLANNERS] | UnsetType = UNSET
    warnings: Words | UnsetType = UNSET
    submissions: Annotated[list[dict[str, Any]], PLANNERS] | UnsetType = UNSET
    offer_files: Annotated[list[dict[str, Any]], PLANNERS] | UnsetType = UNSET
    rates: Annotated[list[dict[str, Any]], PLANNERS] | UnsetType = UNSET
    explained: Annotated[list[Explained], PLANNERS] | UnsetType = UNSET


def gains(gain: Gain) -> Gains:
    """Of one line."""
    return Gains(**_parts(gain))


def summed(gain: Gain) -> SummedGains:
    """Of a lot, member or pool."""
    return SummedGains(**_parts(gain))


def _parts(gain: Gain) -> dict[str, float]:
    return {name: getattr(gain, name) for name in SummedGains.__struct_fields__}


def totals_of(document: Mapping[str, Any]) -> PlanTotals:
    """The ``totals`` of a plan document."""
    return msgspec.convert(document, PlanTotals)
