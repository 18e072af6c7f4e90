"""Slots for items on published instances of facility location: how near to the optimum within a minute."""

import sys
from time import monotonic

from solver.slots import single_source, solve
from tests.benchmarks.sscflp import FOLDER, OPTIMA, read_sscflp

LIMIT_S, TARGET = 60.0, 1e-3
"""Seconds an instance may take; how far from the published optimum, as a share of it, is near enough."""


def run() -> bool:
    """Every instance; prints cost and bound against the optimum. Whether all are near enough; True without the data."""
    if not FOLDER.is_dir():
        print(f"slots: skipped, the instances are not here: {FOLDER}", file=sys.stderr)
        return True
    met = True
    for name, optimum in OPTIMA.items():
        problem, constant = single_source(*read_sscflp(FOLDER / name))
        began = monotonic()
        answer = solve(problem, time_limit_s=LIMIT_S)
        seconds = monotonic() - began
        above = (constant - answer.value) / optimum - 1
        below = 1 - (constant - answer.bound) / optimum
        near = above <= TARGET and below >= -1e-9
        met = met and near
        print(
            f"slots, {name}: {problem.items} items, {problem.slots} slots: {above:.3%} above the optimum,"
            f" bound {below:.3%} below it, {seconds:.1f} s (target {TARGET:.1%} in {LIMIT_S:.0f} s):"
            f" {'met' if near else 'MISSED'}",
            flush=True,
        )
    return met
