"""Uploads and stored mappings over HTTP."""

import io
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath, FromQuery, JSONBody, PathParameter, QueryParameter

from pooling.access.projection import File
from pooling.calls import Asked, Call, Reply, accepted, gone
from pooling.demand import mappings, report_file, uploads
from pooling.demand.asked import sender_of
from pooling.demand.upload_views import (
    MAX_MAPPING,
    Confirmation,
    MappingBody,
    MappingPage,
    MappingView,
    UploadPage,
    UploadReport,
    UploadView,
    mapping_view,
    upload_report,
    upload_view,
)
from pooling.demand.views import CorrectionReason, CycleCode
from pooling.endpoints import delete, get, post, put, transition
from pooling.errors import BadFields, NotFound
from pooling.paging import DEFAULT_LIMIT, page_of, page_of_all
from pooling.parameters import Cursor, Handled, Limit
from pooling.problems import ACCEPTED, CREATED

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NAME = r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,119}$"
MappingName = FromPath[Annotated[str, PathParameter(pattern=NAME, max_length=120)]]
Stage = FromQuery[
    Annotated[Literal["draft", "submitted", "accepted"] | None, QueryParameter(description="at this stage alone")]
]
Named = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]


class UploadForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A demand file (CSV or XLSX), and how it is to be read.

    ``mapping``: the name of a stored mapping. ``mapping_file``: a mapping in TOML that comes along. Neither: the
    file's own headers say what its columns are. ``series``: which series of submissions it continues and replaces.
    ``cycle``: that it is sent for; left out: the one that is open when it is confirmed.
    """

    file: UploadFile
    mapping: Named | None = None
    mapping_file: UploadFile | None = None
    series: Named | None = None
    cycle: CycleCode | None = None
    correction_reason: CorrectionReason | None = None


class UploadController(Controller):
    """Files on their way to a submission: looked at first, stored once confirmed."""

    path = "/v1/uploads"
    tags = ("demand",)

    @get("/", "uploads.list", "Uploads")
    def list_uploads(
        self,
        request: Asked,
        handling: Handled,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        stage: Stage = None,
    ) -> Response[UploadPage]:
        """One's own uploads, the latest first; planners and auditors see everybody's."""

        def work(call: Call) -> Reply:
            window = call.window(cursor, limit)
            rows = uploads.visible(call.session, call.who, window, stage=stage)
            page = page_of(rows, window, key=lambda row: (row.received_at, row.id))
            return call.page(page, UploadPage, view=upload_view)

        return handling.read(request, work)

    @post("/", "uploads.create", "Upload a demand file", status_code=ACCEPTED)
    def create(
        self,
        request: Asked,
        handling: Handled,
        data: Annotated[UploadForm, Body(media_type=RequestEncodingType.MULTI_PART)],
    ) -> Response[UploadView]:
        """Keeps the file and has it looked at by a job: nothing else is stored before it is confirmed."""
        return handling.write(request, lambda call: _receive(call, data))

    @get("/{upload_id:uuid}", "uploads.read", "An upload")
    def read(self, request: Asked, handling: Handled, upload_id: FromPath[UUID]) -> Response[UploadView]:
        """Where an upload stands; once it is ready: what a load would do, with the first lines."""

        def work(call: Call) -> Reply:
            found = uploads.one(call.session, call.who, upload_id)
            return Reply(upload_view(found), version=found.version)

        return handling.read(request, work)

    @get("/{upload_id:uuid}/report", "uploads.report", "What was found in an upload")
    def report(self, request: Asked, handling: Handled, upload_id: FromPath[UUID]) -> Response[UploadReport]:
        """Every fault with row, column, value and remedy; what waits; doubts; of forecasts the result of each."""
        return handling.read(request, lambda call: upload_report(uploads.one(call.session, call.who, upload_id)))

    @get("/{upload_id:uuid}/report.xlsx", "uploads.workbook", "The report as a workbook", media_type=XLSX)
    def workbook(self, request: Asked, handling: Handled, upload_id: FromPath[UUID]) -> Response[bytes]:
        """The same for people: a sheet each for faults, what waits, and doubts."""
        return handling.read(request, lambda call: _workbook(call, upload_id))

    @transition("/{upload_id:uuid}/confirm", "uploads.confirm", "Have an upload stored", status_code=ACCEPTED)
    def confirm(
        self, request: Asked, handling: Handled, upload_id: FromPath[UUID], data: JSONBody[Confirmation]
    ) -> Response[UploadView]:
        """A job stores it as a submission that replaces its series' last one. Needs If-Match."""

        def work(call: Call) -> Reply:
            found = uploads.confirm(
                call.session,
                call.who,
                upload_id,
                partial=data.partial,
                sender=sender_of(call.who),
                now=call.now,
                expect=call.expect,
                correction_reason=data.correction_reason,
            )
            return accepted(upload_view(found), operation=found.job)

        return handling.write(request, work)

    @delete("/{upload_id:uuid}", "uploads.discard", "Discard an upload")
    def discard(self, request: Asked, handling: Handled, upload_id: FromPath[UUID]) -> Response[None]:
        """Drops a file that was not confirmed. Needs If-Match."""

        def work(call: Call) -> Reply:
            uploads.discard(call.session, call.who, upload_id, expect=call.expect)
            return gone()

        return handling.write(request, work)


