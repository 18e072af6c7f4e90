"""From rows of reference files to records, with the faults that only show between rows."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pooling.errors import BadInput
from pooling.reference.columns import BASE_UNITS, EFORMS_CODES
from pooling.reference.rules import (
    CategoryRecord,
    CriterionRecord,
    ParticipantRecord,
    SigningBodyRecord,
    WrongFields,
    rehome,
)
from pooling.reference.tabular import Fault, Row, refuse
from pooling.reference.words import clashes, words_of

NOT_STATED = "not stated"
Named = ParticipantRecord | CategoryRecord | CriterionRecord


def participant_records(
    path: Path,
    rows: Sequence[Row],
    *,
    known: Mapping[str, ParticipantRecord],
    bodies: frozenset[str],
    kept: frozenset[str] = frozenset(),
) -> list[ParticipantRecord]:
    """The participants of a file, those that others point to first; ``known`` and ``bodies`` are stored already.

    A participant keeps its stored organisation id where the file gives none. ``kept``: those that stay as stored
    whatever the file says. Raises RowsRefused with all faults.
    """
    faults: list[Fault] = []
    numbers: dict[str, int] = {}
    records: dict[str, ParticipantRecord] = {}
    for row in rows:
        try:
            record = _participant(row.values, known.get(row.values["code"]))
        except WrongFields as wrong:
            faults.extend(_field_faults(row, wrong))
            continue
        records[record.code] = record
        numbers[record.code] = row.number
    refuse(path, faults)
    together = {**known, **records}
    for record in records.values():
        faults.extend(_link_faults(record, numbers[record.code], together=together, bodies=bodies | records.keys()))
    faults.extend(_word_faults(records, numbers, known=known, kept=kept))
    refuse(path, faults)
    refuse(path, _succession_faults(together, numbers))
    return _targets_first(records)


def _field_faults(row: Row, wrong: WrongFields) -> Iterable[Fault]:
    return [Fault(row.number, name, _shown(row.values[name]), text) for name, text in wrong.faults]


def _shown(value: object) -> str:
    """A value as a cell of the file has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _word_faults(
    records: Mapping[str, Named], numbers: Mapping[str, int], *, known: Mapping[str, Named], kept: frozenset[str]
) -> Iterable[Fault]:
    """The rows that take a word that another one goes by; an organisation id taken twice is a fault of its own."""
    given = {key: record for key, record in records.items() if key not in kept}
    before = {key: words_of(record) for key, record in known.items()}
    words = {**before, **{key: words_of(record) for key, record in given.items()}}
    for each in clashes(given, words, before):
        if each.text != words[each.other].get("organisation_id"):
            yield Fault(numbers[each.key], each.column, each.text, each.wrong)


def _participant(values: Mapping[str, Any], stored: ParticipantRecord | None) -> ParticipantRecord:
    given = dict(values)
    code, authority = given["code"], given["contracting_authority"]
    given["population_year"] = given.pop("year")
    given["may_lead"] = authority if given["may_lead"] is None else given["may_lead"]
    given["signing_body"] = given["signing_body"] or code
    if given["population_overlaps"] is None:
        given["population_overlaps"] = given["population_within"] is not None
    given["organisation_id"] = given["organisation_id"] or (stored.organisation_id if stored else None)
    return ParticipantRecord(**given)


def _link_faults(
    record: ParticipantRecord, number: int, *, together: Mapping[str, ParticipantRecord], bodies: frozenset[str]
) -> Iterable[Fault]:
    """What ``record`` points to exists, and nobody else has its organisation id."""
    for column in ("successor", "population_within"):
        target = getattr(record, column)
        if target is not None and target not in together:
            yield Fault(number, column, target, "no such participant; add its row to this file")
    if record.signing_body not in bodies:
        remedy = "add it with `pooling reference add signing-bodies FILE`"
        yield Fault(number, "signing_body", record.signing_body, f"no such signing body; {remedy}")
    for other in together.values():
        if record.organisation_id and other.organisation_id == record.organisation_id and other.code != record.code:
            wrong = f"is {other.code}'s organisation id; correct one of them"
            yield Fault(number, "organisation_id", record.organisation_id, wrong)
    within = record.population_within
    steps = {record.code}
    while within is not None and within in together:
        if within in steps:
            yield Fault(number, "population_within", within, "bodies contain each other in a circle; break it")
            break
        steps.add(within)
        within = together[within].population_within


