"""What a person should look at in a file's own lines: rows said twice, windows gone by, old prices, new holders.

Nothing here refuses or changes a line. Pure; batches are looked at as they go by.
"""

from datetime import date

import polars as pl

from connectors.frames import ROW
from pooling.demand.days import month_number, month_text
from pooling.demand.results import Rehomed
from pooling.errors import counted

OLD_PRICE_YEARS = 2
MOST_NAMED = 5
PRINT = "print"
NO_PRINTS = pl.DataFrame(schema={ROW: pl.UInt32, PRINT: pl.UInt64})


def prints(batch: pl.DataFrame, loaded: pl.Series) -> pl.DataFrame:
    """The ``loaded`` rows of a batch with a 64-bit print of all their cells, which equal rows have in common.

    Two different rows of a million have the same print with a chance of one in 10**7.
    """
    found = pl.DataFrame({ROW: batch[ROW], PRINT: batch.drop(ROW).hash_rows()})
    return found if len(loaded) == batch.height else found.filter(pl.col(ROW).is_in(loaded.implode()))


class Notices:
    """Collects what stands out in a load; ``received_on`` is the day the file came in."""

    def __init__(self, received_on: date) -> None:
        self._month = month_text(month_number(received_on))
        self._old = received_on.replace(day=1, year=received_on.year - OLD_PRICE_YEARS).isoformat()
        self._prints: list[pl.DataFrame] = []
        self._past: list[pl.DataFrame] = []
        self._priced: list[pl.DataFrame] = []
        self._moved: dict[tuple[str, str], int] = {}

    def add(self, lines: pl.DataFrame, printed: pl.DataFrame) -> None:
        """Look at lines (settle.LINE_COLUMNS) and at the prints of the rows they were made of."""
        self._prints.append(printed)
        if not lines.height:
            return
        self._past.append(lines.filter(pl.col("latest_start") < self._month).select(ROW, "latest_start"))
        self._priced.append(lines.filter(pl.col("exchange_rate_date") < self._old).select(ROW, "exchange_rate_date"))
        moved = lines.filter(pl.col("participant") != pl.col("sent_as"))
        for sent, holder, count in moved.group_by("sent_as", "participant").len().iter_rows():
            self._moved[sent, holder] = self._moved.get((sent, holder), 0) + count

    def rehomed(self) -> tuple[Rehomed, ...]:
        """Whose lines became whose, by code."""
        return tuple(Rehomed(*pair, lines) for pair, lines in sorted(self._moved.items()))

    def warnings(self) -> tuple[str, ...]:
        """A sentence for each kind of thing that stands out."""
        said = (self._repeated(), self._gone_by(), self._long_ago())
        return tuple(each for each in said if each)

    def _repeated(self) -> str:
        rows = pl.concat([NO_PRINTS, *self._prints])
        if rows[PRINT].n_unique() == rows.height:
            return ""
        rows = rows.with_columns(first=pl.col(ROW).min().over(PRINT)).filter(pl.col(ROW) != pl.col("first")).sort(ROW)
        named = [f"row {row} as row {first}" for row, first in rows.select(ROW, "first").head(MOST_NAMED).iter_rows()]
        one = rows.height == 1
        return (
            f"{counted(rows.height, 'row')} {'says' if one else 'say'} the same as an earlier one in every column that"
            f" is read ({_listed(named, rows.height)}): each was loaded; if it is one demand sent twice, take the"
            " repeated rows out, else map a column that tells them apart, such as external_id"
        )

    def _gone_by(self) -> str:
        rows = pl.concat(self._past).sort(ROW) if self._past else pl.DataFrame()
        if not rows.height:
            return ""
        named = [f"row {row}: up to {month}" for row, month in rows.head(MOST_NAMED).iter_rows()]
        return (
            f"{counted(rows.height, 'line')} can start only in months before {self._month}"
            f" ({_listed(named, rows.height)}): no plan from today on can take them; correct their dates if they are"
            " still wanted"
        )

    def _long_ago(self) -> str:
        rows = pl.concat(self._priced).sort("exchange_rate_date", ROW) if self._priced else pl.DataFrame()
        if not rows.height:
            return ""
        named = [f"row {row}: {day}" for row, day in rows.head(MOST_NAMED).iter_rows()]
        return (
            f"{counted(rows.height, 'line')} {'has a price' if rows.height == 1 else 'have prices'} of more than"
            f" {OLD_PRICE_YEARS} years ago ({_listed(named, rows.height)}): savings are reckoned against them;"
            " correct the price date, or ask for the price of today"
        )


def _listed(named: list[str], count: int) -> str:
    return ", ".join(named) + (" and others" if count > len(named) else "")
