"""What demand keeps of forecasts: which line stands under which key of a sender's system."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select, update
from sqlmodel import Session, col

from pooling import feed
from pooling.demand import store
from pooling.demand.tables import Forecast, Line, LineFlag, Submission


@dataclass(frozen=True, slots=True)
class Known:
    """A forecast there is, or was where ``deleted``; ``owners``: it was ``sent_as``, and who holds the demand."""

    external_id: str
    version: int
    line: int
    submission: UUID
    sent_as: str
    owners: frozenset[str]
    document: Mapping[str, Any]
    deleted: bool


def known(session: Session, source: str, external_ids: Sequence[str]) -> dict[str, Known]:
    """The forecasts of ``source`` with these ids, deleted ones too."""
    wanted = select(Forecast, col(Line.submission), col(Line.participant), col(Line.sent_as))
    wanted = wanted.join(Line, col(Line.id) == col(Forecast.line))
    found = {}
    for part in store.parts(sorted(set(external_ids))):
        mine = wanted.where(col(Forecast.source) == source, col(Forecast.external_id).in_(part))
        for row, submission, holder, sent_as in session.execute(mine):
            found[row.external_id] = Known(
                external_id=row.external_id,
                version=row.version,
                line=row.line,
                submission=submission,
                sent_as=sent_as,
                owners=frozenset({holder, sent_as}),
                document=row.document,
                deleted=row.deleted_at is not None,
            )
    return found


def end_lines(session: Session, lines: Sequence[int], *, now: datetime) -> set[str]:
    """These lines count no longer; returns their categories. A submission without any other line is superseded."""
    connection = session.connection()
    categories: set[str] = set()
    submissions: set[UUID] = set()
    for part in store.parts(sorted(lines)):
        ending = update(Line).where(col(Line.id).in_(part)).values(ended_at=now)
        for category, submission in connection.execute(ending.returning(col(Line.category), col(Line.submission))):
            categories.add(category)
            submissions.add(submission)
        connection.execute(delete(LineFlag).where(col(LineFlag.line).in_(part)))
    for submission in sorted(submissions):
        standing = select(col(Line.id)).where(col(Line.submission) == submission, col(Line.ended_at).is_(None))
        counts = select(col(Submission.id)).where(
            col(Submission.id) == submission, col(Submission.status) == store.ACCEPTED
        )
        empty = connection.execute(standing.limit(1)).first() is None
        if empty and connection.execute(counts).first() is not None:
            store.supersede(session, submission)
    return categories


def end_of(session: Session, submission: UUID, external_ids: Collection[str], *, now: datetime) -> set[str]:
    """The lines that a submission has for these forecasts count no longer; returns their categories."""
    wanted = select(col(Line.id), col(Line.external_id)).where(col(Line.submission) == submission)
    found = session.connection().execute(wanted)
    return end_lines(session, [line for line, key in found if line is not None and key in external_ids], now=now)


def point(
    session: Session,
    source: str,
    documents: Mapping[str, Mapping[str, Any]],
    before: Mapping[str, Known],
    *,
    submission: UUID,
    now: datetime,
) -> None:
    """The forecasts in ``documents`` are now the lines that ``submission`` has for them; others stay as they are."""
    names = (col(Line.external_id), col(Line.id), col(Line.participant), col(Line.sent_as))
    new, old = [], []
    for external_id, line, *owners in session.execute(select(*names).where(col(Line.submission) == submission)).all():
        if external_id not in documents:
            continue
        known = before.get(external_id)
        version = 1 if known is None else known.version + 1
        row = {"version": version, "line": line, "document": dict(documents[external_id]), "changed_at": now}
        if known is None:
            new.append({"source": source, "external_id": external_id, "deleted_at": None, **row})
        else:
            old.append({"of_source": source, "of_id": external_id, "deleted_at": None, **row})
        action = "created" if known is None or known.deleted else "updated"
        feed.changed(
            session, "forecast", f"{source}/{external_id}", version=version, action=action, participants=owners
        )
    _write(session, new, old)


def _write(session: Session, new: Collection[Mapping[str, Any]], old: Collection[Mapping[str, Any]]) -> None:
    if new:
        session.connection().execute(insert(Forecast), [dict(row) for row in new])
    if old:
        names = ("version", "line", "document", "changed_at", "deleted_at")
        changing = update(Forecast).where(
            col(Forecast.source) == bindparam("of_source"), col(Forecast.external_id) == bindparam("of_id")
        )
        changing = changing.values({name: bindparam(name) for name in names})
        session.connection().execute(changing, [dict(row) for row in old])
    session.expire_all()  # rows were changed behind the session's back


def renew(session: Session, lines: Sequence[int], *, now: datetime) -> None:
    """The lines of some forecasts have another holder: these have another version, and whoever follows them is told."""
    owners = select(col(Forecast.line), col(Line.participant), col(Line.sent_as))
    owners = owners.join(Line, col(Line.id) == col(Forecast.line))
    names = (col(Forecast.source), col(Forecast.external_id), col(Forecast.version), col(Forecast.line))
    for part in store.parts(lines):
        mine = (col(Forecast.line).in_(part), col(Forecast.deleted_at).is_(None))
        whose = {line: both for line, *both in session.connection().execute(owners.where(*mine))}
        changing = update(Forecast).where(*mine).values(version=col(Forecast.version) + 1, changed_at=now)
        for source, external_id, version, line in session.connection().execute(changing.returning(*names)).all():
            resource = f"{source}/{external_id}"
            feed.changed(session, "forecast", resource, version=version, participants=whose[line])
    session.expire_all()


def mark_deleted(session: Session, source: str, external_id: str, *, now: datetime) -> None:
    """The forecast is gone; its key goes on counting versions if it comes again."""
    gone = update(Forecast).where(col(Forecast.source) == source, col(Forecast.external_id) == external_id)
    next_version = col(Forecast.version) + 1
    session.connection().execute(gone.values(deleted_at=now, changed_at=now, version=next_version))
    session.expire_all()
