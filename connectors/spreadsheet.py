"""XLSX read in one pass: the rows go to frames in the private folder, and from there out once the marks are known."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

import polars as pl

from connectors import kinds
from connectors.cells import NUMBER
from connectors.columns import SEARCHED_ROWS, Header, Selection, find_header, letter, select
from connectors.constants import with_constants
from connectors.errors import BadData
from connectors.frames import NUMERIC, schema
from connectors.limits import Limits
from connectors.numerals import AS_NINES, Evidence, Marks
from connectors.plan import PREVIEW_CHARS, PREVIEW_ROWS, ColumnPlan, Hints, Preview, ReadReport
from connectors.sheet import Cells
from connectors.workbook import Sheet, Workbook

SheetRow = tuple[int, Cells]


def preview(file: BinaryIO, *, hints: Hints, limits: Limits) -> Preview:
    """What the workbook looks like; of several sheets the one stated or the first is shown, and all are named."""
    book = Workbook(file, limits)
    sheets = _filled(book)
    shown = sheets[0] if hints.sheet is None else _chosen(book, hints.sheet)
    first, header = _header(book.rows(shown), plan=None, stated=hints.header_row)
    below = [row for row in first if row[0] > header.row][:PREVIEW_ROWS]
    return Preview(
        format=kinds.XLSX,
        encoding=None,
        delimiter=None,
        sheet=shown.name,
        sheets=tuple(sheet.name for sheet in sheets),
        header_row=header.row,
        headers=header.texts,
        rows=tuple((row, tuple(_shown(cells, len(header.texts)))) for row, cells in below),
    )


def read(file: BinaryIO, *, folder: Path, plan: ColumnPlan, limits: Limits) -> Iterator[ReadReport | pl.DataFrame]:
    """The report first, then the frames. Raises ``BadData``, all of it before the report is out."""
    digest, size = _sha256(file)
    book = Workbook(file, limits)
    sheet = _chosen(book, plan.sheet)
    rows = book.rows(sheet)
    first, header = _header(rows, plan=plan, stated=plan.header_row)
    selection = select(header, plan)
    table = Table(header, selection, limits, folder)
    for row in chain((row for row in first if row[0] > header.row), rows):
        table.see(*row)
    marks = table.end(plan.decimal)
    constants = with_constants(plan, marks)
    yield ReadReport(
        format=kinds.XLSX,
        encoding=None,
        delimiter=None,
        decimal_mark=constants.marks.decimal,
        thousands_mark=marks.thousands,
        sheet=sheet.name,
        header_row=header.row,
        headers=header.named,
        unused_headers=selection.unused,
        columns=(*selection.places, *plan.constants),
        rows=table.rows,
        blank_rows=table.last_row - header.row - table.rows,
        short_rows=0,
        first_short_row=None,
        bytes=size,
        sha256=digest,
    )
    for frame in table.frames(marks.decimal or "."):
        yield frame.with_columns(constants.columns)


def _sha256(file: BinaryIO) -> tuple[str, int]:
    """The hash of the file and its size in bytes."""
    digest = hashlib.sha256()
    while chunk := file.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest(), file.tell()


def _filled(book: Workbook) -> list[Sheet]:
    """The visible sheets that hold any text."""
    sheets = [sheet for sheet in book.sheets if not sheet.hidden and next(book.rows(sheet), None)]
    if not sheets:
        raise BadData("empty-file", "no visible sheet of the workbook has a cell with text; send one that has rows")
    return sheets


def _chosen(book: Workbook, name: str | None) -> Sheet:
    if name is None:
        sheets = _filled(book)
        if len(sheets) > 1:
            raise BadData(
                "which-sheet",
                f"the workbook has {len(sheets)} sheets with content ({_names(sheets)});"
                " state sheet in the mapping, or leave only one",
            )
        return sheets[0]
    exact = [sheet for sheet in book.sheets if sheet.name == name]
    alike = [sheet for sheet in book.sheets if sheet.name.strip().casefold() == name.strip().casefold()]
    found = exact or alike
    if len(found) != 1:
        raise BadData("which-sheet", f"no sheet {name!r} in the workbook; its sheets are {_names(book.sheets)}")
    return found[0]


def _names(sheets: Sequence[Sheet]) -> str:
    return ", ".join(repr(sheet.name) for sheet in sheets)


def _header(rows: Iterator[SheetRow], *, plan: ColumnPlan | None, stated: int | None) -> tuple[list[SheetRow], Header]:
    """The rows read so far, and the header among them."""
    first: list[SheetRow] = []
    for row in islice(rows, max(SEARCHED_ROWS, stated or 0)):
        first.append(row)
        if stated and row[0] >= stated:
            break
    listed = [(row, [cell or "" for cell in _shown(cells, max(cells) + 1)]) for row, cells in first]
    return first, find_header(listed, plan=plan, header_row=stated)


def _shown(cells: Cells, width: int) -> list[str | None]:
    return [cells[at].removeprefix(NUMBER)[:PREVIEW_CHARS] if at in cells else None for at in range(width)]


@dataclass(slots=True)
class Table:
    """The rows below the header: checked, kept in the folder, and what the numeric columns show."""

    header: Header
    selection: Selection
    limits: Limits
    folder: Path
    rows: int = 0
    last_row: int = 0
    evidence: Evidence = field(default_factory=Evidence)
    fractions: bool = False
    _numbers: list[int] = field(default_factory=list)
    _columns: dict[str, list[str | None]] = field(default_factory=dict)
    _named: frozenset[int] = frozenset()
    _kept: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._columns = {name: [] for name in self.selection.places}
        self._named = frozenset(at for at, text in enumerate(self.header.texts) if text)

    def see(self, row: int, cells: Cells) -> None:
        """Check and keep one row; rows come in order."""
        if stray := cells.keys() - self._named:
            self._refuse_stray(row, min(stray), cells)
        if self.rows == self.limits.rows:
            raise BadData("too-many-rows", f"the sheet has more than {self.limits.rows} rows; send it in parts")
        self.rows += 1
        self.last_row = row
        self._numbers.append(row)
        for name, at in self.selection.places.items():
            text = cells.get(at)
            self._columns[name].append(text)
            if text is not None and name in NUMERIC:
                self._learn(text, row=row, at=at)
        if len(self._numbers) == self.limits.batch_rows:
            self._keep()

    def end(self, forced: str | None) -> Marks:
        """The marks in use, once all rows were seen; numeric cells follow what the text cells show."""
        if not self.rows:
            raise BadData("empty-file", f"no row below the header in row {self.header.row} has text; send rows")
        self._keep()
        marks = self.evidence.decide(forced)
        if self.fractions and marks.decimal is None:
            other = next(mark for mark in (".", ",") if mark not in (marks.thousands or ""))
            return Marks(decimal=forced or other, thousands=marks.thousands)
        return marks

    def frames(self, decimal: str) -> Iterator[pl.DataFrame]:
        """The kept rows, their numeric cells written with ``decimal``."""
        for path in self._kept:
            frame = pl.read_ipc(path)
            path.unlink()
            yield frame.with_columns(_written(name, decimal) for name in self.selection.places)

    def _learn(self, text: str, *, row: int, at: int) -> None:
        if text.startswith(NUMBER):
            self.fractions = self.fractions or "." in text
        elif self.evidence.new([text.translate(AS_NINES)]):
            self.evidence.add(text, f"row {row}, column {self.header.texts[at]!r}: {text.strip()!r} (a text cell)")

    def _keep(self) -> None:
        if not self._numbers:
            return
        path = self.folder / f"kept-{len(self._kept)}.arrow"
        columns = {"row": self._numbers, **self._columns}
        pl.DataFrame(columns, schema=schema(self._columns)).write_ipc(path)
        self._kept.append(path)
        self._numbers = []
        self._columns = {name: [] for name in self._columns}

    def _refuse_stray(self, row: int, at: int, cells: Cells) -> None:
        value = cells[at].removeprefix(NUMBER)[:80]
        raise BadData(
            "blank-header" if at < self.header.width else "ragged-row",
            f"row {row}, column {letter(at)}: {value!r} stands in a column without a header"
            f" (row {self.header.row}); give the column a header, or empty it",
        )


def _written(name: str, decimal: str) -> pl.Expr:
    """A column with its numeric cells written as the text cells are."""
    plain = pl.col(name).str.strip_prefix(NUMBER)
    if name not in NUMERIC or decimal == ".":
        return plain
    return (
        pl.when(pl.col(name).str.starts_with(NUMBER))
        .then(plain.str.replace(".", decimal, literal=True))
        .otherwise(plain)
    )
