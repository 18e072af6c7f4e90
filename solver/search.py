"""What every way of solving shares: the clock, the gap asked for, the workers, progress and the bound so far."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from solver.family.solving import solve_block
from solver.family.task import BlockAnswer, Task
from solver.limits import Left, Prices
from solver.lots import Block, DraftPool, Market
from solver.milp import Effort
from solver.plan import OPTIMAL_GAP, Progress
from solver.running.stopping import Stop
from solver.running.tasks import Runner

OnProgress = Callable[[Progress], None]
Pools = tuple[tuple[DraftPool, ...], ...]
"""The pools of each block."""
GENEROUS, LEAST_SHARE_S = 3.0, 5.0
"""A family may take three times its even share of the time left, and always five seconds."""
CLOSED = 5e-5
"""With no gap asked for, the search ends once plan and bound are so close."""


def total(pools: Sequence[Sequence[DraftPool]]) -> float:
    """Value of all pools."""
    return float(sum(pool.value for chosen in pools for pool in chosen))


@dataclass
class Search:
    """The state of one solve. Values and ``bound`` leave fixed pools out."""

    market: Market
    blocks: Sequence[Block]
    deadline: float
    seed: int
    workers: int
    gap: float
    running: Runner
    on_progress: OnProgress
    stop: Stop | None = None
    bound: float = float("inf")
    best: Pools = field(default=())
    by_clock: bool = False
    stopped: bool = False

    def report(self, stage: str, done: int) -> None:
        """Tell the caller how far it is."""
        bound = self.bound if self.bound < float("inf") else None
        self.on_progress(Progress(stage, done, len(self.blocks), total(self.best), bound))

    def remaining_s(self) -> float:
        return max(0.0, self.deadline - time.monotonic())

    def ends_at(self) -> float:
        return time.time() + self.remaining_s()

    def over(self) -> bool:
        """Whether the clock or the caller ends the search here; kept for the plan to say."""
        self.stopped = self.stopped or (self.stop is not None and self.stop())
        self.by_clock = self.by_clock or not self.remaining_s()
        return self.stopped or not self.remaining_s()

    def closed(self) -> bool:
        """Whether plan and bound are as close as asked for."""
        enough = CLOSED if self.gap <= OPTIMAL_GAP else self.gap
        return self.bound - total(self.best) <= enough * max(1.0, abs(self.bound))

    def offer(self, pools: Pools) -> bool:
        """A lawful plan; whether it is better than the best."""
        better = not self.best or total(pools) > total(self.best)
        if better:
            self.best = pools
        return better

    def effort(self, gap: float, nodes: int) -> Effort:
        """Work limits for one family; its share of the clock is generous, so that they end it as a rule."""
        share = self.remaining_s() * GENEROUS * self.workers / max(1, len(self.blocks))
        return Effort(max(LEAST_SHARE_S, share), gap, nodes, self.seed)

    def task(self, block: int, prices: Prices, effort: Effort, known: BlockAnswer | None = None) -> Task:
        """The block at the prices, from what is known of it."""
        cuts, warm = (known.cuts, known.pools) if known is not None else ((), ())
        threads = max(1, self.workers // len(self.blocks))
        return Task(
            self.blocks[block], self.market.left, prices, effort, self.ends_at(), cuts=cuts, warm=warm, threads=threads
        )

    def under(self, block: int, left: Left, effort: Effort, known: BlockAnswer, warm: tuple[DraftPool, ...]) -> Task:
        """The block without prices, under exactly what is left, from a plan that fits."""
        free = Prices.none(left)
        return Task(
            self.blocks[block], left, free, effort, self.ends_at(), exact_leads=True, cuts=known.cuts, warm=warm
        )

    def master_effort(self, nodes: int | None = None) -> Effort:
        """Work limits for the programs over all families."""
        return Effort(self.remaining_s(), 1e-4, nodes, self.seed)

    def solved(self, stage: str, numbers: Sequence[int], tasks: Sequence[Task]) -> dict[int, BlockAnswer]:
        """Answers by block; those that the caller's stop cut off are missing."""
        done = 0

        def tell(_: int, answer: BlockAnswer) -> None:
            nonlocal done
            done += 1
            self.by_clock = self.by_clock or answer.by_clock
            self.report(stage, done)

        answers = self.running.map(
            solve_block, tasks, on_done=tell, name=lambda task: f"family {', '.join(task.block.families)}"
        )
        return {b: answer for b, answer in zip(numbers, answers, strict=True) if answer is not None}
