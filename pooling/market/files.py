"""Offer files as drafts: CSV, XLSX and TOML come out alike, each value as the text that was written, with its place."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from connectors.errors import ConnectorError
from connectors.files import ColumnPlan, Limits, Preview, headers, open_demand
from connectors.frames import EXTRA
from pooling.errors import BadInput, FileRefused, did_you_mean
from pooling.market.rules import MICRO, Figure, OfferRecord
from pooling.spreadsheets import csv_text

MAX_BYTES = 16 * 1024 * 1024
LIMITS = Limits(
    csv_bytes=MAX_BYTES, xlsx_bytes=MAX_BYTES, inflated_bytes=256 * 1024 * 1024, rows=100_000, cpu_s=30, wall_s=60
)
TABLES = (".csv", ".tsv", ".txt", ".xlsx")
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
FIELDS = OFFER_FIELDS + TIER_FIELDS
DECIMALS = ("co2_saved_kg_per_unit", "co2_low", "co2_high", "price", "price_low", "price_high")
OPTIONAL = ("criteria", "currency", "max_quantity", "total_max_quantity", "term_months", "valid_from", "valid_to")


@dataclass(frozen=True, slots=True)
class Draft:
    """The values of one offer (``OFFER_FIELDS``) or tier (``TIER_FIELDS``); what is blank is ``""``.

    A field that the table has no column for is absent.
    """

    place: str
    values: Mapping[str, str]
    tiers: tuple["Draft", ...] = ()


def read(path: Path) -> tuple[list[Draft], list[str]]:
    """The offers of a file in its order, and what is wrong with the file's form; with faults the drafts are partial.

    Raises BadInput, or FileRefused with the reader's code, where nothing can be read at all.
    """
    kind = path.suffix.lower()
    if kind == ".toml":
        return _read_toml(path)
    if kind in TABLES:
        return _read_table(path)
    raise BadInput(f"{path.name}: {path.suffix!r} is no offer file; give .csv, .xlsx or .toml")


def _read_table(path: Path) -> tuple[list[Draft], list[str]]:
    """A table as the reading of demand delivers it: parsed in a child process under limits, every cell a text."""
    with _refusing(path):
        preview = headers(path, LIMITS)
    twice = _twice(preview.headers)
    columns = {EXTRA + name: name for name in FIELDS if name not in twice}
    plan = ColumnPlan(columns=columns, optional=frozenset(columns), sheet=preview.sheet)
    with _refusing(path, preview), open_demand(path, plan, LIMITS) as file:
        found = [name.removeprefix(EXTRA) for name in file.report.columns]
        texts = file.report.headers
        table = pl.concat(list(file.batches()))
    if not found:
        raise BadInput(f"{path.name}: no row names columns of offers; name them in the first: {', '.join(FIELDS)}")
    drafts, faults = _from_table(table.rename({EXTRA + name: name for name in found}))
    return drafts, _header_faults(texts, twice) + faults


def _twice(texts: Sequence[str]) -> list[str]:
    names = [text.casefold() for text in texts]
    return [name for name in FIELDS if names.count(name) > 1]


def _header_faults(texts: Sequence[str], twice: Sequence[str]) -> list[str]:
    names = {text.casefold(): text for text in texts}
    instead = f"known are {', '.join(FIELDS)}"
    return [
        *(f"column {name}: it is there twice; remove one" for name in twice),
        *(
            f"column {text!r}: unknown; {did_you_mean(text, FIELDS, instead)}"
            for name, text in names.items()
            if name not in FIELDS
        ),
        *(f"column {name}: missing; add it" for name in FIELDS if name not in names and name not in OPTIONAL),
    ]


@contextmanager
def _refusing(path: Path, preview: Preview | None = None) -> Iterator[None]:
    """Every refusal of the reader becomes one of ours."""
    try:
        yield
    except ConnectorError as wrong:
        by_comma = _decimal_comma(preview) if preview is not None and wrong.code == "ragged-row" else None
        raise FileRefused(f"{path.name}: {by_comma or wrong.message}", wrong.code) from wrong


def _decimal_comma(preview: Preview) -> str | None:
    """What to do where a row has too many cells because commas part the table and its decimals alike."""
    rows = [(preview.header_row, preview.headers), *preview.rows]
    names = next((cells for _, cells in rows if {cell.casefold() for cell in cells if cell} & set(FIELDS)), ())
    for row, cells in rows if preview.delimiter == "," else ():
        for name, cell, following in zip(names, cells, cells[1:]):
            number = f"{cell},{following}"
            if len(cells) > len(names) and name in DECIMALS and re.fullmatch(r"-?[0-9]+,[0-9]+", number):
                return (
                    f"row {row}, column {name}: {number!r}: a decimal comma parts the number in two cells;"
                    " write a decimal point"
                )
    return None


def _from_table(table: pl.DataFrame) -> tuple[list[Draft], list[str]]:
    """One row a tier; the offer's own values stand in its first row, and may be repeated or blank in the others."""
    own, per_tier = ([name for name in fields if name in table.columns] for fields in (OFFER_FIELDS, TIER_FIELDS))
    faults: list[str] = []
    offers: dict[str, tuple[str, dict[str, str], list[Draft]]] = {}
    for record in table.iter_rows(named=True):
        place = f"row {record['row']}"
        values = {name: (record[name] or "").strip() for name in (*own, *per_tier)}
        name = values.get("offer", "")
        tier = Draft(place, {field: values[field] for field in per_tier})
        if name not in offers:
            offers[name] = (place, {field: values[field] for field in own}, [tier])
            continue
        first, before, tiers = offers[name]
        tiers.append(tier)
        unlike = [field for field in own if values[field] and values[field] != before[field]]
        faults += [
            f"{place}, {each}: {values[each]!r} differs from {before[each]!r} in {first}; keep one, or leave it blank"
            for each in unlike
        ]
    return [Draft(place, values, tuple(tiers)) for place, values, tiers in offers.values()], faults


def write_csv(records: Iterable[OfferRecord]) -> str:
    """The records as an offer file that `read` and the intake turn into the same records again."""
    rows = []
    for record in records:
        own = _cells(record)
        rows += [(*own, *_figure(tier.from_quantity, 1), *_figure(tier.price, MICRO)) for tier in record.tiers]
    return csv_text(FIELDS, rows)


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


def _read_toml(path: Path) -> tuple[list[Draft], list[str]]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"{path.name}: larger than {MAX_BYTES} bytes; split it")
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"), parse_float=str)
    except OSError as failure:
        raise BadInput(f"{path}: cannot be read ({failure.strerror}); give the path of an offer file") from failure
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
    instead = f"known are {', '.join(known)}"
    faults += [f"{place}, {key}: unknown; {did_you_mean(key, known, instead)}" for key in table if key not in known]
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
