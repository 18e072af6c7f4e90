"""When a line can start, and the exchange rate of its day: months and rates, read by distinct value."""

from datetime import date

import polars as pl

from pooling.demand.days import (
    Wrong,
    month_after_end,
    parse_month,
    read_day,
    read_month,
    read_month_count,
)
from pooling.demand.distinct import ByDistinct
from pooling.demand.mapping import FileMapping
from pooling.demand.work import JOIN, Work, joined
from pooling.reference.rates import NoRate, UnknownCurrency, rate_on
from pooling.reference.words import same

MICRO = 1_000_000
MAX_SOURCE = 200
UNKNOWN_CURRENCY = "unknown-currency"
NO_RATE = "no-exchange-rate"


class WindowReader:
    """Reads the months between which a line can start, by the mapping's rule; months are numbers (days.month_text)."""

    def __init__(self, mapping: FileMapping) -> None:
        self._said = mapping.window
        formats = mapping.days
        self._month = ByDistinct(lambda text: read_month(text, formats), pl.Int32)
        self._after = ByDistinct(lambda text: month_after_end(text, formats), pl.Int32)
        self._count = ByDistinct(read_month_count, pl.Int32)

    def read(self, work: Work) -> pl.DataFrame:
        """Columns earliest, latest (null where wrong) and window_source."""
        rules = {
            "columns": self._columns,
            "contract-end": self._contract_end,
            "date": self._date,
            "stated": self._stated,
        }
        earliest, latest = rules[self._said.rule](work)
        work.refuse_where(earliest > latest, "window-reversed", "earliest_start")
        return pl.DataFrame({"earliest": earliest, "latest": latest, "window_source": self._source(work)})

    def _read(self, work: Work, name: str, reader: ByDistinct[int]) -> pl.Series:
        texts = work.text(name)
        texts = texts if texts is not None else work.blank()
        months, wrong = reader(texts)
        work.refuse(wrong, name)
        work.refuse_where(texts.is_null(), "missing", name)
        return months

    def _columns(self, work: Work) -> tuple[pl.Series, pl.Series]:
        return self._read(work, "earliest_start", self._month), self._read(work, "latest_start", self._month)

    def _contract_end(self, work: Work) -> tuple[pl.Series, pl.Series]:
        earliest = self._read(work, "contract_end", self._after)
        texts = work.text("extension_months")
        if texts is None:
            return earliest, earliest + (self._said.extension_months or 0)
        months, wrong = self._count(texts)
        work.refuse(wrong, "extension_months")
        if self._said.extension_months is None:
            work.refuse_where(texts.is_null(), "missing", "extension_months")
            return earliest, earliest + months
        return earliest, earliest + months.fill_null(self._said.extension_months)

    def _date(self, work: Work) -> tuple[pl.Series, pl.Series]:
        earliest = self._read(work, "date", self._month)
        return earliest, earliest + (self._said.flexibility_months or 0)

    def _stated(self, work: Work) -> tuple[pl.Series, pl.Series]:
        earliest, latest = (parse_month(text or "") for text in (self._said.earliest, self._said.latest))
        return work.constant(earliest, pl.Int32), work.constant(latest, pl.Int32)

    def _source(self, work: Work) -> pl.Series:
        texts = work.text("window_source")
        if texts is None:
            return work.constant(self._said.source, pl.String)
        work.refuse_where(texts.str.len_chars() > MAX_SOURCE, "too-long", "window_source")
        return texts.fill_null(self._said.source)


class CurrencyReader:
    """Reads each row's currency and takes the ECB rate of the day the mapping names."""

    def __init__(self, mapping: FileMapping, received_on: date) -> None:
        self._said = mapping.currency
        self._formats = mapping.days
        self._stated = received_on if mapping.currency.day == "received" else mapping.currency.day
        words = {same(word): code for word, code in mapping.currency.words.items()}
        self._code = ByDistinct(lambda text: words.get(same(text), text.strip().upper()), pl.String)
        self._rate = ByDistinct(self._look_up, pl.String)
        self._year = ByDistinct(lambda text: read_day(text, self._formats).year, pl.Int32)

    def _look_up(self, text: str) -> str:
        currency, day = text.split(JOIN)
        on = self._stated if isinstance(self._stated, date) else read_day(day, self._formats)
        try:
            rate = rate_on(currency, on)
        except UnknownCurrency as unknown:
            raise Wrong(UNKNOWN_CURRENCY, unknown.quoted) from unknown
        except NoRate as missing:
            raise Wrong(NO_RATE, missing.quoted) from missing
        micro = rate.per_eur * MICRO
        if micro != int(micro):
            raise Wrong(NO_RATE, f"{rate.per_eur} per EUR has more than six decimals")
        return f"{int(micro)}{JOIN}{rate.day.isoformat()}"

    def read(self, work: Work) -> pl.DataFrame:
        """Columns currency, rate_micro (millionths of currency per EUR) and rate_date (ISO text)."""
        texts = work.text("currency")
        texts = texts if texts is not None else work.blank()
        codes, _ = self._code(texts)
        work.refuse_where(texts.is_null(), "missing", "currency")
        days = work.text("date") if self._said.day == "date" else work.constant("", pl.String)
        days = days if days is not None else work.blank()
        work.refuse_where(days.is_null(), "missing", "date")
        asked = pl.select(
            pl.when(pl.lit(codes).is_not_null() & pl.lit(days).is_not_null()).then(pl.lit(joined(codes, days)))
        ).to_series()
        rates, wrong = self._rate(asked)
        if wrong is not None:
            self._refuse(work, wrong, self._rate.details(asked))
        seen = rates.unique().drop_nulls().to_list()
        parts = [text.split(JOIN) for text in seen]
        return pl.DataFrame(
            {
                "currency": codes,
                "rate_micro": rates.replace_strict(
                    seen, [int(micro) for micro, _ in parts], default=None, return_dtype=pl.Int64
                ),
                "rate_date": rates.replace_strict(
                    seen, [day for _, day in parts], default=None, return_dtype=pl.String
                ),
            }
        )

    def _refuse(self, work: Work, wrong: pl.Series, details: pl.Series) -> None:
        """An unknown currency is the currency's fault, all else that of the day whose rate is asked."""
        by_currency = wrong == UNKNOWN_CURRENCY
        work.refuse(pl.select(pl.when(by_currency).then(wrong)).to_series(), "currency", detail=details)
        by_day = pl.select(pl.when(~by_currency).then(wrong)).to_series()
        if isinstance(self._stated, date):
            place = "the day the file came in" if self._said.day == "received" else "currency.day in the mapping"
            shown = work.constant(self._stated.isoformat(), pl.String)
            work.refuse(by_day, "date", shown=shown, detail=details, place=place)
        else:
            work.refuse(by_day, "date", detail=details)

    def years(self, work: Work) -> pl.Series:
        """The year of each row's date, for grouping."""
        texts = work.text("date")
        texts = texts if texts is not None else work.blank()
        years, wrong = self._year(texts)
        work.refuse(wrong, "date")
        work.refuse_where(texts.is_null(), "missing", "date")
        return years
