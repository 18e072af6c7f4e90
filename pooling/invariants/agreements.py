"""Tenders are the sum of their lines and members, and nobody has called off more than there is."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from sqlalchemy import select, text
from sqlmodel import Session, SQLModel

from pooling.invariants.violation import Violation, shown_id

LOTS = """
SELECT t.id, t.tender, t.offer, t.quantity,
    (SELECT coalesce(sum(l.quantity), 0) FROM tender_line l WHERE l.lot = t.id AND l.stands) AS summed
FROM tender_lot t ORDER BY t.tender, t.id
"""
PLACES = """
SELECT p.tender, p.lot, p.participant, p.quantity,
    (SELECT coalesce(sum(l.quantity), 0) FROM tender_line l WHERE l.lot = p.lot AND l.participant = p.participant)
        AS summed
FROM tender_member_lot p ORDER BY p.tender, p.lot, p.participant
"""
LINES_WITHOUT = """
SELECT DISTINCT t.tender, l.lot, l.participant FROM tender_line l JOIN tender_lot t ON t.id = l.lot
LEFT JOIN tender_member_lot p ON p.lot = l.lot AND p.participant = l.participant WHERE p.lot IS NULL
ORDER BY t.tender, l.lot, l.participant
"""
PLACES_WITHOUT = """
SELECT p.tender, p.lot, p.participant FROM tender_member_lot p
LEFT JOIN tender_member m ON m.tender = p.tender AND m.participant = p.participant WHERE m.tender IS NULL
ORDER BY p.tender, p.lot, p.participant
"""
LEADS_WITHOUT = """
SELECT t.id AS tender, t.lead FROM tender t
LEFT JOIN tender_member m ON m.tender = t.id AND m.participant = t.lead WHERE m.tender IS NULL ORDER BY t.id
"""
MICRO_IN_CENT = 10_000
MONTHS = 12


def tenders(session: Session) -> Iterator[Violation]:
    """A lot's quantity is the sum of its lines that stand, a member's part of it that of its own; every line has a
    member, every lead is one."""
    run = session.connection().execute
    for row in run(text(LOTS)):
        if row.quantity != row.summed:
            place = f"tender {shown_id(row.tender)}, lot {row.id} ({row.offer})"
            yield Violation(place, f"quantity {row.quantity}, its lines sum up to {row.summed}")
    for row in run(text(PLACES)):
        if row.quantity != row.summed:
            place = f"tender {shown_id(row.tender)}, lot {row.lot}, {row.participant}"
            yield Violation(place, f"quantity {row.quantity}, its lines sum up to {row.summed}")
    for query, said in ((LINES_WITHOUT, "has lines and no place in the lot"), (PLACES_WITHOUT, "is no member")):
        for row in run(text(query)):
            yield Violation(f"tender {shown_id(row.tender)}, lot {row.lot}, {row.participant}", said)
    for row in run(text(LEADS_WITHOUT)):
        yield Violation(f"tender {shown_id(row.tender)}", f"its lead {row.lead} is no member")


def call_offs(session: Session) -> Iterator[Violation]:
    """Call-offs stand under an agreement that was handed over, in its term; those that were not cancelled come to no
    more than the maximum of their buyer and of their lot."""
    run = session.connection().execute
    made, lot, tender, place, body = (
        SQLModel.metadata.tables[name]
        for name in ("call_off", "tender_lot", "tender", "tender_member_lot", "participant")
    )
    lots = {row.id: row for row in run(select(lot))}
    agreements = {row.id: row for row in run(select(tender))}
    successors = {code: after for code, after in run(select(body.c.code, body.c.successor)) if after is not None}
    places = {(row.lot, row.participant): row for row in run(select(place))}
    done: dict[tuple[int, str], list[int]] = {}
    for row in run(select(made).order_by(made.c.id)):
        named = f"call-off {row.id}"
        yield from (Violation(named, said) for said in _faults(row, lots[row.lot], agreements[row.tender]))
        if row.cancelled_at is None:
            holder = _holder(row.lot, row.participant, places, successors)
            if holder is None:
                yield Violation(named, f"{row.participant} has no place in lot {row.lot}, nor has a successor")
            for whose in ("", *([holder] if holder else [])):
                sums = done.setdefault((row.lot, whose), [0, 0])
                sums[0], sums[1] = sums[0] + row.quantity, sums[1] + row.value_eur_micro
    for (key, whose), (quantity, micro) in sorted(done.items()):
        fixed = places[key, whose] if whose else lots[key]
        named = f"tender {lots[key].tender}, lot {key}{whose and ', '}{whose}"
        most, value = fixed.maximum_quantity or 0, fixed.maximum_value_minor or 0
        if quantity > most:
            yield Violation(named, f"{quantity} are called off, the maximum is {most}")
        if (micro + MICRO_IN_CENT // 2) // MICRO_IN_CENT > value:
            yield Violation(named, f"{micro} millionths of EUR are called off, the maximum is {value} cents")


def _faults(row: Any, lot: Any, tender: Any) -> Iterator[str]:
    if lot.tender != row.tender:
        yield f"its lot {lot.id} is of another tender"
    if tender.status != "handed-over":
        yield f"its tender is {tender.status}"
    if row.quantity < 1 or row.value_eur_micro < 0:
        yield f"quantity {row.quantity}, {row.value_eur_micro} millionths of EUR"
    if (row.cancelled_at is None) != (row.cancelled_by is None):
        yield "cancelled without saying by whom, or the other way round"
    first, after = _month(tender.start, 0), _month(tender.start, lot.term_months)
    if not first <= row.made_on < after:
        yield f"made on {row.made_on}, the term is {first} up to, not including, {after}"


def _month(start: str, later: int) -> date:
    months = int(start[:4]) * MONTHS + int(start[5:]) - 1 + later
    return date(months // MONTHS, months % MONTHS + 1, 1)


def _holder(
    lot: int, participant: str, places: Mapping[tuple[int, str], Any], successors: Mapping[str, str]
) -> str | None:
    """Who has the buyer's place now: itself, or the next of its successors that has."""
    code: str | None = participant
    while code is not None and (lot, code) not in places:
        code = successors.get(code)
    return code
