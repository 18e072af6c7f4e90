"""Answers of the API about pools, and what a plan gives a participant."""

from datetime import date
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pooling.access.projection import OPEN, OWN, PLANNERS
from pooling.planning.answers import Count, Eur, Free, Gains, SummedGains, Words


class PoolItem(msgspec.Struct, frozen=True):
    """A pool in a list. Its figures are null in plans stored before they were kept apart."""

    owner: ClassVar[str] = "members"
    id: Annotated[int, OPEN]
    plan: UUID
    number: Annotated[int | None, OPEN]
    family: str
    start: str
    dialogue_from: date
    notice_by: date
    award_by: date
    lead: Annotated[str, PLANNERS] | UnsetType = UNSET
    signing_body: Annotated[str, PLANNERS] | UnsetType = UNSET
    members: Annotated[list[str] | None, PLANNERS] | UnsetType = UNSET
    countries: Annotated[list[str] | None, PLANNERS] | UnsetType = UNSET
    lots: Annotated[int | None, PLANNERS] | UnsetType = UNSET
    lines: Annotated[int | None, PLANNERS] | UnsetType = UNSET
    spend_eur_per_year: Annotated[float | None, PLANNERS] | UnsetType = UNSET
    value_over_term_eur: Annotated[float | None, PLANNERS] | UnsetType = UNSET
    co2_saved_tonnes_per_year: Annotated[float | None, PLANNERS] | UnsetType = UNSET
    savings_eur: Annotated[float | None, PLANNERS] | UnsetType = UNSET
    green_value_eur: Annotated[float | None, PLANNERS] | UnsetType = UNSET
    bridging_cost_eur: Annotated[float | None, PLANNERS] | UnsetType = UNSET
    set_up_cost_eur: Annotated[float | None, PLANNERS] | UnsetType = UNSET


class PoolPage(msgspec.Struct, frozen=True):
    """Pools of one plan by start, then family."""

    items: list[PoolItem]
    next_cursor: str | None


class PooledLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line in a lot. ``participant`` sent it, ``held_by`` holds it at the start (a successor, where there is one).

    ``months_bridged``: how long its present contract must be stretched; ``doubts``: what the quality checks said.
    """

    owner: ClassVar[str] = "participant"
    whole: ClassVar[Meta] = OWN
    id: Annotated[int, OPEN]
    participant: str
    held_by: str
    quantity_per_year: Annotated[int, OWN]
    quantity_low: Annotated[int, OWN]
    quantity_high: Annotated[int, OWN]
    unit_price_eur: Annotated[float, OWN]
    spend_eur_per_year: Annotated[float, OWN]
    earliest_start: str
    latest_start: str
    required: list[str]
    refused: list[str]
    months_bridged: Annotated[int, OWN]
    doubts: list[str]
    gain: Gains


class PoolTier(msgspec.Struct, frozen=True, kw_only=True):
    """A price of an offer from a yearly volume on, with ranges, sources and dates."""

    whole: ClassVar[Meta] = PLANNERS
    from_quantity: Count
    from_quantity_low: Count
    from_quantity_high: Count
    quantity_source: str
    quantity_source_date: date
    unit_price_eur: Eur
    unit_price_low_eur: Eur
    unit_price_high_eur: Eur
    price_source: str
    price_source_date: date


class PoolLot(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of one category on one offer; ``tier`` counts from 0.

    ``likely_maximum`` is exceeded with no more than the policy's doubt: where a notice's maximum starts from.
    """

    category: str
    category_name: str
    unit: str
    offer: str
    offer_name: str
    criteria: list[str]
    term_months: Annotated[int, OPEN]
    lines: list[PooledLine]
    tier: Count | UnsetType = UNSET
    quantity: Count | UnsetType = UNSET
    sure_quantity: Eur | UnsetType = UNSET
    likely_maximum: Count | UnsetType = UNSET
    tipping_quantity: Count | UnsetType = UNSET
    unit_price_eur: Eur | UnsetType = UNSET
    tiers: Annotated[list[PoolTier], PLANNERS] | UnsetType = UNSET
    spend_eur_per_year: Eur | UnsetType = UNSET
    offered_spend_eur_per_year: Eur | UnsetType = UNSET
    co2_saved_tonnes_per_year: Eur | UnsetType = UNSET
    co2_saved_low_tonnes: Eur | UnsetType = UNSET
    co2_saved_high_tonnes: Eur | UnsetType = UNSET
    co2_source: Annotated[str, PLANNERS] | UnsetType = UNSET
    co2_source_date: Annotated[date, PLANNERS] | UnsetType = UNSET
    gain: Annotated[SummedGains, PLANNERS] | UnsetType = UNSET


class MemberVolume(msgspec.Struct, frozen=True):
    """What a member brings to a lot."""

    whole: ClassVar[Meta] = PLANNERS
    category: str
    unit: str
    quantity_per_year: Count
    share: Eur


class PoolMember(msgspec.Struct, frozen=True, kw_only=True):
    """A member of a pool: what it brings and what its lines gain, without its part of lot and pool costs."""

    owner: ClassVar[str] = "participant"
    whole: ClassVar[Meta] = PLANNERS
    participant: str
    name: str
    country: str
    contracting_authority: bool
    lots: list[MemberVolume]
    lines: Count
    spend_eur_per_year: Eur
    gain: SummedGains


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """A proposed joint tender with its lots and lines. A coordinator is shown own lines, and the lots they are in."""

    id: Annotated[int, OPEN]
    plan: UUID
    number: Annotated[int, OPEN]
    family: str
    start: str
    dialogue_from: date
    notice_by: date
    award_by: date
    starts_on: date
    lots: list[PoolLot]
    lead: Annotated[str, PLANNERS] | UnsetType = UNSET
    signing_body: Annotated[str, PLANNERS] | UnsetType = UNSET
    law: Annotated[str, PLANNERS] | UnsetType = UNSET
    language: Annotated[str, PLANNERS] | UnsetType = UNSET
    complaint_board: Annotated[str, PLANNERS] | UnsetType = UNSET
    countries: Words | UnsetType = UNSET
    members: Annotated[list[PoolMember], PLANNERS] | UnsetType = UNSET
    spend_eur_per_year: Eur | UnsetType = UNSET
    value_over_term_eur: Eur | UnsetType = UNSET
    co2_saved_tonnes_per_year: Eur | UnsetType = UNSET
    gain: Annotated[SummedGains, PLANNERS] | UnsetType = UNSET
    warnings: Words | UnsetType = UNSET


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a line in a plan: a place in a pool and its gain, or the one reason why it stays out.

    ``figures`` are those of the reason that are the line's own, ``all_figures`` all of them; ``words`` say the same.
    A line that could not take part at all has ``excluded`` true.
    """

    owner: ClassVar[str] = "participant"
    whole: ClassVar[Meta] = OWN
    line: Annotated[int, OPEN]
    participant: str
    held_by: str | None
    category: str
    quantity_per_year: Annotated[int, OWN]
    spend_eur_per_year: Annotated[float, OWN]
    pooled: bool
    excluded: bool
    pool: Annotated[int | None, OPEN] = None
    start: str | None = None
    offer: str | None = None
    gain: Gains | None = None
    reason: str | None = None
    words: str | None = None
    figures: Annotated[dict[str, Any], OWN] = {}
    all_words: Annotated[str | None, PLANNERS] | UnsetType = UNSET
    all_figures: Free | UnsetType = UNSET


class OutcomePage(msgspec.Struct, frozen=True):
    """Lines of a plan by id."""

    items: list[Outcome]
    next_cursor: str | None
