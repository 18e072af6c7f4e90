"""A batch of rows under check: its columns by canonical name, and the faults found in it so far."""

from collections.abc import Mapping

import polars as pl

from connectors.frames import ROW
from pooling.demand import faults

JOIN = "\x1f"  # parts one text from the next where several columns are read as one


class Work:
    """``headers``: canonical name to the file's own header; ``constants``: canonical name to the text of rows without.

    A constant stands for a column that the file has not, and for the blank cells of one that it has.
    """

    def __init__(self, frame: pl.DataFrame, headers: Mapping[str, str], constants: Mapping[str, str]) -> None:
        self.frame = frame
        self._headers = headers
        self._constants = constants
        self.found: list[pl.DataFrame] = []

    def __len__(self) -> int:
        return self.frame.height

    def text(self, name: str) -> pl.Series | None:
        """The texts of a column, a constant's for every row, or None where the file has no such column."""
        stated = self._constants.get(name)
        if name in self.frame.columns:
            texts = self.frame[name]
            return texts if stated is None or not texts.null_count() else texts.fill_null(stated)
        return None if stated is None else self.constant(stated, pl.String)

    def blank(self) -> pl.Series:
        """A column of nothing."""
        return self.constant(None, pl.String)

    def constant(self, value: object, dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
        """The same value in every row."""
        return pl.Series([value], dtype=dtype).new_from_index(0, len(self))

    def refuse(
        self,
        codes: pl.Series | None,
        name: str,
        *,
        shown: pl.Series | None = None,
        detail: pl.Series | None = None,
        place: str | None = None,
    ) -> None:
        """Note a fault for each row with a code; ``shown`` is the cell's text where it is not the column itself.

        ``place`` says where the value stands if that is no column.
        """
        if codes is None or codes.null_count() == len(codes):
            return
        texts = shown if shown is not None else self.text(name)
        columns = {
            "row": self.frame[ROW],
            "value": texts if texts is not None else self.blank(),
            "code": codes,
            "detail": detail if detail is not None else self.constant("", pl.String),
        }
        bad = pl.DataFrame(columns).filter(pl.col("code").is_not_null())
        absent = f"constants.{name}" if name in self._constants else f"(no column {name})"
        header = place or self._headers.get(name, absent)
        self.found.append(faults.frame(bad, column=header, value="value", code="code", detail="detail"))

    def refuse_where(self, mask: pl.Series, code: str, name: str, *, shown: pl.Series | None = None) -> None:
        """Note one and the same fault for each row of the mask (null counts as false)."""
        if mask.any():
            codes = pl.select(pl.when(mask).then(pl.lit(code))).to_series()
            self.refuse(codes, name, shown=shown)

    def faults(self) -> pl.DataFrame:
        """All faults found, in the order of rows, each once."""
        if not self.found:
            return pl.DataFrame(schema=faults.SCHEMA)
        found = pl.concat(self.found).unique(["row", "column", "code"], keep="first", maintain_order=True)
        return found.sort("row", maintain_order=True)


def joined(*texts: pl.Series) -> pl.Series:
    """Columns as one text each row, blank cells as empty."""
    return pl.select(pl.concat_str([pl.lit(each.fill_null("")) for each in texts], separator=JOIN)).to_series()
