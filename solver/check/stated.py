"""The figures a plan states, against those recomputed."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from solver.check.reckoning import Reckoning
from solver.check.violation import Violation
from solver.check.worth import sure_tolerance, tolerance

OPTIMAL_GAP = 1e-4
_ROUNDING = 1e-9
"""Share by which a gap may differ through floating point."""


def tiers_are_the_highest(case: Reckoning) -> Iterator[Violation]:
    """Where a tier begins within the tolerance of the sure quantity, it may be taken or not."""
    for lot in case.lots:
        if lot.stated.tier not in (None, lot.tier):
            yield Violation("tier", f"{lot.path}.tier", f"is {lot.stated.tier}, the highest reached is {lot.tier}")


def lot_figures_agree(case: Reckoning) -> Iterator[Violation]:
    for lot in case.lots:
        benefit = math.fsum(entry.benefit for entry in lot.worths)
        for key, right, slack in (
            ("quantity", lot.quantity, 0.0),
            ("sure_quantity", lot.sure_quantity, sure_tolerance(lot.sure_quantity)),
            ("benefit_eur", benefit, tolerance(benefit)),
        ):
            yield from _differs("figures", f"{lot.path}.{key}", lot.stated.figures[key], right=right, slack=slack)


def pool_members_agree(case: Reckoning) -> Iterator[Violation]:
    """A pool need not list its participants and countries; where it does, the list or the number is right."""
    for pool in case.plan.pools:
        for key, right in (("participants", pool.participants), ("countries", pool.countries)):
            if key in pool.row and not _lists(pool.row[key], right):
                yield Violation("figures", f"{pool.path}.{key}", f"must be {sorted(right)}")


def _lists(stated: Any, right: set[str]) -> bool:
    if isinstance(stated, list):
        return all(isinstance(name, str) for name in stated) and sorted(stated) == sorted(right)
    return isinstance(stated, int) and not isinstance(stated, bool) and stated == len(right)


def totals_agree(case: Reckoning) -> Iterator[Violation]:
    """EUR within the tolerance of totals, tonnes within its relative part, counts exactly."""
    for key, stated in case.plan.totals.items():
        right = case.totals[key]
        slack = tolerance(right) if "_eur" in key else 1e-6 * max(1.0, abs(right))
        slack = 0.0 if key in {"lines", "lines_pooled"} else slack
        yield from _differs("totals", f"totals.{key}", stated, right=right, slack=slack)


def objective_agrees(case: Reckoning) -> Iterator[Violation]:
    right, stated = case.totals["objective_eur"], case.plan.figures["objective_eur"]
    yield from _differs("objective", "objective_eur", stated, right=right, slack=tolerance(right))


def bound_is_no_lower(case: Reckoning) -> Iterator[Violation]:
    """A bound on any plan's total cannot lie below this plan's."""
    total, bound = case.totals["objective_eur"], case.plan.figures["bound_eur"]
    if bound is not None and bound < total - tolerance(total):
        yield Violation("bound", "bound_eur", f"is {bound}, below the plan's own total {total:.2f}")


def gap_agrees(case: Reckoning) -> Iterator[Violation]:
    right = _gap(case.plan.figures)
    if right is not None:
        yield from _differs("gap", "gap", case.plan.figures["gap"], right=right, slack=_ROUNDING * max(1.0, abs(right)))


def status_agrees(case: Reckoning) -> Iterator[Violation]:
    """``optimal`` if and only if the gap is at most 0.01 %; a run cannot take less than no time."""
    gap, status = _gap(case.plan.figures), case.plan.status
    if status not in {"optimal", "feasible"}:
        yield Violation("status", "status", f"must be optimal or feasible, is {status!r}")
    elif gap is not None and abs(gap - OPTIMAL_GAP) > _ROUNDING and (gap < OPTIMAL_GAP) != (status == "optimal"):
        yield Violation("status", "status", f"is {status} at a gap of {gap:.6%}")
    seconds = case.plan.figures["runtime_s"]
    if seconds is not None and seconds < 0:
        yield Violation("status", "runtime_s", f"is {seconds}, below 0")


def _gap(figures: Mapping[str, float | None]) -> float | None:
    objective, bound = figures["objective_eur"], figures["bound_eur"]
    if objective is None or bound is None:
        return None
    return (bound - objective) / max(1.0, abs(bound))


def _differs(rule: str, path: str, stated: float | None, *, right: float, slack: float) -> Iterator[Violation]:
    if stated is not None and abs(stated - right) > slack:
        yield Violation(rule, path, f"is {stated}, recomputed {right}")
