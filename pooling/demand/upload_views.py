"""Request and response models of uploads and stored mappings."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from pooling.access.projection import OPEN, OWN
from pooling.demand.forecast_views import BulkResult, FaultView
from pooling.demand.report_file import FAULT_COLUMNS
from pooling.demand.shown import counts, money
from pooling.demand.tables import StoredMapping, Upload
from pooling.demand.uploads import STAGES
from pooling.demand.views import CandidateView, CorrectionReason, CountOf, TakenOver

MAX_MAPPING = 1_000_000
ListName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", max_length=100)]


class ProblemView(msgspec.Struct, frozen=True):
    """Why nothing could be read or stored."""

    code: str
    detail: str


class FirstLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it would be stored: base units a year, ex VAT."""

    owner: ClassVar[tuple[str, ...]] = ("participant", "sent_as")
    whole: ClassVar[Meta] = OWN
    row: Annotated[int, OPEN]
    participant: str
    sent_as: str
    category: str
    item_code: str | None
    quantity: Annotated[int, OWN]
    quantity_low: Annotated[int, OWN]
    quantity_high: Annotated[int, OWN]
    unit_price: Annotated[str, OWN]
    currency: str
    earliest_start: str
    latest_start: str
    depth: str | None


class ColumnView(msgspec.Struct, frozen=True):
    """Which header of the file is read as which column."""

    column: str
    header: str


class PreviewView(msgspec.Struct, frozen=True, kw_only=True):
    """What a load would do. Rows read = rows in lines + refused + skipped + waiting.

    ``unchanged``, ``added`` and ``dropped`` count lines against the submission that it replaces. ``refusal``: why
    nothing of it can be stored.
    """

    series: str
    mapping_name: str
    columns: list[ColumnView]
    participants: list[str]
    already_loaded: bool
    rows_read: Annotated[int, OPEN]
    rows_in_lines: Annotated[int, OPEN]
    rows_refused: Annotated[int, OPEN]
    rows_skipped: Annotated[int, OPEN]
    rows_waiting: Annotated[int, OPEN]
    lines_made: Annotated[int, OPEN]
    faults_found: Annotated[int, OPEN]
    replaces: UUID | None
    replaced_lines: Annotated[int, OPEN]
    unchanged: Annotated[int, OPEN]
    added: Annotated[int, OPEN]
    dropped: Annotated[int, OPEN]
    warnings: list[str]
    taken_over: list[TakenOver]
    first: list[FirstLine]
    refusal: str | None


class UploadView(msgspec.Struct, frozen=True, kw_only=True):
    """A file on its way. ``status``: received, ready (looked at), unreadable, confirmed, loaded or refused.

    ``stage``: of the submission it is to be: a draft, submitted (confirmed) or accepted (stored).
    """

    id: UUID
    version: Annotated[int, OPEN]
    kind: str
    status: str
    stage: str
    file_name: str
    file_sha256: str
    file_bytes: Annotated[int, OPEN]
    mapping: str | None
    own_mapping: Annotated[bool, Meta(description="a mapping came with the file")]
    series: str | None
    cycle: Annotated[str | None, Meta(description="named with it; null: the one that is open when it is confirmed")]
    correction_reason: str | None
    partial: bool
    received_at: datetime
    operation: UUID | None
    submission: UUID | None
    problem: ProblemView | None
    preview: PreviewView | None


class UploadPage(msgspec.Struct, frozen=True):
    """Uploads, the latest first."""

    items: list[UploadView]
    next_cursor: str | None


class RowFault(msgspec.Struct, frozen=True, kw_only=True):
    """A wrong cell, with what to do; ``row`` as a spreadsheet shows it, ``column`` the file's own header."""

    whole: ClassVar[Meta] = OWN
    row: Annotated[int, OPEN]
    column: str
    value: Annotated[str, OWN]
    code: str
    wrong: str
    remedy: str


class WaitingWord(msgspec.Struct, frozen=True, kw_only=True):
    """A word that is not known, and what it may mean."""

    whole: ClassVar[Meta] = OWN
    reason: str
    value: Annotated[str, OWN]
    rows: Annotated[int, OPEN]
    first_row: Annotated[int, OPEN]
    candidates: list[CandidateView]


