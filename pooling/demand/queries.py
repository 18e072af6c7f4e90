"""Read-only looks at demand for lists and single resources: only what the reader may see, in SQL, without objects."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, exists, or_, select, true
from sqlmodel import Session, col

from pooling.access.rules import Principal, Visible, sees_parameters
from pooling.demand.store import ACCEPTED, parts
from pooling.demand.tables import (
    Forecast,
    Line,
    LineFlag,
    LineSuccession,
    MappingVersion,
    QuarantinedRow,
    Submission,
    SubmissionParticipant,
)
from pooling.errors import NotFound
from pooling.looking import Reading
from pooling.paging import Window, after_parameters
from pooling.prepared import Prepared

Rows = Sequence[Row[Any]]

LIVE = and_(col(Submission.status) == ACCEPTED, col(Line.ended_at).is_(None))
"""The condition that a line joined with its submission counts."""

TRACED = (
    *("row", "rows", "exchange_rate_micro", "exchange_rate_date", "window_source", "original_quantity"),
    *("original_unit", "original_price", "ended_at"),
)
"""What more a single line shows: where its figures came from."""
OF_SUBMISSION = ("file_name", "file_sha256", "received_at", "status")
SUBMISSION_LISTED = (
    *("id", "version", "series", "source", "status", "supersedes", "file_name", "file_sha256", "file_bytes"),
    *("mapping_name", "mapping_sha256", "received_at", "rows_read", "lines_made", "rows_refused", "rows_skipped"),
    *("rows_quarantined", "number", "cycle", "correction_reason"),
)


def _of(table: Any, names: Sequence[str]) -> list[Any]:
    return [col(getattr(table, name)) for name in names]


class Doubted(NamedTuple):
    """A doubt about a line's volume or price."""

    kind: str
    direction: str
    likely_pack_factor: int | None


def may_see_line(sees: Visible) -> ColumnElement[bool]:
    """The condition that a line may be seen: by who holds the demand, and by who it was sent for."""
    return or_(sees.clause(Line.participant), sees.clause(Line.sent_as))


LISTED = (
    "id",
    "submission",
    "participant",
    "sent_as",
    "category",
    "item_code",
    "quantity",
    "quantity_low",
    "quantity_high",
    "unit_price_micro",
    "currency",
    "unit_price_eur_micro",
    "earliest_start",
    "latest_start",
    "required",
    "refused",
    "delivered",
    "depth",
    "source",
    "external_id",
)
"""Columns of a line in lists."""
LINE_COLUMNS = (*LISTED, "live")
"""The same, and whether it counts."""


def _lines(*, sees: int | None, after: bool, live: bool, doubtful: bool, filters: tuple[str, ...]) -> Select[Any]:
    """Lines by id, of so many participants; ``filters``: columns that must have the value of that name."""
    wanted: Select[Any] = select(*_of(Line, LISTED), LIVE.label("live")).join(
        Submission, col(Line.submission) == col(Submission.id)
    )
    if sees is not None:
        wanted = wanted.where(or_(*(sees_parameters(column, sees) for column in (Line.participant, Line.sent_as))))
    if live:
        wanted = wanted.where(LIVE)
    if doubtful:
        wanted = wanted.where(col(Line.id).in_(select(col(LineFlag.line))))
    for name in filters:
        column: Any = getattr(Line, name)
        wanted = wanted.where(column == bindparam(name, type_=column.type))
    if after:
        wanted = wanted.where(after_parameters(col(Line.id)))
    return wanted.order_by(col(Line.id)).limit(bindparam("fetch"))


_LINES = Prepared(_lines)


def lines_in(session: Session, chosen: ColumnElement[bool]) -> Rows:
    """Lines for whoever has made sure that they may be seen: ``LISTED`` and whether they count, by id."""
    wanted: Select[Any] = select(*_of(Line, LISTED), LIVE.label("live")).join(
        Submission, col(Line.submission) == col(Submission.id)
    )
    return session.connection().execute(wanted.where(chosen).order_by(col(Line.id))).all()


def lines(
    opened: Reading | Session,
    sees: Visible,
    window: Window,
    *,
    live: bool = True,
    participant: str | None = None,
    category: str | None = None,
    submission: UUID | None = None,
    doubtful: bool = False,
) -> list[Iterable[Any]]:
    """Lines by id, up to one more than the window shows: the columns ``LINE_COLUMNS``.

    ``doubtful``: those with doubts alone.
    """
    asked = {"participant": participant, "category": category, "submission": submission}
    given = {name: value for name, value in asked.items() if value is not None}
    values = {**sees.values, **window.values(col(Line.id)), **given}
    shape = {"sees": sees.count, "after": window.after is not None, "live": live, "doubtful": doubtful}
    return _LINES.columns(opened, values, **shape, filters=tuple(given))


def line(session: Session, sees: Visible, line_id: int) -> Row[Any]:
    """A line with all of ``LISTED``, ``TRACED``, its submission and mapping; raises NotFound."""
    wanted: Select[Any] = (
        select(
            *_of(Line, (*LISTED, *TRACED)),
            *_of(Submission, OF_SUBMISSION),
            col(MappingVersion.name).label("mapping_name"),
            col(MappingVersion.sha256).label("mapping_sha256"),
            LIVE.label("live"),
        )
        .join(Submission, col(Line.submission) == col(Submission.id))
        .join(MappingVersion, col(Line.mapping) == col(MappingVersion.id))
        .where(col(Line.id) == line_id, may_see_line(sees))
    )
    found = session.connection().execute(wanted).first()
    if found is None:
        raise NotFound(f"no line {line_id}")
    return found


