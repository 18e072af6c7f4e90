"""Forecasts over HTTP: one at a time, or many."""

import msgspec
from litestar import Controller, Response
from litestar.params import JSONBody

from pooling.calls import Asked, Call, Reply, accepted, gone
from pooling.demand import (
    bulk,
    cycle_closing,
    forecasts,
    queries,
    sent_for,
    uploads,
)
from pooling.demand.asked import ExternalId, OfSource, Partial, SourceName, line_of, sender_of
from pooling.demand.forecast_views import (
    Bulk,
    BulkResult,
    ForecastBody,
    ForecastItem,
    ForecastPage,
    ForecastView,
    bulk_result,
)
from pooling.demand.pushed import ForecastsRefused
from pooling.demand.upload_views import UploadView, upload_view
from pooling.endpoints import delete, get, post, put
from pooling.paging import DEFAULT_LIMIT, page_of
from pooling.parameters import Cursor, Handled, Limit
from pooling.problems import ACCEPTED, CREATED, OK

AT_ONCE = 500
"""More lines than these are stored by a job; a request then says 202."""


class ForecastController(Controller):
    """Lines that a sender's system keeps up to date under ids of its own."""

    path = "/v1/forecasts"
    tags = ("demand",)

    @get("/", "forecasts.list", "Forecasts")
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

    @get("/{source:str}/{external_id:str}", "forecasts.read", "A forecast")
    def read(
        self, request: Asked, handling: Handled, source: SourceName, external_id: ExternalId
    ) -> Response[ForecastView]:
        """A forecast as it was sent, and the line made of it."""
        return handling.read(request, lambda call: _forecast(call, source, external_id))

    @put("/{source:str}/{external_id:str}", "forecasts.write", "Set a forecast", also={CREATED: ForecastView})
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

    @delete("/{source:str}/{external_id:str}", "forecasts.delete", "Delete a forecast")
    def remove(self, request: Asked, handling: Handled, source: SourceName, external_id: ExternalId) -> Response[None]:
        """Its line counts no longer. Needs If-Match."""

        def work(call: Call) -> Reply:
            forecasts.delete(
                call.session, source, external_id, sender=sender_of(call.who), now=call.now, expect=call.expect
            )
            return gone()

        return handling.write(request, work)

    @post("/", "forecasts.load", "Set many forecasts", also={ACCEPTED: UploadView}, status_code=OK)
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
        line=line_of(call, row.line),
        warnings=list(warnings),
    )
    return Reply(view, version=row.version)


def _put(call: Call, source: str, external_id: str, data: ForecastBody) -> Reply:
    try:
        return call.put(
            lambda expect: forecasts.put(
                call.session,
                source,
                bulk.entry_of(external_id, data),
                sender=sender_of(call.who),
                now=call.now,
                expect=expect,
                conditional="If-Match" in call.request.headers,
            ),
            lambda pushed: _forecast(call, source, external_id, pushed.warnings),
        )
    except ForecastsRefused as refused:
        alone = [(fault.pointer.replace("#/lines/0", "#"), fault.code, fault.detail) for fault in refused.faults]
        raise ForecastsRefused(alone) from refused


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
    return Reply(bulk_result(pushed))
