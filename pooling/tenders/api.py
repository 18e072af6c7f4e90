"""Joint tenders over HTTP."""

from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, Response
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from litestar.types import ControllerRouterHandler

from pooling.calls import Asked, Call, Reply
from pooling.endpoints import get, patch, transition
from pooling.paging import DEFAULT_LIMIT
from pooling.parameters import Cursor, Handled, Limit
from pooling.tenders import changing, deciding, queries, showing, views
from pooling.tenders.api_answers import AnswerController
from pooling.tenders.api_cycle import CycleTenderController
from pooling.tenders.api_notice import NoticeController
from pooling.tenders.api_repairs import RepairController
from pooling.tenders.api_scenarios import CycleScenarioController
from pooling.tenders.asking import ChangeTender, Deciding, Inviting, Rejecting
from pooling.tenders.deciding import Decision

OfCycle = FromQuery[Annotated[str | None, QueryParameter(max_length=40, description="code of a cycle")]]
WithStatus = FromQuery[
    Annotated[
        Literal["proposed", "under-review", "invited", "confirmed", "handed-over", "rejected", "expired"] | None,
        QueryParameter(description="with this status alone"),
    ]
]
Tender = FromPath[UUID]


class TenderController(Controller):
    """Joint tenders: pools that planners took up in a cycle."""

    path = "/v1/tenders"
    tags = ("tenders",)

    @get("/", "tenders.list", "Tenders")
    def list_tenders(
        self,
        request: Asked,
        handling: Handled,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        cycle: OfCycle = None,
        status: WithStatus = None,
    ) -> Response[views.TenderPage]:
        """Tenders by start; of these a region sees those it is a member of."""

        def work(call: Call) -> Reply:
            window = call.window(cursor, limit)
            page = queries.tenders(call.session, call.who.sees, window, cycle=cycle, status=status)
            return call.page(page, views.TenderPage, view=showing.item)

        return handling.read(request, work)

    @get("/{tender_id:uuid}", "tenders.read", "A tender")
    def read(self, request: Asked, handling: Handled, tender_id: Tender) -> Response[views.TenderView]:
        """Where it stands, its lots, its members and their answers; of these a region sees its own."""
        return handling.read(request, lambda call: _tender(call, tender_id))

    @get("/{tender_id:uuid}/history", "tenders.history", "Its history")
    def history(
        self,
        request: Asked,
        handling: Handled,
        tender_id: Tender,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Response[views.EventPage]:
        """What was done to it, by whom, when and why, in order; others' answers are for planners, and so is who of the
        planners it was and why they changed what they prepared."""

        def work(call: Call) -> Reply:
            window = call.window(cursor, limit)
            queries.visible(call.session, call.who.sees, tender_id)
            page = queries.events_of(call.session, call.who.sees, window, tender_id)
            return call.page(page, views.EventPage, view=partial(showing.event, sees=call.who.sees))

        return handling.read(request, work)

    @patch("/{tender_id:uuid}", "tenders.update", "Change a tender")
    def update(
        self, request: Asked, handling: Handled, tender_id: Tender, data: JSONBody[ChangeTender]
    ) -> Response[views.TenderView]:
        """Lead, depth, lock, note, last day for answers, facts that the law asks for. Another lead or depth are other
        terms: members who committed are asked again. Needs If-Match."""

        def work(call: Call) -> Reply:
            changing.change(call.session, tender_id, _decision(call, data.reason), data.changes())
            return _tender(call, tender_id)

        return handling.write(request, work)

    @transition("/{tender_id:uuid}/review", "tenders.review", "Review")
    def review(
        self, request: Asked, handling: Handled, tender_id: Tender, data: JSONBody[Deciding]
    ) -> Response[views.TenderView]:
        """Takes a proposed tender up for review. Needs If-Match."""

        def work(call: Call) -> Reply:
            deciding.review(call.session, tender_id, _decision(call, data.reason))
            return _tender(call, tender_id)

        return handling.write(request, work)

    @transition("/{tender_id:uuid}/invite", "tenders.invite", "Invite its members")
    def invite(
        self, request: Asked, handling: Handled, tender_id: Tender, data: JSONBody[Inviting]
    ) -> Response[views.TenderView]:
        """Asks the members for answers until the end of the due day, where the cycle is. Needs If-Match."""

        def work(call: Call) -> Reply:
            deciding.invite(call.session, tender_id, _decision(call, data.reason), due=data.due)
            return _tender(call, tender_id)

        return handling.write(request, work)

    @transition("/{tender_id:uuid}/confirm", "tenders.confirm", "Confirm")
    def confirm(
        self, request: Asked, handling: Handled, tender_id: Tender, data: JSONBody[Deciding]
    ) -> Response[views.TenderView]:
        """Decides on it: the buyers are named and fixed, with estimate and maximum for each. Everybody must have
        answered, and it must hold with those who committed. Needs If-Match."""

        def work(call: Call) -> Reply:
            deciding.confirm(call.session, tender_id, _decision(call, data.reason))
            return _tender(call, tender_id)

        return handling.write(request, work)

    @transition("/{tender_id:uuid}/hand-over", "tenders.hand-over", "Hand over")
    def hand_over(
        self, request: Asked, handling: Handled, tender_id: Tender, data: JSONBody[Deciding]
    ) -> Response[views.TenderView]:
        """Hands a confirmed tender over: from here on it is the agreement that its buyers call off from. Needs
        If-Match."""

        def work(call: Call) -> Reply:
            deciding.hand_over(call.session, tender_id, _decision(call, data.reason))
            return _tender(call, tender_id)

        return handling.write(request, work)

    @transition("/{tender_id:uuid}/reject", "tenders.reject", "Reject")
    def reject(
        self, request: Asked, handling: Handled, tender_id: Tender, data: JSONBody[Rejecting]
    ) -> Response[views.TenderView]:
        """Gives it up before it is confirmed; its lines are free for the next run. Needs If-Match."""

        def work(call: Call) -> Reply:
            deciding.reject(call.session, tender_id, _decision(call, data.reason))
            return _tender(call, tender_id)

        return handling.write(request, work)

    @get("/{tender_id:uuid}/standing", "standings.read", "How it stands")
    def standing(self, request: Asked, handling: Handled, tender_id: Tender) -> Response[views.Standings]:
        """Judged as it is answered now: volumes against tipping volumes, authorities, lead, who would be worse off."""
        return handling.read(request, lambda call: showing.standings(call.session, tender_id))

    @get("/{tender_id:uuid}/consequences", "consequences.read", "What the law asks of it")
    def consequences(self, request: Asked, handling: Handled, tender_id: Tender) -> Response[views.Consequences]:
        """Every rule by the law of the day of the notice: whether it applies, why, and what follows."""
        return handling.read(request, lambda call: showing.law(call.session, tender_id))


def _tender(call: Call, tender: UUID) -> Reply:
    queries.visible(call.session, call.who.sees, tender)
    view = showing.tender(call.session, tender)
    return Reply(view, version=view.version)


def _decision(call: Call, reason: str | None) -> Decision:
    return Decision(call.who.id, call.now, call.expect, reason)


ROUTES: tuple[ControllerRouterHandler, ...] = (
    TenderController,
    AnswerController,
    RepairController,
    CycleTenderController,
    CycleScenarioController,
    NoticeController,
)
