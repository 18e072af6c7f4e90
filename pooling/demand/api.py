"""Lines, submissions and forecasts over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, Response
from litestar.params import FromPath, FromQuery, QueryParameter

from pooling.calls import Asked, Call, Reply
from pooling.demand import (
    change_views,
    queries,
    shown,
    uploads,
    versions,
    withdrawing,
)
from pooling.demand.asked import LineId, OfCycle, OfSource, line_of, sender_of
from pooling.demand.change_views import SubmissionChanges
from pooling.demand.cycle_api import CycleDemandController
from pooling.demand.forecast_api import ForecastController
from pooling.demand.views import LineDetail, LinePage, SubmissionPage, SubmissionReport, SubmissionView
from pooling.endpoints import get, transition
from pooling.paging import DEFAULT_LIMIT, page_of
from pooling.parameters import Cursor, Handled, Limit

MOST_WAITING = 1_000

OfParticipant = FromQuery[Annotated[str | None, QueryParameter(max_length=40, description="who holds the demand")]]
OfCategory = FromQuery[Annotated[str | None, QueryParameter(max_length=80, description="id of a category")]]
OfSubmission = FromQuery[Annotated[UUID | None, QueryParameter(description="lines of this submission alone")]]
Against = FromQuery[
    Annotated[UUID | None, QueryParameter(description="another submission; left out: the version before")]
]
Live = FromQuery[Annotated[bool, QueryParameter(description="false: those too whose place others have taken")]]
Doubtful = FromQuery[
    Annotated[bool, QueryParameter(description="true: lines with doubts alone, as they are now, each with its doubts")]
]
Status = FromQuery[
    Annotated[
        Literal["accepted", "superseded", "withdrawn"] | None, QueryParameter(description="with this status alone")
    ]
]


class LineController(Controller):
    """Demand, a line at a time."""

    path = "/v1/lines"
    tags = ("demand",)

    @get("/", "lines.list", "Lines")
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
        doubtful: Doubtful = False,
    ) -> Response[LinePage]:
        """Yearly demand in base units; one's own, or everybody's for planners and auditors."""

        def work(call: Call) -> Reply:
            window = call.window(cursor, limit)
            found = queries.lines(
                call.opened,
                call.who.sees,
                window,
                live=live,
                participant=participant,
                category=category,
                submission=submission,
                doubtful=doubtful,
            )
            page = page_of(shown.line_views(found), window, key=lambda line: (line.id,))
            if not doubtful:
                return call.page(page, LinePage)
            doubts = queries.flags(call.session, [line.id for line in page.items])
            return call.page(page, LinePage, view=lambda line: shown.doubted(line, doubts.get(line.id, ())))

        return handling.read(request, work)

    @get("/{line_id:int}", "lines.read", "A line")
    def read(self, request: Asked, handling: Handled, line_id: LineId) -> Response[LineDetail]:
        """A line with its provenance: file and row by hash, mapping, words as written, exchange rate and its day."""
        return handling.read(request, lambda call: line_of(call, line_id))


class SubmissionController(Controller):
    """Sets of lines sent together."""

    path = "/v1/submissions"
    tags = ("demand",)

    @get("/", "submissions.list", "Submissions")
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
            return call.page(page, SubmissionPage, view=lambda row: shown.submission_view(row, owners[row.id]))

        return handling.read(request, work)

    @get("/{submission_id:uuid}", "submissions.read", "A submission")
    def read(self, request: Asked, handling: Handled, submission_id: FromPath[UUID]) -> Response[SubmissionView]:
        """A submission with its counts."""
        return handling.read(request, lambda call: _submission(call, submission_id))

    @get("/{submission_id:uuid}/report", "submissions.report", "What a submission was found to hold")
    def report(self, request: Asked, handling: Handled, submission_id: FromPath[UUID]) -> Response[SubmissionReport]:
        """Counts by fault and reason, warnings, and the rows that still wait for a mapping."""

        def work(call: Call) -> SubmissionReport:
            record = queries.submission(call.session, call.who, submission_id)
            owners = queries.owners(call.session, [submission_id])[submission_id]
            waiting = queries.waiting(call.session, submission_id, MOST_WAITING)
            upload = uploads.of_submission(call.session, submission_id)
            return shown.submission_report(record, owners, waiting, upload)

        return handling.read(request, work)

    @get("/{submission_id:uuid}/changes", "submissions.changes", "What a submission changed")
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

    @transition("/{submission_id:uuid}/withdraw", "submissions.withdraw", "Withdraw a submission")
    def withdraw(self, request: Asked, handling: Handled, submission_id: FromPath[UUID]) -> Response[SubmissionView]:
        """Its lines count no longer; they stay on record. Needs If-Match."""

        def work(call: Call) -> Reply:
            withdrawing.withdraw(call.session, submission_id, sender=sender_of(call.who), expect=call.expect)
            return _submission(call, submission_id)

        return handling.write(request, work)


def _submission(call: Call, submission_id: UUID) -> Reply:
    record = queries.submission(call.session, call.who, submission_id)
    owners = queries.owners(call.session, [submission_id])[submission_id]
    return Reply(shown.submission_view(record, owners), version=record.version)


ROUTES = (LineController, SubmissionController, ForecastController, CycleDemandController)
