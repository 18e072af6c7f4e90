"""What a line would change in the total by joining the plan where it could, the other pools as they stand: estimates.

What the lots lose that others would leave is not counted, nor whether the company is lawful in every way.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from solver.instance import Line
from solver.leads import assign_leads
from solver.lots import Market
from solver.months import month_at, offset
from solver.plan import PlanPool
from solver.shelves import Shelf
from solver.worth import Worth


@dataclass(frozen=True)
class Reached:
    """A tier of an offer (by its position on the shelf) that enough willing lines reach from a month."""

    offer: int
    tier: int
    month: int
    benefit_eur: float


@dataclass
class Standing:
    """Where the plan's lines and pools stand, and what is left of the limits."""

    market: Market
    worth: Worth
    pools: Sequence[PlanPool]
    of_line: dict[str, tuple[PlanPool, int]] = field(default_factory=dict)
    pool_at: dict[tuple[str, str], PlanPool] = field(default_factory=dict)
    fixed: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        left = self.market.left
        self.quarter_pools, self.own = left.quarter_pools.copy(), left.participant_quarter.copy()
        self.offer_left = dict(zip((o.id for o in self.market.instance.offers), left.offer_quantity, strict=True))
        self.fixed = {(pool.family, pool.start) for pool in self.market.instance.fixed}
        for pool in self.pools:
            self.pool_at[pool.family, pool.start] = pool
            for k, lot in enumerate(pool.lots):
                self.of_line.update(dict.fromkeys(lot.lines, (pool, k)))
            if (pool.family, pool.start) in self.fixed:
                continue
            quarter = self.month(pool) // 3
            self.quarter_pools[quarter] -= 1
            self.own[[self.market.participant[p] for p in self.members(pool)], quarter] -= 1
            for lot in pool.lots:
                self.offer_left[lot.offer] -= lot.quantity
        new = [pool for pool in self.pools if (pool.family, pool.start) not in self.fixed]
        self.able = [self.leaders(self.members(pool)) for pool in new]
        self.leads = left.leads.copy()
        for pool in new:
            self.leads[self.market.participant[pool.lead]] -= 1

    def month(self, pool: PlanPool) -> int:
        return offset(pool.start, self.market.instance.policy.horizon_start)

    def leaders(self, members: Iterable[str]) -> list[int]:
        """Those of the members that may lead, as numbered in the instance."""
        people, number = self.market.instance.participants, self.market.participant
        numbers = sorted(number[member] for member in members)
        return [p for p in numbers if people[p].may_lead and people[p].contracting_authority]

    def lead_missing(self, members: Iterable[str]) -> str | None:
        """What keeps a new pool of the members from having a lead; None where nothing does."""
        able = self.leaders(members)
        if not able:
            return "may_lead"
        if any(self.leads[p] >= 1 for p in able) or assign_leads([*self.able, able], self.market.left.leads):
            return None
        return "max_leads"

    def members(self, pool: PlanPool) -> set[str]:
        return {self.worth.lines[line].participant for lot in pool.lots for line in lot.lines}


class Joining:
    """One line that is in no pool, and the plan that it would join."""

    def __init__(self, standing: Standing, shelf: Shelf, line: Line) -> None:
        self.standing, self.shelf, self.line = standing, shelf, line
        self.market, self.worth = standing.market, standing.worth
        self.instance = self.market.instance
        self.policy = self.instance.policy
        self.family = self.market.category[line.category].family
        self.position = shelf.index[line.id]

    def at(self, reached: Reached) -> tuple[float, str | None, Reached]:
        """What joining there changes in the total, and the first limit in its way."""
        start, offer = self._month(reached.month), self.shelf.offers[reached.offer]
        pool = self.standing.pool_at.get((self.family, start))
        lot = next((lot for lot in pool.lots if lot.offer == offer.id), None) if pool else None
        if lot is not None:
            joined = self.worth.lot(lot.offer, [*lot.lines, self.line.id], start)
            change = joined.benefit_eur - lot.benefit_eur if joined.tier >= lot.tier else -np.inf
            new: tuple[Line, ...] = (self.line,)
        else:
            new = self._company(reached)
            change = self._moved(reached, new) - self.policy.lot_cost_eur
        members = self.standing.members(pool) if pool else set()
        countries = {self.worth.countries[p] for p in members}
        added = {self.worth.countries[line.participant] for line in new} - countries
        change -= self.policy.country_cost_eur * (len(added) - (0 if pool else 1))
        change -= 0 if pool else self.policy.pool_cost_eur
        return change, self._limit(reached, new, members, pool, lot is not None), reached

    def _company(self, reached: Reached) -> tuple[Line, ...]:
        """Who would open a lot there with the line: those in no pool where they are enough, else all the willing."""
        crowd = self.shelf.crowd(reached.offer, reached.tier, reached.month)
        willing = [self.shelf.lines[k] for k in crowd.lines if k != self.position] + [self.line]
        free = [line for line in willing if line.id not in self.standing.of_line]
        tipping = self.shelf.offers[reached.offer].tiers[0].from_quantity
        people = self.instance.participants
        named = {line.participant for line in free}
        authorities = sum(people[self.market.participant[p]].contracting_authority for p in named)
        enough = authorities >= self.policy.min_participants
        return tuple(free if enough and self.worth.sure_quantity([line.id for line in free]) >= tipping else willing)

    def _moved(self, reached: Reached, lines: Sequence[Line]) -> float:
        """Benefits of the lines at the place, less what they have where they stand now."""
        value = 0.0
        for line in lines:
            value += self.shelf.benefit(self.shelf.index[line.id], reached.offer, reached.tier, reached.month)
            now = self.standing.of_line.get(line.id)
            if now is not None:
                pool, k = now
                lot = pool.lots[k]
                value -= self.worth.line(line, self.worth.offers[lot.offer], lot.tier, pool.start).benefit_eur
        return value

    def _limit(
        self, reached: Reached, new: Sequence[Line], members: set[str], pool: PlanPool | None, joins: bool
    ) -> str | None:
        """The first limit that stands in the way of the lines joining there; None where none does."""
        standing, offer, quarter = self.standing, self.shelf.offers[reached.offer], reached.month // 3
        if (self.family, self._month(reached.month)) in standing.fixed:
            return "fixed pool"
        quantity = sum(line.quantity for line in new)
        there = next((lot.quantity for lot in pool.lots if lot.offer == offer.id), 0) if pool and joins else 0
        if offer.max_quantity is not None and there + quantity > offer.max_quantity:
            return "max_quantity"
        if standing.offer_left[offer.id] < quantity:
            return "total_max_quantity"
        if pool is None and standing.quarter_pools[quarter] < 1:
            return "max_pools_per_quarter"
        joining = {line.participant for line in new} - members
        unled = standing.lead_missing(joining) if pool is None else None
        if unled is not None:
            return unled
        full = [p for p in sorted(joining) if standing.own[self.market.participant[p], quarter] < 1]
        if full:
            return f"max_pools_per_quarter of {full[0]}"
        together = members | joining
        most = self.policy.max_participants_per_pool
        if most is not None and len(together) > most:
            return "max_participants_per_pool"
        most = self.policy.max_countries_per_pool
        if most is not None and len({self.worth.countries[p] for p in together}) > most:
            return "max_countries_per_pool"
        return None

    def _month(self, start: int) -> str:
        return month_at(self.policy.horizon_start, start)
