"""Limits that pools share: what fixed pools leave of them, and prices on them."""

from dataclasses import dataclass

import numpy as np

from solver.arrays import Floats
from solver.instance import Instance
from solver.months import offset


@dataclass(frozen=True)
class Left:
    """What fixed pools leave of the limits across pools; infinite where there is no limit.

    ``quarter_pools[k]``, ``participant_quarter[p, k]``, ``leads[p]``, ``offer_quantity[o]`` with participants and
    offers as in the instance, quarters counted from the start of the horizon.
    """

    quarter_pools: Floats
    participant_quarter: Floats
    leads: Floats
    offer_quantity: Floats


@dataclass(frozen=True)
class Prices:
    """EUR a use of what pools share: a pool in a quarter, a participant in a pool of a quarter, a lead. All >= 0."""

    quarter_pools: Floats
    participant_quarter: Floats
    leads: Floats

    @classmethod
    def none(cls, left: Left) -> "Prices":
        """Everything is free."""
        return cls(*(np.zeros_like(part) for part in (left.quarter_pools, left.participant_quarter, left.leads)))

    def value_of(self, left: Left) -> float:
        """What all that is left would cost; unlimited things have no price."""
        pairs = (
            (self.quarter_pools, left.quarter_pools),
            (self.participant_quarter, left.participant_quarter),
            (self.leads, left.leads),
        )
        return float(sum((price[price > 0] * limit[price > 0]).sum() for price, limit in pairs))


def left_by_fixed(instance: Instance) -> tuple[Left, list[str]]:
    """What is left of every shared limit once the fixed pools stand, never below 0; and where they alone exceed it."""
    policy = instance.policy
    quarters = -(-policy.horizon_months // 3)
    number = {participant.id: k for k, participant in enumerate(instance.participants)}
    offers = {offer.id: k for k, offer in enumerate(instance.offers)}
    lines = {line.id: line for line in instance.lines}
    pools = np.full(quarters, ceiling(policy.max_pools_per_quarter))
    own = np.array([ceiling(p.max_pools_per_quarter) for p in instance.participants]).reshape(-1, 1)
    quarter = np.repeat(own, quarters, axis=1)
    leads = np.array([ceiling(p.max_leads) for p in instance.participants])
    quantity = np.array([ceiling(offer.total_max_quantity) for offer in instance.offers])
    for pool in instance.fixed:
        leads[number[pool.lead]] -= 1
        month = offset(pool.start, policy.horizon_start)
        if 0 <= month < policy.horizon_months:
            pools[month // 3] -= 1
            members = {lines[line].participant for lot in pool.lots for line in lot.lines}
            quarter[[number[member] for member in members], month // 3] -= 1
        for lot in pool.lots:
            quantity[offers[lot.offer]] -= sum(lines[line].quantity for line in lot.lines)
    warnings = [f"fixed pools exceed max_pools_per_quarter in quarter {k}" for k in np.flatnonzero(pools < 0)]
    warnings += [
        f"fixed pools exceed max_pools_per_quarter of {instance.participants[p].id} in quarter {k}"
        for p, k in np.argwhere(quarter < 0)
    ]
    warnings += [f"fixed pools exceed max_leads of {instance.participants[p].id}" for p in np.flatnonzero(leads < 0)]
    warnings += [
        f"fixed pools exceed total_max_quantity of {instance.offers[o].id}" for o in np.flatnonzero(quantity < 0)
    ]
    return Left(*(np.maximum(left, 0.0) for left in (pools, quarter, leads, quantity))), warnings


def ceiling(value: int | None) -> float:
    return float("inf") if value is None else float(value)
