"""Grids over policy on a cycle's lines, so that one of their plans can become its proposal."""

from typing import Annotated

from litestar import Controller, Response
from litestar.params import FromPath, JSONBody, PathParameter

from pooling.calls import Asked, Call, Reply, accepted
from pooling.cycles import service as cycles
from pooling.cycles.rules import Status
from pooling.cycles.views import CODE
from pooling.endpoints import post
from pooling.errors import WrongState
from pooling.parameters import Handled
from pooling.planning import explaining, policies, scenario_sets
from pooling.planning.asking import NewScenarios
from pooling.planning.comparisons import Scenarios
from pooling.planning.solving import Effort
from pooling.problems import ACCEPTED
from pooling.tenders.holding import holds

CycleCode = FromPath[Annotated[str, PathParameter(pattern=CODE, max_length=40)]]


class CycleScenarioController(Controller):
    """Scenarios of a cycle."""

    path = "/v1/cycles"
    tags = ("tenders",)

    @post("/{code:str}/scenarios", "cycle-scenarios.create", "Plan a grid of a cycle", status_code=ACCEPTED)
    def create(
        self, request: Asked, handling: Handled, code: CycleCode, data: JSONBody[NewScenarios]
    ) -> Response[Scenarios]:
        """A plan for every policy of a grid, on the lines that the cycle froze and with what is decided left as it is.
        Without a policy the grid begins with the cycle's."""

        def work(call: Call) -> Reply:
            cycle = cycles.cycle_of(call.session, code)
            if cycle.status not in (Status.CLOSED, Status.PLANNED):
                raise WrongState(f"cycle {code!r} is {cycle.status}; it is planned once it is closed")
            given = None if data.policy is None else data.policy.given()
            named = cycle.policy_name if data.policy_name is None and given is None else data.policy_name
            today = cycle.day(call.now)
            record = scenario_sets.ask(
                call.session,
                policies.asked_policy(call.session, name=named, document=given, today=today),
                data.values(),
                name=data.name,
                effort=Effort(data.time_limit_s, data.workers, data.seed),
                now=call.now,
                by=call.who.id,
                policy_name=named,
                cycle=code,
                holds=holds(call.session, code, today=today),
            )
            return accepted(explaining.scenarios(record, whole=False), operation=record.operation)

        return handling.write(request, work)
