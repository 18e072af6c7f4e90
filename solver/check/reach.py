"""Which lots a line without a pool could be in, for the reasons that turn on volume and worth.

Both questions are asked so that every reading of the contract answers alike. The highest volume is bounded from above
over all lines that fit, whoever holds them and whether or not they gain. A lot counts as within reach only where it is
lawful by itself, in a pool of its own.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from solver.check.facts import Facts, Line, Offer
from solver.check.worth import quantity, sure_quantity, sure_tolerance, worth

Place = tuple[int, str]
"""A start as an offset, and an offer's id."""


@dataclass(frozen=True)
class Reach:
    """The lots of one category. ``fitting``: at each place the lines that rule 1 lets in."""

    facts: Facts
    offers: Mapping[str, Offer]
    fitting: Mapping[Place, Sequence[Line]]

    def volume_lacks(self, line: Line) -> bool:
        """Whether no lines at all reach a tipping volume anywhere the line fits."""
        return all(self._most(place) < self._tipping(place) for place in self._places(line))

    def worth_lacks(self, line: Line) -> bool:
        """Whether the line would lose wherever it fits, at any offer's lowest price."""
        if self.facts.policy.stability_eur and line.id in self._stood:
            return False
        return all(
            self._benefit(line, place, len(self.offers[place[1]].tiers) - 1) < -1e-6 * max(1.0, line.spend)
            for place in self._places(line)
        )

    def lot_with(self, line: Line, *, least_benefit: float) -> tuple[Place, tuple[Line, ...]] | None:
        """Lines that make a lawful lot with this one, in which it has more than ``least_benefit``; None if none found.

        Not every choice is tried: only those with the most volume for their variance, so None proves nothing.
        """
        for place in self._places(line):
            if (line.family, place[0]) in self._decided:
                continue
            for tier, (volume, _) in enumerate(self.offers[place[1]].tiers):
                if self._most(place) < volume:
                    break
                if self._benefit(line, place, tier) > least_benefit and self._gains(line, place, tier):
                    for lines in self._choices(line, place, tier):
                        if self._stands(place, tier, lines):
                            return place, lines
        return None

    def _places(self, line: Line) -> Sequence[Place]:
        return self._where.get(line.id, ())

    @cached_property
    def _where(self) -> dict[str, list[Place]]:
        found: dict[str, list[Place]] = {}
        for place, lines in self.fitting.items():
            for line in lines:
                found.setdefault(line.id, []).append(place)
        return found

    def _tipping(self, place: Place) -> float:
        return self.offers[place[1]].tiers[0][0]

    def _most(self, place: Place) -> float:
        """No choice of lines there has a larger sure quantity; the tolerance is on top."""
        if place not in self._mosts:
            squares, total, most = 0.0, 0, 0.0
            for line in self._ordered(self.fitting[place]):
                total, squares = total + line.quantity, squares + line.sd**2
                most = max(most, total - self.facts.policy.z * math.sqrt((1 - self.facts.policy.correlation) * squares))
            self._mosts[place] = most + sure_tolerance(most)
        return self._mosts[place]

    @cached_property
    def _mosts(self) -> dict[Place, float]:
        return {}

    @staticmethod
    def _ordered(lines: Sequence[Line]) -> list[Line]:
        """By falling quantity for variance: without correlation a choice of the largest sure quantity comes first.

        Q - z·sqrt(V) is convex in (Q, V), so one of its largest values is at a vertex of all choices.
        """
        return sorted(lines, key=lambda line: (line.sd**2 / line.quantity, -line.quantity, line.id))

    def _benefit(self, line: Line, place: Place, tier: int) -> float:
        return worth(self.facts, line, offer=self.offers[place[1]], tier=tier, start=place[0]).benefit

    def _gains(self, line: Line, place: Place, tier: int) -> bool:
        return not self.facts.policy.no_one_worse_off or self._benefit(line, place, tier) >= 0

    def _choices(self, line: Line, place: Place, tier: int) -> Iterator[tuple[Line, ...]]:
        """The line and more and more of the others."""
        others = [other for other in self._willing(place, tier) if other is not line]
        return ((line, *others[:size]) for size in range(len(others) + 1))

    def _willing(self, place: Place, tier: int) -> Sequence[Line]:
        """Lines that no decided pool holds and that would not lose there."""
        if (place, tier) not in self._gainers:
            self._gainers[place, tier] = [
                line
                for line in self._ordered(self.fitting[place])
                if line.id not in self._held and self._gains(line, place, tier)
            ]
        return self._gainers[place, tier]

    @cached_property
    def _gainers(self) -> dict[tuple[Place, int], Sequence[Line]]:
        return {}

    def _stands(self, place: Place, tier: int, lines: Sequence[Line]) -> bool:
        """Rules 2-4, 7, 9 and 10 for a pool of this lot alone, and what decided pools leave of quarters."""
        offer, policy = self.offers[place[1]], self.facts.policy
        if offer.tiers[tier][0] > sure_quantity(self.facts, lines):
            return False
        people = {line.participant for line in lines}
        widths = (
            (quantity(lines), offer.max_quantity),
            (quantity(lines) + self._supplied(offer), offer.total_max_quantity),
            (len(people), policy.max_participants_per_pool),
            (len({person.country for person in people}), policy.max_countries_per_pool),
            (self._pools(place[0], None) + 1, policy.max_pools_per_quarter),
            *((self._pools(place[0], person.id) + 1, person.max_pools_per_quarter) for person in people),
        )
        authorities = sum(person.authority for person in people)
        led = any(
            person.authority
            and person.may_lead
            and (
                person.max_leads is None
                or sum(given.lead == person.id for given in self.facts.fixed) < person.max_leads
            )
            for person in people
        )
        fits = all(limit is None or size <= limit for size, limit in widths)
        return led and fits and authorities >= policy.min_participants

    def _supplied(self, offer: Offer) -> int:
        return sum(quantity(lines) for given in self.facts.fixed for taken, lines in given.lots if taken is offer)

    def _pools(self, start: int, name: str | None) -> int:
        """Decided pools in the start's quarter, of a participant or of all."""
        return sum(
            0 <= given.start < self.facts.policy.horizon_months
            and given.start // 3 == start // 3
            and (name is None or name in given.participants)
            for given in self.facts.fixed
        )

    @cached_property
    def _decided(self) -> set[tuple[str, int]]:
        return {(given.family, given.start) for given in self.facts.fixed}

    @cached_property
    def _held(self) -> set[str]:
        return {line.id for given in self.facts.fixed for _, lines in given.lots for line in lines}

    @cached_property
    def _stood(self) -> set[str]:
        return {name for name, _, _ in self.facts.previous}
