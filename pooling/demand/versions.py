"""The versions of a submission, and what is different between two of them; read only, as far as the reader may see."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from pooling.access.rules import Principal
from pooling.demand import comparing, queries
from pooling.demand.comparing import Difference, Kind
from pooling.demand.tables import Line, Submission


@dataclass(frozen=True, slots=True)
class Compared:
    """A submission against another; ``against`` None: against nothing, or what each of its forecasts was before."""

    submission: UUID
    against: UUID | None
    owners: tuple[str, ...]
    differences: tuple[Difference, ...]

    def count(self, kind: Kind) -> int:
        """How many lines became so."""
        return sum(each.kind is kind for each in self.differences)


def changes(session: Session, who: Principal, submission: UUID, against: UUID | None) -> Compared:
    """What a submission changed, by default of the version before it in its series.

    Of a system's forecasts: against the line that each of them was before. Raises NotFound.
    """
    record = queries.submission(session, who, submission)
    owners = queries.owners(session, [submission])[submission]
    other = None
    if against is not None:
        other = queries.submission(session, who, against)
    elif record.source is None:
        other = _version_before(session, who, record)
    now = queries.lines_in(session, col(Line.submission) == submission)
    if record.source is not None and against is None:
        before = queries.lines_in(session, col(Line.id).in_(_last_before(record)))
        found = comparing.compare(before, now, by_id=True)
    elif other is None:
        found = comparing.compare([], now)
    else:
        found = comparing.compare(queries.lines_in(session, col(Line.submission) == other.id), now)
    return Compared(submission, other.id if other is not None else None, tuple(owners), tuple(found))


def _version_before(session: Session, who: Principal, record: Submission) -> Submission | None:
    mine = (col(Submission.series) == record.series, col(Submission.source).is_(None))
    wanted = select(Submission).where(*mine, col(Submission.number) < record.number, queries.may_see_submission(who))
    found: Submission | None = session.execute(
        wanted.order_by(col(Submission.number).desc()).limit(1)
    ).scalar_one_or_none()
    return found


def _last_before(record: Submission) -> Select[int | None]:
    """For each forecast of the submission the last line that it had before."""
    now, then = aliased(Line), aliased(Line)
    same = (
        (col(then.source) == col(now.source))
        & (col(then.external_id) == col(now.external_id))
        & (col(then.id) < col(now.id))
    )
    wanted = select(func.max(col(then.id))).join(now, same).where(col(now.submission) == record.id)
    return wanted.group_by(col(now.id))
