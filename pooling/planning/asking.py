"""What requests to planning hold: every field bounded, unknown ones refused."""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pooling.planning.policies import LONGEST_NAME, NAME
from solver.plan import OPTIMAL_GAP

PolicyName = Annotated[str, Meta(max_length=LONGEST_NAME, pattern=f"^{NAME}$", description="of a kept policy")]
Code = Annotated[str, Meta(min_length=1, max_length=120)]
Month = Annotated[str, Meta(pattern="^[0-9]{4}-(0[1-9]|1[0-2])$", max_length=7)]
Amount = Annotated[float, Meta(ge=0, le=1e12)]
Limit = Annotated[int, Meta(ge=0, le=1_000_000)] | Literal["none"]
Months = Annotated[int, Meta(ge=1, le=600)]
Parts = Annotated[int, Meta(ge=1, le=1000)]
Seed = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Workers = Annotated[int, Meta(ge=1, le=64)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Text = Annotated[str, Meta(max_length=400)]


class Timetable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the lead time is divided, in parts."""

    dialogue: Parts | UnsetType = UNSET
    procedure: Parts | UnsetType = UNSET
    transition: Parts | UnsetType = UNSET


class PolicyDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A policy, as in a policy file; what is left out is the packaged default's, see docs/policy.md."""

    name: Text | UnsetType = UNSET
    as_of: Annotated[date | UnsetType, Meta(description="left out: the day on which it is used")] = UNSET
    lead_time_months: Annotated[int, Meta(ge=0, le=120)] | UnsetType = UNSET
    lead_time_reason: Text | UnsetType = UNSET
    horizon_start: Month | UnsetType = UNSET
    horizon_months: Months | UnsetType = UNSET
    term_months: Months | UnsetType = UNSET
    min_participants: Annotated[int, Meta(ge=1, le=1000)] | UnsetType = UNSET
    confidence: Annotated[float, Meta(ge=0.5, lt=1)] | UnsetType = UNSET
    forecast_correlation: Annotated[float, Meta(ge=0, lt=1)] | UnsetType = UNSET
    carbon_price_eur_per_tonne: Amount | UnsetType = UNSET
    bridging_rate_per_year: Amount | UnsetType = UNSET
    pool_cost_eur: Amount | UnsetType = UNSET
    lot_cost_eur: Amount | UnsetType = UNSET
    line_cost_eur: Amount | UnsetType = UNSET
    country_cost_eur: Amount | UnsetType = UNSET
    stability_eur: Amount | UnsetType = UNSET
    no_one_worse_off: bool | UnsetType = UNSET
    green_floor: Annotated[list[Code], Meta(max_length=100)] | UnsetType = UNSET
    max_pools_per_quarter: Limit | UnsetType = UNSET
    max_participants_per_pool: Limit | UnsetType = UNSET
    max_countries_per_pool: Limit | UnsetType = UNSET
    participant_max_leads: Limit | UnsetType = UNSET
    participant_max_pools_per_quarter: Limit | UnsetType = UNSET
    criterion_value: Annotated[dict[Code, Amount], Meta(max_length=500)] | UnsetType = UNSET
    category_term_months: Annotated[dict[Code, Months], Meta(max_length=2000)] | UnsetType = UNSET
    timetable: Timetable | UnsetType = UNSET

    def given(self) -> dict[str, Any]:
        """What was given, ready for JSON."""
        made: dict[str, Any] = msgspec.to_builtins(self)
        return made


class NewRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A plan to be made: a policy by name or whole (neither: the packaged default), and how hard to look."""

    policy_name: PolicyName | None = None
    policy: PolicyDocument | None = None
    time_limit_s: Seconds = 60.0
    workers: Workers = 1
    seed: Seed = 0
    gap: Annotated[float, Meta(gt=0, lt=1, description="proven gap that is good enough, as a share")] = OPTIMAL_GAP


class EndRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of the best plan so far."""

    plan: Literal["keep", "discard"] = "discard"


class NewUnlock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long to look for what would let a line in."""

    time_limit_s: Annotated[float, Meta(gt=0, le=600)] = 10.0


class NewBaselines(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long to plan what would be without the plan, all together."""

    time_limit_s: Annotated[float, Meta(gt=0, le=3600)] = 60.0


Number = Annotated[float, Meta(ge=-1e15, le=1e15)]
Plain = Annotated[int, Meta(ge=-(10**15), le=10**15)] | Number | bool | None


class OfferTier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A price from a yearly volume on."""

    from_quantity: Annotated[int, Meta(ge=0, le=10**15)]
    unit_price_eur: Annotated[float, Meta(ge=0, le=1e12)]


Value = (
    Plain
    | Annotated[str, Meta(max_length=120)]
    | Annotated[list[Code | OfferTier], Meta(max_length=200)]
    | Annotated[dict[Code, Number], Meta(max_length=500)]
)
Values = Annotated[dict[Annotated[str, Meta(min_length=1, max_length=80)], Value], Meta(min_length=1, max_length=40)]
Quantity = Annotated[int, Meta(ge=0, le=10**15)]
Shift = Annotated[int, Meta(ge=-600, le=600)]


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", omit_defaults=True):
    """One change; the fields of every kind are those of ``pooling.changes/1``."""


class ForbiddenAdded(Change, frozen=True, tag="forbidden_added"):
    """A line or participant forced out of pools, a start closed to a family: what is left out fits any."""

    participant: Code | None = None
    line: Code | None = None
    family: Code | None = None
    offer: Code | None = None
    start: Month | None = None


class ForbiddenDropped(ForbiddenAdded, frozen=True, tag="forbidden_dropped"):
    """An entry of what is forbidden no longer holds."""


class PolicyChanged(Change, frozen=True, tag="policy_changed"):
    """Fields of the policy with new values."""

    values: Values


class ParticipantChanged(Change, frozen=True, tag="participant_changed"):
    """Fields of a participant with new values."""

    participant: Code
    values: Values


class OfferChanged(Change, frozen=True, tag="offer_changed"):
    """Fields of an offer with new values."""

    offer: Code
    values: Values


class ParticipantLeaves(Change, frozen=True, tag="participant_leaves"):
    """A participant takes its lines away."""

    participant: Code


class LineLeaves(Change, frozen=True, tag="line_leaves"):
    """A line goes away."""

    line: Code


class OfLines(Change, frozen=True):
    """Names lines: those that fit all that is given."""

    line: Code | None = None
    participant: Code | None = None
    category: Code | None = None
    family: Code | None = None


class CriterionRequired(OfLines, frozen=True, kw_only=True, tag="criterion_required"):
    """Lines require a criterion."""

    criterion: Code


class CriterionAccepted(OfLines, frozen=True, kw_only=True, tag="criterion_accepted"):
    """Lines neither require nor refuse a criterion any longer."""

    criterion: Code


class VolumeChanged(OfLines, frozen=True, kw_only=True, tag="volume_changed"):
    """Lines grow or shrink by a factor, or one line has other quantities."""

    factor: Annotated[float, Meta(gt=0, le=1e6)] | None = None
    quantity: Quantity | None = None
    quantity_low: Quantity | None = None
    quantity_high: Quantity | None = None


class WindowMoved(OfLines, frozen=True, tag="window_moved"):
    """Lines may start so many months later, or earlier below 0."""

    earliest_months: Shift = 0
    latest_months: Shift = 0


AnyChange = (
    ForbiddenAdded
    | ForbiddenDropped
    | PolicyChanged
    | ParticipantChanged
    | OfferChanged
    | ParticipantLeaves
    | LineLeaves
    | CriterionRequired
    | CriterionAccepted
    | VolumeChanged
    | WindowMoved
)


class NewWhatIf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Changes, made one after another, and the seconds for solving again (up to 5 at once, up to 600 as a job)."""

    changes: Annotated[list[AnyChange], Meta(min_length=1, max_length=100)]
    time_limit_s: Annotated[float, Meta(gt=0, le=600)] = 2.0

    def given(self) -> list[dict[str, Any]]:
        """The changes, ready for JSON."""
        made: list[dict[str, Any]] = msgspec.to_builtins(self.changes)
        return made


Axis = Annotated[list[Value], Meta(min_length=1, max_length=256)]


class NewScenarios(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A grid over policy: fields to lists of values, at most 256 combinations; the policy it begins with."""

    name: Annotated[str, Meta(min_length=1, max_length=120)]
    grid: Annotated[
        dict[Annotated[str, Meta(min_length=1, max_length=140)], Axis],
        Meta(min_length=1, max_length=20),
    ]
    policy_name: PolicyName | None = None
    policy: PolicyDocument | None = None
    time_limit_s: Seconds = 600.0
    workers: Workers = 1
    seed: Seed = 0

    def values(self) -> dict[str, list[Any]]:
        """The grid, ready for JSON."""
        made: dict[str, list[Any]] = msgspec.to_builtins(self.grid)
        return made


class ChosenScenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One point of a grid."""

    number: Annotated[int, Meta(ge=-1, le=255, description="of the point; -1: the policy that the grid began with")]
