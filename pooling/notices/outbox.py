"""Mails on their way: claimed one at a time, tried again later, given up; never sent twice as far as SMTP allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, and_, delete, or_, update
from sqlmodel import Session, col, select

from pooling.access import contacts
from pooling.audit import acted
from pooling.notices.rules import Kind
from pooling.notices.tables import Mail, Notice
from pooling.smtp import Handed, Outcome

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
MOST_AGE = timedelta(days=3)
"""A mail that could not be sent by then is given up: what it says is old, and stands at /v1/notices."""
LOST_AFTER = timedelta(minutes=10)
"""A mail that has been sending for so long was left by a process that ended: it may have gone out, so it never will."""
KEPT = timedelta(days=90)
"""How long it can be looked up what became of a mail."""
WAITING = ("queued", "failed")
DONE = ("sent", "dead")


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail claimed for sending: the notice's id and content, to whom, and where."""

    notice: UUID
    principal: UUID
    address: str
    kind: Kind
    facts: Mapping[str, str]
    subject: tuple[str, str]
    due: date | None


def wait_before(attempt: int) -> timedelta:
    """How long to wait after failed attempt number ``attempt`` (1-based): doubles each time, at most six hours."""
    return min(FIRST_WAIT * (1 << min(attempt - 1, 20)), LONGEST_WAIT)


def anything_due(session: Session, now: datetime) -> bool:
    """Whether there is a mail to send or to give up."""
    wanted = select(Mail.notice).where(or_(_due(now), _lost(now))).limit(1)
    return session.exec(wanted).first() is not None


def anything_old(session: Session, now: datetime) -> bool:
    """Whether there is a mail to give up, sending or not."""
    return session.exec(select(Mail.notice).where(or_(_aged(now), _lost(now))).limit(1)).first() is not None


def give_up(session: Session, now: datetime) -> int:
    """End what is too old to be sent, and what may have gone out already; returns how many."""
    ended = 0
    for which, fault in ((_lost(now), "the process ended while sending"), (_aged(now), "too old to be sent")):
        done = session.connection().execute(update(Mail).where(which).values(state="dead", fault=fault))
        ended += cast("CursorResult[Any]", done).rowcount
    return ended


def claim(session: Session, now: datetime) -> Letter | None:
    """The next mail that is due, from now on ``sending``; None: nothing is. One whose reader has no address is dead."""
    while True:
        wanted = select(Mail).where(_due(now)).order_by(col(Mail.next_try), col(Mail.notice), col(Mail.principal))
        mail = session.exec(wanted.limit(1).with_for_update(skip_locked=True)).first()
        if mail is None:
            return None
        address = contacts.email_of(session, mail.principal)
        if address is not None:
            mail.state, mail.next_try, mail.attempts = "sending", now, mail.attempts + 1
            session.flush()
            return _letter(session.get_one(Notice, mail.notice), mail.principal, address)
        mail.state, mail.fault = "dead", "no address any more"
        session.flush()


def _letter(notice: Notice, principal: UUID, address: str) -> Letter:
    return Letter(
        notice=notice.id,
        principal=principal,
        address=address,
        kind=Kind(notice.kind),
        facts=notice.facts,
        subject=(notice.subject_type, notice.subject_id),
        due=notice.due,
    )


def note(session: Session, letter: Letter, handed: Handed, now: datetime) -> None:
    """What became of a claimed mail; the audit has it too, by the reader's id."""
    mail = session.get_one(Mail, (letter.notice, letter.principal), with_for_update=True)
    mail.fault = handed.fault
    if handed.outcome is Outcome.SENT:
        mail.state = "sent"
    elif handed.outcome is Outcome.LATER:
        mail.state, mail.next_try = "failed", now + wait_before(mail.attempts)
    else:
        mail.state = "dead"
    session.flush()
    details = {"to": str(letter.principal), "state": mail.state, "attempt": mail.attempts}
    acted(session, "notices.send", resource=("notice", letter.notice), details=details)


def drop_old(session: Session, now: datetime) -> int:
    """Forget what became of mails long ago; returns how many."""
    old = and_(col(Mail.state).in_(DONE), col(Mail.queued_at) < now - KEPT)
    return cast("CursorResult[Any]", session.connection().execute(delete(Mail).where(old))).rowcount


def anything_to_drop(session: Session, now: datetime) -> bool:
    """Whether `drop_old` would do anything."""
    old = and_(col(Mail.state).in_(DONE), col(Mail.queued_at) < now - KEPT)
    return session.exec(select(Mail.notice).where(old).limit(1)).first() is not None


def _due(now: datetime) -> ColumnElement[bool]:
    return and_(col(Mail.state).in_(WAITING), col(Mail.next_try) <= now)


def _aged(now: datetime) -> ColumnElement[bool]:
    return and_(col(Mail.state).in_(WAITING), col(Mail.queued_at) < now - MOST_AGE)


def _lost(now: datetime) -> ColumnElement[bool]:
    return and_(col(Mail.state) == "sending", col(Mail.next_try) < now - LOST_AFTER)
