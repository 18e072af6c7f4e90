"""Plans over HTTP: plans, their pools, and what became of each line."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response
from litestar.params import FromPath, FromQuery, PathParameter, QueryParameter

from pooling.calls import Asked, Call, Reply
from pooling.endpoints import get
from pooling.paging import DEFAULT_LIMIT
from pooling.parameters import Cursor, Handled, Limit
from pooling.planning import answers, outcomes, pool_answers, showing

Key = FromPath[Annotated[int, PathParameter(ge=1, le=2**63 - 1)]]
OfPlan = FromQuery[Annotated[UUID | None, QueryParameter(description="left out: the latest plan")]]
Family = FromQuery[Annotated[str | None, QueryParameter(max_length=80, description="only this family's")]]
Pooled = FromQuery[Annotated[bool | None, QueryParameter(description="only lines in pools, or only those left out")]]
Reason = FromQuery[Annotated[str | None, QueryParameter(max_length=24, description="only lines left out for it")]]


class PlanController(Controller):
    """Stored plans. They never change; their version counts what was found out about them since."""

    path = "/v1/plans"
    tags = ("plans",)

    @get("/", "plans.list", "Plans")
    def list_plans(
        self, request: Asked, handling: Handled, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
    ) -> Response[answers.PlanPage]:
        """Plans, the latest first."""

        def work(call: Call) -> Reply:
            return call.page(showing.plans(call.session, call.window(cursor, limit)), answers.PlanPage)

        return handling.read(request, work)

    @get("/{plan_id:uuid}", "plans.read", "A plan")
    def read(self, request: Asked, handling: Handled, plan_id: FromPath[UUID]) -> Response[answers.Plan]:
        """What it rested on, what it comes to, and how good it is proven to be."""

        def work(call: Call) -> Reply:
            plan = showing.plan(call.session, plan_id)
            return Reply(plan, version=plan.version)

        return handling.read(request, work)

    @get("/{plan_id:uuid}/lines", "outcomes.list", "What became of lines")
    def list_outcomes(
        self,
        request: Asked,
        handling: Handled,
        plan_id: FromPath[UUID],
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        pooled: Pooled = None,
        reason: Reason = None,
    ) -> Response[pool_answers.OutcomePage]:
        """In which pool each line is and what it gains there, or the one reason why it stays out, with figures."""

        def work(call: Call) -> Reply:
            window = call.window(cursor, limit)
            page = outcomes.outcomes(call.session, call.who.sees, window, plan=plan_id, pooled=pooled, reason=reason)
            return call.page(page, pool_answers.OutcomePage)

        return handling.read(request, work)

    @get("/{plan_id:uuid}/lines/{line_id:int}", "outcomes.read", "One line's")
    def read_outcome(
        self, request: Asked, handling: Handled, plan_id: FromPath[UUID], line_id: Key
    ) -> Response[pool_answers.Outcome]:
        """What became of one line."""
        return handling.read(
            request, lambda call: outcomes.outcome(call.session, call.who.sees, plan=plan_id, line=line_id)
        )


class PoolController(Controller):
    """Pools of stored plans: proposed joint tenders."""

    path = "/v1/pools"
    tags = ("plans",)

    @get("/", "pools.list", "Pools")
    def list_pools(
        self,
        request: Asked,
        handling: Handled,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        plan: OfPlan = None,
        family: Family = None,
    ) -> Response[pool_answers.PoolPage]:
        """The pools of a plan by start and family; a coordinator's are those with own lines."""

        def work(call: Call) -> Reply:
            window = call.window(cursor, limit)
            page = showing.pools(call.opened, call.who.sees, window, plan=plan, family=family)
            return call.page(page, pool_answers.PoolPage)

        return handling.read(request, work)

    @get("/{pool_id:int}", "pools.read", "A pool")
    def read(self, request: Asked, handling: Handled, pool_id: Key) -> Response[pool_answers.Pool]:
        """Its lots and lines; a coordinator is shown own lines and the lots they are in."""
        return handling.read(request, lambda call: showing.pool(call.session, call.who.sees, pool_id))
