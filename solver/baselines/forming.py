"""Forming pools by hand: one after another, the most valuable first, under what limits leave.

No search: a pool takes every lot that pays, and what is taken stays taken. Months are counted from the start of the
horizon, participants are numbered as in the instance. Money is EUR over the term.
"""

import heapq
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from solver.arrays import Flags, Floats, Ints
from solver.baselines.monthly import MonthlyLots, Place, Stand
from solver.leads import assign_leads
from solver.lots import Market
from solver.months import month_at
from solver.plan import PlanPool
from solver.shelves import Shelf
from solver.worth import Worth


@dataclass(frozen=True)
class Proposal:
    """A pool that could be held; each lot is (stand, offer on its shelf, lines on its shelf)."""

    family: str
    month: int
    value: float
    lots: tuple[tuple[Stand, int, Ints], ...]


def shelves(market: Market) -> dict[str, Shelf]:
    """A shelf for every category that has lines outside fixed pools."""
    lines = market.instance.lines
    named = {c.id: [lines[k] for k in market.lines_of.get(c.id, ())] for c in market.instance.categories}
    return {category: Shelf(market, category, chosen) for category, chosen in named.items() if chosen}


def form_pools(
    market: Market, on: Mapping[str, Shelf], only: Mapping[str, Place] | None = None
) -> tuple[PlanPool, ...]:
    """New pools of the lines on the shelves, by start and family.

    ``only``: each category's one place; a category not named has none. Without it every offer and month is tried.
    """
    places: Mapping[str, Place | None] = dict.fromkeys(on) if only is None else only
    forming = _Forming(market, {category: Stand(market, on[category], place) for category, place in places.items()})
    queue = [(-np.inf, family) for family in sorted(forming.stands)]
    while queue:
        _, family = heapq.heappop(queue)
        proposal = forming.propose(family)
        if proposal.value <= 0:
            continue
        if not queue or -proposal.value <= queue[0][0]:  # else limits took from it since it was queued
            forming.hold(proposal)
        heapq.heappush(queue, (-proposal.value, family))
    return forming.pools()


