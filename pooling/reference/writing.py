"""Sets one row of reference data as an administrator gives it: through the same checks as the rows of a file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from sqlmodel import Session

from pooling.errors import BadFields
from pooling.reference import columns, records, service
from pooling.reference.organisations import organisation_id
from pooling.reference.rules import SigningBodyRecord
from pooling.reference.tabular import Column, Row, RowsRefused, read_cells

REQUEST = Path("request")
FIELDS = {"year": "population_year", "implies": "implies_directly"}
"""What a column is called in a request where it has another name there."""
IN_ADDRESS = {"code": "code", "id": "key"}
"""Columns that are the row's key: the parameter of the address that holds it."""

Expect = Callable[[int | None], None]
"""Refuses where the writer has not seen the version there is (None: the row is not there)."""


def _row(values: Mapping[str, Any], known: Sequence[Column]) -> Row:
    """A request's values read as a file's cells are: every rule of a column holds here too."""
    names = {field: column for column, field in FIELDS.items()}
    return read_cells({names.get(name, name): _text(value) for name, value in values.items()}, known, REQUEST)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return " ".join(value) if isinstance(value, list | tuple) else str(value)


def _pointing(refused: RowsRefused) -> BadFields:
    """The faults of a row as places in the request: pointers into its body, or the parameter of its address."""
    return BadFields((_place(fault.column), "bad-input", fault.wrong) for fault in refused.faults)


def _place(column: str) -> str:
    return IN_ADDRESS.get(column) or f"#/{FIELDS.get(column, column)}"


def put_participant(session: Session, code: str, values: Mapping[str, Any], *, expect: Expect) -> None:
    """Set participant ``code``; raises BadFields with every fault."""
    service.lock(session)
    expect(service.version(session, "participants", code))
    known, bodies = service.participants(session), frozenset(service.signing_bodies(session))
    try:
        row = _row({**values, "code": code}, columns.PARTICIPANTS)
        (record,) = records.participant_records(REQUEST, [row], known=known, bodies=bodies)
    except RowsRefused as refused:
        raise _pointing(refused) from refused
    record = replace(record, organisation_id=_organisation(values["organisation_id"]))
    service.put(session, "signing-bodies", records.own_bodies([record], bodies))
    service.put(session, "participants", [record])


def _organisation(given: str | None) -> str | None:
    return None if given is None else organisation_id(given)


def put_signing_body(session: Session, code: str, values: Mapping[str, Any], *, expect: Expect) -> None:
    """Set signing body ``code``; raises BadFields with every fault."""
    service.lock(session)
    expect(service.version(session, "signing-bodies", code))
    try:
        row = _row({**values, "code": code}, columns.SIGNING_BODIES)
    except RowsRefused as refused:
        raise _pointing(refused) from refused
    service.put(session, "signing-bodies", [SigningBodyRecord(**row.values)])


def put_category(session: Session, key: str, values: Mapping[str, Any], *, expect: Expect) -> None:
    """Set category ``key``; raises BadFields with every fault.

    A category that demand is counted in keeps its base unit: volumes would change their meaning.
    """
    service.lock(session)
    expect(service.version(session, "categories", key))
    try:
        row = _row({**values, "id": key}, columns.CATEGORIES)
        (record,) = records.category_records(REQUEST, [row], known=service.categories(session))
    except RowsRefused as refused:
        raise _pointing(refused) from refused
    before = service.categories(session).get(key)
    if before is not None and before.base_unit != record.base_unit:
        text = (
            f"volumes of this category are counted in {before.base_unit}; make another category for {record.base_unit}"
        )
        raise BadFields([("#/base_unit", "bad-input", text)])
    service.put(session, "categories", [record])


def put_criterion(session: Session, code: str, values: Mapping[str, Any], *, expect: Expect) -> None:
    """Set criterion ``code`` and what it implies directly; raises BadFields with every fault."""
    service.lock(session)
    expect(service.version(session, "criteria", code))
    known = frozenset({*service.criteria(session), code})
    try:
        row = _row({**values, "code": code}, columns.CRITERIA_WITH_IMPLICATIONS)
        (record,) = records.criterion_records(REQUEST, [row], known=service.criteria(session))
        implied = records.implied_codes(REQUEST, [row], known)
    except RowsRefused as refused:
        raise _pointing(refused) from refused
    service.put(session, "criteria", [record])
    service.put_implications(session, implied)
