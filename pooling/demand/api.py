"""Lines, submissions and forecasts over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, PathParameter, QueryParameter

from pooling.access.rules import Principal
from pooling.demand import (
    bulk,
    change_views,
    cycle_closing,
    forecasts,
    queries,
    sent_for,
    uploads,
    versions,
    views,
    withdrawing,
)
from pooling.demand.change_views import SubmissionChanges
from pooling.demand.cycle_api import CycleDemandController
from pooling.demand.sender import Sender
from pooling.demand.upload_views import UploadView, upload_view
from pooling.demand.views import (
    Bulk,
    BulkResult,
    ForecastBody,
    ForecastItem,
    ForecastPage,
    ForecastView,
    LineDetail,
    LinePage,
    SubmissionPage,
    SubmissionReport,
    SubmissionView,
)
from pooling.handling import Asked, Call, Reply, accepted, created, gone
from pooling.paging import DEFAULT_LIMIT, page_of
from pooling.parameters import Cursor, Handled, Limit, or_else
from pooling.problems import ACCEPTED, CREATED, NO_CONTENT, OK, RESPONSES

AT_ONCE = 500
"""More lines than these are stored by a job; a request then says 202."""
MOST_WAITING = 1_000
LARGEST_ID = 2**63 - 1

LineId = FromPath[Annotated[int, PathParameter(ge=1, le=LARGEST_ID)]]
SourceName = FromPath[Annotated[str, PathParameter(pattern=views.SOURCE, max_length=60)]]
ExternalId = FromPath[Annotated[str, PathParameter(pattern=views.EXTERNAL_ID, max_length=120)]]
OfParticipant = FromQuery[Annotated[str | None, QueryParameter(max_length=40, description="who holds the demand")]]
OfCategory = FromQuery[Annotated[str | None, QueryParameter(max_length=80, description="id of a category")]]
OfSubmission = FromQuery[Annotated[UUID | None, QueryParameter(description="lines of this submission alone")]]
OfSource = FromQuery[Annotated[str | None, QueryParameter(max_length=60, description="forecasts of this system alone")]]
OfCycle = FromQuery[Annotated[str | None, QueryParameter(max_length=40, description="sent for this cycle alone")]]
Against = FromQuery[
    Annotated[UUID | None, QueryParameter(description="another submission; left out: the version before")]
]
Live = FromQuery[Annotated[bool, QueryParameter(description="false: those too whose place others have taken")]]
Status = FromQuery[
    Annotated[
        Literal["accepted", "superseded", "withdrawn"] | None, QueryParameter(description="with this status alone")
    ]
]
Partial = FromQuery[Annotated[bool, QueryParameter(description="true: keep the good ones where others have faults")]]


def sender_of(who: Principal) -> Sender:
    """Whoever sends, and for whom: planners for everybody."""
    return Sender(who.id, None if who.sees.all else who.sees.participants)


class LineController(Controller):
    """Demand, a line at a time."""

    path = "/v1/lines"
    tags = ("demand",)

    @get(
        "/",
        operation_id="lines.list",
        sync_to_thread=True,
        responses=RESPONSES,
        summary="Lines",
    )
    def list_lines(
        self,
        request: Asked,
        handling: Handled,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        participant: OfParticipant = None,
        category: OfCategory = None,
        submission: OfSubmission = None,
        live: Live = True,
    ) -> Response[LinePage]:
        """Yearly demand in base units; one's own, or everybody's for planners and auditors."""

        def work(call: Call) -> Reply:
            window = call.window(cursor, limit)
            rows = queries.lines(
                call.opened,
                call.who.sees,
                window,
                live=live,
                participant=participant,
                category=category,
                submission=submission,
            )
            return call.page(page_of(rows, window, key=lambda row: (row.id,)), LinePage, view=views.line_view)

        return handling.read(request, work)

    @get("/{line_id:int}", operation_id="lines.read", sync_to_thread=True, responses=RESPONSES, summary="A line")
    def read(self, request: Asked, handling: Handled, line_id: LineId) -> Response[LineDetail]:
        """A line with its provenance: file and row by hash, mapping, words as written, exchange rate and its day."""
        return handling.read(request, lambda call: _line(call, line_id))


def _line(call: Call, line_id: int) -> LineDetail:
    row = queries.line(call.session, call.who.sees, line_id)
    flags, successions = queries.flags(call.session, line_id), queries.successions(call.session, line_id)
    return views.line_detail(row, flags, successions)


class SubmissionController(Controller):
    """Sets of lines sent together."""

    path = "/v1/submissions"
    tags = ("demand",)

    @get(
        "/",
        operation_id="submissions.list",
        sync_to_thread=True,
        responses=RESPONSES,
        summary="Submissions",
    )
    def list_submissions(
        self,
        request: Asked,
        handling: Handled,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        status: Status = None,
        source: OfSource = None,
        cycle: OfCycle = None,
    ) -> Response[SubmissionPage]:
        """What was sent, the latest first: those whose every row is of one's own participants."""

        def work(call: Call) -> Reply:
            window = call.window(cursor, limit)
            rows = queries.submissions(call.session, call.who, window, status=status, source=source, cycle=cycle)
            owners = queries.owners(call.session, [row.id for row in rows])
            page = page_of(rows, window, key=lambda row: (row.received_at, row.id))
            return call.page(page, SubmissionPage, view=lambda row: views.submission_view(row, owners[row.id]))

        return handling.read(request, work)

    @get(
        "/{submission_id:uuid}",
        operation_id="submissions.read",
        sync_to_thread=True,
        responses=RESPONSES,
        summary="A submission",
    )
    def read(self, request: Asked, handling: Handled, submission_id: FromPath[UUID]) -> Response[SubmissionView]:
        """A submission with its counts."""
        return handling.read(request, lambda call: _submission(call, submission_id))

    @get(
        "/{submission_id:uuid}/report",
        operation_id="submissions.report",
        sync_to_thread=True,
        responses=RESPONSES,
        summary="What a submission was found to hold",
    )
    def report(self, request: Asked, handling: Handled, submission_id: FromPath[UUID]) -> Response[SubmissionReport]:
        """Counts by fault and reason, warnings, and the rows that still wait for a mapping."""

        def work(call: Call) -> SubmissionReport:
            record = queries.submission(call.session, call.who, submission_id)
            owners = queries.owners(call.session, [submission_id])[submission_id]
            waiting = queries.waiting(call.session, submission_id, MOST_WAITING)
            upload = uploads.of_submission(call.session, submission_id)
            return views.submission_report(record, owners, waiting, upload)

        return handling.read(request, work)

    @get(
        "/{submission_id:uuid}/changes",
        operation_id="submissions.changes",
        sync_to_thread=True,
        responses=RESPONSES,
        summary="What a submission changed",
    )
    def changes(
        self,
        request: Asked,
        handling: Handled,
        submission_id: FromPath[UUID],
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        against: Against = None,
    ) -> Response[SubmissionChanges]:
        """Lines added, removed and changed with the figures before and after, against the version before it or
        another. Of a system's forecasts: against what each of them was before."""

        def work(call: Call) -> Reply:
            found = versions.changes(call.session, call.who, submission_id, against)
            return change_views.changes_page(call, found, call.window(cursor, limit))

        return handling.read(request, work)

    @post(
        "/{submission_id:uuid}/withdraw",
        operation_id="submissions.withdraw",
        opt={"transition": True},
        sync_to_thread=True,
        responses=RESPONSES,
        status_code=OK,
        summary="Withdraw a submission",
    )
    def withdraw(self, request: Asked, handling: Handled, submission_id: FromPath[UUID]) -> Response[SubmissionView]:
        """Its lines count no longer; they stay on record. Needs If-Match."""

        def work(call: Call) -> Reply:
            withdrawing.withdraw(call.session, submission_id, sender=sender_of(call.who), expect=call.expect)
            return _submission(call, submission_id)

        return handling.write(request, work)


