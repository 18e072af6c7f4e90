"""Rows against a mapping: each rule keeps what is right and names what is not."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from pooling.demand.checks import Checker
from pooling.demand.figures import Marks
from tests.pooling.demand.builders import NOW, REFERENCE, batch, check, checker, codes, mapping, participant

COMMA = Marks(",", None)


def test_a_good_row_passes() -> None:
    found = check(mapping(), {})
    assert codes(found) == []
    (row,) = found.rows.to_dicts()
    assert (row["sent_as"], row["category"], row["quantity"]) == ("SE-M", "insulin-syringes", 1000)
    assert (row["unit_price_micro"], row["currency"]) == (1_250_000, "SEK")
    assert (row["original_quantity"], row["original_unit"], row["original_price"]) == ("1000", "st", "1.25")


@pytest.mark.parametrize(
    ("changes", "column", "code"),
    [
        ({"Quantity": "2.5"}, "Quantity", "not-whole"),
        ({"Quantity": "1e308"}, "Quantity", "exponent"),
        ({"Quantity": "-5"}, "Quantity", "negative"),
        ({"Quantity": None}, "Quantity", "missing-figure"),
        ({"Quantity": "0"}, "Quantity", "not-positive"),
        ({"Quantity": "9007199254740993"}, "Quantity", "too-large"),
        ({"Quantity": "NaN"}, "Quantity", "not-finite"),
        ({"Price": None}, "Price", "missing-figure"),
        ({"Price": "0"}, "Price", "not-positive"),
        ({"Price": "0.0000001"}, "Price", "not-positive"),
        ({"Price": "1e-3"}, "Price", "exponent"),
        ({"Price": "999999999999"}, "Price", "too-large"),
        ({"Region": None}, "Region", "missing"),
        ({"Region": "Skaane"}, "Region", "unknown-participant"),
        ({"Unit": None}, "Unit", "missing"),
        ({"Group": None, "Name": None}, "Group", "missing"),
        ({"From": "2027-05-01", "To": "2027-04"}, "From", "window-reversed"),
        ({"From": "soon"}, "From", "not-a-month"),
        ({"To": "31.3.27"}, "To", "two-digit-year"),
        ({"To": None}, "To", "missing"),
    ],
)
def test_each_fault_is_named_in_its_column(changes: dict[str, str | None], column: str, code: str) -> None:
    found = check(mapping(), {}, changes, {})
    assert codes(found) == [(3, column, code)]
    assert found.rows["row"].to_list() == [2, 4]


def test_all_faults_of_a_row_are_told() -> None:
    found = check(mapping(), {"Quantity": "-1", "Price": "x", "Region": "nobody"})
    assert {code for _, _, code in codes(found)} == {"negative", "not-a-number", "unknown-participant"}


def test_an_unknown_participant_is_told_who_is_near() -> None:
    (detail,) = check(mapping(), {"Region": "Kalmar"}).faults["detail"]
    assert "SE-H Region Kalmar län" in detail


@pytest.mark.parametrize("name", ["SE-M", "se-m", "Region Skåne", "region  skåne", "Skånes inköp"])
def test_participants_go_by_code_name_and_the_mappings_words(name: str) -> None:
    found = check(mapping(participants={"words": {"Skånes inköp": "SE-M"}}), {"Region": name})
    assert found.rows["sent_as"].to_list() == ["SE-M"]


UNITS: dict[str, Any] = {
    "words": {"FRP": "pack", "KRT": {"pack": 1000}, "ark": "H87"},
    "patterns": [{"find": r"(?P<n>\d+)/box"}, {"find": r"(?P<times>\d+)x(?P<n>\d+)"}],
}


@pytest.mark.parametrize(
    ("units", "row", "quantity", "price_micro"),
    [
        ({}, {"Unit": "dozen"}, 12_000, 104_167),
        ({}, {"Unit": "ST."}, 1_000, 1_250_000),
        (UNITS, {"Unit": "ark"}, 1_000, 1_250_000),
        (UNITS, {"Unit": "KRT"}, 1_000_000, 1_250),
        (UNITS, {"Unit": "FRP", "Name": "a 50/box b"}, 50_000, 25_000),
        (UNITS, {"Unit": "frp", "Name": "a 4x25 b"}, 100_000, 12_500),
        ({**UNITS, "pack_size": 10}, {"Unit": "FRP", "Name": "a"}, 10_000, 125_000),
        ({"blank": "pack", "pack_size": 10}, {"Unit": None}, 10_000, 125_000),
        ({"blank": "H87"}, {"Unit": None}, 1_000, 1_250_000),
        ({}, {"Group": "Hand sanitiser", "Unit": "l", "Quantity": "0.5"}, 500, 1_250),
        ({}, {"Group": "Surgical gloves", "Unit": "st"}, 500, 2_500_000),
        ({"pack_size": 100}, {"Group": "Surgical gloves", "Unit": "pack"}, 50_000, 25_000),
        ({"piece_counts_as": ["SET"]}, {"Group": "Procedure packs", "Unit": "st"}, 1_000, 1_250_000),
        (
            {"patterns": [{"find": r"(?P<n>[\d,]+) l\b", "of": "LTR", "when": "mismatch"}]},
            {"Group": "Hand sanitiser", "Unit": "st", "Name": "gel 0,5 l"},
            500_000,
            2_500,
        ),
    ],
)
def test_units_and_packs_become_base_units(
    units: dict[str, Any], row: dict[str, str | None], quantity: int, price_micro: int
) -> None:
    found = check(mapping(units=units), row)
    assert codes(found) == []
    assert found.rows.select("quantity", "unit_price_micro").rows() == [(quantity, price_micro)]


def test_the_size_in_the_column_goes_before_the_words_and_the_names() -> None:
    chosen = mapping(units=UNITS, columns={"pack_size": "Size"})
    rows = [{"Unit": "FRP", "Name": "50/box", "Size": "20"}, {"Unit": "KRT", "Size": "500"}, {"Unit": "KRT"}]
    assert check(chosen, *rows).rows["quantity"].to_list() == [20_000, 500_000, 1_000_000]
    bad = check(chosen, *({"Unit": "FRP", "Size": size} for size in ("0", "2.5", "ten", "-1", "1e3")))
    assert [code for _, _, code in codes(bad)] == ["not-a-pack-size"] * 5
    assert codes(check(chosen, {"Unit": "st", "Size": "ten"})) == []


def test_half_a_pack_may_be_whole_pieces() -> None:
    chosen = mapping(units={"words": {"FRP": {"pack": 10}}})
    assert check(chosen, {"Unit": "FRP", "Quantity": "2.5"}).rows["quantity"].to_list() == [25]
    assert codes(check(chosen, {"Unit": "FRP", "Quantity": "2.55"})) == [(2, "Quantity", "not-whole")]


@pytest.mark.parametrize(
    ("row", "reason", "value"),
    [
        ({"Group": "Nitrile things"}, "unknown-category", "Nitrile things"),
        ({"Group": None, "Name": "thing"}, "unknown-category", "thing"),
        ({"Unit": "zzz"}, "unknown-unit", "zzz"),
        ({"Unit": "FRP"}, "unknown-pack", "FRP in syringe"),
        ({"Unit": "kg"}, "unit-mismatch", "kg in syringe"),
    ],
)
def test_unknown_categories_and_units_wait(row: dict[str, str | None], reason: str, value: str) -> None:
    found = check(mapping(), {}, row)
    assert codes(found) == []
    assert found.rows["row"].to_list() == [2]
    assert found.waiting.select("row", "reason", "value").rows() == [(3, reason, value)]


def test_a_row_with_faults_does_not_wait() -> None:
    found = check(mapping(), {"Group": "unknown", "Quantity": "-1"})
    assert codes(found) == [(2, "Quantity", "negative")]
    assert found.waiting.height == 0


def test_candidates_are_the_closest_categories_and_units() -> None:
    chosen = checker(mapping(categories={"words": {"Handskar nitril": "nitrile-gloves"}}))
    near = chosen.candidates("unknown-category", "handske, nitril")
    assert near[0] == {"id": "nitrile-gloves", "name": "Examination gloves, nitrile"}
    assert {"id": "LTR", "name": "litre"} in chosen.candidates("unknown-unit", "litters")


def test_categories_are_known_by_words_then_rules_then_our_own_names() -> None:
    rules = [
        {"find": "(?i)latex", "category": "surgical-gloves"},
        {"find": "(?i)glove", "category": "nitrile-gloves"},
        {"find": "^S", "category": "hand-sanitiser", "column": "Extra"},
    ]
    chosen = mapping(
        columns={"item_code": "Code"},
        categories={"words": {"A1": "insulin-syringes"}, "rules": rules},
        units={"piece_counts_as": ["MLT"]},
    )
    rows = [
        {"Code": "a1", "Name": "latex glove", "Group": "x"},
        {"Name": "Latex glove", "Group": "Insulin syringes"},
        {"Name": "a Glove", "Group": "x"},
        {"Name": "b", "Group": "x", "Extra": "Sx"},
        {"Name": "b", "Group": "insulin-SYRINGES"},
        {"Name": "b", "Group": "x"},
    ]
    found = check(chosen, *rows)
    assert codes(found) == []
    assert found.rows.sort("row")["category"].to_list() == [
        "insulin-syringes",
        "surgical-gloves",
        "nitrile-gloves",
        "hand-sanitiser",
        "insulin-syringes",
    ]
    assert found.waiting["row"].to_list() == [7]


def test_ids_can_be_derived_from_columns() -> None:
    chosen = mapping(columns={"category": None}, categories={"derive": ["Kind", "Form"]})
    found = check(chosen, {"Kind": "Insulin", "Form": "SYRINGES"}, {"Kind": "Other", "Form": "form"})
    assert found.rows["category"].to_list() == ["insulin-syringes"]
    assert found.waiting["row"].to_list() == [3]


PRICES: dict[str, Any] = {
    "basis": None,
    "words": {"exkl. moms": "ex-vat", "inkl. moms": "inc-vat"},
    "delivered_words": {"ja": True, "nej": False},
    "per_words": {"styck": "base", "frp": "unit", "100 st": 100},
}
PRICE_COLUMNS = {"price_basis": "VAT", "vat_rate": "Rate", "delivered": "Delivered", "price_per": "Per"}


@pytest.mark.parametrize(
    ("row", "micro"),
    [
        ({"VAT": "exkl. moms"}, 1_250_000),
        ({"VAT": "inkl. moms", "Rate": "25"}, 1_000_000),
        ({"VAT": "inc-vat", "Rate": "25 %"}, 1_000_000),
        ({"VAT": "inc-vat", "Rate": "25,5"}, 996_016),
        ({"VAT": "ex-vat", "Rate": "nonsense"}, 1_250_000),
        ({"VAT": "ex-vat", "Per": "100"}, 12_500),
        ({"VAT": "ex-vat", "Per": "100 st"}, 12_500),
        ({"VAT": "ex-vat", "Unit": "KRT", "Per": "styck"}, 1_250_000),
        ({"VAT": "ex-vat", "Unit": "KRT", "Per": "frp"}, 1_250),
    ],
)
def test_prices_lose_vat_and_pack(row: dict[str, str | None], micro: int) -> None:
    found = check(mapping(price=PRICES, columns=PRICE_COLUMNS, units=UNITS), row)
    assert codes(found) == []
    assert found.rows["unit_price_micro"].to_list() == [micro]


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        ({"VAT": None}, "VAT", "missing-price-basis"),
        ({"VAT": "netto"}, "VAT", "unknown-price-basis"),
        ({"VAT": "inkl. moms"}, "Rate", "missing-vat-rate"),
        ({"VAT": "inkl. moms", "Rate": "0.25"}, "Rate", "not-a-vat-rate"),
        ({"VAT": "inkl. moms", "Rate": "lots"}, "Rate", "not-a-vat-rate"),
        ({"VAT": "ex-vat", "Per": "dozen"}, "Per", "unknown-price-per"),
        ({"VAT": "ex-vat", "Delivered": "maybe"}, "Delivered", "unknown-delivered"),
    ],
)
def test_what_a_price_is_must_be_said(row: dict[str, str | None], column: str, code: str) -> None:
    assert codes(check(mapping(price=PRICES, columns=PRICE_COLUMNS), row)) == [(2, column, code)]


def test_delivered_is_yes_no_or_not_said() -> None:
    chosen = mapping(price={**PRICES, "basis": "ex-vat"}, columns=PRICE_COLUMNS)
    found = check(chosen, {"Delivered": "ja"}, {"Delivered": "nej"}, {})
    assert found.rows["delivered"].to_list() == [True, False, None]
    stated = check(mapping(price={"delivered": True}), {})
    assert stated.rows["delivered"].to_list() == [True]


def test_the_rate_is_of_the_rows_day_and_stored_with_it() -> None:
    chosen = mapping(currency={"day": "date"}, columns={"date": "Day", "currency": "Cur"}, constants={"currency": None})
    found = check(chosen, {"Cur": "sek", "Day": "2024-01-06"}, {"Cur": "EUR", "Day": "2024-01-06"})
    assert codes(found) == []
    assert found.rows["rate_date"].to_list() == ["2024-01-05", "2024-01-06"]
    assert found.rows["rate_micro"].to_list()[1] == 1_000_000
    bad = check(
        chosen,
        {"Cur": "UAH", "Day": "2024-01-06"},
        {"Cur": "ISK", "Day": "2012-01-06"},
        {"Cur": "SEK", "Day": "6.1.24"},
        {"Cur": "SEK"},
        {"Day": "2024-01-06"},
    )
    assert codes(bad) == [
        (2, "Cur", "unknown-currency"),
        (3, "Day", "no-exchange-rate"),
        (4, "Day", "two-digit-year"),
        (5, "Day", "missing"),
        (6, "Cur", "missing"),
    ]


@pytest.mark.parametrize(
    ("window", "columns", "row", "months"),
    [
        ({"rule": "contract-end", "extension_months": 12}, {"contract_end": "End"}, {"End": "2027-03-31"}, (4, 16)),
        (
            {"rule": "contract-end"},
            {"contract_end": "End", "extension_months": "Opt"},
            {"End": "2027-03", "Opt": "6"},
            (4, 10),
        ),
        ({"rule": "date", "flexibility_months": 6}, {"date": "Day"}, {"Day": "2027-02-14"}, (2, 8)),
        ({"rule": "stated", "earliest": "2027-01", "latest": "2027-12"}, {}, {}, (1, 12)),
    ],
)
def test_the_window_follows_by_the_mappings_rule(
    window: dict[str, Any], columns: dict[str, str], row: dict[str, str | None], months: tuple[int, int]
) -> None:
    found = check(mapping(window=window, columns=columns), row)
    assert codes(found) == []
    january = 2027 * 12
    assert found.rows.select("earliest", "latest").rows() == [tuple(january + month - 1 for month in months)]
    assert found.rows["window_source"].to_list() == ["the test's own words"]


def test_the_rows_own_source_of_the_window_goes_first() -> None:
    chosen = mapping(columns={"window_source": "Source"})
    found = check(chosen, {"Source": "contract 12"}, {}, {"Source": "x" * 201})
    assert found.rows["window_source"].to_list() == ["contract 12", "the test's own words"]
    assert codes(found) == [(4, "Source", "too-long")]


def test_estimates_must_enclose_the_quantity() -> None:
    chosen = mapping(columns={"quantity_low": "Low", "quantity_high": "High"}, units={"words": {"FRP": {"pack": 10}}})
    found = check(chosen, {"Low": "90", "High": "110", "Quantity": "100", "Unit": "FRP"}, {})
    assert found.rows.select("quantity_low", "quantity_high").rows() == [(900, 1100), (None, None)]
    bad = check(chosen, {"Low": "1001"}, {"High": "999"}, {"Low": "0.5"})
    assert [(column, code) for _, column, code in codes(bad)] == [
        ("Low", "low-above-quantity"),
        ("High", "high-below-quantity"),
        ("Low", "not-whole"),
    ]


def test_criteria_are_codes_sorted_and_never_both_required_and_refused() -> None:
    chosen = mapping(
        columns={"required": "Must", "refused": "Not"}, criteria={"words": {"utan PVC": "pvc-free"}, "separator": ";"}
    )
    found = check(chosen, {"Must": "utan pvc; Advanced"}, {"Not": "basic"})
    assert found.rows.select("required", "refused").rows() == [("advanced pvc-free", ""), ("", "basic")]
    bad = check(chosen, {"Must": "advanced", "Not": "basic"}, {"Must": "green"})
    assert [(column, code) for _, column, code in codes(bad)] == [
        ("Not", "criteria-overlap"),
        ("Must", "unknown-criterion"),
    ]


def test_rows_out_of_scope_are_counted_by_reason() -> None:
    skip = [
        {"column": "Type", "equals": ["Return", "credit"], "reason": "returns"},
        {"column": "item_name", "matches": "^test", "reason": "test rows"},
        {"column": ["quantity", "unit_price"], "blank": True, "reason": "empty"},
    ]
    chosen = mapping(skip=skip)
    found = check(
        chosen,
        {},
        {"Type": "CREDIT", "Quantity": "-1"},
        {"Type": "return"},
        {"Name": "test of x"},
        {"Quantity": None, "Price": None},
        {"Quantity": None},
    )
    assert dict(found.skipped) == {"returns": 2, "test rows": 1, "empty": 1}
    assert found.rows["row"].to_list() == [2]
    assert codes(found) == [(7, "Quantity", "missing-figure")]


def test_texts_that_the_database_cannot_keep_are_refused() -> None:
    chosen = mapping(columns={"item_code": "Code"})
    found = check(
        chosen, {"Code": "x" * 80}, {"Code": "x" * 81}, {"Code": "a\x00b"}, {"Unit": "y" * 41}, {"Group": "\x00"}
    )
    assert codes(found) == [
        (3, "Code", "too-long"),
        (4, "Code", "control-character"),
        (5, "Unit", "too-long"),
        (6, "Group", "control-character"),
    ]


def test_decimal_comma_files_are_read_by_their_own_mark() -> None:
    found = check(mapping(), {"Price": "1,25"}, {"Price": "1.25"}, marks=COMMA)
    assert found.rows["unit_price_micro"].to_list() == [1_250_000]
    assert codes(found) == [(3, "Price", "not-a-number")]


def test_a_batch_of_nothing_but_faults_or_nothing_at_all() -> None:
    found = check(mapping(), {"Quantity": "x"}, {"Quantity": "y"})
    assert (found.rows.height, found.waiting.height) == (0, 0)
    empty = checker(mapping()).check(check(mapping(), {}).rows.clear().select("row"))
    assert (empty.rows.height, empty.faults.height) == (0, 0)


def test_the_spread_is_exact() -> None:
    assert mapping(uncertainty={"spread": Decimal("0.15")}).uncertainty.spread * 100 == 15


def test_a_code_written_exactly_is_meant_alone_and_a_word_of_several_is_refused() -> None:
    people = {"SE-M": participant("SE-M", name="South"), "se-m": participant("se-m", name="Region Skåne")}
    reference = replace(REFERENCE, participants=people)
    chosen = mapping()
    headers = {name: headers[0] for name, headers in chosen.columns.items()}
    steps = Checker(chosen, reference, marks=Marks(".", None), headers=headers, received_on=NOW.date())
    words = ("SE-M", "se-m", "Se-M", "region skåne")
    found = steps.check(batch(chosen, *({"Region": word} for word in words)))
    assert found.rows["sent_as"].to_list() == ["SE-M", "se-m", "se-m"]
    assert codes(found) == [(4, "Region", "ambiguous-participant")]
    assert found.faults["detail"].to_list() == ["SE-M, se-m"]
