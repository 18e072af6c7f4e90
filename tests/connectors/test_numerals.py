"""Decimal and thousands marks: what one value shows, and what a file of them decides."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import numerals
from connectors.errors import BadData
from connectors.numerals import APOSTROPHES, AS_NINES, BLANKS, THOUSANDS, Evidence, Marks, readings

NBSP, NARROW = "\u00a0", "\u202f"


def shown(*pairs):
    return frozenset(pairs)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("400", shown((None, None))),
        ("-400", shown((None, None))),
        ("0,05", shown((",", None))),
        ("2.5", shown((".", None))),
        (",5", shown((",", None))),
        ("1.234", shown((".", None), (None, "."))),
        ("1,234", shown((",", None), (None, ","))),
        ("0.125", shown((".", None))),
        ("1234.567", shown((".", None))),
        ("1.2345", shown((".", None))),
        ("1.234,5", shown((",", "."))),
        ("1,234.50", shown((".", ","))),
        ("1.234.567", shown((None, "."))),
        ("1 234", shown((None, " "))),
        (f"1{NBSP}234,50", shown((",", NBSP))),
        (f"1{NARROW}234", shown((None, NARROW))),
        ("1'234.50", shown((".", "'"))),
        ("1’234,50", shown((",", "’"))),
        ("2,5 %", shown((",", None))),
        ("1.5E+03", shown((".", None))),
        (" 12,5 ", shown((",", None))),
        ("−12,5", shown((",", None))),
    ],
)
def test_what_a_number_shows(text, expected):
    assert readings(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "-", "abc", "12,50 kr", "1.2.3", "1,2,3", "12.34.567", "1 23", "1..2", "2026-01-31", "5,", "1 234 5", "1/2"],
)
def test_what_is_no_number_shows_nothing(text):
    assert readings(text) == frozenset()


def evidence(*texts: str) -> Evidence:
    seen = Evidence()
    for row, text in enumerate(texts, start=2):
        for new in seen.new([text]):
            seen.add(new, f"row {row}, column 'Antal': {new!r}")
    return seen


@pytest.mark.parametrize(
    ("texts", "marks"),
    [
        ([], Marks(None, None)),
        (["1", "20"], Marks(None, None)),
        (["1 234", "5"], Marks(None, " ")),
        (["0,05", "1.234"], Marks(",", ".")),
        (["1.234", "0,05"], Marks(",", ".")),
        (["1,234", "0.05"], Marks(".", ",")),
        (["1.234.567"], Marks(None, ".")),
        (["1.234.567", "1.234"], Marks(None, ".")),
        ([f"1{NBSP}234", "1 234", "0,5"], Marks(",", f" {NBSP}")),
        (["1.234,5", "1 234,5"], Marks(",", ". ")),
        (["abc", "12,50 kr"], Marks(None, None)),
    ],
)
def test_a_file_decides(texts, marks):
    assert evidence(*texts).decide() == marks


@pytest.mark.parametrize("texts", [["1.234"], ["1,234", "400"], ["1.234", "1,234"], ["1 234", "1.234"]])
def test_nothing_decides_between_thousand_and_fraction(texts):
    with pytest.raises(BadData, match=r"row \d, column 'Antal': '1[.,]234' can be read .* state decimal") as caught:
        evidence(*texts).decide()
    assert caught.value.code == "ambiguous-decimal"


@pytest.mark.parametrize(("forced", "marks"), [(",", Marks(None, ".")), (".", Marks(".", None))])
def test_a_stated_decimal_decides(forced, marks):
    assert evidence("1.234").decide(forced) == marks


def test_values_that_contradict_each_other_are_named_both():
    with pytest.raises(BadData, match=r"row 2, .*'0,05' .* decimal comma, row 4, .*'2.5' .* decimal point") as caught:
        evidence("0,05", "1.234", "2.5").decide()
    assert caught.value.code == "mixed-decimal"


def test_a_stated_decimal_settles_a_contradiction():
    assert evidence("0,05", "2.5").decide(",") == Marks(",", None)


WRITTEN = st.tuples(
    st.integers(0, 10**12),
    st.text("0123456789", max_size=5),
    st.sampled_from([".", ","]),
    st.sampled_from(["", *THOUSANDS]),
).filter(lambda parts: parts[2] != parts[3])


def written(number):
    whole, fraction, decimal, thousands = number
    return f"{whole:,}".replace(",", thousands) + (decimal + fraction if fraction else "")


@settings(deadline=None)
@given(WRITTEN)
def test_the_true_reading_is_always_among_those_shown(number):
    whole, fraction, decimal, thousands = number
    expected = (decimal if fraction else None, thousands if thousands and whole >= 1000 else None)
    assert expected in readings(written(number))


@settings(deadline=None)
@given(st.lists(WRITTEN.map(lambda n: (*n[:2], ",", ".")), min_size=1))
def test_a_decided_file_reads_back_to_the_same_numbers(numbers):
    texts = [written(number) for number in numbers]
    try:
        marks = evidence(*texts).decide()
    except BadData:
        assert all(len(readings(text)) > 1 or text.isdigit() for text in texts)
        return
    for text, (whole, fraction, _, _) in zip(texts, numbers, strict=True):
        for mark in marks.thousands or "":
            text = text.replace(mark, "")
        assert Decimal(text.replace(marks.decimal or ",", ".")) == Decimal(f"{whole}.{fraction or 0}")


@settings(deadline=None)
@given(WRITTEN)
def test_a_number_shows_the_same_when_its_digits_are_hidden(number):
    assert readings(written(number).translate(AS_NINES)) == readings(written(number))


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(numerals, "_REMEMBERED", 2)
    seen = evidence("1,5", "2,5", "3,5", "abc", "0.5")
    assert len(seen._known) == 2
    assert len(seen.places) == 2


def test_each_mark_is_one_character():
    assert all(len(mark) == 1 for mark in (*BLANKS, *APOSTROPHES))
