"""Whether the difference of two sums is nearly one participant's figure to another that takes its own part off. Pure.

A sum is given by how often it holds each unknown. Of two sums one is taken as often as it must be to hold all that the
other does, the reader's own unknowns aside: what it has beyond the other is then a sum of what others have, and must
hold to the rule of `pooling.agreements.disclosure`. Differences that hold less than nothing of somebody bound no one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from pooling.agreements.disclosure import MOST_SHARE, many

Holding = Mapping[int, int]
"""How often a sum holds each unknown, by its place."""


@dataclass(frozen=True, slots=True)
class Unknowns:
    """Whose each unknown is, and how much one of it comes to, altogether or of the news; in any measure."""

    whose: Sequence[str]
    sizes: Sequence[int]

    def near(self, one: Holding, other: Holding) -> bool:
        """Whether ``one``, as often as it takes, less ``other`` tells somebody nearly what another has."""
        missing = {self.whose[place] for place in other.keys() - one.keys() if self.sizes[place]}
        if len(missing) > 1:
            return False
        often = self._often(one, other)
        if not missing and often and self._tells(self._beyond(one, other, max(often.values()))):
            return True
        reader = missing.pop() if missing else max(often, key=lambda code: often[code], default="")
        often.pop(reader, None)
        return bool(often) and self._tells_reader(self._beyond(one, other, max(often.values())), reader)

    def _often(self, one: Holding, other: Holding) -> dict[str, Fraction]:
        """By participant, how often ``one`` must be taken to hold what ``other`` does of what is in both."""
        found: dict[str, Fraction] = {}
        for place in one.keys() & other.keys():
            if self.sizes[place]:
                times, code = _ratio(other[place], one[place]), self.whose[place]
                found[code] = max(times, found.get(code, times))
        return found

    def _beyond(self, one: Holding, other: Holding, often: Fraction) -> dict[str, int]:
        """What ``one`` so often has beyond ``other``, by participant; in shares of a size, which does not matter."""
        up, down, sums = often.numerator, often.denominator, dict.fromkeys(self.whose, 0)
        for place in one.keys() | other.keys():
            sums[self.whose[place]] += (up * one.get(place, 0) - down * other.get(place, 0)) * self.sizes[place]
        return sums

    def _tells(self, sums: Mapping[str, int]) -> bool:
        return any(sums.values()) and not many(sums)

    def _tells_reader(self, sums: Mapping[str, int], reader: str) -> bool:
        others = [size for code, size in sums.items() if code != reader and size]
        return bool(others) and max(others) > MOST_SHARE * sum(others)


@lru_cache(maxsize=4096)
def _ratio(times: int, held: int) -> Fraction:
    return Fraction(times, held)
