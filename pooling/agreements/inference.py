"""Whether sums that are told together give others away. Pure.

A sum is a set of atoms, kept as the bits of a whole number. An atom is what one participant has in one lot and year.
What is planned is spread evenly over a lot's term, so its years are multiples of one unknown; what was called off is
not. With the sums all their linear combinations are known. None of them may be about fewer than `FEWEST` participants:
leaving any two participants out must not lower the rank of the sums. And where a sum holds another, their difference
is a sum of its own, which must hold to the rule of `pooling.agreements.disclosure`; where it holds all of another but
what one participant has in that, the difference is such a sum to this one (`pooling.agreements.nearness`).
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import lcm

from pooling.agreements.disclosure import FEWEST, Cell
from pooling.agreements.nearness import Holding, Unknowns

PRIME = 2**61 - 1
"""Ranks are those modulo this prime: exact but for a chance of about one in 10**17."""
Column = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Atom:
    """What cannot be told apart further: ``weight`` times an ``unknown`` of ``participant``; sizes never below 0."""

    participant: str
    unknown: Hashable
    weight: int
    altogether: int
    lately: int


@dataclass
class Told:
    """The sums that are told so far: what they give away together was found to be nothing."""

    atoms: Sequence[Atom]
    masks: list[int] = field(default_factory=list)
    _holds: dict[int, bool] = field(default_factory=dict)
    _held: dict[int, Holding] = field(default_factory=dict)

    def cell(self, mask: int) -> Cell:
        """Who contributes to a sum, and how much."""
        altogether: dict[str, int] = {}
        lately: dict[str, int] = {}
        for atom in _in(self.atoms, mask):
            altogether[atom.participant] = altogether.get(atom.participant, 0) + atom.altogether
            lately[atom.participant] = lately.get(atom.participant, 0) + atom.lately
        return Cell(altogether, lately)

    def add(self, masks: Iterable[int]) -> bool:
        """Tell these sums too, all or none of them; whether they may be told."""
        new = [mask for mask in dict.fromkeys(masks) if mask and mask not in self.masks]
        if not new:
            return True
        together = self.masks + new
        if not all(self._may_stand(one, other) for one in new for other in [0, *together]):
            return False
        if any(self._near(one, other) or self._near(other, one) for one in new for other in together if one != other):
            return False
        if any(gives_away(columns) for columns in self._columns(together)):
            return False
        self.masks = together
        return True

    def _may_stand(self, one: int, other: int) -> bool:
        """Whether one less the other, if it is a sum at all, may be told."""
        if one | other not in {one, other}:
            return True
        rest = one ^ other
        if rest not in self._holds:
            cell = self.cell(rest)
            self._holds[rest] = cell.empty or cell.open
        return self._holds[rest]

    def _near(self, one: int, other: int) -> bool:
        return any(each.near(self._holding(one), self._holding(other)) for each in self._unknowns)

    def _holding(self, mask: int) -> Holding:
        if mask not in self._held:
            held: dict[int, int] = {}
            for atom in _in(self.atoms, mask):
                place = self._places[atom.participant, atom.unknown]
                held[place] = held.get(place, 0) + atom.weight
            self._held[mask] = held
        return self._held[mask]

    @cached_property
    def _places(self) -> Mapping[tuple[str, Hashable], int]:
        return {key: place for place, key in enumerate(dict.fromkeys((a.participant, a.unknown) for a in self.atoms))}

    @cached_property
    def _unknowns(self) -> tuple[Unknowns, ...]:
        """All that there is, and what of it is news."""
        whose = [participant for participant, _ in self._places]
        weights, altogether, lately = ([0] * len(whose) for _ in range(3))
        for atom in self.atoms:
            place = self._places[atom.participant, atom.unknown]
            weights[place] += atom.weight
            altogether[place] += atom.altogether
            lately[place] += atom.lately
        common = lcm(*weights)
        of = [
            [size * common // each for size, each in zip(sizes, weights, strict=True)] for sizes in (altogether, lately)
        ]
        return tuple(Unknowns(whose, sizes) for sizes in of if any(sizes))

    def _columns(self, masks: Sequence[int]) -> Iterator[Mapping[str, set[Column]]]:
        """By participant, how often the sums hold each of its unknowns: altogether, and of those with news."""
        for of_news in (False, True):
            found: dict[tuple[str, Hashable], list[int]] = {}
            for number, mask in enumerate(masks):
                for atom in _in(self.atoms, mask):
                    if atom.lately if of_news else atom.altogether:
                        place = found.setdefault((atom.participant, atom.unknown), [0] * len(masks))
                        place[number] += atom.weight
            columns: dict[str, set[Column]] = {}
            for (participant, _), column in found.items():
                columns.setdefault(participant, set()).add(tuple(column))
            yield columns


def gives_away(columns: Mapping[str, set[Column]]) -> bool:
    """Whether a combination of the sums is about fewer than `FEWEST` participants, by the columns of each."""
    holders: dict[Column, set[str]] = {}
    for participant, its in columns.items():
        for column in its:
            holders.setdefault(column, set()).add(participant)
    common, rare = _Span(), sorted(column for column, who in holders.items() if len(who) < FEWEST)
    for column, who in holders.items():
        if len(who) >= FEWEST:
            common.add(column)
    whole = common.copy()
    needed = [column for column in rare if whole.add(column)]
    holding = sorted(set[str]().union(*(holders[column] for column in rare)))
    tried: set[frozenset[str]] = set()
    for column in needed:
        for pair in [holders[column]] if len(holders[column]) > 1 else [holders[column] | {each} for each in holding]:
            if frozenset(pair) not in tried:
                tried.add(frozenset(pair))
                without = common.copy()
                for other in rare:
                    if not holders[other] <= pair:
                        without.add(other)
                if without.rank < whole.rank:
                    return True
    return False


@dataclass(slots=True)
class _Span:
    """Vectors modulo `PRIME`, reduced, by the place of their first figure."""

    rows: dict[int, Column] = field(default_factory=dict)

    @property
    def rank(self) -> int:
        return len(self.rows)

    def copy(self) -> "_Span":
        return _Span(dict(self.rows))

    def add(self, vector: Column) -> bool:
        """Whether it was not in it yet."""
        for place in range(len(vector)):
            first = vector[place] % PRIME
            if not first:
                continue
            if place not in self.rows:
                inverse = pow(first, -1, PRIME)
                self.rows[place] = tuple(each * inverse % PRIME for each in vector)
                return True
            vector = tuple((mine - first * its) % PRIME for mine, its in zip(vector, self.rows[place], strict=True))
        return False


def _in(atoms: Sequence[Atom], mask: int) -> Iterator[Atom]:
    while mask:
        lowest = mask & -mask
        yield atoms[lowest.bit_length() - 1]
        mask ^= lowest
