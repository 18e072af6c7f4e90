"""Work that goes on after its request was answered: a job as the API shows it, followed and cancelled.

Whoever asked for an operation sees it, planners and auditors see all, administrators also the service's own.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from pooling import audit
from pooling.access.projection import OPEN, PLANNERS
from pooling.access.rules import Principal, Role
from pooling.calls import RETRY_AFTER_S, Asked, Call, Reply
from pooling.endpoints import get, transition
from pooling.errors import NotFound
from pooling.jobs import queries, service
from pooling.jobs.queries import Filter, Visible
from pooling.jobs.rules import FINAL, Status
from pooling.jobs.tables import Job
from pooling.paging import DEFAULT_LIMIT, page_of
from pooling.parameters import Cursor, Handled, Limit

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]
OfKind = FromQuery[
    Annotated[str | None, QueryParameter(min_length=1, max_length=60, description="such as uploads.store")]
]
OfStatus = FromQuery[Annotated[State | None, QueryParameter(description="operations that stand so")]]


COUNTS = frozenset({"stage", "done", "of", "rows", "lines", "found", "total", "dropped", "sealed"})
"""What progress and results may tell to whoever asked, whatever may be seen by now: how far, how many, no amounts."""


class Failure(msgspec.Struct, frozen=True):
    """Why an operation failed, or did at its latest attempt."""

    code: Annotated[str, Meta(description="stable, see the list of refusals")]
    detail: str


class OperationView(msgspec.Struct, frozen=True, kw_only=True):
    """Work under way, or done."""

    id: UUID
    kind: Annotated[str, Meta(description="what is done, such as uploads.store")]
    status: State
    created_at: datetime
    started_at: Annotated[datetime | None, Meta(description="of the latest attempt")]
    finished_at: datetime | None
    attempts: Annotated[int, OPEN, Meta(ge=0)]
    cancel_requested: bool
    progress: Annotated[dict[str, Any] | None, OPEN, Meta(description="what the work has told last")]
    location: Annotated[str | None, Meta(description="address of what was made, once succeeded")]
    result: Annotated[dict[str, Any] | None, OPEN, Meta(description="what else came of it, once succeeded")]
    figures: Annotated[dict[str, Any] | None, PLANNERS, Meta(description="what it told besides stage and counts")] | (
        UnsetType
    ) = UNSET
    problem: Failure | None


class OperationPage(msgspec.Struct, frozen=True):
    """Operations, the latest first."""

    items: list[OperationView]
    next_cursor: str | None


def operation_view(job: Job) -> OperationView:
    """A job as the API shows it."""
    result, progress = dict(job.result or {}), dict(job.progress or {})
    location = result.pop("location", None)
    figures = {name: value for name, value in {**progress, **result}.items() if name not in COUNTS}
    return OperationView(
        id=job.id,
        kind=job.kind,
        status=Status(job.status).value,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        attempts=job.attempts,
        cancel_requested=job.cancel_requested_at is not None,
        progress=_counts(progress),
        location=location,
        result=_counts(result),
        figures=figures or UNSET,
        problem=Failure(job.problem["code"], job.problem["detail"]) if job.problem else None,
    )


def _counts(told: Mapping[str, Any]) -> dict[str, Any] | None:
    return {name: value for name, value in told.items() if name in COUNTS} or None


def visible_to(who: Principal) -> Visible:
    """Which operations somebody may see."""
    return Visible(who.id, all=who.sees.all, service=Role.ADMINISTRATOR in who.roles)


def _shown(call: Call, job: Job) -> Reply:
    headers = {} if job.status in FINAL else {"Retry-After": str(RETRY_AFTER_S)}
    view = operation_view(job)
    return Reply(view, version=call.version_shown(view), headers=headers)


def _one(call: Call, operation: UUID, *, visible: Visible, lock: bool = False) -> Job:
    job = queries.one(call.session, operation, visible, lock=lock)
    if job is None:
        raise NotFound(f"operation {operation}: there is none that you may see; it is kept for 30 days after its end")
    return job


def _cancelled(call: Call, operation: UUID) -> Reply:
    """Asked to stop by whoever may: who asked for it, or a planner."""
    visible = Visible(call.who.id, all=Role.PLANNER in call.who.roles, service=Role.ADMINISTRATOR in call.who.roles)
    seen = _one(call, operation, visible=visible, lock=True)
    call.expect_if_sent(call.version_shown(operation_view(seen)))
    job = service.cancel(call.session, operation, now=call.now)
    audit.acted(call.session, call.operation, resource=("operation", operation))
    return _shown(call, job if job is not None else _one(call, operation, visible=visible))


class OperationController(Controller):
    """Work that goes on after its request was answered."""

    path = "/v1/operations"
    tags = ("operations",)

    @get("/", "operations.list", "Operations")
    def list_all(
        self,
        request: Asked,
        handling: Handled,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        kind: OfKind = None,
        status: OfStatus = None,
    ) -> Response[OperationPage]:
        """Those asked for by whoever asks now; planners and auditors see all. The latest first."""

        def work(call: Call) -> Reply:
            window = call.window(cursor, limit)
            chosen = Filter(kind, Status(status) if status else None)
            found = queries.listed(call.session, visible_to(call.who), window, chosen)
            page = page_of(found, window, key=lambda job: (job.created_at, job.id))
            return call.page(page, OperationPage, view=operation_view)

        return handling.read(request, work)

    @get("/{operation:uuid}", "operations.read", "An operation")
    def read(self, request: Asked, handling: Handled, operation: FromPath[UUID]) -> Response[OperationView]:
        """How far it is; once done, where its result is or why it failed. Ask again after Retry-After seconds."""
        return handling.read(request, lambda call: _shown(call, _one(call, operation, visible=visible_to(call.who))))

    @transition("/{operation:uuid}/cancel", "operations.cancel", "Cancel an operation", needs_version=False)
    def cancel(self, request: Asked, handling: Handled, operation: FromPath[UUID]) -> Response[OperationView]:
        """Asks it to stop; safe to repeat. What waits is cancelled at once, what runs shortly, what is done stays.
        Needs no If-Match; one that is sent must be of the operation as it stands."""
        return handling.write(request, lambda call: _cancelled(call, operation))


ROUTES = (OperationController,)
