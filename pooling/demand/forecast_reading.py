"""Forecasts read as the rows of a file are: checked, with what is wrong at its place in the request."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from sqlmodel import Session

from connectors.frames import ROW
from pooling.demand import faults, loading
from pooling.demand.figures import Marks
from pooling.demand.intake import Intake, Portion
from pooling.demand.mapping import FileMapping
from pooling.demand.mapping_file import MappingDocument
from pooling.demand.pushed import Entry, Fault
from pooling.demand.recognise import from_headers
from pooling.demand.sender import Sender

COLUMNS = (
    *("participant", "category", "item_code", "item_name", "quantity", "quantity_low", "quantity_high", "unit"),
    *("pack_size", "unit_price", "price_per", "currency", "price_basis", "vat_rate", "delivered", "date"),
    *("earliest_start", "latest_start", "window_source", "required", "refused", "depth"),
)
"""What a forecast can say: columns of a demand frame."""
MAPPING = MappingDocument({"base": "headers", "name": "forecasts"}, Path(), b"")
MARKS = Marks(".", None)
WAITS = {
    "unknown-category": "no category by this name or code",
    "unknown-unit": "no unit by this name or code",
    "unknown-pack": "not known how many a pack holds",
    "unit-mismatch": "a unit in which this category is not counted",
}
PLACES = {"unknown-category": "category", "unknown-unit": "unit", "unknown-pack": "pack_size", "unit-mismatch": "unit"}


def checked(
    session: Session,
    wanted: Mapping[int, Entry],
    *,
    given: MappingDocument | None,
    sender: Sender,
    now: datetime,
) -> tuple[Intake, Portion, FileMapping]:
    """The entries through the intake that files go through, under a mapping made of the fields' names."""
    reference = loading.reference_data(session)
    mapping = from_headers(COLUMNS, None, given or MAPPING, reference)
    steps = Intake(
        mapping,
        reference,
        marks=MARKS,
        headers={name: name for name in COLUMNS},
        received_on=now.date(),
        may_send_for=sender.may_send_for,
    )
    cells = {name: [entry.cells.get(name) for entry in wanted.values()] for name in COLUMNS}
    schema = {ROW: pl.UInt32, **dict.fromkeys(COLUMNS, pl.String)}
    (portion,) = steps.portions([pl.DataFrame({ROW: list(wanted), **cells}, schema=schema)])
    return steps, portion, mapping


def row_faults(portion: Portion, steps: Intake) -> Iterable[tuple[int, Fault]]:
    """Number of an entry with what is wrong with it; a word that would wait in a file is a fault here."""
    for each in faults.listed(portion.faults):
        place = each.column if each.column in COLUMNS else ""
        yield each.row, Fault(place, each.code, f"{each.value!r}: {each.what}; {each.remedy}")
    if portion.waiting.height:
        for row, reason, value in portion.waiting.select("row", "reason", "value").iter_rows():
            near = ", ".join(found["id"] for found in steps.checker.candidates(reason, value))
            text = f"{value!r}: {WAITS[reason]}" + (f", closest are {near}" if near else "")
            yield row, Fault(PLACES[reason], reason, f"{text}; correct it, or explain the word in a mapping")


def report_of(entries: Sequence[Entry]) -> dict[str, Any]:
    """How the entries were read, in the words of a file's report."""
    documents = [{"external_id": entry.external_id, **entry.document} for entry in entries]
    content = json.dumps(documents, sort_keys=True, separators=(",", ":")).encode()
    nothing = dict.fromkeys(("delimiter", "thousands_mark", "sheet", "first_short_row"))
    return {
        "format": "json",
        "encoding": "utf-8",
        "decimal_mark": ".",
        "header_row": 0,
        "headers": list(COLUMNS),
        "unused_headers": [],
        "columns": list(COLUMNS),
        "rows": len(entries),
        "blank_rows": 0,
        "short_rows": 0,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        **nothing,
    }
