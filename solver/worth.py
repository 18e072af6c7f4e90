"""What pools are worth, from the instance's own words: figures of lots, totals of a plan, fixed pools as they stand.

Formulas are those of the contract's objective. Money is EUR over the term, quantities are base units a year.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from solver.instance import Instance, Line, Offer
from solver.lots import SURE_TOLERANCE, Z90
from solver.months import offset
from solver.plan import PlanLot, PlanPool, Totals
from solver.terms import term_months, worth_per_unit


@dataclass(frozen=True, slots=True)
class LineWorth:
    """A line's benefit and its parts."""

    savings_eur: float
    green_value_eur: float
    bridging_cost_eur: float
    line_cost_eur: float

    @property
    def benefit_eur(self) -> float:
        return self.savings_eur + self.green_value_eur - self.bridging_cost_eur - self.line_cost_eur


class Worth:
    """Values lines, lots and pools of one instance."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.lines = {line.id: line for line in instance.lines}
        self.offers = {offer.id: offer for offer in instance.offers}
        self.categories = {category.id: category for category in instance.categories}
        self.countries = {participant.id: participant.country for participant in instance.participants}
        self.previous = {(entry.line, entry.offer, entry.start) for entry in instance.previous}

    def line(self, line: Line, offer: Offer, tier: int, start: str) -> LineWorth:
        """The line on the offer's tier from the month ``start``."""
        policy = self.instance.policy
        years = term_months(self.categories[line.category], self.instance) / 12
        carbon, share = worth_per_unit(offer, self.instance)
        spend = line.quantity * line.unit_price_eur
        rate = policy.bridging_rate_per_year if line.bridging_rate_per_year is None else line.bridging_rate_per_year
        first = max(0, offset(line.earliest_start, policy.horizon_start))
        waited = max(0, offset(start, policy.horizon_start) - first)
        return LineWorth(
            savings_eur=years * line.quantity * (line.unit_price_eur - offer.tiers[tier].unit_price_eur),
            green_value_eur=years * (carbon * line.quantity + spend * share),
            bridging_cost_eur=spend * rate * waited / 12,
            line_cost_eur=policy.line_cost_eur,
        )

    def sure_quantity(self, lines: Iterable[str]) -> float:
        """Rule 3."""
        policy, rho = self.instance.policy, self.instance.policy.forecast_correlation
        chosen = [self.lines[line] for line in lines]
        deviations = [(line.quantity_high - line.quantity_low) / (2 * Z90) for line in chosen]
        variance = (1 - rho) * math.fsum(d * d for d in deviations) + rho * math.fsum(deviations) ** 2
        return sum(line.quantity for line in chosen) - NormalDist().inv_cdf(policy.confidence) * math.sqrt(variance)

    def lot(self, offer: str, lines: Sequence[str], start: str) -> PlanLot:
        """The lot with its figures, on the highest tier it reaches (the first where it reaches none)."""
        sure = self.sure_quantity(lines)
        sold = self.offers[offer]
        reached = [k for k, tier in enumerate(sold.tiers) if sure >= tier.from_quantity * (1 - SURE_TOLERANCE)]
        tier = reached[-1] if reached else 0
        return PlanLot(
            offer=offer,
            lines=tuple(lines),
            tier=tier,
            quantity=sum(self.lines[line].quantity for line in lines),
            sure_quantity=sure,
            benefit_eur=math.fsum(self.line(self.lines[line], sold, tier, start).benefit_eur for line in lines),
        )

    def fixed_pools(self) -> tuple[PlanPool, ...]:
        """The decided pools with their figures."""
        return tuple(
            PlanPool(
                pool.family,
                pool.start,
                pool.lead,
                tuple(self.lot(lot.offer, lot.lines, pool.start) for lot in pool.lots),
            )
            for pool in self.instance.fixed
        )

    def totals(self, pools: Iterable[PlanPool]) -> Totals:
        """Sums over the pools; ``lines`` and ``spend_eur_per_year`` are of the whole instance."""
        policy = self.instance.policy
        savings: list[float] = []
        green: list[float] = []
        bridging: list[float] = []
        setup: list[float] = []
        stability: list[float] = []
        co2: list[float] = []
        spend: list[float] = []
        pooled = 0
        for pool in pools:
            members = {self.lines[line].participant for lot in pool.lots for line in lot.lines}
            setup += [policy.pool_cost_eur, policy.country_cost_eur * (len({self.countries[p] for p in members}) - 1)]
            for lot in pool.lots:
                setup.append(policy.lot_cost_eur)
                offer = self.offers[lot.offer]
                for name in lot.lines:
                    line = self.lines[name]
                    worth = self.line(line, offer, lot.tier, pool.start)
                    savings.append(worth.savings_eur)
                    green.append(worth.green_value_eur)
                    bridging.append(worth.bridging_cost_eur)
                    setup.append(worth.line_cost_eur)
                    co2.append(offer.co2_saved_kg_per_unit * line.quantity / 1000)
                    spend.append(line.quantity * line.unit_price_eur)
                    pooled += 1
                    if (name, lot.offer, pool.start) in self.previous:
                        stability.append(policy.stability_eur)
        return Totals(
            savings_eur=math.fsum(savings),
            green_value_eur=math.fsum(green),
            bridging_cost_eur=math.fsum(bridging),
            set_up_cost_eur=math.fsum(setup),
            stability_eur=math.fsum(stability),
            co2_saved_tonnes_per_year=math.fsum(co2),
            lines=len(self.lines),
            lines_pooled=pooled,
            spend_eur_per_year=math.fsum(line.quantity * line.unit_price_eur for line in self.lines.values()),
            spend_pooled_eur_per_year=math.fsum(spend),
        )
