"""Which sums of the effect may be told to everybody. Pure.

All tables are judged together, in one order, whichever is asked for: a sum is told only where nothing follows from it
and from all that were told before. Within a table a figure is told of all rows or of none, so that what one row keeps
back does not follow from the others.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pooling.agreements.disclosure import FEWEST, Cell, shown
from pooling.agreements.effect import KEYS, MONTHS, Entry, LotFacts, Sums
from pooling.agreements.inference import Atom, Told
from pooling.agreements.substances import avoided

OTHERS = "others"
SIDES = ("category", "country", "cycle", "year")
"""The tables: what an earlier one tells, a later one may have to keep back."""


@dataclass(slots=True)
class Kept:
    """What one participant has in one lot and year: what stands, and how much of it the quarter changed."""

    entry: Entry
    sums: Sums = field(default_factory=Sums)
    lately: int = 0

    @property
    def atom(self) -> Atom:
        """The years of what is planned are known shares of the lot's whole term."""
        lot, year = self.entry.lot, self.entry.year
        unknown, weight = ((lot, 0), _months(lot, year)) if self.entry.planned else ((lot, year), 1)
        return Atom(self.entry.participant, unknown, weight, self.sums.today_micro, self.lately)


@dataclass(frozen=True, slots=True)
class Figures:
    """Which figures are told of all rows of a table; ``free_of``: substances with their units of measure."""

    criteria: frozenset[str] = frozenset()
    free_of: frozenset[tuple[str, str]] = frozenset()
    co2: bool = False
    priced: bool = False


NOTHING = Figures()


@dataclass(slots=True)
class Part:
    """What is planned, or what was called off, and what of it is told: sums are sets of ``kept``, as bits."""

    kept: list[Kept]
    told: Told
    total: Figures | None = None
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    figures: dict[str, Figures] = field(default_factory=dict)
    _priced: list[int] = field(default_factory=list)

    @property
    def whole(self) -> int:
        """Everything."""
        return (1 << len(self.kept)) - 1

    def where(self, holds: Callable[[Entry], bool]) -> int:
        """The sum of what holds to something."""
        return sum(1 << number for number, each in enumerate(self.kept) if holds(each.entry))

    def of(self, mask: int) -> list[Kept]:
        """What a sum is of."""
        return [each for number, each in enumerate(self.kept) if mask >> number & 1]

    def sums(self, mask: int) -> Sums:
        """What it comes to."""
        whole = Sums()
        for each in self.of(mask):
            whole.merge(each.sums)
        return whole

    def by(self, side: str) -> dict[str, int]:
        """The rows of a table, told or not."""
        return {key: self.where(_has(side, key)) for key in {KEYS[side](each.entry) for each in self.kept}}

    def may_price(self, masks: Sequence[int]) -> bool:
        """Whether savings and quantities of these sums may be told: beside the volume, those of few lots would tell a
        supplier's price; and so would the difference of two sums."""
        sums = [*self._priced, *masks]
        rests = [one ^ other for one in masks for other in [0, *sums] if one | other in {one, other} and one != other]
        if not all(self._has_lots(rest) for rest in rests):
            return False
        self._priced = sums
        return True

    def _has_lots(self, mask: int) -> bool:
        return len({each.entry.lot for each in self.of(mask)}) >= FEWEST


def judged(entries: Iterable[Entry], as_of: datetime, before: datetime) -> Part:
    """What may be told at ``as_of`` of entries that are all planned or all called off, when the publication before was
    at ``before``."""
    kept: dict[tuple[str, LotFacts, int], Kept] = {}
    for entry in entries:
        _count(kept, entry, as_of, before)
    part = Part(list(kept.values()), Told([each.atom for each in kept.values()]))
    if not part.told.cell(part.whole).open or not part.told.add([part.whole]):
        return part
    part.total = _figures(part, [part.whole])
    for side in SIDES:
        part.rows[side] = _rows(part, part.by(side))
        part.figures[side] = _figures(part, list(part.rows[side].values()))
    return part


