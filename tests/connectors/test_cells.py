"""What XLSX stores, as text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.cells import DATE, NUMBER, PERCENT, PLAIN, TIME, number_text, style_of_format, unescaped, value_text


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        ("400", "400"),
        ("400.0", "400"),
        ("4E2", "400"),
        ("2.5", "2.5"),
        ("1.1000000000000001", "1.1"),
        ("0.30000000000000004", "0.30000000000000004"),
        ("1E-07", "0.0000001"),
        ("-0.5", "-0.5"),
        ("-0", "0"),
        ("0", "0"),
        ("007", "7"),
        ("12345678901234", "12345678901234"),
        ("1.2345678901234567E+19", "12345678901234567000"),
        ("1E+308", "1e+308"),
    ],
)
def test_a_number_is_written_as_short_as_it_can_be(stored, text):
    assert number_text(stored) == text


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_number_means_the_same_number(value):
    assert float(number_text(repr(value))) == value
    assert float(number_text(f"{value:.17g}")) == value


@pytest.mark.parametrize("stored", ["", "abc", "nan", "inf", "1E999", "1,5"])
def test_what_is_no_number_is_refused(stored):
    with pytest.raises(ValueError, match=r".*"):
        number_text(stored)


@pytest.mark.parametrize(
    ("number", "code", "style"),
    [
        ("0", None, PLAIN),
        ("2", None, PLAIN),
        ("9", None, PERCENT),
        ("14", None, DATE),
        ("22", None, DATE),
        ("20", None, TIME),
        ("46", None, PLAIN),
        ("164", "yyyy-mm-dd", DATE),
        ("164", "[$-406]d. mmmm yyyy;@", DATE),
        ("164", "mmm", DATE),
        ("164", "hh:mm:ss", TIME),
        ("164", "h:mm AM/PM", TIME),
        ("164", "[h]:mm", PLAIN),
        ("164", "0.00%", PERCENT),
        ("164", "#,##0.00", PLAIN),
        ("164", '#,##0 "dkr pr. styk"', PLAIN),
        ("164", "#,##0\\ \\d", PLAIN),
        ("164", "[Red]0;[Blue]-0", PLAIN),
        ("164", "General", PLAIN),
        ("164", "0_d", PLAIN),
    ],
)
def test_formats_tell_dates_times_and_percentages_from_numbers(number, code, style):
    assert style_of_format(number, code) == style


@pytest.mark.parametrize(
    ("stored", "style", "text"),
    [
        ("46388", DATE, "2027-01-01"),
        ("46388.4375", DATE, "2027-01-01T10:30:00"),
        ("46388.999999", DATE, "2027-01-01T23:59:59.914"),
        ("46388.9999999999", DATE, "2027-01-02"),
        ("1", DATE, "1900-01-01"),
        ("59", DATE, "1900-02-28"),
        ("61", DATE, "1900-03-01"),
        ("2958465", DATE, "9999-12-31"),
        ("0.4375", TIME, "10:30:00"),
        ("0.25", PERCENT, NUMBER + "25%"),
        ("0.125", PERCENT, NUMBER + "12.5%"),
        ("0.07", PERCENT, NUMBER + "7%"),
        ("1", PERCENT, NUMBER + "100%"),
        ("60", DATE, NUMBER + "60"),
        ("0", DATE, NUMBER + "0"),
        ("-5", DATE, NUMBER + "-5"),
        ("2958466", DATE, NUMBER + "2958466"),
        ("1E+300", DATE, NUMBER + "1e+300"),
        ("1.5", TIME, NUMBER + "1.5"),
    ],
)
def test_dates_times_and_percentages_are_written_out(stored, style, text):
    assert value_text("n", stored, style=style, from_1904=False) == text


@pytest.mark.parametrize(("stored", "text"), [("0", "1904-01-01"), ("60", "1904-03-01"), ("44926", "2027-01-01")])
def test_a_workbook_may_count_days_from_1904(stored, text):
    assert value_text("n", stored, style=DATE, from_1904=True) == text


@pytest.mark.parametrize(
    ("kind", "stored", "text"),
    [
        ("b", "1", "true"),
        ("b", "0", "false"),
        ("e", "#N/A", "#N/A"),
        ("str", "a_x000D_b", "a\rb"),
        ("d", "2027-01-01T00:00:00Z", "2027-01-01"),
        ("d", "2027-01-01T10:30:00", "2027-01-01T10:30:00"),
        ("inlineStr", "007", "007"),
    ],
)
def test_other_kinds_of_cell_are_text(kind, stored, text):
    assert value_text(kind, stored, style=PLAIN, from_1904=False) == text


def test_an_unknown_kind_of_cell_is_refused():
    with pytest.raises(ValueError, match="what"):
        value_text("what", "1", style=PLAIN, from_1904=False)


def test_spelled_out_characters_are_restored_but_for_nul():
    assert unescaped("a_x0041_b_x005F_x0041_") == "aAb_x0041_"
    assert unescaped("_x0000_1") == "_x0000_1"
