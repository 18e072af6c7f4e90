"""The relaxation of a large block by column generation: some pools in the program, the others judged by its prices.

At the prices of what pools share (lines, offers' totals, quarters, leads) every pool outside is a small linear program
of its own. What those are worth together, added to the value of the program solved, bounds the whole relaxation
(Lagrangian relaxation of the shared rows); those worth most come in.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from solver.arrays import Flags, Floats, Ints
from solver.family.model import Model
from solver.milp import Answer, Effort, Matrix, Milp

EVERY, WORTHWHILE = 3, 1e-4
"""The first pools are every third; a pool comes in for such a share of the bound."""


class PoolPricing:
    """The pools in the program and the lowest bound so far; ``duals`` are of all rows, at that bound.

    ``opened`` and ``closed``: pools that stand and pools that are not to be.
    """

    def __init__(self, model: Model, effort: Callable[[], Effort], pools: Flags, opened: Flags, closed: Flags) -> None:
        self.model, self.effort = model, effort
        self.pools, self.opened, self.closed = pools | opened, opened, closed
        self.bound, self.duals = np.inf, np.empty(0)

    def solve(self) -> Answer:
        """The relaxation over the pools that are in."""
        forced = np.zeros(self.model.milp.column_count, dtype=bool)
        forced[self.model.open[self.opened]] = True
        return self.model.milp.solve(self.effort(), relaxed=True, kept=self.columns(self.pools), forced=forced)

    def columns(self, pools: Flags) -> Flags:
        """The columns of these pools."""
        kept: Flags = pools[column_pools(self.model)]
        return kept

    def widen(self, answer: Answer) -> bool:
        """Judge the pools outside at the answer's prices; whether any came in."""
        worth, duals = self._worth(answer)
        bound = answer.bound + float(np.maximum(worth, 0.0).sum())
        if bound < self.bound:
            self.bound, self.duals = bound, duals
        joining = worth > WORTHWHILE * abs(answer.bound)
        self.pools = self.pools | joining
        return bool(joining.any())

    def _worth(self, answer: Answer) -> tuple[Floats, Floats]:
        """What each pool outside could add at most, 0 for those inside or closed; and the duals of all rows."""
        assert answer.row_duals is not None  # noqa: S101 relaxations have them
        milp = self.model.milp
        matrix = milp.arrays()
        pool = column_pools(self.model)
        lowest, highest = np.full(milp.row_count, len(self.pools)), np.full(milp.row_count, -1)
        np.minimum.at(lowest, matrix.row, pool[matrix.column])
        np.maximum.at(highest, matrix.row, pool[matrix.column])
        inner = lowest == highest
        all_duals = answer.row_duals.copy()
        duals = np.where(inner, 0.0, np.maximum(answer.row_duals, 0.0))
        paid = np.bincount(matrix.column, weights=duals[matrix.row] * matrix.coefficient, minlength=milp.column_count)
        worth = np.zeros(len(self.pools))
        for outside in np.flatnonzero(~self.pools & ~self.closed):
            rows = np.flatnonzero(inner & (lowest == outside))
            own = part(matrix, matrix.value - paid, np.flatnonzero(pool == outside), rows)
            found = own.solve(self.effort(), relaxed=True)
            worth[outside] = found.bound
            if found.row_duals is not None:
                all_duals[rows] = found.row_duals
        return worth, all_duals


def column_pools(model: Model) -> Ints:
    """The pool of every column."""
    block = model.block
    pool = np.full(model.milp.column_count, -1)
    pool[model.open] = np.arange(len(model.open))
    pool[model.step] = block.lot_pool[block.step_lot]
    pool[model.take] = model.cell_pool
    for columns, owners in (
        (model.member, model.pair_pool),
        (model.country, model.country_pool[: len(model.country)]),
        (model.lead, model.pair_pool[model.lead_pair][: len(model.lead)]),
        (model.counted, model.cell_pool[: len(model.counted)]),
    ):
        there = columns >= 0
        pool[columns[there]] = owners[there]
    return pool


def first_pools(model: Model) -> Flags:
    """Some pools to begin with, evenly."""
    first: Flags = np.arange(len(model.open)) % EVERY == 0
    return first


def part(matrix: Matrix, value: Floats, columns: Ints, rows: Ints, *, integer: ArrayLike = False) -> Milp:
    """Some columns with other values, under some rows; what else stands in these is 0."""
    smaller = Milp()
    column = np.full(len(matrix.value), -1)
    column[columns] = smaller.columns(value[columns], upper=matrix.upper[columns], integer=integer)
    row = np.full(len(matrix.low), -1)
    row[rows] = smaller.rows(len(rows), lower=matrix.low[rows], upper=matrix.high[rows])
    inside = (row[matrix.row] >= 0) & (column[matrix.column] >= 0)
    smaller.entries(row[matrix.row[inside]], column[matrix.column[inside]], matrix.coefficient[inside])
    return smaller
