"""The frozen input: what `optimisation-model` calls an instance. Nothing after its birth checks it again.

Money is EUR, quantities are whole base units per year, months are ``YYYY-MM``. A part refuses what is wrong within
itself, an `Instance` what is wrong between its parts; both raise `InvalidInstance` with every fault they find.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from solver.checks import (
    distinct_texts,
    flags,
    is_number,
    is_whole,
    limits,
    months,
    numbers,
    refuse,
    shares,
    texts,
    wholes,
)
from solver.errors import Fault

SCHEMA = "pooling.instance/1"
LONGEST_USUAL_TERM = 48
"""Months; framework agreements last four years at most save in justified cases: Directive 2014/24/EU, Article 33(1)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the planners decided: horizon, costs, worth of green, and limits. Costs in EUR, terms in months."""

    horizon_start: str
    horizon_months: int
    term_months: int
    min_participants: int
    confidence: float
    carbon_price_eur_per_tonne: float
    bridging_rate_per_year: float
    pool_cost_eur: float
    lot_cost_eur: float
    line_cost_eur: float
    country_cost_eur: float
    no_one_worse_off: bool
    criterion_value: Mapping[str, float] = field(default_factory=dict)
    green_floor: tuple[str, ...] = ()
    forecast_correlation: float = 0.0
    stability_eur: float = 0.0
    max_pools_per_quarter: int | None = None
    max_participants_per_pool: int | None = None
    max_countries_per_pool: int | None = None

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        yield from months(horizon_start=self.horizon_start)
        yield from wholes(
            1,
            horizon_months=self.horizon_months,
            term_months=self.term_months,
            min_participants=self.min_participants,
        )
        if is_whole(self.horizon_months, 1) and self.horizon_months > 1200:
            yield Fault("horizon_months", self.horizon_months, "give at most 1200 months")
        yield from shares(0.5, confidence=self.confidence)
        yield from shares(0, forecast_correlation=self.forecast_correlation)
        yield from numbers(
            carbon_price_eur_per_tonne=self.carbon_price_eur_per_tonne,
            bridging_rate_per_year=self.bridging_rate_per_year,
            pool_cost_eur=self.pool_cost_eur,
            lot_cost_eur=self.lot_cost_eur,
            line_cost_eur=self.line_cost_eur,
            country_cost_eur=self.country_cost_eur,
            stability_eur=self.stability_eur,
        )
        worths: object = self.criterion_value
        if isinstance(worths, Mapping):
            for criterion, value in worths.items():
                yield from numbers(False, **{f"criterion_value.{criterion}": value})
        else:
            yield Fault("criterion_value", worths, "give an object: criterion to share of yearly spend")
        yield from flags(no_one_worse_off=self.no_one_worse_off)
        yield from distinct_texts(green_floor=self.green_floor)
        yield from limits(
            max_pools_per_quarter=self.max_pools_per_quarter,
            max_participants_per_pool=self.max_participants_per_pool,
            max_countries_per_pool=self.max_countries_per_pool,
        )


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


@dataclass(frozen=True, slots=True)
class FixedLot:
    """A decided lot: it stands as given."""

    offer: str
    lines: tuple[str, ...]

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        yield from texts(offer=self.offer)
        yield from distinct_texts(lines=self.lines)
        if self.lines == ():
            yield Fault("lines", [], "name the lines of the lot")


@dataclass(frozen=True, slots=True)
class FixedPool:
    """A decided pool: no line joins or leaves, and no other lot of its family starts in its month."""

    family: str
    start: str
    lead: str
    lots: tuple[FixedLot, ...]

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        yield from texts(family=self.family, lead=self.lead)
        yield from months(start=self.start)
        yield from _lots(self.lots)


def _lots(lots: object) -> Iterator[Fault]:
    if not isinstance(lots, tuple):
        yield Fault("lots", lots, "give a list of lots")
        return
    if not lots:
        yield Fault("lots", [], "name the lots of the pool")
    yield from (Fault(f"lots[{k}]", lot, "give a lot") for k, lot in enumerate(lots) if not isinstance(lot, FixedLot))
    offers = [lot.offer for lot in lots if isinstance(lot, FixedLot) and isinstance(lot.offer, str)]
    if len(set(offers)) != len(offers):
        yield Fault("lots", offers, "a pool has at most one lot on an offer")


@dataclass(frozen=True, slots=True)
class Forbidden:
    """No line that fits all that is given may be in such a lot; what is None fits any."""

    participant: str | None = None
    line: str | None = None
    family: str | None = None
    offer: str | None = None
    start: str | None = None

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        given = {"participant": self.participant, "line": self.line, "family": self.family, "offer": self.offer}
        yield from texts(**{name: value for name, value in given.items() if value is not None})
        if self.start is not None:
            yield from months(start=self.start)
        elif all(value is None for value in given.values()):
            yield Fault("", None, "give at least one of participant, line, family, offer, start")


@dataclass(frozen=True, slots=True)
class Previous:
    """Where a line stood in the last plan."""

    line: str
    offer: str
    start: str

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        yield from texts(line=self.line, offer=self.offer)
        yield from months(start=self.start)


@dataclass(frozen=True)
class Instance:
    """The whole question; references between the parts hold."""

    policy: Policy
    participants: tuple[Participant, ...]
    categories: tuple[Category, ...]
    offers: tuple[Offer, ...]
    lines: tuple[Line, ...]
    fixed: tuple[FixedPool, ...] = ()
    forbidden: tuple[Forbidden, ...] = ()
    previous: tuple[Previous, ...] = ()

    def __post_init__(self) -> None:
        from solver.references import faults_between

        refuse(faults_between(self))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed but unusual, in words."""
        terms = {"policy.term_months": self.policy.term_months}
        terms |= {f"categories[{c.id}].term_months": c.term_months for c in self.categories if c.term_months}
        return tuple(
            f"{path}: {months} months is longer than the four years of Directive 2014/24/EU, Article 33(1)"
            for path, months in terms.items()
            if months > LONGEST_USUAL_TERM
        )

    @classmethod
    def from_document(cls, document: object) -> "Instance":
        """Read ``pooling.instance/1``; raises `InvalidInstance` with every fault and its path."""
        from solver.reading import read_instance

        return read_instance(document)

    def to_document(self) -> dict[str, object]:
        """The instance as ``pooling.instance/1``, ready for JSON."""
        from solver.reading import write_instance

        return write_instance(self)
