"""The plan as the judge reads it: what can be read is kept, what cannot is a violation with its path."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from solver.check.facts import Facts, Line, Offer
from solver.check.violation import Violation

SCHEMA = "pooling.plan/1"
FIGURES = ("objective_eur", "bound_eur", "gap", "runtime_s")


@dataclass(frozen=True, slots=True, eq=False)
class Lot:
    """A lot as stated; a figure that cannot be read is None, and has its violation already."""

    path: str
    offer: Offer
    places: tuple[tuple[str, Line], ...]
    """Every mention of a line, with its path."""
    tier: int | None
    figures: Mapping[str, float | None]

    @property
    def lines(self) -> tuple[Line, ...]:
        """Each line once."""
        return tuple(dict.fromkeys(line for _, line in self.places))


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """A pool as stated; ``fixed`` where the instance has decided this family and start."""

    path: str
    family: str
    start: int
    lead: str | None
    lots: tuple[Lot, ...]
    fixed: bool
    row: Mapping[str, Any]

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(dict.fromkeys(line for lot in self.lots for line in lot.lines))

    @property
    def participants(self) -> set[str]:
        return {line.participant.id for line in self.lines}

    @property
    def countries(self) -> set[str]:
        return {line.participant.country for line in self.lines}


@dataclass(frozen=True, slots=True)
class StatedPlan:
    """What a plan document says."""

    pools: tuple[Pool, ...]
    unpooled: tuple[tuple[str, Line, str], ...]
    """(path, line, reason)."""
    status: str
    figures: Mapping[str, float | None]
    totals: Mapping[str, float | None]

    @property
    def new(self) -> tuple[Pool, ...]:
        """Pools that the instance has not decided."""
        return tuple(pool for pool in self.pools if not pool.fixed)


@dataclass(slots=True)
class Reader:
    """Takes values out of a document of any shape and keeps the violations it meets."""

    facts: Facts
    violations: list[Violation] = field(default_factory=list)
    decided: set[tuple[str, int]] = field(default_factory=set)
    """(family, start) of the fixed pools not met yet."""

    def __post_init__(self) -> None:
        self.decided.update((pool.family, pool.start) for pool in self.facts.fixed)

    def fault(self, path: str, message: str) -> None:
        self.violations.append(Violation("format", path, message))

    def row(self, value: Any, path: str) -> Mapping[str, Any] | None:
        if isinstance(value, dict):
            return value
        self.fault(path, f"must be an object, is {_shown(value)}")
        return None

    def rows(self, row: Mapping[str, Any], key: str, path: str) -> list[tuple[str, Any]]:
        """(path, value) of every entry of a list."""
        value, place = row.get(key), _join(path, key)
        if isinstance(value, list):
            return [(f"{place}[{k}]", entry) for k, entry in enumerate(value)]
        self.fault(place, "is missing" if key not in row else f"must be a list, is {_shown(value)}")
        return []

    def text(self, row: Mapping[str, Any], key: str, path: str) -> str | None:
        value = row.get(key)
        if isinstance(value, str):
            return value
        self.fault(_join(path, key), "is missing" if key not in row else f"must be text, is {_shown(value)}")
        return None

    def number(self, row: Mapping[str, Any], key: str, path: str) -> float | None:
        """A finite number; whole ones of any size a float can hold."""
        value = row.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                if math.isfinite(value):
                    return value
            except OverflowError:
                pass
        problem = "is missing" if key not in row else f"must be a finite number, is {_shown(value)}"
        self.fault(_join(path, key), problem)
        return None

    def whole(self, row: Mapping[str, Any], key: str, path: str) -> int | None:
        value = row.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self.fault(_join(path, key), "is missing" if key not in row else f"must be a whole number, is {_shown(value)}")
        return None

    def pool(self, value: Any, path: str) -> Pool | None:
        """None where family or start cannot be read: nothing in the pool can be judged then."""
        row = self.row(value, path)
        if row is None:
            return None
        family, month = self.text(row, "family", path), self.text(row, "start", path)
        lead = self.text(row, "lead", path)
        lots = tuple(
            lot for place, entry in self.rows(row, "lots", path) if (lot := self.lot(entry, place)) is not None
        )
        if family is not None and family not in self.facts.families:
            self.fault(f"{path}.family", f"no such family: {_shown(family)}")
            family = None
        if family is None or month is None:
            return None
        try:
            start = self.facts.offset(month)
        except ValueError as error:
            self.fault(f"{path}.start", str(error))
            return None
        fixed = (family, start) in self.decided
        self.decided.discard((family, start))
        return Pool(path=path, family=family, start=start, lead=lead, lots=lots, fixed=fixed, row=row)

    def lot(self, value: Any, path: str) -> Lot | None:
        """None where the offer cannot be read."""
        row = self.row(value, path)
        if row is None:
            return None
        places = []
        for place, name in self.rows(row, "lines", path):
            line = self.known_line(name, place)
            if line is not None:
                places.append((place, line))
        tier = self.whole(row, "tier", path)
        figures = {key: self.number(row, key, path) for key in ("quantity", "sure_quantity", "benefit_eur")}
        name = self.text(row, "offer", path)
        if name is None:
            return None
        if name not in self.facts.offers:
            self.fault(f"{path}.offer", f"no such offer: {_shown(name)}")
            return None
        return Lot(path=path, offer=self.facts.offers[name], places=tuple(places), tier=tier, figures=figures)

    def known_line(self, name: Any, path: str) -> Line | None:
        if isinstance(name, str) and name in self.facts.lines:
            return self.facts.lines[name]
        self.fault(path, f"no such line: {_shown(name)}")
        return None

    def unpooled(self, value: Any, path: str) -> tuple[str, Line, str] | None:
        row = self.row(value, path)
        if row is None:
            return None
        reason = self.text(row, "reason", path)
        line = self.known_line(row.get("line"), f"{path}.line")
        return None if line is None else (path, line, reason or "")


TOTALS = (
    "savings_eur",
    "green_value_eur",
    "bridging_cost_eur",
    "set_up_cost_eur",
    "stability_eur",
    "co2_saved_tonnes_per_year",
    "lines",
    "lines_pooled",
    "spend_eur_per_year",
    "spend_pooled_eur_per_year",
)


def read_plan(document: Any, facts: Facts) -> tuple[StatedPlan | None, list[Violation]]:
    """The plan, None if the document is no object, and what could not be read."""
    reader = Reader(facts)
    row = reader.row(document, "")
    if row is None:
        return None, reader.violations
    if row.get("schema") != SCHEMA:
        reader.fault("schema", f"must be {SCHEMA!r}, is {_shown(row.get('schema'))}")
    totals = reader.row(row.get("totals"), "totals")
    pools = [reader.pool(value, path) for path, value in reader.rows(row, "pools", "")]
    unpooled = [reader.unpooled(value, path) for path, value in reader.rows(row, "unpooled", "")]
    plan = StatedPlan(
        pools=tuple(pool for pool in pools if pool is not None),
        unpooled=tuple(entry for entry in unpooled if entry is not None),
        status=reader.text(row, "status", "") or "",
        figures={key: reader.number(row, key, "") for key in FIGURES},
        totals={key: reader.number(totals, key, "totals") for key in TOTALS} if totals is not None else {},
    )
    return plan, reader.violations


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _shown(value: object) -> str:
    """The value for a message, cut short."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return "a value too large to show"
    return text if len(text) <= 60 else text[:57] + "..."
