"""Quotes in CSV: whether they are strict, what lies inside them, and how lenient ones are made strict.

Strict: a quote opens only at the start of a cell, closes only at its end, and is doubled inside. A quote within an
unquoted cell (1/2" tube) is text, as spreadsheets read it; text after a closing quote is refused.
"""

import csv
import io
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from connectors.columns import letter
from connectors.errors import BadData
from connectors.limits import Limits

QUOTE = ord('"')
RECORD_BYTES = 16 << 20  # a record still open after this many bytes is refused: memory stays flat

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def are_strict(bytes_: Bytes, quotes: Places, delimiter: int) -> bool:
    """Whether all ``quotes`` of a text that begins with a record are strict.

    They open and close in turn; a doubled quote inside a cell counts as a close and an open side by side.
    """
    edge = np.zeros(256, dtype=bool)
    edge[[delimiter, *b"\r\n"]] = True
    opening, closing = quotes[::2], quotes[1::2]
    inner = min(len(closing), len(opening) - 1)  # closing quotes that another quote follows
    doubled = closing[:inner] + 1 == opening[1:]
    before = edge[bytes_[np.maximum(opening - 1, 0)]] | (opening == 0)
    before[1:] |= doubled
    after = edge[bytes_[np.minimum(closing + 1, len(bytes_) - 1)]] | (closing == len(bytes_) - 1)
    after[:inner] |= doubled
    return bool(before.all() and after.all())


def inside(bytes_: Bytes) -> Flags:
    """Which bytes lie inside strict quotes, given that the text begins outside."""
    return np.bitwise_xor.accumulate((bytes_ == QUOTE).view(np.uint8)).view(np.bool_)


def cells(record: bytes, delimiter: bytes) -> list[str]:
    """The cells of one strict record; none for a blank line."""
    csv.field_size_limit(RECORD_BYTES)
    return next(_reader(io.StringIO(record.decode("utf-8"), newline=""), delimiter), [])


def rewritten(buffer: bytes, *, delimiter: bytes, row: int, at_end: bool, limits: Limits) -> tuple[bytes, bytes]:
    """The whole records of ``buffer``, which begins with record ``row``, made strict; and the bytes after them.

    Only records that hold a quote are taken apart and written anew, all others are copied.
    """
    source = buffer if at_end else buffer[: max(buffer.rfind(b"\n"), buffer[:-1].rfind(b"\r")) + 1]
    text = source.decode("utf-8")
    lines = io.StringIO(text, newline="")
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=delimiter.decode(), quoting=csv.QUOTE_ALL, lineterminator="\n")
    csv.field_size_limit(limits.cell_chars)
    done = 0
    while (quote := text.find('"', done)) >= 0:
        begin = max(done, text.rfind("\n", done, quote) + 1, text.rfind("\r", done, quote) + 1)
        target.write(text[done:begin])
        lines.seek(begin)
        try:
            writer.writerow(next(_reader(lines, delimiter)))
        except csv.Error as error:
            if "unexpected end of data" in str(error) and not at_end:
                return target.getvalue().encode(), buffer[len(text[:begin].encode()) :]
            raise _refusal(str(error), row + _count(target, delimiter), limits) from error
        done = lines.tell()
    target.write(text[done:])
    return target.getvalue().encode(), buffer[len(source) :]


def open_quote(row: int) -> BadData:
    """The refusal of a quote without its other half."""
    return BadData("bad-quotes", f'row {row}: a cell opens with a quote (") that never closes; close it, or double it')


def too_long(row: int, limits: Limits, column: int | None = None) -> BadData:
    """The refusal of a cell beyond the limit; ``column`` counted from 0."""
    place = f"row {row}" if column is None else f"row {row}, column {letter(column)}"
    return BadData(
        "cell-too-long",
        f"{place}: a cell has more than {limits.cell_chars} characters; shorten it, or close the quote that opens it",
    )


def _reader(lines: io.StringIO, delimiter: bytes) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=delimiter.decode(), strict=True)


def _count(strict: io.StringIO, delimiter: bytes) -> int:
    """How many records a strict text has."""
    strict.seek(0)
    csv.field_size_limit(RECORD_BYTES)
    return sum(1 for _ in _reader(strict, delimiter))


def _refusal(error: str, row: int, limits: Limits) -> BadData:
    if "field limit" in error:
        return too_long(row, limits)
    if "unexpected end of data" in error:
        return open_quote(row)
    return BadData(
        "bad-quotes",
        f'row {row}: text follows the quote (") that closes a cell; write quotes inside a quoted cell twice',
    )
