"""A plan's pools in the instance's words: what they add to the total, who is in them, who can lead them."""

import math
from collections.abc import Iterable

from solver.instance import Instance
from solver.lots import Block, DraftPool, Market
from solver.months import month_at
from solver.plan import PlanPool
from solver.worth import Worth


def total_value(worth: Worth, pools: Iterable[PlanPool]) -> float:
    """The total of the pools, in EUR over the term."""
    return math.fsum(pool_value(worth, pool) for pool in pools)


def pool_value(worth: Worth, pool: PlanPool) -> float:
    """What the pool, with figures by this worth, adds to the total, in EUR over the term."""
    policy = worth.instance.policy
    countries = {worth.countries[member] for member in members(worth, pool)}
    kept = sum((line, lot.offer, pool.start) in worth.previous for lot in pool.lots for line in lot.lines)
    cost = policy.pool_cost_eur + policy.lot_cost_eur * len(pool.lots) + policy.country_cost_eur * (len(countries) - 1)
    return sum(lot.benefit_eur for lot in pool.lots) - cost + policy.stability_eur * kept


def members(worth: Worth, pool: PlanPool) -> set[str]:
    """The participants of the pool."""
    return {worth.lines[line].participant for line in lines_of(pool)}


def leaders(market: Market, worth: Worth, pool: PlanPool) -> list[int]:
    """Members that may lead, as numbered in the instance: the pool's own lead first, then by falling spend."""
    people, spend = market.instance.participants, dict[int, float]()
    for name in lines_of(pool):
        line = worth.lines[name]
        number = market.participant[line.participant]
        if people[number].may_lead and people[number].contracting_authority:
            spend[number] = spend.get(number, 0.0) + line.quantity * line.unit_price_eur
    return sorted(spend, key=lambda number: (people[number].id != pool.lead, -spend[number], number))


def lines_of(pool: PlanPool) -> tuple[str, ...]:
    """Its lines, lot by lot."""
    return tuple(line for lot in pool.lots for line in lot.lines)


def in_words(instance: Instance, worth: Worth, block: Block, pool: DraftPool) -> PlanPool:
    """A block's pool in the instance's names and figures, without a lead."""
    start = month_at(instance.policy.horizon_start, pool.start)
    lots = (
        worth.lot(
            instance.offers[block.offer[lot.offer]].id,
            [instance.lines[block.line[line]].id for line in lot.lines],
            start,
        )
        for lot in pool.lots
    )
    return PlanPool(block.families[pool.family], start, "", tuple(lots))
