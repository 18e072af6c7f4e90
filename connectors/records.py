"""CSV text cut into records: where each begins, how many cells it has, which are blank. Checked, not yet parsed.

A record is what a spreadsheet shows as one row: a line end inside quotes does not end it, a blank line is one.
Records are counted from 1 at the top of the file, titles and a ``sep=`` line included.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
import polars as pl

from connectors import quotes
from connectors.errors import BadData
from connectors.limits import Limits
from connectors.quotes import RECORD_BYTES, Bytes, Flags, Places

BLOCK_BYTES = 4 << 20

_LF, _CR = b"\n\r"
_NO_INK = b'\t\n\r "\xa0\xc2\xe2\x80\x87\x89\xaf'  # bytes of blanks, wide ones included, and quotes


@dataclass(frozen=True, slots=True)
class Block:
    """Whole consecutive records in strict form: UTF-8, LF or CRLF, quotes only around cells, doubled inside.

    ``first_row`` is the number of the first; ``starts`` holds the byte where each begins, ``cells`` how many cells it
    has, ``blank`` whether none of them has text.
    """

    data: bytes
    delimiter: bytes
    quoted: bool
    first_row: int
    starts: Places
    cells: Places
    blank: Flags

    @property
    def rows(self) -> int:
        return len(self.starts)

    def after(self, row: int) -> "Block":
        """The block without the records up to ``row``."""
        passed = min(max(0, row + 1 - self.first_row), self.rows)
        if not passed:
            return self
        begin = int(self.starts[passed]) if passed < self.rows else len(self.data)
        return replace(
            self,
            data=self.data[begin:],
            first_row=self.first_row + passed,
            starts=self.starts[passed:] - begin,
            cells=self.cells[passed:],
            blank=self.blank[passed:],
        )

    def record(self, at: int) -> list[str]:
        """The cells of the record with 0-based place ``at`` in the block."""
        end = int(self.starts[at + 1]) if at + 1 < self.rows else len(self.data)
        return quotes.cells(self.data[int(self.starts[at]) : end], self.delimiter)

    def head(self, rows: int) -> list[tuple[int, list[str]]]:
        """The first ``rows`` records with their numbers."""
        return [(self.first_row + at, self.record(at)) for at in range(min(rows, self.rows))]

    def frame(self, columns: list[int], data: bytes | None = None) -> pl.DataFrame:
        """The given 0-based columns as text, a row a record, named "0", "1", ...; what a record lacks is null.

        ``data`` stands in for the block's own bytes and must have the same records.
        """
        width = max([1, *(column + 1 for column in columns), int(self.cells.max(initial=1))])
        blank_line = self.delimiter * (width - 1) + b"\n"  # tells polars the width whatever the first record holds
        frame = pl.read_csv(
            blank_line + (self.data if data is None else data),
            has_header=False,
            schema={str(column): pl.String() for column in range(width)},
            columns=sorted({*columns} or {0}),  # of no column polars would not tell the rows
            separator=self.delimiter.decode(),
            quote_char='"' if self.quoted else None,
            truncate_ragged_lines=True,
        ).slice(1)
        if frame.height != self.rows:
            raise BadData(
                "damaged",
                f"rows {self.first_row} to {self.first_row + self.rows - 1} were cut into {self.rows} records"
                f" but parsed as {frame.height}; save the file as XLSX",
            )
        return frame


def blocks(file: BinaryIO, *, start: int, delimiter: str, limits: Limits) -> Iterator[Block]:
    """The records of the UTF-8 ``file`` from byte ``start``. Raises ``BadData`` naming the row of what is malformed."""
    file.seek(start)
    row = 1
    rest = b""
    at_end = False
    while not at_end:
        chunk = file.read(BLOCK_BYTES)
        at_end = not chunk
        buffer = rest + chunk
        block, rest = _cut(buffer, delimiter=delimiter.encode(), row=row, at_end=at_end, limits=limits)
        if len(rest) > RECORD_BYTES:
            raise BadData(
                "cell-too-long",
                f"row {row + (block.rows if block else 0)} does not end within {RECORD_BYTES} bytes;"
                " a quote opened there may lack its closing quote",
            )
        if block is not None:
            row += block.rows
            if row - 1 > limits.rows:
                raise BadData("too-many-rows", f"the file has more than {limits.rows} rows; send it in parts")
            yield block


def _cut(buffer: bytes, *, delimiter: bytes, row: int, at_end: bool, limits: Limits) -> tuple[Block | None, bytes]:
    """The whole records at the start of ``buffer``, and the bytes after them."""
    if at_end and buffer and not buffer.endswith((b"\n", b"\r")):
        buffer += b"\n"
    bytes_ = np.frombuffer(buffer, dtype=np.uint8)
    found = np.flatnonzero(bytes_ == quotes.QUOTE)
    rest = b""
    if len(found) and not quotes.are_strict(bytes_, found, ord(delimiter)):
        buffer, rest = quotes.rewritten(buffer, delimiter=delimiter, row=row, at_end=at_end, limits=limits)
        bytes_ = np.frombuffer(buffer, dtype=np.uint8)
    inside = quotes.inside(bytes_) if len(found) else None
    if b"\r" in buffer:
        buffer = _with_line_feeds(buffer, inside=inside, at_end=at_end)
    block = _block(buffer, delimiter=delimiter, row=row, inside=inside, limits=limits)
    rest = buffer[len(block.data) if block else 0 :] + rest
    if at_end and rest:
        raise quotes.open_quote(row + (block.rows if block else 0))
    return block, rest


def _with_line_feeds(buffer: bytes, *, inside: Flags | None, at_end: bool) -> bytes:
    """The text with a line feed for each carriage return that ends a line by itself (old Mac files).

    One at the very end of a buffer may be the first half of CRLF: it is left for the next.
    """
    bytes_ = np.frombuffer(buffer, dtype=np.uint8)
    lone = bytes_ == _CR
    lone[:-1] &= bytes_[1:] != _LF
    lone[-1] &= at_end
    if inside is not None:
        lone &= ~inside
    return np.where(lone, np.uint8(_LF), bytes_).tobytes() if lone.any() else buffer


def _block(buffer: bytes, *, delimiter: bytes, row: int, inside: Flags | None, limits: Limits) -> Block | None:
    """The whole records at the start of a strict text; None where it has none."""
    bytes_ = np.frombuffer(buffer, dtype=np.uint8)
    marks = (bytes_ == _LF) | (bytes_ == ord(delimiter))
    if inside is not None:
        marks &= ~inside
    separators = np.flatnonzero(marks)
    closing = np.flatnonzero(bytes_[separators] == _LF)
    if not len(closing):
        return None
    separators = separators[: closing[-1] + 1]
    ends = separators[closing]
    starts = np.concatenate(([0], ends[:-1] + 1))
    block = Block(
        data=buffer[: int(ends[-1]) + 1],
        delimiter=delimiter,
        quoted=inside is not None,
        first_row=row,
        starts=starts,
        cells=np.diff(closing, prepend=-1),
        blank=_blank(bytes_[: ends[-1] + 1], starts=starts, ends=ends, delimiter=delimiter),
    )
    _refuse_wide(block, separators=separators, limits=limits)
    return block


def _blank(bytes_: Bytes, *, starts: Places, ends: Places, delimiter: bytes) -> Flags:
    """Which records hold no text. Few begin with a blank cell: only those are looked at."""
    no_ink = np.zeros(256, dtype=bool)
    no_ink[list(_NO_INK + delimiter)] = True
    blank: Flags = no_ink[bytes_[starts]]
    if blank.any():
        blank &= np.logical_and.reduceat(no_ink[bytes_], starts)
    for at in np.flatnonzero(blank):
        text = bytes_[starts[at] : ends[at]].tobytes().translate(None, delete=delimiter + b'"')
        blank[at] = not text.decode("utf-8").strip()
    return blank


def _refuse_wide(block: Block, *, separators: Places, limits: Limits) -> None:
    """Refuse a record with too many cells or a cell with too many characters."""
    widest = int(block.cells.argmax())
    if block.cells[widest] > limits.columns:
        raise BadData(
            "too-many-columns",
            f"row {block.first_row + widest} has {block.cells[widest]} cells, the limit is {limits.columns};"
            " send only the columns that are needed",
        )
    lengths = np.diff(separators, prepend=-1) - 1
    for place in np.flatnonzero(lengths > limits.cell_chars):
        at = int(np.searchsorted(block.starts, separators[place], side="right")) - 1
        for column, cell in enumerate(block.record(at)):
            if len(cell) > limits.cell_chars:
                raise quotes.too_long(block.first_row + at, limits, column=column)
