"""What follows the hand-over, over HTTP: call-offs, what is left, and the effect."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from pooling.agreements import queries, service, views
from pooling.agreements.api_effect import EffectController, PublicController
from pooling.calls import Asked, Call, Reply, created
from pooling.endpoints import get, post, transition
from pooling.errors import NotFound, WrongState
from pooling.paging import DEFAULT_LIMIT
from pooling.parameters import Cursor, Handled, Limit

OfTender = FromQuery[Annotated[UUID | None, QueryParameter(description="only those under this agreement")]]
Of = FromQuery[Annotated[str | None, QueryParameter(max_length=40, description="only this participant's")]]
Gone = FromQuery[Annotated[bool, QueryParameter(description="true: those too that were taken back")]]


class AgreementController(Controller):
    """Agreements: tenders that were handed over, under the same id."""

    path = "/v1/tenders"
    tags = ("agreements",)

    @get("/{tender_id:uuid}/allowances", "allowances.read", "What may still be called off")
    def allowances(
        self, request: Asked, handling: Handled, tender_id: FromPath[UUID]
    ) -> Response[views.AllowancesView]:
        """Estimate, maximum, what was called off and what is left: of each buyer that may be seen."""

        def work(call: Call) -> Reply:
            try:
                agreement = service.agreement_of(call.session, call.who.sees, tender_id)
            except WrongState as early:
                raise NotFound(str(early)) from early
            return Reply(views.allowances_view(agreement))

        return handling.read(request, work)

    @post("/{tender_id:uuid}/call-offs", "call-offs.create", "Call off")
    def create(
        self, request: Asked, handling: Handled, tender_id: FromPath[UUID], data: JSONBody[views.NewCallOff]
    ) -> Response[views.PlacedCallOff]:
        """Orders under an agreement, up to the maximum of the buyer and of the lot; beyond is ``maximum-reached``. A
        buyer refused for the lot's sake, or that took one back, needs a planner for the next (``planner-needed``)."""

        def work(call: Call) -> Reply:
            sees = call.who.sees
            try:
                made = service.place_call_off(
                    call.session, tender_id, data.ordered(), sees=sees, by=call.who.id, now=call.now
                )
            except service.LotFull as full:
                service.hold(call.session, full.place, now=call.now)
                return Reply(refusal=full)
            record = queries.call_off_of(call.session, sees, made)
            shown = views.placed(record, service.agreement_of(call.session, sees, tender_id))
            return created(shown, location=f"/v1/call-offs/{made}", version=record.row.version)

        return handling.write(request, work)


class CallOffController(Controller):
    """Call-offs."""

    path = "/v1/call-offs"
    tags = ("agreements",)

    @get("/", "call-offs.list", "Call-offs")
    def list_call_offs(
        self,
        request: Asked,
        handling: Handled,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        tender: OfTender = None,
        participant: Of = None,
        cancelled: Gone = False,
    ) -> Response[views.CallOffPage]:
        """Call-offs, the latest first."""

        def work(call: Call) -> Reply:
            found = queries.call_offs(
                call.session,
                call.who.sees,
                call.window(cursor, limit),
                tender=tender,
                participant=participant,
                cancelled=cancelled,
            )
            return call.page(found, views.CallOffPage, view=views.call_off_view)

        return handling.read(request, work)

    @get("/{call_off_id:uuid}", "call-offs.read", "A call-off")
    def read(self, request: Asked, handling: Handled, call_off_id: FromPath[UUID]) -> Response[views.CallOffView]:
        """What was called off, by whom and when, and whether it was taken back."""
        return handling.read(request, lambda call: _call_off(call, call_off_id))

    @transition("/{call_off_id:uuid}/cancel", "call-offs.cancel", "Take a call-off back")
    def cancel(
        self, request: Asked, handling: Handled, call_off_id: FromPath[UUID], data: JSONBody[views.Cancelled]
    ) -> Response[views.CallOffView]:
        """It stays on record and counts no longer. Needs If-Match."""

        def work(call: Call) -> Reply:
            service.cancel(
                call.session,
                call_off_id,
                reason=data.reason,
                sees=call.who.sees,
                by=call.who.id,
                now=call.now,
                expect=call.expect,
            )
            return _call_off(call, call_off_id)

        return handling.write(request, work)


def _call_off(call: Call, key: UUID) -> Reply:
    record = queries.call_off_of(call.session, call.who.sees, key)
    return Reply(views.call_off_view(record), version=record.row.version)


ROUTES: tuple[ControllerRouterHandler, ...] = (
    AgreementController,
    CallOffController,
    EffectController,
    PublicController,
)
