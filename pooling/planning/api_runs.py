"""Policies and runs over HTTP: what to plan by, plans asked for, followed and ended early."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response
from litestar.params import FromPath, JSONBody, PathParameter

from pooling.calls import Asked, Call, Reply, accepted, gone
from pooling.endpoints import delete, get, post, put, transition
from pooling.paging import DEFAULT_LIMIT
from pooling.parameters import Cursor, Handled, Limit
from pooling.planning import answers, policies, runs
from pooling.planning.asking import EndRun, NewRun, PolicyDocument
from pooling.planning.runs import Cancel, RunRecord
from pooling.planning.solving import Effort
from pooling.problems import ACCEPTED, CREATED

Name = FromPath[
    Annotated[
        str, PathParameter(pattern=f"^{policies.NAME}$", max_length=policies.LONGEST_NAME, description="of the policy")
    ]
]


class PolicyController(Controller):
    """Policies kept under a name; a run takes a copy, so that changing one changes no plan."""

    path = "/v1/policies"
    tags = ("planning",)

    @get("/", "policies.list", "Policies")
    def list_policies(
        self, request: Asked, handling: Handled, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
    ) -> Response[answers.PolicyPage]:
        """Named policies by name."""

        def work(call: Call) -> Reply:
            page = policies.policies(call.session, call.window(cursor, limit))
            return call.page(page, answers.PolicyPage, view=policy_view)

        return handling.read(request, work)

    @get("/{name:str}", "policies.read", "A policy")
    def read(self, request: Asked, handling: Handled, name: Name) -> Response[answers.Policy]:
        """What was given; all else is the packaged default's."""

        def work(call: Call) -> Reply:
            record = policies.policy_named(call.session, name)
            return Reply(policy_view(record), version=record.version)

        return handling.read(request, work)

    @put("/{name:str}", "policies.write", "Keep a policy", also={CREATED: answers.Policy})
    def write(
        self, request: Asked, handling: Handled, name: Name, data: JSONBody[PolicyDocument]
    ) -> Response[answers.Policy]:
        """Make it, or replace it as a whole: then If-Match names the version that was read."""

        def work(call: Call) -> Reply:
            return call.put(
                lambda expect: policies.keep_policy(call.session, name, data.given(), now=call.now, expect=expect),
                lambda record: Reply(policy_view(record), version=record.version),
            )

        return handling.write(request, work)

    @delete("/{name:str}", "policies.delete", "Drop it")
    def drop(self, request: Asked, handling: Handled, name: Name) -> Response[None]:
        """Keep it no longer; runs and plans made with it hold a copy."""

        def work(call: Call) -> Reply:
            policies.drop_policy(call.session, name, expect=call.expect)
            return gone()

        return handling.write(request, work)


class RunController(Controller):
    """Plans asked for. A run is a job: it is followed here with figures, or as an operation without."""

    path = "/v1/runs"
    tags = ("planning",)

    @post("/", "runs.create", "Ask for a plan", status_code=ACCEPTED)
    def create(self, request: Asked, handling: Handled, data: JSONBody[NewRun]) -> Response[answers.Run]:
        """A worker freezes demand, offers and reference data in one view and plans it. A question answered before
        gives the stored plan."""

        def work(call: Call) -> Reply:
            given = None if data.policy is None else data.policy.given()
            policy = policies.asked_policy(call.session, name=data.policy_name, document=given, today=call.now.date())
            effort = Effort(data.time_limit_s, data.workers, data.seed, data.gap)
            record = runs.ask(
                call.session, policy, effort=effort, now=call.now, by=call.who.id, policy_name=data.policy_name
            )
            return accepted(run_view(record), operation=record.operation)

        return handling.write(request, work)

    @get("/", "runs.list", "Runs")
    def list_runs(
        self, request: Asked, handling: Handled, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
    ) -> Response[answers.RunPage]:
        """Runs, the latest first."""

        def work(call: Call) -> Reply:
            return call.page(runs.runs(call.session, call.window(cursor, limit)), answers.RunPage, view=run_view)

        return handling.read(request, work)

    @get("/{run_id:uuid}", "runs.read", "A run")
    def read(self, request: Asked, handling: Handled, run_id: FromPath[UUID]) -> Response[answers.Run]:
        """How far it has come: stage, families done, best total, bound and gap. How long it takes yet, nobody knows."""
        return handling.read(request, lambda call: run_view(runs.run_of(call.session, run_id)))

    @transition("/{run_id:uuid}/cancel", "runs.cancel", "End early", needs_version=False)
    def cancel(
        self, request: Asked, handling: Handled, run_id: FromPath[UUID], data: JSONBody[EndRun]
    ) -> Response[answers.Run]:
        """Keep the best plan so far with its true bound, or discard it. A run that is over stays as it is. Safe to
        repeat; needs no If-Match, and one that is sent must be of the run as it stands."""

        def work(call: Call) -> Reply:
            runs.locked(call.session, run_id)
            call.expect_if_sent(call.version_shown(run_view(runs.run_of(call.session, run_id))))
            return Reply(run_view(runs.end(call.session, run_id, Cancel(data.plan), now=call.now)))

        return handling.write(request, work)


def policy_view(record: policies.PolicyRecord) -> answers.Policy:
    """A named policy as it is shown."""
    same = ("name", "version", "created_at", "changed_at")
    return answers.Policy(**{name: getattr(record, name) for name in same}, document=dict(record.document))


SAME = (
    "id",
    "version",
    "status",
    "asked_at",
    "asked_by",
    "policy_name",
    "time_limit_s",
    "workers",
    "seed",
    "gap",
    "cancel",
    "plan",
    "again",
    "started_at",
    "finished_at",
    "cycle",
)


def run_view(record: RunRecord) -> answers.Run:
    """A run as it is shown."""
    told, problem = record.progress, record.problem
    progress = problem_view = None
    if told and "done" in told:
        figures = {name: told.get(name) for name in ("best_total_eur", "bound_eur", "gap")}
        progress = answers.Progress(stage=told["stage"], families_done=told["done"], families=told["of"], **figures)
    if problem:
        problem_view = answers.RunProblem(str(problem.get("code")), str(problem.get("detail")))
    return answers.Run(
        **{name: getattr(record, name) for name in SAME},
        policy=dict(record.policy),
        operation=f"/v1/operations/{record.operation}",
        progress=progress,
        problem=problem_view,
    )
