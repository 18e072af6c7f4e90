"""What an offer is: records checked at birth. A figure without range, source and date is no figure here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

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
        refuse(figure_faults(self.low, self.value, self.high), source_faults(self.source))


@dataclass(frozen=True, slots=True)
class TierRecord:
    """A price from a yearly volume on: base units a year; millionths of the currency per base unit, or of the index."""

    from_quantity: Figure
    price: Figure

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[str]:
        if self.from_quantity.value < 1:
            yield f"from_quantity {self.from_quantity.value}: a tier starts at 1; give 1 or more"
        if self.from_quantity.low < 0 or self.price.low < 0:
            yield "low: neither volumes nor prices are below 0; give 0 or more"


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
        refuse(offer_faults({name: getattr(self, name) for name in self.__slots__}))

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


def refuse(*rules: Iterable[str]) -> None:
    """Raise BadInput with all faults, if there are any."""
    faults = [fault for rule in rules for fault in rule]
    if faults:
        raise BadInput("; ".join(faults))


def figure_faults(low: int, value: int, high: int) -> Iterator[str]:
    if not -LARGEST <= low <= value <= high <= LARGEST:
        yield f"low {low}, value {value}, high {high}: give low <= value <= high"


def source_faults(source: str) -> Iterator[str]:
    if not source.strip():
        yield "the source is blank: name who states the figure"
    if len(source) > 400:
        yield f"the source has {len(source)} characters: shorten it to 400"


def offer_faults(offer: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with an offer as a whole: fields of `OfferRecord`.

    A field that could not be read is None and nothing is asked of it; likewise a tier.
    """
    for rule in (_word_faults, _limit_faults, _tier_faults):
        yield from rule(offer)


def _word_faults(offer: Mapping[str, Any]) -> Iterator[str]:
    for field, most in (("id", 120), ("name", 200), ("category", 80)):
        text = offer[field]
        if text is not None and (not text.strip() or len(text) > most):
            yield f"{field} {text[:50]!r}: give 1 to {most} characters"
    basis, currency, criteria = offer["price_basis"], offer["currency"], offer["criteria"] or ()
    if basis is not None and basis not in PRICE_BASES:
        yield f"price_basis {basis!r}: give absolute or index"
    if currency is not None and (len(currency) != 3 or not (currency.isascii() and currency.isalpha())):
        yield f"currency {currency!r}: give an ISO 4217 code such as EUR"
    if len(set(criteria)) != len(criteria):
        yield f"criteria {' '.join(criteria)!r}: name each once"


def _limit_faults(offer: Mapping[str, Any]) -> Iterator[str]:
    prices = [tier.price.high for tier in offer["tiers"] if tier is not None]
    if offer["price_basis"] == INDEX and max(prices, default=0) > LARGEST_INDEX:
        yield f"price {max(prices) / MICRO:g} as an index: write 1.02 for 2 % above today's price, not in per cent"
    for field in ("max_quantity", "total_max_quantity", "term_months"):
        value = offer[field]
        if value is not None and not 1 <= value <= LARGEST:
            yield f"{field} {value}: give a whole number of 1 or more, or leave it blank"
    first, end = offer["valid_from"], offer["valid_to"]
    if first and end and first >= end:
        yield f"valid_from {first} is not before valid_to {end}, the first day it no longer holds; correct one of them"


def _tier_faults(offer: Mapping[str, Any]) -> Iterator[str]:
    if not offer["tiers"]:
        yield "no tier: give at least the tipping volume and its price"
    for lower, upper in pairwise(offer["tiers"]):
        if lower is None or upper is None:
            continue
        if upper.from_quantity.value <= lower.from_quantity.value:
            yield (
                f"from_quantity {upper.from_quantity.value} follows {lower.from_quantity.value}: tiers must ascend;"
                " put them in order"
            )
        if upper.price.value > lower.price.value:
            yield (
                f"the price rises from {lower.price.value / MICRO:g} to {upper.price.value / MICRO:g}"
                f" at {upper.from_quantity.value}: a larger volume never costs more a unit; correct one of the prices"
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
