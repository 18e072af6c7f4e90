"""Read-only looks at call-offs, and at what is fixed for the buyers of an agreement."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as select_rows

from pooling.access.rules import Visible
from pooling.agreements.rules import Amounts
from pooling.agreements.tables import CallOff
from pooling.errors import NotFound
from pooling.paging import Page, Window, page_of


@dataclass(frozen=True, slots=True)
class CallOffRecord:
    """A call-off with what it was made of."""

    row: CallOff
    offer: str
    category: str
    unit: str
    cycle: str


def _table(name: str) -> Any:
    return SQLModel.metadata.tables[name].c


def call_off_of(session: Session, sees: Visible, key: UUID) -> CallOffRecord:
    """A call-off that ``sees`` shows; raises NotFound."""
    found = _records(session, _select().where(col(CallOff.id) == key, sees.clause(CallOff.participant)))
    if not found:
        raise NotFound(f"no call-off {key}; GET /v1/call-offs lists them")
    return found[0]


def call_offs(
    session: Session,
    sees: Visible,
    window: Window,
    *,
    tender: UUID | None = None,
    participant: str | None = None,
    cancelled: bool = False,
) -> Page[CallOffRecord]:
    """Call-offs that ``sees`` shows, the latest first; ``cancelled``: those too that were taken back."""
    key = (col(CallOff.made_on), col(CallOff.id))
    query = _select().where(sees.clause(CallOff.participant), window.clause_descending(*key))
    if tender is not None:
        query = query.where(col(CallOff.tender) == tender)
    if participant is not None:
        query = query.where(col(CallOff.participant) == participant)
    if not cancelled:
        query = query.where(col(CallOff.cancelled_at).is_(None))
    found = _records(session, query.order_by(*(each.desc() for each in key)).limit(window.fetch))
    return page_of(found, window, lambda each: (each.row.made_on, each.row.id))


def _select() -> Any:
    lot, tender = _table("tender_lot"), _table("tender")
    entities: list[Any] = [CallOff, lot.offer, lot.category, lot.unit, tender.cycle]
    wanted = select_rows(*entities)
    return wanted.join(lot.id.table, col(CallOff.lot) == lot.id).join(tender.id.table, col(CallOff.tender) == tender.id)


def _records(session: Session, query: Any) -> list[CallOffRecord]:
    return [CallOffRecord(*row) for row in session.exec(query)]


def called_off(session: Session, lots: Collection[int]) -> dict[tuple[int, str], Amounts]:
    """What was called off and not cancelled, by lot and participant."""
    live = col(CallOff.lot).in_(sorted(lots)), col(CallOff.cancelled_at).is_(None)
    sums = func.sum(col(CallOff.quantity)), func.sum(col(CallOff.value_eur_micro))
    query = select(col(CallOff.lot), col(CallOff.participant), *sums).where(*live)
    grouped = query.group_by(col(CallOff.lot), col(CallOff.participant))
    return {(lot, code): Amounts(int(q), int(v)) for lot, code, q, v in session.connection().execute(grouped)}


def summed(found: Mapping[tuple[int, str], Amounts], lot: int, codes: Collection[str] | None = None) -> Amounts:
    """Of a lot; ``codes`` None: all participants'."""
    total = Amounts()
    for (key, code), amounts in found.items():
        if key == lot and (codes is None or code in codes):
            total += amounts
    return total


def lock_place(session: Session, lot: int, participant: str) -> bool:
    """Hold the lot, then the buyer's place in it, until the end of the transaction; whether there is such a place.

    All that is called off of a lot waits here, so that together nobody comes beyond its maximum.
    """
    lots, places = SQLModel.metadata.tables["tender_lot"], SQLModel.metadata.tables["tender_member_lot"]
    session.connection().execute(select(lots.c.id).where(lots.c.id == lot).with_for_update())
    mine = select(places.c.lot).where(places.c.lot == lot, places.c.participant == participant)
    return session.connection().execute(mine.with_for_update()).first() is not None


def reference_taken(session: Session, *, lot: int, participants: Collection[str], reference: str) -> UUID | None:
    """The call-off that stands in a lot under a buyer's own reference."""
    same = col(CallOff.participant).in_(sorted(participants)), col(CallOff.reference) == reference
    query = select(col(CallOff.id)).where(col(CallOff.lot) == lot, *same, col(CallOff.cancelled_at).is_(None))
    found: UUID | None = session.connection().execute(query).scalar()
    return found


def taken_over(session: Session) -> Sequence[tuple[UUID, int, str]]:
    """Call-offs whose participant has no place in their lot any more: id, lot, participant."""
    place = _table("tender_member_lot")
    there = select(place.lot).where(place.lot == CallOff.lot, place.participant == CallOff.participant)
    query = select(col(CallOff.id), col(CallOff.lot), col(CallOff.participant)).where(~there.exists())
    return [(key, lot, code) for key, lot, code in session.connection().execute(query.order_by(col(CallOff.id)))]


def places(session: Session, lots: Collection[int]) -> set[tuple[int, str]]:
    """Lots and the participants with a place in them."""
    place = _table("tender_member_lot")
    query = select(place.lot, place.participant).where(place.lot.in_(sorted(lots)))
    return {(lot, code) for lot, code in session.connection().execute(query)}
