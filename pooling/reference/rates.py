"""Euro reference rates of the European Central Bank, from the quotes that the CurrencyConverter package carries.

Nothing is fetched. A day without a quote (weekend, holiday) takes the last one before it, at most a week old.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from currency_converter import CurrencyConverter, RateNotFoundError

from pooling.errors import BadInput

MAX_DAYS_BACK = 7


class UnknownCurrency(BadInput):
    """The European Central Bank has never quoted the currency; ``quoted`` says what it quotes near the day asked."""

    def __init__(self, currency: str, quoted: str) -> None:
        self.quoted = quoted
        super().__init__(
            f"currency {currency!r}: the European Central Bank has no rate for it, {quoted};"
            " correct it, or give the price in EUR"
        )


class NoRate(BadInput):
    """The currency has no rate near the day; ``quoted`` says when it has."""

    def __init__(self, currency: str, day: date, quoted: str) -> None:
        self.quoted = quoted
        super().__init__(
            f"price date {day}: no rate of {currency} on it or in the {MAX_DAYS_BACK} days before, {quoted};"
            " state a price date within these, or give the price in EUR"
        )


@dataclass(frozen=True, slots=True)
class Rate:
    """``per_eur`` units of ``currency`` cost one EUR; quoted on ``day``, the date to store beside the amount."""

    currency: str
    per_eur: Decimal
    day: date


@cache
def _quotes() -> CurrencyConverter:
    return CurrencyConverter(decimal=True)


def currencies() -> frozenset[str]:
    """The currencies that have ever been quoted, EUR with them."""
    return frozenset(_quotes().currencies)


def last_quote(currency: str) -> date:
    """The last day ``currency`` has a quote for in the package; raises UnknownCurrency for one never quoted."""
    _known(currency, None)
    return _bounds(currency)[1]


def last_packaged() -> date:
    """The last day of the quotes in the package."""
    return max(_bounds(currency)[1] for currency in _quotes().bounds)


def quoted_on(day: date) -> tuple[str, ...]:
    """The currencies that have a rate on ``day``, EUR with them, by code."""
    return tuple(sorted({"EUR", *(each for each in _quotes().bounds if _nearest(each, day) is not None)}))


def _bounds(currency: str) -> tuple[date, date]:
    bounds = _quotes().bounds[currency]
    return date.fromisoformat(bounds.first_date.isoformat()), date.fromisoformat(bounds.last_date.isoformat())


@cache
def rate_on(currency: str, day: date) -> Rate:
    """The rate of ``currency`` (ISO 4217, capitals) on ``day``, or the last before it, at most 7 days back.

    EUR is 1 on any day. Raises UnknownCurrency, and NoRate for a day without a quote near enough: before the first,
    in a gap (ISK from December 2008 to January 2018), or more than a week after the last.
    """
    if currency == "EUR":
        return Rate(currency, Decimal(1), day)
    _known(currency, day)
    found = _nearest(currency, day)
    if found is None:
        raise NoRate(currency, day, _when_quoted(currency, day))
    return found


def _nearest(currency: str, day: date) -> Rate | None:
    """The quote of the day, or the last before it that is near enough."""
    for back in range(MAX_DAYS_BACK + 1):
        quoted = day - timedelta(days=back)
        per_eur = _quoted(currency, quoted)
        if per_eur is not None:
            return Rate(currency, per_eur, quoted)
    return None


def _quoted(currency: str, day: date) -> Decimal | None:
    try:
        return Decimal(_quotes().convert(1, "EUR", currency, day))
    except RateNotFoundError:
        return None


def _known(currency: str, day: date | None) -> None:
    """Refuse a currency never quoted, naming those that have a rate near ``day`` (None: near the last day known)."""
    if currency not in _quotes().currencies:
        first = min(_bounds(each)[0] for each in _quotes().bounds)
        near = last_packaged() if day is None else min(max(day, first), last_packaged())
        raise UnknownCurrency(currency, f"on {near} it has rates of {', '.join(quoted_on(near))}")


def _when_quoted(currency: str, day: date) -> str:
    first, last = _bounds(currency)
    if day < first:
        return f"{currency} has rates from {first} on"
    if day > last:
        return f"{currency} has rates up to {last}"
    before, after = _around(currency, day)
    return f"{currency} has rates up to {before} and from {after} on"


def _around(currency: str, day: date) -> tuple[date, date]:
    """The last quoted day before and the first after one inside a gap."""
    before = after = day
    while _quoted(currency, before) is None:
        before -= timedelta(days=1)
    while _quoted(currency, after) is None:
        after += timedelta(days=1)
    return before, after