def _succession_faults(together: Mapping[str, ParticipantRecord], numbers: Mapping[str, int]) -> list[Fault]:
    """Every successor exists on the day it takes over, and no succession runs in a circle."""
    faults = []
    for record in together.values():
        number = numbers.get(record.code, numbers.get(record.successor or ""))
        if number is None or record.successor is None or record.valid_to is None:
            continue
        try:
            rehome(record.code, record.valid_to, together)
        except BadInput as wrong:
            faults.append(Fault(number, "successor", record.successor, str(wrong)))
    return faults


def _targets_first(records: Mapping[str, ParticipantRecord]) -> list[ParticipantRecord]:
    """In an order in which each row's successor and containing body are stored before it."""
    ordered: dict[str, ParticipantRecord] = {}

    def place(code: str) -> None:
        record = records.get(code)
        if record is None or code in ordered:
            return
        for target in (record.successor, record.population_within):
            if target is not None:
                place(target)
        ordered[code] = record

    for code in records:
        place(code)
    return list(ordered.values())


def own_bodies(records: Iterable[ParticipantRecord], bodies: frozenset[str]) -> list[SigningBodyRecord]:
    """A signing body for each participant that signs for itself and has none in ``bodies`` yet."""
    return [
        SigningBodyRecord(
            code=record.code,
            name=record.name,
            country=record.country,
            law=NOT_STATED,
            language=NOT_STATED,
            complaint_board=NOT_STATED,
            source=record.source,
        )
        for record in records
        if record.signing_body == record.code and record.code not in bodies
    ]


def category_records(
    path: Path, rows: Sequence[Row], *, known: Mapping[str, CategoryRecord], kept: frozenset[str] = frozenset()
) -> list[CategoryRecord]:
    """The categories of a file; without ``base_unit`` a mass pools in grams, a volume in millilitres, others as is.

    ``known`` are stored already, ``kept`` stay as stored. Raises RowsRefused with all faults.
    """
    records = {}
    faults = []
    for row in rows:
        unit = row.values["unit"]
        base_unit = row.values["base_unit"] or BASE_UNITS.get(unit, unit)
        try:
            records[row.values["id"]] = CategoryRecord(**{**row.values, "base_unit": base_unit})
        except BadInput as wrong:
            faults.append(Fault(row.number, "base_unit", base_unit, str(wrong)))
    numbers = {row.values["id"]: row.number for row in rows}
    faults.extend(_word_faults(records, numbers, known=known, kept=kept))
    refuse(path, faults)
    return list(records.values())


def criterion_records(
    path: Path, rows: Sequence[Row], *, known: Mapping[str, CriterionRecord], kept: frozenset[str] = frozenset()
) -> list[CriterionRecord]:
    """The criteria of a file; ``known`` are stored already, ``kept`` stay as stored.

    Raises RowsRefused where a code is not on its eForms list, or a word is another criterion's.
    """
    faults = [
        Fault(row.number, "eforms_code", row.values["eforms_code"], f"not on that list; one of {', '.join(codes)}")
        for row in rows
        if row.values["eforms_code"] not in (codes := EFORMS_CODES[row.values["eforms_list"]])
    ]
    records = {
        row.values["code"]: CriterionRecord(**{name: value for name, value in row.values.items() if name != "implies"})
        for row in rows
    }
    numbers = {row.values["code"]: row.number for row in rows}
    faults.extend(_word_faults(records, numbers, known=known, kept=kept))
    refuse(path, faults)
    return list(records.values())


def implied_codes(path: Path, rows: Sequence[Row], known: frozenset[str]) -> dict[str, dict[str, str]]:
    """What each row's criterion implies, with the source; raises BadInput where one of them is not ``known``."""
    faults = [
        Fault(row.number, "implies", implied, "no such criterion; add its row first")
        for row in rows
        for implied in row.values["implies"] or ()
        if implied not in known or implied == row.values["code"]
    ]
    refuse(path, faults)
    return {row.values["code"]: dict.fromkeys(row.values["implies"] or (), row.values["source"]) for row in rows}
