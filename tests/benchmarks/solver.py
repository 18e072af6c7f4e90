"""The solver against its targets and its peers; `./run bench solver [SECTION ...]`.

Each solve runs in a process of its own on an instance in memory, on two threads or two workers. Our time is the whole
call of `solver.solve.solve`, plan and reasons included, unless a figure says that it is taken from progress events. A
plan counts when the judge finds nothing in it. Seeds: ``BENCH_SEEDS`` in the environment, such as ``3,4``, or each
section's own.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from solver.check import check
from solver.check.facts import read_facts
from solver.check.reading import read_plan
from solver.check.reckoning import reckon
from solver.check.worth import tolerance
from tests.benchmarks.best_known import BEST_KNOWN_EUR
from tests.benchmarks.processes import measured

MAKER = Path(__file__).parents[3] / "shared/bench/make_instance.py"
GAP = 0.01
PLAIN, TIGHT = "plain-highs", "tight-highs"
FAMILY_SEEDS, FAMILY_LIMIT_S, FAMILY_RATIO, FAMILY_GOAL = tuple(range(1, 12)), 120.0, 3.0, 5.0
OTHERS, OTHERS_SEEDS, OTHERS_LIMIT_S = ("plain-scip", "plain-cp-sat"), (1, 2, 3, 4, 5), 60.0
LARGE_SEEDS, LARGE_TARGETS_S, LARGE_PEER_S = (1, 2, 3), {0.03: 60.0, 0.01: 300.0}, 120.0
NORDIC_SEEDS, NORDIC_TARGETS_S, NORDIC_FIRST_S = (1, 2), {0.03: 120.0, 0.01: 600.0}, 10.0
NORDIC_BYTES, NORDIC_GOAL_S = 4_000_000_000, 120.0
SCALING_LINES, SCALING_SEEDS, SCALING_EXPONENT, SCALING_LIMIT_S = (5_000, 10_000, 30_000, 120_000), (1,), 1.15, 3_600.0
LINES_A_FAMILY, CATEGORIES_A_FAMILY, PARTICIPANTS = 485, 8, 57
"""The make of `nordic`, at other sizes."""


@dataclass(frozen=True)
class Run:
    """One solve as measured. ``events``: (seconds, best total, bound) as reported on the way, the end included."""

    seconds: float
    objective: float
    bound: float
    gap: float
    events: tuple[tuple[float, float | None, float | None], ...]
    peak_bytes: int
    violations: tuple[str, ...]

    def gap_at(self, seconds: float) -> float:
        """What was proven of the best plan by then; infinite before there is a plan."""
        reached = [event for event in self.events if event[0] <= seconds]
        best = max((best for _, best, _ in reached if best is not None), default=-math.inf)
        bound = min((bound for _, _, bound in reached if bound is not None), default=math.inf)
        return (bound - best) / max(1.0, abs(bound)) if math.isfinite(bound) else math.inf

    def reaches(self, gap: float) -> float:
        """Seconds until so small a gap was proven, infinite if it never was."""
        return next((at for at, *_ in self.events if self.gap_at(at) <= gap), math.inf)

    @property
    def first_plan_s(self) -> float:
        """Seconds until a plan was there that is worth something."""
        return next((at for at, best, _ in self.events if best is not None and best > 0), math.inf)


class Bench:
    """Instances in a folder of its own, and what was found."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.met: list[bool] = []

    def instance(self, seed: int, **sizes: object) -> Path:
        """A made instance; ``preset`` or ``participants``, ``families`` and ``categories``."""
        path = self.folder / f"{'-'.join(str(size) for size in sizes.values())}-{seed}.json"
        if not path.exists():
            words = [word for name, size in sizes.items() for word in (f"--{name}", str(size))]
            command = [sys.executable, str(MAKER), *words, "--seed", str(seed), "--out", str(path)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return path

    def solve(self, who: str, instance: Path, *, limit_s: float, gap: float = GAP) -> Run:
        """Measure one solve, then judge its plan. A peer that ends without a plan has an infinite gap."""
        plan = self.folder / "plan.json"
        told, peak = measured("tests.benchmarks.attempt", who, str(instance), str(plan), str(limit_s), str(gap))
        objective, violations = judged(instance, plan, whole=who == "ours")
        events = tuple((at, best, bound) for at, best, bound in told["events"])
        run = Run(
            seconds=told["seconds"],
            objective=objective,
            bound=told["bound"],
            gap=math.inf if told["gap"] is None else told["gap"],
            events=(*events, (told["seconds"], objective, told["bound"])),
            peak_bytes=peak,
            violations=violations,
        )
        for violation in violations[:3]:
            print(f"  {who}: {violation}", flush=True)
        return run

    def target(self, what: str, shown: str, *, met: bool) -> None:
        """Print a figure with its target, and keep whether it is met."""
        self.met.append(met)
        print(f"{what}: {shown}: {'met' if met else 'MISSED'}", flush=True)

    def sound(self, what: str, runs: Sequence[Run], *, best: float | None = None) -> None:
        """Our plans are lawful as the judge sees them, and no bound lies below a plan."""
        wrong = sum(len(run.violations) for run in runs)
        self.target(f"{what}: plans", f"{len(runs)} judged, {wrong} violations", met=not wrong)
        if best is not None:
            low = [run.bound for run in runs if run.bound < best - tolerance(best)]
            self.target(f"{what}: bounds", f"{len(low)} below the best plan known ({best:,.0f} EUR)", met=not low)


def judged(instance: Path, plan: Path, *, whole: bool) -> tuple[float, tuple[str, ...]]:
    """Total and violations of a plan; of a peer's pools, which state no figures, those of rules 1 to 10."""
    question = json.loads(instance.read_text(encoding="utf-8"))
    answer = json.loads(plan.read_text(encoding="utf-8"))
    facts = read_facts(question)
    stated, _ = read_plan(answer, facts)
    assert stated is not None
    violations = [str(found) for found in check(question, answer) if whole or found.rule.startswith("rule-")]
    return reckon(facts, stated).totals["objective_eur"], tuple(violations)


def seeds(own: Sequence[int]) -> Sequence[int]:
    """Those of the environment, or a section's own."""
    given = os.environ.get("BENCH_SEEDS", "")
    return [int(seed) for seed in given.split(",")] if given else own


def family(bench: Bench) -> None:
    """Time to a proven gap of 1 %, against the plain model given whole to HiGHS, and its tight form beside it."""
    _race(bench, ("ours", PLAIN, TIGHT), seeds(FAMILY_SEEDS), limit_s=FAMILY_LIMIT_S)


def others(bench: Bench) -> None:
    """CP-SAT and SCIP on the plain model, for comparison."""
    _race(bench, ("ours", *OTHERS), seeds(OTHERS_SEEDS), limit_s=OTHERS_LIMIT_S)


def _race(bench: Bench, contestants: Sequence[str], among: Sequence[int], *, limit_s: float) -> None:
    """All on the same instances in one run; who begins changes from seed to seed. A limit reached counts in full."""
    runs: dict[str, list[Run]] = {who: [] for who in contestants}
    for number, seed in enumerate(among):
        instance = bench.instance(seed, preset="family")
        first = number % len(contestants)
        for who in (*contestants[first:], *contestants[:first]):
            runs[who].append(bench.solve(who, instance, limit_s=limit_s))
        parts = [f"{who} {_proven(runs[who][-1])}" for who in contestants]
        print(f"family, seed {seed}: {', '.join(parts)}", flush=True)
        best = max(run[-1].objective for run in runs.values())
        bound = runs["ours"][-1].bound
        if bound < best - tolerance(best):
            bench.target(f"family, seed {seed}", f"bound {bound:,.0f} below a plan of {best:,.0f} EUR", met=False)
    bench.sound("family", runs["ours"])
    own = [run.seconds for run in runs["ours"]]
    proven = all(run.gap <= GAP for run in runs["ours"])
    print(f"family: ours: median {median(own):.2f} s, all at a proven gap of 1 %: {proven}", flush=True)
    for who in contestants[1:]:
        theirs = [run.seconds for run in runs[who]]
        unproven = sum(run.gap > GAP for run in runs[who])
        ratio = median(theirs) / median(own)
        each = median(theirs[k] / own[k] for k in range(len(own)))
        shown = f"median {median(theirs):.2f} s ({unproven} of {len(theirs)} not proven in {limit_s:.0f} s), "
        shown += f"ratio of medians {ratio:.2f}, median of ratios {each:.2f}"
        if who == PLAIN:
            aim = f"target {FAMILY_RATIO:g} or more, goal {FAMILY_GOAL:g}"
            met = proven and ratio >= FAMILY_RATIO
            bench.target(f"family: {who}", f"{shown} ({aim})", met=met)
        else:
            print(f"family: {who}: {shown}", flush=True)


def _proven(run: Run) -> str:
    return f"{run.seconds:.2f} s (gap {run.gap:.2%})"


def large_family(bench: Bench) -> None:
    """Times to 3 % and 1 %, from progress events; the plain model beside it on the first seed."""
    for number, seed in enumerate(seeds(LARGE_SEEDS)):
        what = f"large-family, seed {seed}"
        instance = bench.instance(seed, preset="large-family")
        run = bench.solve("ours", instance, limit_s=max(LARGE_TARGETS_S.values()))
        _reached(bench, what, run, LARGE_TARGETS_S)
        bench.sound(what, [run], best=_best_known(what, "large-family", seed, run))
        if number == 0:
            peer = bench.solve(PLAIN, instance, limit_s=LARGE_PEER_S)
            print(f"{what}: {PLAIN}: {peer.seconds:.1f} s, gap {peer.gap:.2%}", flush=True)


def nordic(bench: Bench) -> None:
    """First plan, gaps, memory, and the bound against the best plan ever found."""
    for seed in seeds(NORDIC_SEEDS):
        what = f"nordic, seed {seed}"
        limit_s = max(NORDIC_TARGETS_S.values())
        run = bench.solve("ours", bench.instance(seed, preset="nordic"), limit_s=limit_s)
        first = run.first_plan_s
        bench.target(
            what, f"first plan after {first:.1f} s (target {NORDIC_FIRST_S:.0f} s)", met=first <= NORDIC_FIRST_S
        )
        _reached(bench, what, run, NORDIC_TARGETS_S)
        print(
            f"{what}: goal: gap after {NORDIC_GOAL_S:.0f} s {run.gap_at(NORDIC_GOAL_S):.3%} (1 % or less)", flush=True
        )
        bench.target(
            what,
            f"peak memory {run.peak_bytes / 1e6:,.0f} MB (target under {NORDIC_BYTES / 1e6:,.0f} MB)",
            met=run.peak_bytes < NORDIC_BYTES,
        )
        bench.sound(what, [run], best=_best_known(what, "nordic", seed, run))


def _reached(bench: Bench, what: str, run: Run, targets: dict[float, float]) -> None:
    for gap, seconds in targets.items():
        at = run.reaches(gap)
        shown = f"gap {gap:.0%} after {at:.1f} s, gap after {seconds:.0f} s {run.gap_at(seconds):.3%}"
        bench.target(what, f"{shown} (target {seconds:.0f} s)", met=at <= seconds)
    print(f"{what}: whole call {run.seconds:.1f} s, gap {run.gap:.3%}, total {run.objective:,.0f} EUR", flush=True)


def _best_known(what: str, preset: str, seed: int, run: Run) -> float:
    """The best total known, this run's included."""
    known = BEST_KNOWN_EUR.get(preset, {}).get(seed)
    if known is None or run.objective > known + tolerance(known):
        print(f"{what}: {run.objective:,.2f} EUR is the best total known: put it into best_known.py", flush=True)
    return run.objective if known is None else max(known, run.objective)


def scaling(bench: Bench) -> None:
    """Time to 1 % as lines grow by families, from progress events; the exponent by least squares on logarithms."""
    points: list[tuple[int, float]] = []
    for lines in SCALING_LINES:
        for seed in seeds(SCALING_SEEDS):
            families = round(lines / LINES_A_FAMILY)
            sizes = {"participants": PARTICIPANTS, "families": families, "categories": families * CATEGORIES_A_FAMILY}
            instance = bench.instance(seed, **sizes)
            made = len(json.loads(instance.read_text(encoding="utf-8"))["lines"])
            run = bench.solve("ours", instance, limit_s=SCALING_LIMIT_S)
            at = run.reaches(GAP)
            print(
                f"scaling, seed {seed}: {made:,} lines, {families} families: 1 % after {at:.1f} s"
                f" (whole call {run.seconds:.1f} s, gap {run.gap:.3%}, {run.peak_bytes / 1e6:,.0f} MB)",
                flush=True,
            )
            bench.sound(f"scaling, {made:,} lines", [run])
            points.append((made, at))
    if not all(math.isfinite(at) for _, at in points):
        bench.target("scaling", f"not every size reached 1 % within {SCALING_LIMIT_S:.0f} s", met=False)
        return
    size, seconds = np.log(np.array(points)).T
    exponent = float(np.polyfit(size, seconds, 1)[0])
    shown = f"time to 1 % grows as lines^{exponent:.2f} (target {SCALING_EXPONENT} or less)"
    bench.target("scaling", shown, met=exponent <= SCALING_EXPONENT)


SECTIONS: dict[str, Callable[[Bench], Any]] = {
    "family": family,
    "others": others,
    "large-family": large_family,
    "nordic": nordic,
    "scaling": scaling,
}


def run(*names: str) -> bool:
    """Run the named sections, or all, the longest last; whether every target is met."""
    if not MAKER.exists():
        print("bench solver: skipped: the generator ../shared/bench/make_instance.py is not there", flush=True)
        return True
    with tempfile.TemporaryDirectory(prefix="solver-bench-") as folder:
        bench = Bench(Path(folder))
        for name, section in SECTIONS.items():
            if not names or name in names:
                section(bench)
        return all(bench.met)
