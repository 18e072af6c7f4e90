"""What can be wrong with a row: one code each, with what is wrong and what to do in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

CODES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "missing": ("the cell is blank", "fill it in, or state in the mapping what blank cells mean ([constants])"),
        "missing-figure": ("the figure is blank", "fill it in, or skip such rows in the mapping ([[skip]])"),
        "not-a-number": (
            "not a number as this file writes them",
            "write digits with one decimal mark; thousands in groups of three",
        ),
        "exponent": ("written with an exponent", "write the number out in digits"),
        "not-finite": ("not a number that can be counted with", "give the figure itself"),
        "negative": ("negative", "send demand, not returns or credits, or skip such rows in the mapping ([[skip]])"),
        "not-positive": ("zero", "give a figure above 0, or leave the row out"),
        "too-large": ("larger than any demand can be", "correct the figure or its unit"),
        "too-many-decimals": ("more decimals than are kept exactly", "round it where it comes from"),
        "not-whole": ("not a whole number of base units", "correct the quantity, the unit or the pack size"),
        "not-a-pack-size": ("not a pack size", "give how many one pack holds, 1 or more, in digits"),
        "not-a-date": (
            "not a day as this file may write them",
            "write 2027-03-31, or add the format to the mapping ([dates] formats)",
        ),
        "two-digit-year": (
            "the year has two digits",
            "write four, or add the format and its century to the mapping ([dates] formats, century)",
        ),
        "not-a-month": (
            "neither a month nor a day",
            "write 2027-03 or 2027-03-31, or add the format to the mapping ([dates] formats)",
        ),
        "not-months": ("not a number of months", "give whole months, 0 to 240"),
        "window-reversed": ("the earliest start is after the latest", "correct one of the two"),
        "missing-price-basis": (
            "not said whether the price is with VAT",
            "fill it in, or state it in the mapping ([price] basis)",
        ),
        "unknown-price-basis": (
            "no price basis we know",
            "explain the word in the mapping: ex-vat or inc-vat ([price] words)",
        ),
        "missing-vat-rate": (
            "a price with VAT without the rate",
            "give the rate in per cent, or state it in the mapping ([price] vat_rate)",
        ),
        "not-a-vat-rate": ("not a VAT rate", "give per cent with at most two decimals, such as 25 or 25,5"),
        "unknown-price-per": (
            "not known what the price is for",
            "explain the word in the mapping: unit, base or a number ([price] per_words)",
        ),
        "unknown-delivered": (
            "neither yes nor no",
            "leave the cell blank, or explain the word in the mapping: true or false ([price] delivered_words)",
        ),
        "unknown-depth": (
            "not known how deep that is",
            "write dialogue, criteria, framework or joint, or explain the word in the mapping ([depth] words)",
        ),
        "unknown-participant": (
            "no participant by this name",
            "correct it, or add the name to the mapping ([participants] words)",
        ),
        "ambiguous-participant": (
            "several participants go by this name",
            "write the code, or say in the mapping which one the name means ([participants] words)",
        ),
        "not-yours": (
            "you do not act for this participant",
            "leave the row to those who do, or ask an administrator to be named for the participant",
        ),
        "no-participant-then": ("the participant has no demand then", "correct the participant or the window"),
        "unknown-currency": (
            "no currency that has an ECB rate",
            "correct it, or say in the mapping which currency the word means ([currency] words)",
        ),
        "no-exchange-rate": (
            "no ECB rate on or shortly before this price date",
            "state a price date that has one, in a column or in the mapping ([currency] day), or give the price in EUR",
        ),
        "low-above-quantity": ("the low estimate is above the quantity", "correct one of the two"),
        "high-below-quantity": ("the high estimate is below the quantity", "correct one of the two"),
        "unknown-criterion": (
            "no criterion by this name",
            "correct it, or add the name to the mapping ([criteria] words)",
        ),
        "ambiguous-category": (
            "several categories go by this name",
            "write the id, or say in the mapping which one the name means ([categories] words)",
        ),
        "ambiguous-criterion": (
            "several criteria go by this name",
            "write the code, or say in the mapping which one the name means ([criteria] words)",
        ),
        "criteria-overlap": ("required and refused at once", "keep the criterion in one of the two"),
        "too-long": ("longer than we keep", "shorten it"),
        "control-character": ("holds a character that cannot be shown", "remove it"),
    }
)

SCHEMA = {
    "row": pl.UInt32,
    "rows": pl.UInt32,
    "column": pl.String,
    "value": pl.String,
    "code": pl.String,
    "detail": pl.String,
}
MAX_VALUE = 120


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong cell: ``row`` as a spreadsheet shows it, ``column`` the file's own header."""

    row: int
    column: str
    value: str
    code: str
    detail: str = ""

    @property
    def what(self) -> str:
        """What is wrong."""
        return CODES[self.code][0] + (f": {self.detail}" if self.detail else "")

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return CODES[self.code][1]

    def __str__(self) -> str:
        return f"row {self.row}, {self.column}, {self.value!r}: {self.what}; {self.remedy}"


def frame(rows: pl.DataFrame, *, column: str, value: str, code: str, detail: str | None = None) -> pl.DataFrame:
    """The faults of ``rows``: ``value`` and ``code`` name columns of theirs, ``column`` is the file's header."""
    count = "rows" if "rows" in rows.columns else None
    return rows.select(
        pl.col("row").cast(pl.UInt32),
        (pl.col(count) if count else pl.lit(1)).cast(pl.UInt32).alias("rows"),
        pl.lit(column).alias("column"),
        pl.col(value).cast(pl.String).fill_null("").str.slice(0, MAX_VALUE).alias("value"),
        pl.col(code).alias("code"),
        (pl.col(detail) if detail else pl.lit("")).alias("detail"),
    )


def listed(found: pl.DataFrame) -> list[Fault]:
    """The faults of a frame, one object each."""
    columns = ("row", "column", "value", "code", "detail")
    return [Fault(*each) for each in found.select(columns).iter_rows()]
