"""Stand-ins for offers where no supplier has said anything: observed price against observed volume of the same lines.

Pure. What it makes is an assumption with its evidence, and its source says so: it is not an offer by a supplier.

Model: ln price = level + slope * ln quantity over the lines of a category. The slope is the median of the slopes
between all pairs of lines of the same year (Theil-Sen; pairs within a year, so that a price trend over the years is
not taken for a volume discount; pairs of all years only where asked for, and then the source says so). A discount is
claimed only if the upper end of the slope's interval (Sen 1968, with the variance of Kendall's S summed over the
groups) is below zero. The price of a volume above the largest one observed is the price at the largest: nothing is
read out of the range of the evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import ceil, exp, log, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from pooling.errors import BadInput
from pooling.market.rules import ABSOLUTE, MICRO, Figure, OfferRecord, TierRecord

MOST_LINES = 1_000  # of one group, spread evenly over the quantities, go into the pairs


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How offers are fitted. ``tier_shares``: where tiers start, as shares of the category's yearly volume, ascending;
    the first is the tipping volume. ``confidence``: of the slope's interval, one-sided. ``within_year``: pairs are of
    lines of one year; otherwise of all."""

    source_date: date
    min_lines: int = 8
    tier_shares: tuple[float, ...] = (0.25, 0.5, 0.75)
    confidence: float = 0.9
    criteria: tuple[str, ...] = ()
    within_year: bool = True

    def __post_init__(self) -> None:
        if self.min_lines < 3:
            raise BadInput(f"min_lines {self.min_lines}: give 3 or more; fewer show no slope")
        shares = self.tier_shares
        if not shares or shares[0] <= 0 or shares[-1] > 1 or any(b <= a for a, b in pairwise(shares)):
            raise BadInput(f"tier_shares {shares}: give ascending shares above 0, up to 1")
        if not 0.5 <= self.confidence < 1:
            raise BadInput(f"confidence {self.confidence}: give 0.5 or more and less than 1")


@dataclass(frozen=True, slots=True)
class Observed:
    """One line as evidence: base units a year at so many EUR each, in the year that it starts."""

    quantity: int
    unit_price_eur: float
    year: str


@dataclass(frozen=True, slots=True)
class Fitted:
    """The fitted offer of a category, or None and the reason why no discount is claimed."""

    category: str
    offer: OfferRecord | None
    reason: str
    lines: int
    slope: float | None = None
    slope_high: float | None = None


def fit_category(category: str, observed: Sequence[Observed], settings: FitSettings) -> Fitted:
    """Fit one category; lines without a price are no evidence."""
    lines = [line for line in observed if line.unit_price_eur > 0 and line.quantity > 0]
    if len(lines) < settings.min_lines:
        return Fitted(category, None, f"{len(lines)} observed lines, {settings.min_lines} are needed", len(lines))
    slopes, variance = _slopes(lines, within_year=settings.within_year)
    if not len(slopes):
        return Fitted(category, None, "no two lines that may be paired differ in quantity", len(lines))
    slope, high = float(np.median(slopes)), _upper(slopes, variance, settings.confidence)
    if high >= 0:
        reason = f"no falling price: slope {slope:.3f}, up to {high:.3f} at {settings.confidence:.0%} confidence"
        return Fitted(category, None, reason, len(lines), slope, high)
    offer = _offer(category, lines, slope, settings)
    if offer is None:
        return Fitted(category, None, "the price at the tipping volume rounds to nothing", len(lines), slope, high)
    return Fitted(category, offer, "", len(lines), slope, high)


def _slopes(lines: Sequence[Observed], *, within_year: bool) -> tuple[NDArray[np.float64], float]:
    """Slopes of all pairs, ascending, and the variance of Kendall's S."""
    groups: dict[str, list[Observed]] = {}
    for line in lines:
        groups.setdefault(line.year if within_year else "", []).append(line)
    parts, variance = [], 0.0
    for name in sorted(groups):
        group = sorted(groups[name], key=lambda line: (line.quantity, line.unit_price_eur))
        if len(group) > MOST_LINES:
            group = [group[round(k)] for k in np.linspace(0, len(group) - 1, MOST_LINES)]
        quantity = np.log([line.quantity for line in group])
        price = np.log([line.unit_price_eur for line in group])
        left, right = np.triu_indices(len(group), 1)
        apart = quantity[right] > quantity[left]
        parts.append((price[right] - price[left])[apart] / (quantity[right] - quantity[left])[apart])
        variance += len(group) * (len(group) - 1) * (2 * len(group) + 5) / 18
    return np.sort(np.concatenate(parts)), variance


def _upper(slopes: NDArray[np.float64], variance: float, confidence: float) -> float:
    """The upper end of the slope's interval; infinite where there are too few pairs for one."""
    rank = ceil((len(slopes) + NormalDist().inv_cdf(confidence) * sqrt(variance)) / 2)
    return float(slopes[rank]) if rank < len(slopes) else float("inf")


def _offer(category: str, lines: Sequence[Observed], slope: float, settings: FitSettings) -> OfferRecord | None:
    rest = np.log([line.unit_price_eur for line in lines]) - slope * np.log([line.quantity for line in lines])
    low, level, high = (float(value) for value in np.quantile(rest, (0.1, 0.5, 0.9)))
    largest = max(line.quantity for line in lines)
    yearly: dict[str, int] = {}
    for line in lines:
        yearly[line.year] = yearly.get(line.year, 0) + line.quantity
    pairs = "pairs of all years, so a trend over the years is in it"
    if settings.within_year:
        pairs = "pairs of one year" + (", at the median price level of all years" if len(yearly) > 1 else "")
    source = (
        f"fitted on {len(lines)} observed lines of {min(yearly)} to {max(yearly)}, not an offer by a supplier:"
        f" ln price falls {-slope:.3f} per ln quantity, {pairs}"
    )
    mean = sum(yearly.values()) / len(yearly)

    def price_at(volume: float, at: float) -> int:
        return round(MICRO * exp(at + slope * log(min(volume, largest))))

    tiers: list[TierRecord] = []
    for share in settings.tier_shares:
        start = max(1, round(share * mean))
        fewest, most = (round(share * volume) for volume in (min(yearly.values()), max(yearly.values())))
        volume = Figure(
            value=start,
            low=min(start, fewest),
            high=max(start, most),
            source=f"{share:.0%} of the yearly volume; {source}",
            source_date=settings.source_date,
        )
        price = Figure(
            value=price_at(start, level),
            low=price_at(start, low),
            high=price_at(start, high),
            source=source,
            source_date=settings.source_date,
        )
        lower = not tiers or (price.value < tiers[-1].price.value and start > tiers[-1].from_quantity.value)
        if price.value > 0 and lower:
            tiers.append(TierRecord(volume, price))
    if not tiers:
        return None
    return OfferRecord(
        id=f"{category}-fitted",
        category=category,
        name="Volume discount fitted on observed prices",
        criteria=tuple(sorted(settings.criteria)),
        price_basis=ABSOLUTE,
        currency="EUR",
        tiers=tuple(tiers),
        co2_saved=Figure(0, 0, 0, f"no CO2e figure is claimed; {source}", settings.source_date),
    )
