"""The columns of a frame that no header holds: texts the plan gives every row."""

from dataclasses import dataclass

import polars as pl

from connectors.frames import NUMERIC
from connectors.numerals import Marks
from connectors.plan import ColumnPlan


@dataclass(frozen=True, slots=True)
class Constants:
    """The constant columns, written as the file writes numbers, and the marks of file and constants together."""

    columns: list[pl.Expr]
    marks: Marks


def with_constants(plan: ColumnPlan, marks: Marks) -> Constants:
    """Constants have a decimal point in the plan; in the frame they get the mark of the file."""
    fraction = any(name in NUMERIC and "." in text for name, text in plan.constants.items())
    decimal = marks.decimal
    if fraction and decimal is None:
        decimal = plan.decimal or next(mark for mark in (".", ",") if mark not in (marks.thousands or ""))
    columns = [
        pl.lit(text.replace(".", decimal or ".") if name in NUMERIC else text, dtype=pl.String).alias(name)
        for name, text in plan.constants.items()
    ]
    return Constants(columns=columns, marks=Marks(decimal=decimal, thousands=marks.thousands))
