"""The chance that a lot's yearly volume reaches its tier, by formula and by drawing the lines.

Both follow rule 3's model: a line's volume is normal with its forecast's standard deviation, and any two lines of the
plan share a correlation: volume = quantity + sd * (sqrt(rho) * shock + sqrt(1 - rho) * own), shock and own standard
normal, the shock common to all. The formula lets volumes fall below 0, drawings stop there: how often is told. Below
the tipping volume nothing is sold: lines stay at today's prices and save nothing.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from statistics import NormalDist

import numpy as np

from solver.arrays import Floats
from solver.instance import Category, Instance, Line, Offer
from solver.lots import Z90
from solver.terms import term_months

NORMAL = NormalDist()


@dataclass(frozen=True)
class Chance:
    """One lot under one correlation. Prices are EUR a base unit, given that the tipping volume is there (None where it
    never is); savings EUR over the term."""

    correlation: float
    tier_probability: float
    tipping_probability: float
    expected_price_eur: float | None
    expected_savings_eur: float
    drawn_tier_probability: float
    drawn_tier_standard_error: float
    drawn_tipping_probability: float
    drawn_tipping_standard_error: float
    drawn_price_eur: float | None
    drawn_savings_eur: float
    drawn_savings_standard_error_eur: float
    drawn_below_zero_share: float
    """Of the drawings of lines, how many fell below 0 and count as 0."""


@dataclass(frozen=True)
class Drawn:
    """What drawing gave, one entry a draw."""

    reached: Floats
    """1 where the lot's tier is reached."""
    savings: Floats


class LotVolume:
    """A lot's lines as random volumes."""

    def __init__(self, instance: Instance, category: Category, offer: Offer, lines: Sequence[Line], tier: int) -> None:
        self.offer, self.tier = offer, tier
        self.years = term_months(category, instance) / 12
        self.quantity = np.array([line.quantity for line in lines], dtype=float)
        self.deviation = np.array([(line.quantity_high - line.quantity_low) / (2 * Z90) for line in lines])
        self.price_today = np.array([line.unit_price_eur for line in lines])
        self.volumes = np.array([float(step.from_quantity) for step in offer.tiers])
        self.prices = np.array([step.unit_price_eur for step in offer.tiers])

    def spread(self, correlation: float) -> float:
        """Standard deviation of the lot's volume."""
        own, common = float((self.deviation**2).sum()), float(self.deviation.sum()) ** 2
        return sqrt((1 - correlation) * own + correlation * common)

    def reaches(self, volume: float, correlation: float) -> float:
        """The probability that yearly volume is at least so much, by the formula."""
        mean, spread = float(self.quantity.sum()), self.spread(correlation)
        if spread <= 0:
            return float(mean >= volume)
        return NORMAL.cdf((mean - volume) / spread)

    def tiers(self, correlation: float) -> list[float]:
        """The probability of ending on each tier, by the formula."""
        reached = [self.reaches(volume, correlation) for volume in self.volumes.tolist()]
        return [here - above for here, above in zip(reached, [*reached[1:], 0.0], strict=True)]

    def savings(self, correlation: float) -> float:
        """Expected savings over the term, by the formula.

        With spend at today's prices W and volume V jointly normal, E[W; a <= V < b] is E[W] P(a <= V < b) +
        cov(W, V) / sd(V) * (density(a) - density(b)), and so for V itself.
        """
        mean, spread = float(self.quantity.sum()), self.spread(correlation)
        spend = float(self.quantity @ self.price_today)
        weighted = float(self.deviation @ self.price_today)
        joint = (1 - correlation) * float(self.deviation**2 @ self.price_today)
        joint += correlation * weighted * float(self.deviation.sum())
        total = 0.0
        edges = [*self.volumes.tolist(), inf]
        for k, chance in enumerate(self.tiers(correlation)):
            total += (spend - self.prices[k] * mean) * chance
            if spread > 0:
                low, high = ((edge - mean) / spread for edge in edges[k : k + 2])
                density = NORMAL.pdf(low) - (NORMAL.pdf(high) if high < inf else 0.0)
                total += (joint - self.prices[k] * spread**2) / spread * density
        return float(self.years * total)

    def own_errors(self, seed: int, name: str, draws: int) -> Floats:
        """(lines, draws) standard normal errors, the same for a seed and lot whatever else is in the plan."""
        random = np.random.default_rng([seed, zlib.crc32(name.encode())])
        return random.standard_normal((len(self.quantity), draws))

    def chance(self, correlation: float, shock: Floats, own: Floats) -> tuple[Chance, Drawn]:
        """Figures by formula and from drawings of the common shock (draws,) and the lines' own errors."""
        errors = sqrt(correlation) * shock + sqrt(1 - correlation) * own
        volumes = self.quantity[:, None] + self.deviation[:, None] * errors
        below = float((volumes < 0).mean())
        volumes = np.maximum(volumes, 0.0)
        total = volumes.sum(axis=0)
        tier = np.searchsorted(self.volumes, total, side="right") - 1
        sold = tier >= 0
        price = self.prices[np.maximum(tier, 0)]
        savings = self.years * np.where(sold, self.price_today @ volumes - price * total, 0.0)
        reached = (tier >= self.tier).astype(float)
        chances = self.tiers(correlation)
        tipping, draws = sum(chances), len(shock)
        drawn_tipping = float(sold.mean())
        found = Chance(
            correlation=correlation,
            tier_probability=sum(chances[self.tier :]),
            tipping_probability=tipping,
            expected_price_eur=float(np.dot(chances, self.prices)) / tipping if tipping > 0 else None,
            expected_savings_eur=self.savings(correlation),
            drawn_tier_probability=float(reached.mean()),
            drawn_tier_standard_error=_error(float(reached.mean()), draws),
            drawn_tipping_probability=drawn_tipping,
            drawn_tipping_standard_error=_error(drawn_tipping, draws),
            drawn_price_eur=float(price[sold].mean()) if sold.any() else None,
            drawn_savings_eur=float(savings.mean()),
            drawn_savings_standard_error_eur=float(savings.std(ddof=1) / sqrt(draws)),
            drawn_below_zero_share=below,
        )
        return found, Drawn(reached, savings)


def _error(share: float, draws: int) -> float:
    """Standard error of a share of draws."""
    return sqrt(share * (1 - share) / draws)
