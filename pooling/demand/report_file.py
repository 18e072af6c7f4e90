"""Writes what a load found as a file for whoever sent the data: JSON for programs, XLSX for people."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, BinaryIO

import xlsxwriter

from pooling.demand.faults import Fault
from pooling.demand.results import Loaded
from pooling.demand.template import harmless
from pooling.errors import BadInput

FORMATS = (".json", ".xlsx")
MOST_FAULTS = 10_000
FAULT_COLUMNS = ("row", "column", "value", "code", "what is wrong", "what to do")
WAITING_COLUMNS = ("reason", "value", "rows", "first row", "closest candidates")
FLAG_COLUMNS = ("row", "participant", "category", "kind", "direction", "likely pack factor")


def check_format(path: Path) -> None:
    """Refuse a report's name before the work begins."""
    if path.suffix.lower() not in FORMATS:
        raise BadInput(f"report {path.name!r}: give a name that ends in {' or '.join(FORMATS)}")


def write_report(path: Path, loaded: Loaded) -> None:
    """Write the report in the format of the name's ending."""
    check_format(path)
    if path.suffix.lower() == ".json":
        path.write_text(json.dumps(document(loaded), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    else:
        write_workbook(path, document(loaded))


def document(loaded: Loaded) -> dict[str, Any]:
    """The answer as plain JSON types; every fault with its words."""
    plain = asdict(replace(loaded, faults=(), waiting=(), flags=(), read={}, refused={}, skipped={}))
    plain["submission"] = str(loaded.submission) if loaded.submission else None
    plain["supersedes"] = str(loaded.supersedes) if loaded.supersedes else None
    return {
        **plain,
        "read": dict(loaded.read),
        "refused": dict(loaded.refused),
        "skipped": dict(loaded.skipped),
        "faults": [dict(zip(FAULT_COLUMNS, each)) for each in _faults(loaded.faults)],
        "waiting": [
            {**asdict(each), "candidates": [{"id": key, "name": name} for key, name in each.candidates]}
            for each in loaded.waiting
        ],
        "flags": [asdict(each) for each in loaded.flags],
    }


def _faults(faults: Iterable[Fault]) -> Iterable[tuple[Any, ...]]:
    return ((fault.row, fault.column, fault.value, fault.code, fault.what, fault.remedy) for fault in faults)


def write_workbook(target: Path | BinaryIO, plain: Mapping[str, Any]) -> None:
    """Write a report (see `document`) as a workbook."""
    summary = [(name, value) for name, value in plain.items() if not isinstance(value, list | tuple | dict)]
    summary += [(f"refused: {code}", rows) for code, rows in plain["refused"].items()]
    summary += [(f"skipped: {reason}", rows) for reason, rows in plain["skipped"].items()]
    summary += [(f"taken over: {each['sent_as']} by {each['participant']}", each["lines"]) for each in plain["rehomed"]]
    summary += [("warning", warning) for warning in plain["warnings"]]
    waiting = [
        (*(each[name] for name in ("reason", "value", "rows", "first_row")), _near(each["candidates"]))
        for each in plain["waiting"]
    ]
    place = str(target) if isinstance(target, Path) else target
    with xlsxwriter.Workbook(
        place, {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    ) as book:
        _write_sheet(book, "Summary", ("what", "value"), summary)
        _write_sheet(
            book, "Faults", FAULT_COLUMNS, [[each[name] for name in FAULT_COLUMNS] for each in plain["faults"]]
        )
        _write_sheet(book, "Waiting", WAITING_COLUMNS, waiting)
        _write_sheet(book, "Flags", FLAG_COLUMNS, [list(each.values()) for each in plain["flags"]])


def _near(candidates: Iterable[Mapping[str, str]]) -> str:
    return "; ".join(f"{each['id']} ({each['name']})" for each in candidates)


def _write_sheet(book: Any, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    sheet = book.add_worksheet(name)
    bold = book.add_format({"bold": True, "bottom": 1})
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(columns) - 1, 24)
    for at, column in enumerate(columns):
        sheet.write_string(0, at, column, bold)
    for number, row in enumerate(rows, start=1):
        for at, value in enumerate(row):
            if isinstance(value, int) and not isinstance(value, bool):
                sheet.write_number(number, at, value)
            elif value is not None:
                sheet.write_string(number, at, harmless(str(value)))
