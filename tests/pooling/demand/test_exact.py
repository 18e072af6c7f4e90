"""Conversions of quantity and money equal an oracle in fractions, whatever the digits, packs, VAT and rates."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pooling.demand.exact import half_even, power_of_ten
from pooling.demand.figures import MAX_PRICE_MICRO, MAX_QUANTITY, MAX_SPEND_MICRO, Marks
from pooling.demand.settle import Settler
from pooling.reference.rates import rate_on
from tests.pooling.demand.builders import NOW, REFERENCE, check, codes, mapping

POINT = Marks(".", None)
MICRO = 10**6


def rounded(value: Fraction) -> int:
    """Halves to even; Fraction's own rounding is that."""
    return round(value)


quantities = st.decimals(Decimal("0.001"), 10**9, places=3)
prices = st.decimals(Decimal("0.0001"), 10**7, places=7)
vat_rates = st.sampled_from(["0", "5.5", "10", "14", "25", "25.5", "99.99"])
units = st.sampled_from(["H87", "DZN", "PR", "pack"])
FACTORS = {"H87": 1, "DZN": 12, "PR": 2}


@given(
    rows=st.lists(st.tuples(quantities, prices, units, st.integers(1, 10**6)), min_size=1, max_size=6),
    vat=vat_rates,
    per=st.sampled_from(["unit", "base"]),
    per_count=st.sampled_from([1, 3, 100, 10**6]),
)
def test_amounts_equal_the_fraction_oracle(
    rows: list[tuple[Decimal, Decimal, str, int]], vat: str, per: str, per_count: int
) -> None:
    price: dict[str, Any] = {"basis": "inc-vat", "vat_rate": vat, "per": per, "per_count": per_count}
    words = {unit: unit for unit in FACTORS} | {"pack": "pack"}
    chosen = mapping(price=price, columns={"pack_size": "Size"}, units={"words": words})
    texts = [
        {"Quantity": f"{quantity:f}", "Price": f"{price:f}", "Unit": unit, "Size": str(size)}
        for quantity, price, unit, size in rows
    ]
    found = check(chosen, *texts, marks=POINT)
    wrong = {(row, code) for row, _, code in codes(found)}
    good = {row["row"]: row for row in found.rows.to_dicts()}
    for number, (quantity, unit_price, unit, size) in enumerate(rows, start=2):
        factor = Fraction(FACTORS.get(unit, size))
        amount = Fraction(quantity) * factor
        inside = factor if per == "unit" else Fraction(1)
        micro = rounded(Fraction(unit_price) * MICRO / (1 + Fraction(vat) / 100) / inside / per_count)
        expected = set()
        if amount.denominator != 1:
            expected.add("not-whole")
        if amount > MAX_QUANTITY:
            expected.add("too-large")
        if micro == 0:
            expected.add("not-positive")
        if micro > MAX_PRICE_MICRO:
            expected.add("too-large")
        assert {code for row, code in wrong if row == number} == expected
        if not expected:
            assert (good[number]["quantity"], good[number]["unit_price_micro"]) == (amount, micro)


@given(
    quantity=st.integers(1, MAX_QUANTITY),
    micro=st.integers(1, MAX_PRICE_MICRO),
    spread=st.sampled_from(["0", "0.1", "0.25", "0.3333", "1"]),
    currency=st.sampled_from(["SEK", "DKK", "NOK", "ISK", "EUR", "USD"]),
)
def test_spread_and_euro_equal_the_fraction_oracle(quantity: int, micro: int, spread: str, currency: str) -> None:
    rate = rate_on(currency, NOW.date())
    rows = pl.DataFrame(
        {
            "row": [2],
            "rows": [1],
            "sent_as": ["SE-M"],
            "earliest": [2027 * 12],
            "latest": [2028 * 12],
            "quantity": [quantity],
            "unit_price_micro": [micro],
            "rate_micro": [int(rate.per_eur * MICRO)],
            "rate_date": [rate.day.isoformat()],
            "currency": [currency],
        }
    ).with_columns(
        pl.lit(None, pl.Int64).alias("quantity_low"),
        pl.lit(None, pl.Int64).alias("quantity_high"),
        *(pl.lit("").alias(name) for name in ("category", "item_code", "window_source", "required", "refused")),
        *(pl.lit("").alias(name) for name in ("original_quantity", "original_unit", "original_price")),
        pl.lit(None, pl.Boolean).alias("delivered"),
        pl.lit(None, pl.String).alias("depth"),
    )
    chosen = mapping(uncertainty={"spread": spread})
    lines, faults = Settler(chosen, REFERENCE.participants, {}).settle(rows)
    price = rounded(Fraction(micro) / Fraction(rate.per_eur))
    if quantity * price > MAX_SPEND_MICRO:
        assert (lines.height, faults["code"].to_list()) == (0, ["too-large"])
        return
    assert faults.height == 0
    (line,) = lines.to_dicts()
    assert line["quantity_low"] == (Fraction(quantity) * (1 - Fraction(spread))).__floor__()
    assert line["quantity_high"] == (Fraction(quantity) * (1 + Fraction(spread))).__ceil__()
    assert line["unit_price_eur_micro"] == price


@given(st.lists(st.tuples(st.integers(0, 10**36), st.integers(1, 10**30)), min_size=1, max_size=20))
def test_rounding_is_half_to_even(pairs: list[tuple[int, int]]) -> None:
    frame = pl.DataFrame(
        {"a": [a for a, _ in pairs], "b": [b for _, b in pairs]}, schema={"a": pl.Int128, "b": pl.Int128}
    )
    assert frame.select(half_even("a", "b")).to_series().to_list() == [rounded(Fraction(a, b)) for a, b in pairs]


def test_powers_of_ten_are_whole_columns() -> None:
    assert power_of_ten(pl.Series([0, 1, 20], dtype=pl.Int8)).to_list() == [1, 10, 10**20]
    assert power_of_ten(pl.Series([3, 3], dtype=pl.Int8)).to_list() == [1000, 1000]
    assert power_of_ten(pl.Series([], dtype=pl.Int8)).to_list() == []
