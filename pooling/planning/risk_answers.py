"""What may go wrong with a plan, as the planners and auditors are shown it."""

from typing import Annotated, Any, ClassVar

from pooling.access.projection import PLANNERS
from pooling.planning.answers import Count, Eur
from pooling.planning.explanations import Amounts, Changes, MaybeEur, PlannersOwn, Ratio


class Chance(PlannersOwn, frozen=True, kw_only=True):
    """A lot's chances under one correlation of forecast errors, by formula and as drawn."""

    correlation: Ratio
    tier_probability: Ratio
    tipping_probability: Ratio
    expected_price_eur: MaybeEur
    expected_savings_eur: Eur
    drawn_tier_probability: Ratio
    drawn_tier_standard_error: Ratio
    drawn_tipping_probability: Ratio
    drawn_tipping_standard_error: Ratio
    drawn_price_eur: MaybeEur
    drawn_savings_eur: Eur
    drawn_savings_standard_error_eur: Eur
    drawn_below_zero_share: Ratio


class LotRisk(PlannersOwn, frozen=True, kw_only=True):
    """One lot: how far its volume is from its tier, and its chances by kind of forecast error."""

    offer: str
    tier: Count
    quantity: Count
    sure_quantity: Eur
    tier_from_quantity: Count
    tipping_quantity: Count
    planned_savings_eur: Eur
    volume_headroom_share: Ratio
    chances: dict[str, Chance]


class DrawnSavings(PlannersOwn, frozen=True, kw_only=True):
    """Savings as drawn: mean, one draw in twenty below and above, how often all lots reach their tiers."""

    expected_savings_eur: Eur
    standard_error_eur: Eur
    low_savings_eur: Eur
    high_savings_eur: Eur
    all_tiers_probability: Ratio


class Fragility(PlannersOwn, frozen=True, kw_only=True):
    """How a pool fares where price, volumes asked for or CO2e turn out at the bad end of their range."""

    fragile: bool
    fails_at: dict[str, list[str]]
    worth_eur: Amounts
    price_headroom_share: MaybeEur
    co2_headroom_share: MaybeEur
    failures: Changes


class PoolRisk(PlannersOwn, frozen=True, kw_only=True):
    """What may go wrong with a pool of ``members``."""

    owner: ClassVar[str] = "members"
    members: list[str]
    family: str
    start: str
    drawn: dict[str, DrawnSavings]
    lots: list[LotRisk]
    fragility: Fragility


class PoolPlace(PlannersOwn, frozen=True, kw_only=True):
    """A pool by family and start."""

    family: str
    start: str


class PlanRisk(PlannersOwn, frozen=True, kw_only=True):
    """What may go wrong with a plan; ``ranges`` are those that were assumed."""

    owner: ClassVar[str] = "participants"
    participants: list[str]
    draws: Count
    seed: Count
    correlations: Amounts
    ranges: Annotated[dict[str, Any], PLANNERS]
    drawn: dict[str, DrawnSavings]
    fragile_pools: list[PoolPlace]
