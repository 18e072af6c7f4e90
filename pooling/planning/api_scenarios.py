"""What-ifs and scenarios over HTTP."""

from uuid import UUID

from litestar import Controller, Response
from litestar.params import FromPath, JSONBody

from pooling.calls import Asked, Call, Reply, accepted, created
from pooling.endpoints import get, post
from pooling.paging import DEFAULT_LIMIT
from pooling.parameters import Cursor, Handled, Limit
from pooling.planning import comparisons, explaining, policies, scenario_plans, scenario_sets, whatifs
from pooling.planning.asking import ChosenScenario, NewScenarios, NewWhatIf
from pooling.planning.solving import Effort
from pooling.preconditions import preferences
from pooling.problems import ACCEPTED, OK


class WhatIfController(Controller):
    """What changes would do to a stored plan; the plan stays as it is."""

    path = "/v1"
    tags = ("explanations",)

    @post(
        "/plans/{plan_id:uuid}/what-if",
        "what-ifs.create",
        "What would change if",
        status_code=OK,
        opt={"reads": True},
        also={ACCEPTED: comparisons.WhatIf},
    )
    def create(
        self, request: Asked, handling: Handled, plan_id: FromPath[UUID], data: JSONBody[NewWhatIf]
    ) -> Response[comparisons.Difference]:
        """Within seconds, keeping nothing; with ``Prefer: respond-async`` (and an Idempotency-Key) as a job whose
        answer is kept and which may take longer."""

        def at_once(call: Call) -> Reply:
            found = whatifs.at_once(call.session, plan_id, data.given(), time_limit_s=data.time_limit_s)
            return Reply(explaining.difference(found))

        def later(call: Call) -> Reply:
            record = whatifs.later(
                call.session,
                plan_id,
                data.given(),
                time_limit_s=data.time_limit_s,
                now=call.now,
                by=call.who.id,
            )
            return accepted(explaining.what_if(record), operation=record.operation)

        if "respond-async" in preferences(request.headers.get("Prefer")):
            return handling.write(request, later)
        return handling.read(request, at_once)

    @get("/what-ifs/{what_if_id:uuid}", "what-ifs.read", "A what-if")
    def read(self, request: Asked, handling: Handled, what_if_id: FromPath[UUID]) -> Response[comparisons.WhatIf]:
        """What was asked as a job, and the answer once it is there."""
        return handling.read(request, lambda call: explaining.what_if(whatifs.what_if_of(call.session, what_if_id)))


class ScenarioController(Controller):
    """Grids over policy: a plan for every combination of values, and the frontiers among them."""

    path = "/v1/scenarios"
    tags = ("explanations",)

    @post("/", "scenarios.create", "Plan a grid", status_code=ACCEPTED)
    def create(
        self, request: Asked, handling: Handled, data: JSONBody[NewScenarios]
    ) -> Response[comparisons.Scenarios]:
        """On the demand as it is when a worker takes it up. Faults of the grid show there, each with its place."""

        def work(call: Call) -> Reply:
            given = None if data.policy is None else data.policy.given()
            policy = policies.asked_policy(call.session, name=data.policy_name, document=given, today=call.now.date())
            record = scenario_sets.ask(
                call.session,
                policy,
                data.values(),
                name=data.name,
                effort=Effort(data.time_limit_s, data.workers, data.seed),
                now=call.now,
                by=call.who.id,
                policy_name=data.policy_name,
            )
            return accepted(explaining.scenarios(record, whole=False), operation=record.operation)

        return handling.write(request, work)

    @get("/", "scenarios.list", "Scenarios")
    def list_scenarios(
        self, request: Asked, handling: Handled, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
    ) -> Response[comparisons.ScenarioPage]:
        """Grids asked for, the latest first, without what came of them."""

        def work(call: Call) -> Reply:
            page = scenario_sets.scenario_sets(call.session, call.window(cursor, limit))
            return call.page(page, comparisons.ScenarioPage, view=lambda each: explaining.scenarios(each, whole=False))

        return handling.read(request, work)

    @get("/{scenarios_id:uuid}", "scenarios.read", "A grid's plans")
    def read(self, request: Asked, handling: Handled, scenarios_id: FromPath[UUID]) -> Response[comparisons.Scenarios]:
        """Every point's figures, the frontiers, and the baselines beside the policy that the grid began with."""

        def work(call: Call) -> Reply:
            record = scenario_sets.scenarios_of(call.session, scenarios_id)
            return Reply(explaining.scenarios(record, whole=True))

        return handling.read(request, work)

    @post("/{scenarios_id:uuid}/plans", "scenario-plans.create", "Store a scenario's plan")
    def store_plan(
        self, request: Asked, handling: Handled, scenarios_id: FromPath[UUID], data: JSONBody[ChosenScenario]
    ) -> Response[comparisons.ScenarioPlan]:
        """Makes the plan of one point a plan like any other, judged again: to be shown, compared with others and taken
        into a cycle."""

        def work(call: Call) -> Reply:
            made = scenario_plans.store(call.session, scenarios_id, data.number, now=call.now)
            shown = comparisons.ScenarioPlan(
                scenarios=scenarios_id, number=data.number, plan=made.plan, again=made.again
            )
            return created(shown, location=f"/v1/plans/{made.plan}")

        return handling.write(request, work)
