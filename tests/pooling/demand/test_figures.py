"""Numbers as they are written: read exactly, or refused by name."""

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooling.demand.figures import Marks, read_figures

COMMA = Marks(",", ".")
POINT = Marks(".", ",")
PLAIN = Marks(None, None)


def read(text: str, marks: Marks, decimals: int = 6) -> Fraction | str | None:
    found = read_figures(pl.Series([text], dtype=pl.String), marks, whole_digits=16, decimals=decimals)
    (digits,), (scale,), (code,) = found.digits, found.scale, found.codes
    assert (digits is None) == (code is not None or text is None)
    return code if digits is None else Fraction(int(digits), 10 ** int(scale))


@pytest.mark.parametrize(
    ("text", "marks", "value"),
    [
        ("1.234.567,89", COMMA, Fraction("1234567.89")),
        ("1,234,567.89", POINT, Fraction("1234567.89")),
        ("1\u00a0234,5", Marks(",", "\u00a0"), Fraction("1234.5")),
        ("1 234", Marks(None, " \u00a0"), 1234),
        ("1\u202f234", Marks(",", "\u00a0"), 1234),
        (" 42 ", PLAIN, 42),
        ("007", PLAIN, 7),
        ("400.0", POINT, 400),
        ("0", PLAIN, 0),
        ("1 234", Marks(",", ". "), 1234),
        ("1.234,5", Marks(",", ". "), Fraction("1234.5")),
        ("1\u2007234", Marks(",", "\u2007"), 1234),
        ("1\u2007234", Marks(",", " \u2007"), 1234),
        ("1 234 567", Marks(",", "\u2007"), 1234567),
        ("1'234.5", Marks(".", "'\u2019"), Fraction("1234.5")),
        ("1\u2019234.5", Marks(".", "'\u2019"), Fraction("1234.5")),
    ],
)
def test_numbers_are_read_by_the_files_own_marks(text: str, marks: Marks, value: Fraction) -> None:
    assert read(text, marks) == value


@pytest.mark.parametrize(
    ("text", "marks", "code"),
    [
        ("1,234,5", POINT, "not-a-number"),
        ("1,234,5", COMMA, "not-a-number"),
        ("1.5", COMMA, "not-a-number"),
        ("12.34.567", COMMA, "not-a-number"),
        ("0.050", COMMA, "not-a-number"),
        ("0.200", COMMA, "not-a-number"),
        ("00.050", COMMA, "not-a-number"),
        ("05.000,5", COMMA, "not-a-number"),
        ("0 200", Marks(",", ". "), "not-a-number"),
        ("1 234.567", Marks(",", ". "), "not-a-number"),
        ("1 234'567", Marks(".", " '"), "not-a-number"),
        ("1.2", PLAIN, "not-a-number"),
        ("1 234", PLAIN, "not-a-number"),
        ("ca 100", PLAIN, "not-a-number"),
        ("100 st", PLAIN, "not-a-number"),
        ("+5", PLAIN, "not-a-number"),
        ("-", PLAIN, "not-a-number"),
        ("٣", PLAIN, "not-a-number"),
        ("1e308", POINT, "exponent"),
        ("1,5E+6", COMMA, "exponent"),
        ("2E3", PLAIN, "exponent"),
        ("NaN", PLAIN, "not-finite"),
        ("inf", PLAIN, "not-finite"),
        ("#VALUE!", PLAIN, "not-finite"),
        ("-3", PLAIN, "negative"),
        ("−3", PLAIN, "negative"),
        ("(3)", PLAIN, "negative"),
        ("3-", PLAIN, "negative"),
        ("99999999999999999", PLAIN, "too-large"),
        ("1.1234567", POINT, "too-many-decimals"),
    ],
)
def test_what_is_no_plain_number_is_refused_by_name(text: str, marks: Marks, code: str) -> None:
    assert read(text, marks) == code


def test_blank_is_neither_a_number_nor_a_fault() -> None:
    found = read_figures(pl.Series([None, "1"], dtype=pl.String), PLAIN, whole_digits=16, decimals=6)
    assert found.digits.to_list() == [None, 1]
    assert found.codes.to_list() == [None, None]


def test_a_bad_value_does_not_disturb_its_neighbours() -> None:
    found = read_figures(pl.Series(["1,5", "x", "2"], dtype=pl.String), COMMA, whole_digits=16, decimals=6)
    assert found.digits.to_list() == [15, None, 2]
    assert found.scale.to_list()[::2] == [1, 0]


@given(
    whole=st.integers(0, 10**16 - 1),
    decimals=st.text("0123456789", max_size=6),
    grouped=st.booleans(),
    marks=st.sampled_from([COMMA, POINT, Marks(",", " "), Marks(".", "\u00a0"), Marks(",", "\u2007")]),
)
def test_every_number_written_by_its_marks_comes_back(whole: int, decimals: str, grouped: bool, marks: Marks) -> None:
    text = f"{whole:,}".replace(",", marks.thousands or "") if grouped else str(whole)
    text += f"{marks.decimal}{decimals}" if decimals else ""
    assert read(text, marks) == Fraction(f"{whole}.{decimals or 0}")


@given(st.text(max_size=12))
def test_no_text_breaks_the_reader(text: str) -> None:
    for marks in (COMMA, POINT, PLAIN, Marks(",", " ")):
        read(text, marks)
