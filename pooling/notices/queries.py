"""Who is told what, and what of it they have read."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_
from sqlmodel import Session, col, select

from pooling import audit
from pooling.access.rules import Principal, Role
from pooling.errors import NotFound
from pooling.notices.service import PLANNERS, audience_of
from pooling.notices.tables import Notice, NoticeReading
from pooling.paging import Window


@dataclass(frozen=True, slots=True)
class Shown:
    """A notice, and when its reader read it; None: not yet."""

    row: Notice
    read_at: datetime | None


def audiences(who: Principal) -> list[str]:
    """Those that ``who`` is in: its own participants', the planners', its own."""
    own = [audience_of(code) for code in sorted(who.own)]
    return [*own, *([PLANNERS] if Role.PLANNER in who.roles else []), f"principal:{who.id}"]


def notices(
    session: Session, who: Principal, window: Window, *, unread: bool = False, participant: str | None = None
) -> list[Shown]:
    """What ``who`` was told, the latest first; ``participant``: what that one was told, if ``who`` sees its figures."""
    others = [audience_of(each) for each in (participant,) if each is not None and each in who.sees]
    wanted = audiences(who) if participant is None else others
    key = (col(Notice.created_at), col(Notice.id))
    query = (
        select(Notice, col(NoticeReading.read_at))
        .join(NoticeReading, _readings_of(who), isouter=True)
        .where(col(Notice.audience).in_(wanted), window.clause_descending(*key))
        .order_by(*(each.desc() for each in key))
        .limit(window.fetch)
    )
    if unread:
        query = query.where(col(NoticeReading.read_at).is_(None))
    return [Shown(row, read_at) for row, read_at in session.exec(query)]


def notice(session: Session, who: Principal, wanted: UUID) -> Shown:
    """A notice that ``who`` was told, or may look at; raises NotFound."""
    row = session.get(Notice, wanted)
    if row is None or not _may(row, who, audiences(who)):
        raise NotFound(f"no notice {wanted}; GET /v1/notices lists yours")
    read = session.get(NoticeReading, (wanted, who.id))
    return Shown(row, None if read is None else read.read_at)


def mark_read(session: Session, who: Principal, wanted: UUID, *, now: datetime) -> Shown:
    """Note that ``who`` has read it, the first time; raises NotFound."""
    shown = notice(session, who, wanted)
    if shown.read_at is not None:
        return shown
    session.add(NoticeReading(notice=wanted, principal=who.id, read_at=now))
    session.flush()
    audit.acted(session, "notices.mark-read", resource=("notice", wanted))
    return Shown(shown.row, now)


def _may(row: Notice, who: Principal, own: Collection[str]) -> bool:
    """Planners and auditors see what others were told."""
    return row.audience in own or who.sees.all


def _readings_of(who: Principal) -> ColumnElement[bool]:
    return and_(col(NoticeReading.notice) == col(Notice.id), col(NoticeReading.principal) == who.id)
