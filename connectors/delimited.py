"""CSV read in two passes: the first checks the whole file and finds its marks, the second delivers it in batches."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl

from connectors import dialect, kinds
from connectors.columns import SEARCHED_ROWS, Header, Selection, find_header, letter, select
from connectors.constants import Constants, with_constants
from connectors.errors import BadData
from connectors.frames import NUMERIC, ROW
from connectors.limits import Limits
from connectors.numerals import Evidence
from connectors.plan import PREVIEW_CHARS, PREVIEW_ROWS, ColumnPlan, Hints, Preview, ReadReport, encoding_name
from connectors.records import Block, blocks
from connectors.text import Text, as_utf8

_AS_NINES = bytes.maketrans(b"12345678", b"99999999")  # numerals.AS_NINES for bytes


@dataclass(slots=True)
class Delimited:
    """A CSV as UTF-8 text from byte ``start`` of ``file`` on; it can be gone through more than once."""

    file: BinaryIO
    start: int
    delimiter: str
    limits: Limits

    def blocks(self) -> Iterator[Block]:
        """All records of the file."""
        return blocks(self.file, start=self.start, delimiter=self.delimiter, limits=self.limits)

    def header(self, plan: ColumnPlan | None, stated: int | None) -> Header:
        """The header row; ``stated`` is its number where that is known."""
        first = next(self.blocks(), None)
        if first is None:
            raise BadData("empty-file", "the file has no text; send a file with a header row and rows below")
        return find_header(first.head(max(SEARCHED_ROWS, stated or 0)), plan=plan, header_row=stated)

    def data(self, header: Header) -> Iterator[Block]:
        """The records below the header."""
        for block in self.blocks():
            below = block.after(header.row)
            if below.rows:
                yield below


def preview(file: BinaryIO, *, folder: Path, hints: Hints, limits: Limits) -> Preview:
    """What the CSV looks like."""
    with as_utf8(file, folder=folder, encoding=hints.encoding and encoding_name(hints.encoding)) as text:
        delimiter = hints.delimiter or dialect.delimiter(text.source, start=text.start, plan=None)
        table = Delimited(text.source, text.start, delimiter, limits)
        header = table.header(None, hints.header_row)
        first = next(table.data(header), None)
        rows = first.head(PREVIEW_ROWS) if first else []
    return Preview(
        format=kinds.CSV,
        encoding=text.encoding,
        delimiter=delimiter,
        sheet=None,
        sheets=(),
        header_row=header.row,
        headers=header.texts,
        rows=tuple((row, tuple(_shown(cell) for cell in cells)) for row, cells in rows),
    )


def _shown(cell: str) -> str | None:
    return cell[:PREVIEW_CHARS] if cell.strip() else None


def read(file: BinaryIO, *, folder: Path, plan: ColumnPlan, limits: Limits) -> Iterator[ReadReport | pl.DataFrame]:
    """The report first, then the frames. Raises ``BadData``, all of it before the report is out."""
    with as_utf8(file, folder=folder, encoding=plan.encoding) as text:
        delimiter = plan.delimiter or dialect.delimiter(text.source, start=text.start, plan=plan)
        table = Delimited(text.source, text.start, delimiter, limits)
        header = table.header(plan, plan.header_row)
        selection = select(header, plan)
        check = Check(header, selection)
        for block in table.data(header):
            check.see(block)
        check.end()
        constants = with_constants(plan, check.evidence.decide(plan.decimal))
        yield _report(check, text=text, delimiter=delimiter, constants=constants, plan=plan)
        for block in table.data(header):
            yield from _frames(block, selection=selection, constants=constants, limits=limits)


def _report(check: "Check", *, text: Text, delimiter: str, constants: Constants, plan: ColumnPlan) -> ReadReport:
    return ReadReport(
        format=kinds.CSV,
        encoding=text.encoding,
        delimiter=delimiter,
        decimal_mark=constants.marks.decimal,
        thousands_mark=constants.marks.thousands,
        sheet=None,
        header_row=check.header.row,
        headers=check.header.named,
        unused_headers=check.selection.unused,
        columns=(*check.selection.places, *plan.constants),
        rows=check.rows,
        blank_rows=check.blank_rows,
        short_rows=check.short.count,
        first_short_row=check.short.first,
        bytes=text.bytes,
        sha256=text.sha256,
    )


def _frames(block: Block, *, selection: Selection, constants: Constants, limits: Limits) -> Iterator[pl.DataFrame]:
    """The block's rows with text, in even slices of at most ``limits.batch_rows``."""
    cells = block.frame(list(selection.places.values()))
    rows = pl.int_range(block.first_row, block.first_row + block.rows, dtype=pl.UInt32, eager=True).alias(ROW)
    frame = cells.select(
        rows,
        *(_text_or_null(str(column)).alias(name) for name, column in selection.places.items()),
        *constants.columns,
    )
    if block.blank.any():
        frame = frame.filter(pl.Series(~block.blank))
    parts = -(-frame.height // limits.batch_rows)
    yield from frame.iter_slices(-(-frame.height // parts)) if parts else ()


def _text_or_null(column: str) -> pl.Expr:
    return pl.when(pl.col(column).str.strip_chars() != "").then(pl.col(column))


@dataclass(slots=True)
class Check:
    """The first pass: what is wrong anywhere below the header, and what the numeric columns show."""

    header: Header
    selection: Selection
    evidence: Evidence = field(default_factory=Evidence)
    rows: int = 0
    blank_rows: int = 0
    short: "ShortRows" = field(default_factory=lambda: ShortRows())

    def see(self, block: Block) -> None:
        """Check one block; blocks come in order."""
        self.rows += block.rows - int(block.blank.sum())
        self.blank_rows += int(block.blank.sum())
        self.short.see(block, self.header.width)
        widest = int(block.cells.max())
        nameless = [at for at in range(widest) if at >= self.header.width or not self.header.texts[at]]
        numeric = {name: at for name, at in self.selection.places.items() if name in NUMERIC}
        if not nameless and not numeric:
            return
        frame = block.frame([*nameless, *numeric.values()], block.data.translate(_AS_NINES))
        for column in nameless:
            self._refuse_text(frame[str(column)], column=column, block=block)
        for column in numeric.values():
            self._learn(frame[str(column)], column=column, block=block)

    def end(self) -> None:
        """The file has come to its end."""
        self.short.end(self.header.width)
        if not self.rows:
            raise BadData("empty-file", f"no row below the header in row {self.header.row} has text; send rows")

    def _refuse_text(self, cells: pl.Series, *, column: int, block: Block) -> None:
        filled = (cells.str.strip_chars() != "").arg_true()
        if not len(filled):
            return
        at = filled[0]
        row, value = block.first_row + at, block.record(at)[column]
        if column < len(self.header.texts):
            raise BadData(
                "blank-header",
                f"row {row}, column {letter(column)}: {value[:80]!r} stands in a column without a header"
                f" (row {self.header.row}); give the column a header, or empty it",
            )
        raise BadData(
            "ragged-row",
            f"row {row} has {block.cells[at]} cells, the header in row {self.header.row} {self.header.width}:"
            f" {value[:80]!r} in column {letter(column)} is too many; quote cells that contain the delimiter",
        )

    def _learn(self, cells: pl.Series, *, column: int, block: Block) -> None:
        for shape in self.evidence.new(cells.drop_nulls().unique().to_list()):
            at = (cells == shape).arg_true()[0]
            value = block.record(at)[column]
            place = f"row {block.first_row + at}, column {self.header.texts[column]!r}: {value.strip()!r}"
            self.evidence.add(shape, place)


@dataclass(slots=True)
class ShortRows:
    """Rows with fewer cells than headers: some programs leave trailing blanks out, which is fine.

    A run of unequal ones whose cells make up exactly one row is a row cut by an unquoted line break: refused.
    """

    count: int = 0
    first: int | None = None
    _run: list[int] = field(default_factory=list)
    _next_row: int = 0

    def see(self, block: Block, width: int) -> None:
        """Count the block's short rows; blocks come in order. The last run of the file is judged by ``end``."""
        for at in np.flatnonzero((block.cells < width) & ~block.blank):
            row = block.first_row + int(at)
            if row != self._next_row:
                self.end(width)
            self._run.append(int(block.cells[at]))
            self._next_row = row + 1
            self.count += 1
            self.first = self.first or row

    def end(self, width: int) -> None:
        """Judge the run that has come to its end."""
        pieces, self._run = self._run, []
        if len(set(pieces)) > 1 and sum(pieces) == width + len(pieces) - 1:
            first = self._next_row - len(pieces)
            raise BadData(
                "broken-row",
                f"rows {first} to {self._next_row - 1} have {' and '.join(map(str, pieces))} cells, the header has"
                f" {width}: they look like one row with a line break inside a cell; put quotes around that cell",
            )
