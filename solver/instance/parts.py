"""Who needs what and what the market can supply: participants, categories, offers and lines of an instance."""

from collections.abc import Iterator
from dataclasses import dataclass

from solver.checks import (
    distinct_texts,
    flags,
    is_number,
    is_whole,
    limits,
    months,
    numbers,
    refuse,
    texts,
    wholes,
)
from solver.errors import Fault


@dataclass(frozen=True, slots=True)
class Participant:
    """A body with demand. Only a contracting authority counts towards the minimum and may lead."""

    id: str
    country: str
    contracting_authority: bool
    may_lead: bool
    max_leads: int | None = None
    max_pools_per_quarter: int | None = None

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        yield from texts(id=self.id, country=self.country)
        yield from flags(contracting_authority=self.contracting_authority, may_lead=self.may_lead)
        yield from limits(max_leads=self.max_leads, max_pools_per_quarter=self.max_pools_per_quarter)


@dataclass(frozen=True, slots=True)
class Category:
    """What lines and offers are about; a family is what one joint tender holds."""

    id: str
    family: str
    unit: str
    term_months: int | None = None

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        yield from texts(id=self.id, family=self.family, unit=self.unit)
        if self.term_months is not None:
            yield from wholes(1, term_months=self.term_months)


@dataclass(frozen=True, slots=True)
class Tier:
    """A price per base unit from a yearly volume on."""

    from_quantity: int
    unit_price_eur: float

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        yield from wholes(1, from_quantity=self.from_quantity)
        yield from numbers(unit_price_eur=self.unit_price_eur)


@dataclass(frozen=True, slots=True)
class Offer:
    """What the market can supply in one category; the first tier is the tipping volume."""

    id: str
    category: str
    tiers: tuple[Tier, ...]
    co2_saved_kg_per_unit: float
    criteria: tuple[str, ...] = ()
    max_quantity: int | None = None
    total_max_quantity: int | None = None

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        yield from texts(id=self.id, category=self.category)
        yield from numbers(True, co2_saved_kg_per_unit=self.co2_saved_kg_per_unit)
        yield from distinct_texts(criteria=self.criteria)
        yield from limits(max_quantity=self.max_quantity, total_max_quantity=self.total_max_quantity)
        yield from _tiers(self.tiers)


def _tiers(tiers: object) -> Iterator[Fault]:
    """Each a tier, volumes ascending, prices never rising; figures that are wrong in themselves are not compared."""
    if not isinstance(tiers, tuple):
        yield Fault("tiers", tiers, "give a list of tiers")
        return
    if not tiers:
        yield Fault("tiers", [], "give at least one tier: the first is the tipping volume")
    yield from (Fault(f"tiers[{k}]", tier, "give a tier") for k, tier in enumerate(tiers) if not isinstance(tier, Tier))
    for k in range(1, len(tiers)):
        below, tier = tiers[k - 1], tiers[k]
        if isinstance(below, Tier) and isinstance(tier, Tier):
            yield from _after(below, tier, f"tiers[{k}]")


def _after(below: Tier, tier: Tier, path: str) -> Iterator[Fault]:
    starts, prices = (below.from_quantity, tier.from_quantity), (below.unit_price_eur, tier.unit_price_eur)
    if all(is_whole(start, 1) for start in starts) and starts[1] <= starts[0]:
        yield Fault(f"{path}.from_quantity", starts[1], f"give more than the tier before it ({starts[0]})")
    if all(is_number(price) and price >= 0 for price in prices) and prices[1] > prices[0]:
        remedy = f"give no more than the tier before it ({prices[0]}): prices never rise with volume"
        yield Fault(f"{path}.unit_price_eur", prices[1], remedy)


@dataclass(frozen=True, slots=True)
class Line:
    """One participant's yearly demand in one category; low and high are its 10th and 90th percentiles."""

    id: str
    participant: str
    category: str
    quantity: int
    quantity_low: int
    quantity_high: int
    unit_price_eur: float
    earliest_start: str
    latest_start: str
    required: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    bridging_rate_per_year: float | None = None

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        yield from texts(id=self.id, participant=self.participant, category=self.category)
        yield from wholes(1, quantity=self.quantity)
        yield from wholes(0, quantity_low=self.quantity_low, quantity_high=self.quantity_high)
        if is_whole(self.quantity, 1):
            if is_whole(self.quantity_low, 0) and self.quantity_low > self.quantity:
                yield Fault("quantity_low", self.quantity_low, f"give at most quantity ({self.quantity})")
            if is_whole(self.quantity_high, 0) and self.quantity_high < self.quantity:
                yield Fault("quantity_high", self.quantity_high, f"give at least quantity ({self.quantity})")
        yield from numbers(unit_price_eur=self.unit_price_eur)
        if self.bridging_rate_per_year is not None:
            yield from numbers(bridging_rate_per_year=self.bridging_rate_per_year)
        window = tuple(months(earliest_start=self.earliest_start, latest_start=self.latest_start))
        yield from window
        if not window and self.earliest_start > self.latest_start:
            yield Fault("earliest_start", self.earliest_start, f"give no later than latest_start ({self.latest_start})")
        yield from distinct_texts(required=self.required, refused=self.refused)
        both = _in_both(self.required, self.refused)
        if both:
            yield Fault("refused", both, "a criterion is either required or refused")


def _in_both(required: object, refused: object) -> list[str]:
    """The texts in both, where both are lists."""
    if not isinstance(required, tuple) or not isinstance(refused, tuple) or not required or not refused:
        return []
    return sorted({text for text in required if isinstance(text, str) and text and text in refused})
