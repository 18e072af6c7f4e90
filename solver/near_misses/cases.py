"""One offer's gap, and who closes it in which way."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from solver.arrays import Flags, Floats
from solver.instance import Offer
from solver.near_misses.closing import MOST_MONTHS, Base, Stock, close
from solver.near_misses.near_miss import BOTH, CRITERION, WINDOW
from solver.plan import PlanLot, PlanPool

CRITERION_MONTHS = 6
"""Asking for a criterion to be dropped counts as much as asking for a window to move by so many months."""
UNASKED = 1e3
"""Lines with nothing to change come before all others."""


@dataclass(frozen=True)
class Case:
    """One offer's gap, month by month: what is there, who could come and what it takes."""

    stock: Stock
    offer: Offer
    tier: int
    base: Base
    joining: Flags
    """(lines, months) could join with nothing to change."""
    window: Flags
    criterion: Flags
    benefit: Floats
    """(lines, months) at the tier."""
    ceiling: float
    pool: Mapping[int, PlanPool]
    """The plan's pools of the family, by column."""
    lot: PlanLot | None = None
    """The lot that is there, for the next tier."""

    @property
    def needed(self) -> int:
        return self.offer.tiers[self.tier].from_quantity

    def closers(self, kind: str) -> tuple[Flags, Flags]:
        """Who closes the gap in a way, and at which months."""
        could = self.joining.copy()
        if kind in (WINDOW, BOTH):
            could |= self.window
        if kind in (CRITERION, BOTH):
            could |= self.criterion
        ease = np.where(self.joining, UNASKED, 1 - np.abs(self.stock.moved) / (2 * MOST_MONTHS))
        ease = np.where(self.criterion, 1 - CRITERION_MONTHS / (2 * MOST_MONTHS), ease)
        return close(self.stock, self.base, could, ease, needed=float(self.needed), ceiling=self.ceiling)
