"""Offer files as drafts: CSV, XLSX and TOML come out alike, each value as the text that was written, with its place."""

import re
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import fastexcel
import polars as pl

from pooling.errors import BadInput
from pooling.market.rules import MICRO, Figure, OfferRecord
from pooling.spreadsheets import csv_text

MAX_BYTES = 16 * 1024 * 1024
MAX_INFLATED = 256 * 1024 * 1024
OFFER_FIELDS = (
    "offer",
    "category",
    "name",
    "criteria",
    "price_basis",
    "currency",
    "co2_saved_kg_per_unit",
    "co2_low",
    "co2_high",
    "co2_source",
    "co2_source_date",
    "max_quantity",
    "total_max_quantity",
    "term_months",
    "valid_from",
    "valid_to",
)
TIER_FIELDS = (
    "from_quantity",
    "from_quantity_low",
    "from_quantity_high",
    "quantity_source",
    "quantity_source_date",
    "price",
    "price_low",
    "price_high",
    "price_source",
    "price_source_date",
)
OPTIONAL = ("criteria", "currency", "max_quantity", "total_max_quantity", "term_months", "valid_from", "valid_to")


@dataclass(frozen=True, slots=True)
class Draft:
    """The values of one offer (``OFFER_FIELDS``) or tier (``TIER_FIELDS``); what is blank or left out is ``""``."""

    place: str
    values: Mapping[str, str]
    tiers: tuple["Draft", ...] = ()


def read(path: Path) -> tuple[list[Draft], list[str]]:
    """The offers of a file in its order, and what is wrong with the file's form; with faults the drafts are partial.

    Raises BadInput where nothing can be read at all.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"{path.name}: larger than {MAX_BYTES} bytes; split it")
        readers = {".csv": _read_csv, ".xlsx": _read_xlsx, ".toml": _read_toml}
        reader = readers.get(path.suffix.lower())
        if reader is None:
            raise BadInput(f"{path.name}: {path.suffix!r} is no offer file; give .csv, .xlsx or .toml")
        return reader(path)
    except OSError as failure:
        raise BadInput(f"{path}: cannot be read ({failure.strerror}); give the path of an offer file") from failure


def _read_csv(path: Path) -> tuple[list[Draft], list[str]]:
    content = path.read_bytes()
    try:
        first_line = content.decode("utf-8-sig").partition("\n")[0]
    except UnicodeDecodeError as failure:
        raise BadInput(f"{path.name}: byte {failure.start} is not UTF-8; save the file as CSV UTF-8") from failure
    if not first_line.strip():
        raise BadInput(f"{path.name}: the first row must name the columns; it is empty")
    separator = max(",;\t", key=first_line.count)
    try:
        table = pl.read_csv(content, has_header=False, infer_schema=False, separator=separator)
    except pl.exceptions.PolarsError as failure:
        said = str(failure).splitlines()[0]
        raise BadInput(f"{path.name}: not a table ({said}); quote cells that hold the separator") from failure
    return _from_table(path, table)


def _read_xlsx(path: Path) -> tuple[list[Draft], list[str]]:
    try:
        with zipfile.ZipFile(path) as parts:
            if sum(part.file_size for part in parts.infolist()) > MAX_INFLATED:
                raise BadInput(f"{path.name}: inflates to more than {MAX_INFLATED} bytes; send the offers alone")
        sheet = fastexcel.read_excel(str(path)).load_sheet(0, header_row=None, dtypes="string")
    except (zipfile.BadZipFile, fastexcel.FastExcelError) as failure:
        raise BadInput(f"{path.name}: not an XLSX workbook ({failure}); save it as .xlsx") from failure
    return _from_table(path, sheet.to_polars())


def _from_table(path: Path, table: pl.DataFrame) -> tuple[list[Draft], list[str]]:
    """One row a tier; the offer's own values stand in its first row, and may be repeated or blank in the others."""
    if table.is_empty():
        raise BadInput(f"{path.name}: the first row must name the columns; it is empty")
    records = [[(cell or "").strip().removeprefix("\ufeff") for cell in row] for row in table.iter_rows()]
    header = [name.lower() for name in records[0]]
    faults = _header_faults(header)
    if faults:
        return [], faults
    offers: dict[str, tuple[str, dict[str, str], list[Draft]]] = {}
    for number, cells in enumerate(records[1:], start=2):
        if not any(cells):
            continue
        place, values = f"row {number}", dict(zip(header, cells, strict=True))
        name = values.get("offer", "")
        tier = Draft(place, {field: values.get(field, "") for field in TIER_FIELDS})
        if name not in offers:
            offers[name] = (place, {field: values.get(field, "") for field in OFFER_FIELDS}, [tier])
            continue
        first, own, tiers = offers[name]
        tiers.append(tier)
        faults += [
            f"{place}, {field}: {values[field]!r} differs from {own[field]!r} in {first}; keep one, or leave it blank"
            for field in OFFER_FIELDS
            if values.get(field) and values[field] != own[field]
        ]
    return [Draft(place, own, tuple(tiers)) for place, own, tiers in offers.values()], faults


