"""Families apart, at prices for what they share, and back together under the limits.

Quick plans give a first plan and first prices. Each round then solves every family's model at the prices: their bounds
and the price of all that is left are a bound on every plan (Lagrangian relaxation), their pools are columns for a
master program that chooses under the limits. Families that lost by the choice are solved again under exactly what the
others leave. New prices come from what the families' plans together use beyond the limits.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from solver.drafts import Valuer
from solver.family.quick import quick_pools
from solver.family.rounding import priced
from solver.family.task import BlockAnswer, trivial_bound
from solver.limits import Prices
from solver.lots import DraftPool
from solver.master import Master, keep_lawful, left_after
from solver.milp import Effort
from solver.plan import OPTIMAL_GAP
from solver.prices import Mixes, halfway, use_of
from solver.search import Search, total

QUICK_ROUNDS, CLOSING_ROUNDS = 7, 30
RELAXED, FAMILY_GAPS = 1.0, (1e-2, 3e-3, 1e-3, 2e-5)
"""Families are first relaxed, then solved roughly, then closer; never closer than is asked for."""
WIDEST_GAP, LEAST_SHARE, INNER_SHARE = 0.2, 0.25, 0.5
"""A family's own gap: at most the first; at least the second of the average; in all the third of the gap asked for."""
STEP = 0.3
"""Share of Polyak's step: the best plan known lies below the best there is."""
LEAST_LOSS = 1e-4
"""A family that lost less than this share of the whole plan is not worth solving again under the limits."""
MASTER_NODES, FAMILY_NODES = 2_000, 20_000