class RowDoubt(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that looks out of place."""

    whole: ClassVar[Meta] = OWN
    row: Annotated[int, OPEN]
    participant: str
    category: str
    kind: str
    direction: str
    likely_pack_factor: Annotated[int | None, OPEN]


class UploadReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found in an upload, faults first; of each kind the first 10,000.

    ``sent_for``: the participants that its sender acts for; empty for planners, who may send for all.
    """

    owner: ClassVar[str] = "sent_for"
    id: UUID
    sent_for: list[str]
    faults: list[RowFault]
    refused: list[CountOf]
    skipped: list[CountOf]
    waiting: list[WaitingWord]
    doubts: list[RowDoubt]
    warnings: list[str]
    line_faults: list[FaultView]
    results: BulkResult | None


class Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``partial``: keep the good rows where others have faults."""

    partial: bool = False
    correction_reason: CorrectionReason | None = None


class MappingBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping in TOML, and the CSV word lists that it names, by file name."""

    document: Annotated[str, Meta(min_length=1, max_length=MAX_MAPPING)]
    lists: Annotated[dict[ListName, Annotated[str, Meta(max_length=5_000_000)]], Meta(max_length=20)] = {}


class MappingView(msgspec.Struct, frozen=True, kw_only=True):
    """A stored mapping; ``lists`` names its word lists."""

    name: str
    version: Annotated[int, OPEN]
    document: str
    lists: list[str]
    changed_at: datetime


class MappingPage(msgspec.Struct, frozen=True):
    """Mappings by name."""

    items: list[MappingView]
    next_cursor: str | None


def upload_view(upload: Upload) -> UploadView:
    """An upload as it is shown."""
    told = upload.preview or {}
    problem = told.get("problem")
    same = ("id", "version", "kind", "status", "file_name", "file_sha256", "file_bytes", "mapping", "series", "partial")
    more = ("cycle", "correction_reason", "received_at", "submission")
    values = {name: getattr(upload, name) for name in (*same, *more)}
    return UploadView(
        **values,
        stage=STAGES[upload.status],
        own_mapping=upload.mapping_document is not None,
        operation=upload.job,
        problem=ProblemView(problem["code"], problem["detail"]) if problem else None,
        preview=_preview(told) if "rows_read" in told else None,
    )


def _preview(told: Mapping[str, Any]) -> PreviewView:
    same = (
        *("series", "mapping_name", "already_loaded", "rows_read", "rows_in_lines", "rows_refused", "rows_skipped"),
        *("lines_made", "faults_found", "replaced_lines", "warnings", "refusal"),
    )
    return PreviewView(
        **{name: told[name] for name in same},
        columns=[ColumnView(column, header) for column, header in told["columns"].items()],
        participants=list(told["senders"]),
        rows_waiting=told["rows_quarantined"],
        replaces=UUID(told["replaces"]) if told["replaces"] else None,
        unchanged=told["same"],
        added=told["new"],
        dropped=told["gone"],
        taken_over=[TakenOver(**each) for each in told["taken_over"]],
        first=[_first_line(line) for line in told["first"]],
    )


def _first_line(line: Mapping[str, Any]) -> FirstLine:
    names = [each.name for each in msgspec.structs.fields(FirstLine) if each.name != "unit_price"]
    told = {"depth": None, **line}  # looked at before lines had a depth
    return FirstLine(**{name: told[name] for name in names}, unit_price=money(line["unit_price_micro"]))


def upload_report(upload: Upload) -> UploadReport:
    """What was found in an upload."""
    told: Mapping[str, Any] = upload.report or {}
    is_file = upload.kind == "file"
    results = told.get("results")
    faults = told.get("faults", ())
    return UploadReport(
        id=upload.id,
        sent_for=list(upload.may_send_for or ()),
        faults=[_fault(each) for each in faults] if is_file else [],
        refused=counts(told.get("refused", {})),
        skipped=counts(told.get("skipped", {})),
        waiting=[_waiting(each) for each in told.get("waiting", ())],
        doubts=[RowDoubt(**each) for each in told.get("flags", ())],
        warnings=list(told.get("warnings", ())),
        line_faults=[] if is_file else [FaultView(**each) for each in faults],
        results=None if results is None else msgspec.convert(results, BulkResult),
    )


def _fault(told: Mapping[str, Any]) -> RowFault:
    row, column, value, code, wrong, remedy = (told[name] for name in FAULT_COLUMNS)
    return RowFault(row=row, column=column, value=value, code=code, wrong=wrong, remedy=remedy)


def _waiting(told: Mapping[str, Any]) -> WaitingWord:
    return WaitingWord(**{**told, "candidates": [CandidateView(**each) for each in told["candidates"]]})


def mapping_view(row: StoredMapping) -> MappingView:
    """A mapping as it is shown."""
    return MappingView(
        name=row.name, version=row.version, document=row.document, lists=sorted(row.lists), changed_at=row.changed_at
    )