def _receive(call: Call, data: UploadForm) -> Reply:
    if data.series is not None and not data.series.isprintable():
        raise BadFields([("#/series", "bad-input", "holds a control character or line break; remove it")])
    found = uploads.receive_file(
        call.session,
        _read(data.file),
        data.file.filename,
        mapping=data.mapping,
        mapping_document=_text(data.mapping_file) if data.mapping_file is not None else None,
        series=data.series,
        sender=sender_of(call.who),
        now=call.now,
        cycle=data.cycle,
        correction_reason=data.correction_reason,
    )
    return accepted(upload_view(found), operation=found.job)


def _read(part: UploadFile) -> bytes:
    """The bytes of a part; from its start, as the work may be done again."""
    part.file.seek(0)
    return part.file.read()


def _text(part: UploadFile) -> str:
    content = _read(part)
    try:
        if len(content) > MAX_MAPPING:
            raise BadFields([("#/mapping_file", "bad-input", f"larger than {MAX_MAPPING} bytes; is it a mapping?")])
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise BadFields([("#/mapping_file", "bad-input", "not UTF-8; save the mapping as UTF-8")]) from wrong


def _workbook(call: Call, upload_id: UUID) -> File:
    found = uploads.one(call.session, call.who, upload_id)
    if found.report is None or found.kind != uploads.FILE:
        raise NotFound(f"upload {upload_id} has no workbook; it is {found.status}")
    target = io.BytesIO()
    report_file.write_workbook(target, found.report)
    owners = tuple((found.preview or {}).get("senders", ()))
    entered = call.who.sees.all and bool(owners)  # a sender's own file; of others', the read is entered in the audit
    return File(target.getvalue(), XLSX, f"report-{upload_id}.xlsx", "own" if entered else "open", owners)


class MappingController(Controller):
    """Mappings kept by name: how the files of a sender are read."""

    path = "/v1/mappings"
    tags = ("demand",)

    @get("/", "mappings.list", "Mappings")
    def list_mappings(
        self, request: Asked, handling: Handled, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
    ) -> Response[MappingPage]:
        """Mappings that uploads and forecasts can name."""

        def work(call: Call) -> Reply:
            page = page_of_all(mappings.stored(call.session), call.window(cursor, limit))
            return call.page(page, MappingPage, view=mapping_view)

        return handling.read(request, work)

    @get("/{name:str}", "mappings.read", "A mapping")
    def read(self, request: Asked, handling: Handled, name: MappingName) -> Response[MappingView]:
        """A mapping as written."""
        return handling.read(request, lambda call: _mapping(call, name))

    @put("/{name:str}", "mappings.write", "Set a mapping", also={CREATED: MappingView})
    def write(
        self, request: Asked, handling: Handled, name: MappingName, data: JSONBody[MappingBody]
    ) -> Response[MappingView]:
        """Adds it, or replaces it with If-Match. Every fault in it is told at once."""

        def work(call: Call) -> Reply:
            return call.put(
                lambda expect: mappings.put(call.session, name, data.document, data.lists, now=call.now, expect=expect),
                lambda _: _mapping(call, name),
            )

        return handling.write(request, work)

    @delete("/{name:str}", "mappings.delete", "Delete a mapping")
    def remove(self, request: Asked, handling: Handled, name: MappingName) -> Response[None]:
        """What it made stays. Needs If-Match."""

        def work(call: Call) -> Reply:
            mappings.remove(call.session, name, expect=call.expect)
            return gone()

        return handling.write(request, work)


def _mapping(call: Call, name: str) -> Reply:
    found = mappings.one(call.session, name)
    return Reply(mapping_view(found), version=found.version)


ROUTES = (UploadController, MappingController)