class Apart:
    """One search over families apart."""

    def __init__(self, search: Search) -> None:
        self.search, self.blocks = search, search.blocks
        self.left = search.market.left
        self.prices = Prices.none(self.left)
        self.columns = Master(search.blocks, self.left)
        self.answers: dict[int, BlockAnswer] = {}
        self.solved_at: Prices | None = None

    def run(self) -> None:
        """Search until the gap is closed, the clock or the caller ends it, or nothing more comes."""
        search = self.search
        search.bound = sum(trivial_bound(block) for block in self.blocks)
        self._quick()
        for round_, gap in enumerate((RELAXED, *FAMILY_GAPS, *[FAMILY_GAPS[-1]] * CLOSING_ROUNDS)):
            if search.over() or search.closed():
                return
            before = search.bound, total(search.best)
            if not self._solve(gap):
                return
            self._choose()
            if gap == RELAXED:
                continue
            self._polish()
            if round_ > len(FAMILY_GAPS) and before == (search.bound, total(search.best)):
                return
            self._reprice()

    def _quick(self) -> None:
        """Plans by simple rule at one set of prices after another: a first plan, and prices that are about right."""
        search, mixes = self.search, Mixes(self.left)
        valuers = [Valuer(block) for block in self.blocks]
        for round_ in range(QUICK_ROUNDS):
            pools = [
                quick_pools(block, valuer, self.left, self.prices)
                for block, valuer in zip(self.blocks, valuers, strict=True)
            ]
            self._learn(enumerate(pools))
            for b, plan in enumerate(pools):
                mixes.add(b, use_of(self.blocks[b], plan, self.left))
            search.offer(keep_lawful(self.blocks, pools, self.left))
            search.report("quick", len(self.blocks))
            fresh = None if search.over() else mixes.prices(search.master_effort())
            if fresh is None or not (fresh.value_of(self.left) or self.prices.value_of(self.left)):
                return
            self.prices = halfway(self.prices, fresh) if round_ else fresh

    def _learn(self, plans: Iterable[tuple[int, Sequence[DraftPool]]]) -> None:
        """Pools of families become columns for the choice."""
        for b, pools in plans:
            self.columns.columns.add(b, pools)

    def _reprice(self) -> None:
        """Prices from what the families' plans together use beyond the limits (a subgradient of the bound), with
        Polyak's step towards the best plan known."""
        uses = [use_of(self.blocks[b], answer.pools, self.left) for b, answer in self.answers.items()]
        over = [
            np.where(np.isfinite(limit), sum(used) - np.where(np.isfinite(limit), limit, 0.0), 0.0)
            for used, limit in (
                ([use.quarter_pools for use in uses], self.left.quarter_pools),
                ([use.participant_quarter for use in uses], self.left.participant_quarter),
            )
        ]
        size = sum(float((np.maximum(part, 0.0) ** 2).sum()) for part in over)
        if size > 0:
            step = STEP * max(0.0, self.search.bound - total(self.search.best)) / size
            self.prices = Prices(
                np.maximum(0.0, self.prices.quarter_pools + step * over[0]),
                np.maximum(0.0, self.prices.participant_quarter + step * over[1]),
                self.prices.leads,
            )

    def _solve(self, gap: float) -> bool:
        """Every family at the prices, the one with most left to prove first; False where some were cut off."""
        search = self.search
        open_eur = {b: a.bound - a.priced_value for b, a in self.answers.items()}
        order = sorted(range(len(self.blocks)), key=lambda b: (-open_eur.get(b, 0.0), b))
        tasks = [search.task(b, self.prices, self._effort(b, gap), self.answers.get(b)) for b in order]
        answers = search.solved("relaxing" if gap == RELAXED else "families", order, tasks)
        if self.prices is self.solved_at:
            answers = {b: at_least_as_good(answer, self.answers[b]) for b, answer in answers.items()}
        self.answers |= answers
        self.solved_at = self.prices
        self._learn((b, answers[b].pools) for b in sorted(answers))
        if len(answers) < len(self.blocks):
            return False
        bound = math.fsum(answer.bound for answer in answers.values()) + self.prices.value_of(self.left)
        search.bound = min(search.bound, bound)
        return True

    def _effort(self, block: int, gap: float) -> Effort:
        """The gap is shared out in EUR: a family worth little need not be close."""
        search = self.search
        if gap == RELAXED:
            return search.effort(min(search.gap, FAMILY_GAPS[0]), 0)
        target = max(gap, INNER_SHARE * search.gap) if search.gap > OPTIMAL_GAP else gap
        bounds = [answer.bound for answer in self.answers.values()]
        share = math.fsum(bounds) / len(bounds) / max(1.0, self.answers[block].bound)
        return search.effort(min(WIDEST_GAP, target * max(LEAST_SHARE, share)), FAMILY_NODES)

    def _choose(self) -> None:
        """The best lawful choice among all pools found."""
        search = self.search
        search.offer(keep_lawful(self.blocks, [self.answers[b].pools for b in range(len(self.blocks))], self.left))
        search.offer(self.columns.choose(search.master_effort(MASTER_NODES)))
        search.report("choosing", len(self.blocks))

    def _polish(self) -> None:
        """Families that lost most by the choice solved again under exactly what the others leave, some at a time.

        Of those solved side by side each is taken if it still fits and helps.
        """
        search = self.search
        lossy = self._lossy()
        side = max(1, search.workers)
        for first in range(0, len(lossy), side):
            if search.over() or search.closed():
                return
            group = lossy[first : first + side]
            tasks = []
            for b in group:
                left = left_after(self.blocks, search.best, self.left, skip=b)
                effort = search.effort(max(FAMILY_GAPS[1], search.gap / 2), FAMILY_NODES)
                warm = search.best[b]
                tasks.append(search.under(b, left, effort, self.answers[b], warm))
            answers = search.solved("polishing", group, tasks)
            for b, answer in answers.items():
                self._learn([(b, answer.pools)])
                pools = [*search.best[:b], answer.pools, *search.best[b + 1 :]]
                search.offer(keep_lawful(self.blocks, pools, self.left))
        search.report("polishing", len(self.blocks))

    def _lossy(self) -> list[int]:
        """Families by what the choice cost them, the largest loss first."""
        search = self.search
        loss = {
            b: answer.priced_value - priced(search.best[b], self.blocks[b], self.prices)
            for b, answer in self.answers.items()
        }
        least = LEAST_LOSS * abs(search.bound)
        return sorted((b for b in loss if loss[b] > least), key=lambda b: (-loss[b], b))


def at_least_as_good(answer: BlockAnswer, before: BlockAnswer) -> BlockAnswer:
    """The better pools and the lower bound of two answers to the same family at the same prices."""
    better = answer if answer.priced_value >= before.priced_value else before
    return replace(answer, pools=better.pools, priced_value=better.priced_value, bound=min(answer.bound, before.bound))
