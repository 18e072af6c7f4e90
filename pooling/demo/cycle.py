"""A whole cycle of the demonstration, against a real service: demand, plan, tenders, answers, agreements, effect."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol
from uuid import UUID

from sqlalchemy import Engine

from pooling.database import reading
from pooling.demo import cycle_agreements, cycle_demand, cycle_tenders
from pooling.demo import folder as folders
from pooling.demo.cycle_agreements import Agreement, Effects
from pooling.demo.cycle_demand import Stored
from pooling.demo.cycle_site import Clock, Document, Site, running
from pooling.demo.cycle_tenders import Counts, Repaired
from pooling.demo.make import AS_OF, Demonstration, Sent
from pooling.demo.service import EVERYTHING, NOW, Scale, doubts_of, make_folder, results, timed
from pooling.errors import counted
from pooling.planning import service as planning
from pooling.reference import service as reference
from pooling.schema import opened
from solver import Progress


class Watcher(Protocol):
    """Who follows the cycle: told of what was written and of each step, and asked to show how far the long ones are."""

    def wrote(self, made: Demonstration) -> None: ...
    def told(self, day: date, words: str) -> None: ...
    def stage(self, files: Iterable[Sent], words: str) -> Iterable[Sent]: ...
    def solving(self) -> AbstractContextManager[Callable[[Progress], None]]: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the cycle. ``agreement``: the one tender that is shown; None: none was handed over. ``reader``: a
    planner without a key, for whoever wants to look. ``names``: of categories, by id; ``seconds``: of each stage."""

    made: Demonstration
    stored: tuple[Stored, ...]
    corrected: tuple[Stored, ...]
    coverage: Document
    plan: str
    tenders: int
    invited: int
    counts: Counts
    repaired: tuple[Repaired, ...]
    agreement: Agreement | None
    effects: Effects
    notices: int
    reader: UUID
    names: Mapping[str, str]
    seconds: Mapping[str, float]


def run(out: Path, *, seed: int, effort: planning.Effort, watcher: Watcher, scale: Scale = EVERYTHING) -> Outcome:
    """Make the folder ``out`` and take its demand through a cycle, over HTTP on this machine; all is left in it."""
    seconds: dict[str, float] = {}
    folders.prepare(out)
    url = f"sqlite:///{out / folders.DATABASE}"
    with opened(url) as engine:
        with timed(seconds, "files"):
            made = make_folder(engine, out, seed=seed, scale=scale)
            watcher.wrote(made)
        with reading(engine) as session:
            successors = {code: each.successor for code, each in reference.participants(session).items()}
        with running(engine, url, Clock(NOW), successors, log=out / folders.LOG) as site:
            with timed(seconds, "demand"):
                stored, corrected, coverage = _demand(site, engine, made, watcher)
            with timed(seconds, "plan"):
                plan = cycle_demand.plan(site, effort, watcher.solving)
            with timed(seconds, "tenders"):
                tenders, invited, counts, repaired, done = _tenders(site, plan, watcher, seed=seed)
            with timed(seconds, "agreements"):
                agreement = _agreement(site, done, repaired, watcher)
                effects = cycle_agreements.effects(site)
            notices = len(site.planner.all("/v1/notices?limit=500"))
            reader = site.reader()
        with timed(seconds, "results"):
            policy = planning.read_policy(out / folders.POLICY, today=AS_OF)
            names = results(engine, out, plan, policy)[-1]
    return Outcome(
        made,
        tuple(stored),
        tuple(corrected),
        coverage,
        plan,
        tenders,
        invited,
        counts,
        tuple(repaired),
        agreement,
        effects,
        notices,
        reader,
        names,
        seconds,
    )


def _demand(
    site: Site, engine: Engine, made: Demonstration, watcher: Watcher
) -> tuple[list[Stored], list[Stored], Document]:
    cycle_demand.open_cycle(site, made)
    watcher.told(AS_OF, f"the cycle opens; demand is taken until {cycle_demand.TERMS['closes_on']}")
    stored = cycle_demand.send(site, made, made.sent, watcher.stage)
    lines, refused = sum(each.lines for each in stored), sum(each.refused for each in stored)
    waiting, doubts = sum(each.waiting for each in stored), len(doubts_of(engine))
    watcher.told(
        AS_OF,
        f"{counted(len(stored), 'coordinator')} sent {counted(lines, 'line')};"
        f" {counted(refused, 'row')} refused, {waiting} wait for a mapping, {counted(doubts, 'figure')} in doubt",
    )
    corrected = cycle_demand.send(site, made, made.corrected, watcher.stage)
    if corrected:
        senders = ", ".join(each.sender for each in corrected)
        watcher.told(AS_OF, f"{senders} corrected what was in doubt and sent their files again")
    coverage = cycle_demand.close_cycle(site)
    sent, expected = coverage["sent"], coverage["expected"]
    watcher.told(cycle_demand.TERMS["closes_on"], f"the cycle closes: {sent} of {expected} participants have sent")
    return stored, corrected, coverage


def _tenders(
    site: Site, plan: str, watcher: Watcher, *, seed: int
) -> tuple[int, int, Counts, list[Repaired], list[str]]:
    counts = Counts()
    site.go_to(cycle_demand.TERMS["plan_by"])
    proposed = cycle_tenders.propose(site, plan)
    watcher.told(cycle_demand.TERMS["plan_by"], f"the plan is proposed: its pools are {len(proposed)} tenders")
    site.go_to(cycle_tenders.INVITED_ON)
    invited = cycle_tenders.invite(site, proposed, watcher.told, seed=seed)
    members = sum(len(each["members"]) for each in invited)
    watcher.told(
        cycle_tenders.INVITED_ON,
        f"{counted(len(invited), 'tender')} with {members} members out, the rest left for later;"
        f" answers by {cycle_tenders.ANSWERS_DUE}",
    )
    site.go_to(cycle_tenders.ANSWERED_ON)
    cycle_tenders.collect(site, invited, counts, seed=seed)
    watcher.told(
        cycle_tenders.ANSWERED_ON,
        f"the members answer: {counts.committed} commit, {counts.declined} decline, {counts.changes} propose a change",
    )
    repaired = cycle_tenders.mend(site, invited, counts, watcher.told)
    site.go_to(cycle_tenders.DECIDED_ON)
    done = cycle_tenders.decide(site, invited, counts, watcher.told)
    watcher.told(
        cycle_tenders.DECIDED_ON,
        f"{counted(len(done), 'tender')} confirmed and handed over, {counts.given_up} given up; the cycle is decided",
    )
    return len(proposed), len(invited), counts, repaired, done


def _agreement(site: Site, done: list[str], repaired: list[Repaired], watcher: Watcher) -> Agreement | None:
    if not done:
        return None
    tenders = [site.planner.get(f"/v1/tenders/{each}") for each in done]
    chosen = cycle_agreements.chosen_of(tenders, [each.tender for each in repaired])
    agreement = cycle_agreements.call_off(site, chosen)
    day = date.fromisoformat(chosen["starts_on"]) + cycle_agreements.IN_THE_TERM
    watcher.told(day, f"{cycle_tenders.called(chosen)} runs: {counted(agreement.call_offs, 'call-off')}")
    return agreement
