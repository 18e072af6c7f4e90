"""Solving one block, most often one family: quick plan, tight relaxation, exact model of what could still matter.

The relaxation, tightened by cuts, gives a bound and says of every place how much a plan that uses it must lose
(its reduced cost). The integer model is then solved over the places within a window of that loss; what lies outside
cannot beat bound less window, so that plan and bound meet without ever solving the model whole. The model holds
rule 3 as cuts; what comes out is settled exactly, and where a choice breaks a rule by more than rounding, the cut it
breaks is added and the model solved again.
"""

import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace

import numpy as np

from solver.arrays import Flags, Floats
from solver.drafts import Valuer
from solver.family.branching import Branching
from solver.family.cuts import ShortfallCut, SureCut
from solver.family.model import separate
from solver.family.opening import Openings
from solver.family.pricing import PoolPricing, column_pools, first_pools
from solver.family.quick import quick_pools
from solver.family.rounding import Chosen, broken, chosen_lots, mended, priced, rounded
from solver.family.rules import modelled
from solver.family.task import BlockAnswer, Cut, Task, trivial_bound
from solver.milp import Answer, Effort
from solver.running.stopping import hand_in, told_to_stop

MOST_ROUNDS = 60
TIGHTENING_ROUNDS, KNOWN_ROUNDS, TELLING, TELLING_SHARE, ROUGH_GAP = 3, 2, 2e-4, 0.35, 1e-2
"""At most so many rounds of cuts on the relaxation (fewer where cuts are known), as long as each moves its bound by a
share of it, or by a share of the gap asked for where that is at most the last."""
LEAST_WINDOW, WINDOW_SHARE, WIDENED_SHARE = 1e-3, 0.2, 0.9
"""The first window, as a share of the bound: so much of the gap asked for, and not less than that. A second
window leaves out what cannot beat the plan by this share of the gap."""
LARGE_CELLS, LARGE_FIRST, LARGE_ROUNDS = 8_000, 2, 5
SET_CUT_ROUNDS, SET_ROUNDS, SET_NODES = 8, 8, 30
"""A block of more cells is large. Rounds of its relaxation before sets of pools are tried, and in all; rounds of
cuts and of integer models for the best set, and what each of these may cost."""


