"""What ``python -m solver`` can do: each command reads documents, asks the library, and writes a document.

Where a command reads several documents, a refusal begins with the name of the file.
"""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from solver.baselines.comparison import baselines
from solver.check import check
from solver.documents import STANDARD, Unreadable, read, say, writable, write
from solver.errors import InvalidInstance, InvalidPlan, SolverError
from solver.instance import Instance
from solver.near_misses.finding import near_misses
from solver.plan import PlanPool, Progress
from solver.plan_reading import read_plan, read_whole_plan
from solver.risk.pools import risk
from solver.risk.ranges import StatedRanges, read_ranges
from solver.running.cluster import cluster
from solver.running.interrupts import ignored, until_interrupted
from solver.scenarios.grids import settings
from solver.scenarios.runs import scenarios
from solver.sharing.rules import share
from solver.solve import solve
from solver.unlocks.finding import SOLVES_A_LINE, Unlocks, unlocks
from solver.whatif.answers import what_if
from solver.whatif.changes import read_changes

Answer = TypeVar("Answer")

EXPLANATION = "pooling.explanation/1"
STOPPED = 130
"""Exit code of a command that was ended by hand with nothing to show."""
SHOWN = 20
"""Of a plan that breaks rules, so many violations are shown."""


class Document(Protocol):
    """An answer that can be written."""

    def to_document(self) -> dict[str, object]: ...


def run_solve(options: Namespace) -> int:
    """``solve``: a plan. The first Ctrl-C ends the search, and the best plan so far is written with its bound."""
    instance = Instance.from_document(read(options.instance))
    writable(options.out)
    with _workers(options) as (executor, workers):
        plan = until_interrupted(
            lambda stop: solve(
                instance,
                time_limit_s=options.time_limit,
                workers=workers,
                seed=options.seed,
                executor=executor,
                on_progress=show,
                settle=True,
                stop=stop,
            ),
            first=lambda: say(sys.stderr, "stopping: the best plan so far will be written; Ctrl-C again ends at once"),
            second=_end,
            keep=True,
        )
    return _written(options, plan.to_document())


def run_check(options: Namespace) -> int:
    """``check``: the judge's violations, one a line on standard output."""
    document, plan = _read_all(options.instance, options.plan)
    Instance.from_document(document)
    violations = check(document, plan)
    for violation in violations:
        say(sys.stdout, str(violation))
    return 1 if violations else 0


def run_what_if(options: Namespace) -> int:
    """``what-if``: the difference that changes make to a plan."""
    document, plan, asked = _read_all(options.instance, options.plan, options.changes)
    instance = _instance(options, document)
    pools = _pools(options, plan, document=document, instance=instance)
    with _of(options.changes):
        changes = read_changes(asked)
        answer = _answered(
            lambda: what_if(instance, pools, changes, time_limit_s=options.time_limit, seed=options.seed)
        )
    return _written(options, answer.to_document())


def run_explain(options: Namespace) -> int:
    """``explain``: near misses, shares and risk of a plan, and what would let lines in that it leaves out."""
    document, plan, *given = _read_all(*filter(None, (options.instance, options.plan, options.ranges)))
    instance = _instance(options, document)
    pools = _pools(options, plan, document=document, instance=instance)
    with _of(options.ranges):
        ranges = read_ranges(given[0], instance) if given else StatedRanges()
    writable(options.out)
    parts: dict[str, Callable[[], Document]] = {
        "near_misses": lambda: near_misses(instance, pools),
        "shares": lambda: share(instance, pools, seed=options.seed),
        "risk": lambda: risk(instance, pools, seed=options.seed, ranges=ranges.default, offer_ranges=ranges.offers),
    }
    if options.unlock or options.unlock_budget:
        parts = {"unlocks": lambda: _unlocks(options, instance, pools), **parts}
    found: dict[str, object] = {"schema": EXPLANATION}
    for name, part in parts.items():
        found[name] = _answered(part).to_document()
        say(sys.stderr, f"{name.replace('_', ' ')}: done")
    return _written(options, found)