def _submission(call: Call, submission_id: UUID) -> Reply:
    record = queries.submission(call.session, call.who, submission_id)
    owners = queries.owners(call.session, [submission_id])[submission_id]
    return Reply(views.submission_view(record, owners), version=record.version)


class ForecastController(Controller):
    """Lines that a sender's system keeps up to date under ids of its own."""

    path = "/v1/forecasts"
    tags = ("demand",)

    @get(
        "/",
        operation_id="forecasts.list",
        sync_to_thread=True,
        responses=RESPONSES,
        summary="Forecasts",
    )
    def list_forecasts(
        self,
        request: Asked,
        handling: Handled,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        source: OfSource = None,
    ) -> Response[ForecastPage]:
        """The forecasts there are, with their versions: what a system compares its own with."""

        def work(call: Call) -> Reply:
            window = call.window(cursor, limit)
            rows = queries.forecasts(call.session, call.who.sees, window, source=source)
            page = page_of(rows, window, key=lambda row: (row.source, row.external_id))
            return call.page(page, ForecastPage, view=lambda row: ForecastItem(**row._mapping))

        return handling.read(request, work)

    @get(
        "/{source:str}/{external_id:str}",
        operation_id="forecasts.read",
        sync_to_thread=True,
        responses=RESPONSES,
        summary="A forecast",
    )
    def read(
        self, request: Asked, handling: Handled, source: SourceName, external_id: ExternalId
    ) -> Response[ForecastView]:
        """A forecast as it was sent, and the line made of it."""
        return handling.read(request, lambda call: _forecast(call, source, external_id))

    @put(
        "/{source:str}/{external_id:str}",
        operation_id="forecasts.write",
        sync_to_thread=True,
        responses=or_else(CREATED, ForecastView),
        summary="Set a forecast",
    )
    def write(
        self,
        request: Asked,
        handling: Handled,
        source: SourceName,
        external_id: ExternalId,
        data: JSONBody[ForecastBody],
    ) -> Response[ForecastView]:
        """Adds the forecast, or replaces it with If-Match. The same again without If-Match changes nothing."""
        return handling.write(request, lambda call: _put(call, source, external_id, data))

    @delete(
        "/{source:str}/{external_id:str}",
        operation_id="forecasts.delete",
        sync_to_thread=True,
        responses=RESPONSES,
        status_code=NO_CONTENT,
        summary="Delete a forecast",
    )
    def remove(self, request: Asked, handling: Handled, source: SourceName, external_id: ExternalId) -> Response[None]:
        """Its line counts no longer. Needs If-Match."""

        def work(call: Call) -> Reply:
            forecasts.delete(
                call.session, source, external_id, sender=sender_of(call.who), now=call.now, expect=call.expect
            )
            return gone()

        return handling.write(request, work)

    @post(
        "/",
        operation_id="forecasts.load",
        sync_to_thread=True,
        responses=or_else(ACCEPTED, UploadView),
        status_code=OK,
        summary="Set many forecasts",
    )
    def load(
        self, request: Asked, handling: Handled, data: JSONBody[Bulk], partial: Partial = False
    ) -> Response[BulkResult]:
        """All of them or none; with ``partial`` those without faults.

        More than 500 lines, or ``Prefer: respond-async``: 202, stored by a job, results at the upload that is answered.
        """
        return handling.write(request, lambda call: _load(call, data, partial=partial))


