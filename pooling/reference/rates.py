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
REMEDY = "give another date of the price, or send the price in EUR"


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
    """The last day ``currency`` has a quote for in the package; raises BadInput for one never quoted."""
    _known(currency)
    return date.fromisoformat(_quotes().bounds[currency].last_date.isoformat())


@cache
def rate_on(currency: str, day: date) -> Rate:
    """The rate of ``currency`` (ISO 4217, capitals) on ``day``, or the last before it, at most 7 days back.

    EUR is 1 on any day. Raises BadInput for a currency that is not quoted and for a day without a quote near enough:
    before the first, in a gap (ISK from December 2008 to January 2018), or more than a week after the last.
    """
    if currency == "EUR":
        return Rate(currency, Decimal(1), day)
    _known(currency)
    for back in range(MAX_DAYS_BACK + 1):
        quoted = day - timedelta(days=back)
        per_eur = _quoted(currency, quoted)
        if per_eur is not None:
            return Rate(currency, per_eur, quoted)
    raise BadInput(_no_quote(currency, day))


def _quoted(currency: str, day: date) -> Decimal | None:
    try:
        return Decimal(_quotes().convert(1, "EUR", currency, day))
    except RateNotFoundError:
        return None


def _known(currency: str) -> None:
    if currency not in _quotes().currencies:
        raise BadInput(
            f"currency {currency!r}: the European Central Bank quotes no rate for it; {REMEDY}."
            f" Known: {' '.join(sorted(_quotes().currencies))}"
        )


def _no_quote(currency: str, day: date) -> str:
    first, last = _quotes().bounds[currency]
    place = f"currency {currency}, day {day}"
    if day < first:
        return f"{place}: the first quote is of {first}; {REMEDY}"
    if day > last and last < max(bounds.last_date for bounds in _quotes().bounds.values()):
        return f"{place}: no longer quoted since {last}; {REMEDY}"
    if day > last:
        return (
            f"{place}: the last quote known is of {last}, more than {MAX_DAYS_BACK} days before;"
            f" install a newer currencyconverter, or {REMEDY}"
        )
    known = day
    while _quoted(currency, known) is None:
        known -= timedelta(days=1)
    return f"{place}: no quote in the {MAX_DAYS_BACK} days before; the last known is of {known}; {REMEDY}"
