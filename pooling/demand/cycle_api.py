"""What happens to a cycle where its lines are known, over HTTP: it closes and is reopened."""

from litestar import Controller, Response
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from pooling.calls import Asked, Call, Reply
from pooling.cycles.api import CycleCode
from pooling.cycles.views import CycleView, Reopening, cycle_view
from pooling.demand import coverage, cycle_closing
from pooling.demand.coverage_views import CoverageView, coverage_view
from pooling.endpoints import get, transition
from pooling.parameters import Handled


class CycleDemandController(Controller):
    """The demand of planning rounds."""

    path = "/v1/cycles"
    tags = ("cycles",)

    @get("/{code:str}/coverage", "cycles.coverage", "Who has sent what")
    def coverage(self, request: Asked, handling: Handled, code: CycleCode) -> Response[CoverageView]:
        """By participant, by inhabitants and by spend; a coordinator sees the own participants' rows."""
        return handling.read(request, lambda call: coverage_view(coverage.of(call.session, code)))

    @transition("/{code:str}/close", "cycles.close", "Close a cycle")
    def close(self, request: Asked, handling: Handled, code: CycleCode) -> Response[CycleView]:
        """Takes demand no longer and freezes the lines in force, before its last day has ended. Needs If-Match."""

        def work(call: Call) -> Reply:
            record = cycle_closing.close(call.session, code, now=call.now, expect=call.expect)
            return Reply(cycle_view(record), version=record.version)

        return handling.write(request, work)

    @transition("/{code:str}/reopen", "cycles.reopen", "Reopen a cycle")
    def reopen(
        self, request: Asked, handling: Handled, code: CycleCode, data: JSONBody[Reopening]
    ) -> Response[CycleView]:
        """Takes demand again, where it is not planned yet; its lines are frozen anew at its end. Needs If-Match."""

        def work(call: Call) -> Reply:
            record = cycle_closing.reopen(
                call.session,
                code,
                closes_on=data.closes_on,
                reason=data.reason,
                now=call.now,
                expect=call.expect,
            )
            return Reply(cycle_view(record), version=record.version)

        return handling.write(request, work)


ROUTES: tuple[ControllerRouterHandler, ...] = (CycleDemandController,)
