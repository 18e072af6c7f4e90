"""Slots for items as an integer program over chosen slots and cells."""

from dataclasses import dataclass

import numpy as np

from solver.arrays import Flags, Floats, Ints
from solver.milp import Effort, Milp
from solver.slots.demand import Demand


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """What the integer program found (None: nothing) and the bound over the slots and cells that it had."""

    place: Ints | None
    opened: Flags | None
    bound: float
    proven: bool
    by_clock: bool
    impossible: bool


class Program:
    """The integer program of a demand: one column a slot, one a cell."""

    def __init__(self, demand: Demand) -> None:
        self.demand = demand
        milp = Milp()
        self.milp = milp
        self.open = milp.columns(-demand.opening_cost, upper=np.where(demand.can_open, 1.0, 0.0))
        self.take = milp.columns(demand.value)
        _once(self)
        _only_in_open(self)
        _sizes(self)
        _groups(self)
        _all_held(self)

    def solve(self, effort: Effort, start: tuple[Ints, Flags] | None = None) -> Placed:
        demand = self.demand
        known = None if start is None else self._columns_of(*start)
        answer = self.milp.solve(effort, start=known)
        if answer.values is None:
            return Placed(None, None, answer.bound, answer.proven, answer.by_clock, answer.impossible)
        place = np.full(demand.items, -1)
        chosen = np.flatnonzero(answer.values[self.take] > 0.5)
        place[demand.item[chosen]] = demand.slot[chosen]
        opened = answer.values[self.open] > 0.5
        return Placed(place, opened, answer.bound, answer.proven, answer.by_clock, answer.impossible)

    def _columns_of(self, place: Ints, opened: Flags) -> Floats | None:
        values = np.zeros(self.milp.column_count)
        values[self.open] = opened
        values[self.take] = place[self.demand.item] == self.demand.slot
        return values if values[self.take].sum() == (place >= 0).sum() else None


def _once(program: Program) -> None:
    """An item takes one place at most, or exactly one where all are served."""
    demand, milp = program.demand, program.milp
    lower = 1.0 if demand.served else -np.inf
    items, position = np.unique(demand.item, return_inverse=True)
    rows = milp.rows(len(items), lower=lower, upper=1.0)
    milp.entries(rows[position], program.take)


def _only_in_open(program: Program) -> None:
    """A place is in an open slot; row by row, which is far tighter than a slot's sum."""
    demand, milp = program.demand, program.milp
    rows = milp.rows(len(program.take), upper=0.0)
    milp.entries(rows, program.take)
    milp.entries(rows, program.open[demand.slot], -1.0)


def _sizes(program: Program) -> None:
    """An open slot holds no more than its ``max_size`` and at least its ``min_size``."""
    demand, milp = program.demand, program.milp
    reach = np.bincount(demand.slot, weights=demand.size[demand.item], minlength=demand.slots)
    for limit, tight, lower, upper in (
        (demand.max_size, reach > demand.max_size, -np.inf, 0.0),
        (demand.min_size, demand.min_size > 0, 0.0, np.inf),
    ):
        number = np.full(demand.slots, -1)
        chosen = np.flatnonzero(tight & demand.can_open & (limit > 0))
        number[chosen] = milp.rows(len(chosen), lower=lower, upper=upper)
        cells = np.flatnonzero(number[demand.slot] >= 0)
        slot = demand.slot[cells]
        milp.entries(number[slot], program.take[cells], demand.size[demand.item[cells]] / limit[slot])
        milp.entries(number[chosen], program.open[chosen], -1.0)


def _groups(program: Program) -> None:
    """At most one slot of an exclusive group."""
    demand, milp = program.demand, program.milp
    if len(demand.grouped):
        _, group = np.unique(demand.problem.group[demand.grouped], return_inverse=True)
        milp.entries(milp.rows(int(group.max()) + 1, upper=1.0)[group], program.open[demand.grouped])


def _all_held(program: Program) -> None:
    """Where all are served, the open slots together must hold them; follows from the rest, but not in fractions."""
    demand, milp = program.demand, program.milp
    limit = demand.max_size[demand.can_open]
    if demand.served and len(limit) and bool(np.isfinite(limit).all()) and limit.max() > 0:
        total, largest = float(demand.size[np.unique(demand.item)].sum()), float(limit.max())
        row = milp.rows(1, lower=total / largest)
        chosen = np.flatnonzero(demand.can_open)
        milp.entries(np.repeat(row, len(chosen)), program.open[chosen], limit / largest)
