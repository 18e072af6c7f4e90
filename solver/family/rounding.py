"""From the solution of a block's model to lawful pools, and the cuts that a choice breaks.

The model holds rule 3 as cuts and counts in floating point; here every choice is settled exactly.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from solver.arrays import Ints
from solver.drafts import Valuer
from solver.family.cuts import CoverCut, SureCut, sure_cut
from solver.family.model import Model
from solver.leads import assign_leads
from solver.limits import Left, Prices
from solver.lots import SURE_TOLERANCE, Block, DraftPool, pool_members
from solver.milp import Answer

LEAST_ROUNDED = 0.3
"""A line goes where the relaxation puts at least this share of it."""
Chosen = dict[tuple[int, int], dict[int, tuple[int, list[int]]]]
"""(family, start) to offer to (tier, lines)."""


def priced(pools: Iterable[DraftPool], block: Block, prices: Prices) -> float:
    """Value of the pools less the prices of what they use (leads by the cheapest able member)."""
    total = 0.0
    for pool in pools:
        members = pool_members(block, pool)
        quarter = pool.start // 3
        total += pool.value - prices.quarter_pools[quarter] - prices.participant_quarter[members, quarter].sum()
        total -= prices.leads[able_leaders(block, pool)].min(initial=np.inf)
    return total


def able_leaders(block: Block, pool: DraftPool) -> np.ndarray:
    """Participants of the pool that can lead it, as numbered in the instance."""
    lines = np.array([line for lot in pool.lots for line in lot.lines])
    return np.unique(block.participant[lines[block.leader[lines]]])


def chosen_lots(model: Model, cells: Ints) -> Chosen:
    """The lots that the cells make; a lot's tier is that of its first cell."""
    block = model.block
    lots: Chosen = defaultdict(dict)
    for cell in cells:
        step = block.cell_step[cell]
        lot = block.step_lot[step]
        pool = block.lot_pool[lot]
        place = lots[int(block.pool_family[pool]), int(block.pool_start[pool])]
        entry = place.setdefault(int(block.lot_offer[lot]), (int(block.step_tier[step]), []))
        entry[1].append(int(block.cell_line[cell]))
    return lots


def rounded(model: Model, answer: Answer) -> Chosen:
    """Each line where a fractional solution puts most of it, if that is enough of it."""
    values = answer.values
    assert values is not None  # noqa: S101 asked for only where there is a solution
    take, line = values[model.take], model.block.cell_line
    order = np.lexsort((-take, line))
    first = order[np.r_[True, np.diff(line[order]) != 0]]
    return chosen_lots(model, first[take[first] >= LEAST_ROUNDED])


def broken(block: Block, valuer: Valuer, chosen: Chosen) -> list[SureCut | CoverCut]:
    """Cuts for every rule that the choice breaks by more than rounding."""
    cuts: list[SureCut | CoverCut] = []
    on_offer: dict[int, list[int]] = defaultdict(list)
    for lots in chosen.values():
        for offer, (tier, lines) in lots.items():
            on_offer[offer] += lines
            needed = block.tiers[offer][tier]
            if valuer.sure(lines) < needed * (1 - SURE_TOLERANCE):
                steps = np.flatnonzero(block.lot_offer[block.step_lot] == offer)
                cuts.append(sure_cut(block, steps, _order(block, offer, lines), len(lines)))
            if int(block.quantity[lines].sum()) > block.max_quantity[offer]:
                cuts.append(CoverCut(offer, tuple(lines), everywhere=False))
    for offer, lines in on_offer.items():
        if int(block.quantity[lines].sum()) > block.total_quantity[offer]:
            cuts.append(CoverCut(offer, tuple(lines), everywhere=True))
    return cuts


def _order(block: Block, offer: int, lines: Sequence[int]) -> Ints:
    """The lines of a broken lot first (certain ones before uncertain), then the offer's others."""
    inside = sorted(lines, key=lambda line: (block.deviation[line], line))
    on_offer = np.unique(block.cell_line[block.lot_offer[block.cell_lot] == offer])
    outside = np.setdiff1d(on_offer, inside)
    order: Ints = np.r_[np.array(inside, dtype=np.int64), outside[np.argsort(block.deviation[outside], kind="stable")]]
    return order


def mended(block: Block, valuer: Valuer, chosen: Chosen, left: Left, *, full: bool = False) -> tuple[DraftPool, ...]:
    """The choice as lawful pools: each lot settled, what cannot stand dropped. ``full``: free lines join first."""
    free = set(range(len(block.line))) - {k for lots in chosen.values() for _, lines in lots.values() for k in lines}
    pools = []
    for (family, start), lots in sorted(chosen.items()):
        settled = []
        for offer, (_, lines) in sorted(lots.items()):
            lot = valuer.settle(offer, start, lines)
            if lot is None or full:
                extra = [line for line in free if (line, offer, start, 0) in valuer.value]
                lot = valuer.settle(offer, start, [*lines, *extra]) or lot
            if lot is not None:
                free.difference_update(lot.lines)
                settled.append(lot)
        pool = valuer.pool(family, start, settled)
        if pool is not None:
            pools.append(pool)
    return within_limits(block, pools, left)


def within_limits(block: Block, pools: Sequence[DraftPool], left: Left) -> tuple[DraftPool, ...]:
    """The most valuable pools first, as long as shared limits, offer totals and leads last."""
    quarter_pools, own, quantity = (
        left.quarter_pools.copy(),
        left.participant_quarter.copy(),
        block.total_quantity.copy(),
    )
    kept: list[DraftPool] = []
    for pool in sorted(pools, key=lambda pool: (-pool.value, pool.family, pool.start)):
        members = pool_members(block, pool)
        quarter = pool.start // 3
        taken = {lot.offer: float(block.quantity[list(lot.lines)].sum()) for lot in pool.lots}
        fits = quarter_pools[quarter] >= 1 and bool((own[members, quarter] >= 1).all())
        fits = fits and all(quantity[offer] >= amount for offer, amount in taken.items())
        if not fits or assign_leads([able_leaders(block, p).tolist() for p in [*kept, pool]], left.leads) is None:
            continue
        kept.append(pool)
        quarter_pools[quarter] -= 1
        own[members, quarter] -= 1
        for offer, amount in taken.items():
            quantity[offer] -= amount
    return tuple(sorted(kept, key=lambda pool: (pool.family, pool.start)))
