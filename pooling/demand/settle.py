"""From checked rows to lines: grouped into years where asked, re-homed to successors, with spread and EUR price."""

from collections.abc import Mapping

import polars as pl

from pooling.demand import faults
from pooling.demand.days import Wrong, first_day, month_text
from pooling.demand.distinct import ByDistinct
from pooling.demand.exact import half_even
from pooling.demand.figures import MAX_HIGH, MAX_QUANTITY, MAX_SPEND_MICRO
from pooling.demand.mapping import FileMapping
from pooling.demand.sections import Group
from pooling.demand.timing import MICRO
from pooling.demand.work import JOIN, joined
from pooling.errors import BadInput
from pooling.reference.rules import ParticipantRecord, rehome

LINE_COLUMNS = (
    "row",
    "rows",
    "participant",
    "sent_as",
    "category",
    "item_code",
    "quantity",
    "quantity_low",
    "quantity_high",
    "unit_price_micro",
    "currency",
    "unit_price_eur_micro",
    "exchange_rate_micro",
    "exchange_rate_date",
    "earliest_start",
    "latest_start",
    "window_source",
    "required",
    "refused",
    "delivered",
    "depth",
    "original_quantity",
    "original_unit",
    "original_price",
)


class Grouper:
    """Sums rows that are one line: quantity summed, price weighted by volume, window and rate of the earliest row.

    Rows of different currency, criteria, depth or delivery terms never become one line. The number and the original
    texts of the first row in the file stand for the group, with the count of its rows.
    """

    def __init__(self, group: Group, headers: Mapping[str, str]) -> None:
        self._headers = headers
        self._by = [{"participant": "sent_as"}.get(name, name) for name in group.by]
        self._by += ["currency", "required", "refused", "delivered", "depth"]
        self._keeps_item = "item_code" in group.by
        self._parts: list[pl.DataFrame] = []

    def add(self, rows: pl.DataFrame) -> None:
        """Take a batch of checked rows."""
        rows = rows.with_columns(
            pl.col("quantity", "quantity_low", "quantity_high", "unit_price_micro").cast(pl.Int128),
            rows=pl.lit(1, pl.UInt32),
        ).with_columns(spend=pl.col("quantity") * pl.col("unit_price_micro"))
        self._parts.append(self._merged(rows))
        if sum(part.height for part in self._parts) > 1_000_000:
            self._parts = [self._merged(pl.concat(self._parts))]

    def _merged(self, rows: pl.DataFrame) -> pl.DataFrame:
        rows = rows.sort("earliest", "rate_date", "row")
        first = [name for name in rows.columns if name not in (*self._by, "item_code", "row", *ORIGINALS, *SUMMED)]
        item = pl.col("item_code")
        items = [] if self._keeps_item else [pl.when(item.n_unique() == 1).then(item.first()).alias("item_code")]
        no_low = pl.col("quantity_low", "quantity_high").null_count() > 0
        return rows.group_by(self._by, maintain_order=True).agg(
            pl.col("rows").sum().cast(pl.UInt32),
            pl.col("quantity", "spend").sum(),
            pl.when(~no_low).then(pl.col("quantity_low", "quantity_high").sum()),
            pl.col("row").min(),
            *items,
            pl.col(ORIGINALS).get(pl.col("row").arg_min()),
            *[pl.col(name).first() for name in first],
        )

    def lines(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The lines, one a group, and the faults of groups too large to be one."""
        if not self._parts:
            return pl.DataFrame(), pl.DataFrame(schema=faults.SCHEMA)
        merged = self._merged(pl.concat(self._parts))
        merged = merged.with_columns(unit_price_micro=half_even("spend", "quantity")).drop("spend")
        found = []
        for name, most in (("quantity", MAX_QUANTITY), ("quantity_high", MAX_HIGH)):
            beyond = (pl.col(name) > most).fill_null(value=False)
            too_large = merged.filter(beyond).with_columns(code=pl.lit("too-large"))
            header = self._headers.get(name, self._headers["quantity"])
            found.append(faults.frame(too_large, column=header, value=name, code="code"))
            merged = merged.filter(~beyond)
        merged = merged.sort("row")
        return merged.with_columns(
            pl.col("quantity", "quantity_low", "quantity_high", "unit_price_micro").cast(pl.Int64)
        ), pl.concat(found)


ORIGINALS = ("original_quantity", "original_unit", "original_price")
SUMMED = ("rows", "quantity", "spend", "quantity_low", "quantity_high", "unit_price_micro")


class Settler:
    """The last step to a line: who holds the demand when it starts, the spread where none was given, the EUR price.

    ``headers``: canonical name to the header that its faults are told of.
    """

    def __init__(
        self, mapping: FileMapping, participants: Mapping[str, ParticipantRecord], headers: Mapping[str, str]
    ) -> None:
        spread = mapping.uncertainty.spread
        self._below = int((1 - spread) * 10_000)
        self._above = int((1 + spread) * 10_000)
        self._participants = participants
        self._headers = headers
        self._home = ByDistinct(self._rehome, pl.String)
        self._months = ByDistinct(lambda text: month_text(int(text)), pl.String)

    def _rehome(self, text: str) -> str:
        code, month = text.split(JOIN)
        try:
            return rehome(code, first_day(int(month)), self._participants)
        except BadInput as nobody:
            raise Wrong("no-participant-then", str(nobody)) from nobody

    def settle(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The lines with ``LINE_COLUMNS``, and the faults of rows without a participant at their time or too dear."""
        asked = joined(rows["sent_as"], rows["earliest"].cast(pl.String))
        homes, wrong = self._home(asked)
        found = pl.DataFrame(schema=faults.SCHEMA)
        rows = rows.with_columns(participant=homes)
        if wrong is not None:
            rows = rows.with_columns(code=wrong, detail=self._home.details(asked))
            bad = rows.filter(pl.col("code").is_not_null())
            header = self._headers.get("participant", "constants.participant")
            found = faults.frame(bad, column=header, value="sent_as", code="code", detail="detail")
            rows = rows.filter(pl.col("code").is_null())
        wide = pl.col("quantity").cast(pl.Int128)
        high = (wide * self._above + 9_999) // 10_000
        lines = rows.with_columns(
            quantity_low=pl.col("quantity_low").fill_null((wide * self._below // 10_000).cast(pl.Int64)),
            quantity_high=pl.col("quantity_high").fill_null(high.cast(pl.Int64)),
            micro=pl.col("unit_price_micro").cast(pl.Int128) * MICRO,
            rate=pl.col("rate_micro").cast(pl.Int128),
            earliest_start=self._months(rows["earliest"].cast(pl.String))[0],
            latest_start=self._months(rows["latest"].cast(pl.String))[0],
        ).with_columns(
            unit_price_eur_micro=half_even("micro", "rate").cast(pl.Int64),
            exchange_rate_micro=pl.col("rate_micro"),
            exchange_rate_date=pl.col("rate_date"),
        )
        too_dear = self._too_dear(lines)
        if too_dear.height:
            lines = lines.filter(~pl.col("row").is_in(too_dear["row"].implode()))
            found = pl.concat([found, too_dear])
        return lines.select(LINE_COLUMNS), found

    def _too_dear(self, lines: pl.DataFrame) -> pl.DataFrame:
        """The faults of lines that come to more a year than any demand can."""
        spend = pl.col("quantity").cast(pl.Int128) * pl.col("unit_price_eur_micro")
        most = f"{MAX_SPEND_MICRO // MICRO:,}"
        bad = lines.filter(spend > MAX_SPEND_MICRO).with_columns(
            code=pl.lit("too-large"),
            detail=pl.format("{} base units a year come to more than EUR {} at it", "quantity", pl.lit(most)),
        )
        header = self._headers.get("unit_price", "constants.unit_price")
        return faults.frame(bad, column=header, value="original_price", code="code", detail="detail")
