"""Which pools of a large block to open, category by category: a plan where one integer model would take too long.

Categories meet only in their pools. Once it is decided which pools open, each category alone is a matter of slots for
items: its lines, and the lots and tiers that the open pools offer. Sets of pools are tried from the relaxation's on,
one pool more, one less, one for another, and what a category can do with a set is solved once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np

from solver.arrays import Floats, Ints
from solver.drafts import Valuer
from solver.family.rounding import priced, within_limits
from solver.limits import Left, Prices
from solver.lots import Block, DraftLot, DraftPool
from solver.slots import SlotProblem
from solver.slots import solve as solve_slots

SETS, HALF_OPEN, NEAR_MONTHS, CANDIDATES = 16, 0.5, 3, 6
"""Sets of pools that are tried; what counts as open in a relaxation; how far a pool may move; pools that may join."""
CATEGORY_GAP, CATEGORY_NODES = 2e-3, 50
"""How close to its bound each category is filled, and what that may cost."""
Lots = tuple[tuple[int, DraftLot], ...]
"""Lots by pool."""


class Openings:
    """What each set of pools brings, as far as it was looked at."""

    def __init__(self, block: Block, valuer: Valuer, left: Left, prices: Prices, left_s: Callable[[], float]) -> None:
        self.block, self.valuer, self.left, self.prices, self.left_s = block, valuer, left, prices, left_s
        self.shelves = [_Shelf(block, cells) for cells in shelves(block)]
        self.known: dict[tuple[int, frozenset[int]], Lots] = {}
        self.tried: set[frozenset[int]] = set()
        self.best: tuple[DraftPool, ...] = ()
        self.value = 0.0

    def search(self, opened: Floats) -> "Openings":
        """From the pools that a relaxation opens (a share each) to better sets, while there are any; itself."""
        order = np.argsort(-opened, kind="stable")
        half = int((opened >= HALF_OPEN).sum())
        here = max(
            (frozenset(order[:count].tolist()) for count in sorted({max(1, half - 1), max(1, half), half + 1})),
            key=self.bring,
        )
        likely = [int(pool) for pool in order[: half + CANDIDATES]]
        better: frozenset[int] | None = here
        while better is not None:
            here, worth = better, self.bring(better)
            found = (near for near in self._near(here, likely) if self.bring(near) > worth)
            better = None if self._spent() else next(found, None)
        return self

    def bring(self, pools: frozenset[int]) -> float:
        """Value less prices of the plan with these pools at most; nothing new once the work is spent."""
        if self._spent() and pools not in self.tried:
            return -np.inf
        self.tried.add(pools)
        lots: defaultdict[int, list[DraftLot]] = defaultdict(list)
        for number, shelf in enumerate(self.shelves):
            key = number, pools & shelf.pools
            if key not in self.known:
                self.known[key] = shelf.fill(self.valuer, key[1], self.left_s())
            for pool, lot in self.known[key]:
                lots[pool].append(lot)
        block = self.block
        made = (
            self.valuer.pool(int(block.pool_family[pool]), int(block.pool_start[pool]), there)
            for pool, there in sorted(lots.items())
        )
        plan = within_limits(block, [pool for pool in made if pool is not None], self.left)
        value = priced(plan, block, self.prices)
        if value > self.value:
            self.best, self.value = plan, value
        return value

    def _spent(self) -> bool:
        return len(self.tried) >= SETS or self.left_s() <= 0

    def _near(self, pools: frozenset[int], likely: list[int]) -> Iterator[frozenset[int]]:
        """One pool less, one more, one moved by some months; each set once."""
        starts = self.block.pool_start
        family = self.block.pool_family
        for pool in sorted(pools):
            yield pools - {pool}
        for pool in likely:
            yield pools | {pool}
        for pool in sorted(pools):
            apart = np.abs(starts - starts[pool])
            for other in np.flatnonzero((family == family[pool]) & (apart <= NEAR_MONTHS)).tolist():
                if other not in pools:
                    yield (pools - {pool}) | {other}


class _Shelf:
    """The lines that share offers, and the cells in which they could be."""

    def __init__(self, block: Block, cells: Ints) -> None:
        self.block, self.cells = block, cells
        self.cell_pool = block.cell_pool[cells]
        self.pools = frozenset(self.cell_pool.tolist())
        variance = block.deviation**2
        self.lines = np.unique(block.cell_line[cells])
        first = float(block.step_from[block.cell_step[cells]].min())
        share = min(1.0, first / float(block.quantity[self.lines].sum()))
        self.root = float(np.sqrt(variance[self.lines].sum() * share))
        terms = block.terms
        certain = np.sqrt(1 - terms.correlation) * terms.deviates
        spread = terms.deviates * np.sqrt(terms.correlation) * block.deviation[self.lines]
        if self.root > 0:
            spread = spread + certain * variance[self.lines] / (2 * self.root)
        self.size = np.maximum(0.0, block.quantity[self.lines] - spread)
        self.kept_back = certain * self.root / 2

    def fill(self, valuer: Valuer, pools: frozenset[int], left_s: float) -> Lots:
        """The lots that are worth most with these pools; costs that pools share are not counted here.

        Rule 3's root is taken from its safe side, ``sqrt(V) <= s/2 + V/(2s)``, so that lots hold.
        """
        block = self.block
        cells = self.cells[np.isin(self.cell_pool, list(pools))]
        if not len(cells):
            return ()
        steps, slot = np.unique(block.cell_step[cells], return_inverse=True)
        offers = block.lot_offer[block.step_lot[steps]]
        group = np.unique(block.step_lot[steps], return_inverse=True)[1]
        least = block.step_from[steps] + self.kept_back
        problem = SlotProblem(
            size=self.size,
            opening_cost=np.full(len(steps), block.terms.lot_cost),
            min_size=least,
            max_size=np.maximum(least, block.max_quantity[offers]),
            item=np.searchsorted(self.lines, block.cell_line[cells]),
            slot=slot,
            value=block.cell_value[cells],
            exclusive=group,
        )
        most = np.zeros(len(self.lines))
        np.maximum.at(most, problem.item, problem.value)
        within = CATEGORY_GAP * float(most.sum())
        answer = solve_slots(problem, time_limit_s=left_s, within=within, nodes=CATEGORY_NODES)
        found = []
        for number in np.unique(answer.place[answer.place >= 0]).tolist():
            lot = block.step_lot[steps[number]]
            pool = int(block.lot_pool[lot])
            lines = self.lines[answer.place == number].tolist()
            settled = valuer.settle(int(block.lot_offer[lot]), int(block.pool_start[pool]), lines)
            if settled is not None:
                found.append((pool, settled))
        return tuple(found)


def shelves(block: Block) -> list[Ints]:
    """Cells by lines that share an offer: a category each."""
    offer = block.lot_offer[block.cell_lot]
    group = np.arange(len(block.offer))
    by_line = np.lexsort((offer, block.cell_line))
    line, sorted_offer = block.cell_line[by_line], offer[by_line]
    pairs = np.unique(np.stack([sorted_offer[:-1], sorted_offer[1:]])[:, line[:-1] == line[1:]], axis=1).T
    for one, other in pairs.tolist():
        low, high = sorted((group[one], group[other]))
        group[group == high] = low
    return [np.flatnonzero(group[offer] == each) for each in np.unique(group[offer])]
