"""A snapshot to a plan document that has passed the judge. Works outside any transaction."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from typing import Any

from pooling.errors import BadInput, PlanRefused
from pooling.planning.snapshot import Frozen, canonical
from solver import Instance, InvalidInstance, Progress, solve
from solver.check import check
from solver.plan import OPTIMAL_GAP


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to look: seconds, processes, the seed of whatever is drawn, and the proven gap that is good enough."""

    time_limit_s: float = 60.0
    workers: int = 1
    seed: int = 0
    gap: float = OPTIMAL_GAP

    def __post_init__(self) -> None:
        if not 0 < self.time_limit_s <= 86_400:
            raise BadInput(f"time limit {self.time_limit_s}: give seconds above 0, up to a day")
        if not 1 <= self.workers <= 256:
            raise BadInput(f"workers {self.workers}: give 1 to 256")
        if not 0 <= self.seed < 2**31:
            raise BadInput(f"seed {self.seed}: give a whole number from 0 to {2**31 - 1}")
        if not 0 < self.gap < 1:
            raise BadInput(f"gap {self.gap}: give a share above 0 and below 1")


DEFAULT_EFFORT = Effort()
KINDS = {"lines": "line", "offers": "offer", "participants": "participant", "categories": "category"}
_IN_LIST = re.compile(r"([a-z]+)\[([0-9]+)\]")
JUDGE = "check"
"""Package of the solver's that answers nothing: it looks at answers."""


@cache
def solver_version() -> str:
    """Names the code that answers: the solver's own sources (not the judge's) by their hash, and OR-Tools' version."""
    named = dict(_sources(resources.files("solver"), ""))
    digest = hashlib.sha256(b"\0".join(name.encode() + b"\0" + named[name] for name in sorted(named))).hexdigest()
    return f"{digest[:12]} ortools {metadata.version('ortools')}"


def _sources(folder: Traversable, place: str) -> Iterator[tuple[str, bytes]]:
    """Every source below a folder, by its place there."""
    for found in folder.iterdir():
        if found.is_dir() and found.name != JUDGE:
            yield from _sources(found, f"{place}{found.name}/")
        elif found.name.endswith(".py"):
            yield place + found.name, found.read_bytes()


@dataclass(frozen=True, slots=True)
class Judged:
    """A plan document (``pooling.plan/1``) that answers a snapshot and in which the judge found no rule broken.

    There is no other way to have one: the judge looks at its birth, and PlanRefused names every rule that is broken.
    """

    frozen: Frozen
    document: Mapping[str, Any]

    def __post_init__(self) -> None:
        violations = check(dict(self.frozen.instance), dict(self.document))
        if violations:
            said = [f"{found.rule} at {found.path}: {found.message}" for found in violations]
            head = f"snapshot {self.frozen.id}: {len(said)} rules broken, nothing was stored"
            raise PlanRefused("\n  ".join([head, *said]))


def _told(wrong: InvalidInstance, document: Mapping[str, Any]) -> str:
    """What the solver refuses of an instance, a line for each place, with the id of the row and whose it is."""
    return "\n".join(f"{_whose(fault.path, document)}{fault}" for fault in wrong.faults)


def _whose(path: str, document: Mapping[str, Any]) -> str:
    """The row that a path such as ``lines[3].quantity`` is in, in words; empty where it is in none with an id."""
    place = _IN_LIST.match(path)
    rows = document.get(place[1]) if place else None
    if place is None or not isinstance(rows, Sequence) or not int(place[2]) < len(rows):
        return ""
    row = rows[int(place[2])]
    if not isinstance(row, Mapping) or "id" not in row:
        return ""
    whose = f" of {row['participant']}" if "participant" in row else ""
    return f"{KINDS.get(place[1], place[1])} {row['id']}{whose}: "


def solve_judged(
    frozen: Frozen,
    *,
    effort: Effort,
    executor: Executor | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Judged:
    """The solver's answer to a snapshot, passed by the judge.

    Once ``stop()`` is true the search ends, and the best plan so far is the answer, with its true bound.
    Raises PlanRefused where the judge finds a rule broken, BadInput where the solver refuses the question.
    """
    try:
        instance = Instance.from_document(frozen.instance)
    except InvalidInstance as wrong:
        said = _told(wrong, frozen.instance).replace("\n", "\n  ")
        raise BadInput(f"the snapshot is no valid question for the solver:\n  {said}") from wrong
    plan = solve(
        instance,
        time_limit_s=effort.time_limit_s,
        workers=effort.workers,
        seed=effort.seed,
        gap=effort.gap,
        executor=executor,
        on_progress=on_progress,
        stop=stop,
        settle=True,
    )
    document = json.loads(canonical(plan.to_document()))
    if stop is not None and stop() and document["status"] != "optimal":
        document["interrupted"] = True  # the solver itself may not have asked again after its last model
    return Judged(frozen, document)
