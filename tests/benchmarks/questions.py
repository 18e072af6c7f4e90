"""What is asked of a plan of the Nordic instance, with its times; `./run bench questions [SECTION ...]`.

The plan is solved first, to a proven gap of 1 %, and judged. Each question is a call of the library in this process,
its answer included. Seed: the first of ``BENCH_SEEDS``, or 1.
"""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from solver.baselines.comparison import TITLES, Baselines, baselines
from solver.instance import Instance
from solver.near_misses.finding import near_misses
from solver.plan import Plan, PlanPool
from solver.plan_reading import read_whole_plan
from solver.risk.pools import risk
from solver.scenarios.runs import scenarios
from solver.sharing.rules import share
from solver.unlocks.finding import unlocks
from solver.whatif.answers import what_if
from solver.whatif.kinds import Change, ForbiddenAdded, PolicyChanged
from solver.whatif.lines import CriterionRequired, ParticipantLeaves, VolumeChanged
from tests.benchmarks.solver import MAKER, Bench, seeds

PLAN_S, WORKERS = 600.0, 2
WHAT_IF_S, FAMILIES = 2.0, 12
EXPLAIN_S, UNLOCK_BUDGET = 60.0, 60
BASELINES_S, SCENARIOS_S = 600.0, 900.0
GRID: dict[str, list[object]] = {"carbon_price_eur_per_tonne": [60, 240], "confidence": [0.8, 0.9]}


@dataclass(frozen=True)
class Asked:
    """What the questions are about."""

    bench: Bench
    instance: Instance
    plan: Plan

    @property
    def pools(self) -> tuple[PlanPool, ...]:
        return self.plan.pools


def planned(bench: Bench) -> Asked:
    """The Nordic instance and a plan of it."""
    seed = seeds((1,))[0]
    path = bench.instance(seed, preset="nordic")
    run = bench.solve("ours", path, limit_s=PLAN_S)
    bench.sound(f"questions, seed {seed}", [run])
    instance = Instance.from_document(json.loads(path.read_text(encoding="utf-8")))
    plan = read_whole_plan(json.loads((bench.folder / "plan.json").read_text(encoding="utf-8")), instance)
    print(f"questions: a plan of {len(plan.pools)} pools at {run.gap:.3%} after {run.seconds:.0f} s", flush=True)
    return Asked(bench, instance, plan)


def whatif(asked: Asked) -> None:
    """Five kinds of change on families from the smallest to the largest."""
    seconds: dict[str, list[float]] = {}
    gaps: dict[str, list[float]] = {}
    for family in _families(asked.instance, FAMILIES):
        for name, change in _changes(asked, family):
            began = time.perf_counter()
            answer = what_if(asked.instance, asked.pools, [change], families=[family], time_limit_s=WHAT_IF_S)
            seconds.setdefault(name, []).append(time.perf_counter() - began)
            gaps.setdefault(name, []).append(answer.replanned.gap)
    for name, found in seconds.items():
        late = sum(each > WHAT_IF_S for each in found)
        shown = f"{len(found)} families, median {median(found):.2f} s, longest {max(found):.2f} s, {late} late"
        shown += f"; gap median {median(gaps[name]):.2%}, widest {max(gaps[name]):.2%} (target {WHAT_IF_S:g} s)"
        asked.bench.target(f"what-if, {name}", shown, met=not late)


