"""Call-offs follow their buyers to a successor."""

from uuid import UUID

from sqlmodel import Session

from pooling.agreements import queries
from pooling.agreements.service import told
from pooling.agreements.tables import CallOff
from pooling.reference import service as reference


def take_over(session: Session) -> list[UUID]:
    """Give call-offs of participants that ended to the successor that has their place now; the ids, sorted."""
    found = to_take_over(session)
    for key, code in found.items():
        _move(session, key, code)
    return list(found)


def to_take_over(session: Session) -> dict[UUID, str]:
    """Call-offs whose buyer has no place in the lot any more and a successor that has, with that successor."""
    left = queries.taken_over(session)
    if not left:
        return {}
    known, held = reference.participants(session), queries.places(session, {lot for _, lot, _ in left})
    found = {}
    for key, lot, participant in left:
        code: str | None = participant
        while code is not None and (lot, code) not in held:
            code = known[code].successor if code in known else None
        if code is not None:
            found[key] = code
    return found


def _move(session: Session, key: UUID, successor: str) -> None:
    row = session.get_one(CallOff, key, with_for_update=True)
    before, row.participant, row.version = row.participant, successor, row.version + 1
    session.add(row)
    session.flush()
    told(session, row, "call-offs.take-over", also=(before,))
