"""A quick plan for a family whose pools a change has broken, to start its solve from.

Pools that lost something are tried whole in months near their own; then categories that lost lines open the most
promising lot for their free lines, again and again. Whatever is tried is valued exactly and kept only where it gains.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from solver.lots import SURE_TOLERANCE
from solver.months import month_at, offset
from solver.plan import PlanPool
from solver.pools import total_value
from solver.whatif.placing import Ground, Placement, View, tried
from solver.whatif.upholding import uphold

NEAR = 4
"""Months to either side."""
MOST_OPENED = 3
"""New lots a category."""
LEAST_GAIN_EUR = 1e-3


def mended(view: View, before: Sequence[PlanPool], standing: Sequence[PlanPool]) -> tuple[PlanPool, ...]:
    """One family's pools ``standing``, lawful under the view that leaves them its limits, with what they lost against
    ``before`` made good where that is quickly done; never worth less."""
    work = _Mending(view, tuple(standing))
    lost = [pool for pool in before if pool not in standing and work.lost(pool)]
    for pool in lost:
        work.shift(pool)
    categories = {view.worth.offers[lot.offer].category for pool in lost for lot in pool.lots}
    for category in sorted(categories):
        work.open_lots(category)
    return work.pools


class _Mending:
    """One plan being mended."""

    def __init__(self, view: View, pools: tuple[PlanPool, ...]) -> None:
        self.view, self.pools = view, pools
        self.value = total_value(view.worth, pools)
        self.policy = view.market.instance.policy

    def lost(self, pool: PlanPool) -> bool:
        """Whether lines of the pool that still exist are in no pool any more."""
        pooled = {name for other in self.pools for lot in other.lots for name in lot.lines}
        names = {name for lot in pool.lots for name in lot.lines}
        return any(name in self.view.worth.lines and name not in pooled for name in names)

    def shift(self, pool: PlanPool) -> None:
        """The pool as it was, in the month near its own that gains most."""
        own = offset(pool.start, self.policy.horizon_start)
        rest = [other for other in self.pools if (other.family, other.start) != (pool.family, pool.start)]
        taken = {other.start for other in rest}
        for near in sorted(range(-NEAR, NEAR + 1), key=abs):
            start = month_at(self.policy.horizon_start, max(0, own + near))
            if 0 <= own + near < self.policy.horizon_months and start not in taken:
                upheld = uphold(self.view.market, self.view.worth, [*rest, replace(pool, start=start)], self.view.left)
                self._keep(total_value(self.view.worth, upheld.pools), upheld.pools)

    def open_lots(self, category: str) -> None:
        """New lots of the category's free lines, the best first."""
        for _ in range(MOST_OPENED):
            ground = Ground(self.view, self.pools, category)
            placement = _best(ground)
            if placement is None or not self._keep(*tried(self.view, self.pools, ground.family, placement)):
                return

    def _keep(self, value: float, pools: tuple[PlanPool, ...]) -> bool:
        better = value > self.value + LEAST_GAIN_EUR
        if better:
            self.pools, self.value = pools, value
        return better


def _best(ground: Ground) -> Placement | None:
    """The lot of free lines that promises most, if any promises something."""
    best: Placement | None = None
    for company in ground.companies:
        if company.joins:
            continue
        terms = ground.view.market.terms
        root = np.sqrt((1 - terms.correlation) * company.variance + terms.correlation * company.deviation**2)
        tipping = ground.shelf.offers[company.offer].tiers[company.tier].from_quantity
        reached = company.quantity - terms.deviates * root >= tipping * (1 - SURE_TOLERANCE)
        possible = company.possible & reached & (company.authorities >= terms.min_participants)
        gain = np.where(possible, company.gain, -np.inf)
        month = int(np.argmax(gain))
        if gain[month] > (LEAST_GAIN_EUR if best is None else best.estimate_eur):
            lines = tuple(ground.shelf.lines[k].id for k in np.flatnonzero(company.there[:, month]))
            best = Placement(float(gain[month]), ground.shelf.offers[company.offer].id, month, lines)
    return best
