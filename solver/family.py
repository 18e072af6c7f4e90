"""Solving one block, most often one family: quick plan, exact model, mending, bound.

The model holds rule 3 as cuts and counts in floating point; what comes out is checked exactly. Where a choice breaks
a rule by more than rounding, the cut it breaks is added and the model solved again, so that the bound stays true and
the last plan keeps every rule.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from solver.arrays import Ints
from solver.cuts import CoverCut, SureCut, sure_cut
from solver.drafts import Valuer
from solver.leads import assign_leads
from solver.limits import Left, Prices
from solver.lots import SURE_TOLERANCE, Block, DraftLot, DraftPool
from solver.milp import Answer, Effort
from solver.model import Model, separate_sure

MOST_ROUNDS = 60
TIGHTENING_ROUNDS, TELLING = 4, 2e-4
"""At most so many rounds of cuts on the relaxation, as long as each moves its bound by this share."""


LEAST_ROUNDED = 0.3
"""A line goes where the relaxation puts at least this share of it."""
Chosen = dict[tuple[int, int], dict[int, tuple[int, list[int]]]]
"""(family, start) to offer to (tier, lines)."""


@dataclass(frozen=True)
class BlockAnswer:
    """Pools of a block, and bounds. ``bound`` is on value less prices; ``priced_value`` is what the pools reach of it.

    ``by_clock``: the time limit ended the solve. ``cuts`` can start the next solve of the same block.
    """

    pools: tuple[DraftPool, ...]
    priced_value: float
    bound: float
    by_clock: bool
    cuts: tuple[SureCut | CoverCut, ...]


@dataclass(frozen=True)
class Task:
    """A block to solve: pure data, so that it can go to another process.

    ``ends_at``: seconds since the epoch, because tasks wait in queues and other machines have other uptimes.
    """

    block: Block
    left: Left
    prices: Prices
    effort: Effort
    ends_at: float
    exact_leads: bool = False
    cuts: tuple[SureCut | CoverCut, ...] = ()


def solve_block(task: Task) -> BlockAnswer:
    """The best pools of the block under its rules, what is left of shared limits, and prices on them.

    With no nodes allowed only the relaxation is solved: a bound and a plan at once, and cuts for the next time.
    """
    if not len(task.block.cell_line):
        return BlockAnswer((), 0.0, 0.0, False, task.cuts)
    attempt = _Attempt(task)
    attempt.relax()
    if task.effort.nodes != 0:
        attempt.search()
    return attempt.answer()


class _Attempt:
    """One block being solved: the best pools so far, the lowest bound so far, and the model with its cuts."""

    def __init__(self, task: Task) -> None:
        self.task, self.block = task, task.block
        allowed = min(task.effort.time_limit_s, task.ends_at - time.time())
        self.deadline = time.monotonic() + allowed
        self.valuer = Valuer(self.block)
        self.best = quick_pools(self.block, self.valuer, task.left, task.prices)
        self.value = priced(self.best, self.block, task.prices)
        self.bound, self.by_clock = trivial_bound(self.block), False
        self.model = Model(self.block, task.left, task.prices, task.exact_leads)
        self.cuts: list[SureCut | CoverCut] = []
        self._add(task.cuts)

    def answer(self) -> BlockAnswer:
        if self.value < 0:
            self.best, self.value = (), 0.0
        return BlockAnswer(self.best, self.value, max(self.bound, self.value), self.by_clock, tuple(self.cuts))

    def relax(self) -> None:
        """Cuts of rule 3 that the linear relaxation breaks, round by round while they tell; its solution rounded."""
        bound = np.inf
        for _ in range(TIGHTENING_ROUNDS):
            answer = self.model.milp.solve(self._effort(), relaxed=True)
            if answer.values is None or not answer.proven:
                self.by_clock = self.by_clock or answer.by_clock
                return
            told = bound - answer.bound > TELLING * abs(answer.bound)
            bound = answer.bound
            self.bound = min(self.bound, bound)
            found = separate_sure(self.model, answer.values) if told and self.block.terms.deviates > 0 else []
            self._add(found)
            if not found:
                break
        self._improve(_rounded(self.model, answer))

    def search(self) -> None:
        """The integer model, again with the cuts that its choice breaks, until plan and bound are close enough."""
        for _ in range(MOST_ROUNDS):
            if self._close() or self.deadline <= time.monotonic():
                self.by_clock = self.by_clock or not self._close()
                return
            answer = self.model.milp.solve(self._effort())
            if np.isfinite(answer.bound):
                self.bound = min(self.bound, answer.bound)
            self.by_clock = self.by_clock or answer.by_clock
            if answer.values is None:
                return
            chosen = _chosen(self.model, np.flatnonzero(answer.values[self.model.take] > 0.5))
            self._improve(chosen)
            found = _broken(self.block, self.valuer, chosen)
            if not found or not answer.proven:
                return
            self._add(found)

    def _effort(self) -> Effort:
        return replace(self.task.effort, time_limit_s=max(0.0, self.deadline - time.monotonic()))

    def _close(self) -> bool:
        return self.bound - self.value <= self.task.effort.relative_gap * abs(self.bound)

    def _add(self, cuts: Iterable[SureCut | CoverCut]) -> None:
        for cut in cuts:
            if isinstance(cut, SureCut):
                self.model.add_sure_cut(cut)
            else:
                self.model.add_cover_cut(cut)
            self.cuts.append(cut)

    def _improve(self, chosen: Chosen) -> None:
        for full in (False, True):
            pools = _mended(self.block, self.valuer, chosen, self.task.left, full=full)
            value = priced(pools, self.block, self.task.prices)
            if value > self.value:
                self.best, self.value = pools, value


def trivial_bound(block: Block) -> float:
    """Every line at its best place and nothing else paid."""
    best = np.zeros(len(block.line))
    np.maximum.at(best, block.cell_line, block.cell_value)
    return float(best.sum())


def priced(pools: Iterable[DraftPool], block: Block, prices: Prices) -> float:
    """Value of the pools less the prices of what they use (leads by the cheapest able member)."""
    total = 0.0
    for pool in pools:
        members = np.unique(block.participant[[line for lot in pool.lots for line in lot.lines]])
        quarter = pool.start // 3
        total += pool.value - prices.quarter_pools[quarter] - prices.participant_quarter[members, quarter].sum()
        total -= prices.leads[able_leaders(block, pool)].min(initial=np.inf)
    return total


def able_leaders(block: Block, pool: DraftPool) -> np.ndarray:
    """Participants of the pool that can lead it, as numbered in the instance."""
    lines = np.array([line for lot in pool.lots for line in lot.lines])
    return np.unique(block.participant[lines[block.leader[lines]]])


def _chosen(model: Model, cells: Ints) -> Chosen:
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


def _rounded(model: Model, answer: Answer) -> Chosen:
    """Each line where a fractional solution puts most of it, if that is enough of it."""
    values = answer.values
    assert values is not None  # noqa: S101 asked for only where there is a solution
    take, line = values[model.take], model.block.cell_line
    order = np.lexsort((-take, line))
    first = order[np.r_[True, np.diff(line[order]) != 0]]
    return _chosen(model, first[take[first] >= LEAST_ROUNDED])


def _broken(block: Block, valuer: Valuer, chosen: Chosen) -> list[SureCut | CoverCut]:
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


def _mended(block: Block, valuer: Valuer, chosen: Chosen, left: Left, *, full: bool = False) -> tuple[DraftPool, ...]:
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
        members = np.unique(block.participant[[line for lot in pool.lots for line in lot.lines]])
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
