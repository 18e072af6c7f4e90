"""Tables for spreadsheet programs: text that such a program would run as a formula is made harmless."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def neutral(cell: object) -> object:
    """Text that starts like a formula gets an apostrophe before it (OWASP, CSV injection); numbers stay numbers."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        return f"'{cell}"
    return cell


def csv_text(header: Sequence[str], rows: Iterable[Sequence[str | int | float | Decimal | None]]) -> str:
    """A CSV with comma, CRLF and quotes where needed (RFC 4180); None is an empty cell, a float is written in full."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([neutral(cell) for cell in row] for row in rows)
    return text.getvalue()