def _forecast(call: Call, source: str, external_id: str, warnings: tuple[str, ...] = ()) -> Reply:
    row = queries.forecast(call.session, call.who.sees, source, external_id)
    view = ForecastView(
        source=row.source,
        external_id=row.external_id,
        version=row.version,
        changed_at=row.changed_at,
        participant=row.participant,
        sent_as=row.sent_as,
        sent=msgspec.convert(row.document, ForecastBody),
        line=_line(call, row.line),
        warnings=list(warnings),
    )
    return Reply(view, version=row.version)


def _put(call: Call, source: str, external_id: str, data: ForecastBody) -> Reply:
    def expect(version: int | None) -> None:
        if version is None:
            call.expect_absent()
        else:
            call.expect(version)

    try:
        pushed = forecasts.put(
            call.session,
            source,
            bulk.entry_of(external_id, data),
            sender=sender_of(call.who),
            now=call.now,
            expect=expect,
            conditional="If-Match" in call.request.headers,
        )
    except forecasts.ForecastsRefused as refused:
        alone = [(fault.pointer.replace("#/lines/0", "#"), fault.code, fault.detail) for fault in refused.faults]
        raise forecasts.ForecastsRefused(alone) from refused
    shown = _forecast(call, source, external_id, pushed.warnings)
    if pushed.results[0].status == forecasts.CREATED:
        return created(shown.body, location=call.request.url.path, version=shown.version)
    return shown


def _load(call: Call, data: Bulk, *, partial: bool) -> Reply:
    cycle_closing.lock(call.session)
    sender = sender_of(call.who)
    goes_to = sent_for.named(call.session, data.cycle, data.correction_reason, sender=sender, now=call.now)
    if len(data.lines) > AT_ONCE or call.prefers_async:
        upload = uploads.receive_lines(
            call.session,
            msgspec.json.encode(data),
            source=data.source,
            sender=sender,
            partial=partial,
            now=call.now,
            goes_to=goes_to,
        )
        return accepted(upload_view(upload), operation=upload.job)
    pushed = bulk.push(call.session, data, sender=sender, partial=partial, now=call.now, sent_for=goes_to)
    return Reply(views.bulk_result(pushed))


ROUTES = (LineController, SubmissionController, ForecastController, CycleDemandController)
