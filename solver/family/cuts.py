"""Inequalities that a model learns: rule 3's root from below, who must be there to reach a volume, and lines that are
too much together."""

from dataclasses import dataclass

import numpy as np

from solver.arrays import Floats, Ints
from solver.lots import SURE_TOLERANCE, Block

LEAST_MISSING = 1e-5
"""Share of a tier's volume: less than this missing is rounding, not a shortfall."""
LEAST_USED, MOST_UNUSED = 1e-3, 6


@dataclass(frozen=True)
class SureCut:
    """``weights @ take <= root`` for every choice of lines, and equal to it at the choice it was made from."""

    steps: Ints
    """The steps that it is put on."""
    weights: Floats
    """One a line of the block."""


@dataclass(frozen=True)
class ShortfallCut:
    """What the other lines of a step cannot bring, these must: ``shares @ take[cells] >= step``.

    The knapsack cover inequality of a volume to be reached (Carr, Fleischer, Leung and Phillips, "Strengthening
    integrality gaps for capacitated network design and covering problems", SODA 2000): with the others all in and
    ``r`` still missing, a line of size ``a`` brings at most ``min(a, r)`` of it.
    """

    step: int
    cells: Ints
    shares: Floats
    """What each brings of what is missing, at most 1."""


@dataclass(frozen=True)
class CoverCut:
    """Lines that together are too much for a lot of the offer, or for all lots on it (``everywhere``)."""

    offer: int
    lines: tuple[int, ...]
    everywhere: bool


def sure_cut(block: Block, steps: Ints, order: Ints, exact_at: int) -> SureCut:
    """For the steps, a linear function of the lines that never exceeds rule 3's root and meets it at the first
    ``exact_at`` of ``order``; lines not in ``order`` weigh nothing.

    Without correlation the root is a submodular function of the set of lines, and its steps along any order bound it
    from below (polymatroid inequality: Atamtuerk and Narayanan, "Polymatroids and mean-risk minimization in discrete
    optimization", Operations Research Letters 36, 2008). With correlation rho the root is the length of the vector
    (sqrt((1-rho) V), sqrt(rho) D), V the sum of variances and D the sum of deviations; its projection on any unit
    vector is no longer, and equal at the choice whose direction that vector has.
    """
    rho = block.terms.correlation
    deviation = block.deviation[order]
    roots = np.sqrt(np.cumsum(deviation**2))
    rises = np.diff(np.r_[0.0, roots])
    first = np.sqrt(1 - rho) * (roots[exact_at - 1] if exact_at else 0.0)
    second = np.sqrt(rho) * deviation[:exact_at].sum()
    length = float(np.hypot(first, second))
    weights = np.zeros(len(block.line))
    if length > 0:
        weights[order] = (np.sqrt(1 - rho) * first * rises + np.sqrt(rho) * second * deviation) / length
    return SureCut(steps, weights)


def sure_shares(block: Block, step: int, lines: Ints, exact_at: int) -> Floats:
    """What each of the lines brings of the step's volume at least, as a share; with rule 3 any lot reaches 1."""
    weights = sure_cut(block, np.array([step]), lines, exact_at).weights[lines]
    shares: Floats = (block.quantity[lines] - block.terms.deviates * weights) / (
        block.step_from[step] * (1 - SURE_TOLERANCE)
    )
    return shares


def first_shortfalls(block: Block) -> list[ShortfallCut]:
    """For each step the cut of its largest lines: as few as all smaller ones together cannot do without."""
    order = np.lexsort((block.quantity[block.cell_line], block.cell_step))
    edges = np.searchsorted(block.cell_step[order], np.arange(len(block.step_lot) + 1))
    cuts = []
    for step in range(len(block.step_lot)):
        cells = order[edges[step] : edges[step + 1]]
        shares = sure_shares(block, step, block.cell_line[cells], len(cells))
        missing = 1.0 - np.r_[0.0, np.cumsum(shares)[:-1]]
        smaller = int(np.flatnonzero(missing > LEAST_MISSING)[-1]) if len(cells) else 0
        if smaller and bool((shares >= 0).all()):
            cuts.append(_shortfall(step, cells[smaller:], shares[smaller:], missing[smaller]))
    return cuts


def worst_shortfall(block: Block, step: int, cells: Ints, use: Floats) -> tuple[ShortfallCut, float] | None:
    """The shortfall cut of the step that ``use`` (how far each cell is taken, as a share of the step) breaks most, and
    by how much; None where every cut that was tried holds.

    The others are tried as those used most, to any number, and as all but the few that leave most unused.
    """
    order = np.lexsort((block.quantity[block.cell_line[cells]], -np.round(use, 6)))
    cells, use = cells[order], use[order]
    shares = sure_shares(block, step, block.cell_line[cells], int((use > LEAST_USED).sum()))
    if not len(cells) or bool((shares < 0).any()):
        return None
    missing = 1.0 - np.r_[0.0, np.cumsum(shares)[:-1]]
    tries = [np.arange(k, len(cells)) for k in np.flatnonzero(missing > LEAST_MISSING)]
    unused = np.argsort(-shares * (1 - use), kind="stable")
    tries += [np.sort(unused[:k]) for k in range(1, min(len(cells), MOST_UNUSED) + 1)]
    worst: tuple[ShortfallCut, float] | None = None
    total = float(shares.sum())
    for chosen in tries:
        lacking = 1.0 - (total - float(shares[chosen].sum()))
        if lacking <= LEAST_MISSING:
            continue
        broken = 1.0 - float(np.minimum(shares[chosen], lacking) @ use[chosen]) / lacking
        if broken > (0.0 if worst is None else worst[1]):
            worst = _shortfall(step, cells[chosen], shares[chosen], lacking), broken
    return worst


def _shortfall(step: int, cells: Ints, shares: Floats, missing: float) -> ShortfallCut:
    return ShortfallCut(step, cells, np.minimum(shares, missing) / missing)
