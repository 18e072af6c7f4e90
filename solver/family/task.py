"""A block to solve, and what comes out."""

from dataclasses import dataclass

import numpy as np

from solver.family.cuts import CoverCut, ShortfallCut, SureCut
from solver.limits import Left, Prices
from solver.lots import Block, DraftPool
from solver.milp import Effort

Cut = SureCut | ShortfallCut | CoverCut


@dataclass(frozen=True)
class BlockAnswer:
    """Pools of a block, and bounds. ``bound`` is on value less prices; ``priced_value`` is what the pools reach of it.

    ``by_clock``: the time limit ended the solve. ``cuts`` can start the next solve of the same block.
    """

    pools: tuple[DraftPool, ...]
    priced_value: float
    bound: float
    by_clock: bool
    cuts: tuple[Cut, ...]


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
    cuts: tuple[Cut, ...] = ()
    warm: tuple[DraftPool, ...] = ()
    """Pools of the block known to be a lawful plan, to start from."""
    threads: int = 1
    """How many programs of a large block are solved side by side."""


def trivial_bound(block: Block) -> float:
    """Every line at its best place and nothing else paid."""
    best = np.zeros(len(block.line))
    np.maximum.at(best, block.cell_line, block.cell_value)
    return float(best.sum())
