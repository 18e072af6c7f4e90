"""Prices for what families share, made from what their plans use of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from solver.arrays import Floats, Ints
from solver.limits import Left, Prices
from solver.lots import Block, DraftPool, pool_members
from solver.milp import Effort, Milp


@dataclass(frozen=True)
class Use:
    """What a plan is worth, prices not taken off, and what it uses: pools of each quarter, and of each participant
    (row) in each quarter."""

    value: float
    quarter_pools: Floats
    participant_quarter: Floats


def no_use(left: Left) -> Use:
    """Nothing used and nothing gained."""
    return Use(0.0, np.zeros_like(left.quarter_pools), np.zeros_like(left.participant_quarter))


def use_of(block: Block, pools: Sequence[DraftPool], left: Left) -> Use:
    """What a plan of a block is worth and uses."""
    use = no_use(left)
    for pool in pools:
        quarter = pool.start // 3
        use.quarter_pools[quarter] += 1
        use.participant_quarter[pool_members(block, pool), quarter] += 1
    return replace(use, value=sum(pool.value for pool in pools))


def halfway(first: Prices, second: Prices) -> Prices:
    """Between two sets of prices."""
    pairs = (
        (first.quarter_pools, second.quarter_pools),
        (first.participant_quarter, second.participant_quarter),
        (first.leads, second.leads),
    )
    return Prices(*((one + other) / 2 for one, other in pairs))


@dataclass
class Mixes:
    """Mixes of the plans that each family proposed, under the limits (the master of Dantzig-Wolfe decomposition)."""

    left: Left
    proposals: list[tuple[int, Use]] = field(default_factory=list)

    def add(self, block: int, use: Use) -> None:
        """One more proposal of the block."""
        self.proposals.append((block, use))

    def prices(self, effort: Effort) -> Prices | None:
        """Duals of the limits in the best mix; None where there is no time to find it."""
        uses = [use for _, use in self.proposals]
        blocks = np.array([block for block, _ in self.proposals])
        milp = Milp()
        mix = milp.columns([use.value for use in uses], integer=False)
        once = milp.rows(int(blocks.max(initial=0)) + 1, upper=1.0)
        milp.entries(once[blocks], mix)
        quarters = _limits(milp, [use.quarter_pools for use in uses], self.left.quarter_pools)
        own = _limits(milp, [use.participant_quarter for use in uses], self.left.participant_quarter)
        answer = milp.solve(effort, relaxed=True)
        if answer.row_duals is None or not answer.proven:
            return None
        prices = Prices.none(self.left)
        for array, rows in ((prices.quarter_pools, quarters), (prices.participant_quarter, own)):
            array[rows >= 0] = np.maximum(0.0, answer.row_duals[rows[rows >= 0]])
        return prices


def _limits(milp: Milp, used: Sequence[Floats], limit: Floats) -> Ints:
    """A row for each limit that the uses could exceed: its number, else -1."""
    table = np.array([use.ravel() for use in used])
    tight = np.flatnonzero(table.sum(axis=0) > limit.ravel())
    rows = np.full(limit.size, -1)
    rows[tight] = milp.rows(len(tight), upper=limit.ravel()[tight])
    column, which = np.nonzero(table[:, tight] > 0)
    milp.entries(rows[tight[which]], column, table[column, tight[which]])
    return rows.reshape(limit.shape)
