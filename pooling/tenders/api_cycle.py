"""What planners do with a cycle's tenders as a whole: runs on its lines, its proposal, its end."""

from typing import Annotated

from litestar import Controller, Response
from litestar.params import FromPath, JSONBody, PathParameter

from pooling.calls import Asked, Call, Reply, accepted, created
from pooling.cycles import service as cycles
from pooling.cycles.rules import Status
from pooling.cycles.views import CODE, CycleView, cycle_view
from pooling.endpoints import post, transition
from pooling.errors import WrongState
from pooling.parameters import Handled
from pooling.planning import policies, runs
from pooling.planning.answers import Run
from pooling.planning.api_runs import run_view
from pooling.planning.asking import NewRun
from pooling.planning.solving import Effort
from pooling.problems import ACCEPTED
from pooling.tenders import deciding, proposal
from pooling.tenders.asking import NewProposal
from pooling.tenders.holding import holds
from pooling.tenders.views import ProposalView

CycleCode = FromPath[Annotated[str, PathParameter(pattern=CODE, max_length=40)]]


class CycleTenderController(Controller):
    """Runs, proposal and end of a cycle."""

    path = "/v1/cycles"
    tags = ("tenders",)

    @post("/{code:str}/runs", "cycle-runs.create", "Ask for a plan of a cycle", status_code=ACCEPTED)
    def run(self, request: Asked, handling: Handled, code: CycleCode, data: JSONBody[NewRun]) -> Response[Run]:
        """Plans the lines that the cycle froze, with what is decided left as it is and no line where its participant
        declined to be. Without a policy the cycle's is taken."""

        def work(call: Call) -> Reply:
            cycle = cycles.cycle_of(call.session, code)
            if cycle.status not in (Status.CLOSED, Status.PLANNED):
                raise WrongState(f"cycle {code!r} is {cycle.status}; it is planned once it is closed")
            given = None if data.policy is None else data.policy.given()
            named = cycle.policy_name if data.policy_name is None and given is None else data.policy_name
            today = cycle.day(call.now)
            policy = policies.asked_policy(call.session, name=named, document=given, today=today)
            record = runs.ask(
                call.session,
                policy,
                effort=Effort(data.time_limit_s, data.workers, data.seed, data.gap),
                now=call.now,
                by=call.who.id,
                policy_name=named,
                cycle=code,
                holds=holds(call.session, code, today=today),
            )
            return accepted(run_view(record), operation=record.operation)

        return handling.write(request, work)

    @post("/{code:str}/proposal", "tenders.propose", "Propose a plan", needs_version=True)
    def propose(
        self, request: Asked, handling: Handled, code: CycleCode, data: JSONBody[NewProposal]
    ) -> Response[ProposalView]:
        """Takes the plan's pools up as the cycle's tenders. Tenders neither invited nor locked make room for them.
        Needs If-Match of the cycle."""

        def work(call: Call) -> Reply:
            done = proposal.propose(call.session, code, data.plan, now=call.now, by=call.who.id, expect=call.expect)
            view = ProposalView(
                cycle=code,
                version=done.cycle.version,
                plan=data.plan,
                tenders=list(done.made),
                kept=list(done.kept),
                replaced=list(done.replaced),
            )
            return created(view, location=f"/v1/tenders?cycle={code}", version=done.cycle.version)

        return handling.write(request, work)

    @transition("/{code:str}/decide", "cycles.decide", "End a cycle")
    def decide(self, request: Asked, handling: Handled, code: CycleCode) -> Response[CycleView]:
        """Once every tender of it is confirmed, handed over, rejected or expired. Needs If-Match."""

        def work(call: Call) -> Reply:
            record = deciding.decide_cycle(call.session, code, now=call.now, expect=call.expect)
            return Reply(cycle_view(record), version=record.version)

        return handling.write(request, work)
