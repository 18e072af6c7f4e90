"""What a file would do if it were loaded: the checks of a load, compared with what counts now. Nothing is stored."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import select
from sqlmodel import Session, col

from connectors.frames import ROW
from pooling.demand import intake, loading
from pooling.demand.intake import Intake
from pooling.demand.mapping import FileMapping
from pooling.demand.notices import Notices
from pooling.demand.results import Loaded
from pooling.demand.sender import Sender
from pooling.demand.tables import Line, Submission
from pooling.demand.tally import Tally
from pooling.errors import BadInput

FIRST_LINES = 10
SAID = (
    *("participant", "sent_as", "category", "item_code", "quantity", "quantity_low", "quantity_high"),
    *("unit_price_micro", "currency", "earliest_start", "latest_start", "required", "refused", "delivered", "depth"),
)
"""What makes two lines say the same."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What a load would find and change.

    ``refusal``: why nothing would be stored even with ``partial``; None: it could be. ``same``, ``new`` and ``gone``
    count lines against the submission that it ``replaces``. ``first``: the first lines, as they would be stored.
    """

    found: Loaded
    mapping_name: str
    columns: Mapping[str, str]
    senders: tuple[str, ...]
    replaces: UUID | None
    same: int
    new: int
    gone: int
    first: tuple[Mapping[str, Any], ...]
    refusal: str | None


def examine(
    session: Session,
    path: Path,
    mapping: FileMapping,
    *,
    series: str | None,
    sender: Sender,
    received_at: datetime,
    name: str,
) -> Examined:
    """Check a file without storing any of it. Raises FileRefused, BadMapping, SeriesTaken."""
    reference = loading.reference_data(session)
    sender = sender.on(received_at.date(), reference.participants)
    with intake.opened(path, mapping) as file:
        report = file.report
        headers = intake.header_names(mapping, report.headers)
        steps = Intake(
            mapping,
            reference,
            marks=intake.marks_of(report),
            headers=headers,
            received_on=received_at.date(),
            may_send_for=sender.may_send_for,
        )
        tally = Tally(steps.checker, Notices(received_at.date()))
        made = []
        for portion in steps.portions(file.batches()):
            tally.add(portion)
            if portion.lines.height:
                made.append(portion.lines)
    senders = tuple(sorted(code for code in steps.checker.senders if code is not None))
    chosen = series or mapping.series or series_of(mapping, senders)
    before = loading.replaceable(session, chosen, sender)
    hashes = (report.sha256, mapping.sha256)
    already = before is not None and (before.file_sha256, before.mapping_sha256) == hashes
    same, new, gone = _compared(session, made, before)
    found = tally.answer(
        submission=None,
        series=chosen,
        file_name=name,
        already_loaded=already and not (new or gone),
        supersedes=before.id if before is not None else None,
        superseded_lines=before.lines_made if before is not None else 0,
        warnings=tally.notices.warnings(),
        read=asdict(report),
    )
    return Examined(
        found=found,
        mapping_name=mapping.name,
        columns={column: header for column, header in headers.items() if header in report.headers},
        senders=senders,
        replaces=found.supersedes,
        same=same,
        new=new,
        gone=gone,
        first=_first(made),
        refusal=loading.why_refused(tally, chosen, before=before, partial=True),
    )


def series_of(mapping: FileMapping, senders: tuple[str, ...]) -> str:
    """The series of a file where neither it nor its mapping names one: one for each participant under a mapping."""
    if len(senders) != 1:
        named = ", ".join(senders[:5]) or "nobody we know"
        raise BadInput(f"rows are from {named}: say under `series` which series of submissions this file continues")
    return f"{mapping.name} {senders[0]}"[:120]


def _first(made: list[pl.DataFrame]) -> tuple[Mapping[str, Any], ...]:
    if not made:
        return ()
    first = pl.concat([part.sort(ROW).head(FIRST_LINES) for part in made]).sort(ROW).head(FIRST_LINES)
    return tuple(first.select(ROW, *SAID).iter_rows(named=True))


def _compared(session: Session, made: list[pl.DataFrame], before: Submission | None) -> tuple[int, int, int]:
    """How many lines stay as they are, are new, and are gone."""
    schema = {"new": pl.Int64}
    now = pl.concat(made).group_by(SAID).len("new") if made else pl.DataFrame(schema=schema)
    if before is None:
        return 0, int(now["new"].sum() or 0), 0
    wanted = select(*(col(getattr(Line, name)) for name in SAID)).where(col(Line.submission) == before.id)
    rows = [tuple(row) for row in session.connection().execute(wanted)]
    if not made:
        return 0, 0, len(rows)
    types = {name: now.schema[name] for name in SAID}
    then = pl.DataFrame(rows, schema=types, orient="row").group_by(SAID).len("old")
    both = now.join(then, on=list(SAID), how="inner", nulls_equal=True)
    same = int(both.select(pl.min_horizontal("new", "old").cast(pl.Int64).sum()).item() or 0)
    return same, int(now["new"].cast(pl.Int64).sum()) - same, len(rows) - same
