"""What holds of participants, categories and criteria, whatever keeps them: pure, frozen, checked at birth."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from pooling.errors import BadInput
from pooling.reference.units import UNITS


class WrongFields(BadInput):
    """A row that contradicts itself; ``faults`` are the fields to correct, each with what is wrong and what to do."""

    def __init__(self, place: str, faults: Sequence[tuple[str, str]]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{place}: {text}" for _, text in faults))


@dataclass(frozen=True, slots=True)
class SigningBodyRecord:
    """The body that signs for participants; the law, language and complaint board of a pool it leads are its own."""

    code: str
    name: str
    country: str
    law: str
    language: str
    complaint_board: str
    source: str


@dataclass(frozen=True, slots=True)
class ParticipantRecord:
    """A body with demand of its own, from ``valid_from`` up to, not including, ``valid_to`` (None: no such border).

    ``max_leads`` and ``max_pools_per_quarter`` None: no limit. ``population`` None: not known, never zero.
    ``population_within`` names the body whose inhabitants include this one's.
    """

    code: str
    name: str
    country: str
    currency: str
    contracting_authority: bool
    may_lead: bool
    max_leads: int | None
    max_pools_per_quarter: int | None
    signing_body: str
    valid_from: date | None
    valid_to: date | None
    successor: str | None
    population: int | None
    population_year: int | None
    population_overlaps: bool
    organisation_id: str | None
    source: str
    population_within: str | None = None

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise WrongFields(f"participant {self.code!r}", faults)

    def _faults(self) -> Iterator[tuple[str, str]]:
        if self.may_lead and not self.contracting_authority:
            yield "may_lead", "may_lead is true but it is no contracting authority; set may_lead to false"
        if self.valid_from and self.valid_to and self.valid_from >= self.valid_to:
            yield (
                "valid_to",
                f"valid_from {self.valid_from} is not before valid_to {self.valid_to}; correct one of them",
            )
        if self.successor and not self.valid_to:
            yield "successor", f"successor {self.successor!r} without valid_to; give the day it takes over"
        for name in ("successor", "population_within"):
            if getattr(self, name) == self.code:
                yield name, "it cannot succeed or contain itself; name another participant"
        if self.population_within and not self.population_overlaps:
            yield "population_overlaps", "population_within is given, so population_overlaps must be true"
        for name in ("max_leads", "max_pools_per_quarter", "population"):
            value = getattr(self, name)
            if value is not None and value < 0:
                yield name, f"{name} is {value}; give 0 or more, or leave it empty"

    def is_valid_on(self, day: date) -> bool:
        """Whether the body exists on ``day``."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True)
class CategoryRecord:
    """What can be bought together; ``unit`` is the buyers' word, volumes are pooled in ``base_unit`` (Rec 20 codes)."""

    id: str
    family: str
    cpv: str | None
    cpv_name: str | None
    emdn: str | None
    name: str
    unit: str
    base_unit: str
    source: str

    def __post_init__(self) -> None:
        if base_factor(self.unit, self.base_unit) is None:
            raise BadInput(
                f"category {self.id!r}: unit {self.unit!r} does not convert to base unit {self.base_unit!r};"
                " give two units of one kind, such as KGM and GRM"
            )


@dataclass(frozen=True, slots=True)
class CriterionRecord:
    """A green or social demand that offers meet and lines require, with the eForms list and code it is published as."""

    code: str
    name: str
    framework: str
    level: str | None
    eforms_list: str
    eforms_code: str
    proof: str
    source: str


def rehome(code: str, on: date, participants: Mapping[str, ParticipantRecord]) -> str:
    """The participant that holds ``code``'s demand on the day ``on``: itself, or the last of its successors by then.

    Raises BadInput where ``code`` is unknown, does not exist yet, has ended without a successor, or where the
    successions run in a circle.
    """
    seen: list[str] = []
    while True:
        record = _known(code, participants)
        if record.valid_from is not None and on < record.valid_from:
            raise BadInput(_not_yet(record, on, seen, participants))
        if record.valid_to is None or on < record.valid_to:
            return code
        seen.append(code)
        if record.successor is None:
            raise BadInput(
                f"participant {code!r} ended on {record.valid_to} without a successor, so nothing can be delivered to"
                f" it on {on}; name the body that took over, or give {code!r} a successor"
            )
        if record.successor in seen:
            circle = " -> ".join([*seen, record.successor])
            raise BadInput(f"the successions {circle} run in a circle; correct the successor of one of them")
        code = record.successor