def write_csv(records: Iterable[OfferRecord]) -> str:
    """The records as an offer file that `read` and the intake turn into the same records again."""
    rows = []
    for record in records:
        own = _cells(record)
        rows += [(*own, *_figure(tier.from_quantity, 1), *_figure(tier.price, MICRO)) for tier in record.tiers]
    return csv_text((*OFFER_FIELDS, *TIER_FIELDS), rows)


def _cells(record: OfferRecord) -> list[str | int | Decimal | None]:
    limits = (record.max_quantity, record.total_max_quantity, record.term_months)
    days = (day.isoformat() if day else None for day in (record.valid_from, record.valid_to))
    words = (record.id, record.category, record.name, " ".join(record.criteria), record.price_basis, record.currency)
    return [*words, *_figure(record.co2_saved, MICRO), *limits, *days]


def _figure(figure: Figure, parts: int) -> list[str | int | Decimal | None]:
    """Value, low, high, source, date; amounts in millionths are written as exact decimals."""
    amounts = (figure.value, figure.low, figure.high)
    exact = amounts if parts == 1 else [Decimal(amount) / parts for amount in amounts]
    return [*exact, figure.source, figure.source_date.isoformat()]


def _header_faults(header: list[str]) -> list[str]:
    known = OFFER_FIELDS + TIER_FIELDS
    faults = [f"column {name}: it is there twice; remove one" for name in sorted(set(header)) if header.count(name) > 1]
    faults += [f"column {name!r}: unknown; {_instead(name, known)}" for name in header if name not in known]
    return faults + [f"column {name}: missing; add it" for name in known if name not in header and name not in OPTIONAL]


def _instead(name: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"


def _read_toml(path: Path) -> tuple[list[Draft], list[str]]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"), parse_float=str)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as failure:
        raise BadInput(f"{path.name}: not TOML ({failure}); correct it there") from failure
    faults = [f"{key}: unknown; offers stand in [[offers]]" for key in document if key != "offers"]
    drafts = []
    for number, offer in enumerate(_tables(document.get("offers"), "offers", faults), start=1):
        place = f"offers[{number}]"
        tiers = _tables(offer.pop("tiers", None), f"{place}.tiers", faults)
        drafts.append(
            Draft(
                place,
                _texts(offer, place=place, known=OFFER_FIELDS, faults=faults),
                tuple(
                    Draft(at, _texts(tier, place=at, known=TIER_FIELDS, faults=faults))
                    for at, tier in ((f"{place}.tiers[{k}]", tier) for k, tier in enumerate(tiers, start=1))
                ),
            )
        )
    return drafts, faults


def _tables(value: Any, place: str, faults: list[str]) -> list[dict[str, Any]]:
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return value
    faults.append(f"{place}: give at least one table [[{re.sub(r'[0-9]+', '', place).replace('[]', '')}]]")
    return []


def _texts(table: Mapping[str, Any], *, place: str, known: tuple[str, ...], faults: list[str]) -> dict[str, str]:
    faults += [f"{place}, {key}: unknown; {_instead(key, known)}" for key in table if key not in known]
    return {field: _text(table.get(field, ""), f"{place}, {field}", faults) for field in known}


def _text(value: Any, place: str, faults: list[str]) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return " ".join(value)
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | date) and not isinstance(value, bool):
        return str(value)
    faults.append(f"{place}: {value!r}: give a text, number or date")
    return ""
