"""Small files to read, and reading them in this process: what the child does, without its start."""

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import xlsxwriter

from connectors import delimited, kinds, reading, spreadsheet
from connectors.errors import ConnectorError
from connectors.limits import Limits
from connectors.plan import ColumnPlan, ReadReport

PLAN = ColumnPlan(columns={"item_name": "Navn", "quantity": "Antal", "unit_price": "Pris"})


def read_table(
    path: Path,
    plan: ColumnPlan = PLAN,
    limits: Limits = Limits(),  # noqa: B008
) -> tuple[ReadReport, pl.DataFrame]:
    """The report and all rows."""
    folder = path.parent / f"{path.name}.parts"
    folder.mkdir(exist_ok=True)
    with reading._opened(path) as source:
        reader = spreadsheet.read if source.kind(limits) == kinds.XLSX else delimited.read
        report, *frames = reader(source.file, folder=folder, plan=plan, limits=limits)
    assert isinstance(report, ReadReport)
    return report, pl.concat(frames)


def csv_file(folder: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / "demand.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def read_csv(folder: Path, content: str | bytes, plan: ColumnPlan = PLAN, limits: Limits = Limits()):  # noqa: B008
    return read_table(csv_file(folder, content), plan, limits)


def workbook(folder: Path, sheets: dict[str, Sequence[Sequence[object]]], name: str = "demand.xlsx") -> Path:
    """A workbook whose cells hold the given values."""
    path = folder / name
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
        for title, rows in sheets.items():
            sheet = book.add_worksheet(title)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    return path


def sheet_xml(cells: str) -> str:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<?xml version="1.0"?><worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>'


def patched(path: Path, parts: dict[str, str | bytes], name: str = "patched.xlsx") -> Path:
    """A copy of a workbook with some parts replaced or added."""
    target = path.parent / name
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for entry in source.namelist():
            copy.writestr(entry, parts.get(entry, source.read(entry)))
        for entry in parts.keys() - set(source.namelist()):
            copy.writestr(entry, parts[entry])
    return target


def raw_sheet(folder: Path, cells: str) -> Path:
    """A workbook whose one sheet has just these rows, as XML."""
    path = workbook(folder, {"Data": [["x"]]}, name="plain.xlsx")
    return patched(path, {"xl/worksheets/sheet1.xml": sheet_xml(cells)})


def refusal(call, *arguments, **named) -> ConnectorError:
    """The refusal a call ends with."""
    try:
        call(*arguments, **named)
    except ConnectorError as error:
        return error
    raise AssertionError("nothing was refused")


def as_file(content: bytes) -> io.BytesIO:
    return io.BytesIO(content)
