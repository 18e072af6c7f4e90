"""The instance as the judge reads it: from the raw document, by its own few lines, limits and defaults resolved."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What reading a document that is no valid instance may raise."""

_Z90 = NormalDist().inv_cdf(0.9)
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Policy:
    """The figures of the policy; None is no limit."""

    horizon_months: int
    min_participants: int
    z: float
    """Standard normal quantile of the confidence."""
    correlation: float
    carbon_eur_per_kg: float
    criterion_value: Mapping[str, float]
    pool_cost_eur: float
    lot_cost_eur: float
    line_cost_eur: float
    country_cost_eur: float
    stability_eur: float
    no_one_worse_off: bool
    green_floor: frozenset[str]
    max_pools_per_quarter: int | None
    max_participants_per_pool: int | None
    max_countries_per_pool: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Participant:
    """Who buys; one object an id."""

    id: str
    country: str
    authority: bool
    may_lead: bool
    max_leads: int | None
    max_pools_per_quarter: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """``tiers`` are (from_quantity, unit_price_eur), ascending; one object an id."""

    id: str
    category: str
    family: str
    criteria: frozenset[str]
    tiers: tuple[tuple[int, float], ...]
    max_quantity: int | None
    total_max_quantity: int | None
    co2_saved_kg_per_unit: float


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One object an id. ``earliest`` and ``latest`` are offsets, not cut to the horizon; term and rate hold for it."""

    id: str
    participant: Participant
    category: str
    family: str
    quantity: int
    sd: float
    unit_price_eur: float
    earliest: int
    latest: int
    required: frozenset[str]
    refused: frozenset[str]
    term_years: float
    bridging_rate_per_year: float

    @property
    def spend(self) -> float:
        """EUR a year at today's price."""
        return self.quantity * self.unit_price_eur


@dataclass(frozen=True, slots=True)
class FixedPool:
    """A pool already decided; ``lots`` are (offer, lines)."""

    family: str
    start: int
    lead: str
    lots: tuple[tuple[Offer, tuple[Line, ...]], ...]

    @property
    def participants(self) -> set[str]:
        return {line.participant.id for _, lines in self.lots for line in lines}


