"""The effect for everybody: as it stood when the quarter began, in sums that tell of no participant. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from functools import lru_cache

from pooling.agreements.effect import TOTAL, Entry
from pooling.agreements.effect_views import (
    PublicBy,
    PublicEffect,
    PublicFigures,
    PublicRow,
    public_figures,
    public_view,
)
from pooling.agreements.telling import OTHERS, Part, judged

QUARTER = 3
kept_judged = lru_cache(maxsize=4)(judged)
"""Everybody may ask, what is told holds for a quarter, and judging it takes a second where there is much."""


def public_effect(entries: Iterable[Entry], by: PublicBy, *, now: datetime) -> PublicEffect:
    """What may be told at ``now``: planned and called off each by the rule of `pooling.agreements.telling`."""
    as_of, before = quarters(now.astimezone(UTC).date())
    parts: dict[bool, list[Entry]] = {True: [], False: []}
    for entry in entries:
        parts[entry.planned].append(entry)
    told = {
        key: _told(kept_judged(tuple(each), _midnight(as_of), _midnight(before)), by) for key, each in parts.items()
    }
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


def _told(part: Part, by: PublicBy) -> Mapping[str, PublicFigures]:
    """The figures that may be told, by key."""
    if part.total is None:
        return {}
    found = {key: public_figures(part.sums(mask), part.figures[by]) for key, mask in part.rows[by].items()}
    return {**found, TOTAL: public_figures(part.sums(part.whole), part.total)}


def _row(key: str, told: Mapping[bool, Mapping[str, PublicFigures]]) -> PublicRow:
    return PublicRow(key=key, planned=told[True].get(key), called_off=told[False].get(key))
