"""Choosing among the pools that families propose, under the limits they share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from solver.arrays import Ints
from solver.family.rounding import able_leaders, within_limits
from solver.leads import assign_leads
from solver.limits import Left
from solver.lots import Block, DraftPool, pool_members
from solver.milp import Effort, Milp


@dataclass
class Columns:
    """Pools found so far, each once, with the block they belong to."""

    blocks: Sequence[Block]
    pools: list[tuple[int, DraftPool]] = field(default_factory=list)
    _seen: set[tuple[int, int, int, tuple[tuple[int, int, tuple[int, ...]], ...]]] = field(default_factory=set)

    def add(self, block: int, pools: Iterable[DraftPool]) -> int:
        """Keep the new ones; returns how many."""
        before = len(self.pools)
        for pool in pools:
            key = block, pool.family, pool.start, tuple((lot.offer, lot.tier, lot.lines) for lot in pool.lots)
            if key not in self._seen:
                self._seen.add(key)
                self.pools.append((block, pool))
        return len(self.pools) - before

    def members(self, which: int) -> Ints:
        block, pool = self.pools[which]
        return pool_members(self.blocks[block], pool)


class Master:
    """Chooses among pools under the shared limits."""

    def __init__(self, blocks: Sequence[Block], left: Left) -> None:
        self.blocks, self.left = blocks, left
        self.columns = Columns(blocks)
        self.by_clock = False

    def choose(self, effort: Effort) -> tuple[tuple[DraftPool, ...], ...]:
        """The most valuable choice of columns that keeps every shared limit."""
        if not self.columns.pools:
            return tuple(() for _ in self.blocks)
        milp = self._program()
        answer = milp.solve(effort)
        self.by_clock = self.by_clock or answer.by_clock
        values = np.zeros(len(self.columns.pools)) if answer.values is None else answer.values
        picked: list[list[DraftPool]] = [[] for _ in self.blocks]
        for which in np.flatnonzero(values[: len(self.columns.pools)] > 0.5):
            block, pool = self.columns.pools[which]
            picked[block].append(pool)
        return keep_lawful(self.blocks, picked, self.left)

    def _program(self) -> Milp:
        milp = Milp()
        pools = self.columns.pools
        take = milp.columns([pool.value for _, pool in pools])
        line_of: dict[tuple[int, int], list[int]] = {}
        start_of: dict[tuple[int, int, int], list[int]] = {}
        offer_of: dict[tuple[int, int], list[tuple[int, float]]] = {}
        quarter_of: dict[int, list[int]] = {}
        own_of: dict[tuple[int, int], list[int]] = {}
        for k, (b, pool) in enumerate(pools):
            block = self.blocks[b]
            start_of.setdefault((b, pool.family, pool.start), []).append(k)
            quarter_of.setdefault(pool.start // 3, []).append(k)
            for p in self.columns.members(k).tolist():
                own_of.setdefault((p, pool.start // 3), []).append(k)
            for lot in pool.lots:
                for line in lot.lines:
                    line_of.setdefault((b, line), []).append(k)
                if np.isfinite(block.total_quantity[lot.offer]):
                    amount = float(block.quantity[list(lot.lines)].sum())
                    offer_of.setdefault((b, lot.offer), []).append((k, amount))
        once = [users for users in [*line_of.values(), *start_of.values()] if len(users) > 1]
        self._at_most(milp, take, list({tuple(users) for users in once}))
        for (b, offer), uses in offer_of.items():
            row = milp.rows(1, upper=float(self.blocks[b].total_quantity[offer]))
            milp.entries(np.repeat(row, len(uses)), take[[k for k, _ in uses]], [amount for _, amount in uses])
        for quarter, users in quarter_of.items():
            self._limit(milp, take, users, self.left.quarter_pools[quarter])
        for index, users in own_of.items():
            self._limit(milp, take, users, self.left.participant_quarter[index])
        return milp

    @staticmethod
    def _at_most(milp: Milp, take: Ints, groups: Sequence[tuple[int, ...]]) -> None:
        rows = milp.rows(len(groups), upper=1.0)
        for row, users in zip(rows, sorted(groups), strict=True):
            milp.entries(np.repeat(row, len(users)), take[list(users)], 1.0)

    @staticmethod
    def _limit(milp: Milp, take: Ints, users: Sequence[int], limit: float) -> None:
        if len(users) > limit:
            milp.entries(np.repeat(milp.rows(1, upper=limit), len(users)), take[list(users)], 1.0)


def keep_lawful(
    blocks: Sequence[Block], picked: Sequence[Sequence[DraftPool]], left: Left
) -> tuple[tuple[DraftPool, ...], ...]:
    """The picked pools without those (least valuable first) for which limits or leads do not last."""
    quarter_pools, own = left.quarter_pools.copy(), left.participant_quarter.copy()
    kept: list[list[DraftPool]] = [[] for _ in blocks]
    able: list[list[int]] = []
    ranked = sorted(
        ((b, pool) for b, pools in enumerate(picked) for pool in pools),
        key=lambda entry: (-entry[1].value, entry[0], entry[1].start),
    )
    for b, pool in ranked:
        block, quarter = blocks[b], pool.start // 3
        members = pool_members(block, pool)
        if quarter_pools[quarter] < 1 or not (own[members, quarter] >= 1).all():
            continue
        if len(within_limits(block, [*kept[b], pool], left)) <= len(kept[b]):
            continue
        if assign_leads([*able, able_leaders(block, pool).tolist()], left.leads) is None:
            continue
        able.append(able_leaders(block, pool).tolist())
        kept[b].append(pool)
        quarter_pools[quarter] -= 1
        own[members, quarter] -= 1
    return tuple(tuple(sorted(pools, key=lambda pool: (pool.family, pool.start))) for pools in kept)


def left_after(blocks: Sequence[Block], chosen: Sequence[Sequence[DraftPool]], left: Left, *, skip: int) -> Left:
    """What the chosen pools of all blocks but ``skip`` leave of the shared limits (leads: by the assignment made)."""
    quarter_pools, own, leads = left.quarter_pools.copy(), left.participant_quarter.copy(), left.leads.copy()
    others = [(blocks[b], pool) for b, pools in enumerate(chosen) if b != skip for pool in pools]
    for block, pool in others:
        members = pool_members(block, pool)
        quarter_pools[pool.start // 3] -= 1
        own[members, pool.start // 3] -= 1
    for lead in assign_leads([able_leaders(block, pool).tolist() for block, pool in others], left.leads) or ():
        leads[lead] -= 1
    return Left(quarter_pools, own, leads, left.offer_quantity)
