"""A walk through the workflow: how people send and look, and what must hold after every step and at the end."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant
from sqlalchemy import Connection, select

from pooling.database import reading
from pooling.invariants.commands import CHECKS
from tests.e2e.workflow import model, sums
from tests.e2e.workflow.checks import check_done, check_history
from tests.e2e.workflow.databases import Worlds
from tests.e2e.workflow.figures import Figures, hidden_whole, wholes
from tests.e2e.workflow.model import CYCLE, TENDER, Deed, table_of
from tests.e2e.workflow.paths import BYS, paths, shape
from tests.e2e.workflow.shown import check_allowances, check_coverage, check_effect
from tests.e2e.workflow.states import check_states
from tests.e2e.workflow.world import AFTER, BUYERS, CAST, ENDS, LATER, REGIONS, STAGES, Actor, Running, digits
from tests.e2e.workflow.world import CYCLE as NOW
from tests.pooling.jobs.working import enqueued

JOBS = (
    "tenders.expire",
    "tenders.remind",
    "cycles.open-due",
    "demand.close-cycles",
    "demand.succeed",
    "tenders.succeed",
    "agreements.take-over",
)
REFUSED = {400, 403, 404, 409, 412, 422, 428}

names = st.sampled_from(sorted(CAST))
OTHERS = ("coordinator of SE-M", "coordinator of another", "partner", "partner of another", "auditor", "administrator")
planners = st.sampled_from(["planner"] * 10 + ["other planner"] * 4 + list(OTHERS))
regions = st.sampled_from(REGIONS)
numbers = st.integers(0, 11)
matches = st.sampled_from(["right"] * 8 + ["any", "stale", "missing"])
codes = st.sampled_from([NOW] * 3 + list(LATER))
reasons = st.sampled_from([None, "made up", "otherwise"])
categories = st.sampled_from(sorted(BUYERS))


class Walk(RuleBasedStateMachine):
    """One walk over ``worlds``, from one of their stages; ``done`` counts what was done over all walks."""

    worlds: ClassVar[Worlds]
    done: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.there: Running | None = None
        self.of_scenarios: set[UUID] = set()
        self.grid: UUID | None = None
        self.held: set[UUID] = set()
        self.sound = self.merged = False

    @initialize(stage=st.sampled_from(sorted(STAGES)))
    def begin(self, stage: str) -> None:
        """At one of the stages."""
        self.done["begun"] += 1
        self.there = self.worlds.begin(stage)
        self.figures = Figures()
        self.given = 0
        with self.look() as run:
            self.state = model.seen(run)
            self.figures.harvest(run)
        self.sound = True

    def teardown(self) -> None:
        """The dear checks, and the end of the walk."""
        try:
            if self.sound:
                self.at_the_end()
        finally:
            self.worlds.rest()

    # what is there

    @property
    def now(self) -> Running:
        assert self.there is not None
        return self.there

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """A look at the database."""
        with reading(self.now.made.engine) as session:
            yield session.connection()

    def actor(self, name: str) -> Actor:
        return self.now.cast[name]

    def sends_for(self, actor: Actor, code: str) -> bool:
        """Whether demand of a region is theirs to send: once it has ended it is its successor's."""
        heir = AFTER if code == ENDS and ENDS in self.ended() else code
        return actor.acts_for(heir)

    def tender(self, number: int, *statuses: str) -> UUID:
        """One of those there are, the newest first, mostly at one of these; where there is none, one that is not."""
        apt = [key for key, row in self.state.tenders.items() if row.status in statuses]
        found = (apt if apt and number % 3 else list(self.state.tenders))[::-1]
        return found[number % len(found)] if found else UUID(int=number + 1)

    def has(self, *statuses: str) -> bool:
        """Whether there is a tender at one of these."""
        return any(row.status in statuses for row in self.state.tenders.values())

    def mostly(self, name: str, code: str, number: int) -> str:
        """Whoever acts for the region, and now and then somebody else."""
        return f"coordinator of {code}" if number % 4 else name

    def fresh(self) -> int:
        """A number that was not there before."""
        self.given += 1
        return 4_100_000_000 + digits(self.given)

    @invariant()
    def count_steps(self) -> None:
        self.done["steps"] += 1

    # sending, and what must hold of any answer

    def write(
        self, name: str, method: str, path: str, deed: Deed, *, version: int | None, match: str = "right", **sent: Any
    ) -> httpx.Response:
        """Send a change and check what came of it. ``version``: of what is changed, None: it needs none."""
        actor, headers, self.sound = self.actor(name), {}, False
        if version is not None and match != "missing":
            headers["If-Match"] = {"any": "*", "right": f'"{version}.0"', "stale": f'"{version + 7}.0"'}[match]
        with self.look() as run:
            assert model.seen(run) == self.state, "something changed while nobody changed anything"
        answer = self.now.client(actor).request(method, path, headers=headers, **sent)
        place = f"{method} {path} as {name}: {answer.status_code} {answer.text[:600]}"
        assert answer.status_code < 500, place
        self.check_read(answer, actor, place)
        with self.look() as run:
            after = model.seen(run)
            if answer.is_success:
                assert deed.allowed, f"not theirs to do: {place}"
                assert version is None or match in ("right", "any"), f"{match} If-Match was taken: {place}"
                check_done(run, deed, self.state, after)
                sums.check_sums(run)
                check_states(run)
                self.figures.harvest(run)
            else:
                assert answer.status_code in REFUSED, place
                assert deed.allowed or deed.named or answer.status_code in (403, 404), place
                held = deed.name == "call-off" and answer.json()["code"] == "maximum-reached"
                before = replace(self.state, position=after.position) if held else self.state  # that it asked is noted
                assert after == before, f"refused, and something changed: {place}"
        self.count(deed.name, actor, answer)
        self.done["writes"] += 1
        self.state, self.sound = after, True
        return answer

    def read(self, name: str | None, path: str) -> httpx.Response:
        """Send a look and check what it tells; None: without credentials."""
        actor = None if name is None else self.actor(name)
        client = self.now.made.nobody() if actor is None else self.now.client(actor)
        answer = client.get(path)
        place = f"GET {path} as {name}: {answer.status_code} {answer.text[:1500]}"
        assert answer.status_code < 500, place
        self.check_read(answer, actor, place)
        self.count(f"GET {shape(path)}", actor, answer)
        self.done["reads"] += 1
        return answer

    def count(self, what: str, actor: Actor | None, answer: httpx.Response) -> None:
        """Note what was tried, by whom, and what came of it."""
        self.done[f"{what} {answer.status_code}"] += 1
        self.done[f"{what} by {actor.kind if actor else 'nobody'}"] += 1

    def check_read(self, answer: httpx.Response, actor: Actor | None, place: str) -> None:
        """Nobody is told what is another's."""
        told = wholes(answer)
        if actor is not None and not actor.sees_all:
            for lot in told:
                volumes = self.volumes(lot)
                assert not hidden_whole(volumes, actor.codes), f"the whole of lot {lot} tells another's figure: {place}"
        leaked = self.figures.leaked(answer, actor, open_to=set(told.values()))
        assert not leaked, f"figures of others: {leaked}: {place}"

    def volumes(self, lot: int) -> dict[str, int]:
        """By member, those that declined too."""
        table = table_of("tender_member_lot")
        with self.look() as run:
            found = run.execute(select(table.participant, table.quantity).where(table.lot == lot))
            return dict(tuple(row) for row in found)

    # jobs, and time

    def work(self, deed: Deed, *kinds: str) -> int:
        """Jobs of these kinds that wait are done; how many failed by a refusal."""
        self.sound = False
        job = table_of("job")
        with self.look() as run:
            waiting = select(job.actor).where(job.kind.in_(kinds), job.status == "queued")
            deed = replace(deed, also_by=frozenset(str(by or "service") for by in run.execute(waiting).scalars()))
        self.now.work(*kinds)
        with self.look() as run:
            ends = select(job.status, job.problem).where(job.kind.in_(kinds), job.status != "succeeded")
            failed = [problem for status, problem in run.execute(ends) if status == "failed" or status == "queued"]
            assert all(problem and problem["code"] != "job-failed" for problem in failed), f"{deed.name}: {failed}"
            after = model.seen(run)
            if after != self.state:
                check_done(run, deed, self.state, after)
                sums.check_sums(run)
                check_states(run)
                self.figures.harvest(run)
                self.done[deed.name] += 1
        self.state, self.sound = after, True
        return len(failed)

    def jobs(self) -> None:
        """All that the clock does."""
        late, live = model.overdue(self.state, self.now.made.clock.now), set(self.state.tenders)
        cycles = dict.fromkeys(self.state.cycles, CYCLE["open"] | CYCLE["close"])
        for kind in JOBS:
            enqueued(self.now.made.engine, kind, now=self.now.made.clock.now)
            moves = {key: TENDER["expire"] for key in late if kind == "tenders.expire"}
            merges = kind == "tenders.succeed"
            touches = live if merges else ()
            deed = Deed(kind, None, tenders=moves, cycles=cycles, touches=touches, merges=merges)
            assert not self.work(deed, kind), f"{kind} was refused"
        still = {key for key in late if self.state.tenders[key].status in model.OPEN}
        assert not still, f"overdue and open still: {still}"
        if ENDS in self.ended():
            alive = {key for key, row in self.state.tenders.items() if row.status in model.LIVE}
            held = [key for key, code in self.state.members if code == ENDS and key in alive]
            assert not held, f"{ENDS} has ended and is a member of {held}"

    def ended(self) -> set[str]:
        """Participants that are no more."""
        table = table_of("participant")
        today = self.now.made.clock.now.date()
        with self.look() as run:
            return set(run.execute(select(table.code).where(table.valid_to <= today)).scalars())

    # looking around

    def check_effect(self) -> None:
        """By whatever it is asked, the effect is that of the lines; a region's is its row of the planners' (of two)."""
        bys = {by: self.read("planner", f"/v1/effect?by={by}").json() for by in BYS}
        with self.look() as run:
            check_effect(bys, *sums.effect(run))
        rows = {row["key"]: row for row in bys["participant"]["rows"]}
        number = self.done["walks"] % len(REGIONS)
        for code in (REGIONS[number], REGIONS[number - 1]):
            own = self.read(f"coordinator of {code}", "/v1/effect?by=participant").json()
            assert {row["key"]: row for row in own["rows"]} == {key: rows[key] for key in rows if key == code}

    def check_shown(self) -> None:
        """What planners are shown of agreements and cycles is what is there."""
        for key, row in self.state.tenders.items():
            if row.status == "handed-over" and row.depth in model.BUYING:
                answer = self.read("planner", f"/v1/tenders/{key}/allowances")
                assert answer.is_success, answer.text
                shown = answer.json()
                with self.look() as run:
                    check_allowances(shown, sums.places(run, key))
        for code in self.state.cycles:
            covered = self.read("planner", f"/v1/cycles/{code}/coverage").json()
            with self.look() as run:
                check_coverage(run, covered)

    def at_the_end(self) -> None:
        """Nothing contradicts itself, and nobody finds what is another's."""
        self.check_effect()
        self.check_shown()
        key = self.tender(0)
        first = self.done["walks"]
        readers = (*OTHERS, "coordinator of FO", None)
        there = paths(self.state, self.now.plans, key, "SE-M")
        for number, path in enumerate(there[first % 2 :: 2], start=first):
            self.read(readers[number % len(readers)], path)
        for path in there[first % 4 :: 4]:
            self.read("planner", path)
        for key, row in self.state.tenders.items():
            if row.status in model.OPEN:
                shown = [self.read("planner", f"/v1/tenders/{key}{path}").json() for path in ("", "/standing")]
                told = f"{key} is said to hold: {shown[0]['holds']}, judged now: {shown[1]['expected']}"
                assert shown[0]["holds"] == shown[1]["expected"]["holds"], told
        with reading(self.now.made.engine) as session:
            for name, check in CHECKS.items():
                found = [f"{each.place}: {each.message}" for each in check(session)]
                assert not found, f"{name}: {found}"
            check_history(session.connection())
        self.done["walks"] += 1
