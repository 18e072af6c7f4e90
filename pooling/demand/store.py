"""What demand keeps in the database: SQL on its own tables, inside the caller's transaction."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import Float, Table, cast, delete, func, select, update
from sqlmodel import Session, SQLModel, col

from pooling import feed
from pooling.database import insert_rows, one_at_a_time
from pooling.demand import flags
from pooling.demand.intake import tuples
from pooling.demand.settle import LINE_COLUMNS
from pooling.demand.tables import (
    Line,
    LineFlag,
    MappingVersion,
    QuarantinedRow,
    Submission,
    SubmissionParticipant,
)

ACCEPTED = "accepted"
SUPERSEDED = "superseded"
WITHDRAWN = "withdrawn"
MAX_PARAMETERS = 500
WAITING_COLUMNS = ("row", "reason", "value")
FORECAST_COLUMNS = ("source", "external_id")


def table(model: type[SQLModel]) -> Table:
    """The table behind a model."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


def lock(session: Session) -> None:
    """One load at a time: flags, series and forecasts are kept right by looking at all of them."""
    one_at_a_time(session, "pooling.demand.load")


def mapping_version(session: Session, *, name: str, sha256: str, now: datetime) -> int:
    """The id of this wording of a mapping, stored now if it is new."""
    found = session.connection().execute(select(col(MappingVersion.id)).where(col(MappingVersion.sha256) == sha256))
    known = found.scalar_one_or_none()
    if known is not None:
        return int(known)
    version = MappingVersion(name=name, sha256=sha256, first_used_at=now)
    session.add(version)
    session.flush()
    assert version.id is not None  # noqa: S101 a flushed row has its number
    return version.id


def accepted_in(session: Session, series: str) -> Submission | None:
    """The file of the series that counts now; a system's forecasts are no series."""
    wanted = select(Submission).where(
        col(Submission.series) == series, col(Submission.status) == ACCEPTED, col(Submission.source).is_(None)
    )
    return session.execute(wanted).scalar_one_or_none()


def next_number(session: Session, series: str, source: str | None) -> int:
    """The number that the next submission of a series, or of a system's forecasts, has."""
    mine = (col(Submission.series) == series, col(Submission.source) == source)
    wanted = select(func.max(col(Submission.number))).where(*mine)
    return int(session.connection().execute(wanted).scalar() or 0) + 1


def participants_of(session: Session, submission: UUID) -> list[str]:
    """Whose submission it is: all that its rows name, as far as we know them, and who holds their demand."""
    wanted = select(col(SubmissionParticipant.participant)).where(col(SubmissionParticipant.submission) == submission)
    return sorted(session.execute(wanted).scalars())


def senders_of(session: Session, submission: Submission) -> frozenset[str]:
    """The participants that a submission's rows name, as far as we know them; not who else holds their demand.

    Of one that was stored before they were written down: those of its lines, and whoever else it is of.
    """
    told = submission.report.get("senders")
    if told is not None:
        return frozenset(told)
    wanted = select(col(Line.sent_as), col(Line.participant)).where(col(Line.submission) == submission.id).distinct()
    pairs = [(sent_as, holder) for sent_as, holder in session.connection().execute(wanted)]
    named, holders = {sent_as for sent_as, _ in pairs}, {holder for _, holder in pairs}
    return frozenset(named | set(participants_of(session, submission.id)).difference(holders))


def add_participants(session: Session, submission: UUID, participants: Iterable[str]) -> None:
    """Note whose submission it is, besides those noted already."""
    new = set(participants).difference(participants_of(session, submission))
    session.add_all(SubmissionParticipant(submission=submission, participant=code) for code in sorted(new))
    session.flush()


def supersede(session: Session, submission: UUID, status: str = SUPERSEDED) -> None:
    """Take a submission out of the demand that counts; its lines stay on record, doubts about them go."""
    connection = session.connection()
    next_version = col(Submission.version) + 1
    changed = update(Submission).where(col(Submission.id) == submission).values(status=status, version=next_version)
    version = connection.execute(changed.returning(col(Submission.version))).scalar_one()
    feed.changed(session, "submission", submission, version=version, participants=participants_of(session, submission))
    old = select(col(Line.id)).where(col(Line.submission) == submission)
    if connection.execute(select(col(LineFlag.line)).limit(1)).first() is not None:
        connection.execute(delete(LineFlag).where(col(LineFlag.line).in_(old)))


