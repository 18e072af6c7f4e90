"""One solve in a process of its own: `python -m tests.benchmarks.attempt WHO INSTANCE PLAN LIMIT_S GAP`.

``WHO`` is ``ours`` or a peer, ``plain`` or ``tight`` and a solver of `tests.benchmarks.plain`, such as ``plain-highs``.
The instance is in memory before the clock starts, and everything is imported. The plan goes to the file, for a judge
outside; what was measured goes to standard output as JSON.
"""

import json
import sys
import time
from pathlib import Path

from solver.instance import Instance
from solver.plan import Progress
from solver.solve import solve
from tests.benchmarks import plain

WORKERS = 2


def ours(instance: Instance, plan_file: Path, *, limit_s: float, gap: float) -> dict[str, object]:
    """The whole call, reasons for unpooled lines included; ``events``: seconds, best total, bound."""
    events: list[tuple[float, float | None, float | None]] = []

    def note(progress: Progress) -> None:
        events.append((time.perf_counter() - began, progress.best_total_eur, progress.bound_eur))

    began = time.perf_counter()
    plan = solve(instance, time_limit_s=limit_s, workers=WORKERS, gap=gap, on_progress=note)
    seconds = time.perf_counter() - began
    plan_file.write_text(json.dumps(plan.to_document()), encoding="utf-8")
    return {
        "seconds": seconds,
        "objective": plan.objective_eur,
        "bound": plan.bound_eur,
        "gap": plan.gap,
        "events": events,
    }


def peer(
    who: str, instance: Instance, plan_file: Path, *, limit_s: float, gap: float, threads: int = WORKERS
) -> dict[str, object]:
    """The model built and solved. The plan has pools alone, no figures."""
    form, solver = who.split("-", 1)
    found = plain.solve(instance, solver=solver, tight=form == "tight", threads=threads, gap=gap, time_limit_s=limit_s)
    plan_file.write_text(json.dumps({"pools": _pools(instance, found)}), encoding="utf-8")
    return {
        "seconds": found.seconds,
        "objective": found.objective,
        "bound": found.bound,
        "gap": found.gap if found.pools else None,
        "events": [],
    }


def _pools(instance: Instance, found: plain.Outcome) -> list[dict[str, object]]:
    first = int(instance.policy.horizon_start[:4]) * 12 + int(instance.policy.horizon_start[5:]) - 1
    return [
        {
            "family": family,
            "start": f"{(first + start) // 12:04d}-{(first + start) % 12 + 1:02d}",
            "lead": lead,
            "lots": [
                {"offer": instance.offers[offer].id, "lines": [instance.lines[line].id for line in lines]}
                for offer, lines in lots
            ],
        }
        for family, start, lead, lots in found.pools
    ]


def main(who: str, instance_file: str, plan_file: str, limit_s: str, gap: str) -> None:
    instance = Instance.from_document(json.loads(Path(instance_file).read_text(encoding="utf-8")))
    effort = {"limit_s": float(limit_s), "gap": float(gap)}
    if who == "ours":
        measured = ours(instance, Path(plan_file), **effort)
    else:
        measured = peer(who, instance, Path(plan_file), **effort)
    print(json.dumps(measured))


if __name__ == "__main__":
    main(*sys.argv[1:])
