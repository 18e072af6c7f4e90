"""Limits of an instance that can be thought away one by one: which there are, which a choice of pools breaks."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from solver.instance import Instance, Offer, Participant, Policy
from solver.leads import assign_leads
from solver.limits import Left
from solver.lots import Market
from solver.months import offset
from solver.plan import PlanPool
from solver.worth import Worth

FIXED_POOL, MAX_QUANTITY, TOTAL_QUANTITY = "fixed pool", "max_quantity", "total_max_quantity"
QUARTER, MAY_LEAD, MAX_LEADS = "max_pools_per_quarter", "may_lead", "max_leads"
PARTICIPANTS, COUNTRIES = "max_participants_per_pool", "max_countries_per_pool"


@dataclass(frozen=True, order=True)
class Limit:
    """A limit; ``of`` is the offer or participant whose own it is, empty where it is everybody's.

    ``fixed pool``: no other pool of a family starts in the month of a decided one.
    """

    kind: str
    of: str = ""

    def __str__(self) -> str:
        return f"{self.kind} of {self.of}" if self.of else self.kind


def limits_of(instance: Instance) -> frozenset[Limit]:
    """All limits of the instance."""
    policy, people, offers = instance.policy, instance.participants, instance.offers
    found = {Limit(kind) for kind in (QUARTER, PARTICIPANTS, COUNTRIES) if getattr(policy, kind) is not None}
    for offer in offers:
        found |= {Limit(kind, offer.id) for kind in (MAX_QUANTITY, TOTAL_QUANTITY) if getattr(offer, kind) is not None}
    found |= {Limit(QUARTER, person.id) for person in people if person.max_pools_per_quarter is not None}
    found |= {Limit(MAY_LEAD) for person in people if person.contracting_authority and not person.may_lead}
    found |= {Limit(MAX_LEADS) for person in people if person.max_leads is not None}
    return frozenset(found | {Limit(FIXED_POOL) for _ in instance.fixed})


def lifted(instance: Instance, left: Left, limits: Collection[Limit]) -> tuple[Market, Left]:
    """The market without the limits, and what is left of those that families share where ``left`` was left of all."""
    freed = replace(
        instance,
        policy=_policy(instance.policy, limits),
        offers=tuple(_offer(offer, limits) for offer in instance.offers),
        participants=tuple(_participant(person, limits) for person in instance.participants),
    )
    market = Market(freed)
    if Limit(FIXED_POOL) in limits:
        market.taken = set()
    own = left.participant_quarter.copy()
    own[[Limit(QUARTER, person.id) in limits for person in instance.participants]] = np.inf
    quarters = np.full_like(left.quarter_pools, np.inf) if Limit(QUARTER) in limits else left.quarter_pools
    leads = np.full_like(left.leads, np.inf) if Limit(MAX_LEADS) in limits else left.leads
    market.left = Left(quarters, own, leads, market.left.offer_quantity)
    return market, market.left


def _policy(policy: Policy, limits: Collection[Limit]) -> Policy:
    return replace(
        policy,
        max_pools_per_quarter=None if Limit(QUARTER) in limits else policy.max_pools_per_quarter,
        max_participants_per_pool=None if Limit(PARTICIPANTS) in limits else policy.max_participants_per_pool,
        max_countries_per_pool=None if Limit(COUNTRIES) in limits else policy.max_countries_per_pool,
    )


def _offer(offer: Offer, limits: Collection[Limit]) -> Offer:
    return replace(
        offer,
        max_quantity=None if Limit(MAX_QUANTITY, offer.id) in limits else offer.max_quantity,
        total_max_quantity=None if Limit(TOTAL_QUANTITY, offer.id) in limits else offer.total_max_quantity,
    )


def _participant(person: Participant, limits: Collection[Limit]) -> Participant:
    """Quarters and leads are in what is left."""
    return replace(person, may_lead=True) if Limit(MAY_LEAD) in limits else person


@dataclass(frozen=True)
class Judging:
    """What pools may use: the market as it is, and what is left of the limits that families share."""

    market: Market
    worth: Worth
    left: Left

    def broken(self, pools: Sequence[PlanPool]) -> list[Limit]:
        """The limits that the pools, lawful in all else, break together."""
        found = {*self._sizes(pools), *self._supplies(pools), *self._quarters(pools), *self._leads(pools)}
        return sorted(found)

    def _sizes(self, pools: Iterable[PlanPool]) -> Iterable[Limit]:
        policy, origin = self.market.instance.policy, self.market.instance.policy.horizon_start
        for pool in pools:
            people = self._members(pool)
            countries = {self.worth.countries[name] for name in people}
            if (pool.family, offset(pool.start, origin)) in self.market.taken:
                yield Limit(FIXED_POOL)
            if policy.max_participants_per_pool is not None and len(people) > policy.max_participants_per_pool:
                yield Limit(PARTICIPANTS)
            if policy.max_countries_per_pool is not None and len(countries) > policy.max_countries_per_pool:
                yield Limit(COUNTRIES)

    def _supplies(self, pools: Iterable[PlanPool]) -> Iterable[Limit]:
        offers = self.market.instance.offers
        left = dict(zip((offer.id for offer in offers), self.market.left.offer_quantity, strict=True))
        for lot in (lot for pool in pools for lot in pool.lots):
            most = self.worth.offers[lot.offer].max_quantity
            left[lot.offer] -= lot.quantity
            if most is not None and lot.quantity > most:
                yield Limit(MAX_QUANTITY, lot.offer)
            if left[lot.offer] < 0:
                yield Limit(TOTAL_QUANTITY, lot.offer)

    def _quarters(self, pools: Iterable[PlanPool]) -> Iterable[Limit]:
        quarters, own = self.left.quarter_pools.copy(), self.left.participant_quarter.copy()
        for pool in pools:
            quarter = offset(pool.start, self.market.instance.policy.horizon_start) // 3
            quarters[quarter] -= 1
            if quarters[quarter] < 0:
                yield Limit(QUARTER)
            for name in self._members(pool):
                number = self.market.participant[name]
                own[number, quarter] -= 1
                if own[number, quarter] < 0:
                    yield Limit(QUARTER, name)

    def _leads(self, pools: Iterable[PlanPool]) -> Iterable[Limit]:
        people, number = self.market.instance.participants, self.market.participant
        able = []
        for pool in pools:
            members = sorted(number[name] for name in self._members(pool))
            authorities = [p for p in members if people[p].contracting_authority]
            leaders = [p for p in authorities if people[p].may_lead]
            if not leaders:
                yield Limit(MAY_LEAD)
            able.append(leaders or authorities)
        if assign_leads(able, self.left.leads) is None:
            yield Limit(MAX_LEADS)

    def _members(self, pool: PlanPool) -> set[str]:
        return {self.worth.lines[line].participant for lot in pool.lots for line in lot.lines}


def without(left: Left, market: Market, used: Iterable[tuple[int, Iterable[str], str]]) -> Left:
    """What is left after pools in quarters, with members and a lead each."""
    quarters, own, leads = left.quarter_pools.copy(), left.participant_quarter.copy(), left.leads.copy()
    for quarter, names, lead in used:
        quarters[quarter] -= 1
        own[[market.participant[name] for name in names], quarter] -= 1
        leads[market.participant[lead]] -= 1
    return Left(np.maximum(0.0, quarters), np.maximum(0.0, own), np.maximum(0.0, leads), left.offer_quantity)
