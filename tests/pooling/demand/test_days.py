"""Days and months as they are written."""

from datetime import date

import pytest

from pooling.demand.days import (
    Wrong,
    month_after_end,
    month_text,
    read_day,
    read_month,
    read_month_count,
)
from pooling.demand.sections import DayFormats
from pooling.errors import BadSetting

ISO = DayFormats()
DANISH = DayFormats(("d.m.Y",))
SHORT = DayFormats(("d-Mon-yy",), century=2000)


@pytest.mark.parametrize(
    ("text", "formats", "day"),
    [
        ("2027-03-31", ISO, date(2027, 3, 31)),
        ("2027-03-31 00:00:00", ISO, date(2027, 3, 31)),
        ("31.3.2027", DANISH, date(2027, 3, 31)),
        ("31.03.2027", DANISH, date(2027, 3, 31)),
        ("2-Jun-06", SHORT, date(2006, 6, 2)),
        ("3/31/2027", DayFormats(("m/d/Y",)), date(2027, 3, 31)),
    ],
)
def test_days_are_read_in_the_formats_the_mapping_allows(text: str, formats: DayFormats, day: date) -> None:
    assert read_day(text, formats) == day


@pytest.mark.parametrize(
    ("text", "formats", "code"),
    [
        ("31.3.2027", ISO, "not-a-date"),
        ("31.03.27", DANISH, "two-digit-year"),
        ("2-Jun-06", ISO, "two-digit-year"),
        ("31.2.2027", DANISH, "not-a-date"),
        ("2-Jux-06", SHORT, "not-a-date"),
        ("Date Not Captured", SHORT, "not-a-date"),
        ("1887-01-01", ISO, "not-a-date"),
        ("46112", ISO, "not-a-date"),
    ],
)
def test_other_days_are_refused_by_name(text: str, formats: DayFormats, code: str) -> None:
    with pytest.raises(Wrong) as wrong:
        read_day(text, formats)
    assert wrong.value.code == code


def test_two_digit_years_need_a_stated_century() -> None:
    with pytest.raises(BadSetting, match="state the century"):
        DayFormats(("d.m.yy",))


def test_a_month_may_be_a_day_in_it() -> None:
    assert month_text(read_month("2027-04", ISO)) == month_text(read_month("2027-04-30", ISO)) == "2027-04"
    with pytest.raises(Wrong, match="not-a-month"):
        read_month("April", ISO)
    with pytest.raises(Wrong, match="not-a-month"):
        read_month("2027-13", ISO)


@pytest.mark.parametrize(
    ("end", "start"), [("2027-03-31", "2027-04"), ("2027-03-15", "2027-03"), ("2027-12", "2028-01")]
)
def test_the_next_contract_starts_when_this_one_has_ended(end: str, start: str) -> None:
    assert month_text(month_after_end(end, ISO)) == start


def test_month_counts_are_whole() -> None:
    assert read_month_count("12") == read_month_count("12,0") == 12
    for text in ("1.5", "-1", "241", "a year"):
        with pytest.raises(Wrong, match="not-months"):
            read_month_count(text)
