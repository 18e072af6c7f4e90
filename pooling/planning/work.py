"""Long calculation, as a child process does it: questions in, documents out. No database, no clock but the solver's.

Every function here is called by name in the child (`pooling.jobs.apart`), with ``on_progress`` and ``stop`` besides its
own arguments (``_`` takes what a solver call has no use for); what goes in and comes out can be pickled. What the
solver refuses is told as our own refusal.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec

from pooling.errors import BadInput
from pooling.planning.snapshot import Frozen, canonical
from pooling.planning.solving import Effort, Judged, solve_judged
from pooling.planning.volume import volume_of
from solver import Instance, Progress, SolverError
from solver.baselines.comparison import baselines
from solver.near_misses.finding import near_misses
from solver.plan import PlanPool
from solver.plan_reading import read_plan, read_whole_plan
from solver.risk.pools import risk
from solver.scenarios.runs import scenarios
from solver.sharing.rules import share
from solver.unlocks.finding import unlock
from solver.whatif.answers import what_if
from solver.whatif.changes import read_changes

Document = Mapping[str, Any]
Tell = Callable[[Mapping[str, Any]], None]
Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Question:
    """A stored plan as the solver wants it: instance and plan documents, the seed it was made with, and the direct
    implications of criteria."""

    instance: Document
    plan: Document
    seed: int
    implications: Mapping[str, list[str]]

    def read(self) -> tuple[Instance, tuple[PlanPool, ...]]:
        instance = Instance.from_document(self.instance)
        return instance, read_plan(self.plan, instance)


@contextmanager
def _refusals(place: str) -> Iterator[None]:
    try:
        yield
    except SolverError as refused:
        raise BadInput(f"{place}: {refused}") from refused


def solve(frozen: Frozen, effort: Effort, *, on_progress: Tell, stop: Stop) -> Judged:
    """The judged plan of a snapshot; told to stop, the best so far."""

    def tell(step: Progress) -> None:
        on_progress(
            {
                "stage": step.stage,
                "done": step.families_done,
                "of": step.families,
                "best_total_eur": step.best_total_eur,
                "bound_eur": step.bound_eur,
                "gap": step.gap,
            }
        )

    return solve_judged(frozen, effort=effort, on_progress=tell, stop=stop)


def explain(question: Question, kinds: Sequence[str], *, on_progress: Tell, **_: Any) -> None:
    """Find out ``kinds`` one after another; each is told as ``{"found": kind, "document": …}`` once it is there."""
    for number, kind in enumerate(kinds):
        on_progress({"stage": kind, "done": number, "of": len(kinds)})
        on_progress({"found": kind, "document": FIND[kind](question)})


def find_near_misses(question: Question) -> Document:
    """``pooling.near-misses/1``."""
    return _plain(near_misses(*question.read()).to_document())


def find_shares(question: Question) -> Document:
    """``pooling.shares/1``."""
    return _plain(share(*question.read(), seed=question.seed).to_document())


def find_risk(question: Question) -> Document:
    """``pooling.risk/1``."""
    return _plain(risk(*question.read(), seed=question.seed).to_document())


def find_volume(question: Question) -> Document:
    """Volume to take to market from the plan's own lines, as a list of rows under ``rows``."""
    implications = {code: frozenset(implied) for code, implied in question.implications.items()}
    return {"rows": [volume_document(row) for row in volume_of(question.instance, implications)]}


NEAR_MISSES, RISK, SHARES, VOLUME = "near-misses", "risk", "shares", "volume"
FIND: Mapping[str, Callable[[Question], Document]] = {
    VOLUME: find_volume,
    NEAR_MISSES: find_near_misses,
    RISK: find_risk,
    SHARES: find_shares,
}
"""What is found out about every plan without being asked for, in this order."""


def volume_document(row: Any) -> Document:
    """A `VolumeRow`, ready for JSON; ``participants`` with their quantities, those with most first."""
    plain = {name: getattr(row, name) for name in VOLUME_FIELDS}
    made_up_of = [{"participant": code, "quantity_per_year": quantity} for code, quantity in row.participants]
    return {**plain, "criteria": list(row.criteria), "lines": len(row.lines), "made_up_of": made_up_of}


VOLUME_FIELDS = (
    "category",
    "unit",
    "start",
    "sure_quantity",
    "quantity",
    "spend_eur_per_year",
    "authorities",
    "best",
)


def find_baselines(question: Question, time_limit_s: float, *, on_progress: Tell, **_: Any) -> Document:
    """``pooling.baselines/1``."""
    instance = Instance.from_document(question.instance)
    plan = read_whole_plan(question.plan, instance)
    with _refusals("baselines"):
        found = baselines(
            instance, plan=plan, time_limit_s=time_limit_s, seed=question.seed, on_done=_parts_told(on_progress)
        )
    return _plain(found.to_document())


def find_unlock(question: Question, line: str, time_limit_s: float, **_: Any) -> Document:
    """``pooling.unlock/1`` of one line."""
    instance, pools = question.read()
    with _refusals(f"line {line}"):
        return _plain(unlock(instance, pools, line, time_limit_s=time_limit_s, seed=question.seed).to_document())


def find_difference(question: Question, changes: Document, time_limit_s: float, **_: Any) -> Document:
    """``pooling.what-if/1`` of ``pooling.changes/1``; raises BadInput where the changes cannot be made."""
    instance, pools = question.read()
    with _refusals("changes"):
        asked = read_changes(changes)
        found = what_if(instance, pools, asked, time_limit_s=time_limit_s, seed=question.seed)
    return _plain(found.to_document())


def find_scenarios(
    instance: Document,
    grid: Mapping[str, list[Any]],
    effort: Effort,
    *,
    on_progress: Tell,
    **_: Any,
) -> Document:
    """``pooling.scenarios/1`` with whole plans; raises BadInput with every fault of the grid."""
    with _refusals("grid"):
        found = scenarios(
            Instance.from_document(instance),
            grid,
            time_limit_s=effort.time_limit_s,
            workers=effort.workers,
            seed=effort.seed,
            on_done=_parts_told(on_progress),
        )
    return _plain(found.to_document(plans=True))


def _plain(document: Any) -> Document:
    """As it comes back from the database: no numbers of arrays, no tuples."""
    made: Document = msgspec.json.decode(canonical(document))
    return made


def _parts_told(on_progress: Tell) -> Callable[[str, int, int], None]:
    return lambda part, done, of: on_progress({"stage": part, "done": done, "of": of})
