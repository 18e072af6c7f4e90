"""Findings about plans over HTTP: what nearly was, who gains what, what may go wrong, what would let a line in."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response
from litestar.params import FromPath, FromQuery, JSONBody, PathParameter, QueryParameter

from pooling.calls import Asked, Call, Reply, accepted
from pooling.endpoints import get, post
from pooling.paging import DEFAULT_LIMIT
from pooling.parameters import Cursor, Handled, Limit
from pooling.planning import comparisons, explaining, explanations, findings, policies, risk_answers
from pooling.planning.asking import NewBaselines, NewUnlock
from pooling.problems import ACCEPTED

Key = FromPath[Annotated[int, PathParameter(ge=1, le=2**63 - 1)]]
ByPolicy = FromQuery[
    Annotated[
        str | None,
        QueryParameter(
            pattern=f"^{policies.NAME}$",
            max_length=policies.LONGEST_NAME,
            description="a kept policy; left out: the packaged default",
        ),
    ]
]
Best = FromQuery[Annotated[bool, QueryParameter(description="false: every start, not the best of a category alone")]]


class ExplanationController(Controller):
    """What was found out about a stored plan: made by a job after it, kept, and read quickly."""

    path = "/v1/plans/{plan_id:uuid}"
    tags = ("explanations",)

    @get("/explanations", "explanations.read", "What is found out")
    def read(self, request: Asked, handling: Handled, plan_id: FromPath[UUID]) -> Response[explanations.Explanations]:
        """Which findings are kept, and which are not yet."""
        return handling.read(request, lambda call: explaining.kept(call.session, plan_id))

    @post("/explanations", "explanations.create", "Find out what is not kept", status_code=ACCEPTED)
    def create(self, request: Asked, handling: Handled, plan_id: FromPath[UUID]) -> Response[explanations.Started]:
        """Runs of the API are explained by themselves; plans made elsewhere when this is asked."""

        def work(call: Call) -> Reply:
            return _started(findings.explain_later(call.session, plan_id, now=call.now, by=call.who.id))

        return handling.write(request, work)

    @get("/near-misses", "near-misses.list", "Near misses")
    def near_misses(
        self,
        request: Asked,
        handling: Handled,
        plan_id: FromPath[UUID],
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Response[explanations.NearMissPage]:
        """Lots just short of a volume, and who could close the gap with which changes, those worth most first."""

        def work(call: Call) -> Reply:
            page = explaining.near_misses(call.session, call.window(cursor, limit), plan_id)
            return call.page(page, explanations.NearMissPage)

        return handling.read(request, work)

    @get("/volume", "plan-volume.list", "Volume to take to market")
    def volume(
        self,
        request: Asked,
        handling: Handled,
        plan_id: FromPath[UUID],
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        best: Best = True,
    ) -> Response[explanations.VolumePage]:
        """From the plan's own lines, whatever has changed since."""

        def work(call: Call) -> Reply:
            page = explaining.plan_volume(call.session, call.window(cursor, limit), plan_id, best=best)
            return call.page(page, explanations.VolumePage)

        return handling.read(request, work)

    @get("/risk", "risk.read", "Risk of a plan")
    def risk(self, request: Asked, handling: Handled, plan_id: FromPath[UUID]) -> Response[risk_answers.PlanRisk]:
        """Savings as drawn, and the pools that fail where figures turn out at the bad end of their range."""
        return handling.read(request, lambda call: explaining.plan_risk(call.session, plan_id))

    @get("/baselines", "baselines.read", "Beside doing without it")
    def baselines(self, request: Asked, handling: Handled, plan_id: FromPath[UUID]) -> Response[comparisons.Baselines]:
        """The plan beside every country alone, every participant alone, and rules of thumb."""
        return handling.read(request, lambda call: explaining.baselines(call.session, plan_id))

    @post("/baselines", "baselines.create", "Put a plan beside its baselines", status_code=ACCEPTED)
    def ask_baselines(
        self, request: Asked, handling: Handled, plan_id: FromPath[UUID], data: JSONBody[NewBaselines]
    ) -> Response[explanations.Started]:
        """Solves what would be without the plan; what came before is replaced."""

        def work(call: Call) -> Reply:
            job = findings.baselines_later(
                call.session, plan_id, time_limit_s=data.time_limit_s, now=call.now, by=call.who.id
            )
            return _started(job)

        return handling.write(request, work)

    @get("/lines/{line_id:int}/unlock", "unlocks.read", "What lets a line in")
    def unlock(
        self, request: Asked, handling: Handled, plan_id: FromPath[UUID], line_id: Key
    ) -> Response[comparisons.Unlock]:
        """The cheapest single change that lets it in, confirmed by solving again, as far as that was looked for."""
        return handling.read(request, lambda call: explaining.unlock(call.session, plan_id, line_id))

    @post("/lines/{line_id:int}/unlock", "unlocks.create", "Look for what lets a line in", status_code=ACCEPTED)
    def ask_unlock(
        self, request: Asked, handling: Handled, plan_id: FromPath[UUID], line_id: Key, data: JSONBody[NewUnlock]
    ) -> Response[explanations.Started]:
        """For a line that the plan leaves out; what came before is replaced."""

        def work(call: Call) -> Reply:
            job = findings.unlock_later(
                call.session, plan_id, line_id, time_limit_s=data.time_limit_s, now=call.now, by=call.who.id
            )
            return _started(job)

        return handling.write(request, work)


class PoolExplanationController(Controller):
    """What was found out about one pool."""

    path = "/v1/pools/{pool_id:int}"
    tags = ("explanations",)

    @get("/shares", "shares.read", "Who gains what")
    def shares(self, request: Asked, handling: Handled, pool_id: Key) -> Response[explanations.PoolShares]:
        """The pool's gain by four rules, in cash and with the green value counted, and whether anyone would do better
        apart. A coordinator is shown the own share by volume."""
        return handling.read(request, lambda call: explaining.shares(call.session, call.who.sees, pool_id))

    @get("/risk", "pool-risk.read", "Risk of a pool")
    def risk(self, request: Asked, handling: Handled, pool_id: Key) -> Response[risk_answers.PoolRisk]:
        """Chances of its lots to reach their tiers, and what makes it fail."""
        return handling.read(request, lambda call: explaining.pool_risk(call.session, call.who.sees, pool_id))


class VolumeController(Controller):
    """Volume to take to market from the demand as it is."""

    path = "/v1/volume"
    tags = ("explanations",)

    @get("/", "volume.list", "Volume to take to market")
    def volume(
        self,
        request: Asked,
        handling: Handled,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        policy: ByPolicy = None,
        best: Best = True,
    ) -> Response[explanations.VolumePage]:
        """By category and criteria set the largest sure volume, and who makes it up; no offer is needed."""

        def work(call: Call) -> Reply:
            chosen = policies.asked_policy(call.session, name=policy, document=None, today=call.now.date())
            page = explaining.volume(call.session, call.window(cursor, limit), chosen, best=best)
            return call.page(page, explanations.VolumePage)

        return handling.read(request, work)


def _started(job: UUID) -> Reply:
    return accepted(explanations.Started(f"/v1/operations/{job}"), operation=job)