def _families(instance: Instance, count: int) -> list[str]:
    """Some families, evenly by their number of lines, the largest among them."""
    family = {category.id: category.family for category in instance.categories}
    lines = Counter(family[line.category] for line in instance.lines)
    order = sorted(lines, key=lambda name: (lines[name], name))
    step = max(1, len(order) // count)
    return order[::-1][::step][:count]


def _changes(asked: Asked, family: str) -> Iterator[tuple[str, Change]]:
    """One change of each kind that touches the family."""
    instance = asked.instance
    inside = {category.id for category in instance.categories if category.family == family}
    lines = [line for line in instance.lines if line.category in inside]
    largest = Counter(line.participant for line in lines).most_common(1)[0][0]
    starts = [pool.start for pool in asked.pools if pool.family == family] or [instance.policy.horizon_start]
    category = Counter(line.category for line in lines).most_common(1)[0][0]
    there = [line for line in lines if line.category == category]
    wanted = next(name for name in instance.policy.criterion_value if not any(name in line.refused for line in there))
    yield "a participant leaves", ParticipantLeaves(participant=largest)
    yield "a start is closed", ForbiddenAdded(family=family, start=starts[0])
    yield "a criterion is required", CriterionRequired(category=category, criterion=wanted)
    yield "a volume changes", VolumeChanged(category=category, factor=0.8)
    yield "the policy changes", PolicyChanged(values={"carbon_price_eur_per_tonne": 240})


def explain(asked: Asked) -> None:
    """All that is explained of the whole plan; reasons are part of it already."""
    parts: dict[str, Callable[[], Any]] = {
        "near misses": lambda: near_misses(asked.instance, asked.pools),
        "shares": lambda: share(asked.instance, asked.pools),
        "risk": lambda: risk(asked.instance, asked.pools),
        f"unlocks, {UNLOCK_BUDGET} solves": lambda: unlocks(asked.instance, asked.pools, budget=UNLOCK_BUDGET),
    }
    took = {}
    for name, part in parts.items():
        began = time.perf_counter()
        part()
        took[name] = time.perf_counter() - began
    shown = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in took.items())
    total = sum(took.values())
    asked.bench.target("explain", f"{total:.0f} s ({shown}; target {EXPLAIN_S:.0f} s)", met=total <= EXPLAIN_S)


def beside(asked: Asked) -> None:
    """The plan beside every baseline, also under simulated forecast error."""
    began = time.perf_counter()
    found = baselines(asked.instance, plan=asked.plan, time_limit_s=BASELINES_S, workers=WORKERS)
    took = time.perf_counter() - began
    _told("baselines", found)
    missing = set(TITLES) - {baseline.name for baseline in found.found}
    shown = f"{len(found.found)} after {took:.0f} s, {len(missing)} missing (target {BASELINES_S:.0f} s)"
    asked.bench.target("baselines", shown, met=not missing and took <= BASELINES_S)


def _told(what: str, found: Baselines) -> None:
    for baseline in found.found:
        over = found.plan.objective_eur - baseline.total_eur
        draws = ", ".join(f"{kind} {told.plan_over.mean_eur:,.0f}" for kind, told in baseline.simulated.items())
        print(
            f"{what}: the plan over {baseline.name}: {over:,.0f} EUR; in simulated draws {draws} on average", flush=True
        )


def grid(asked: Asked) -> None:
    """A small grid over the carbon price and the confidence, its frontiers and the baselines."""
    began = time.perf_counter()
    found = scenarios(asked.instance, GRID, time_limit_s=SCENARIOS_S, workers=WORKERS)
    took = time.perf_counter() - began
    gaps = [point.plan.gap for point in (found.base, *found.points)]
    fronts = {name: len(points) for name, points in found.frontiers.items() if not name.startswith("criterion.")}
    shown = f"{len(gaps)} plans judged after {took:.0f} s, gaps {min(gaps):.2%} to {max(gaps):.2%}, frontiers {fronts}"
    asked.bench.target("scenarios", f"{shown} (target {SCENARIOS_S:.0f} s)", met=took <= 1.1 * SCENARIOS_S)


SECTIONS: dict[str, Callable[[Asked], None]] = {
    "whatif": whatif,
    "explain": explain,
    "baselines": beside,
    "scenarios": grid,
}


def run(*names: str) -> bool:
    """Ask the named questions, or all; whether every target is met."""
    if not MAKER.exists():
        print("bench questions: skipped: the generator ../shared/bench/make_instance.py is not there", flush=True)
        return True
    with tempfile.TemporaryDirectory(prefix="questions-bench-") as folder:
        bench = Bench(Path(folder))
        asked = planned(bench)
        for name, section in SECTIONS.items():
            if not names or name in names:
                section(asked)
        return all(bench.met)
