"""Long work of planning: each handler reads a question, has it worked out in a child process, keeps the answer."""

from uuid import UUID

from pooling.jobs import JobContext, Kind
from pooling.jobs.apart import run_apart
from pooling.planning import findings, runs, scenario_sets, whatifs, work
from pooling.planning.service import take_snapshot
from pooling.planning.storing import find_plan


def solve(context: JobContext) -> None:
    """Make a run's plan, and have it explained. What is frozen is one view of lines, offers and reference data; of a
    run on a cycle the lines are the cycle's."""
    run = UUID(context.payload["run"])
    with context.reading() as session:
        asked = runs.run_of(session, run)
        frozen = take_snapshot(session, asked.in_force, cycle=asked.cycle, holds=asked.held)
        known = find_plan(session, frozen, asked.effort)

    def enough() -> bool:
        with context.reading() as session:
            return runs.to_be_kept(session, run)

    judged = context.apart(work.solve, frozen, asked.effort, stop=enough) if known is None else None
    with context.written() as opened:
        made = runs.finish(opened.session, asked, judged, known=known, now=opened.now)
        if findings.missing(opened.session, made.plan):
            findings.explain_later(opened.session, made.plan, now=opened.now, by=context.actor)
        context.finish({"location": f"/v1/plans/{made.plan}"})


def explain(context: JobContext) -> None:
    """Find out what is not kept of a plan yet; each kind is kept once found, so that a second try has less to do."""
    plan = UUID(context.payload["plan"])
    with context.reading() as session:
        question, wanted = findings.question(session, plan), findings.missing(session, plan)

    def receive(told: work.Document) -> None:
        if "document" not in told:
            context.progress(told)
            return
        with context.written() as opened:
            findings.keep(opened.session, plan, told["found"], told["document"], now=opened.now)

    if wanted:
        run_apart(work.explain, (question, wanted), on_progress=receive, cancelled=context.cancelled)
    with context.written():
        context.finish({"location": f"/v1/plans/{plan}"})


def baselines(context: JobContext) -> None:
    """Put a plan beside what would happen without it."""
    plan = UUID(context.payload["plan"])
    with context.reading() as session:
        question = findings.question(session, plan)
    document = context.apart(work.find_baselines, question, context.payload["time_limit_s"])
    with context.written() as opened:
        findings.keep(opened.session, plan, findings.OF_BASELINES, document, now=opened.now)
        context.finish({"location": f"/v1/plans/{plan}/baselines"})


def unlock(context: JobContext) -> None:
    """Find what would let a line in that a plan leaves out."""
    plan, line = UUID(context.payload["plan"]), int(context.payload["line"])
    with context.reading() as session:
        question = findings.question(session, plan)
    document = context.apart(work.find_unlock, question, str(line), context.payload["time_limit_s"])
    with context.written() as opened:
        findings.keep_unlock(opened.session, plan, line, document, now=opened.now)
        context.finish({"location": f"/v1/plans/{plan}/lines/{line}/unlock"})


def what_if(context: JobContext) -> None:
    """Work out what changes would do to a plan."""
    key = UUID(context.payload["what_if"])
    with context.reading() as session:
        question, changes, time_limit_s = whatifs.asked_in(session, key)
    document = context.apart(work.find_difference, question, changes, time_limit_s)
    with context.written() as opened:
        whatifs.finish(opened.session, key, document)
        context.finish({"location": f"/v1/what-ifs/{key}"})


def scenarios(context: JobContext) -> None:
    """Plan every policy of a grid on the demand as it is."""
    key = UUID(context.payload["scenarios"])
    with context.reading() as session:
        asked = scenario_sets.scenarios_of(session, key)
        frozen = take_snapshot(session, asked.in_force, cycle=asked.cycle, holds=asked.held)
    document = context.apart(work.find_scenarios, frozen.instance, asked.grid, asked.effort)
    with context.written() as opened:
        scenario_sets.finish(opened.session, key, frozen, document, now=opened.now)
        context.finish({"location": f"/v1/scenarios/{key}"})


HANDLERS = {
    runs.SOLVE: Kind(solve, heavy=True),
    findings.EXPLAIN: Kind(explain, heavy=True),
    findings.BASELINES: Kind(baselines, heavy=True),
    findings.UNLOCK: Kind(unlock, heavy=True),
    whatifs.ASK: Kind(what_if),
    scenario_sets.SOLVE: Kind(scenarios, heavy=True),
}
