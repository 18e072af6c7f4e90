"""What must hold between the parts of an instance: known references, nothing named twice, fixed pools that fit."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from solver.errors import Fault
from solver.instance import FixedLot, FixedPool, Instance
from solver.months import is_month

NAMED = ("participants", "categories", "offers", "lines")
"""Lists whose parts have ids."""


@dataclass(frozen=True, slots=True)
class Known:
    """The ids an instance names and its families, also of parts with faults; without the lists that are none."""

    ids: Mapping[str, frozenset[str]]
    families: frozenset[str] | None

    @classmethod
    def of_documents(cls, document: Mapping[str, Any]) -> "Known":
        """From a raw document: a faulty line is known all the same, so that references to it are no second fault."""

        def texts(name: str, field: str) -> frozenset[str]:
            found = (row.get(field) for row in document[name] if isinstance(row, dict))
            return frozenset(value for value in found if isinstance(value, str))

        given = [name for name in NAMED if isinstance(document.get(name), list)]
        families = texts("categories", "family") if "categories" in given else None
        return cls({name: texts(name, "id") for name in given}, families)

    @classmethod
    def of_instance(cls, instance: Instance) -> "Known":
        ids = {name: frozenset(part.id for part in getattr(instance, name)) for name in NAMED}
        return cls(ids, frozenset(category.family for category in instance.categories))


Parts = Mapping[str, Any]
"""List name to (path, part) pairs; fields that are wrong in themselves may hold anything and are passed over here."""


def faults_between(parts: Instance | Parts, known: Known | None = None) -> Iterator[Fault]:
    """Every fault between the parts, rule by rule."""
    if isinstance(parts, Instance):
        instance = parts
        known = Known.of_instance(instance)
        names = (*NAMED, "fixed", "forbidden", "previous")
        parts = {name: [(f"{name}[{k}]", part) for k, part in enumerate(getattr(instance, name))] for name in names}
    assert known is not None  # noqa: S101 the two forms above are the only ones
    for rule in RULES:
        yield from rule(parts, known)


def _is_name(value: object) -> TypeGuard[str]:
    """Whether it can name anything; what cannot is refused by the part that holds it."""
    return isinstance(value, str) and value != ""


def _ids_once(parts: Parts, _known: Known) -> Iterator[Fault]:
    for name in NAMED:
        yield from _repeated((f"{path}.id", part.id) for path, part in parts[name] if _is_name(part.id))


def _repeated(named: Iterable[tuple[str, object]]) -> Iterator[Fault]:
    seen: set[object] = set()
    for path, value in named:
        if value in seen:
            yield Fault(path, value, "name each once: this one stands before")
        seen.add(value)


def _references_known(parts: Parts, known: Known) -> Iterator[Fault]:
    wanted: Sequence[tuple[str, str, str]] = (
        ("offers", "category", "categories"),
        ("lines", "participant", "participants"),
        ("lines", "category", "categories"),
        ("fixed", "lead", "participants"),
        ("forbidden", "participant", "participants"),
        ("forbidden", "line", "lines"),
        ("forbidden", "offer", "offers"),
        ("previous", "line", "lines"),
        ("previous", "offer", "offers"),
    )
    for name, field, target in wanted:
        yield from _unknown(parts[name], field, known.ids.get(target), f"name one of {target}")
    for name in ("fixed", "forbidden"):
        yield from _unknown(parts[name], "family", known.families, "name the family of one of categories")


def _unknown(
    listed: Iterable[tuple[str, Any]], field: str, known: frozenset[str] | None, remedy: str
) -> Iterator[Fault]:
    if known is None:
        return
    for path, part in listed:
        value = getattr(part, field)
        if _is_name(value) and value not in known:
            yield Fault(f"{path}.{field}", value, remedy)


def _fixed_pools_fit(parts: Parts, known: Known) -> Iterator[Fault]:
    family = {category.id: category.family for _, category in _named(parts["categories"])}
    offer_family = {offer.id: _of(family, offer.category) for _, offer in _named(parts["offers"])}
    line_family = {line.id: _of(family, line.category) for _, line in _named(parts["lines"])}
    owner = {line.id: line.participant for _, line in _named(parts["lines"])}
    for path, pool in parts["fixed"]:
        for place, lot in _lots(path, pool):
            yield from _inside(f"{place}.offer", lot.offer, pool.family, offer_family, known.ids.get("offers"))
            for at, line in _lines(place, lot):
                yield from _inside(at, line, pool.family, line_family, known.ids.get("lines"))
        members = [owner.get(line) for place, lot in _lots(path, pool) for _, line in _lines(place, lot)]
        known_lead = _is_name(pool.lead) and pool.lead in known.ids.get("participants", ())
        if known_lead and members and None not in members and pool.lead not in members:
            yield Fault(f"{path}.lead", pool.lead, "name a participant with a line in the pool")


def _named(listed: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    return ((path, part) for path, part in listed if _is_name(part.id))


def _of(names: Mapping[str, object], value: object) -> object:
    return names.get(value) if _is_name(value) else None


def _lots(path: str, pool: FixedPool) -> Iterator[tuple[str, FixedLot]]:
    lots: object = pool.lots
    if isinstance(lots, tuple):
        yield from ((f"{path}.lots[{j}]", lot) for j, lot in enumerate(lots) if isinstance(lot, FixedLot))


def _lines(path: str, lot: FixedLot) -> Iterator[tuple[str, str]]:
    lines: object = lot.lines
    if isinstance(lines, tuple):
        yield from ((f"{path}.lines[{m}]", line) for m, line in enumerate(lines) if _is_name(line))


def _inside(
    path: str, value: object, family: object, families: Mapping[str, object], known: frozenset[str] | None
) -> Iterator[Fault]:
    if not _is_name(value) or known is None:
        return
    if value not in known:
        yield Fault(path, value, "name one that the instance has")
    elif _is_name(family) and families.get(value) not in (None, family):
        yield Fault(path, value, f"name one of family {family}, not of {families[value]}")


def _fixed_pools_apart(parts: Parts, _known: Known) -> Iterator[Fault]:
    yield from _repeated(
        (path, (pool.family, pool.start))
        for path, pool in parts["fixed"]
        if _is_name(pool.family) and is_month(pool.start)
    )
    yield from _repeated(
        named for path, pool in parts["fixed"] for place, lot in _lots(path, pool) for named in _lines(place, lot)
    )


def _previous_once(parts: Parts, _known: Known) -> Iterator[Fault]:
    yield from _repeated((f"{path}.line", entry.line) for path, entry in parts["previous"] if _is_name(entry.line))


RULES = (_ids_once, _references_known, _fixed_pools_fit, _fixed_pools_apart, _previous_once)
