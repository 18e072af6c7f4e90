"""The most that a framework agreement states: the upper quantile of what its buyers may need, never the mean.

A framework loses its effect once the stated maximum is reached (CJEU C-23/20, Simonsen & Weel), so an estimate as
maximum would end half of all agreements early.
"""

from collections.abc import Iterable
from math import ceil, floor, isfinite, sqrt
from statistics import NormalDist

Z90 = NormalDist().inv_cdf(0.9)
"""A forecast's low and high are its 10th and 90th percentile, as in the solver's rule 3."""
QUANTILE = 0.95
TOLERANCE = 1e-12
"""Of a sum: what floating point adds to it is no reason to round up."""


def maximum_quantity(
    lines: Iterable[tuple[float, float, float]], *, quantile: float = QUANTILE, correlation: float = 0.0
) -> int:
    """The ``quantile`` of the sum of forecasts (low, mid, high: P10, expected, P90), rounded up to a whole unit.

    Each forecast is normal above its middle with (high - mid) / z(0.9), any two with ``correlation``: the same model as
    for the sure quantity, on the other side. It is never below the sum of the middles, and grows with quantile and
    correlation. All of one unit and period; no lines give 0. Raises ValueError.
    """
    if not 0.5 <= quantile < 1:
        raise ValueError(f"quantile {quantile}: give 0.5 or more and below 1")
    if not 0 <= correlation <= 1:
        raise ValueError(f"correlation {correlation}: give 0 to 1")
    total = spread = squares = 0.0
    for low, mid, high in lines:
        if not (isfinite(high) and 0 <= low <= mid <= high):
            raise ValueError(f"line ({low}, {mid}, {high}): give 0 <= low <= mid <= high")
        deviation = (high - mid) / Z90
        total, spread, squares = total + mid, spread + deviation, squares + deviation**2
    deviation = sqrt((1 - correlation) * squares + correlation * spread**2)
    found = total + NormalDist().inv_cdf(quantile) * deviation
    return max(floor(total), ceil(found - TOLERANCE * max(1000.0, found)))


def maximum_value_cents(
    lines: Iterable[tuple[float, float, float, float]], *, quantile: float = QUANTILE, correlation: float = 0.0
) -> int:
    """The same in EUR cents: each line with its unit price in EUR behind low, mid and high."""
    priced = [(low * price * 100, mid * price * 100, high * price * 100) for low, mid, high, price in lines]
    return maximum_quantity(priced, quantile=quantile, correlation=correlation)
