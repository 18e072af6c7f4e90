"""What must hold between the parts of an instance: known references, nothing named twice, fixed pools that fit."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solver.errors import Fault
from solver.instance import Instance


@dataclass(frozen=True, slots=True)
class Known:
    """The ids an instance names, with what checking references needs; also of parts that could not be read."""

    ids: Mapping[str, frozenset[str]]
    families: frozenset[str]

    @classmethod
    def of_documents(cls, document: Mapping[str, Any]) -> "Known":
        """From a raw document: a faulty line is known all the same, so that references to it are no second fault."""

        def texts(name: str, field: str) -> frozenset[str]:
            rows = document.get(name)
            rows = rows if isinstance(rows, list) else []
            found = (row.get(field) for row in rows if isinstance(row, dict))
            return frozenset(value for value in found if isinstance(value, str))

        lists = ("participants", "categories", "offers", "lines")
        return cls({name: texts(name, "id") for name in lists}, texts("categories", "family"))

    @classmethod
    def of_instance(cls, instance: Instance) -> "Known":
        lists = ("participants", "categories", "offers", "lines")
        ids = {name: frozenset(part.id for part in getattr(instance, name)) for name in lists}
        return cls(ids, frozenset(category.family for category in instance.categories))


Parts = Mapping[str, Any]
"""List name to (path, part) pairs."""


def faults_between(parts: Instance | Parts, known: Known | None = None) -> Iterator[Fault]:
    """Every fault between the parts, in the order of the format."""
    if isinstance(parts, Instance):
        instance = parts
        known = Known.of_instance(instance)
        names = ("participants", "categories", "offers", "lines", "fixed", "forbidden", "previous")
        parts = {name: [(f"{name}[{k}]", part) for k, part in enumerate(getattr(instance, name))] for name in names}
    assert known is not None  # noqa: S101 the two forms above are the only ones
    for rule in RULES:
        yield from rule(parts, known)


def _ids_once(parts: Parts, _known: Known) -> Iterator[Fault]:
    for name in ("participants", "categories", "offers", "lines"):
        yield from _repeated((f"{path}.id", part.id) for path, part in parts[name])


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
        for path, part in parts[name]:
            value = getattr(part, field)
            if value is not None and value not in known.ids[target]:
                yield Fault(f"{path}.{field}", value, f"name one of {target}")
    for name in ("fixed", "forbidden"):
        for path, part in parts[name]:
            if part.family is not None and part.family not in known.families:
                yield Fault(f"{path}.family", part.family, "name the family of one of categories")


def _fixed_pools_fit(parts: Parts, known: Known) -> Iterator[Fault]:
    family = {category.id: category.family for _, category in parts["categories"]}
    offer_family = {offer.id: family.get(offer.category) for _, offer in parts["offers"]}
    line_family = {line.id: family.get(line.category) for _, line in parts["lines"]}
    owner = {line.id: line.participant for _, line in parts["lines"]}
    for path, pool in parts["fixed"]:
        for j, lot in enumerate(pool.lots):
            place = f"{path}.lots[{j}]"
            yield from _inside(f"{place}.offer", lot.offer, pool.family, offer_family, known.ids["offers"])
            for m, line in enumerate(lot.lines):
                yield from _inside(f"{place}.lines[{m}]", line, pool.family, line_family, known.ids["lines"])
        members = {owner.get(line) for lot in pool.lots for line in lot.lines}
        if None not in members and pool.lead in known.ids["participants"] and pool.lead not in members:
            yield Fault(f"{path}.lead", pool.lead, "name a participant with a line in the pool")


def _inside(
    path: str, value: str, family: str, families: Mapping[str, str | None], known: frozenset[str]
) -> Iterator[Fault]:
    if value not in known:
        yield Fault(path, value, "name one that the instance has")
    elif families.get(value) not in (None, family):
        yield Fault(path, value, f"name one of family {family}, not of {families[value]}")


def _fixed_pools_apart(parts: Parts, _known: Known) -> Iterator[Fault]:
    yield from _repeated((path, (pool.family, pool.start)) for path, pool in parts["fixed"])
    yield from _repeated(
        (f"{path}.lots[{j}].lines[{m}]", line)
        for path, pool in parts["fixed"]
        for j, lot in enumerate(pool.lots)
        for m, line in enumerate(lot.lines)
    )


def _previous_once(parts: Parts, _known: Known) -> Iterator[Fault]:
    yield from _repeated((f"{path}.line", entry.line) for path, entry in parts["previous"])


RULES = (_ids_once, _references_known, _fixed_pools_fit, _fixed_pools_apart, _previous_once)