@dataclass(frozen=True, slots=True)
class Ban:
    """One ``forbidden`` entry; None fits any."""

    participant: str | None
    line: str | None
    family: str | None
    offer: str | None
    start: int | None

    def covers(self, line: Line, start: int, offer: Offer | None) -> bool:
        """Whether it keeps the line from the offer at the start; without an offer: from every one."""
        return (
            self.participant in (None, line.participant.id)
            and self.line in (None, line.id)
            and self.family in (None, line.family)
            and self.start in (None, start)
            and (self.offer is None or (offer is not None and self.offer == offer.id))
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """All the judge knows of an instance."""

    policy: Policy
    first_month: int
    participants: Mapping[str, Participant]
    families: frozenset[str]
    offers: Mapping[str, Offer]
    lines: Mapping[str, Line]
    fixed: tuple[FixedPool, ...]
    previous: frozenset[tuple[str, str, int]]
    """(line, offer, start) of the last plan."""
    bans: Mapping[tuple[str, str] | None, Sequence[Ban]]
    """By the line or else the participant they name, the rest under None."""

    def offset(self, month: str) -> int:
        """Months from the start of the horizon. Raises ValueError for any spelling but YYYY-MM."""
        return _months(month) - self.first_month

    def forbidden(self, line: Line, start: int, offer: Offer | None) -> bool:
        """Whether an entry keeps the line from the offer at the start; without an offer: from every one."""
        if not self.bans:
            return False
        keys = (("line", line.id), ("participant", line.participant.id), None)
        return any(ban.covers(line, start, offer) for key in keys for ban in self.bans.get(key, ()))

    def in_window(self, line: Line, start: int) -> bool:
        return max(0, line.earliest) <= start <= min(self.policy.horizon_months - 1, line.latest)


def _months(month: str) -> int:
    if not isinstance(month, str) or not _MONTH.fullmatch(month):
        raise ValueError(f"{month!r} is no month YYYY-MM")
    return int(month[:4]) * 12 + int(month[5:]) - 1


def read_facts(document: Mapping[str, Any]) -> Facts:
    """Raises one of ``UNREADABLE`` where the document is no instance."""
    given = document["policy"]
    first_month = _months(given["horizon_start"])
    people = {row["id"]: _participant(row) for row in document["participants"]}
    categories = {row["id"]: row for row in document["categories"]}
    offers = {row["id"]: _offer(row, categories[row["category"]]["family"]) for row in document["offers"]}
    lines = {
        row["id"]: _line(
            row,
            participant=people[row["participant"]],
            category=categories[row["category"]],
            policy=given,
            first_month=first_month,
        )
        for row in document["lines"]
    }
    return Facts(
        policy=_policy(given),
        first_month=first_month,
        participants=people,
        families=frozenset(row["family"] for row in categories.values()),
        offers=offers,
        lines=lines,
        fixed=tuple(
            FixedPool(
                family=pool["family"],
                start=_months(pool["start"]) - first_month,
                lead=pool["lead"],
                lots=tuple((offers[lot["offer"]], tuple(lines[name] for name in lot["lines"])) for lot in pool["lots"]),
            )
            for pool in document.get("fixed") or ()
        ),
        previous=frozenset(
            (row["line"], row["offer"], _months(row["start"]) - first_month) for row in document.get("previous") or ()
        ),
        bans=_bans(document.get("forbidden") or (), first_month),
    )


def _policy(row: Mapping[str, Any]) -> Policy:
    return Policy(
        horizon_months=int(row["horizon_months"]),
        min_participants=int(row["min_participants"]),
        z=NormalDist().inv_cdf(row["confidence"]),
        correlation=float(row.get("forecast_correlation", 0)),
        carbon_eur_per_kg=row["carbon_price_eur_per_tonne"] / 1000,
        criterion_value=dict(row.get("criterion_value") or {}),
        pool_cost_eur=float(row["pool_cost_eur"]),
        lot_cost_eur=float(row["lot_cost_eur"]),
        line_cost_eur=float(row["line_cost_eur"]),
        country_cost_eur=float(row["country_cost_eur"]),
        stability_eur=float(row.get("stability_eur", 0)),
        no_one_worse_off=bool(row["no_one_worse_off"]),
        green_floor=frozenset(row.get("green_floor") or ()),
        max_pools_per_quarter=row.get("max_pools_per_quarter"),
        max_participants_per_pool=row.get("max_participants_per_pool"),
        max_countries_per_pool=row.get("max_countries_per_pool"),
    )


def _participant(row: Mapping[str, Any]) -> Participant:
    return Participant(
        id=row["id"],
        country=row["country"],
        authority=bool(row["contracting_authority"]),
        may_lead=bool(row["may_lead"]),
        max_leads=row.get("max_leads"),
        max_pools_per_quarter=row.get("max_pools_per_quarter"),
    )


def _offer(row: Mapping[str, Any], family: str) -> Offer:
    return Offer(
        id=row["id"],
        category=row["category"],
        family=family,
        criteria=frozenset(row.get("criteria") or ()),
        tiers=tuple((tier["from_quantity"], float(tier["unit_price_eur"])) for tier in row["tiers"]),
        max_quantity=row.get("max_quantity"),
        total_max_quantity=row.get("total_max_quantity"),
        co2_saved_kg_per_unit=float(row["co2_saved_kg_per_unit"]),
    )


def _line(
    row: Mapping[str, Any],
    *,
    participant: Participant,
    category: Mapping[str, Any],
    policy: Mapping[str, Any],
    first_month: int,
) -> Line:
    term, rate = category.get("term_months"), row.get("bridging_rate_per_year")
    return Line(
        id=row["id"],
        participant=participant,
        category=row["category"],
        family=category["family"],
        quantity=int(row["quantity"]),
        sd=(row["quantity_high"] - row["quantity_low"]) / (2 * _Z90),
        unit_price_eur=float(row["unit_price_eur"]),
        earliest=_months(row["earliest_start"]) - first_month,
        latest=_months(row["latest_start"]) - first_month,
        required=frozenset(row.get("required") or ()),
        refused=frozenset(row.get("refused") or ()),
        term_years=(policy["term_months"] if term is None else term) / 12,
        bridging_rate_per_year=float(policy["bridging_rate_per_year"] if rate is None else rate),
    )


def _bans(rows: Iterable[Mapping[str, Any]], first_month: int) -> dict[tuple[str, str] | None, list[Ban]]:
    found: dict[tuple[str, str] | None, list[Ban]] = {}
    for row in rows:
        start = row.get("start")
        ban = Ban(
            participant=row.get("participant"),
            line=row.get("line"),
            family=row.get("family"),
            offer=row.get("offer"),
            start=None if start is None else _months(start) - first_month,
        )
        key = next(((kind, row[kind]) for kind in ("line", "participant") if row.get(kind) is not None), None)
        found.setdefault(key, []).append(ban)
    return found