def solve_block(task: Task) -> BlockAnswer:
    """The best pools of the block under its rules, what is left of shared limits, and prices on them.

    With no nodes allowed only the relaxation is solved, once: a bound and a plan soon.
    """
    if not len(task.block.cell_line):
        return BlockAnswer((), 0.0, 0.0, False, task.cuts)
    attempt = _Attempt(task)
    hand_in(attempt.answer())
    if len(task.block.cell_line) > LARGE_CELLS and not task.exact_leads:
        attempt.large()
        hand_in(attempt.answer())
        if attempt.done():
            return attempt.answer()
    attempt.relax()
    hand_in(attempt.answer())
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
        self.best = task.warm or quick_pools(self.block, self.valuer, task.left, task.prices)
        self.value = priced(self.best, self.block, task.prices)
        self.bound, self.by_clock = trivial_bound(self.block), False
        self.relaxed, self.losses = np.inf, np.empty(0)
        self.model = modelled(self.block, task.left, task.prices, exact_leads=task.exact_leads)
        self.cuts: list[Cut] = []
        self.settled: set[bytes] = set()
        """Sets of pools that an integer model has filled."""
        self._add(task.cuts)

    def answer(self) -> BlockAnswer:
        if self.value < 0:
            self.best, self.value = (), 0.0
        return BlockAnswer(self.best, self.value, max(self.bound, self.value), self.by_clock, tuple(self.cuts))

    def relax(self) -> None:
        """Cuts that the linear relaxation breaks, round by round while they tell; its solution rounded."""
        telling = max(TELLING, TELLING_SHARE * min(self.task.effort.relative_gap, ROUGH_GAP))
        rounds = KNOWN_ROUNDS if self.task.cuts else TIGHTENING_ROUNDS
        for last in range(rounds - 1, -1, -1):
            answer = self.model.milp.solve(self._effort(), relaxed=True)
            if answer.values is None or answer.reduced_costs is None or not answer.proven:
                self.by_clock = self.by_clock or answer.by_clock
                return
            told = self.relaxed - answer.bound > telling * abs(answer.bound)
            self.relaxed, self.losses = answer.bound, -answer.reduced_costs
            self.bound = min(self.bound, self.relaxed)
            found = separate(self.model, answer.values) if told and last and not told_to_stop() else []
            self._add(found)
            if not found:
                break
        self._improve(rounded(self.model, answer))

    def large(self) -> None:
        """A large block: pools come into the relaxation by their prices, sets of them are filled category by category,
        the best set is settled by an integer model of its own, and the bound is lowered by deciding pools."""
        with ThreadPoolExecutor(1) as beside:
            answer = self._by_prices(beside)
        if answer is not None:
            self._branch(answer)

    def _by_prices(self, beside: ThreadPoolExecutor) -> Answer | None:
        """The relaxation by prices, sets of pools tried beside it; its last answer, None where all is done."""
        none = np.zeros(len(self.model.open), dtype=bool)
        pricing = PoolPricing(self.model, self._effort, first_pools(self.model), opened=none, closed=none)
        trying: Future[Openings] | None = None
        for round_ in range(LARGE_ROUNDS):
            answer = pricing.solve()
            if answer.values is None or answer.row_duals is None or not answer.proven or self._ended():
                self.by_clock = self.by_clock or answer.by_clock
                if trying is not None:
                    self._take(trying.result())
                return None
            found = separate(self.model, answer.values)
            if round_ >= LARGE_FIRST:
                trying = trying or self._trying(answer, beside)
                more = pricing.widen(answer)
                self.bound = min(self.bound, pricing.bound)
                hand_in(self.answer())
                if round_ == LARGE_FIRST + 1:
                    self._by_sets(trying.result())
                if round_ > LARGE_FIRST and not (more or found):
                    break
                if self._close():
                    return None
            self._add(found)
        return answer

    def _branch(self, answer: Answer) -> None:
        """The bound lowered by deciding pools, from their relaxation on."""
        assert answer.values is not None  # noqa: S101 asked for only where there is a solution
        tree = Branching(
            self.model,
            self._effort,
            share=answer.values[self.model.open],
            bound=self.bound,
            threads=self.task.threads,
        )
        for found in tree.steps(lambda: self.value):
            self._add(found)
            self.bound = min(self.bound, tree.bound)
            hand_in(self.answer())
            if not self._close() and not self._ended():
                self._settle_set(tree.likely())
            if self._close() or self._ended():
                self.by_clock = self.by_clock or not self._close()
                return

    def _trying(self, answer: Answer, beside: ThreadPoolExecutor) -> Future[Openings]:
        """Sets of pools from the relaxation's on; with one thread they are tried before anything else goes on."""
        assert answer.values is not None  # noqa: S101 asked for only where there is a solution
        openings = Openings(self.block, self.valuer, self.task.left, self.task.prices, self._left_s)
        trying = beside.submit(copy_context().run, openings.search, answer.values[self.model.open])
        if self.task.threads == 1:
            trying.result()
        return trying

    def _by_sets(self, openings: Openings) -> None:
        """The best set that was tried, and its integer model."""
        self._take(openings)
        hand_in(self.answer())
        self._settle_set(np.isin(self.block.pool_start, [pool.start for pool in self.best]))

    def _take(self, openings: Openings) -> None:
        if openings.value > self.value:
            self.best, self.value = openings.best, openings.value

    def _settle_set(self, pools: Flags) -> None:
        """These pools at most, by an integer model with the cuts that their relaxation breaks."""
        model, effort = self.model, self._effort
        if not pools.any() or pools.tobytes() in self.settled:
            return
        self.settled.add(pools.tobytes())
        for _ in range(SET_CUT_ROUNDS):
            answer = model.milp.solve(effort(), relaxed=True, kept=pools[column_pools(model)])
            found = [] if answer.values is None or self._ended() else separate(model, answer.values)
            self._add(found)
            if not found:
                break
        for _ in range(SET_ROUNDS):
            start = self._start()
            answer = model.milp.solve(replace(effort(), nodes=SET_NODES), kept=pools[column_pools(model)], start=start)
            if answer.values is None or self._ended():
                return
            chosen = chosen_lots(model, np.flatnonzero(answer.values[model.take] > 0.5))
            self._improve(chosen)
            hand_in(self.answer())
            more = broken(self.block, self.valuer, chosen)
            self._add(more)
            if not more:
                return

    def done(self) -> bool:
        """Whether nothing is left to do: close enough, out of time, or asked for no more than a relaxation."""
        return self._close() or self._ended() or self.task.effort.nodes == 0

    def _ended(self) -> bool:
        return self.deadline <= time.monotonic() or told_to_stop()

    def _left_s(self) -> float:
        """Seconds until the end, none once told to stop."""
        return 0.0 if told_to_stop() else max(0.0, self.deadline - time.monotonic())

    def search(self) -> None:
        """The integer model within the window, again with the cuts that its choice breaks or with a wider window,
        until plan and bound are close enough."""
        gap = self.task.effort.relative_gap
        window = max(LEAST_WINDOW, WINDOW_SHARE * gap) * abs(self.relaxed)
        for _ in range(MOST_ROUNDS):
            if self._close() or self.deadline <= time.monotonic() or told_to_stop():
                self.by_clock = self.by_clock or not self._close()
                return
            kept = self._within(window)
            outside = -np.inf if kept.all() else self.relaxed - window
            start = self._start()
            answer = self.model.milp.solve(
                self._effort(), kept=kept if start is None else kept | (start > 0), start=start
            )
            self.by_clock = self.by_clock or answer.by_clock
            if np.isfinite(answer.bound):
                self.bound = min(self.bound, max(answer.bound, outside))
            if answer.values is None:
                return
            chosen = chosen_lots(self.model, np.flatnonzero(answer.values[self.model.take] > 0.5))
            self._improve(chosen)
            hand_in(self.answer())
            found = broken(self.block, self.valuer, chosen)
            if not answer.proven or (not found and answer.bound >= outside):
                return
            self._add(found)
            if not found:
                window = self.relaxed - self.value - WIDENED_SHARE * gap * abs(self.value)

    def _within(self, window: float) -> Flags:
        """Columns that a plan worth more than the relaxation less the window can use; all without a relaxation."""
        block, model = self.block, self.model
        kept: Flags = np.ones(model.milp.column_count, dtype=bool)
        if len(self.losses):
            kept = (self.losses <= window) | ~model.milp.integer
            kept[model.step] &= kept[model.open[block.lot_pool[block.step_lot]]]
            kept[model.take] &= kept[model.step[block.cell_step]]
        return kept

    def _start(self) -> Floats | None:
        """The best pools as a solution of the model; none where leads are part of it."""
        if not self.best or self.task.exact_leads or self.value <= 0:
            return None
        return self.model.columns_of(self.best)

    def _effort(self) -> Effort:
        return replace(self.task.effort, time_limit_s=max(0.0, self.deadline - time.monotonic()))

    def _close(self) -> bool:
        return self.bound - self.value <= self.task.effort.relative_gap * abs(self.bound)

    def _add(self, cuts: Iterable[Cut]) -> None:
        for cut in cuts:
            if isinstance(cut, SureCut):
                self.model.add_sure_cut(cut)
            elif isinstance(cut, ShortfallCut):
                self.model.add_shortfall_cut(cut)
            else:
                self.model.add_cover_cut(cut)
            self.cuts.append(cut)

    def _improve(self, chosen: Chosen) -> None:
        for full in (False, True):
            pools = mended(self.block, self.valuer, chosen, self.task.left, full=full)
            value = priced(pools, self.block, self.task.prices)
            if value > self.value:
                self.best, self.value = pools, value
