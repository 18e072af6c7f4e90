"""Which pools stand and which do not, decided one after another: a large block's bound beyond its relaxation.

Every node is bounded by the relaxation with its pools and then by categories; the node whose bound is highest is split.
Nodes are judged some at a time, side by side in threads: the solver of the programs holds no lock.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from heapq import heappop, heappush

import numpy as np

from solver.arrays import Flags, Floats
from solver.family.categories import Bounds, Categories
from solver.family.cuts import ShortfallCut, SureCut
from solver.family.model import Model, separate
from solver.family.pricing import PoolPricing
from solver.milp import Effort

NODES, ROUNDS, USED, LIKELY, TELLING = 400, 3, 1e-3, 0.5, 0.6
"""Nodes in all; rounds of pricing for each; shares of a pool that is in use, that is likely to stand, and whose
opening and closing both tell: one open further mostly stands anyhow, one less has others that could take its place."""
DECIDED = 0.5
"""A pool is decided where the other way would lower the bound by such a share of what it is above the target."""


@dataclass(frozen=True, eq=False)
class Node:
    """Pools that stand and pools that are not to be; ``bound`` of every plan like that.

    ``share``: how far the relaxation opens each pool.
    """

    opened: Flags
    closed: Flags
    bound: float
    share: Floats


@dataclass(frozen=True, eq=False)
class Judged:
    """A node with its own bound, the cuts that its relaxation breaks; ``bounds``: None where the clock was faster or
    nothing is possible.
    """

    node: Node
    cuts: list[SureCut | ShortfallCut]
    bounds: Bounds | None
    ended: bool


class Branching:
    """The nodes still open. ``share``: how far the block's relaxation opens each pool; ``bound``: of every plan."""

    def __init__(
        self, model: Model, effort: Callable[[], Effort], *, share: Floats, bound: float, threads: int
    ) -> None:
        none = np.zeros(len(model.open), dtype=bool)
        self.model, self.effort, self.threads = model, effort, threads
        self.open = [(-bound, 0, Node(none, none, bound, share))]
        self.settled = -np.inf
        """The highest bound of a node that is not open any more."""
        self.judged = self.pushed = 0

    @property
    def bound(self) -> float:
        return max(self.settled, self._highest())

    def steps(self, target: Callable[[], float]) -> Iterator[list[SureCut | ShortfallCut]]:
        """After each step the cuts found, for the caller to add; ends when no open node can exceed the target, at the
        node limit and with the clock."""
        with ThreadPoolExecutor(self.threads) as pool:
            while self._highest() > max(self.settled, target()) and self.judged < NODES:
                waiting = [heappop(self.open)[2] for _ in range(min(len(self.open), self.threads))]
                found = list(pool.map(self._judge, waiting, [self.threads // len(waiting)] * len(waiting)))
                for each in found:
                    self._keep(each, target())
                yield [cut for each in found for cut in each.cuts]
                if any(each.ended for each in found):
                    return

    def likely(self) -> Flags:
        """The pools that the relaxation of the most promising node opens at least half."""
        if not self.open:
            return np.zeros(len(self.model.open), dtype=bool)
        open_half: Flags = self.open[0][2].share >= LIKELY
        return open_half

    def _highest(self) -> float:
        return -self.open[0][0] if self.open else -np.inf

    def _keep(self, judged: Judged, target: float) -> None:
        """The node as it is where the clock ended; else its parts, if they are worth a look."""
        node = judged.node
        self.judged += 1
        if judged.ended:
            self._push(node)
            return
        if judged.bounds is None or node.bound <= target:
            self.settled = max(self.settled, node.bound)
            return
        parts = _parts(node, judged.bounds, target)
        for each in parts:
            self._push(each)
        if not parts:
            self.settled = max(self.settled, node.bound)

    def _push(self, node: Node) -> None:
        self.pushed += 1
        heappush(self.open, (-node.bound, self.pushed, node))

    def _judge(self, node: Node, threads: int) -> Judged:
        """The node's relaxation by pools, then by categories at its prices."""
        pricing = PoolPricing(
            self.model, self.effort, (node.share > USED) & ~node.closed, opened=node.opened, closed=node.closed
        )
        for _ in range(ROUNDS):
            answer = pricing.solve()
            if answer.values is None or answer.row_duals is None or not answer.proven:
                if answer.impossible and (pricing.pools | node.closed).all():
                    return Judged(replace(node, bound=-np.inf), [], None, ended=False)
                return Judged(node, [], None, ended=True)
            values = answer.values
            if not pricing.widen(answer):
                break
        share = values[self.model.open]
        bounds = Categories(self.model, node.opened, node.closed).bounds(pricing.duals, self.effort, threads=threads)
        judged = replace(node, bound=min(node.bound, pricing.bound, bounds.every), share=share)
        return Judged(judged, separate(self.model, values), bounds, ended=self.effort().time_limit_s <= 0)


def _parts(node: Node, bounds: Bounds, target: float) -> list[Node]:
    """All plans of the node in parts: pools that are dear one way are decided the other way, each after those before
    it; what is left is split on one pool. Nothing where no pool is in question."""
    parts, rest = [], node
    low_enough = node.bound - DECIDED * (node.bound - target)
    free = ~node.opened & ~node.closed
    for pool in np.flatnonzero(free & (np.minimum(bounds.opened, bounds.closed) <= low_enough)).tolist():
        dear, rest = sorted(_halves(rest, pool, bounds), key=lambda half: half.bound)
        parts.append(dear)
    split = _undecided(rest)
    if split is not None:
        return [*parts, *_halves(rest, split, bounds)]
    return [*parts, rest] if parts else []


def _halves(node: Node, pool: int, bounds: Bounds) -> tuple[Node, Node]:
    """The node with the pool and without it."""
    chosen = np.arange(len(node.opened)) == pool
    return (
        replace(node, opened=node.opened | chosen, bound=min(node.bound, float(bounds.opened[pool]))),
        replace(node, closed=node.closed | chosen, bound=min(node.bound, float(bounds.closed[pool]))),
    )


def _undecided(node: Node) -> int | None:
    """The pool to split on: one open in part, about as far as tells on both sides; else any in use; None: no more."""
    free = ~node.opened & ~node.closed & (node.share > USED)
    return int(np.argmin(np.where(free, np.abs(node.share - TELLING), np.inf))) if free.any() else None
