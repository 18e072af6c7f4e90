"""Inequalities that a model learns as it goes: rule 3's root from below, and lines that are too much together."""

from dataclasses import dataclass

import numpy as np

from solver.arrays import Floats, Ints
from solver.lots import Block


@dataclass(frozen=True)
class SureCut:
    """``weights @ take <= root`` for every choice of lines, and equal to it at the choice it was made from."""

    steps: Ints
    """The steps that it is put on."""
    weights: Floats
    """One a line of the block."""


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
