"""How much, and at what price: quantities in whole base units, prices in exact millionths, columns at a time."""

import re
from decimal import Decimal, InvalidOperation

import polars as pl

from pooling.demand.days import Wrong
from pooling.demand.distinct import ByDistinct
from pooling.demand.exact import half_even, power_of_ten
from pooling.demand.figure_sections import Price, is_vat_rate
from pooling.demand.figures import (
    MAX_HIGH,
    MAX_PRICE_MICRO,
    MAX_QUANTITY,
    MAX_WHOLE_DIGITS,
    PRICE_DECIMALS,
    PRICE_WHOLE_DIGITS,
    QUANTITY_DECIMALS,
    Figures,
    Marks,
    read_figures,
)
from pooling.demand.work import Work
from pooling.reference.words import same


class QuantityReader:
    """Reads quantities into whole base units a year."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks

    def read(self, work: Work, factors: pl.DataFrame) -> pl.DataFrame:
        """Columns quantity, quantity_low, quantity_high; null where wrong, not given, or the unit is not known."""
        found = {"quantity": self._whole(work, "quantity", factors)}
        for name in ("quantity_low", "quantity_high"):
            given = work.text(name) is not None
            found[name] = self._whole(work, name, factors) if given else work.constant(None, pl.Int64)
        work.refuse_where(found["quantity_low"] > found["quantity"], "low-above-quantity", "quantity_low")
        work.refuse_where(found["quantity_high"] < found["quantity"], "high-below-quantity", "quantity_high")
        return pl.DataFrame(found)

    def _whole(self, work: Work, name: str, factors: pl.DataFrame) -> pl.Series:
        texts = work.text(name)
        texts = texts if texts is not None else work.blank()
        read = read_figures(texts, self._marks, whole_digits=MAX_WHOLE_DIGITS, decimals=QUANTITY_DECIMALS)
        work.refuse(read.codes, name)
        if name == "quantity":
            work.refuse_where(texts.is_null(), "missing-figure", name)
            work.refuse_where(read.digits == 0, "not-positive", name)
        total = read.digits * factors["num"].cast(pl.Int128)
        if not read.all_whole or factors["den"].max() not in (None, 1):
            parts = factors["den"].cast(pl.Int128) * power_of_ten(read.scale)
            work.refuse_where(total % parts != 0, "not-whole", name)
            total = total // parts
        most = MAX_HIGH if name == "quantity_high" else MAX_QUANTITY
        work.refuse_where(total > most, "too-large", name)
        return pl.select(pl.when(pl.lit(total) <= most).then(pl.lit(total)).cast(pl.Int64)).to_series()


class PriceReader:
    """Reads prices into millionths of currency per base unit without VAT, rounded once, halves to even."""

    def __init__(self, price: Price, marks: Marks) -> None:
        self._price = price
        self._marks = marks
        basis = {"ex-vat": "ex-vat", "inc-vat": "inc-vat"} | {same(word): each for word, each in price.words.items()}
        self._basis = ByDistinct(lambda text: _known(basis, text, "unknown-price-basis"), pl.String)
        yes_no = {same(word): each for word, each in price.delivered_words.items()}
        self._delivered = ByDistinct(lambda text: _known(yes_no, text, "unknown-delivered"), pl.Boolean)
        per = {"unit": "unit", "base": "base"} | {same(word): each for word, each in price.per_words.items()}
        self._per = ByDistinct(lambda text: _per(per, text), pl.Int64)
        self._rates = ByDistinct(_vat_points, pl.Int64)

    def delivered(self, work: Work) -> pl.Series:
        """Whether each row's price includes delivery; null: not said."""
        texts = work.text("delivered")
        if texts is None:
            return work.constant(self._price.delivered, pl.Boolean)
        values, wrong = self._delivered(texts)
        work.refuse(wrong, "delivered")
        return values if self._price.delivered is None else values.fill_null(self._price.delivered)

    def read(self, work: Work, factors: pl.DataFrame) -> pl.Series:
        """The price of one base unit; null where wrong or where the unit is not known."""
        texts = work.text("unit_price")
        texts = texts if texts is not None else work.blank()
        read = read_figures(texts, self._marks, whole_digits=PRICE_WHOLE_DIGITS, decimals=PRICE_DECIMALS)
        work.refuse(read.codes, "unit_price")
        work.refuse_where(texts.is_null(), "missing-figure", "unit_price")
        work.refuse_where(read.digits == 0, "not-positive", "unit_price")
        per_count, per_base = self._per_what(work)
        micro = _per_base_unit(read, factors, per_count=per_count, per_base=per_base, vat_points=self._vat(work))
        work.refuse_where(micro > MAX_PRICE_MICRO, "too-large", "unit_price")
        work.refuse_where((micro == 0) & (read.digits > 0), "not-positive", "unit_price")
        return pl.select(pl.when(pl.lit(micro) <= MAX_PRICE_MICRO).then(pl.lit(micro)).cast(pl.Int64)).to_series()

    def _per_what(self, work: Work) -> tuple[pl.Series, pl.Series]:
        """For how many the price is, and whether these are base units."""
        texts = work.text("price_per")
        count = self._price.per_count if self._price.per == "unit" else -self._price.per_count
        signed = work.constant(count, pl.Int64)
        if texts is not None:
            values, wrong = self._per(texts)
            work.refuse(wrong, "price_per")
            signed = values.fill_null(count)
        return signed.abs(), signed < 0

    def _vat(self, work: Work) -> pl.Series:
        """VAT inside each row's price, in hundredths of a per cent."""
        texts = work.text("price_basis")
        basis = work.constant(self._price.basis, pl.String)
        if texts is not None:
            said, wrong = self._basis(texts)
            work.refuse(wrong, "price_basis")
            basis = said if self._price.basis is None else said.fill_null(self._price.basis)
            work.refuse_where(texts.is_null() & basis.is_null(), "missing-price-basis", "price_basis")
        with_vat = basis == "inc-vat"
        if not with_vat.any():
            return work.constant(0, pl.Int64)
        stated = None if self._price.vat_rate is None else int(self._price.vat_rate * 100)
        rates = work.text("vat_rate")
        points = work.constant(stated, pl.Int64)
        if rates is not None:
            rates = pl.select(pl.when(with_vat).then(rates)).to_series()
            values, wrong = self._rates(rates)
            work.refuse(wrong, "vat_rate")
            points = values if stated is None else values.fill_null(stated)
            work.refuse_where(with_vat & rates.is_null() & points.is_null(), "missing-vat-rate", "vat_rate")
        else:
            work.refuse_where(with_vat & points.is_null(), "missing-vat-rate", "vat_rate")
        return pl.select(pl.when(with_vat).then(points).otherwise(0)).to_series()


