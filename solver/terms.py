"""What an instance says of a line and an offer: when, whether they suit, what they are worth, on what terms."""

from collections.abc import Collection
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from solver.instance import Category, Instance, Line, Offer
from solver.months import offset


@dataclass(frozen=True)
class Terms:
    """The part of the policy that values lots."""

    deviates: float
    """Standard normal quantile of the confidence."""
    correlation: float
    min_participants: int
    pool_cost: float
    lot_cost: float
    country_cost: float
    max_participants: int | None
    max_countries: int | None

    def sure(self, quantity: float, variance: float, deviation: float) -> float:
        """Rule 3: what is there at the asked confidence, from sums of quantity, sd^2 and sd."""
        rho = self.correlation
        return quantity - self.deviates * float(np.sqrt((1 - rho) * variance + rho * deviation * deviation))


def terms_of(instance: Instance) -> Terms:
    """The policy's part in valuing lots."""
    policy = instance.policy
    return Terms(
        deviates=NormalDist().inv_cdf(policy.confidence),
        correlation=policy.forecast_correlation,
        min_participants=policy.min_participants,
        pool_cost=float(policy.pool_cost_eur),
        lot_cost=float(policy.lot_cost_eur),
        country_cost=float(policy.country_cost_eur),
        max_participants=policy.max_participants_per_pool,
        max_countries=policy.max_countries_per_pool,
    )


def window(line: Line, instance: Instance) -> tuple[int, int]:
    """First and last offset at which the line can start; empty (first > last) outside the horizon."""
    origin = instance.policy.horizon_start
    first = max(0, offset(line.earliest_start, origin))
    last = min(instance.policy.horizon_months - 1, offset(line.latest_start, origin))
    return first, last


def term_months(category: Category, instance: Instance) -> int:
    """Months the contracts of a category run."""
    return category.term_months if category.term_months is not None else instance.policy.term_months


def worth_per_unit(offer: Offer, instance: Instance) -> tuple[float, float]:
    """What an offer's green is worth: EUR per base unit for CO2e, and as a share of yearly spend for its criteria."""
    carbon = instance.policy.carbon_price_eur_per_tonne / 1000 * offer.co2_saved_kg_per_unit
    return carbon, sum(instance.policy.criterion_value.get(c, 0.0) for c in offer.criteria)


def suits(line: Line, offer: Offer, green_floor: Collection[str]) -> bool:
    """Rule 1 apart from months: floor, required and refused criteria."""
    criteria = set(offer.criteria)
    return criteria.issuperset(green_floor) and criteria.issuperset(line.required) and criteria.isdisjoint(line.refused)
