"""From rows to lines: succession by the day demand starts, and grouping of orders into years."""

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pooling.demand.figures import MAX_HIGH, MAX_QUANTITY, MAX_SPEND_MICRO
from pooling.demand.mapping import FileMapping
from pooling.demand.settle import LINE_COLUMNS, Grouper, Settler
from pooling.demand.timing import MICRO
from solver.checks import LARGEST_WHOLE
from tests.pooling.demand.builders import REFERENCE, check, codes, mapping

HEADERS = {"participant": "Region", "quantity": "Quantity", "quantity_high": "High", "unit_price": "Price"}


def settle(chosen: FileMapping, *rows: dict[str, str | None]) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    found = check(chosen, *rows)
    assert codes(found) == []
    ready = found.rows
    if chosen.group is not None:
        grouper = Grouper(chosen.group, HEADERS)
        for part in ready.iter_slices(2):
            grouper.add(part)
        ready, too_large = grouper.lines()
        assert too_large.height == 0
    lines, faults = Settler(chosen, REFERENCE.participants, HEADERS).settle(ready)
    assert tuple(lines.columns) == LINE_COLUMNS
    return lines.sort("row").to_dicts(), [tuple(each) for each in faults.select("row", "code").iter_rows()]


@pytest.mark.parametrize("code", ["DK-84", "DK-85"])
def test_demand_from_2027_on_is_the_successors(code: str) -> None:
    rows = [
        {"Region": code, "From": "2026-12", "To": "2027-12"},
        {"Region": code, "From": "2027-01", "To": "2027-12"},
        {"Region": "DK-OST", "From": "2027-01", "To": "2027-12"},
    ]
    lines, faults = settle(mapping(), *rows)
    assert faults == []
    assert [(line["participant"], line["sent_as"]) for line in lines] == [
        (code, code),
        ("DK-OST", code),
        ("DK-OST", "DK-OST"),
    ]


def test_nobody_to_take_the_demand_over_is_a_fault() -> None:
    rows = [{"Region": "XX"}, {"Region": "DK-OST", "From": "2026-06"}, {}]
    lines, faults = settle(mapping(), *rows)
    assert faults == [(2, "no-participant-then"), (3, "no-participant-then")]
    assert [line["row"] for line in lines] == [4]


ORDERS: dict[str, Any] = {
    "columns": {"earliest_start": None, "latest_start": None, "date": "Day"},
    "window": {"rule": "date", "flexibility_months": 6},
    "currency": {"day": "date"},
    "group": {"by": ["participant", "category", "year"]},
}


def test_orders_of_a_year_become_one_line() -> None:
    rows: list[dict[str, str | None]] = [
        {"Day": "2025-05-05", "Quantity": "100", "Price": "2"},
        {"Day": "2026-02-02", "Quantity": "5", "Price": "9"},
        {"Day": "2025-03-03", "Quantity": "200", "Price": "1"},
        {"Day": "2025-09-09", "Quantity": "1", "Price": "1.01"},
        {"Day": "2025-09-09", "Quantity": "7", "Region": "SE-H"},
    ]
    lines, faults = settle(mapping(**ORDERS), *rows)
    assert faults == []
    assert [(line["row"], line["rows"], line["participant"], line["quantity"]) for line in lines] == [
        (2, 3, "SE-M", 301),
        (3, 1, "SE-M", 5),
        (6, 1, "SE-H", 7),
    ]
    first = lines[0]
    assert first["unit_price_micro"] == round(401_010_000 / 301)
    assert (first["earliest_start"], first["latest_start"], first["exchange_rate_date"]) == (
        "2025-03",
        "2025-09",
        "2025-03-03",
    )
    assert (first["quantity_low"], first["quantity_high"]) == (270, 332)
    assert first["item_code"] is None


def test_a_line_shows_the_texts_of_the_row_it_names_and_the_rate_of_the_earliest_day() -> None:
    rows: list[dict[str, str | None]] = [
        {"Day": "2025-05-05", "Quantity": "100", "Price": "2"},
        {"Day": "2025-03-31", "Quantity": "30", "Price": "3"},
        {"Day": "2025-03-03", "Quantity": "200", "Price": "1"},
    ]
    (line,), _ = settle(mapping(**ORDERS), *rows)
    assert (line["row"], line["original_quantity"], line["original_price"]) == (2, "100", "2")
    assert (line["rows"], line["earliest_start"], line["exchange_rate_date"]) == (3, "2025-03", "2025-03-03")


def test_different_currencies_and_terms_are_never_one_line() -> None:
    chosen = mapping(
        **{
            **ORDERS,
            "columns": {**ORDERS["columns"], "currency": "Cur", "required": "Must"},
            "constants": {"currency": None},
        }
    )
    day = "2025-05-05"
    rows: list[dict[str, str | None]] = [
        {"Day": day, "Cur": "SEK"},
        {"Day": day, "Cur": "EUR"},
        {"Day": day, "Cur": "SEK", "Must": "basic"},
        {"Day": day, "Cur": "SEK"},
    ]
    lines, _ = settle(chosen, *rows)
    assert [(line["row"], line["rows"]) for line in lines] == [(2, 2), (3, 1), (4, 1)]


