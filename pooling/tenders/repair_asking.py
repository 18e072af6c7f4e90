"""When repairs of a tender are looked for: where it falls short, where a change is proposed, and where planners ask."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col

from pooling import audit, jobs
from pooling.errors import WrongState
from pooling.tenders import queries
from pooling.tenders.deciding import place
from pooling.tenders.rules import OPEN, Answer
from pooling.tenders.tables import Tender, TenderRepair

LOOK = "tenders.repair"
BY_ITSELF_S = 20.0
"""So long is looked where nobody asked for it."""


def look_later(session: Session, tender: UUID, *, time_limit_s: float, now: datetime, by: UUID) -> UUID:
    """Have looked for what would bring a tender back; returns the job. Raises NotFound, WrongState."""
    row = queries.row_of(session, tender)
    if row.status not in OPEN:
        raise WrongState(f"{place(row)} is {row.status}; only one that is not decided can be repaired")
    job = jobs.enqueue(session, LOOK, {"tender": str(tender), "time_limit_s": time_limit_s}, now=now, actor=by)
    audit.acted(session, "tender-repairs.create", resource=("tender", tender))
    return job


def look_where_open(session: Session, row: Tender, *, now: datetime) -> None:
    """Have looked, once for this version of the tender, where it falls short or a change is proposed; whether or not
    it is asked again."""
    proposing = any(each.answer is Answer.CHANGE for each in queries.members_of(session, row.id))
    if row.status not in OPEN or not (row.short or proposing):
        return
    payload = {"tender": str(row.id), "time_limit_s": BY_ITSELF_S, "version": row.version}
    jobs.enqueue(session, LOOK, payload, now=now, actor=None, key=f"{LOOK}:{row.id}:{row.version}")


def overtaken(row: Tender, version: int | None) -> bool:
    """Whether the tender is decided, or another than that which repairs were to be found for; None: for whichever there
    is."""
    return row.status not in OPEN or version not in (None, row.version)


def fit_on(session: Session, row: Tender, before: int) -> None:
    """Repairs found for the version ``before`` fit the tender as it is: neither terms nor answers are others by now."""
    found = (col(TenderRepair.tender) == row.id, col(TenderRepair.tender_version) == before)
    unapplied = update(TenderRepair).where(*found, col(TenderRepair.applied_at).is_(None))
    session.execute(unapplied.values(tender_version=row.version))