def renew(session: Session, submission: UUID) -> None:
    """A submission's lines have changed: it has another version, and whoever follows it is told."""
    next_version = col(Submission.version) + 1
    changed = update(Submission).where(col(Submission.id) == submission).values(version=next_version)
    version = session.connection().execute(changed.returning(col(Submission.version))).scalar_one()
    feed.changed(session, "submission", submission, version=version, participants=participants_of(session, submission))


def is_requeued(session: Session, submission: Submission) -> bool:
    """Whether it has lines that another mapping made than the one it came with."""
    other = (col(MappingVersion.id) == col(Line.mapping)) & (col(MappingVersion.sha256) != submission.mapping_sha256)
    wanted = select(col(Line.id)).join(MappingVersion, other).where(col(Line.submission) == submission.id)
    return session.connection().execute(wanted.limit(1)).first() is not None


def is_same(session: Session, new: UUID, old: UUID) -> bool:
    """Whether all lines and waiting rows of ``new`` are in ``old`` too, to be asked where both have as many."""
    line = [col(getattr(Line, name)) for name in LINE_COLUMNS]
    waiting = [col(getattr(QuarantinedRow, name)) for name in WAITING_COLUMNS]
    of_line, of_waiting = col(Line.submission), col(QuarantinedRow.submission)
    still = col(QuarantinedRow.loaded_at).is_(None)
    more = (
        select(*line).where(of_line == new).except_(select(*line).where(of_line == old)),
        select(*waiting).where(of_waiting == new).except_(select(*waiting).where(of_waiting == old, still)),
    )
    return all(session.connection().execute(each.limit(1)).first() is None for each in more)


def withdraw(session: Session, submission: UUID) -> None:
    """Take back a submission of the transaction that is under way, with its lines and waiting rows."""
    session.execute(delete(Line).where(col(Line.submission) == submission))
    session.execute(delete(QuarantinedRow).where(col(QuarantinedRow.submission) == submission))
    session.execute(delete(SubmissionParticipant).where(col(SubmissionParticipant.submission) == submission))
    session.execute(delete(Submission).where(col(Submission.id) == submission))


def categories_of(session: Session, submission: UUID) -> set[str]:
    """The categories a submission has lines in."""
    wanted = select(col(Line.category)).where(col(Line.submission) == submission).distinct()
    return set(session.execute(wanted).scalars())


def add_lines(session: Session, lines: pl.DataFrame, *, submission: UUID, mapping: int) -> None:
    """Store lines (LINE_COLUMNS, of forecasts FORECAST_COLUMNS too) in the order given."""
    given = (*LINE_COLUMNS, *(name for name in FORECAST_COLUMNS if name in lines.columns))
    columns = ("submission", "mapping", *given)
    rows = tuples(lines.select(given), submission.hex, mapping)
    insert_rows(session, table(Line), columns, rows)


def add_waiting(
    session: Session, waiting: pl.DataFrame, *, submission: UUID, candidates: Iterable[Sequence[dict[str, str]]]
) -> None:
    """Store rows that wait, with all their cells and, row by row, what the unknown word may mean."""
    cells = waiting.drop(WAITING_COLUMNS).iter_rows(named=True)
    rows = (
        (submission.hex, *key, json.dumps(near), json.dumps({name: text for name, text in cell.items() if text}))
        for key, cell, near in zip(waiting.select(WAITING_COLUMNS).iter_rows(), cells, candidates)
    )
    insert_rows(session, table(QuarantinedRow), ("submission", *WAITING_COLUMNS, "candidates", "cells"), rows)


def waiting_rows(session: Session, submission: UUID) -> list[QuarantinedRow]:
    """The rows of a submission that still wait, in file order."""
    wanted = select(QuarantinedRow).where(
        col(QuarantinedRow.submission) == submission, col(QuarantinedRow.loaded_at).is_(None)
    )
    return list(session.execute(wanted.order_by(col(QuarantinedRow.row))).scalars())


def mark_loaded(session: Session, submission: UUID, rows: Sequence[int], now: datetime) -> None:
    """These rows of a submission wait no longer."""
    for part in parts(rows):
        session.execute(
            update(QuarantinedRow)
            .where(col(QuarantinedRow.submission) == submission, col(QuarantinedRow.row).in_(part))
            .values(loaded_at=now)
        )


