"""Which slots to open: sets of slots, the most promising first, each judged by the most that it can bring."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np

from solver.arrays import Flags, Floats
from solver.slots.demand import Demand
from solver.slots.relaxation import Relaxed, relax

ROUNDS, CANDIDATES = 120, 18
"""Rounds of the relaxation for a set; closed slots that are tried in a neighbour."""


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """A set of slots that are all paid for, the most it can bring, and the prices at which that shows."""

    slots: Flags
    bound: float
    prices: Floats


class Openings:
    """Sets met so far. ``waiting`` are those whose neighbours have not been looked at, best bound first."""

    def __init__(self, demand: Demand, root: Relaxed, *, target: float, reached: float) -> None:
        self.demand, self.root, self.target, self.reached = demand, root, target, reached
        self.seen: set[bytes] = set()
        self.good: list[Opening] = []
        self.waiting: list[tuple[float, int, Opening]] = []

    def start(self) -> None:
        """The slots that the relaxation opens, and the likeliest others until they hold what they must."""
        slots = self.demand.best_of_groups(self.root.worth)
        for slot in np.argsort(-self.root.worth, kind="stable"):
            if not self.demand.capacity_short(slots):
                break
            slots[slot] = self.demand.can_open[slot]
            slots[slot] &= self.demand.apart(slots)
        self._judge(slots, self.root.prices)

    def widen(self, most: int) -> None:
        """Look at the neighbours of the most promising sets, so many sets in all at most."""
        while self.waiting and len(self.seen) < most:
            _, _, here = heappop(self.waiting)
            for slots in self._neighbours(here.slots):
                if len(self.seen) < most:
                    self._judge(slots, here.prices)

    def better_than(self, value: float) -> list[Opening]:
        """The sets that can bring more, the most promising first."""
        if value > self.reached:
            self.target = self.reached = value
        return sorted((each for each in self.good if each.bound > value), key=lambda each: -each.bound)

    def _judge(self, slots: Flags, prices: Floats) -> None:
        key = np.packbits(slots).tobytes()
        if key in self.seen:
            return
        self.seen.add(key)
        if not slots.any() or self.demand.capacity_short(slots):
            return
        inside = self.demand.only(slots)
        if not inside.can_open[slots].all():
            return
        relaxed = relax(inside, prices=prices, target=self.target, reached=self.reached, rounds=ROUNDS, forced=slots)
        if relaxed.bound > self.reached:
            found = Opening(slots, relaxed.bound, relaxed.prices)
            self.good.append(found)
            heappush(self.waiting, (-found.bound, len(self.seen), found))

    def _neighbours(self, slots: Flags) -> Iterator[Flags]:
        """One slot closed, one opened, one for another; the likeliest first."""
        worth = self.root.worth
        inside = np.flatnonzero(slots)[np.argsort(worth[slots], kind="stable")]
        closed = np.flatnonzero(~slots & self.demand.can_open)
        outside = closed[np.argsort(-worth[closed], kind="stable")][:CANDIDATES]
        moves = (
            [([k], []) for k in inside] + [([], [k]) for k in outside] + [([i], [o]) for o in outside for i in inside]
        )
        for closing, opening in moves:
            changed = slots.copy()
            changed[closing] = False
            changed[opening] = True
            if self.demand.apart(changed):
                yield changed
