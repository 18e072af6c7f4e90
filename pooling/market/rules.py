"""What an offer is: records checked at birth. A figure without range, source and date is no figure here."""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from pooling.errors import BadInput

ABSOLUTE, INDEX = "absolute", "index"
PRICE_BASES = (ABSOLUTE, INDEX)
LARGEST_INDEX = 5_000_000  # five times today's price: above, a percentage is likelier than an index
MICRO = 1_000_000  # prices: millionths of the currency, or of the index; CO2e: milligrams in a kilogram
LARGEST = 10**15  # no volume or price above this is believed; it also keeps sums inside 64 bits


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that is not a participant's own: value within its range, who says so, and when it was said."""

    value: int
    low: int
    high: int
    source: str
    source_date: date

    def __post_init__(self) -> None:
        if not -LARGEST <= self.low <= self.value <= self.high <= LARGEST:
            raise BadInput(f"low {self.low}, value {self.value}, high {self.high}: give low <= value <= high")
        if not self.source.strip():
            raise BadInput("the source is blank: name who states the figure")
        if len(self.source) > 400:
            raise BadInput(f"the source has {len(self.source)} characters: shorten it to 400")


@dataclass(frozen=True, slots=True)
class TierRecord:
    """A price from a yearly volume on: base units a year; millionths of the currency per base unit, or of the index."""

    from_quantity: Figure
    price: Figure

    def __post_init__(self) -> None:
        if self.from_quantity.value < 1:
            raise BadInput(f"from_quantity {self.from_quantity.value}: a tier starts at 1 or more")
        if self.from_quantity.low < 0 or self.price.low < 0:
            raise BadInput("low: neither volumes nor prices are below 0")


@dataclass(frozen=True, slots=True)
class OfferRecord:
    """A product level the market can supply in one category; the first tier's volume is the tipping volume.

    ``price_basis`` is ``absolute`` (in ``currency``) or ``index`` (1 000 000 = today's volume-weighted price of the
    category's live demand). CO2e saved is in milligrams per base unit; below 0 it is added. ``term_months`` is the
    contract term that the prices presume, None where any will do. The offer holds from ``valid_from`` to the day before
    ``valid_to``.
    """

    id: str
    category: str
    name: str
    criteria: tuple[str, ...]
    price_basis: str
    currency: str
    tiers: tuple[TierRecord, ...]
    co2_saved: Figure
    max_quantity: int | None = None
    total_max_quantity: int | None = None
    term_months: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    file_name: str = ""
    file_sha256: str = ""

    def __post_init__(self) -> None:
        _check_words(self)
        _check_limits(self)
        _check_tiers(self)

    @property
    def tipping_quantity(self) -> int:
        return self.tiers[0].from_quantity.value

    @property
    def priced_on(self) -> date:
        """The day whose exchange rate an absolute price is converted at: the latest on which one was stated."""
        return max(tier.price.source_date for tier in self.tiers)

    def holds(self, on: date) -> bool:
        """Whether the offer stands on that day."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on < self.valid_to)


def _check_words(offer: OfferRecord) -> None:
    for field, most in (("id", 120), ("name", 200), ("category", 80)):
        text = getattr(offer, field)
        if not text.strip() or len(text) > most:
            raise BadInput(f"{field} {text[:50]!r}: give 1 to {most} characters")
    if offer.price_basis not in PRICE_BASES:
        raise BadInput(f"price_basis {offer.price_basis!r}: give absolute or index")
    if len(offer.currency) != 3 or not (offer.currency.isascii() and offer.currency.isalpha()):
        raise BadInput(f"currency {offer.currency!r}: give an ISO 4217 code such as EUR")
    if len(set(offer.criteria)) != len(offer.criteria):
        raise BadInput(f"criteria {' '.join(offer.criteria)!r}: name each once")


def _check_limits(offer: OfferRecord) -> None:
    index = max(tier.price.high for tier in offer.tiers) if offer.price_basis == INDEX and offer.tiers else 0
    if index > LARGEST_INDEX:
        raise BadInput(
            f"price {index / MICRO:g} as an index: 1.02 means 2 % above today's price; was it written in per cent?"
        )
    for field in ("max_quantity", "total_max_quantity", "term_months"):
        value = getattr(offer, field)
        if value is not None and not 1 <= value <= LARGEST:
            raise BadInput(f"{field} {value}: give a whole number of 1 or more, or leave it blank")
    if offer.valid_from and offer.valid_to and offer.valid_from >= offer.valid_to:
        raise BadInput(
            f"valid_from {offer.valid_from} is not before valid_to {offer.valid_to}, the first day it no longer holds"
        )


def _check_tiers(offer: OfferRecord) -> None:
    if not offer.tiers:
        raise BadInput("no tier: give at least the tipping volume and its price")
    for lower, upper in pairwise(offer.tiers):
        if upper.from_quantity.value <= lower.from_quantity.value:
            raise BadInput(
                f"from_quantity {upper.from_quantity.value} follows {lower.from_quantity.value}: tiers must ascend"
            )
        if upper.price.value > lower.price.value:
            raise BadInput(
                f"the price rises from {lower.price.value / MICRO:g} to {upper.price.value / MICRO:g}"
                f" at {upper.from_quantity.value}: a larger volume never costs more a unit"
            )


@dataclass(frozen=True, slots=True)
class VolumeRow:
    """Volume to take to market: the lines of a category that could start together under one set of criteria.

    ``sure_quantity`` (base units a year) is the largest volume reached with the policy's confidence, by choice of
    lines; ``quantity``, ``spend_eur_per_year``, ``lines`` and ``participants`` (code, quantity; largest first) are of
    those lines. ``authorities`` counts the participants that are contracting authorities. ``best`` marks the largest
    sure quantity among the starts of its category and criteria, the earliest where equal.
    """

    category: str
    unit: str
    start: str
    criteria: tuple[str, ...]
    sure_quantity: float
    quantity: int
    spend_eur_per_year: float
    lines: tuple[str, ...]
    participants: tuple[tuple[str, int], ...]
    authorities: int
    best: bool
