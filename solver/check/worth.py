"""The contract's formulas: what a line is worth in a lot, which quantity is sure, which tier is reached."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from solver.check.facts import Facts, Line, Offer


def tolerance(total: float) -> float:
    """How far a stated total may lie from the recomputed one, in EUR."""
    return 1e-6 * max(1.0, abs(total)) + 0.5


def sure_tolerance(sure: float) -> float:
    return 1e-6 * max(1.0, abs(sure))


def quantity(lines: Iterable[Line]) -> int:
    return sum(line.quantity for line in lines)


def sure_quantity(facts: Facts, lines: Sequence[Line]) -> float:
    """The yearly quantity that the lines reach with the policy's confidence."""
    rho = facts.policy.correlation
    squares, plain = math.fsum(line.sd**2 for line in lines), math.fsum(line.sd for line in lines)
    return quantity(lines) - facts.policy.z * math.sqrt((1 - rho) * squares + rho * plain**2)


def tiers_reached(offer: Offer, sure: float) -> tuple[int, int]:
    """The lowest and highest index that may be called the highest tier reached; -1 is below the tipping volume.

    They differ only where a tier begins within the tolerance of the sure quantity.
    """
    slack = sure_tolerance(sure)
    lowest = sum(start <= sure - slack for start, _ in offer.tiers) - 1
    return lowest, sum(start <= sure + slack for start, _ in offer.tiers) - 1


@dataclass(frozen=True, slots=True)
class Worth:
    """The parts of a line's benefit, EUR over the term; the last two are costs."""

    savings: float
    green_value: float
    bridging: float
    line_cost: float

    @property
    def benefit(self) -> float:
        return self.savings + self.green_value - self.bridging - self.line_cost


def worth(facts: Facts, line: Line, *, offer: Offer, tier: int, start: int) -> Worth:
    policy = facts.policy
    carbon = policy.carbon_eur_per_kg * offer.co2_saved_kg_per_unit * line.quantity
    criteria = line.spend * math.fsum(policy.criterion_value.get(name, 0.0) for name in offer.criteria)
    months_waited = max(0, start - max(0, line.earliest))
    return Worth(
        savings=line.term_years * line.quantity * (line.unit_price_eur - offer.tiers[tier][1]),
        green_value=line.term_years * (carbon + criteria),
        bridging=line.spend * line.bridging_rate_per_year * months_waited / 12,
        line_cost=policy.line_cost_eur,
    )