def _per_base_unit(
    read: Figures, factors: pl.DataFrame, *, per_count: pl.Series, per_base: pl.Series, vat_points: pl.Series
) -> pl.Series:
    """digits / 10**scale · 10**6 · 10**4 / (10**4 + VAT points) · den / (num · count), as one fraction, rounded once.

    10**6 · 10**4 / 10**scale is taken as one power, above or below the line, so that 128 bits always suffice.
    """
    num = pl.select(pl.when(per_base).then(1).otherwise(factors["num"])).to_series()
    den = pl.select(pl.when(per_base).then(1).otherwise(factors["den"])).to_series()
    known = factors["num"].is_not_null()
    above = power_of_ten((10 - read.scale).clip(lower_bound=0))
    below = power_of_ten((read.scale - 10).clip(lower_bound=0))
    parts = pl.DataFrame(
        {
            "numerator": read.digits * above * den.cast(pl.Int128),
            "denominator": below
            * num.cast(pl.Int128)
            * per_count.cast(pl.Int128)
            * (vat_points + 10_000).cast(pl.Int128),
            "known": known,
        }
    )
    return parts.select(pl.when("known").then(half_even("numerator", "denominator"))).to_series()


def _known(words: dict[str, str] | dict[str, bool | None], text: str, code: str) -> str | bool | None:
    if same(text) not in words:
        raise Wrong(code)
    return words[same(text)]


def _per(words: dict[str, str | int], text: str) -> int:
    """For how many units the price is; below 0: for so many base units."""
    meaning: str | int | None = words.get(same(text))
    if meaning is None and re.fullmatch(r"[1-9][0-9]{0,6}(?:[.,]0+)?", text.strip()):
        meaning = int(re.split(r"[.,]", text.strip())[0])
    if meaning is None or (isinstance(meaning, int) and meaning > 10**6):
        raise Wrong("unknown-price-per")
    return {"unit": 1, "base": -1}[meaning] if isinstance(meaning, str) else meaning


def _vat_points(text: str) -> int:
    """A VAT rate in hundredths of a per cent."""
    try:
        rate = Decimal(text.replace(",", ".").strip(" %\u00a0"))
    except InvalidOperation as wrong:
        raise Wrong("not-a-vat-rate") from wrong
    if not is_vat_rate(rate):
        raise Wrong("not-a-vat-rate")
    return int(rate * 100)
