"""Numbers as regions write them, column-wise and exactly: text to digits and a scale, or a code for what is wrong.

Nothing passes through a float, and nothing is repaired: what does not follow the file's own marks is refused.
"""

import re
from dataclasses import dataclass

import polars as pl

from connectors.numerals import APOSTROPHES, BLANKS

KINDS = (BLANKS, APOSTROPHES)  # marks that look alike stand for each other
MAX_WHOLE_DIGITS = 16
MAX_QUANTITY = 10**12
"""Base units that a line may have a year: a million tonnes, a billion litres, far above what all Nordic countries use
of anything. A thousand such lines together stay within what offers and agreements are counted in (10**15)."""
MAX_HIGH = 2 * MAX_QUANTITY
"""Of a high estimate: no spread takes it above twice the quantity."""
MAX_PRICE_MICRO = 10**15
"""Millionths of currency for a base unit: a billion of the currency. In any currency quoted it is less than 2**53 in
EUR, so exact in a float."""
MAX_SPEND_MICRO = 10**18
"""Millionths of EUR that a line may come to a year: a thousand billion EUR, more than all the Nordic countries buy in
all. It fits a database's whole numbers, and is exact to the cent in a float."""
QUANTITY_DECIMALS = 6
PRICE_DECIMALS = 20
PRICE_WHOLE_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Marks:
    """How the file writes numbers; None: no value of the file shows the mark, so none may have it.

    ``thousands`` holds each mark seen: a file may use several, a number only one.
    """

    decimal: str | None
    thousands: str | None

    def _groupings(self) -> list[str]:
        """A pattern for each kind of thousands mark."""
        kinds = {next((kind for kind in KINDS if mark in kind), mark) for mark in self.thousands or ""}
        return [f"[{re.escape(kind)}]" for kind in sorted(kinds)]

    def pattern(self, *, whole_digits: int, decimals: int) -> str:
        """What a number looks like: at most so many digits before and after the decimal mark."""
        whole = rf"[0-9]{{1,{whole_digits}}}"
        if self.thousands:
            groups = "|".join(rf"(?:{mark}[0-9]{{3}}){{1,{whole_digits // 3}}}" for mark in self._groupings())
            whole = rf"(?:{whole}|[1-9][0-9]{{0,2}}(?:{groups}))"  # no 0 in front: 0.050 is no thousand
        return rf"^{whole}(?:{re.escape(self.decimal)}[0-9]{{1,{decimals}}})?$" if self.decimal else rf"^{whole}$"

    def without_thousands(self, texts: pl.Series) -> pl.Series:
        """The texts with thousands marks taken out."""
        if not self.thousands:
            return texts
        return texts.str.replace_all("|".join(self._groupings()), "")


@dataclass(frozen=True, slots=True)
class Figures:
    """A column of numbers: value = ``digits`` / 10 ** ``scale``, null where blank or wrong; ``codes`` say why."""

    digits: pl.Series
    scale: pl.Series
    codes: pl.Series

    @property
    def all_whole(self) -> bool:
        """Whether no value has decimals."""
        return self.scale.max() in (None, 0)


def read_figures(texts: pl.Series, marks: Marks, *, whole_digits: int, decimals: int) -> Figures:
    """Numbers not below 0 of a text column; blank cells (null) stay null without a code."""
    texts = texts.str.strip_chars()
    good = texts.str.contains(marks.pattern(whole_digits=whole_digits, decimals=decimals))
    codes = pl.Series("codes", [None], dtype=pl.String).new_from_index(0, len(texts))
    if not good.all():
        why = {text: why_not(text, marks, decimals=decimals) for text in texts.filter(~good).unique()}
        codes = texts.replace_strict(list(why), list(why.values()), default=None, return_dtype=pl.String)
        texts = pl.select(pl.when(good).then(texts)).to_series()
    texts = marks.without_thousands(texts)
    scale = pl.Series("scale", [0], dtype=pl.Int8).new_from_index(0, len(texts))
    if marks.decimal:
        at = texts.str.find(marks.decimal, literal=True)
        if at.null_count() < len(at):
            scale = (texts.str.len_bytes().cast(pl.Int64) - 1 - at.cast(pl.Int64)).fill_null(0).cast(pl.Int8)
            texts = texts.str.replace(marks.decimal, "", literal=True)
    return Figures(texts.cast(pl.Int128), scale, codes)


def why_not(text: str, marks: Marks, *, decimals: int) -> str:
    """The code for a text that is no acceptable number."""
    plain = text.strip()
    if plain[:1] in ("-", "−", "–", "(") or plain[-1:] == "-":
        return "negative" if re.search(r"\d", plain) else "not-a-number"
    if re.fullmatch(r"[+-]?[0-9.,\s]+[eE][+-]?[0-9]+", plain):
        return "exponent"
    if re.fullmatch(r"(?i)[+-]?(nan|inf(inity)?|∞|#n/?a|#value!|#div/0!|#ref!|#num!)", plain):
        return "not-finite"
    if re.search(marks.pattern(whole_digits=400, decimals=decimals), plain):
        return "too-large"
    if re.search(marks.pattern(whole_digits=400, decimals=400), plain):
        return "too-many-decimals"
    return "not-a-number"
