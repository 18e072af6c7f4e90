"""Places for items in a given set of open slots: a tabu search by moves and exchanges.

Too much or too little in a slot is allowed at a price that rises while it lasts and falls while all is well (strategic
oscillation; J. A. Diaz and E. Fernandez, "A tabu search heuristic for the generalized assignment problem", European
Journal of Operational Research 132, 2001).
"""

from typing import Any

import numpy as np

from solver.arrays import Flags, Floats, Ints
from solver.slots.demand import Demand

HELD, PATIENCE, FACTOR = 10, 10, 1.25
"""A move is not undone for so many steps; after so many steps of one kind the price of excess changes by so much."""
TOLERANCE = 1e-9
LARGEST_EXCHANGE = 400
"""With more items, exchanges are tried among so many at a time."""


def settle(demand: Demand, slots: Flags, steps: int) -> Ints | None:
    """The best placement in the open slots that was met in so many steps; None where none fits.

    It starts with each item where it is worth most.
    """
    order = np.lexsort((demand.slot, -demand.value, demand.item))
    item = demand.item[order]
    first = np.r_[True, item[1:] != item[:-1]][: len(item)]
    start = np.full(demand.items, -1)
    start[item[first]] = demand.slot[order[first]]
    table = _Table(demand, slots, start)
    for step in range(steps):
        table.step(step)
    if table.best is None:
        return None
    place: Ints = np.r_[table.slots, -1][table.best]
    return None if demand.served and bool((place < 0).any()) else place


class _Table:
    """Items against open slots, the last column for staying out; loads, and what each move would bring."""

    def __init__(self, demand: Demand, slots: Flags, start: Ints) -> None:
        self.slots = np.flatnonzero(slots)
        count = len(self.slots)
        column = np.full(demand.slots + 1, count)
        column[self.slots] = np.arange(count)
        self.value = np.full((demand.items, count + 1), -np.inf)
        inside = slots[demand.slot]
        self.value[demand.item[inside], column[demand.slot[inside]]] = demand.value[inside]
        out = -1.0 - float(np.abs(demand.value).sum() + np.abs(demand.opening_cost).sum()) if demand.served else 0.0
        self.value[:, count] = out
        self.size: Floats = demand.size
        self.most = np.r_[demand.max_size[self.slots], np.inf] * (1 + TOLERANCE)
        self.least = np.r_[demand.min_size[self.slots], 0.0] * (1 - TOLERANCE)
        self.items = np.arange(demand.items)
        self.place = column[start]
        self.place[~np.isfinite(self.value[self.items, self.place])] = count
        self.load = np.bincount(self.place, weights=self.size, minlength=count + 1).astype(float)
        self.price = float(np.abs(demand.value).mean() / max(1e-9, demand.size.mean())) if len(demand.value) else 1.0
        self.until = np.zeros(self.value.shape, dtype=np.int64)
        self.best: Ints | None = None
        self.best_value = -np.inf
        self.fitting = self.short_of = 0
        self._note()

    def excess(self, load: Any, column: Ints | slice = slice(None)) -> Floats:
        found: Floats = np.maximum(0.0, load - self.most[column]) + np.maximum(0.0, self.least[column] - load)
        return found

    def step(self, number: int) -> None:
        """The best move or exchange that is not held; one that would be the best yet is never held."""
        here = self.value[self.items, self.place]
        now = self.excess(self.load)
        leaving = now[self.place] - self.excess(self.load[self.place] - self.size, self.place)
        entering = now - self.excess(self.load + self.size[:, None])
        gain = self.value - here[:, None] + self.price * (leaving[:, None] + entering)
        gain[self.items, self.place] = -np.inf
        total = float(here.sum()) - self.price * float(now.sum())
        gain[(self.until > number) & (total + gain <= self.best_value)] = -np.inf
        flat = int(np.argmax(gain))
        item, column = divmod(flat, gain.shape[1])
        best = float(gain[item, column])
        pair = self._exchange(number, here, now, best) if best <= 1e-9 else None
        if pair is not None:
            first, second = pair
            one, other = int(self.place[first]), int(self.place[second])
            self._move(first, other, number)
            self._move(second, one, number)
        elif np.isfinite(best):
            self._move(item, column, number)
        self._note()

    def _exchange(self, number: int, here: Floats, now: Floats, least: float) -> tuple[int, int] | None:
        """Two items that change places, if that brings more than ``least``."""
        chosen = self.items
        if len(chosen) > LARGEST_EXCHANGE:
            chosen = (np.arange(LARGEST_EXCHANGE) + number * LARGEST_EXCHANGE) % len(self.items)
        place, size = self.place[chosen], self.size[chosen]
        other = self.value[chosen][:, place]
        difference = size[None, :] - size[:, None]
        lighter = now[place][:, None] - self.excess(self.load[place][:, None] + difference, place[:, None])
        gain = other - here[chosen][:, None] + self.price * lighter
        gain = gain + gain.T
        gain[place[:, None] == place[None, :]] = -np.inf
        held = self.until[chosen][:, place] > number
        gain[held | held.T] = -np.inf
        first, second = divmod(int(np.argmax(gain)), len(chosen))
        return (int(chosen[first]), int(chosen[second])) if gain[first, second] > least else None

    def _move(self, item: int, column: int, number: int) -> None:
        old = self.place[item]
        self.load[old] -= self.size[item]
        self.load[column] += self.size[item]
        self.place[item] = column
        self.until[item, old] = number + HELD + item % 5

    def _note(self) -> None:
        """Remember the best that fits; make excess dearer while it lasts, cheaper while there is none."""
        value = float(self.value[self.items, self.place].sum())
        if float(self.excess(self.load).sum()) <= 0:
            self.fitting, self.short_of = self.fitting + 1, 0
            if value > self.best_value:
                self.best, self.best_value = self.place.copy(), value
        else:
            self.fitting, self.short_of = 0, self.short_of + 1
        if self.fitting > PATIENCE:
            self.price, self.fitting = self.price / FACTOR, 0
        elif self.short_of > PATIENCE:
            self.price, self.short_of = self.price * FACTOR, 0
