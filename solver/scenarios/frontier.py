"""Which plans no other one betters in everything looked at, and how sure that is when plans are not proven the best.

A plan is dominated if another one is at least as good on every axis and better on one, beyond rounding. That is a fact
about the two plans. About the policy it says less, because its plan may stop short of its bound: what it would give
when solved to the end could lie elsewhere. It is dominated *surely* if no plan at all that its policy allows is as
good as the other on every axis. That follows where the least that such a plan would be worth under the policy
(`least_worth`) lies above the policy's proven bound.

So between policies that allow the same plans and differ in what they value, nothing is ever dominated surely: there it
is the gap that speaks. Where it is sure, the policy's rules (confidence, minimum, floor) are what costs.

Cash is as planned, and a plan at low confidence promises prices that its volumes miss more often. So it is also told
whether the other plan is still the better one by its mean cash over drawn volumes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from solver.arrays import Flags
from solver.instance import Instance, Policy

CASH, CO2, CRITERIA = "cash_saving_eur", "co2_saved_tonnes_per_year", "criteria_covered"
DRAWN = "mean_cash_saving_eur"
"""Cash over drawn volumes: no axis of a frontier, but beside the cash of every plan."""
ONE = "criterion_share."
COMPARED = (
    "horizon_start", "term_months", "bridging_rate_per_year", "pool_cost_eur", "lot_cost_eur", "line_cost_eur",
    "country_cost_eur",
)  # fmt: skip
"""What cash depends on besides the pools; bounds of policies that differ here cannot be compared in cash."""

Measures = Mapping[str, float]
"""Axis to value; more is better on all."""


@dataclass(frozen=True, slots=True)
class Dominated:
    """Number of the plan that is better; whether the policy could not do as well whatever its plan; and whether the
    other one is better with volumes drawn too."""

    by: int
    surely: bool
    when_drawn: bool


def criteria_of(measures: Measures) -> list[str]:
    """The criteria that have an axis."""
    return [axis.removeprefix(ONE) for axis in measures if axis.startswith(ONE)]


def axes_of(criteria: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The axes of every frontier by its name: two of two axes, one of all three, and one for each criterion."""
    single = {f"criterion.{name}": (CASH, ONE + name) for name in criteria}
    return {"co2": (CASH, CO2), "criteria": (CASH, CRITERIA), "all": (CASH, CO2, CRITERIA), **single}


def dominated(
    measures: Sequence[Measures], axes: Sequence[str], instance: Instance, proven: Sequence[tuple[Policy, float]]
) -> list[Dominated | None]:
    """For each plan whether another dominates it; ``proven``: each plan's policy with its bound in EUR.

    Of several that do, one that does so surely is named, else one that does with volumes drawn too, else one that is
    not dominated itself, the first of equals.
    """
    better = _better(measures, axes)
    drawn = _better(measures, [DRAWN if axis == CASH else axis for axis in axes])
    found: list[Dominated | None] = []
    for k, (policy, bound) in enumerate(proven):
        by: list[int] = np.flatnonzero(better[k]).tolist()
        sure = {n for n in by if _beyond(least_worth(instance, policy, measures[n], axes), bound)}
        by.sort(key=lambda n: (n not in sure, not drawn[k, n], better[n].any(), n))
        found.append(Dominated(by[0], by[0] in sure, bool(drawn[k, by[0]])) if by else None)
    return found


def _better(measures: Sequence[Measures], axes: Sequence[str]) -> Flags:
    """(k, n): whether plan n dominates plan k."""
    values = np.array([[one[axis] for axis in axes] for one in measures]).reshape(len(measures), len(axes))
    slack = np.array([0.5 if axis in (CASH, DRAWN) else 1e-9 for axis in axes]) + 1e-6 * np.abs(values)
    ahead = values[None, :, :] - values[:, None, :]
    allowed = np.maximum(slack[None, :, :], slack[:, None, :])
    dominates: Flags = (ahead >= -allowed).all(axis=2) & (ahead > allowed).any(axis=2)
    return dominates


def _beyond(worth: float | None, bound: float) -> bool:
    return worth is not None and worth > bound + 0.5 + 1e-6 * abs(bound)


def least_worth(instance: Instance, policy: Policy, measures: Measures, axes: Sequence[str]) -> float | None:
    """The least total (EUR) under the policy of any plan that is as good as the measures on the axes.

    What is on no axis counts nothing, categories' terms count as the shortest. None where cash is not the same under
    the policy as under the instance's own, or where CO2e may be negative and its worth cannot be told from the axes.
    """
    if any(getattr(policy, name) != getattr(instance.policy, name) for name in COMPARED):
        return None
    terms = {policy.term_months if c.term_months is None else c.term_months for c in instance.categories}
    years = min(terms, default=policy.term_months) / 12
    price = policy.carbon_price_eur_per_tonne
    sheds = any(offer.co2_saved_kg_per_unit < 0 for offer in instance.offers)
    if price and sheds and (CO2 not in axes or len(terms) > 1):
        return None
    worth = measures[CASH] + (price * years * measures[CO2] if CO2 in axes else 0.0)
    spend = sum(line.quantity * line.unit_price_eur for line in instance.lines)
    value = policy.criterion_value
    met = {criterion for offer in instance.offers for criterion in offer.criteria}
    if CRITERIA in axes:
        least = min((value.get(criterion, 0.0) for criterion in met), default=0.0)
        worth += least * years * spend * measures[CRITERIA]
    singles = [axis.removeprefix(ONE) for axis in axes if axis.startswith(ONE)]
    return worth + sum(value.get(name, 0.0) * years * spend * measures[ONE + name] for name in singles)
