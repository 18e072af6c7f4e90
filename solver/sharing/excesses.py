"""What is asked and answered of coalitions: what one gains by leaving is its excess.

The excess of a coalition is its value (`solver.sharing.coalitions`) less what its members get. Only proper coalitions
count: not nobody, and not all.
"""

from dataclasses import dataclass

import numpy as np

from solver.arrays import Flags, Floats
from solver.sharing.coalitions import Game, everyone_of

TOLERANCE = 1e-6
LEAST_GAIN = 1e4
"""Excesses are found and proven to this share of the pool's gain, or of 10,000 EUR where it is less: to a cent."""
MET = 8
"""Coalitions of large excess kept beside the largest."""


@dataclass(frozen=True)
class Known:
    """Coalitions with their values."""

    coalitions: Flags
    valued: Floats
    cash: Floats
    complete: bool = False
    """Whether every coalition is here."""

    def of(self, cash: bool) -> Floats:
        return self.cash if cash else self.valued


@dataclass(frozen=True)
class Question:
    """What each member is to get, of the pool's gain with green value or in cash."""

    cash: bool
    amounts: Floats


@dataclass(frozen=True)
class Worst:
    """The coalition that would gain most by leaving: its excess, and what no coalition's excess is above."""

    coalition: Flags
    excess_eur: float
    bound_eur: float
    tolerance_eur: float
    found: Flags
    """Some coalitions of large excess met on the way, this one among them."""

    @property
    def proven(self) -> bool:
        return self.bound_eur <= self.excess_eur + self.tolerance_eur


def tolerance_of(game: Game, cash: bool) -> float:
    """EUR to which excesses are found and proven."""
    return TOLERANCE * max(LEAST_GAIN, abs(game.whole(cash)))


def proper(coalitions: Flags) -> Flags:
    """Which coalitions are neither nobody nor all."""
    sizes = coalitions.sum(axis=1)
    some: Flags = (sizes > 0) & (sizes < coalitions.shape[1])
    return some


def all_known(game: Game) -> Known:
    """Every coalition of a game of few members."""
    coalitions = everyone_of(game.size)
    values = game.values(coalitions)
    return Known(coalitions, values.valued, values.cash, complete=True)


def worst_of_all(game: Game, question: Question, known: Known) -> Worst:
    """The largest excess where every coalition is known."""
    excess = known.of(question.cash) - known.coalitions @ question.amounts
    excess[~proper(known.coalitions)] = -np.inf
    order = np.argsort(-excess, kind="stable")[:MET]
    largest = float(excess[order[0]])
    tolerance = tolerance_of(game, question.cash)
    return Worst(known.coalitions[order[0]], largest, largest, tolerance, known.coalitions[order])