def _unlocks(options: Namespace, instance: Instance, pools: Sequence[PlanPool]) -> Unlocks:
    """Of the lines named, or of all left out, those of the largest spend first, as far as the budget goes."""
    lines, budget = options.unlock or None, options.unlock_budget or SOLVES_A_LINE * len(options.unlock)
    with _of("--unlock"):
        return unlocks(instance, pools, lines, budget=budget, time_limit_s=options.time_limit, seed=options.seed)


def run_scenarios(options: Namespace) -> int:
    """``scenarios``: a plan for every policy of a grid, the frontiers among them, and the baselines."""
    document, grid = _read_all(options.instance, options.grid)
    instance = _instance(options, document)
    writable(options.out)
    with _of(options.grid):
        settings(instance, grid)
    with _workers(options) as (executor, workers):
        found = _answered(
            lambda: scenarios(
                instance,
                grid,
                time_limit_s=options.time_limit,
                workers=workers,
                seed=options.seed,
                executor=executor,
                on_done=_show_part,
            )
        )
    return _written(options, found.to_document(plans=options.plans))


def run_baselines(options: Namespace) -> int:
    """``baselines``: a plan, given or found, beside what countries, regions and simple rules would reach."""
    document, *given = _read_all(*filter(None, (options.instance, options.plan)))
    instance = _instance(options, document)
    plan = None
    if given:
        _pools(options, given[0], document=document, instance=instance)
        plan = read_whole_plan(given[0], instance)
    writable(options.out)
    with _workers(options) as (executor, workers):
        found = _answered(
            lambda: baselines(
                instance,
                plan=plan,
                time_limit_s=options.time_limit,
                workers=workers,
                seed=options.seed,
                executor=executor,
                on_done=_show_part,
            )
        )
    return _written(options, found.to_document())


def show(progress: Progress) -> None:
    """Progress as a line on standard error."""
    parts = [f"{progress.stage}: {progress.families_done}/{progress.families} families"]
    if progress.best_total_eur is not None:
        parts.append(f"best {progress.best_total_eur:,.0f} EUR")
    if progress.bound_eur is not None:
        parts.append(f"bound {progress.bound_eur:,.0f} EUR")
    if progress.gap is not None:
        parts.append(f"gap {progress.gap:.3%}")
    say(sys.stderr, ", ".join(parts))


def _show_part(part: str, done: int, of: int) -> None:
    say(sys.stderr, f"{part}: {done}/{of} plans")


def _written(options: Namespace, document: Mapping[str, object]) -> int:
    """Writes the answer; once it is there, no Ctrl-C can make its command fail."""
    write(options.out, document)
    ignored()
    return 0


def _end() -> None:
    say(sys.stderr, "ended at once: nothing is written")
    os._exit(STOPPED)


def _answered(work: Callable[[], Answer]) -> Answer:
    """Work of which nothing can be shown before it is done: Ctrl-C ends it at once."""
    return until_interrupted(lambda _stop: work(), first=_end, second=_end)


@contextmanager
def _workers(options: Namespace) -> Iterator[tuple[Executor | None, int]]:
    """The cluster asked for, if one is, and how many tasks run side by side: by default all that the cluster can."""
    if options.cluster is None:
        yield None, options.workers or 1
        return
    with cluster(options.cluster) as executor:
        yield executor, options.workers or executor.workers


def _read_all(*paths: str) -> list[Any]:
    if paths.count(STANDARD) > 1:
        raise Unreadable("-: standard input can be read once: give the other documents as files")
    return [read(path) for path in paths]


def _instance(options: Namespace, document: object) -> Instance:
    with _of(options.instance):
        return Instance.from_document(document)


def _pools(options: Namespace, plan: object, *, document: Any, instance: Instance) -> tuple[PlanPool, ...]:
    """The pools of a plan that the judge passes; a plan that breaks a rule would explain nothing."""
    with _of(options.plan):
        pools = read_plan(plan, instance)
        violations = check(document, plan)
        if violations:
            more = [f"and {len(violations) - SHOWN} more violations"] if len(violations) > SHOWN else []
            raise InvalidPlan("\n".join([*(str(violation) for violation in violations[:SHOWN]), *more]))
        return pools


@contextmanager
def _of(path: str) -> Iterator[None]:
    """Refusals inside are of this file."""
    try:
        yield
    except (InvalidInstance, InvalidPlan) as refused:
        raise SolverError("\n".join(f"{path}: {line}" for line in str(refused).splitlines())) from refused
