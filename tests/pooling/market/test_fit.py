"""Offers fitted on observed price against volume: found where it is, not claimed where it is not."""

from dataclasses import replace
from datetime import date
from math import exp, log
from typing import Any

import numpy as np
import pytest

from pooling.errors import BadInput
from pooling.market.fit import FitSettings, Observed, fit_category

SETTINGS = FitSettings(source_date=date(2026, 11, 1))


def lines(slope: float, *, count: int = 20, noise: float = 0.02, years: int = 2, trend: float = 0.0) -> list[Observed]:
    """Lines of rising quantity; each year's prices lie ``trend`` (in logarithms) from the year before's."""
    random = np.random.default_rng(7)
    made = []
    for k in range(count):
        year = k % years
        quantity = 1000 * (k + 1) * (1 + 3 * year if trend else 1)
        price = exp(1 + slope * log(quantity) + trend * year + random.normal(0, noise))
        made.append(Observed(quantity, price, str(2026 + year)))
    return made


def test_a_falling_price_gives_an_offer_with_its_evidence() -> None:
    found = fit_category("c", lines(-0.2), SETTINGS)
    assert found.slope == pytest.approx(-0.2, abs=0.02)
    assert found.slope_high is not None
    assert found.slope <= found.slope_high < 0
    offer = found.offer
    assert offer is not None
    assert (offer.id, offer.category, offer.currency, offer.price_basis) == ("c-fitted", "c", "EUR", "absolute")
    price = offer.tiers[0].price
    assert price.source.startswith("fitted on 20 observed lines of 2026 to 2027, not an offer by a supplier")
    assert price.low < price.value < price.high
    assert "not an offer by a supplier" in offer.co2_saved.source
    assert offer.co2_saved.value == 0
    yearly = sum(line.quantity for line in lines(-0.2)) / 2
    assert offer.tipping_quantity == round(0.25 * yearly)


def test_volumes_above_the_largest_observed_get_its_price() -> None:
    settings = FitSettings(source_date=date(2026, 11, 1), tier_shares=(0.05, 0.1, 0.5, 1.0))
    observed = lines(-0.2)
    offer = fit_category("c", observed, settings).offer
    assert offer is not None
    starts = [tier.from_quantity.value for tier in offer.tiers]
    assert starts == [5250, 10500, 52500]  # the last two shares lie above the largest line, so only one tier is left
    assert starts[-1] > max(line.quantity for line in observed)
    best = min(line.unit_price_eur for line in observed)
    assert offer.tiers[-1].price.value / 1e6 == pytest.approx(best, rel=0.05)


@pytest.mark.parametrize(
    ("observed", "reason"),
    [
        (lines(-0.2, count=7), "7 observed lines, 8 are needed"),
        (lines(0.1), "no falling price"),
        (lines(-0.01, noise=0.5), "no falling price"),
        ([Observed(100, 1.0, "2026")] * 9, "no two lines that may be paired differ in quantity"),
        ([Observed(k, 1.0, str(2000 + k)) for k in range(1, 10)], "no two lines that may be paired differ in quantity"),
        ([Observed(100 * k, 0.0, "2026") for k in range(1, 20)], "0 observed lines, 8 are needed"),
        ([Observed(100 * k, 1e-7 / k, "2026") for k in range(1, 20)], "rounds to nothing"),
    ],
)
def test_without_evidence_there_is_no_offer(observed: list[Observed], reason: str) -> None:
    found = fit_category("c", observed, SETTINGS)
    assert found.offer is None
    assert reason in found.reason


def test_a_price_trend_over_the_years_is_no_volume_discount() -> None:
    """Volumes quadruple from one year to the next while prices halve: over all pairs that looks like a discount."""
    observed = lines(0.0, count=40, trend=-0.7)
    assert fit_category("c", observed, SETTINGS).offer is None
    mixed = fit_category("c", observed, replace(SETTINGS, within_year=False)).offer
    assert mixed is not None  # the trap is real, and who asks for it is told so
    assert "pairs of all years, so a trend over the years is in it" in mixed.tiers[0].price.source


@pytest.mark.parametrize(("years", "said"), [(3, True), (1, False)])
def test_the_source_says_that_the_price_level_is_of_all_years(years: int, said: bool) -> None:
    """Lines of a dear year compare with it and seem to save; a reader must know."""
    offer = fit_category("c", lines(-0.2, count=40, years=years), SETTINGS).offer
    assert offer is not None
    assert ("at the median price level of all years" in offer.tiers[0].price.source) == said


def test_one_wild_price_does_not_make_a_slope() -> None:
    observed = [*lines(0.0, count=12, noise=0.05), Observed(50_000, 0.001, "2026")]
    assert fit_category("c", observed, SETTINGS).offer is None


def test_many_lines_are_thinned_evenly() -> None:
    found = fit_category("c", lines(-0.1, count=2500, years=1), SETTINGS)
    assert found.slope == pytest.approx(-0.1, abs=0.01)


@pytest.mark.parametrize(
    "change",
    [{"min_lines": 2}, {"tier_shares": ()}, {"tier_shares": (0.5, 0.5)}, {"tier_shares": (0.0,)}, {"confidence": 1.0}],
)
def test_settings_out_of_bounds_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="give"):
        FitSettings(source_date=date(2026, 11, 1), **change)
