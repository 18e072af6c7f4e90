"""From an instance to a plan: one model where that is small enough, else families apart, always with a true bound."""

import time
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from solver.apart import Apart
from solver.confirming import Confirming
from solver.explain import explain_unpooled
from solver.family.rounding import able_leaders
from solver.family.task import BlockAnswer, Task, trivial_bound
from solver.instance import Instance
from solver.leads import assign_leads
from solver.limits import Prices
from solver.lots import Block, DraftPool, Market
from solver.milp import Effort
from solver.plan import OPTIMAL_GAP, Plan, PlanPool, Progress
from solver.pools import in_words
from solver.running.stopping import Stop, listening
from solver.running.tasks import runner
from solver.search import OnProgress, Search
from solver.worth import Worth

WHOLE_CELLS = 20_000
"""Up to so many places for lines, all families go into one model, which is exact under every limit at once."""
WHOLE_GAP, WHOLE_NODES = 1e-9, 200_000
EXPLAINING_SHARE, EXPLAINING_S_PER_LINE = 0.2, 8e-4
"""Time kept for the reasons of lines that stay out: so much a line, at most this share of the limit."""


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
    stop: Stop | None = None,
    reasons: bool = True,
    settle: bool = False,
) -> Plan:
    """The best plan found within the time and work limits, with a proven bound.

    ``gap``: good enough; the search ends once plan and bound are proven so close, as a share of the bound.
    ``executor`` runs families side by side (any `concurrent.futures.Executor`); without one and with ``workers`` > 1
    a process pool is made and closed. Same instance, seed and workers give the same plan unless the clock stops it.
    ``stop`` is asked now and then; once it is true the best plan so far is returned with its bound.
    Instances of at most ``whole_cells`` places for lines are solved as one model. Without ``reasons`` the plan does not
    say why lines stay out; with ``settle`` the figures of reasons that turn on the plan are settled by solving again,
    as far as its work goes, else they are estimates.
    """
    began = time.monotonic()
    market = Market(instance)
    blocks = [market.block([family]) for family in market.families]
    explaining = min(EXPLAINING_SHARE * time_limit_s, EXPLAINING_S_PER_LINE * len(instance.lines)) if reasons else 0.0
    cells = {family: len(block.cell_line) for family, block in zip(market.families, blocks, strict=True)}
    whole = sum(cells.values()) <= whole_cells
    if whole:
        blocks = [market.block(market.families)]
    with runner(executor, workers=1 if whole else workers, stop=stop) as running:
        tell = on_progress or (lambda _: None)
        deadline = began + time_limit_s - explaining
        search = Search(market, blocks, deadline, seed, workers, gap, running, tell, stop)
        if whole:
            _whole(search)
        else:
            Apart(search).run()
    worth = Worth(instance)
    fixed = worth.fixed_pools()
    proposed = _named(market, worth, blocks, search.best)
    plan_pools = tuple(sorted((*fixed, *proposed), key=lambda pool: (pool.start, pool.family)))
    totals = worth.totals(plan_pools)
    bound = max(search.bound + worth.totals(fixed).objective_eur, totals.objective_eur)
    ends_at = began + time_limit_s
    confirming = Confirming(cells, ends_at=ends_at, seed=seed) if settle and not search.over() else None
    unpooled = explain_unpooled(market, worth, plan_pools, confirming) if reasons else ()
    plan = Plan(
        pools=plan_pools,
        unpooled=unpooled,
        totals=totals,
        bound_eur=bound,
        runtime_s=time.monotonic() - began,
        seed=seed,
        workers=workers,
        stopped_by_clock=search.by_clock or (confirming is not None and confirming.by_clock),
        interrupted=search.stopped,
        warnings=(*instance.warnings, *market.warnings),
    )
    tell(Progress("done", len(blocks), len(blocks), plan.objective_eur, plan.bound_eur))
    return plan


def _whole(search: Search) -> None:
    """Every family in one model; leads are counted only where they turn out to be short."""
    search.bound = sum(trivial_bound(block) for block in search.blocks)
    closest = WHOLE_GAP if search.gap <= OPTIMAL_GAP else search.gap
    effort = Effort(search.remaining_s(), closest, WHOLE_NODES, search.seed)
    left = search.market.left
    task = Task(search.blocks[0], left, Prices.none(left), effort, search.ends_at(), threads=max(1, search.workers))
    with listening(lambda found: _heard(search, found)):
        answer = search.solved("families", [0], [task]).get(0)
    search.over()
    if answer is not None and answer.bound - answer.priced_value > closest * abs(answer.bound) and not search.over():
        counted = replace(task, exact_leads=True, cuts=answer.cuts, warm=answer.pools)
        answer = search.solved("families", [0], [counted]).get(0, answer)
    if answer is not None:
        search.offer((answer.pools,))
        search.bound = answer.bound
        search.report("families", 1)


def _heard(search: Search, answer: BlockAnswer) -> None:
    """What the one model has so far, as progress; its plan still lacks exact leads, so it is no offer yet."""
    search.bound = min(search.bound, answer.bound)
    search.on_progress(Progress("families", 0, len(search.blocks), answer.priced_value, search.bound))


def _named(
    market: Market, worth: Worth, blocks: Sequence[Block], chosen: Sequence[Sequence[DraftPool]]
) -> list[PlanPool]:
    """Draft pools in the instance's names, each with its lead: of those able, who brings the largest spend."""
    instance = market.instance
    drafts = [(blocks[b], pool) for b, pools in enumerate(chosen) for pool in pools]
    able = [_by_spend(block, pool) for block, pool in drafts]
    leads = assign_leads(able, market.left.leads)
    assert leads is not None  # noqa: S101 every choice was made under the same limits
    return [
        replace(in_words(instance, worth, block, pool), lead=instance.participants[lead].id)
        for (block, pool), lead in zip(drafts, leads, strict=True)
    ]


def _by_spend(block: Block, pool: DraftPool) -> list[int]:
    lines = np.array([line for lot in pool.lots for line in lot.lines])
    able = able_leaders(block, pool)
    spend = {int(p): float(block.spend[lines[block.participant[lines] == p]].sum()) for p in able}
    return sorted(spend, key=lambda p: (-spend[p], p))