class _Forming:
    """The pools held so far, the lines still free, and what is left of the limits."""

    def __init__(self, market: Market, stands: Mapping[str, Stand]) -> None:
        self.market, self.instance = market, market.instance
        self.months = self.instance.policy.horizon_months
        self.quarter_pools, self.own = market.left.quarter_pools.copy(), market.left.participant_quarter.copy()
        self.offer_left = dict(zip((o.id for o in self.instance.offers), market.left.offer_quantity.tolist()))
        able = [person.may_lead and person.contracting_authority for person in self.instance.participants]
        self.leader: Flags = np.array(able, dtype=bool) & (market.left.leads >= 1)
        self.country = np.equal.outer(np.unique(market.country), market.country).astype(float)
        self.able: list[list[int]] = []
        self.leads: list[int] = []
        self.held: list[Proposal] = []
        self.stands: dict[str, list[Stand]] = defaultdict(list)
        for category, stand in stands.items():
            self.stands[market.category[category].family].append(stand)
        self.closed = {family: np.zeros(self.months, dtype=bool) for family in self.stands}
        for family, month in market.taken:
            if family in self.closed and 0 <= month < self.months:
                self.closed[family][month] = True

    def propose(self, family: str) -> Proposal:
        """The family's most valuable pool of its free lines; value -inf where there is none."""
        quarter = np.arange(self.months) // 3
        may = (self.own[:, quarter] >= 1) & (self.quarter_pools[quarter] >= 1) & ~self.closed[family]
        draft = _Draft(self, family, may)
        leaving = draft.leaving()
        drafts = [draft, _Draft(self, family, may & ~leaving)] if leaving.any() else [draft]
        return max(drafts, key=lambda one: float(one.value.max())).proposal()

    def room(self, stand: Stand) -> list[float]:
        """The largest lot that each offer of the shelf still allows."""
        offers = stand.shelf.offers
        return [min(self.offer_left[o.id], np.inf if o.max_quantity is None else o.max_quantity) for o in offers]

    def hold(self, proposal: Proposal) -> None:
        """Take the proposal; its month is closed even where no assignment of leads is left for it."""
        self.closed[proposal.family][proposal.month] = True
        spend: dict[int, float] = defaultdict(float)
        for stand, _, lines in proposal.lots:
            for person, amount in zip(stand.shelf.participant[lines].tolist(), stand.shelf.spend[lines], strict=True):
                spend[person] += float(amount)
        able = sorted((person for person in spend if self.leader[person]), key=lambda p: (-spend[p], p))
        leads = assign_leads([*self.able, able], self.market.left.leads)
        if leads is None:
            return
        self.able.append(able)
        self.leads = leads
        self.held.append(proposal)
        self.quarter_pools[proposal.month // 3] -= 1
        self.own[list(spend), proposal.month // 3] -= 1
        for stand, offer, lines in proposal.lots:
            stand.free[lines] = False
            self.offer_left[stand.shelf.offers[offer].id] -= float(stand.shelf.quantity[lines].sum())

    def pools(self) -> tuple[PlanPool, ...]:
        """What is held, in the instance's names."""
        worth, origin = Worth(self.instance), self.instance.policy.horizon_start
        pools = []
        for proposal, lead in zip(self.held, self.leads, strict=True):
            start = month_at(origin, proposal.month)
            named = [
                (s.shelf.offers[o].id, [s.shelf.lines[line].id for line in lines]) for s, o, lines in proposal.lots
            ]
            lots = tuple(worth.lot(offer, lines, start) for offer, lines in named)
            pools.append(PlanPool(proposal.family, start, self.instance.participants[lead].id, lots))
        return tuple(sorted(pools, key=lambda pool: (pool.start, pool.family)))


class _Draft:
    """A family's pool in every month at once, of the participants that may, (participants, months)."""

    def __init__(self, forming: _Forming, family: str, may: Flags) -> None:
        self.forming, self.family, self.policy = forming, family, forming.instance.policy
        self.lots: list[tuple[Stand, MonthlyLots]] = []
        self.gain = np.zeros(may.shape)
        self.present = np.zeros(may.shape, dtype=bool)
        value = np.zeros(forming.months)
        for stand in forming.stands[family]:
            people = stand.shelf.participant
            for lots in stand.lots(may[people] & stand.free[:, None], forming.room(stand)):
                self.lots.append((stand, lots))
                np.add.at(self.gain, people, lots.benefit)
                np.logical_or.at(self.present, people, lots.members)
                value += lots.value
        countries = (forming.country @ self.present > 0).sum(axis=0)
        value -= self.policy.pool_cost_eur + self.policy.country_cost_eur * (countries - 1)
        lawful = (self.present & forming.leader[:, None]).any(axis=0)
        lawful &= self.present.sum(axis=0) <= _most(self.policy.max_participants_per_pool)
        lawful &= countries <= _most(self.policy.max_countries_per_pool)
        self.value: Floats = np.where(lawful, value, -np.inf)

    def leaving(self) -> Flags:
        """Who must or should go: the least gain beyond the limits, and countries that do not earn their cost."""
        beyond = _rank(self.gain, self.present) >= _most(self.policy.max_participants_per_pool)
        gain, present = self.forming.country @ self.gain, self.forming.country @ self.present > 0
        rank = _rank(gain, present)
        costly = (rank >= 1) & (gain < self.policy.country_cost_eur)
        costly |= rank >= _most(self.policy.max_countries_per_pool)
        leaving: Flags = self.present & (beyond | (self.forming.country.T @ costly > 0))
        return leaving

    def proposal(self) -> Proposal:
        """The most valuable month, the earliest of equals."""
        month = int(self.value.argmax())
        lots = [
            (stand, int(lots.offer[month]), np.flatnonzero(lots.members[:, month]))
            for stand, lots in self.lots
            if lots.offer[month] >= 0
        ]
        return Proposal(self.family, month, float(self.value[month]), tuple(lots))


def _most(limit: int | None) -> float:
    return np.inf if limit is None else limit


def _rank(gain: Floats, present: Flags) -> Ints:
    """By month, everybody's place in falling order of gain, from 0; those not present come last."""
    order = np.argsort(-np.where(present, gain, -np.inf), axis=0, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(len(order))[:, None], axis=0)
    return rank
