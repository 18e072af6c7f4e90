"""From an instance to a plan: families apart, then together under the limits they share, always with a true bound."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from multiprocessing import get_context

import numpy as np

from solver.explain import explain_unpooled
from solver.family import BlockAnswer, Task, able_leaders, priced, solve_block
from solver.instance import Instance
from solver.leads import assign_leads
from solver.limits import Prices
from solver.lots import Block, DraftPool, Market
from solver.master import CLOSED, PRICE_ROUNDS, Master, blend, keep_lawful, left_after, total
from solver.milp import Effort
from solver.months import month_at
from solver.plan import OPTIMAL_GAP, Plan, PlanPool, Progress
from solver.worth import Worth

WHOLE_CELLS = 20_000
"""Up to so many places for lines, all families go into one model, which is exact under every limit at once."""
FAMILY_GAPS, WHOLE_GAP = (8e-3, 2e-3, 2e-5), 1e-9
"""Families are first solved roughly, so that a plan is there early, then closer where the gap is."""
RELAXED = 0.0
"""Stands for a first look at every family by its relaxation alone."""
FAMILY_NODES, WHOLE_NODES = 20_000, 200_000
PRICED_GAP = 1e-3
GENEROUS, LEAST_SHARE_S = 3.0, 5.0
"""A family may take three times its even share of the time left, and always five seconds."""
EXPLAINING_SHARE, EXPLAINING_S_PER_LINE = 0.2, 5e-4
"""Time kept for the reasons of lines that stay out: so much a line, at most this share of the limit."""
OnProgress = Callable[[Progress], None]


def solve(
    instance: Instance,
    *,
    time_limit_s: float = 60.0,
    workers: int = 1,
    seed: int = 0,
    executor: Executor | None = None,
    on_progress: OnProgress | None = None,
    gap: float = OPTIMAL_GAP,
    whole_cells: int = WHOLE_CELLS,
) -> Plan:
    """The best plan found within the time and work limits, with a proven bound.

    ``gap``: good enough; the search ends once plan and bound are proven so close, as a share of the bound.
    ``executor`` runs families side by side (any `concurrent.futures.Executor`); without one and with ``workers`` > 1
    a process pool is made and closed. Same instance, seed and workers give the same plan unless the clock stops it.
    Instances of at most ``whole_cells`` places for lines are solved as one model.
    """
    began = time.monotonic()
    market = Market(instance)
    with _pool_of(workers) if executor is None and workers > 1 else nullcontext(executor) as runner:
        explaining = min(EXPLAINING_SHARE * time_limit_s, EXPLAINING_S_PER_LINE * len(instance.lines))
        search = _Search(
            market, began + time_limit_s - explaining, seed, workers, gap, runner, on_progress or (lambda _: None)
        )
        pools = search.run(whole_cells)
    worth = Worth(instance)
    fixed = worth.fixed_pools()
    proposed = _named(market, worth, search.blocks, pools)
    plan_pools = tuple(sorted((*fixed, *proposed), key=lambda pool: (pool.start, pool.family)))
    totals = worth.totals(plan_pools)
    bound = max(search.bound + worth.totals(fixed).objective_eur, totals.objective_eur)
    plan = Plan(
        pools=plan_pools,
        unpooled=explain_unpooled(market, worth, plan_pools),
        totals=totals,
        bound_eur=bound,
        runtime_s=time.monotonic() - began,
        seed=seed,
        workers=workers,
        stopped_by_clock=search.by_clock,
        warnings=(*instance.warnings, *market.warnings),
    )
    search.report("done", len(search.blocks), plan.objective_eur, plan.bound_eur)
    return plan


@contextmanager
def _pool_of(workers: int) -> Iterator[Executor]:
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@dataclass
class _Search:
    """The state of one solve. Values and ``bound`` leave fixed pools out."""

    market: Market
    deadline: float
    seed: int
    workers: int
    gap: float
    executor: Executor | None
    on_progress: OnProgress
    blocks: list[Block] = field(default_factory=list)
    bound: float = float("inf")
    by_clock: bool = False

    def run(self, whole_cells: int) -> tuple[tuple[DraftPool, ...], ...]:
        self.blocks = [self.market.block([family]) for family in self.market.families]
        if sum(len(block.cell_line) for block in self.blocks) <= whole_cells:
            return self._whole()
        return self._apart()

    def report(self, stage: str, done: int, best: float | None, bound: float | None) -> None:
        self.on_progress(Progress(stage, done, len(self.blocks), best, bound))

    def _remaining(self) -> float:
        return max(0.0, self.deadline - time.monotonic())

    def _out_of_time(self) -> bool:
        """Whether the clock ends the search here; kept for the plan to say."""
        self.by_clock = self.by_clock or not self._remaining()
        return not self._remaining()

    def _ends_at(self) -> float:
        return time.time() + self._remaining()

    def _whole(self) -> tuple[tuple[DraftPool, ...], ...]:
        """Every family in one model."""
        self.blocks = [self.market.block(self.market.families)]
        closest = WHOLE_GAP if self.gap <= OPTIMAL_GAP else self.gap
        effort = Effort(self._remaining(), closest, WHOLE_NODES, self.seed)
        prices = Prices.none(self.market.left)
        task = Task(self.blocks[0], self.market.left, prices, effort, self._ends_at(), exact_leads=True)
        (answer,) = self._solved([task])
        self.bound = answer.bound
        return (answer.pools,)

    def _solved(self, tasks: Sequence[Task]) -> list[BlockAnswer]:
        """Answers in the order of the tasks."""
        results = self.executor.map(solve_block, tasks) if self.executor else map(solve_block, tasks)
        answers = []
        for answer in results:
            answers.append(answer)
            self.by_clock = self.by_clock or answer.by_clock
            self.report("families", len(answers), None, None)
        return answers

    def _tasks(self, prices: Prices, gap: float, cuts: Sequence[BlockAnswer]) -> list[Task]:
        """A task for each family; its share of the clock is generous, so that work limits end it as a rule."""
        share = self._remaining() * GENEROUS * self.workers / max(1, len(self.blocks))
        nodes = 0 if gap == RELAXED else FAMILY_NODES
        effort = Effort(max(LEAST_SHARE_S, share), gap, nodes, self.seed)
        found = [answer.cuts for answer in cuts] or [()] * len(self.blocks)
        return [
            Task(block, self.market.left, prices, effort, self._ends_at(), cuts=known)
            for block, known in zip(self.blocks, found, strict=True)
        ]

    def _apart(self) -> tuple[tuple[DraftPool, ...], ...]:
        """Families apart, closer and closer; where what they share does not last, at prices for it."""
        free = Prices.none(self.market.left)
        answers: list[BlockAnswer] = []
        best: tuple[tuple[DraftPool, ...], ...] = tuple(() for _ in self.blocks)
        for target in (RELAXED, *self._targets()):
            answers = self._refined(answers, free, target)
            self.bound = min(self.bound, sum(answer.bound for answer in answers))
            best = max(best, keep_lawful(self.blocks, [a.pools for a in answers], self.market.left), key=total)
            self.report("families", len(self.blocks), total(best), self.bound)
            if self._closed(best) or self._out_of_time():
                return best
            together = sum(total([answer.pools]) for answer in answers)
            if target != RELAXED and total(best) < together - 1e-6 * max(1.0, together):
                return self._polished(*self._priced(best, answers))
        return best

    def _targets(self) -> list[float]:
        """Gaps for families, from rough to as close as the plan is to be."""
        closest = max(FAMILY_GAPS[-1], 0.8 * self.gap if self.gap > OPTIMAL_GAP else 0.0)
        return [*(target for target in FAMILY_GAPS if target > closest), closest]

    def _refined(self, answers: Sequence[BlockAnswer], prices: Prices, target: float) -> list[BlockAnswer]:
        """The answers with those whose gap is above the target solved again; the better pools and bounds stay."""
        refined: list[BlockAnswer | None] = [*answers] or [None] * len(self.blocks)
        gaps = [float("inf") if a is None else a.bound - a.priced_value for a in refined]
        rough = [b for b, a in enumerate(refined) if a is None or gaps[b] > target * abs(a.bound)]
        rough.sort(key=lambda b: (-gaps[b], b))
        tasks = self._tasks(prices, target, answers)
        for b, answer in zip(rough, self._solved([tasks[b] for b in rough]), strict=True):
            before = refined[b]
            refined[b] = answer if before is None else _better(before, answer)
        return [answer for answer in refined if answer is not None]

    def _priced(
        self, best: tuple[tuple[DraftPool, ...], ...], answers: Sequence[BlockAnswer]
    ) -> tuple[tuple[tuple[DraftPool, ...], ...], Sequence[BlockAnswer]]:
        """Rounds of prices for what families share, until bound and plan meet or nothing new comes."""
        left = self.market.left
        master = Master(self.blocks, left)
        best_prices = Prices.none(left)
        for _ in range(PRICE_ROUNDS):
            new = sum(master.columns.add(b, answer.pools) for b, answer in enumerate(answers))
            if self._closed(best) or self._out_of_time() or not new:
                break
            effort = Effort(self._remaining(), 1e-4, 2_000, self.seed)
            best = max(best, master.choose(effort), key=total)
            fresh = master.relaxed_prices(effort)
            self.by_clock = self.by_clock or master.by_clock
            if self._closed(best) or fresh is None:
                break
            prices = _between(best_prices, fresh)
            answers = self._solved(self._tasks(prices, max(PRICED_GAP, self.gap / 2), answers))
            bound = sum(answer.bound for answer in answers) + prices.value_of(left)
            if bound < self.bound:
                self.bound, best_prices = bound, prices
            self.report("limits", len(self.blocks), total(best), self.bound)
        return best, answers

    def _closed(self, pools: Sequence[Sequence[DraftPool]]) -> bool:
        enough = CLOSED if self.gap <= OPTIMAL_GAP else self.gap
        return self.bound - total(pools) <= enough * max(1.0, abs(self.bound))

    def _polished(
        self, best: tuple[tuple[DraftPool, ...], ...], answers: Sequence[BlockAnswer]
    ) -> tuple[tuple[DraftPool, ...], ...]:
        """One family after another solved again under exactly what the others leave, while that helps."""
        chosen = list(best)
        nothing = Prices.none(self.market.left)
        for b, block in enumerate(self.blocks):
            if self._closed(chosen) or self._out_of_time():
                break
            left = left_after(self.blocks, chosen, self.market.left, skip=b)
            effort = Effort(self._remaining(), self._targets()[-1], FAMILY_NODES, self.seed)
            task = Task(block, left, nothing, effort, self._ends_at(), exact_leads=True, cuts=answers[b].cuts)
            answer = solve_block(task)
            self.by_clock = self.by_clock or answer.by_clock
            if answer.priced_value > priced(chosen[b], block, nothing):
                chosen[b] = answer.pools
                self.report("polishing", b + 1, total(chosen), self.bound)
        return tuple(chosen)


def _better(before: BlockAnswer, answer: BlockAnswer) -> BlockAnswer:
    """The better pools and the lower bound of two answers to the same block at the same prices."""
    pools = answer if answer.priced_value >= before.priced_value else before
    return replace(answer, pools=pools.pools, priced_value=pools.priced_value, bound=min(before.bound, answer.bound))


def _between(first: Prices, second: Prices) -> Prices:
    """Halfway: the program over few pools overstates prices."""
    return Prices(
        blend(first.quarter_pools, second.quarter_pools, 0.5),
        blend(first.participant_quarter, second.participant_quarter, 0.5),
        blend(first.leads, second.leads, 0.5),
    )


def _named(
    market: Market, worth: Worth, blocks: Sequence[Block], chosen: Sequence[Sequence[DraftPool]]
) -> list[PlanPool]:
    """Draft pools in the instance's names, each with its lead: of those able, who brings the largest spend."""
    instance = market.instance
    drafts = [(blocks[b], pool) for b, pools in enumerate(chosen) for pool in pools]
    able = [_by_spend(block, pool) for block, pool in drafts]
    leads = assign_leads(able, market.left.leads)
    assert leads is not None  # noqa: S101 every choice was made under the same limits
    pools = []
    for (block, pool), lead in zip(drafts, leads, strict=True):
        start = month_at(instance.policy.horizon_start, pool.start)
        lots = tuple(
            worth.lot(
                instance.offers[block.offer[lot.offer]].id,
                [instance.lines[block.line[line]].id for line in lot.lines],
                start,
            )
            for lot in pool.lots
        )
        pools.append(PlanPool(block.families[pool.family], start, instance.participants[lead].id, lots))
    return pools


def _by_spend(block: Block, pool: DraftPool) -> list[int]:
    lines = np.array([line for lot in pool.lots for line in lot.lines])
    able = able_leaders(block, pool)
    spend = {int(p): float(block.spend[lines[block.participant[lines] == p]].sum()) for p in able}
    return sorted(spend, key=lambda p: (-spend[p], p))
