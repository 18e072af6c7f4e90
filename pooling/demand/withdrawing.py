"""Takes a submission out of the demand that counts, for good; its lines stay on record."""

from collections.abc import Callable
from uuid import UUID

from sqlmodel import Session

from pooling import audit
from pooling.deeds import deed_of
from pooling.demand import cycle_closing, doubts, store
from pooling.demand.sender import Sender
from pooling.demand.tables import Submission
from pooling.errors import NotFound, WrongState
from pooling.reference import service as reference


def withdraw(session: Session, submission: UUID, *, sender: Sender, expect: Callable[[int], None]) -> None:
    """Withdraw a submission. Raises NotFound, and WrongState where it does not count anyway.

    A system's forecasts are deleted one by one, so that the system and we agree on what there is.
    """
    cycle_closing.lock(session)
    record = session.get(Submission, submission)
    if record is None or not _may_withdraw(session, record, sender):
        raise NotFound(f"no submission {submission}")
    expect(record.version)
    if record.source is not None:
        raise WrongState(f"these are forecasts of {record.source}: delete them at /v1/forecasts/{record.source}/…")
    if record.status != store.ACCEPTED:
        raise WrongState(f"submission {submission} is {record.status} already; nothing is left to withdraw")
    store.supersede(session, submission, store.WITHDRAWN)
    doubts.renew_flags(session, sorted(store.categories_of(session, submission)), submission)
    session.expire_all()
    theirs = store.participants_of(session, submission)
    audit.acted(session, "submissions.withdraw", resource=("submission", submission), participants=theirs)


def _may_withdraw(session: Session, record: Submission, sender: Sender) -> bool:
    today = sender.on(deed_of(session).now.date(), reference.participants(session))
    known = record.senders_known or record.sent_by == sender.id
    return today.may_replace(store.senders_of(session, record), known=known)
