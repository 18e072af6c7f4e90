"""Some families of a plan on a desk by themselves: quick to change and to solve, again and again.

The families are cut out of their instance; of the limits they share with others, what the pools of all others leave is
theirs. Whatever is asked here is asked with those pools as they stand.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from solver.arrays import Floats
from solver.errors import InvalidPlan
from solver.instance import Instance
from solver.instance.cutting import cut
from solver.limits import Left
from solver.lots import Market
from solver.months import offset
from solver.plan import PlanPool
from solver.pools import members, total_value
from solver.whatif.changes import apply
from solver.whatif.kinds import Change, ForbiddenAdded
from solver.whatif.placing import Ground, View
from solver.whatif.replan import Replanned, known_families, resolve
from solver.whatif.upholding import uphold
from solver.worth import Worth

SOLVE_NODES = 20_000
SAME_EUR, SAME_SHARE = 0.5, 1e-6
"""Totals closer than this, and this share of them, are equal: the tolerance of the contract on totals."""


def same_within(total_eur: float) -> float:
    """How far apart equal totals may be."""
    return SAME_EUR + SAME_SHARE * max(1.0, abs(total_eur))


@dataclass(frozen=True)
class Used:
    """What the pools of other families take of the shared limits, as `Left` counts them."""

    quarter_pools: Floats
    participant_quarter: Floats
    leads: Floats

    @classmethod
    def by(cls, market: Market, worth: Worth, pools: Sequence[PlanPool]) -> "Used":
        policy = market.instance.policy
        quarters = np.zeros_like(market.left.quarter_pools)
        own, leads = np.zeros_like(market.left.participant_quarter), np.zeros_like(market.left.leads)
        for pool in pools:
            month = offset(pool.start, policy.horizon_start)
            leads[market.participant[pool.lead]] += 1
            if 0 <= month < policy.horizon_months:  # a decided start outside the horizon is in no quarter
                quarters[month // 3] += 1
                own[[market.participant[name] for name in members(worth, pool)], month // 3] += 1
        return cls(quarters, own, leads)

    def leave(self, left: Left) -> Left:
        """What is left of the limits after them."""
        pairs = (
            (left.quarter_pools, self.quarter_pools),
            (left.participant_quarter, self.participant_quarter),
            (left.leads, self.leads),
        )
        quarters, own, leads = (np.maximum(0.0, have - used) for have, used in pairs)
        return Left(quarters, own, leads, left.offer_quantity)


@dataclass
class Desk:
    """Families of a lawful plan; ``solves`` counts how often they were solved."""

    instance: Instance
    used: Used
    families: tuple[str, ...]
    given: tuple[PlanPool, ...]
    """Their pools in the plan, decided ones included."""
    ends_at: float
    """On the monotonic clock; where it is past, solves return what they start from."""
    seed: int = 0
    solves: int = 0
    _best: Replanned | None = None
    _grounds: dict[str, Ground] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        instance: Instance,
        market: Market,
        worth: Worth,
        pools: Sequence[PlanPool],
        families: Collection[str],
        *,
        ends_at: float,
        seed: int = 0,
    ) -> "Desk":
        """The desk of some families; ``market`` and ``worth`` are of the whole instance. Raises `InvalidPlan` where
        the families' pools break a rule."""
        others = [pool for pool in pools if pool.family not in families]
        used = Used.by(market, worth, others)
        desk = cls(cut(instance, families), used, known_families(instance, families), (), ends_at, seed)
        view = desk.view()
        upheld = uphold(view.market, view.worth, [pool for pool in pools if pool.family in families], view.left)
        for broken in upheld.breaks:
            place = f"pool {broken.family} {broken.start}"
            raise InvalidPlan(f"{place}: breaks {broken.rule}: give a plan that solver.check finds lawful")
        desk.given = upheld.pools
        return desk

    def view(self, *changes: Change) -> View:
        """The families under changes; raises `InvalidInstance` for one that cannot be made."""
        return self.view_of(apply(self.instance, changes))

    def view_of(self, instance: Instance) -> View:
        market = Market(instance)
        return View(market, Worth(instance), self.used.leave(market.left))

    def solved(self, view: View, start: Sequence[PlanPool]) -> Replanned:
        """The families solved under the view, from pools that need not be lawful there."""
        self.solves += 1
        upheld = uphold(view.market, view.worth, start, view.left)
        return resolve(
            view.market,
            view.worth,
            upheld.pools,
            self.families,
            ends_at=self.ends_at,
            nodes=SOLVE_NODES,
            seed=self.seed,
            left=view.left,
        )

    @property
    def best(self) -> Replanned:
        """The families solved as they are: the best plan known, and a bound."""
        if self._best is None:
            self._best = self.solved(self.view(), self.given)
        return self._best

    def improve(self, pools: Sequence[PlanPool]) -> None:
        """Takes a better plan of the families as they are, found on the way."""
        view = self.view()
        upheld = uphold(view.market, view.worth, pools, view.left)
        value = total_value(view.worth, upheld.pools)
        if value > self.best.objective_eur:
            bound = max(value, self.best.bound_eur)
            self._best = Replanned(upheld.pools, self.best.families, value, bound, self.best.stopped_by_clock)
            self._grounds.clear()

    def ground(self, category: str, *changes: Change) -> Ground:
        """Where lines of the category could be put beside the best plan known, which must be lawful under changes."""
        if changes:
            return Ground(self.view(*changes), self.best.pools, category)
        if category not in self._grounds:
            self._grounds[category] = Ground(self.view(), self.best.pools, category)
        return self._grounds[category]

    def without(self, line: str, *changes: Change) -> View:
        """The families under changes, with the line kept out."""
        return self.view(*changes, ForbiddenAdded(line=line))

    @property
    def out_of_time(self) -> bool:
        return time.monotonic() >= self.ends_at
