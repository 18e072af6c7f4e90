"""Repairs of tenders over HTTP."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response
from litestar.params import FromPath, JSONBody, PathParameter

from pooling.calls import Asked, Call, Reply, accepted
from pooling.endpoints import get, post, transition
from pooling.paging import DEFAULT_LIMIT
from pooling.parameters import Cursor, Handled, Limit
from pooling.problems import ACCEPTED
from pooling.tenders import repair_asking, repair_views, repairs, showing, views
from pooling.tenders.asking import ApplyRepair, NewRepairs
from pooling.tenders.deciding import Decision

Number = FromPath[Annotated[int, PathParameter(ge=1, le=2**31 - 1, description="of the option")]]


class RepairController(Controller):
    """What would bring a tender back that falls short."""

    path = "/v1/tenders/{tender_id:uuid}/repairs"
    tags = ("tenders",)

    @post("/", "tender-repairs.create", "Look for repairs", status_code=ACCEPTED)
    def create(
        self, request: Asked, handling: Handled, tender_id: FromPath[UUID], data: JSONBody[NewRepairs]
    ) -> Response[repair_views.RepairAsked]:
        """Plans the lines that still want in again: with another lead, with lines of no tender, on other offers, at
        another start, and with fewer lines; answers are taken as they are now."""

        def work(call: Call) -> Reply:
            limit = data.time_limit_s
            job = repair_asking.look_later(call.session, tender_id, time_limit_s=limit, now=call.now, by=call.who.id)
            return accepted(repair_views.RepairAsked(tender_id, f"/v1/operations/{job}"), operation=job)

        return handling.write(request, work)

    @get("/", "tender-repairs.list", "Repairs found")
    def list_repairs(
        self,
        request: Asked,
        handling: Handled,
        tender_id: FromPath[UUID],
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Response[repair_views.RepairPage]:
        """The options that were found, with who joins or leaves and what each is worth."""

        def work(call: Call) -> Reply:
            page = repairs.repairs_of(call.session, call.window(cursor, limit), tender_id, now=call.now)
            return call.page(page, repair_views.RepairPage, view=showing.repair)

        return handling.read(request, work)

    @transition("/{number:int}/apply", "tender-repairs.apply", "Apply a repair")
    def apply(
        self,
        request: Asked,
        handling: Handled,
        tender_id: FromPath[UUID],
        number: Number,
        data: JSONBody[ApplyRepair],
    ) -> Response[views.TenderView]:
        """Changes the tender as the option says. Where lines only join, answers stand and those whose lines join are
        asked; else everybody is asked again. Needs If-Match."""

        def work(call: Call) -> Reply:
            decision = Decision(call.who.id, call.now, call.expect, data.reason)
            repairs.apply(call.session, tender_id, number, decision, due=data.due)
            view = showing.tender(call.session, tender_id)
            return Reply(view, version=view.version)

        return handling.write(request, work)
