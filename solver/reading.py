"""``pooling.instance/1`` as a document (what JSON holds) to and from an `Instance`."""

from collections.abc import Callable
from dataclasses import MISSING, fields
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
NO_SUCH_FIELD = "remove it: the format has no such field"
MAY_BE_ABSENT = {"fixed", "forbidden", "previous"}
INNER: dict[tuple[type[Any], str], type[Any]] = {
    (Offer, "tiers"): Tier,
    (FixedPool, "lots"): FixedLot,
}
WHOLE = {
    "horizon_months", "term_months", "min_participants", "max_pools_per_quarter", "max_participants_per_pool",
    "max_countries_per_pool", "max_leads", "from_quantity", "max_quantity", "total_max_quantity",
    "quantity", "quantity_low", "quantity_high",
}  # fmt: skip


def read_instance(document: object) -> Instance:
    """Read the document; every fault of every part is named before anything is refused."""
    if not isinstance(document, dict):
        raise InvalidInstance([Fault("", document, "give an object with the fields of pooling.instance/1")])
    faults: list[Fault] = []
    if document.get("schema") != SCHEMA:
        faults.append(Fault("schema", document.get("schema"), f'give "{SCHEMA}"'))
    unknown = sorted(document.keys() - LISTS.keys() - {"schema", "policy"}, key=str)
    faults += (Fault(str(name), document[name], NO_SUCH_FIELD) for name in unknown)
    policy = _part(Policy, document.get("policy"), "policy", faults)
    parts = {name: _list(kind, document.get(name), name, faults) for name, kind in LISTS.items()}
    known = Known.of_documents(document)
    faults.extend(faults_between({"policy": policy, **parts}, known))
    if faults:
        raise InvalidInstance(faults)
    built = {name: tuple(part for _, part in listed) for name, listed in parts.items()}
    instance = object.__new__(Instance)  # every check is done: no second pass over a million lines
    for name, value in {"policy": policy, **built}.items():
        object.__setattr__(instance, name, value)
    return instance


def _list(kind: type[Part], values: object, name: str, faults: list[Fault]) -> list[tuple[str, Part]]:
    """The parts that could be read, each with its path."""
    if values is None and name in MAY_BE_ABSENT:
        return []
    if not isinstance(values, list):
        faults.append(Fault(name, values, "give a list"))
        return []
    read = ((f"{name}[{k}]", _part(kind, value, f"{name}[{k}]", faults)) for k, value in enumerate(values))
    return [(path, part) for path, part in read if part is not None]


def _part(kind: type[Part], document: object, path: str, faults: list[Fault]) -> Part | None:
    if not isinstance(document, dict):
        faults.append(Fault(path, document, "give an object"))
        return None
    before, complete = len(faults), True
    of_kind: type[Any] = kind
    declared = {f.name: f for f in fields(of_kind)}
    faults += (Fault(f"{path}.{name}", document[name], NO_SUCH_FIELD) for name in document if name not in declared)
    values: dict[str, Any] = {}
    for name, declaration in declared.items():
        if name in document:
            known = len(faults)
            values[name] = _value(kind, name, document[name], f"{path}.{name}", faults)
            complete = complete and len(faults) == known
        elif declaration.default is MISSING and declaration.default_factory is MISSING:
            faults.append(Fault(f"{path}.{name}", None, "give this field: it has no default"))
            complete = False
    if not complete:
        return None
    try:
        part = kind(**values)
    except InvalidInstance as refused:
        faults.extend(
            Fault(f"{path}.{fault.path}" if fault.path else path, fault.value, fault.remedy) for fault in refused.faults
        )
        return None
    return part if len(faults) == before else None


def _value(kind: type[Any], name: str, value: object, path: str, faults: list[Fault]) -> object:
    """A field as its part wants it; what cannot be converted goes through as it is and is refused there."""
    inner = INNER.get((kind, name))
    if inner is not None:
        return tuple(part for _, part in _list(inner, value, path, faults))
    if isinstance(value, list):
        return tuple(value)
    if name in WHOLE and isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_WHOLE:
        return int(value)
    return value


def write_instance(instance: Instance) -> dict[str, object]:
    """The document of an instance; fields in the order of the contract, nothing left out."""
    document: dict[str, object] = {"schema": SCHEMA, "policy": _written(instance.policy)}
    for name in LISTS:
        document[name] = [_written(part) for part in getattr(instance, name)]
    return document


def _written(part: Any) -> dict[str, object]:
    writer: Callable[[Any], object] = lambda value: (  # noqa: E731
        [_written(v) if hasattr(v, "__dataclass_fields__") else v for v in value]
        if isinstance(value, tuple)
        else dict(value)
        if isinstance(value, dict)
        else value
    )
    return {declared.name: writer(getattr(part, declared.name)) for declared in fields(part)}
