"""Tenders as the API shows them. Members see what is their own; all else is marked for planners."""

from datetime import date, datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pooling.access.projection import OPEN, OWN, PLANNERS
from pooling.tenders.said import Said

Eur = Annotated[float, PLANNERS]
Count = Annotated[int, PLANNERS]


class MemberVolume(msgspec.Struct, frozen=True, kw_only=True):
    """What a member brings to a lot, base units a year; estimate and maximum over the term, values in EUR cents."""

    lot: Annotated[int, OPEN]
    category: str
    quantity_per_year: Annotated[int, OWN] | UnsetType = UNSET
    quantity_low: Annotated[int, OWN] | UnsetType = UNSET
    quantity_high: Annotated[int, OWN] | UnsetType = UNSET
    committed_quantity: Annotated[int | None, OWN] | UnsetType = UNSET
    committed_low: Annotated[int | None, OWN] | UnsetType = UNSET
    committed_high: Annotated[int | None, OWN] | UnsetType = UNSET
    estimate_quantity: Annotated[int | None, OWN] | UnsetType = UNSET
    maximum_quantity: Annotated[int | None, OWN] | UnsetType = UNSET
    estimate_value_cents: Annotated[int | None, OWN] | UnsetType = UNSET
    maximum_value_cents: Annotated[int | None, OWN] | UnsetType = UNSET


class AnswerView(msgspec.Struct, frozen=True, kw_only=True):
    """A member and its answer; ``version`` counts its answers and the terms that they were given to. ``given_by``:
    member, or planner where one declined in its place."""

    owner: ClassVar[str] = "participant"
    whole: ClassVar[Meta] = OWN
    participant: str
    version: Annotated[int, OPEN]
    role: str
    answer: str
    conditions: str | None
    reason: str | None
    change: Annotated[dict[str, Any] | None, OWN] | UnsetType = UNSET
    answered_at: datetime | None
    answered_by: UUID | None
    given_by: str | None
    volumes: list[MemberVolume]


class TenderLotView(msgspec.Struct, frozen=True, kw_only=True):
    """A lot: its offer, the tier it reaches, and its volume; estimate and maximum over the term from the freeze on."""

    whole: ClassVar[Meta] = PLANNERS
    id: Annotated[int, PLANNERS]
    category: str
    unit: str
    offer: str
    offer_name: str
    criteria: list[str]
    tier: Count
    tipping_quantity: Count
    tier_quantity: Count
    unit_price_eur: Eur
    term_months: Count
    quantity_per_year: Count
    sure_quantity: Eur
    co2_saved_kg_per_unit: Eur
    co2_saved_low_kg_per_unit: Eur
    co2_saved_high_kg_per_unit: Eur
    lines: Annotated[list[int], PLANNERS]
    estimate_quantity: Annotated[int | None, PLANNERS]
    maximum_quantity: Annotated[int | None, PLANNERS]
    estimate_value_cents: Annotated[int | None, PLANNERS]
    maximum_value_cents: Annotated[int | None, PLANNERS]


class TenderItem(msgspec.Struct, frozen=True, kw_only=True):
    """A tender in a list."""

    id: UUID
    version: Annotated[int, OPEN]
    cycle: str
    family: str
    start: str
    status: str
    depth: str
    answers_due: date | None
    proposed_at: datetime
    invited_at: datetime | None
    confirmed_at: datetime | None
    handed_over_at: datetime | None
    ended_at: datetime | None
    lead: Annotated[str, PLANNERS] | UnsetType = UNSET
    locked: Annotated[bool, PLANNERS] | UnsetType = UNSET
    holds: Annotated[bool, PLANNERS] | UnsetType = UNSET


class TenderPage(msgspec.Struct, frozen=True):
    """Tenders by start."""

    items: list[TenderItem]
    next_cursor: str | None


class CategoryFactsView(msgspec.Struct, frozen=True, kw_only=True):
    """What planners entered about a category, null where they did not: the buyers' share of what Nordic or EEA buyers
    buy of it, and with how many suppliers the agreement is to be made. ``offers``: products on offer on the day of the
    notice."""

    whole: ClassVar[Meta] = PLANNERS
    buying_share: Annotated[float | None, PLANNERS]
    suppliers: Annotated[int | None, PLANNERS]
    offers: Count


class FactsView(msgspec.Struct, frozen=True, kw_only=True):
    """What planners entered for the law to be asked about, null where they did not; ``categories``: those in it."""

    whole: ClassVar[Meta] = PLANNERS
    central_government: bool | None
    environment_weight: Annotated[float | None, PLANNERS]
    environment_reasons: str | None
    agreement_signed: bool | None
    lot_reasons: str | None
    term_reasons: str | None
    option_months: Annotated[int | None, PLANNERS]
    main_cpv: str | None
    categories: dict[str, CategoryFactsView]


