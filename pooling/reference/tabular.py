"""Reference files (CSV): every cell read by its column's rule, every fault reported with row, column and remedy."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pooling.errors import BadInput, did_you_mean

MAX_BYTES = 16 * 1024 * 1024
DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a reference file.

    ``read`` makes the value of a cell that is not blank, or raises ValueError("what is wrong; what to do").
    A blank cell, or an optional column left out, is None; ``required`` cells may not be blank.
    """

    name: str
    read: Callable[[str], Any]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to correct: ``row`` as a spreadsheet numbers it (1 is the header)."""

    row: int
    column: str
    value: str
    wrong: str

    def __str__(self) -> str:
        return f"row {self.row}, column {self.column}, value {self.value!r}: {self.wrong}"


@dataclass(frozen=True, slots=True)
class Row:
    """A row's values by column; None where blank."""

    number: int
    values: Mapping[str, Any]


class RowsRefused(BadInput):
    """Rows with faults, refused as a whole; ``faults`` are all of them in the order of the rows."""

    def __init__(self, name: str, faults: Sequence[Fault]) -> None:
        self.faults = sorted(faults, key=lambda fault: fault.row)
        lines = [f"{name}: {len(faults)} to correct, nothing was stored"]
        super().__init__("\n  ".join([*lines, *(str(fault) for fault in self.faults)]))


def refuse(path: Path, faults: Sequence[Fault]) -> None:
    """Raise RowsRefused with every fault, if there is any."""
    if faults:
        raise RowsRefused(path.name, faults)


def read_rows(path: Path, columns: Sequence[Column], key: str) -> list[Row]:
    """The rows of ``path``, in order; the header may be in any order, ``key`` names the column without repeats.

    Raises BadInput with all faults of all rows.
    """
    records = _records(path)
    header = [cell.strip() for cell in records[0]]
    refuse(path, _header_faults(header, columns))
    faults: list[Fault] = []
    rows = [
        _row(number, record, header=header, columns=columns, faults=faults)
        for number, record in enumerate(records[1:], start=2)
        if any(cell.strip() for cell in record)
    ]
    first: dict[Any, int] = {}
    for row in rows:
        value = row.values[key]
        if value is not None and first.setdefault(value, row.number) != row.number:
            faults.append(Fault(row.number, key, str(value), f"already in row {first[value]}; keep one of them"))
    refuse(path, faults)
    return rows


def read_cells(cells: Mapping[str, str], columns: Sequence[Column], path: Path) -> Row:
    """One row that no file holds, by column name; ``path`` is what its faults call it. Raises RowsRefused."""
    faults: list[Fault] = []
    row = _row(1, list(cells.values()), header=list(cells), columns=columns, faults=faults)
    refuse(path, faults)
    return row


def _records(path: Path) -> list[list[str]]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"{path.name}: larger than {MAX_BYTES} bytes; split it")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as failure:
        raise BadInput(f"{path}: cannot be read ({failure.strerror}); give the path of a CSV file") from failure
    except UnicodeDecodeError as failure:
        raise BadInput(f"{path.name}: byte {failure.start} is not UTF-8; save the file as CSV UTF-8") from failure
    first_line = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first_line.count)
    try:
        records = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter, strict=True))
    except csv.Error as failure:
        raise BadInput(f"{path.name}: not a table ({failure}); save the file as CSV") from failure
    if not records or not any(cell.strip() for cell in records[0]):
        raise BadInput(f"{path.name}: the first row must name the columns; it is empty")
    return records


def _header_faults(header: list[str], columns: Sequence[Column]) -> list[Fault]:
    names = [column.name for column in columns]
    faults = []
    for name in dict.fromkeys(header):
        if header.count(name) > 1:
            faults.append(Fault(1, name, name, "the column is there twice; remove one"))
        elif name not in names:
            known = f"known columns: {', '.join(names)}"
            faults.append(Fault(1, name, name, f"unknown column; {did_you_mean(name, names, known)}"))
    missing = [column.name for column in columns if column.required and column.name not in header]
    return [*faults, *(Fault(1, name, "", "the column is missing; add it") for name in missing)]


def _row(number: int, record: list[str], *, header: list[str], columns: Sequence[Column], faults: list[Fault]) -> Row:
    if len(record) > len(header) and any(cell.strip() for cell in record[len(header) :]):
        extra = next(cell for cell in record[len(header) :] if cell.strip())
        faults.append(Fault(number, "(none)", extra, "more cells than the header has; quote cells that hold a comma"))
    cells = dict(zip(header, (cell.strip() for cell in record)))
    values: dict[str, Any] = {}
    for column in columns:
        cell = cells.get(column.name, "")
        values[column.name] = None
        if cell:
            try:
                values[column.name] = column.read(cell)
            except ValueError as wrong:
                faults.append(Fault(number, column.name, cell, str(wrong)))
        elif column.required:
            faults.append(Fault(number, column.name, cell, "blank; fill it in"))
    return Row(number, values)
