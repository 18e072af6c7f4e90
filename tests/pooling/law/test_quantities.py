"""The stated maximum: an upper quantile, worked out by hand, and what holds of it whatever the lines."""

from math import sqrt
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooling.law import Category, maximum_quantity, maximum_value_cents, needs_several_suppliers
from pooling.law.facts import BadFacts
from pooling.reference.service import DATA
from tests.pooling.law.given import buyer, tender

Z90, Z95 = NormalDist().inv_cdf(0.9), NormalDist().inv_cdf(0.95)
LINES = st.lists(
    st.tuples(*[st.integers(0, 10**9)] * 3).map(lambda three: tuple(map(float, sorted(three)))), max_size=20
)


def test_one_line_at_its_own_quantile_gives_its_high() -> None:
    assert maximum_quantity([(80.0, 100.0, 130.0)], quantile=0.9) == 130


def test_independent_lines_err_less_together_than_common_ones() -> None:
    lines = [(60.0, 100.0, 100.0 + 40 * Z90)] * 4
    assert maximum_quantity(lines, quantile=0.9, correlation=0.0) == round(400 + Z90 * 40 * 2 + 0.5)
    assert maximum_quantity(lines, quantile=0.9, correlation=1.0) == round(400 + Z90 * 40 * 4 + 0.5)
    half = 400 + Z95 * sqrt(0.5 * 4 * 1600 + 0.5 * 160**2)
    assert maximum_quantity(lines, correlation=0.5) == round(half + 0.5)


def test_exact_forecasts_are_their_own_maximum() -> None:
    assert maximum_quantity([(5.0, 5.0, 5.0), (7.0, 7.0, 7.0)], quantile=0.99, correlation=0.3) == 12
    assert maximum_quantity([]) == 0


def test_the_maximum_value_goes_by_price() -> None:
    assert maximum_value_cents([(8.0, 10.0, 10.0, 1.5), (20.0, 20.0, 20.0, 0.01)]) == 1520


@given(lines=LINES, quantile=st.floats(0.5, 0.999), correlation=st.floats(0, 1))
def test_it_is_between_the_middles_and_every_line_at_its_own_quantile(
    lines: list[tuple[float, float, float]], quantile: float, correlation: float
) -> None:
    found = maximum_quantity(lines, quantile=quantile, correlation=correlation)
    apart = sum(mid + (high - mid) * NormalDist().inv_cdf(quantile) / Z90 for _, mid, high in lines)
    assert sum(mid for _, mid, _ in lines) <= found <= apart * (1 + 1e-9) + 1
    assert found <= maximum_quantity(lines, quantile=0.9995, correlation=correlation)
    assert found <= maximum_quantity(lines, quantile=quantile, correlation=1.0) + 1


@pytest.mark.parametrize(
    ("lines", "quantile", "correlation"),
    [
        ([(2.0, 1.0, 3.0)], 0.9, 0.0),
        ([(1.0, 2.0, float("inf"))], 0.9, 0.0),
        ([(-1.0, 2.0, 3.0)], 0.9, 0.0),
        ([], 1.0, 0.0),
        ([], 0.49, 0.0),
        ([], 0.9, 1.1),
    ],
)
def test_nonsense_is_refused(lines: list[tuple[float, float, float]], quantile: float, correlation: float) -> None:
    with pytest.raises(ValueError, match="give"):
        maximum_quantity(lines, quantile=quantile, correlation=correlation)


def test_facts_that_contradict_themselves_are_refused() -> None:
    for wrong in (
        lambda: tender(lead="DK-82"),
        lambda: tender(buyers=()),
        lambda: tender(buyers=(buyer("SE-M"), buyer("SE-M"))),
        lambda: tender(categories=()),
        lambda: tender(term_months=0),
        lambda: tender(depth="deep"),
        lambda: tender(environment_weight=30),
        lambda: buyer("SE-M", value_cents=-1),
        lambda: Category(id="x", family="y", cpv="3319900"),
        lambda: Category(id="x", family="y", buying_share=15),
    ):
        with pytest.raises(BadFacts):
            wrong()


def test_families_and_categories_that_need_several_suppliers_are_in_the_reference_data() -> None:
    text = (DATA / "categories.csv").read_text(encoding="utf-8")
    assert needs_several_suppliers("stoma-bags-one-piece", "stoma")
    assert not needs_several_suppliers("hypodermic-needles", "needles")
    for name in ("insulin-syringes", "safety-lancets"):
        assert f"\n{name}," in text
        assert needs_several_suppliers(name, "any")
    for family in ("stoma", "urology"):
        assert f",{family}," in text


def test_rounding_takes_nothing_off_what_is_expected() -> None:
    assert maximum_quantity([(1e15, 1e15, 1e15)]) == 10**15
    assert maximum_quantity([(1e12, 1e12, 1e12), (7.0, 7.0, 7.0)]) == 10**12 + 7
