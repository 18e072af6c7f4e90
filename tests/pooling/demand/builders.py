"""Small reference data, mappings and files for the tests of demand."""

import copy
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
from sqlmodel import Session

from pooling.demand import service
from pooling.demand.checks import Checked, Checker
from pooling.demand.figures import Marks
from pooling.demand.mapping import FileMapping
from pooling.demand.mapping_file import mapping_from_document
from pooling.demand.naming import Reference
from pooling.demand.results import Loaded
from pooling.reference.rules import CategoryRecord, CriterionRecord, ParticipantRecord

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
EAST = date(2027, 1, 1)

DOCUMENT: dict[str, Any] = {
    "name": "test",
    "columns": {
        "participant": "Region",
        "category": "Group",
        "item_name": "Name",
        "quantity": "Quantity",
        "unit": "Unit",
        "unit_price": "Price",
        "earliest_start": "From",
        "latest_start": "To",
    },
    "constants": {"currency": "SEK"},
    "price": {"basis": "ex-vat"},
    "currency": {"day": "2026-10-29"},
    "window": {"rule": "columns", "source": "the test's own words"},
    "uncertainty": {"spread": Decimal("0.1")},
}
ROW = {
    "Region": "SE-M",
    "Group": "Insulin syringes",
    "Name": "syringe",
    "Quantity": "1000",
    "Unit": "st",
    "Price": "1.25",
    "From": "2027-04",
    "To": "2028-03",
}


def document(**changes: Any) -> dict[str, Any]:
    """The base document with whole sections replaced; a section of None is left out."""
    made = copy.deepcopy(DOCUMENT)
    for name, section in changes.items():
        if section is None:
            made.pop(name, None)
        elif isinstance(section, dict) and isinstance(made.get(name), dict):
            made[name] = {key: value for key, value in {**made[name], **section}.items() if value is not None}
        else:
            made[name] = section
    return made


def mapping(**changes: Any) -> FileMapping:
    return mapping_from_document(document(**changes), Path())


def participant(code: str, **changes: Any) -> ParticipantRecord:
    base: dict[str, Any] = {
        "code": code,
        "name": f"Region {code}",
        "country": code[:2],
        "currency": "SEK",
        "contracting_authority": True,
        "may_lead": True,
        "max_leads": None,
        "max_pools_per_quarter": None,
        "signing_body": code,
        "valid_from": None,
        "valid_to": None,
        "successor": None,
        "population": 100_000,
        "population_year": 2024,
        "population_overlaps": False,
        "organisation_id": None,
        "source": "made up",
    }
    return ParticipantRecord(**{**base, **changes})


def category(key: str, name: str, unit: str = "H87", base_unit: str = "H87") -> CategoryRecord:
    return CategoryRecord(
        id=key, family=key, cpv=None, cpv_name=None, emdn=None, name=name, unit=unit, base_unit=base_unit, source="m"
    )


def criterion(code: str) -> CriterionRecord:
    return CriterionRecord(
        code=code,
        name=f"Criterion {code}",
        framework="f",
        level=None,
        eforms_list="gpp-criteria",
        eforms_code="other",
        proof="p",
        source="s",
    )


REFERENCE = Reference(
    participants={
        "SE-M": participant("SE-M", name="Region Skåne"),
        "SE-H": participant("SE-H", name="Region Kalmar län"),
        "DK-84": participant("DK-84", name="Region Hovedstaden", valid_to=EAST, successor="DK-OST"),
        "DK-85": participant("DK-85", name="Region Sjælland", valid_to=EAST, successor="DK-OST"),
        "DK-OST": participant("DK-OST", name="Region Østdanmark", valid_from=EAST),
        "XX": participant("XX", name="Ended", valid_to=EAST),
    },
    categories={
        record.id: record
        for record in (
            category("insulin-syringes", "Insulin syringes"),
            category("nitrile-gloves", "Examination gloves, nitrile"),
            category("surgical-gloves", "Surgical gloves", "PR", "PR"),
            category("hand-sanitiser", "Hand sanitiser", "LTR", "MLT"),
            category("procedure-packs", "Procedure packs", "SET", "SET"),
        )
    },
    criteria={code: criterion(code) for code in ("basic", "advanced", "pvc-free")},
    implications={"advanced": frozenset({"basic"})},
)


def checker(chosen: FileMapping, marks: Marks | None = None) -> Checker:
    return Checker(
        chosen,
        REFERENCE,
        marks=marks or Marks(".", None),
        headers={name: headers[0] for name, headers in chosen.columns.items()},
        received_on=NOW.date(),
    )


def batch(chosen: FileMapping, *rows: dict[str, str | None]) -> pl.DataFrame:
    """Rows (changes of ROW by header) as the reader delivers them, from row 2 on."""
    full = [{**ROW, **row} for row in rows]
    columns = {name: [row.get(headers[0]) for row in full] for name, headers in chosen.columns.items()}
    columns |= {f"extra:{header}": [row.get(header) for row in full] for header in chosen.extra_headers()}
    numbers = pl.Series("row", range(2, len(full) + 2), dtype=pl.UInt32)
    return pl.DataFrame({"row": numbers, **columns}, schema_overrides=dict.fromkeys(columns, pl.String))


def check(chosen: FileMapping, *rows: dict[str, str | None], marks: Marks | None = None) -> Checked:
    return checker(chosen, marks).check(batch(chosen, *rows))


def codes(found: Checked) -> list[tuple[int, str, str]]:
    """Row, column and code of each fault."""
    return [(row, column, code) for row, column, code in found.faults.select("row", "column", "code").iter_rows()]


def write_csv(path: Path, *rows: dict[str, str | None], headers: tuple[str, ...] = tuple(ROW)) -> Path:
    full = [{**ROW, **row} for row in rows]
    lines = [";".join(headers), *(";".join(row.get(header) or "" for header in headers) for row in full)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def load(session: Session, path: Path, chosen: FileMapping, **changes: Any) -> Loaded:
    given: dict[str, Any] = {"series": None, "partial": False, "received_at": NOW, **changes}
    return service.load(session, path, chosen, **given)
