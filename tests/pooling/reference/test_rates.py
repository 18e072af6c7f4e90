"""Exchange rates: exact, on or before the day, a week back at most, and an error otherwise."""

import csv
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pooling.reference.rates import (
    MAX_DAYS_BACK,
    NoRate,
    Rate,
    UnknownCurrency,
    currencies,
    last_packaged,
    last_quote,
    quoted_on,
    rate_on,
)

FRIDAY = date(2026, 10, 23)


def test_a_rate_is_exact_and_bears_the_day_it_was_quoted() -> None:
    rate = rate_on("SEK", date(2024, 1, 3))
    assert rate == Rate("SEK", Decimal("11.1915"), date(2024, 1, 3))
    assert isinstance(rate.per_eur, Decimal)


def test_a_weekend_takes_fridays_rate() -> None:
    friday = rate_on("DKK", FRIDAY)
    assert friday.day == FRIDAY
    assert [rate_on("DKK", FRIDAY + timedelta(days=days)) for days in (1, 2)] == [friday, friday]
    assert rate_on("DKK", FRIDAY + timedelta(days=3)).day == FRIDAY + timedelta(days=3)


def test_euro_is_one_on_any_day() -> None:
    day = date(2090, 5, 1)
    assert (rate_on("EUR", day).per_eur, rate_on("EUR", day).day) == (Decimal(1), day)


def test_a_rate_is_taken_from_at_most_seven_days_back() -> None:
    last = last_quote("SEK")
    assert rate_on("SEK", last + timedelta(days=MAX_DAYS_BACK)).day == last
    late = last + timedelta(days=8)
    with pytest.raises(NoRate, match=rf"price date {late}: no rate of SEK .* SEK has rates up to {last}; state .*EUR"):
        rate_on("SEK", last + timedelta(days=MAX_DAYS_BACK + 1))


def test_the_icelandic_gap_is_an_error_that_names_the_last_known_day() -> None:
    with pytest.raises(NoRate, match=r"2015-01-01: .* ISK has rates up to 2008-12-09 and from 2018-02-01 on"):
        rate_on("ISK", date(2015, 1, 1))
    assert rate_on("ISK", date(2008, 12, 16)).day == date(2008, 12, 9)
    with pytest.raises(NoRate, match="2008-12-17"):
        rate_on("ISK", date(2008, 12, 17))
    assert rate_on("ISK", date(2018, 2, 5)).day == date(2018, 2, 5)


def test_a_day_before_the_first_quote_is_an_error() -> None:
    assert rate_on("NOK", date(1999, 1, 4)).day == date(1999, 1, 4)
    with pytest.raises(NoRate, match=r"price date 1999-01-03: .* NOK has rates from 1999-01-04 on"):
        rate_on("NOK", date(1999, 1, 3))


def test_a_currency_that_ended_is_no_longer_quoted() -> None:
    with pytest.raises(NoRate, match=r"price date 2024-01-01: .* HRK has rates up to 2022-12-30"):
        rate_on("HRK", date(2024, 1, 1))


@pytest.mark.parametrize("currency", ["UAH", "XXX", "sek", ""])
def test_an_unknown_currency_is_an_error_that_lists_those_with_a_rate_then(currency: str) -> None:
    with pytest.raises(UnknownCurrency, match=f"currency '{currency}'.* on {FRIDAY} it has rates of AUD") as refused:
        rate_on(currency, FRIDAY)
    assert "SEK" in refused.value.quoted
    assert not {"HRK", "DEM", "RUB", "BGN"} & set(refused.value.quoted.replace(",", "").split())
    with pytest.raises(UnknownCurrency):
        last_quote(currency)


def test_currencies_that_have_ended_are_listed_on_days_they_were_quoted() -> None:
    with pytest.raises(UnknownCurrency, match=r"on 2010-06-01 it has rates of .*HRK"):
        rate_on("XXX", date(2010, 6, 1))
    assert "HRK" in quoted_on(date(2010, 6, 1))
    assert "ISK" not in quoted_on(date(2010, 6, 1))
    with pytest.raises(UnknownCurrency, match=f"on {last_packaged()} it has"):
        rate_on("XXX", date(2090, 1, 1))


def test_the_nordic_currencies_are_quoted() -> None:
    assert {"DKK", "SEK", "NOK", "ISK", "EUR", "USD"} <= currencies()


def test_rates_are_those_of_the_central_bank(shared_data: Path) -> None:
    with (shared_data / "ecb" / "eurofxref_nordic_2015_2026.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    compared = 0
    for row in rows[::11]:
        day = date.fromisoformat(row["Date"])
        for currency in ("DKK", "SEK", "NOK", "ISK", "USD"):
            if row[currency]:
                assert (rate_on(currency, day).per_eur, rate_on(currency, day).day) == (Decimal(row[currency]), day)
                compared += 1
    assert compared > 1000