def is_succeeded(record: ParticipantRecord, participants: Mapping[str, ParticipantRecord]) -> bool:
    """Whether a participant ends and somebody is there on that day to take over; not so where successions run in a
    circle."""
    try:
        return record.valid_to is not None and rehome(record.code, record.valid_to, participants) != record.code
    except BadInput:
        return False


def before_and_after(code: str, participants: Mapping[str, ParticipantRecord]) -> frozenset[str]:
    """``code``, all its successors, and all that it succeeds, through any number of steps and whatever the dates.

    Two bodies that merge are not among each other's: neither has the other's demand.
    """
    before = {other for other in participants if code in _and_successors(other, participants)}
    return frozenset({*before, *_and_successors(code, participants)})


def _and_successors(code: str, participants: Mapping[str, ParticipantRecord]) -> list[str]:
    found: list[str] = []
    following: str | None = code
    while following is not None and following not in found:
        found.append(following)
        record = participants.get(following)
        following = None if record is None else record.successor
    return found


def _known(code: str, participants: Mapping[str, ParticipantRecord]) -> ParticipantRecord:
    record = participants.get(code)
    if record is None:
        raise BadInput(
            f"participant {code!r} is not known; `pooling reference show participants` lists those that are,"
            " `pooling reference add participants FILE` adds one"
        )
    return record


def _not_yet(
    record: ParticipantRecord, on: date, seen: list[str], participants: Mapping[str, ParticipantRecord]
) -> str:
    if seen:
        return (
            f"participant {seen[-1]!r} ended before {on} but its successor {record.code!r} exists only from"
            f" {record.valid_from}; close the gap between valid_to and valid_from"
        )
    before = sorted(other.code for other in participants.values() if other.successor == record.code)
    instead = f"; until then use {' or '.join(before)}" if before else "; give a day from then on"
    return f"participant {record.code!r} does not exist on {on}, only from {record.valid_from}{instead}"


def closure(codes: Iterable[str], implications: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """``codes`` and all they imply, directly or through others; a circle means that its members are equal."""
    found: set[str] = set()
    waiting = list(codes)
    while waiting:
        code = waiting.pop()
        if code not in found:
            found.add(code)
            waiting.extend(implications.get(code, ()))
    return frozenset(found)


def population_of(codes: Iterable[str], participants: Mapping[str, ParticipantRecord]) -> int:
    """How many people live in the areas of ``codes`` together: the union of inhabitants, nobody counted twice.

    A participant adds nothing of its own where another of ``codes`` has the same inhabitants: the body it lies within
    (``population_within``, through any number of steps) or the one that has succeeded it. HUS beside any of the five
    bodies of Uusimaa therefore counts as HUS alone, and without HUS the five add up.
    Raises BadInput where a code is unknown or its population is, since a sum without it would be too small.
    """
    chosen = {code: _known(code, participants) for code in codes}
    total = 0
    for code, record in chosen.items():
        if not (_containers(code, participants) & chosen.keys()):
            if record.population is None:
                raise BadInput(
                    f"participant {code!r} has no population; add it with `pooling reference add participants FILE`"
                )
            total += record.population
    return total


def _containers(code: str, participants: Mapping[str, ParticipantRecord]) -> set[str]:
    """All bodies whose inhabitants include those of ``code``, ``code`` itself not among them."""
    found: set[str] = set()
    waiting = [code]
    while waiting:
        record = _known(waiting.pop(), participants)
        for larger in (record.population_within, record.successor):
            if larger is not None and larger != code and larger not in found:
                found.add(larger)
                waiting.append(larger)
    return found


def base_factor(unit: str, base_unit: str) -> Fraction | None:
    """How many ``base_unit`` one ``unit`` is, exactly; None where the two UNECE Rec 20 codes are not of one kind.

    Packs, boxes, rolls, sets and kits have no factor but to themselves: what is in them is the file's to say.
    """
    if unit == base_unit:
        return Fraction(1) if unit in UNITS else None
    one, other = UNITS.get(unit), UNITS.get(base_unit)
    if one is None or other is None or one.factor is None or other.factor is None or one.base_unit != other.base_unit:
        return None
    return one.factor / other.factor