def _count(kept: dict[tuple[str, LotFacts, int], Kept], entry: Entry, as_of: datetime, before: datetime) -> None:
    """An entry counts from its making to its taking back; either counts as news in the quarter it falls in."""
    if entry.since >= as_of:
        return
    stands = entry.until is None or entry.until >= as_of
    stood = entry.since < before and (entry.until is None or entry.until >= before)
    if stands or stood:
        mine = kept.setdefault((entry.participant, entry.lot, entry.year), Kept(entry))
        if stands:
            mine.sums.add(entry)
        if stands != stood:
            mine.lately += entry.today_micro


def _rows(part: Part, masks: Mapping[str, int]) -> dict[str, int]:
    """The rows that may be told, those that may not as one; the smallest make way until nothing follows."""
    cells = {key: part.told.cell(mask) for key, mask in masks.items()}
    without: set[str] = set()
    while True:
        allowed = shown(cells, without=without)
        rows = {key: masks[key] for key in sorted(allowed.rows)}
        if not rows or part.told.add(rows.values()):
            rest = part.whole & ~sum(rows.values())
            return {**rows, OTHERS: rest} if allowed.others and rest else rows
        without.add(min(allowed.rows, key=lambda key: (cells[key].size, key)))


def _figures(part: Part, rows: Sequence[int]) -> Figures:
    """What may be told of all of these rows beside their spend."""
    if not rows:
        return NOTHING
    criteria = {code for each in part.kept for code in each.entry.lot.criteria}
    met = [code for code in sorted(criteria) if _splits(part, rows, part.where(_meets(code)))]
    co2 = _co2(part, rows)
    priced = part.may_price(rows)
    free = _free(part, rows) if priced else frozenset[tuple[str, str]]()
    return Figures(frozenset(met), free, co2, priced)


def _splits(part: Part, rows: Sequence[int], some: int) -> bool:
    """Whether of each row that of it which is in ``some`` may be told, and with it the rest of the row."""
    parts = [each for row in rows for each in (row & some, row & ~some)]
    return all(_open(part.told.cell(each)) for each in parts) and part.told.add(parts)


def _free(part: Part, rows: Sequence[int]) -> frozenset[tuple[str, str]]:
    """The substances of which units may be told: with a criterion's value they tell the price of what is free of it."""
    found = set()
    places = {(each, kept.entry.lot.unit) for kept in part.kept for each in avoided(kept.entry.lot.criteria)}
    for place in sorted(places):
        some = part.where(_free_of(*place))
        parts = [each for row in rows for each in (row & some, row & ~some) if each]
        if _splits(part, rows, some) and part.may_price(parts):
            found.add(place)
    return frozenset(found)


def _co2(part: Part, rows: Sequence[int]) -> bool:
    """Whether in each row enough have a part in the CO2e, and none nearly all of it."""
    saving = part.where(lambda entry: bool(entry.lot.co2_mg or entry.lot.co2_mg_low or entry.lot.co2_mg_high))
    cells = [Cell(_tonnes(part, row), part.told.cell(row & saving).lately) for row in rows]
    return all(_open(cell) for cell in cells) and part.told.add([row & saving for row in rows])


def _tonnes(part: Part, row: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in part.of(row):
        found[each.entry.participant] = found.get(each.entry.participant, 0) + abs(each.sums.co2_mg)
    return found


def _open(cell: Cell) -> bool:
    return cell.empty or cell.open


def _has(side: str, key: str) -> Callable[[Entry], bool]:
    return lambda entry: KEYS[side](entry) == key


def _meets(code: str) -> Callable[[Entry], bool]:
    return lambda entry: code in entry.lot.criteria


def _free_of(substance: str, unit: str) -> Callable[[Entry], bool]:
    return lambda entry: entry.lot.unit == unit and substance in avoided(entry.lot.criteria)


def _months(lot: LotFacts, year: int) -> int:
    """How many months of a lot's term are in a year."""
    first = int(lot.start[:4]) * MONTHS + int(lot.start[5:]) - 1
    return min(first + lot.term_months, (year + 1) * MONTHS) - max(first, year * MONTHS)
