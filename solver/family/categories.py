"""A tighter bound of a large block: its categories one by one, at prices for what they share.

Each category has pools, members and countries of its own, and pays for them what the relaxation says they are worth to
it; which lots it opens is decided in whole. What all pay together opens the pools (Lagrangian decomposition: Guignard
and Kim, "Lagrangean decomposition: a model yielding stronger Lagrangean bounds", Mathematical Programming 39, 1987).
For any prices the bound is true.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from solver.arrays import Flags, Floats, Ints
from solver.family.model import Model
from solver.family.opening import shelves
from solver.family.pricing import column_pools, part
from solver.milp import Effort

CATEGORY_GAP, CATEGORY_NODES = 1e-3, 100
"""How close the bound of each category is found, and what that may cost."""


@dataclass(frozen=True, eq=False)
class Bounds:
    """Of every plan, and pool by pool of every plan with it (``opened``) and without it (``closed``)."""

    every: float
    opened: Floats
    closed: Floats


class Categories:
    """A model taken apart: columns of one category, those of none (shared), and the rows of each."""

    def __init__(self, model: Model, opened: Flags, closed: Flags) -> None:
        milp = model.milp
        self.model, self.matrix = model, milp.arrays()
        self.kept = ~closed[column_pools(model)]
        self.forced = np.zeros(milp.column_count, dtype=bool)
        self.forced[model.open[opened]] = True
        self.whole = np.zeros(milp.column_count, dtype=bool)
        self.whole[model.step] = True
        self.category = column_categories(model)
        of_entry = self.category[self.matrix.column]
        own = self.kept[self.matrix.column] & (of_entry >= 0)
        self.row_category, first = np.full(milp.row_count, -1), np.full(milp.row_count, len(self.category))
        np.maximum.at(self.row_category, self.matrix.row[own], of_entry[own])
        np.minimum.at(first, self.matrix.row[own], of_entry[own])
        self.coupling = (self.row_category >= 0) & (first != self.row_category)

    def bounds(self, duals: Floats, effort: Callable[[], Effort], *, threads: int = 1) -> Bounds:
        """What no plan with these pools can exceed, by prices made from the duals of a relaxation's rows.

        ``threads``: how many categories are solved side by side.
        """
        paid, constant = self._paid(duals)
        matrix, shared, size = self.matrix, self.category < 0, len(self.category)
        value = matrix.value - np.bincount(matrix.column, weights=paid[matrix.row] * matrix.coefficient, minlength=size)
        rest, alone = value.copy(), []
        for category in np.unique(self.category[self.kept & ~shared]).tolist():
            inside = (self.row_category == category) & ~self.coupling
            entries = inside[matrix.row] & self.kept[matrix.column]
            used = np.flatnonzero(entries & shared[matrix.column])
            column = matrix.column[used]
            price = -np.bincount(column, weights=duals[matrix.row[used]] * matrix.coefficient[used], minlength=size)
            rest += price
            columns = np.union1d(column, np.flatnonzero(self.kept & (self.category == category)))
            alone.append((np.where(shared, -price, value), columns, np.flatnonzero(inside)))
        with ThreadPoolExecutor(threads) as pool:
            total = constant + sum(pool.map(lambda own: self._most(own[0], own[1], own[2], effort), alone))
        return self._opening(rest, total, effort)

    def _opening(self, rest: Floats, total: float, effort: Callable[[], Effort]) -> Bounds:
        """The total with what opening the pools brings at most, of all pools and with one of them decided."""
        rows = np.flatnonzero(self.row_category < 0)
        kept = self.kept & (self.category < 0)
        every = total + self._most(rest, np.flatnonzero(kept), rows, effort)
        opened, closed = np.full(len(self.model.open), every), np.full(len(self.model.open), every)
        pools = column_pools(self.model)
        for pool in np.flatnonzero(kept[self.model.open] & ~self.forced[self.model.open]).tolist():
            column = self.model.open[pool]
            self.forced[column] = True
            opened[pool] = min(every, total + self._most(rest, np.flatnonzero(kept), rows, effort))
            self.forced[column] = False
            closed[pool] = min(every, total + self._most(rest, np.flatnonzero(kept & (pools != pool)), rows, effort))
        return Bounds(every, opened, closed)

    def _paid(self, duals: Floats) -> tuple[Floats, float]:
        """Prices of the rows between categories, of the sign that each must have, and what their limits are worth."""
        matrix = self.matrix
        paid = np.where(np.isfinite(matrix.high), np.maximum(duals, 0.0), 0.0)
        paid += np.where(np.isfinite(matrix.low), np.minimum(duals, 0.0), 0.0)
        paid[~self.coupling] = 0.0
        limit = np.where(paid > 0, matrix.high, matrix.low)
        return paid, float((paid[paid != 0] * limit[paid != 0]).sum())

    def _most(self, value: Floats, columns: Ints, rows: Ints, effort: Callable[[], Effort]) -> float:
        """An upper bound on the columns' value under the rows, with lots opened in whole."""
        own = part(self.matrix, value, columns, rows, integer=self.whole[columns])
        limits = replace(effort(), relative_gap=CATEGORY_GAP, nodes=CATEGORY_NODES)
        return own.solve(limits, forced=self.forced[columns]).bound


def column_categories(model: Model) -> Ints:
    """The category of every column, by number; -1 for what categories share."""
    block = model.block
    category = np.full(model.milp.column_count, -1)
    for number, cells in enumerate(shelves(block)):
        category[model.take[cells]] = number
        category[model.step[np.unique(block.cell_step[cells])]] = number
        if len(model.counted):
            counted = model.counted[cells]
            category[counted[counted >= 0]] = number
    return category
