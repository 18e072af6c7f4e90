"""Request and response models of offers and dialogue records."""

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from pooling.access.projection import OPEN, PLANNERS
from pooling.market.dialogues import Kept
from pooling.market.queries import Shown
from pooling.market.rules import LARGEST, MICRO, Figure, TierRecord

OFFER = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$"
PRICE = r"^[0-9]{1,9}(\.[0-9]{1,6})?$"
SIGNED = r"^-?[0-9]{1,9}(\.[0-9]{1,6})?$"
Source = Annotated[str, Meta(min_length=1, max_length=400)]
Volume = Annotated[int, Meta(ge=0, le=LARGEST)]
Some = Annotated[int, Meta(ge=1, le=LARGEST)]
Price = Annotated[str, Meta(pattern=PRICE, max_length=16, description="exact, at most six places")]
Kilograms = Annotated[str, Meta(pattern=SIGNED, max_length=17, description="exact, at most six places; below 0: added")]


class VolumeFigure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A yearly volume in base units, its range, who states it and when."""

    value: Annotated[Volume, OPEN]
    low: Annotated[Volume, OPEN]
    high: Annotated[Volume, OPEN]
    source: Source
    source_date: date


class PriceFigure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price of a base unit ex VAT, or of the index, its range, who states it and when."""

    value: Annotated[Price, OPEN]
    low: Annotated[Price, OPEN]
    high: Annotated[Price, OPEN]
    source: Source
    source_date: date


class Co2Figure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """CO2e saved per base unit in kilograms, its range, who states it and when."""

    value: Annotated[Kilograms, OPEN]
    low: Annotated[Kilograms, OPEN]
    high: Annotated[Kilograms, OPEN]
    source: Source
    source_date: date


class Tier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price from a yearly volume on; the first tier's volume is the tipping volume."""

    whole: ClassVar[Meta] = PLANNERS
    from_quantity: VolumeFigure
    price: PriceFigure


class OfferBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An offer as it shall be, whole. ``dialogues``: the records it rests on."""

    category: Annotated[str, Meta(min_length=1, max_length=80)]
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    price_basis: Literal["absolute", "index"]
    tiers: Annotated[list[Tier], Meta(min_length=1, max_length=50)]
    co2_saved_kg_per_unit: Co2Figure
    criteria: Annotated[list[Annotated[str, Meta(min_length=1, max_length=60)]], Meta(max_length=50)] = []
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$", max_length=3)] | None = None
    max_quantity: Some | None = None
    total_max_quantity: Some | None = None
    term_months: Annotated[int, Meta(ge=1, le=600)] | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    dialogues: Annotated[list[UUID], Meta(max_length=100)] = []


class OfferSource(msgspec.Struct, frozen=True, kw_only=True):
    """The file or request that an offer came in."""

    file_name: str
    file_sha256: str
    loaded_at: datetime


class OfferView(msgspec.Struct, frozen=True, kw_only=True):
    """What the market can supply in a category; prices and volumes are for planners and auditors.

    A limit or term that the offer has not is left out.
    """

    id: str
    version: Annotated[int, OPEN]
    category: str
    name: str
    criteria: list[str]
    price_basis: Annotated[str, OPEN]
    currency: str
    co2_saved_kg_per_unit: Co2Figure
    valid_from: date | None
    valid_to: date | None
    withdrawn_at: datetime | None
    tiers: Annotated[list[Tier], PLANNERS] | UnsetType = UNSET
    max_quantity: Annotated[int, PLANNERS] | UnsetType = UNSET
    total_max_quantity: Annotated[int, PLANNERS] | UnsetType = UNSET
    term_months: Annotated[int, PLANNERS] | UnsetType = UNSET
    dialogues: Annotated[list[UUID], PLANNERS] | UnsetType = UNSET
    came_in: Annotated[OfferSource, PLANNERS] | UnsetType = UNSET


class OfferPage(msgspec.Struct, frozen=True):
    """Offers by id."""

    items: list[OfferView]
    next_cursor: str | None


Question = Annotated[str, Meta(min_length=1, max_length=1000)]


class DialogueBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A talk with the market. ``participants``: who took part, in words."""

    held_on: date
    participants: Annotated[str, Meta(min_length=1, max_length=1000)]
    learnt: Annotated[str, Meta(min_length=1, max_length=20_000)]
    categories: Annotated[list[Annotated[str, Meta(min_length=1, max_length=80)]], Meta(max_length=100)] = []
    open_questions: Annotated[list[Question], Meta(max_length=100)] = []


class DialogueView(msgspec.Struct, frozen=True, kw_only=True):
    """A talk with the market, and the offers that rest on it."""

    whole: ClassVar[Meta] = PLANNERS
    id: UUID
    version: Annotated[int, OPEN]
    held_on: date
    participants: str
    learnt: str
    categories: list[str]
    open_questions: list[str]
    offers: list[str]
    recorded_by: UUID | None
    recorded_at: datetime


class DialoguePage(msgspec.Struct, frozen=True):
    """Dialogue records, the latest talk first."""

    items: list[DialogueView]
    next_cursor: str | None


def _exact(value: int) -> str:
    """Millionths as a decimal with six places."""
    sign, size = ("-" if value < 0 else ""), abs(value)
    return f"{sign}{size // MICRO}.{size % MICRO:06d}"


def _tier(tier: TierRecord) -> Tier:
    volume, price = tier.from_quantity, tier.price
    return Tier(
        from_quantity=VolumeFigure(
            value=volume.value,
            low=volume.low,
            high=volume.high,
            source=volume.source,
            source_date=volume.source_date,
        ),
        price=PriceFigure(**_range(price), source=price.source, source_date=price.source_date),
    )


def _range(figure: Figure) -> dict[str, str]:
    return {"value": _exact(figure.value), "low": _exact(figure.low), "high": _exact(figure.high)}


def _if_given(value: int | None) -> int | UnsetType:
    return UNSET if value is None else value


def offer_view(shown: Shown) -> OfferView:
    """An offer as it is shown."""
    record, row = shown.record, shown.row
    co2 = record.co2_saved
    return OfferView(
        id=record.id,
        version=row.version,
        category=record.category,
        name=record.name,
        criteria=list(record.criteria),
        price_basis=record.price_basis,
        currency=record.currency,
        co2_saved_kg_per_unit=Co2Figure(**_range(co2), source=co2.source, source_date=co2.source_date),
        valid_from=record.valid_from,
        valid_to=record.valid_to,
        withdrawn_at=row.withdrawn_at,
        tiers=[_tier(tier) for tier in record.tiers],
        max_quantity=_if_given(record.max_quantity),
        total_max_quantity=_if_given(record.total_max_quantity),
        term_months=_if_given(record.term_months),
        dialogues=list(shown.dialogues),
        came_in=OfferSource(file_name=row.file_name, file_sha256=row.file_sha256, loaded_at=row.loaded_at),
    )


def dialogue_view(kept: Kept) -> DialogueView:
    """A record as it is shown."""
    row = kept.row
    return DialogueView(
        id=row.id,
        version=row.version,
        held_on=row.held_on,
        participants=row.participants,
        learnt=row.learnt,
        categories=list(kept.categories),
        open_questions=list(row.open_questions),
        offers=list(kept.offers),
        recorded_by=row.recorded_by,
        recorded_at=row.recorded_at,
    )
