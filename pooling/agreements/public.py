"""The effect for everybody: as it stood when the quarter began, in sums that tell of no participant. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from pooling.agreements.disclosure import FEWEST, Cell, shown
from pooling.agreements.effect import KEYS, TOTAL, Entry, LotFacts, Sums
from pooling.agreements.effect_views import (
    PublicBy,
    PublicEffect,
    PublicFigures,
    PublicRow,
    public_figures,
    public_view,
)

OTHERS = "others"
QUARTER = 3


@dataclass(slots=True)
class _Part:
    """The sums of planned or called-off entries by key, and who contributes how much of each."""

    sums: dict[str, Sums] = field(default_factory=dict)
    altogether: dict[str, dict[str, int]] = field(default_factory=dict)
    lately: dict[str, dict[str, int]] = field(default_factory=dict)
    lots: dict[str, set[LotFacts]] = field(default_factory=dict)

    def cells(self) -> dict[str, Cell]:
        keys = self.altogether.keys() | self.lately.keys()
        return {key: Cell(self.altogether.get(key, {}), self.lately.get(key, {})) for key in sorted(keys)}


def public_effect(entries: Iterable[Entry], by: PublicBy, *, now: datetime) -> PublicEffect:
    """What may be told at ``now``: planned and called off each by the rule of `pooling.agreements.disclosure`."""
    as_of, before = quarters(now.astimezone(UTC).date())
    parts = {True: _Part(), False: _Part()}
    key = KEYS[by]
    for entry in entries:
        _count(parts[entry.planned], key(entry), entry, _midnight(as_of), _midnight(before))
    told = {planned: _told(part) for planned, part in parts.items()}
    keys = sorted({key for each in told.values() for key in each} - {OTHERS, TOTAL})
    rows = [_row(key, told) for key in keys]
    return public_view(by, as_of, rows, _row(OTHERS, told), _row(TOTAL, told))


def quarters(today: date) -> tuple[date, date]:
    """The first days of the running quarter and of the one before."""
    first = date(today.year, (today.month - 1) // QUARTER * QUARTER + 1, 1)
    if first.month > QUARTER:
        return first, date(first.year, first.month - QUARTER, 1)
    return first, date(first.year - 1, 13 - QUARTER, 1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


def _count(part: _Part, key: str, entry: Entry, as_of: datetime, before: datetime) -> None:
    """An entry counts from its making to its taking back; either counts as news in the quarter it falls in."""
    if entry.since >= as_of:
        return
    stands = entry.until is None or entry.until >= as_of
    stood = entry.since < before and (entry.until is None or entry.until >= before)
    if stands:
        part.sums.setdefault(key, Sums()).add(entry)
        part.lots.setdefault(key, set()).add(entry.lot)
        _more(part.altogether, key, entry)
    if stands != stood:
        _more(part.lately, key, entry)


def _more(sizes: dict[str, dict[str, int]], key: str, entry: Entry) -> None:
    mine = sizes.setdefault(key, {})
    mine[entry.participant] = mine.get(entry.participant, 0) + entry.today_micro


def _told(part: _Part) -> Mapping[str, PublicFigures]:
    """The figures that may be told, by key. With its volume, the saving of few lots would tell a supplier's price; so
    of each row only where all rows have enough of them, or the one that has not would follow from the rest."""
    allowed = shown(part.cells())
    hidden = part.sums.keys() - allowed.rows
    tables = [{key} for key in sorted(allowed.rows)] + ([hidden] if allowed.others else [])
    priced = all(_lots(part, keys) >= FEWEST for keys in tables)
    found = {key: public_figures(part.sums[key], priced=priced) for key in allowed.rows}
    if allowed.others:
        found[OTHERS] = public_figures(_added(part.sums[key] for key in sorted(hidden)), priced=priced)
    if allowed.total:
        found[TOTAL] = public_figures(_added(part.sums.values()), priced=_lots(part, part.sums) >= FEWEST)
    return found


def _lots(part: _Part, keys: Iterable[str]) -> int:
    return len(set[LotFacts]().union(*(part.lots[key] for key in keys)))


def _added(parts: Iterable[Sums]) -> Sums:
    whole = Sums()
    for part in parts:
        whole.merge(part)
    return whole


def _row(key: str, told: Mapping[bool, Mapping[str, PublicFigures]]) -> PublicRow:
    return PublicRow(key=key, planned=told[True].get(key), called_off=told[False].get(key))
