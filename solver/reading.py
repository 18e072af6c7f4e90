"""``pooling.instance/1`` as a document (what JSON holds) to and from an `Instance`."""

import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import MISSING, Field, fields, replace
from typing import Any, TypeVar

from solver.checks import LARGEST_WHOLE
from solver.errors import Fault, InvalidInstance
from solver.instance import (
    SCHEMA,
    Category,
    FixedLot,
    FixedPool,
    Forbidden,
    Instance,
    Line,
    Offer,
    Participant,
    Policy,
    Previous,
    Tier,
)
from solver.references import Known, faults_between

Part = TypeVar("Part")

LISTS: dict[str, type[Any]] = {
    "participants": Participant,
    "categories": Category,
    "offers": Offer,
    "lines": Line,
    "fixed": FixedPool,
    "forbidden": Forbidden,
    "previous": Previous,
}
STEP = re.compile(r"\[([0-9]{1,9})\]|([^.\[\]]+)")
"""Of a path: the place in a list, or a name."""
NO_SUCH_FIELD = "remove it: the format has no such field"
MAY_BE_ABSENT = {"fixed", "forbidden", "previous"}
INNER: dict[tuple[type[Any], str], type[Any]] = {
    (Offer, "tiers"): Tier,
    (FixedPool, "lots"): FixedLot,
}
KINDS: tuple[type[Any], ...] = (Policy, *LISTS.values(), *INNER.values())
DECLARED: dict[type[Any], dict[str, Field[Any]]] = {kind: {f.name: f for f in fields(kind)} for kind in KINDS}
WHOLE = {
    "horizon_months", "term_months", "min_participants", "max_pools_per_quarter", "max_participants_per_pool",
    "max_countries_per_pool", "max_leads", "from_quantity", "max_quantity", "total_max_quantity",
    "quantity", "quantity_low", "quantity_high",
}  # fmt: skip


def read_instance(document: object) -> Instance:
    """Read the document; every fault of every part is named, in the order of the format, before it is refused."""
    if not isinstance(document, dict):
        raise InvalidInstance([Fault("", document, "give an object with the fields of pooling.instance/1")])
    faults: list[Fault] = []
    if document.get("schema") != SCHEMA:
        faults.append(Fault("schema", document.get("schema"), f'give "{SCHEMA}"'))
    unknown = sorted(document.keys() - LISTS.keys() - {"schema", "policy"}, key=str)
    faults += (Fault(str(name), document[name], NO_SUCH_FIELD) for name in unknown)
    policy = _part(Policy, document.get("policy"), "policy", faults)
    parts: dict[str, list[tuple[str, Any]]] = {}
    for name, kind in LISTS.items():
        listed = [] if name in MAY_BE_ABSENT and document.get(name) is None else document.get(name)
        read = _list(kind, listed, name, faults)
        parts[name] = [(f"{name}[{k}]", part) for k, part in enumerate(read) if part is not None]
    known = Known.of_documents(document)
    faults.extend(faults_between(parts, known))
    if faults:
        raise InvalidInstance(sorted(faults, key=lambda fault: _position(fault.path)))
    built = {name: tuple(part for _, part in listed) for name, listed in parts.items()}
    instance = object.__new__(Instance)  # every check is done: no second pass over a million lines
    for name, value in {"policy": policy, **built}.items():
        object.__setattr__(instance, name, value)
    return instance


def read_part(kind: type[Part], document: Mapping[str, object], path: str) -> Part:
    """One part of an instance by itself; raises `InvalidInstance` with every fault, their paths below ``path``."""
    faults: list[Fault] = []
    part = _part(kind, dict(document), path, faults)
    if faults or part is None:
        raise InvalidInstance(faults)
    return part


def _list(kind: type[Part], values: object, path: str, faults: list[Fault]) -> list[Part | None]:
    """The parts; None for what is no object."""
    if not isinstance(values, list):
        faults.append(Fault(path, values, "give a list"))
        return []
    return [_part(kind, value, f"{path}[{k}]", faults) for k, value in enumerate(values)]


def _part(kind: type[Part], document: object, path: str, faults: list[Fault]) -> Part | None:
    """The part; where it has faults, with its fields as they are given, so that other rules can look at them too."""
    if not isinstance(document, dict):
        faults.append(Fault(path, document, "give an object"))
        return None
    found: list[Fault] = []
    declared = DECLARED[kind]
    found += (Fault(f"{path}.{name}", document[name], NO_SUCH_FIELD) for name in document if name not in declared)
    values: dict[str, Any] = {}
    for name, declaration in declared.items():
        if name in document:
            values[name] = _value(kind, name, document[name], f"{path}.{name}", found)
        elif declaration.default is MISSING and declaration.default_factory is MISSING:
            found.append(Fault(f"{path}.{name}", None, "give this field: it has no default"))
    if not found:
        with suppress(InvalidInstance):  # what it refuses is told below
            return kind(**values)
    part = _as_given(kind, values)
    faults += (*found, *_own_faults(part, path, {fault.path for fault in found}))
    return part


def _as_given(kind: type[Part], values: Mapping[str, object]) -> Part:
    """A part that nothing has checked; fields without a value or default are None."""
    part = object.__new__(kind)
    for name, declaration in DECLARED[kind].items():
        default = None if declaration.default is MISSING else declaration.default
        if declaration.default_factory is not MISSING:
            default = declaration.default_factory()
        object.__setattr__(part, name, values.get(name, default))
    return part


def _own_faults(part: Any, path: str, told: Collection[str]) -> list[Fault]:
    """What the part refuses in itself, save in places that are told already."""
    try:
        part.__post_init__()
    except InvalidInstance as refused:
        placed = (replace(fault, path=f"{path}.{fault.path}" if fault.path else path) for fault in refused.faults)
        return [fault for fault in placed if fault.path not in told]
    return []


def _position(path: str) -> tuple[int, ...]:
    """Where a path stands in the format, by list, entry and field; lists that it does not have come first."""
    (_, name), *rest = STEP.findall(path) or [("", "")]
    sections = ("policy", *LISTS)
    kind = Policy if name == "policy" else LISTS.get(name)
    found = [sections.index(name) if name in sections else -1]
    for entry, step in rest:
        if entry:
            found.append(int(entry))
        elif kind is not None:
            names = [*DECLARED[kind]]
            found.append(names.index(step) if step in names else len(names))
            kind = INNER.get((kind, step))
    return tuple(found)


def _value(kind: type[Any], name: str, value: object, path: str, faults: list[Fault]) -> object:
    """A field as its part wants it; what cannot be converted goes through as it is and is refused there."""
    inner = INNER.get((kind, name))
    if inner is not None:
        return tuple(_list(inner, value, path, faults))
    if isinstance(value, list):
        return tuple(value)
    if name in WHOLE and isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_WHOLE:
        return int(value)
    return value


def write_instance(instance: Instance) -> dict[str, object]:
    """The document of an instance; fields in the order of the contract, nothing left out."""
    document: dict[str, object] = {"schema": SCHEMA, "policy": written(instance.policy)}
    for name in LISTS:
        document[name] = [written(part) for part in getattr(instance, name)]
    return document


def written(part: Any) -> dict[str, object]:
    writer: Callable[[Any], object] = lambda value: (  # noqa: E731
        [written(v) if hasattr(v, "__dataclass_fields__") else v for v in value]
        if isinstance(value, tuple)
        else dict(value)
        if isinstance(value, dict)
        else value
    )
    return {declared.name: writer(getattr(part, declared.name)) for declared in fields(part)}
