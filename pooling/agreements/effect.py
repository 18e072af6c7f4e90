"""What agreements come to, planned and called off, added up by any of their sides. Pure, and exact: whole numbers.

Planned is the estimate that each buyer was named with at the freeze, spread evenly over the months of its lot's term.
Cash saving is what the same quantity costs at today's price less its price under the agreement; what it costs to set
agreements up and to bridge the time before is no part of it. CO2e is that of the offers, with its range.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from pooling.agreements.substances import avoided
from pooling.planning.rules import shifted

MONTHS = 12
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class LotFacts:
    """What holds for every unit bought of a lot; prices in millionths of EUR, CO2e saved in milligrams."""

    cycle: str
    category: str
    unit: str
    start: str
    term_months: int
    unit_price_micro: int
    co2_mg: int
    co2_mg_low: int
    co2_mg_high: int
    criteria: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A quantity that one participant is to buy (``planned``) or has called off, in one calendar year.

    ``today_micro`` is its cost at today's price, ``value_micro`` under the agreement. ``since``: when it came to be
    known, ``until``: when it was taken back.
    """

    planned: bool
    participant: str
    country: str
    lot: LotFacts
    year: int
    quantity: int
    today_micro: int
    value_micro: int
    since: datetime
    until: datetime | None = None


@dataclass(slots=True)
class Sums:
    """What entries come to; ``criteria``: value in micro-EUR by criterion met, ``free_of``: units by substance and unit
    of measure."""

    quantities: dict[str, int] = field(default_factory=dict)
    today_micro: int = 0
    value_micro: int = 0
    co2_mg: int = 0
    co2_mg_low: int = 0
    co2_mg_high: int = 0
    criteria: dict[str, int] = field(default_factory=dict)
    free_of: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Count one in."""
        lot, quantity = entry.lot, entry.quantity
        _more(self.quantities, lot.unit, quantity)
        self.today_micro += entry.today_micro
        self.value_micro += entry.value_micro
        self.co2_mg += quantity * lot.co2_mg
        self.co2_mg_low += quantity * lot.co2_mg_low
        self.co2_mg_high += quantity * lot.co2_mg_high
        for criterion in lot.criteria:
            _more(self.criteria, criterion, entry.value_micro)
        for substance in avoided(lot.criteria):
            _more(self.free_of, (substance, lot.unit), quantity)

    def merge(self, other: "Sums") -> None:
        """Count all of another in."""
        for name in ("today_micro", "value_micro", "co2_mg", "co2_mg_low", "co2_mg_high"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for unit, quantity in other.quantities.items():
            _more(self.quantities, unit, quantity)
        for criterion, value in other.criteria.items():
            _more(self.criteria, criterion, value)
        for place, quantity in other.free_of.items():
            _more(self.free_of, place, quantity)


@dataclass(slots=True)
class Row:
    """What has one key in common; ``participants`` are those with anything in it."""

    key: str
    participants: set[str] = field(default_factory=set)
    planned: Sums = field(default_factory=Sums)
    called_off: Sums = field(default_factory=Sums)

    def add(self, entry: Entry) -> None:
        """Count one in."""
        self.participants.add(entry.participant)
        (self.planned if entry.planned else self.called_off).add(entry)


KEYS: Mapping[str, Callable[[Entry], str]] = {
    "participant": lambda entry: entry.participant,
    "country": lambda entry: entry.country,
    "category": lambda entry: entry.lot.category,
    "cycle": lambda entry: entry.lot.cycle,
    "year": lambda entry: str(entry.year),
}
"""The sides that an effect is shown by."""
TOTAL = "total"


def rows(entries: Iterable[Entry], by: str) -> tuple[list[Row], Row]:
    """The rows by one of `KEYS`, in order, and their total."""
    key, found, total = KEYS[by], dict[str, Row](), Row(TOTAL)
    for entry in entries:
        name = key(entry)
        if name not in found:
            found[name] = Row(name)
        found[name].add(entry)
        total.add(entry)
    return [found[name] for name in sorted(found)], total


def planned_entries(
    lot: LotFacts, *, participant: str, country: str, quantity: int, today_price_micro: int, since: datetime
) -> Iterator[Entry]:
    """An estimate over the term as entries by calendar year, whose quantities come to it exactly."""
    for year, part in by_year(quantity, start=lot.start, months=lot.term_months):
        yield Entry(
            planned=True,
            participant=participant,
            country=country,
            lot=lot,
            year=year,
            quantity=part,
            today_micro=part * today_price_micro,
            value_micro=part * lot.unit_price_micro,
            since=since,
        )


def by_year(quantity: int, *, start: str, months: int) -> Iterator[tuple[int, int]]:
    """A quantity spread evenly over months from ``start`` (``YYYY-MM``) on, by calendar year; whole, nothing lost."""
    before, done = 0, 0
    for year in range(int(start[:4]), int(shifted(start, months - 1)[:4]) + 1):
        passed = min(months, (year + 1 - int(start[:4])) * MONTHS - int(start[5:]) + 1)
        upto = quantity * passed // months
        if passed > done and upto > before:
            yield year, upto - before
        before, done = upto, passed


def weighted_price(lines: Sequence[tuple[int, int]]) -> int:
    """The price of several quantities together, in whole millionths; 0 where there are none."""
    quantity = sum(each for each, _ in lines)
    return (sum(each * price for each, price in lines) + quantity // 2) // quantity if quantity else 0


def _more(sums: dict[Key, int], key: Key, amount: int) -> None:
    sums[key] = sums.get(key, 0) + amount