def test_the_item_is_kept_where_all_rows_have_it() -> None:
    chosen = mapping(**{**ORDERS, "columns": {**ORDERS["columns"], "item_code": "Code"}})
    day = "2025-05-05"
    lines, _ = settle(chosen, {"Day": day, "Code": "A"}, {"Day": day, "Code": "A"})
    assert [line["item_code"] for line in lines] == ["A"]
    lines, _ = settle(chosen, {"Day": day, "Code": "A"}, {"Day": day, "Code": "B"})
    assert [line["item_code"] for line in lines] == [None]
    by_item = mapping(
        **{
            **ORDERS,
            "columns": {**ORDERS["columns"], "item_code": "Code"},
            "group": {"by": ["participant", "category", "item_code"]},
        }
    )
    lines, _ = settle(by_item, {"Day": day, "Code": "A"}, {"Day": day, "Code": "B"}, {"Day": day, "Code": "A"})
    assert [(line["item_code"], line["rows"]) for line in lines] == [("A", 2), ("B", 1)]


def test_estimates_of_a_group_are_summed_only_if_every_row_has_them() -> None:
    chosen = mapping(**{**ORDERS, "columns": {**ORDERS["columns"], "quantity_low": "Low", "quantity_high": "High"}})
    day = "2025-05-05"
    given = {"Day": day, "Quantity": "100", "Low": "50", "High": "300"}
    lines, _ = settle(chosen, given, given)
    assert [(line["quantity_low"], line["quantity_high"]) for line in lines] == [(100, 600)]
    lines, _ = settle(chosen, given, {"Day": day, "Quantity": "100"})
    assert [(line["quantity_low"], line["quantity_high"]) for line in lines] == [(180, 220)]


def test_a_group_too_large_to_be_one_line_is_a_fault() -> None:
    chosen = mapping(**{**ORDERS, "columns": {**ORDERS["columns"], "quantity_high": "High"}})
    assert chosen.group is not None
    half = str(MAX_QUANTITY // 2)
    for quantity, high, header in (
        (str(MAX_QUANTITY), None, "Quantity"),
        (half, str(MAX_HIGH), "High"),
        (str(MAX_QUANTITY // 2 + 1), str(MAX_HIGH // 2 + 1), "Quantity"),
    ):
        row = {"Day": "2025-05-05", "Quantity": quantity, "High": high}
        grouper = Grouper(chosen.group, HEADERS)
        grouper.add(check(chosen, row, row).rows)
        lines, faults = grouper.lines()
        assert lines.height == 0
        assert faults.select("row", "rows", "column", "code").rows() == [(2, 2, header, "too-large")]
    row = {"Day": "2025-05-05", "Quantity": half, "High": str(MAX_HIGH // 2), "Price": "0.001"}
    (line,), _ = settle(chosen, row, row)
    assert (line["quantity"], line["quantity_high"]) == (MAX_QUANTITY, MAX_HIGH)


@pytest.mark.parametrize("spread", [Decimal("0"), Decimal("0.2"), Decimal("1")])
def test_no_spread_takes_a_line_beyond_what_the_solver_counts_exactly(spread: Decimal) -> None:
    chosen = mapping(uncertainty={"spread": spread})
    (line,), faults = settle(chosen, {"Quantity": str(MAX_QUANTITY), "Price": "0.001"})
    assert faults == []
    assert line["quantity_high"] == MAX_QUANTITY * (1 + spread) <= MAX_HIGH < LARGEST_WHOLE


def test_what_comes_to_more_than_any_demand_is_a_fault_at_its_price() -> None:
    chosen = mapping(constants={"currency": "EUR"})
    most = MAX_SPEND_MICRO // MICRO
    rows = [{"Quantity": "1000", "Price": str(most // 1000)}, {"Quantity": "1001", "Price": str(most // 1000)}]
    found = check(chosen, *rows)
    lines, faults = Settler(chosen, REFERENCE.participants, HEADERS).settle(found.rows)
    assert lines["row"].to_list() == [2]
    assert faults.select("row", "column", "value", "code").rows() == [(3, "Price", str(most // 1000), "too-large")]
    assert "more than EUR 1,000,000,000,000" in faults["detail"][0]


def test_nothing_grouped_is_nothing() -> None:
    chosen = mapping(**ORDERS)
    assert chosen.group is not None
    lines, faults = Grouper(chosen.group, HEADERS).lines()
    assert isinstance(lines, pl.DataFrame)
    assert (lines.height, faults.height) == (0, 0)
