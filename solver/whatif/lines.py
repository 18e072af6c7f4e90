"""Changes to lines: what they require or refuse, how much, when, and whether they are there at all."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import ClassVar

from solver.checks import LARGEST_WHOLE, is_number, refuse, texts, wholes
from solver.errors import Fault, InvalidInstance
from solver.instance import Instance, Line
from solver.instance.cutting import with_parts
from solver.months import month_at
from solver.whatif.kinds import DECIDED, decided, families_of, known, refuse_at

FIELD_OF_LINE = {"line": "id", "participant": "participant", "category": "category"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OfLines:
    """Which lines a change is about: those that fit all that is given; at least one field must be."""

    line: str | None = None
    participant: str | None = None
    category: str | None = None
    family: str | None = None

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _given(self) -> dict[str, str]:
        named = {"line": self.line, "participant": self.participant, "category": self.category, "family": self.family}
        return {name: value for name, value in named.items() if value is not None}

    def _faults(self) -> Iterator[Fault]:
        yield from texts(**self._given())
        if not self._given():
            yield Fault("line", None, "give at least one of line, participant, category, family")

    def chosen(self, instance: Instance) -> list[int]:
        """Positions of the lines in the instance; raises where there are none."""
        given = self._given()
        inside = {c.id for c in instance.categories if c.family == given.get("family", c.family)}
        found = [k for k in _where(instance, given) if instance.lines[k].category in inside]
        if not found:
            name, value = next(iter(given.items()))
            refuse_at(name, value, "no line of the instance fits all that the change names: name one that does")
        return found

    def families(self, instance: Instance) -> frozenset[str]:
        return families_of(instance, (instance.lines[k] for k in self.chosen(instance)))

    def rebuilt(self, instance: Instance, change: Callable[[Line], Line]) -> Instance:
        """The instance with every chosen line put through ``change``; a line that it makes invalid is refused."""
        lines, faults = list(instance.lines), []
        for k in self.chosen(instance):
            try:
                lines[k] = change(lines[k])
            except InvalidInstance as refused:
                faults += [replace(fault, path=f"{fault.path} of line {lines[k].id}") for fault in refused.faults]
        refuse(iter(faults))
        return with_parts(instance, lines=tuple(lines))


def _where(instance: Instance, given: Mapping[str, str]) -> list[int]:
    """Positions of the lines with the id, participant and category given: one pass over all, the rest over few."""
    found: Iterable[int] = range(len(instance.lines))
    for field, name in FIELD_OF_LINE.items():
        if field in given:
            of, value = attrgetter(name), given[field]
            found = [k for k in found if of(instance.lines[k]) == value]
    return list(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfCriterion(OfLines):
    """A change of what lines say of a criterion."""

    criterion: str

    def _faults(self) -> Iterator[Fault]:
        yield from OfLines._faults(self)
        yield from texts(criterion=self.criterion)


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionRequired(OfCriterion):
    """The lines now require the criterion; those that refuse it are refused by name."""

    kind: ClassVar[str] = "criterion_required"

    def of(self, instance: Instance) -> Instance:
        def require(line: Line) -> Line:
            if self.criterion in line.required:
                return line
            return replace(line, required=(*line.required, self.criterion))

        return self.rebuilt(instance, require)


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionAccepted(OfCriterion):
    """The lines drop the criterion, whether they require it (offers without it will do) or refuse it."""

    kind: ClassVar[str] = "criterion_accepted"

    def of(self, instance: Instance) -> Instance:
        named = (instance.lines[k] for k in self.chosen(instance))
        if not any(self.criterion in (*line.required, *line.refused) for line in named):
            refuse_at("criterion", self.criterion, "name a criterion that one of these lines requires or refuses")

        def accept(line: Line) -> Line:
            required, refused = ((*(c for c in had if c != self.criterion),) for had in (line.required, line.refused))
            return replace(line, required=required, refused=refused)

        return self.rebuilt(instance, accept)


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeChanged(OfLines):
    """The lines' yearly quantity times ``factor``, or one line's new ``quantity``, in whole base units.

    Low and high keep their share of the quantity unless a single line's are given too. Scaled figures are rounded to
    the nearest unit, quantities to at least 1.
    """

    kind: ClassVar[str] = "volume_changed"
    factor: float | None = None
    quantity: int | None = None
    quantity_low: int | None = None
    quantity_high: int | None = None

    def _faults(self) -> Iterator[Fault]:
        yield from OfLines._faults(self)
        if (self.factor is None) == (self.quantity is None):
            yield Fault("factor", self.factor, "give either factor or quantity")
        if self.factor is not None and not _above_nothing(self.factor):
            yield Fault("factor", self.factor, "give a finite number above 0")
        if self.quantity is not None:
            yield from wholes(1, quantity=self.quantity)
            if self.line is None:
                yield Fault("line", None, "name the line whose quantity this is, or give a factor")
        edges = {"quantity_low": self.quantity_low, "quantity_high": self.quantity_high}
        given = {name: value for name, value in edges.items() if value is not None}
        yield from wholes(0, **given)
        if self.quantity is None:
            yield from (Fault(name, value, "give it with quantity only") for name, value in given.items())

    def of(self, instance: Instance) -> Instance:
        return self.rebuilt(instance, self._resized)

    def _resized(self, line: Line) -> Line:
        if self.quantity is None:
            assert self.factor is not None  # noqa: S101 checked at birth
            factor = float(self.factor)
            if line.quantity_high * factor > LARGEST_WHOLE:
                refuse_at("factor", self.factor, "give one that leaves quantity_high at most 2^53")
            quantity = max(1, round(line.quantity * factor))
        else:
            factor, quantity = self.quantity / line.quantity, self.quantity
        low = min(quantity, round(line.quantity_low * factor)) if self.quantity_low is None else self.quantity_low
        high = max(quantity, round(line.quantity_high * factor)) if self.quantity_high is None else self.quantity_high
        return replace(line, quantity=quantity, quantity_low=low, quantity_high=high)


def _above_nothing(value: object) -> bool:
    return is_number(value) and value > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowMoved(OfLines):
    """The ends of the lines' windows moved by months; below 0 is earlier."""

    kind: ClassVar[str] = "window_moved"
    earliest_months: int = 0
    latest_months: int = 0

    def _faults(self) -> Iterator[Fault]:
        yield from OfLines._faults(self)
        moves = {"earliest_months": self.earliest_months, "latest_months": self.latest_months}
        for name, value in moves.items():
            if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 1200:
                yield Fault(name, value, "give a whole number of months from -1200 to 1200")
        if not any(moves.values()):
            yield Fault("earliest_months", 0, "move at least one end of the window")

    def of(self, instance: Instance) -> Instance:
        return self.rebuilt(
            instance,
            lambda line: replace(
                line,
                earliest_start=month_at(line.earliest_start, self.earliest_months),
                latest_start=month_at(line.latest_start, self.latest_months),
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LineLeaves:
    """The line is no longer part of the question; entries of forbidden and previous that name it go with it."""

    kind: ClassVar[str] = "line_leaves"
    line: str

    def __post_init__(self) -> None:
        refuse(texts(line=self.line))

    def of(self, instance: Instance) -> Instance:
        OfLines(line=self.line).chosen(instance)
        if self.line in decided(instance):
            refuse_at("line", self.line, DECIDED)
        return _without_lines(instance, {self.line})

    def families(self, instance: Instance) -> frozenset[str]:
        return OfLines(line=self.line).families(instance)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantLeaves:
    """The participant's lines are no longer part of the question, save those in decided pools, which stand as given."""

    kind: ClassVar[str] = "participant_leaves"
    participant: str

    def __post_init__(self) -> None:
        refuse(texts(participant=self.participant))

    def of(self, instance: Instance) -> Instance:
        known(instance, participant=self.participant)
        standing = decided(instance)
        mine = {line.id for line in instance.lines if line.participant == self.participant}
        remaining = _without_lines(instance, mine - standing)
        if mine & standing:
            return remaining
        people = tuple(person for person in instance.participants if person.id != self.participant)
        forbidden = tuple(entry for entry in remaining.forbidden if entry.participant != self.participant)
        return with_parts(remaining, participants=people, forbidden=forbidden)

    def families(self, instance: Instance) -> frozenset[str]:
        return families_of(instance, (line for line in instance.lines if line.participant == self.participant))


def _without_lines(instance: Instance, lines: Collection[str]) -> Instance:
    return with_parts(
        instance,
        lines=tuple(line for line in instance.lines if line.id not in lines),
        forbidden=tuple(entry for entry in instance.forbidden if entry.line not in lines),
        previous=tuple(entry for entry in instance.previous if entry.line not in lines),
    )
