"""Finding the header row of a table and, under each canonical column, the place it has in the file."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.errors import BadData
from connectors.plan import ColumnPlan

SEARCHED_ROWS = 100

Row = tuple[int, Sequence[str]]  # number as an editor shows it, cells


@dataclass(frozen=True, slots=True)
class Header:
    """The header row: its number and its texts, trimmed; ``""`` where a column has none."""

    row: int
    texts: tuple[str, ...]

    @property
    def named(self) -> tuple[str, ...]:
        """The headers that have text, in file order."""
        return tuple(text for text in self.texts if text)

    @property
    def width(self) -> int:
        """Columns up to the last one that has a header."""
        return max((at + 1 for at, text in enumerate(self.texts) if text), default=0)


@dataclass(frozen=True, slots=True)
class Selection:
    """Where each mapped column stands: canonical name to 0-based column, in the order of the plan."""

    places: dict[str, int]
    unused: tuple[str, ...]


def letter(column: int) -> str:
    """The name a spreadsheet gives the 0-based column: A, B, ..., Z, AA."""
    name = ""
    while column >= 0:
        name = chr(ord("A") + column % 26) + name
        column = column // 26 - 1
    return name


def same(text: str) -> str:
    """The form in which headers are compared: composed, one blank between words, without case."""
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()


def wanted(plan: ColumnPlan) -> frozenset[str]:
    """All headers the plan knows, as ``same`` forms."""
    return frozenset(same(header) for name in plan.columns for header in plan.headers_of(name))


def score(cells: Sequence[str], headers: frozenset[str]) -> int:
    """How many different wanted headers a row holds."""
    return len(headers & {same(cell) for cell in cells})


def find_header(rows: Sequence[Row], *, plan: ColumnPlan | None, header_row: int | None = None) -> Header:
    """The header among the first rows of a table: the stated one, else the one with most mapped headers.

    Without a plan, or where no row holds any mapped header, it is the first row about as full as the fullest.
    """
    rows = [row for row in rows if any(cell.strip() for cell in row[1])]
    if header_row is not None:
        found = next((row for row in rows if row[0] == header_row), None)
        if found is None:
            raise BadData("no-header", f"row {header_row} has no text, but header_row = {header_row} was stated")
        return _header(found)
    if not rows:
        raise BadData("empty-file", "the table has no cell with text; send a file with a header row and rows below")
    headers = wanted(plan) if plan else frozenset()
    best = max(rows, key=lambda row: score(row[1], headers))
    return _header(best if score(best[1], headers) else _fullest(rows))


def _fullest(rows: Sequence[Row]) -> Row:
    filled = [sum(1 for cell in cells if cell.strip()) for _, cells in rows]
    return next(row for row, count in zip(rows, filled) if count >= 0.7 * max(filled))


def _header(row: Row) -> Header:
    return Header(row=row[0], texts=tuple(" ".join(cell.split()) for cell in row[1]))


def select(header: Header, plan: ColumnPlan) -> Selection:
    """The plan's columns in this header. Raises ``BadData`` on a header that is missing or stands twice."""
    at: dict[str, list[int]] = {}
    for column, text in enumerate(header.texts):
        if text:
            at.setdefault(same(text), []).append(column)
    places: dict[str, int] = {}
    for name in plan.columns:
        found = next((text for text in plan.headers_of(name) if same(text) in at), None)
        if found is None:
            if name not in plan.optional:
                raise _missing(name, header=header, plan=plan)
            continue
        columns = at[same(found)]
        if len(columns) > 1:
            raise BadData(
                "duplicate-header",
                f"row {header.row}: header {header.texts[columns[0]]!r} stands on columns"
                f" {' and '.join(letter(column) for column in columns)}; rename one, or map another header",
            )
        places[name] = columns[0]
    used = set(places.values())
    unused = tuple(text for column, text in enumerate(header.texts) if text and column not in used)
    return Selection(places=places, unused=unused)


def _missing(name: str, *, header: Header, plan: ColumnPlan) -> BadData:
    looked_for = " or ".join(repr(text) for text in plan.headers_of(name))
    return BadData(
        "missing-column",
        f"row {header.row}: no header {looked_for} for column {name!r};"
        f" the headers are {', '.join(repr(text) for text in header.named)};"
        " correct the mapping, or state header_row if another row holds the headers",
    )
