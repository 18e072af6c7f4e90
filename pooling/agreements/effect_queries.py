"""The entries of an effect, read from tenders and call-offs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Session, SQLModel

from pooling.access.rules import Visible
from pooling.agreements.effect import Entry, LotFacts, planned_entries, weighted_price
from pooling.reference import service as reference
from pooling.tenders.rules import BUYING, DECIDED

Prices = Mapping[tuple[int, str], int]
"""Today's price of a buyer in a lot, in millionths of EUR."""


@dataclass(frozen=True, slots=True)
class _Lots:
    """Facts by lot and today's prices by lot and buyer; those of a lot as a whole are under a blank."""

    facts: Mapping[int, LotFacts]
    prices: Prices
    countries: Mapping[str, str]

    def price(self, lot: int, participant: str) -> int:
        """Of whoever has taken a place over without lines of its own: the lot's."""
        return self.prices.get((lot, participant), self.prices.get((lot, ""), 0))


def _table(name: str) -> Any:
    return SQLModel.metadata.tables[name].c


def entries(session: Session, sees: Visible, *, cycle: str | None = None) -> list[Entry]:
    """Everything planned and called off that ``sees`` shows, of all cycles or one: of tenders that are confirmed or
    handed over and deep enough to buy under. Call-offs that were cancelled are among them, with when they were."""
    known = {code: record.country for code, record in reference.participants(session).items()}
    lots = _Lots(_facts(session, cycle), _prices(session, cycle), known)
    return [*_planned(session, sees, lots), *_called_off(session, sees, lots)]


def _of_agreements(query: Select[Any], cycle: str | None) -> Select[Any]:
    """Only lots that are joined already and belong to an agreement."""
    tender, lot = _table("tender"), _table("tender_lot")
    query = query.join(tender.id.table, lot.tender == tender.id)
    query = query.where(tender.status.in_(sorted(DECIDED)), tender.depth.in_(sorted(BUYING)))
    return query if cycle is None else query.where(tender.cycle == cycle)


LOT = ("category", "unit", "term_months", "criteria")


def _facts(session: Session, cycle: str | None) -> dict[int, LotFacts]:
    lot, tender = _table("tender_lot"), _table("tender")
    columns = [lot[name] for name in (*LOT, "unit_price_eur_micro")]
    co2 = [lot.co2_saved_mg_per_unit, lot.co2_saved_mg_low, lot.co2_saved_mg_high]
    query = _of_agreements(select(lot.id, tender.cycle, tender.start, *columns, *co2), cycle)
    return {
        row.id: LotFacts(
            cycle=row.cycle,
            category=row.category,
            unit=row.unit,
            start=row.start,
            term_months=row.term_months,
            unit_price_micro=row.unit_price_eur_micro,
            co2_mg=row.co2_saved_mg_per_unit,
            co2_mg_low=row.co2_saved_mg_low,
            co2_mg_high=row.co2_saved_mg_high,
            criteria=tuple(row.criteria),
        )
        for row in session.connection().execute(query)
    }


def _prices(session: Session, cycle: str | None) -> dict[tuple[int, str], int]:
    line, lot = _table("tender_line"), _table("tender_lot")
    query = select(line.lot, line.participant, line.quantity, line.unit_price_eur_micro)
    query = _of_agreements(query.join(lot.id.table, line.lot == lot.id).where(line.stands), cycle)
    found: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for key, participant, quantity, price in session.connection().execute(query):
        found.setdefault((key, participant), []).append((quantity, price))
        found.setdefault((key, ""), []).append((quantity, price))
    return {place: weighted_price(lines) for place, lines in found.items()}


def _planned(session: Session, sees: Visible, lots: _Lots) -> Iterator[Entry]:
    """By buyer, what it was named with at the freeze."""
    place, lot, tender = _table("tender_member_lot"), _table("tender_lot"), _table("tender")
    query = select(place.lot, place.participant, place.estimate_quantity, tender.frozen_at)
    query = query.join(lot.id.table, place.lot == lot.id).join(tender.id.table, place.tender == tender.id)
    query = query.where(place.estimate_quantity.is_not(None), sees.clause(place.participant))
    for key, participant, quantity, frozen_at in session.connection().execute(query):
        if key in lots.facts:
            yield from planned_entries(
                lots.facts[key],
                participant=participant,
                country=lots.countries[participant],
                quantity=quantity,
                today_price_micro=lots.price(key, participant),
                since=_known(frozen_at),
            )


def _called_off(session: Session, sees: Visible, lots: _Lots) -> Iterator[Entry]:
    made = _table("call_off")
    names = ("lot", "participant", "quantity", "value_eur_micro", "made_on", "placed_at", "cancelled_at")
    query = select(*(made[name] for name in names)).where(sees.clause(made.participant))
    for row in session.connection().execute(query):
        if row.lot in lots.facts:
            yield Entry(
                planned=False,
                participant=row.participant,
                country=lots.countries[row.participant],
                lot=lots.facts[row.lot],
                year=row.made_on.year,
                quantity=row.quantity,
                today_micro=row.quantity * lots.price(row.lot, row.participant),
                value_micro=row.value_eur_micro,
                since=row.placed_at,
                until=row.cancelled_at,
            )


def _known(frozen_at: datetime | None) -> datetime:
    if frozen_at is None:
        raise ValueError("a buyer's estimate is fixed and its tender not frozen")
    return frozen_at
