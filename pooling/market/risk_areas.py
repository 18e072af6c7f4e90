"""Risk areas: what may be wrong in a supply chain, which criteria answer it, who leads on it.

What is packaged stands until a planner sets it anew.
"""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from pooling import audit, feed
from pooling.errors import BadFields, NotFound, did_you_mean
from pooling.market.tables import RiskArea
from pooling.reference import service as reference

DATA = Path(__file__).parent / "data" / "risk_areas.toml"
LISTS = ("families", "categories", "criteria")


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """What an area says. ``leads``: who leads on it, in words. It covers its families' categories and its own."""

    name: str
    risk: str
    leads: str
    criteria: tuple[str, ...]
    source: str
    families: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    source_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An area as it stands; ``covers``: ids of all its categories, sorted. ``packaged``: no planner has set it."""

    id: str
    version: int
    area: Area
    covers: tuple[str, ...]
    packaged: bool


@cache
def shipped() -> Mapping[str, Area]:
    """The packaged areas by id."""
    with DATA.open("rb") as file:
        rows: list[dict[str, Any]] = tomllib.load(file)["area"]
    return {row.pop("id"): _area(row) for row in rows}


def _area(values: Mapping[str, Any]) -> Area:
    made: dict[str, Any] = {name: tuple(value) if name in LISTS else value for name, value in values.items()}
    return Area(**made)


def areas(session: Session, *, category: str | None = None) -> dict[str, Known]:
    """All areas by id; ``category``: those that cover it."""
    rows = {row.id: row for row in session.exec(select(RiskArea))}
    families = {each.id: each.family for each in reference.categories(session).values()}
    found = {}
    for key in sorted({*rows, *shipped()}):
        area = _of_row(rows[key]) if key in rows else shipped()[key]
        covers = tuple(sorted({*area.categories, *(each for each, of in families.items() if of in area.families)}))
        if category is None or category in covers:
            version = rows[key].version if key in rows else 1
            found[key] = Known(id=key, version=version, area=area, covers=covers, packaged=key not in rows)
    return found


def one(session: Session, key: str) -> Known:
    """An area; raises NotFound."""
    known = areas(session)
    if key not in known:
        raise NotFound(f"no risk area {key!r}; {did_you_mean(key, known, 'GET /v1/risk-areas lists them')}")
    return known[key]


def put(session: Session, key: str, area: Area, *, now: datetime, expect: Callable[[int | None], None]) -> None:
    """Set an area whole, a packaged one too; raises BadFields."""
    row = session.get(RiskArea, key, with_for_update=True)
    before = 1 if row is None and key in shipped() else None if row is None else row.version
    expect(before)
    faults = list(_faults(session, area))
    if faults:
        raise BadFields(faults)
    values = {**asdict(area), **{name: list(getattr(area, name)) for name in LISTS}, "changed_at": now}
    version = (before or 0) + 1
    if row is None:
        session.add(RiskArea(id=key, version=version, **values))
    else:
        for name, value in values.items():
            setattr(row, name, value)
        row.version = version
    session.flush()
    feed.changed(session, "risk_area", key, version=version, action="created" if before is None else "updated")
    audit.acted(session, "risk-areas.write", resource=("risk_area", key))


def _of_row(row: RiskArea) -> Area:
    return _area({name: getattr(row, name) for name in Area.__slots__})


def _faults(session: Session, area: Area) -> Iterator[tuple[str, str, str]]:
    categories = reference.categories(session)
    known: Mapping[str, Iterable[str]] = {
        "families": {each.family for each in categories.values()},
        "categories": categories,
        "criteria": reference.criteria(session),
    }
    for name in LISTS:
        for number, word in enumerate(getattr(area, name)):
            if word not in known[name]:
                instead = did_you_mean(word, known[name], "take one of the reference data")
                yield (f"#/{name}/{number}", "bad-input", f"{word!r} is not known; {instead}")
    if not area.families and not area.categories:
        yield ("#/families", "bad-input", "neither families nor categories are given; name what it is about")