def flags(session: Session, lines: Sequence[int]) -> dict[int, list[Doubted]]:
    """The doubts about lines by line, by kind; of a line without any nothing."""
    found: dict[int, list[Doubted]] = {}
    wanted = select(*_of(LineFlag, ("line", "kind", "direction", "likely_pack_factor")))
    wanted = wanted.order_by(col(LineFlag.line), col(LineFlag.kind))
    for part in parts(lines):
        for line, *doubted in session.connection().execute(wanted.where(col(LineFlag.line).in_(part))):
            found.setdefault(line, []).append(Doubted(*doubted))
    return found


def successions(session: Session, line_id: int) -> Rows:
    """The changes of a line's hands, the first one first: ended, successor, at."""
    names = ("ended", "successor", "at")
    wanted = select(*_of(LineSuccession, names)).where(col(LineSuccession.line) == line_id)
    return session.connection().execute(wanted.order_by(col(LineSuccession.at), col(LineSuccession.ended))).all()


def may_see_submission(who: Principal) -> ColumnElement[bool]:
    """The condition that a submission may be seen: all that it names are the reader's, and they are all known.

    Whoever sent it knows what it names.
    """
    if who.sees.all:
        return true()
    mine = col(SubmissionParticipant.submission) == col(Submission.id)
    foreign = col(SubmissionParticipant.participant).not_in(sorted(who.sees.participants))
    return and_(
        exists().where(mine),
        ~exists().where(mine, foreign),
        or_(col(Submission.senders_known), col(Submission.sent_by) == who.id),
    )


def submissions(
    session: Session,
    who: Principal,
    window: Window,
    *,
    status: str | None = None,
    source: str | None = None,
    cycle: str | None = None,
) -> Rows:
    """Submissions, the latest first (``SUBMISSION_LISTED``)."""
    wanted: Select[Any] = select(*_of(Submission, SUBMISSION_LISTED)).where(may_see_submission(who))
    if status is not None:
        wanted = wanted.where(col(Submission.status) == status)
    if source is not None:
        wanted = wanted.where(col(Submission.source) == source)
    if cycle is not None:
        wanted = wanted.where(col(Submission.cycle) == cycle)
    key = (col(Submission.received_at), col(Submission.id))
    wanted = wanted.where(window.clause_descending(*key)).order_by(*(each.desc() for each in key))
    return session.connection().execute(wanted.limit(window.fetch)).all()


def submission(session: Session, who: Principal, submission_id: UUID) -> Submission:
    """A submission; raises NotFound."""
    wanted = select(Submission).where(col(Submission.id) == submission_id, may_see_submission(who))
    found: Submission | None = session.execute(wanted).scalar_one_or_none()
    if found is None:
        raise NotFound(f"no submission {submission_id}")
    return found


def owners(session: Session, submissions: Sequence[UUID]) -> dict[UUID, list[str]]:
    """The participants of each submission."""
    found: dict[UUID, list[str]] = {each: [] for each in submissions}
    wanted = select(col(SubmissionParticipant.submission), col(SubmissionParticipant.participant))
    wanted = wanted.where(col(SubmissionParticipant.submission).in_(submissions))
    for key, participant in session.connection().execute(wanted.order_by(col(SubmissionParticipant.participant))):
        found[key].append(participant)
    return found


def waiting(session: Session, submission_id: UUID, most: int) -> Rows:
    """Rows of a submission that still wait for a mapping, in file order: row, reason, value, candidates."""
    names = ("row", "reason", "value", "candidates")
    wanted = select(*_of(QuarantinedRow, names)).where(
        col(QuarantinedRow.submission) == submission_id, col(QuarantinedRow.loaded_at).is_(None)
    )
    return session.connection().execute(wanted.order_by(col(QuarantinedRow.row)).limit(most)).all()


def forecasts(session: Session, sees: Visible, window: Window, *, source: str | None = None) -> Rows:
    """The forecasts there are, by source and id, each with its line and whose it is."""
    wanted = _forecasts().where(col(Forecast.deleted_at).is_(None), may_see_line(sees))
    if source is not None:
        wanted = wanted.where(col(Forecast.source) == source)
    key = (col(Forecast.source), col(Forecast.external_id))
    wanted = wanted.where(window.clause(*key)).order_by(*key).limit(window.fetch)
    return session.connection().execute(wanted).all()


def forecast(session: Session, sees: Visible, source: str, external_id: str) -> Row[Any]:
    """A forecast, with the document as it was sent; raises NotFound."""
    wanted = _forecasts(col(Forecast.document)).where(
        col(Forecast.source) == source,
        col(Forecast.external_id) == external_id,
        col(Forecast.deleted_at).is_(None),
        may_see_line(sees),
    )
    found = session.connection().execute(wanted).first()
    if found is None:
        raise NotFound(f"no forecast {external_id!r} of {source!r}; it may have been deleted")
    return found


def _forecasts(*more: Any) -> Select[Any]:
    names = ("source", "external_id", "version", "changed_at", "line")
    chosen = (*_of(Forecast, names), col(Line.participant), col(Line.sent_as), *more)
    return select(*chosen).join(Line, col(Line.id) == col(Forecast.line))
