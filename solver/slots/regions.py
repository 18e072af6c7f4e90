"""A placement made better part by part: a slot and those nearest to it are emptied and filled again at best."""

import numpy as np

from solver.arrays import Flags, Floats, Ints
from solver.milp import Effort
from solver.slots.clock import Clock
from solver.slots.demand import Demand
from solver.slots.placing import Program

NODES, GAP = 50, 1e-6
"""What a part may cost to solve."""


def refine(demand: Demand, place: Ints, clock: Clock, sizes: range) -> Ints:
    """Parts around each slot in turn, of so many open slots; larger ones once the smaller bring nothing."""
    values = np.full((demand.items, demand.slots), -np.inf)
    values[demand.item, demand.slot] = demand.value
    best = demand.value_of(place, demand.opened_by(place))
    for size in sizes:
        opened = np.unique(place[place >= 0])
        quiet, turn = 0, 0
        while quiet < len(opened) and not clock.over():
            part = _around(values, demand.can_open, place, int(opened[turn % len(opened)]), size)
            part &= ~_excluded(demand, opened[~part[opened]])
            found = _refilled(demand, part, place, clock)
            value = demand.value_of(found, demand.opened_by(found))
            turn, quiet = turn + 1, quiet + 1
            if value > best + 1e-9 * max(1.0, abs(best)):
                place, best, quiet = found, value, 0
                opened = np.unique(place[place >= 0])
        if size >= len(opened):
            break
    return place


def _around(values: Floats, can_open: Flags, place: Ints, slot: int, size: int) -> Flags:
    """The slot, the open ones in which its items would be worth most, and half as many closed ones."""
    mine = values[place == slot]
    near = np.where(np.isfinite(mine), mine, -1e15).mean(axis=0) if len(mine) else np.zeros(len(can_open))
    near[slot] = np.inf
    opened = np.zeros(len(can_open), dtype=bool)
    opened[place[place >= 0]] = True
    part = np.zeros(len(can_open), dtype=bool)
    for among, most in ((opened, size), (can_open & ~opened, size // 2)):
        slots = np.flatnonzero(among)
        part[slots[np.argsort(-near[slots], kind="stable")][:most]] = True
    return part


def _excluded(demand: Demand, standing: Ints) -> Flags:
    """The slots that cannot open beside those that stay open."""
    group = demand.problem.group
    taken = group[standing]
    excluded: Flags = np.isin(group, taken[taken >= 0])
    return excluded


def _refilled(demand: Demand, part: Flags, place: Ints, clock: Clock) -> Ints:
    """The items of the part, and those that are out, placed in it at best."""
    inside = (place < 0) | part[place]
    smaller = demand.only(part, inside[demand.item])
    start = np.where(inside, place, -1)
    effort = Effort(clock.remaining_s(), GAP, NODES, clock.seed)
    found = Program(smaller).solve(effort, (start, part & demand.opened_by(start)))
    return place if found.place is None else np.where(inside, found.place, place)
