"""What a load or a requeue answers: counts that add up, faults with their remedy, what waits, flags, warnings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pooling.demand.faults import Fault
from pooling.demand.sections import nothing
from pooling.errors import BadInput

MAX_LISTED = 10_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """Rows that wait because one word is not known; ``candidates`` are (id, name), nearest first."""

    reason: str
    value: str
    rows: int
    first_row: int
    candidates: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """A doubt about a line: volume or price, high or low, and the pack size that would explain it."""

    row: int
    participant: str
    category: str
    kind: str
    direction: str
    likely_pack_factor: int | None


@dataclass(frozen=True, slots=True)
class Rehomed:
    """Lines sent for a participant that will have ended when they start: they are its successor's."""

    sent_as: str
    participant: str
    lines: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a file. ``rows_read`` = rows in lines + refused + skipped + quarantined.

    ``submission`` None: nothing was stored. ``refused``: rows by the code of their first fault; ``skipped``: rows by
    the mapping's reason. ``faults``, ``waiting`` and ``flags`` list the first ``MAX_LISTED``; the counts are complete.
    """

    submission: UUID | None
    series: str
    file_name: str
    already_loaded: bool = False
    supersedes: UUID | None = None
    superseded_lines: int = 0
    rows_read: int = 0
    rows_in_lines: int = 0
    lines_made: int = 0
    rows_refused: int = 0
    rows_skipped: int = 0
    rows_quarantined: int = 0
    refused: Mapping[str, int] = field(default_factory=nothing)
    skipped: Mapping[str, int] = field(default_factory=nothing)
    faults: tuple[Fault, ...] = ()
    faults_found: int = 0
    waiting: tuple[Waiting, ...] = ()
    flags: tuple[Flag, ...] = ()
    flags_found: int = 0
    rehomed: tuple[Rehomed, ...] = ()
    warnings: tuple[str, ...] = ()
    read: Mapping[str, Any] = field(default_factory=nothing)

    def __post_init__(self) -> None:
        parts = self.rows_in_lines + self.rows_refused + self.rows_skipped + self.rows_quarantined
        if self.rows_read != parts:
            raise ValueError(f"rows do not add up: {self.rows_read} read, {parts} accounted for")


class LoadRefused(BadInput):
    """A file with faults, refused as a whole: nothing of it was stored. ``loaded`` says what was found."""

    code = "load-refused"

    def __init__(self, message: str, loaded: Loaded) -> None:
        super().__init__(message)
        self.loaded = loaded


class SeriesTaken(BadInput):
    """The series holds demand of participants that the sender does not act for, which it may not replace."""

    code = "series-taken"


@dataclass(frozen=True, slots=True)
class Requeued:
    """What became of a submission's waiting rows under a new mapping; rows with faults go on waiting."""

    submission: UUID
    rows_loaded: int
    lines_made: int
    rows_skipped: int
    rows_waiting: int
    faults: tuple[Fault, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    flags: tuple[Flag, ...] = ()
    rehomed: tuple[Rehomed, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SubmissionRecord:
    """A stored submission, as lists show it."""

    id: UUID
    series: str
    status: str
    supersedes: UUID | None
    file_name: str
    file_sha256: str
    mapping_name: str
    mapping_sha256: str
    received_at: datetime
    rows_read: int
    lines_made: int
    rows_refused: int
    rows_skipped: int
    rows_quarantined: int