class AssociateView(msgspec.Struct, frozen=True, kw_only=True):
    """A member that signs nothing: entitled to call off up to a maximum of its own, ``under`` the lead, which signs."""

    participant: str
    under: str


class TenderView(TenderItem, frozen=True, kw_only=True):
    """A tender. ``members``: with their answers, of these the reader's own; ``buyers``: those that contract, named from
    the freeze on, and apart from them ``associates``. ``warnings``: frozen maxima that go beyond what is on offer."""

    plan: UUID
    pool: Annotated[int, OPEN]
    starts_on: date
    ends_before: date
    buyers: list[str]
    associates: list[AssociateView]
    members: list[AnswerView]
    dialogue_from: date
    notice_by: date
    award_by: date
    frozen_at: datetime | None
    deepest: Annotated[str, PLANNERS] | UnsetType = UNSET
    signing_body: Annotated[str, PLANNERS] | UnsetType = UNSET
    note: Annotated[str | None, PLANNERS] | UnsetType = UNSET
    facts: Annotated[FactsView, PLANNERS] | UnsetType = UNSET
    changed_terms: Annotated[bool, PLANNERS] | UnsetType = UNSET
    warnings: Annotated[list[str], PLANNERS] | UnsetType = UNSET
    lots: list[TenderLotView]


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done to a tender. ``by_role``: planner, member, or service where the clock did it. ``reason``:
    members are told that of what is decided for all of them (invited, confirmed, handed over, rejected, expired), and
    of what concerns them alone."""

    id: Annotated[int, OPEN]
    what: str
    from_status: str
    to_status: str
    at: datetime
    participant: str | None
    by_role: str
    by: Annotated[UUID | None, PLANNERS] | UnsetType = UNSET
    reason: str | None
    details: Annotated[dict[str, Any], PLANNERS] | UnsetType = UNSET


class EventPage(msgspec.Struct, frozen=True):
    """What was done to a tender, in order."""

    items: list[EventView]
    next_cursor: str | None


class ProposalView(msgspec.Struct, frozen=True, kw_only=True):
    """What a proposal did: tenders made, kept as they were, taken back to make room."""

    cycle: str
    version: Annotated[int, OPEN]
    plan: UUID
    tenders: list[UUID]
    kept: list[UUID]
    replaced: list[UUID]


class FaultView(msgspec.Struct, frozen=True, kw_only=True):
    """Why a tender does not hold; ``missing`` base units a year."""

    whole: ClassVar[Meta] = PLANNERS
    code: str
    words: str
    lot: Annotated[int | None, PLANNERS]
    participant: str | None
    missing: Annotated[float | None, PLANNERS]


class LotStandingView(msgspec.Struct, frozen=True, kw_only=True):
    """A lot as answered; ``tier`` and price null where the tipping volume is not reached."""

    whole: ClassVar[Meta] = PLANNERS
    lot: Count
    category: str
    quantity: Count
    sure_quantity: Eur
    tipping_quantity: Count
    tier: Annotated[int | None, PLANNERS]
    unit_price_eur: Annotated[float | None, PLANNERS]
    authorities: Count
    participants: list[str]


class MemberStandingView(msgspec.Struct, frozen=True, kw_only=True):
    """What a member gets, EUR over the term: in cash, and with what green is worth, both less bridging and the set-up
    cost of its lines. ``worse_off``: ``cash`` where it pays more than today all told, ``value`` where one of its lines
    is worse off with green counted."""

    owner: ClassVar[str] = "participant"
    whole: ClassVar[Meta] = PLANNERS
    participant: str
    counted: bool
    quantity: Count
    cash_eur: Eur
    valued_eur: Eur
    worse_off: Annotated[list[str], PLANNERS]


class StandingView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a tender holds with those who count. ``net_eur`` is over the term, all costs of setting up taken off."""

    whole: ClassVar[Meta] = PLANNERS
    holds: bool
    faults: list[FaultView]
    depth: str
    lots: list[LotStandingView]
    members: list[MemberStandingView]
    net_eur: Eur


class Standings(msgspec.Struct, frozen=True, kw_only=True):
    """A tender judged as it is answered now: with all that have not declined, and with the committed alone.

    ``blocked``: what of the law stands against it.
    """

    tender: UUID
    version: Annotated[int, OPEN]
    expected: Annotated[StandingView, PLANNERS] | UnsetType = UNSET
    committed: Annotated[StandingView, PLANNERS] | UnsetType = UNSET
    blocked: Annotated[list[str], PLANNERS] | UnsetType = UNSET


class ConsequenceView(Said, frozen=True, kw_only=True):
    """What one rule says of a tender, why, and what follows. ``verified``: whether its source was read."""

    whole: ClassVar[Meta] = PLANNERS
    figures: Annotated[dict[str, float], PLANNERS]


class Consequences(msgspec.Struct, frozen=True, kw_only=True):
    """What every rule says by the law of the day of the notice."""

    tender: UUID
    version: Annotated[int, OPEN]
    on: date
    items: list[ConsequenceView]