def note_waiting(
    session: Session, submission: UUID, waiting: pl.DataFrame, candidates: Callable[[str, str], list[dict[str, str]]]
) -> None:
    """Write down what rows that still wait now wait for."""
    for (reason, value), group in waiting.group_by("reason", "value", maintain_order=True):
        near = candidates(str(reason), str(value))
        for part in parts(group["row"].to_list()):
            session.execute(
                update(QuarantinedRow)
                .where(col(QuarantinedRow.submission) == submission, col(QuarantinedRow.row).in_(part))
                .values(reason=reason, value=value, candidates=near)
            )


def _accepted(wanted: Any, without: UUID | None = None) -> Any:
    """Restricted to lines that count, those of one submission left out if asked."""
    wanted = wanted.join(Submission, col(Line.submission) == col(Submission.id))
    wanted = wanted.where(col(Submission.status) == ACCEPTED, col(Line.ended_at).is_(None))
    return wanted if without is None else wanted.where(col(Submission.id) != without)


def parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Values in slices that fit into one statement."""
    for at in range(0, len(values), MAX_PARAMETERS):
        yield values[at : at + MAX_PARAMETERS]


def other_totals(session: Session, categories: Sequence[str], *, without: UUID | None = None) -> pl.DataFrame:
    """Totals (flags.TOTALS) of the accepted lines in these categories, one submission's left out."""
    quantity, price = cast(col(Line.quantity), Float), cast(col(Line.unit_price_eur_micro), Float)
    sums = (func.sum(quantity), func.sum(quantity * price))
    prices = (func.min(col(Line.unit_price_eur_micro)), func.max(col(Line.unit_price_eur_micro)))
    pair = (col(Line.category), col(Line.participant))
    wanted = _accepted(select(*pair, *sums, *prices), without).group_by(*pair)
    rows: list[Any] = []
    for part in parts(categories):
        rows += session.connection().execute(wanted.where(col(Line.category).in_(part))).all()
    return pl.DataFrame([tuple(row) for row in rows], schema=flags.TOTALS, orient="row")


def lines_of_pairs(session: Session, pairs: pl.DataFrame) -> pl.DataFrame:
    """The accepted lines of pairs of category and participant: id, the pair, submission, row, and what is judged."""
    schema = {
        "id": pl.Int64,
        "category": pl.String,
        "participant": pl.String,
        "submission": pl.String,
        "row": pl.Int64,
        "quantity": pl.Int64,
        "unit_price_eur_micro": pl.Int64,
    }
    wanted = _accepted(select(*(col(getattr(Line, name)) for name in schema)))
    rows: list[tuple[Any, ...]] = []
    for (category,), group in pairs.group_by("category", maintain_order=True):
        chosen = wanted.where(col(Line.category) == category, col(Line.participant).in_(group["participant"].to_list()))
        rows += [(*row[:3], row[3].hex, *row[4:]) for row in session.connection().execute(chosen)]
    return pl.DataFrame(rows, schema=schema, orient="row")


def replace_flags(session: Session, categories: Sequence[str], found: pl.DataFrame) -> None:
    """The flags of all lines in these categories become ``found`` (line, kind, direction, likely_pack_factor)."""
    connection = session.connection()
    stored = connection.execute(
        select(col(LineFlag.line), col(Line.category)).join(Line, col(Line.id) == col(LineFlag.line))
    )
    touched = set(categories)
    stale = sorted({line for line, category in stored if category in touched})
    for part in parts(stale):
        connection.execute(delete(LineFlag).where(col(LineFlag.line).in_(part)))
    insert_rows(session, table(LineFlag), found.columns, found.iter_rows())


def line_windows(session: Session, category: str, participants: Sequence[str]) -> pl.DataFrame:
    """Lines of one category that count, as far as it takes to see whether two of them are one demand, each once."""
    names = ("submission", "participant", "item_code", "earliest_start", "latest_start", "source")
    wanted = _accepted(select(*(col(getattr(Line, name)) for name in names))).where(
        col(Line.category) == category, col(Line.participant).in_(participants)
    )
    rows = [(row[0].hex, *row[1:]) for row in session.connection().execute(wanted.distinct())]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def named(session: Session, submissions: Iterable[str]) -> dict[str, Submission]:
    """Submissions by the hexadecimal digits of their ids."""
    found: dict[str, Submission] = {}
    for part in parts(sorted(submissions)):
        wanted = select(Submission).where(col(Submission.id).in_([UUID(each) for each in part]))
        found |= {each.id.hex: each for each in session.execute(wanted).scalars()}
    return found
