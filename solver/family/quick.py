"""A lawful plan of a block at once, pool by pool."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from solver.drafts import Valuer
from solver.family.rounding import priced, within_limits
from solver.limits import Left, Prices
from solver.lots import Block, DraftLot, DraftPool


def quick_pools(block: Block, valuer: Valuer, left: Left, prices: Prices) -> tuple[DraftPool, ...]:
    """A lawful plan at once: the most valuable pool of the free lines, again and again, while it is worth anything."""
    free = np.ones(len(block.line), dtype=bool)
    pools: list[DraftPool] = []
    places: dict[tuple[int, int], list[tuple[int, np.ndarray]]] = defaultdict(list)
    lowest = block.step_tier[block.cell_step] >= 0
    for lot in range(len(block.lot_pool)):
        lines = np.unique(block.cell_line[(block.cell_lot == lot) & lowest])
        pool = block.lot_pool[lot]
        key = int(block.pool_family[pool]), int(block.pool_start[pool])
        places[key].append((int(block.lot_offer[lot]), lines))
    candidates = {key: _quick_pool(valuer, key, lots, free) for key, lots in places.items()}
    while candidates:
        key = max(candidates, key=lambda k: (_worth(candidates[k], block, prices), -k[0], -k[1]))
        pool = candidates.pop(key)
        if pool is None or _worth(pool, block, prices) <= 0:
            break
        if len(within_limits(block, [*pools, pool], left)) <= len(pools):
            continue
        pools.append(pool)
        taken = [line for lot in pool.lots for line in lot.lines]
        free[taken] = False
        hit = {k for k, other in candidates.items() if other is not None and k[0] == key[0]
               and not free[[line for lot in other.lots for line in lot.lines]].all()}  # fmt: skip
        for other in hit:
            candidates[other] = _quick_pool(valuer, other, places[other], free)
    return within_limits(block, pools, left)


def _worth(pool: DraftPool | None, block: Block, prices: Prices) -> float:
    return -np.inf if pool is None else priced([pool], block, prices)


def _quick_pool(
    valuer: Valuer, key: tuple[int, int], lots: Sequence[tuple[int, np.ndarray]], free: np.ndarray
) -> DraftPool | None:
    """The pool that starts there with, category by category, the one lot worth most."""
    family, start = key
    found: list[tuple[float, DraftLot]] = []
    for offer, lines in lots:
        lot = valuer.settle(offer, start, lines[free[lines]].tolist())
        if lot is not None:
            found.append((valuer.lot_value(lot, start), lot))
    chosen: list[DraftLot] = []
    used: set[int] = set()
    for value, lot in sorted(found, key=lambda entry: (-entry[0], entry[1].offer)):
        if value > 0 and used.isdisjoint(lot.lines):
            chosen.append(lot)
            used.update(lot.lines)
    return valuer.pool(family, start, chosen)
