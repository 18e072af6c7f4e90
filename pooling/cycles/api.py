"""Cycles over HTTP. Closing and reopening are demand's, which freezes the lines and lets them go."""

from typing import Annotated, Literal

from litestar import Controller, Response
from litestar.params import FromPath, FromQuery, JSONBody, PathParameter, QueryParameter
from litestar.types import ControllerRouterHandler

from pooling.calls import Asked, Call, Reply
from pooling.cycles import service, views
from pooling.cycles.views import CycleBody, CyclePage, CycleView, cycle_view
from pooling.endpoints import get, put, transition
from pooling.paging import DEFAULT_LIMIT
from pooling.parameters import Cursor, Handled, Limit
from pooling.problems import CREATED

CycleCode = FromPath[Annotated[str, PathParameter(pattern=views.CODE, max_length=40)]]
WithStatus = FromQuery[
    Annotated[
        Literal["announced", "open", "closed", "planned", "decided"] | None,
        QueryParameter(description="with this status alone"),
    ]
]


class CycleController(Controller):
    """Planning rounds: announced, open, closed, planned, decided."""

    path = "/v1/cycles"
    tags = ("cycles",)

    @get("/", "cycles.list", "Cycles")
    def list_cycles(
        self,
        request: Asked,
        handling: Handled,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        status: WithStatus = None,
    ) -> Response[CyclePage]:
        """Planning rounds, the latest to open first."""

        def work(call: Call) -> Reply:
            page = service.cycles(call.session, call.window(cursor, limit), status=status)
            return call.page(page, CyclePage, view=cycle_view)

        return handling.read(request, work)

    @get("/{code:str}", "cycles.read", "A cycle")
    def read(self, request: Asked, handling: Handled, code: CycleCode) -> Response[CycleView]:
        """Where it stands, and its days in the time zone it is run in."""

        def work(call: Call) -> Reply:
            record = service.cycle_of(call.session, code)
            return Reply(cycle_view(record), version=record.version)

        return handling.read(request, work)

    @put("/{code:str}", "cycles.write", "Set a cycle", also={CREATED: CycleView})
    def write(
        self, request: Asked, handling: Handled, code: CycleCode, data: JSONBody[CycleBody]
    ) -> Response[CycleView]:
        """Announces it, or changes it whole with If-Match. What has gone by cannot be changed any more."""

        def work(call: Call) -> Reply:
            return call.put(
                lambda expect: service.put(call.session, code, data.given(), now=call.now, expect=expect),
                lambda record: Reply(cycle_view(record), version=record.version),
            )

        return handling.write(request, work)

    @transition("/{code:str}/open", "cycles.open", "Open a cycle")
    def open(self, request: Asked, handling: Handled, code: CycleCode) -> Response[CycleView]:
        """Takes demand from now on, where its first day has not come yet. Needs If-Match."""

        def work(call: Call) -> Reply:
            record = service.open_cycle(call.session, code, now=call.now, expect=call.expect)
            return Reply(cycle_view(record), version=record.version)

        return handling.write(request, work)


ROUTES: tuple[ControllerRouterHandler, ...] = (CycleController,)
