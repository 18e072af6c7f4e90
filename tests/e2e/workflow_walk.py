"""A walk through the workflow: how people send and look, and what must hold after every step and at the end."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, ClassVar
from uuid import UUID

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant
from sqlalchemy import Connection, select
from sqlmodel import SQLModel

from pooling.database import reading
from pooling.invariants.commands import CHECKS
from tests.e2e import workflow_model as model
from tests.e2e.workflow_figures import Figures, check_effect, hidden_whole, wholes
from tests.e2e.workflow_model import CYCLE, TENDER, Deed
from tests.e2e.workflow_world import BUYERS, CAST, ENDS, LATER, REGIONS, SOURCE, Actor, Running, World, digits, running
from tests.e2e.workflow_world import CYCLE as NOW

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
BYS = ("participant", "country", "category", "cycle", "year")

names = st.sampled_from(sorted(CAST))
planners = st.sampled_from(["planner"] * 5 + ["other planner"] * 2 + ["coordinator of SE-M", "partner", "auditor"])
regions = st.sampled_from(REGIONS)
numbers = st.integers(0, 11)
matches = st.sampled_from(["right"] * 8 + ["any", "stale", "missing"])
codes = st.sampled_from([NOW] * 3 + list(LATER))
reasons = st.sampled_from([None, "made up", "otherwise"])
categories = st.sampled_from(sorted(BUYERS))


class Walk(RuleBasedStateMachine):
    """One walk over a copy of one of the ``worlds``; ``done`` counts what was done over all walks."""

    worlds: ClassVar[Mapping[str, World]] = {}
    done: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        self.there: Running | None = None
        self.sound = self.merged = False

    @initialize(stage=st.sampled_from(["closed", "invited", "invited", "agreed", "agreed"]))
    def begin(self, stage: str) -> None:
        """At one of the stages."""
        world = self.worlds[stage]
        url = self.open.enter_context(world.copy())
        self.there = self.open.enter_context(running(url, world.cast, world.plan, world.now))
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
            self.open.close()

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
                model.check_done(run, deed, self.state, after)
                model.check_sums(run)
                self.figures.harvest(run)
            else:
                assert answer.status_code in REFUSED, place
                assert deed.allowed or deed.named or answer.status_code in (403, 404), place
                assert after == self.state, f"refused, and something changed: {place}"
        self.done[f"{deed.name} {answer.status_code}"] += 1
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
        self.done["reads"] += 1
        return answer

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
        table = SQLModel.metadata.tables["tender_member_lot"].c
        with self.look() as run:
            found = run.execute(select(table.participant, table.quantity).where(table.lot == lot))
            return dict(tuple(row) for row in found)

    # time

    def jobs(self) -> None:
        """All that the clock does."""
        late, live = model.overdue(self.state, self.now.made.clock.now), set(self.state.tenders)
        cycles = dict.fromkeys(self.state.cycles, CYCLE["open"] | CYCLE["close"])
        for kind in JOBS:
            self.now.work(kind)
            with self.look() as run:
                after = model.seen(run)
                moves = dict.fromkeys(late, TENDER["expire"]) if kind == "tenders.expire" else {}
                touches = live if kind == "tenders.succeed" else ()
                calls = self.state.call_offs
                if after != self.state:
                    merges = kind == "tenders.succeed"
                    deed = Deed(kind, None, tenders=moves, cycles=cycles, touches=touches, merges=merges)
                    model.check_done(run, deed, self.state, after)
                    model.check_sums(run)
                    self.figures.harvest(run)
                    self.done[kind] += after.event > self.state.event or calls != after.call_offs
            self.state = after
        still = {key for key in late if self.state.tenders[key].status == "invited"}
        assert not still, f"overdue and invited still: {still}"
        if ENDS in self.ended():
            alive = {key for key, row in self.state.tenders.items() if row.status in model.LIVE}
            held = [key for key, code in self.state.members if code == ENDS and key in alive]
            assert not held, f"{ENDS} has ended and is a member of {held}"

    def ended(self) -> set[str]:
        """Participants that are no more."""
        table = SQLModel.metadata.tables["participant"].c
        today = self.now.made.clock.now.date()
        with self.look() as run:
            return set(run.execute(select(table.code).where(table.valid_to <= today)).scalars())

    # looking around

    def paths(self, key: UUID, code: str) -> list[str]:
        """What can be seen of a tender and a region, and lists."""
        tender = f"/v1/tenders/{key}"
        calls = [f"/v1/call-offs/{each}" for each in self.state.call_offs][-1:]
        return [
            tender,
            f"{tender}/history",
            f"{tender}/invitation?participant={code}",
            f"{tender}/invitation",
            f"{tender}/answers/{code}",
            f"{tender}/allowances",
            f"{tender}/standing",
            f"{tender}/consequences",
            f"{tender}/repairs",
            "/v1/tenders",
            "/v1/call-offs?cancelled=true",
            *calls,
            *(f"/v1/effect?by={by}" for by in BYS),
            *(f"/v1/public/effect?by={by}" for by in BYS[1:]),
            "/v1/lines?live=false",
            "/v1/forecasts",
            f"/v1/forecasts/{SOURCE}/{code}.{sorted(BUYERS)[0][:5]}",
            "/v1/submissions",
            f"/v1/cycles/{NOW}/coverage",
            "/v1/notices",
            f"/v1/plans/{self.now.plan}",
            f"/v1/plans/{self.now.plan}/pools",
            f"/v1/plans/{self.now.plan}/outcomes",
            "/v1/audit",
            "/v1/feed",
        ]

    def check_effect(self) -> None:
        """By whatever it is asked, the effect is that of the lines; a region's is its row of the planners'."""
        bys = {by: self.read("planner", f"/v1/effect?by={by}").json() for by in BYS}
        with self.look() as run:
            check_effect(bys, *model.effect(run))
        rows = {row["key"]: row for row in bys["participant"]["rows"]}
        for code in REGIONS:
            own = self.read(f"coordinator of {code}", "/v1/effect?by=participant").json()
            assert {row["key"]: row for row in own["rows"]} == {key: rows[key] for key in rows if key == code}

    def at_the_end(self) -> None:
        """Nothing contradicts itself, and nobody finds what is another's."""
        self.check_effect()
        key = self.tender(0)
        for number, path in enumerate(self.paths(key, "SE-M")):
            self.read("coordinator of SE-M", path)
            self.read(("partner", "administrator", "coordinator of FO", None)[number % 4], path)
        for key, row in self.state.tenders.items():
            if row.status in model.OPEN:
                shown = [self.read("planner", f"/v1/tenders/{key}{path}").json() for path in ("", "/standing")]
                told = f"{key} is said to hold: {shown[0]['holds']}, judged now: {shown[1]['expected']}"
                assert shown[0]["holds"] == shown[1]["expected"]["holds"], told
        with reading(self.now.made.engine) as session:
            for name, check in CHECKS.items():
                found = [f"{each.place}: {each.message}" for each in check(session)]
                assert not found, f"{name}: {found}"
            model.check_history(session.connection())
        self.done["walks"] += 1
