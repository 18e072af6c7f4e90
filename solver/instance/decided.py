"""What is decided before an instance is solved: pools that stand, what must not be, where lines stood."""

from collections.abc import Iterator
from dataclasses import dataclass

from solver.checks import distinct_texts, months, refuse, texts
from solver.errors import Fault


@dataclass(frozen=True, slots=True)
class FixedLot:
    """A decided lot: it stands as given."""

    offer: str
    lines: tuple[str, ...]

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        yield from texts(offer=self.offer)
        yield from distinct_texts(lines=self.lines)
        if self.lines == ():
            yield Fault("lines", [], "name the lines of the lot")


@dataclass(frozen=True, slots=True)
class FixedPool:
    """A decided pool: no line joins or leaves, and no other lot of its family starts in its month."""

    family: str
    start: str
    lead: str
    lots: tuple[FixedLot, ...]

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        yield from texts(family=self.family, lead=self.lead)
        yield from months(start=self.start)
        yield from _lots(self.lots)


def _lots(lots: object) -> Iterator[Fault]:
    if not isinstance(lots, tuple):
        yield Fault("lots", lots, "give a list of lots")
        return
    if not lots:
        yield Fault("lots", [], "name the lots of the pool")
    yield from (Fault(f"lots[{k}]", lot, "give a lot") for k, lot in enumerate(lots) if not isinstance(lot, FixedLot))
    offers = [lot.offer for lot in lots if isinstance(lot, FixedLot) and isinstance(lot.offer, str)]
    if len(set(offers)) != len(offers):
        yield Fault("lots", offers, "a pool has at most one lot on an offer")


@dataclass(frozen=True, slots=True)
class Forbidden:
    """No line that fits all that is given may be in such a lot; what is None fits any."""

    participant: str | None = None
    line: str | None = None
    family: str | None = None
    offer: str | None = None
    start: str | None = None

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        given = {"participant": self.participant, "line": self.line, "family": self.family, "offer": self.offer}
        yield from texts(**{name: value for name, value in given.items() if value is not None})
        if self.start is not None:
            yield from months(start=self.start)
        elif all(value is None for value in given.values()):
            yield Fault("", None, "give at least one of participant, line, family, offer, start")


@dataclass(frozen=True, slots=True)
class Previous:
    """Where a line stood in the last plan."""

    line: str
    offer: str
    start: str

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        yield from texts(line=self.line, offer=self.offer)
        yield from months(start=self.start)
