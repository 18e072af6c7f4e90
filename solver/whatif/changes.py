"""Changes to an instance: made, and read and written as ``pooling.changes/1``.

The kinds themselves are in `solver.whatif.kinds` and `solver.whatif.lines`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from typing import Any

from solver.checks import LARGEST_WHOLE
from solver.errors import Fault, InvalidInstance
from solver.instance import Instance
from solver.reading import NO_SUCH_FIELD, WHOLE
from solver.whatif.kinds import (
    Change,
    ForbiddenAdded,
    ForbiddenDropped,
    OfferChanged,
    ParticipantChanged,
    PolicyChanged,
)
from solver.whatif.lines import (
    CriterionAccepted,
    CriterionRequired,
    LineLeaves,
    ParticipantLeaves,
    VolumeChanged,
    WindowMoved,
)

__all__ = [
    "KINDS",
    "SCHEMA",
    "Change",
    "CriterionAccepted",
    "CriterionRequired",
    "ForbiddenAdded",
    "ForbiddenDropped",
    "LineLeaves",
    "OfferChanged",
    "ParticipantChanged",
    "ParticipantLeaves",
    "PolicyChanged",
    "VolumeChanged",
    "WindowMoved",
    "applied",
    "apply",
    "read_changes",
    "to_document",
    "touched",
]

SCHEMA = "pooling.changes/1"
KINDS: dict[str, type[Any]] = {
    kind.kind: kind
    for kind in (
        ParticipantLeaves,
        LineLeaves,
        ForbiddenAdded,
        ForbiddenDropped,
        CriterionRequired,
        CriterionAccepted,
        VolumeChanged,
        WindowMoved,
        PolicyChanged,
        ParticipantChanged,
        OfferChanged,
    )
}


def apply(instance: Instance, changes: Iterable[Change]) -> Instance:
    """The instance with the changes made one after another; raises `InvalidInstance` naming place, value, remedy."""
    return [instance, *(made for _, made in _steps(instance, changes))][-1]


def touched(instance: Instance, changes: Iterable[Change]) -> frozenset[str]:
    """The families whose lots the changes, made one after another, can touch; raises as `apply` does."""
    return applied(instance, changes)[1]


def applied(instance: Instance, changes: Iterable[Change]) -> tuple[Instance, frozenset[str]]:
    """What `apply` and `touched` give, at once."""
    found = frozenset[str]()
    for change, made in _steps(instance, changes):
        found |= change.families(instance)
        instance = made
    return instance, found


def _steps(instance: Instance, changes: Iterable[Change]) -> Iterator[tuple[Change, Instance]]:
    """Each change with the instance after it; at the end `InvalidInstance` with the faults of all that cannot be made.

    One that cannot be made is passed over, so that the faults of later ones are told too.
    """
    faults: list[Fault] = []
    for k, change in enumerate(changes):
        try:
            instance = change.of(instance)
        except InvalidInstance as refused:
            faults += _placed(refused, f"changes[{k}]")
        else:
            yield change, instance
    if faults:
        raise InvalidInstance(faults)


def _placed(refused: InvalidInstance, place: str) -> list[Fault]:
    return [replace(fault, path=f"{place}.{fault.path}".rstrip(".")) for fault in refused.faults]


def read_changes(document: object) -> tuple[Change, ...]:
    """Read ``pooling.changes/1``: ``{"schema": ..., "changes": [{"kind": ..., the fields of its class}, ...]}``.

    Raises `InvalidInstance` with every fault and its path. Whether names are known shows when the changes are made.
    """
    if not isinstance(document, Mapping):
        raise InvalidInstance([Fault("", document, f"give an object with schema {SCHEMA} and changes")])
    faults = [Fault(str(name), document[name], NO_SUCH_FIELD) for name in document if name not in ("schema", "changes")]
    if document.get("schema") != SCHEMA:
        faults.append(Fault("schema", document.get("schema"), f'give "{SCHEMA}"'))
    rows = document.get("changes")
    changes: list[Change] = []
    if isinstance(rows, list) and rows:
        for k, row in enumerate(rows):
            try:
                changes.append(_read(row))
            except InvalidInstance as refused:
                faults += _placed(refused, f"changes[{k}]")
    else:
        faults.append(Fault("changes", rows, "give a list of at least one change"))
    if faults:
        raise InvalidInstance(faults)
    return tuple(changes)


def _read(row: object) -> Change:
    if not isinstance(row, Mapping):
        raise InvalidInstance([Fault("", row, "give an object with kind and the fields of that kind")])
    kind = KINDS.get(row["kind"]) if isinstance(row.get("kind"), str) else None
    if kind is None:
        raise InvalidInstance([Fault("kind", row.get("kind"), f"give one of {', '.join(KINDS)}")])
    declared = {entry.name: entry for entry in fields(kind)}
    given = {name: _number(name, value) for name, value in row.items() if name != "kind"}
    faults = [Fault(str(name), given[name], NO_SUCH_FIELD) for name in given if name not in declared]
    missing = [name for name, entry in declared.items() if name not in given and entry.default is MISSING]
    faults += [Fault(name, None, "give this field: it has no default") for name in missing]
    try:
        known = {name: value for name, value in given.items() if name in declared}
        change: Change = kind(**{**dict.fromkeys(missing), **known})
    except InvalidInstance as refused:
        faults += [fault for fault in refused.faults if fault.path not in missing]
    if faults:
        raise InvalidInstance(faults)
    return change


def _number(name: object, value: object) -> object:
    """Whole numbers may be written with a point."""
    whole = name in WHOLE or name in ("earliest_months", "latest_months")
    if whole and isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_WHOLE:
        return int(value)
    return value


def to_document(changes: Iterable[Change]) -> dict[str, object]:
    """The changes as ``pooling.changes/1``, ready for JSON; fields that are not given are left out."""
    return {"schema": SCHEMA, "changes": [written(change) for change in changes]}


def written(change: Change) -> dict[str, object]:
    """One change as an object of ``changes``."""
    declared = fields(KINDS[change.kind])
    given = {entry.name: getattr(change, entry.name) for entry in declared}
    absent = {entry.name: entry.default for entry in declared}
    kept = {name: _plain(value) for name, value in given.items() if value != absent[name]}
    return {"kind": change.kind, **kept}


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {entry.name: getattr(value, entry.name) for entry in fields(value)}
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value
