"""The least core of a pool's gain: shares under which the coalition that would gain most by leaving gains least.

The least-core excess is the smallest e for which some share gives every coalition at least its value less e; the core
is empty where it is above 0 (Maschler, Peleg and Shapley 1979). It is a linear program with a row a coalition. Rows are
made as shares break them; each new share stays near the best one so far (an L1 proximal bundle method), which takes
several times fewer rows than going wherever the program points. The result is checked by itself: no share can do
better than the program over the rows, and the share at hand does as well as its own worst coalition shows.
"""

from dataclasses import dataclass

import numpy as np

from solver.arrays import Flags, Floats
from solver.milp import Effort, Milp
from solver.sharing.coalitions import Game
from solver.sharing.excesses import Known, Question, Worst, proper, tolerance_of
from solver.sharing.leaving import Leavers

PROGRAMS, CUTS = 200, 20
NEAR, FREER, FREE = 0.03, 0.01, 1e-6
"""Weights of a euro moved against a euro of excess: at first, the step down, and one that decides among equals only."""
SERIOUS = 0.1
"""Share of the promised gain a share must bring to become the best so far."""
NEAREST_ROUNDS = 3
SCALE = 1e3
"""Keeps the smallest weight well above the solver's tolerance of 1e-7."""
CLOCK_S = 60.0
"""Outer stop of one linear program; none comes near it."""


@dataclass(frozen=True)
class LeastCore:
    """A share of the least core with the coalition worst served by it, and what no share can do better than."""

    amounts: Floats
    worst: Worst
    least_excess_eur: float

    @property
    def proven(self) -> bool:
        return self.worst.bound_eur <= self.least_excess_eur + 2 * self.worst.tolerance_eur


class LeastCores:
    """Least cores of one game, one for each way of counting; the rows one makes serve the next."""

    def __init__(self, game: Game, leavers: Leavers, known: Known) -> None:
        self.game, self.leavers, self.known = game, leavers, known
        single = np.eye(game.size, dtype=bool)
        self.rows = np.empty((0, game.size), dtype=bool)
        self.values = np.empty((2, 0))
        self.proper = proper(known.coalitions)
        self.members = known.coalitions.astype(float)
        self.groups = _groups(game)
        self.add(np.vstack([single, ~single]))

    def add(self, coalitions: Flags) -> None:
        """Make rows of the coalitions, each once."""
        fresh_rows = coalitions[proper(coalitions)]
        there = {row.tobytes() for row in self.rows}
        fresh = [row for row in np.unique(fresh_rows, axis=0) if row.tobytes() not in there]
        if fresh:
            values = self.game.values(np.array(fresh))
            self.rows = np.vstack([self.rows, fresh])
            self.values = np.hstack([self.values, [values.valued, values.cash]])

    def find(self, own: Floats, *, cash: bool, start: Floats | None = None) -> LeastCore:
        """A share of the least core near ``own``; the search sets out from ``start``. Both add up to the gain."""
        if len(own) < 2:
            nobody = np.zeros(len(own), dtype=bool)
            return LeastCore(own, Worst(nobody, -np.inf, -np.inf, 0.0, nobody[None]), -np.inf)
        tolerance = tolerance_of(self.game, cash)
        best = own if start is None else min(own, start, key=lambda amounts: self._excess(amounts, cash))
        worst = self._worst(best, cash)
        weight = NEAR
        for _ in range(PROGRAMS):
            amounts, excess = self._share(best, weight, cash)
            promised = worst.excess_eur - excess
            if not np.isfinite(promised):
                break
            if promised <= tolerance or np.abs(amounts - best).sum() <= tolerance:
                if weight <= FREE:
                    break
                weight = weight * FREER if weight * FREER > FREE else FREE
                continue
            if self._add_known(amounts, excess + tolerance, cash):
                continue
            answer = self._worst(amounts, cash)
            if answer.excess_eur <= worst.excess_eur - SERIOUS * promised:
                best, worst = amounts, answer
        if self.known.complete or worst.excess_eur <= tolerance:
            best, worst = self._nearest(own, best, worst, cash)
        return LeastCore(best, worst, self._share(own, 0.0, cash)[1])

    def _excess(self, amounts: Floats, cash: bool) -> float:
        """The largest excess over the rows."""
        return float((self.values[int(cash)] - self.rows @ amounts).max())

    def _nearest(self, own: Floats, best: Floats, worst: Worst, cash: bool) -> tuple[Floats, Worst]:
        """The share nearest to ``own`` with the same excess, where a few rounds find it; else the one at hand.

        Asked where the core has room, for there it is found at once; an empty core pins the share down anyway.
        """
        tolerance = tolerance_of(self.game, cash)
        for _ in range(NEAREST_ROUNDS):
            amounts, excess = self._share(own, FREE, cash)
            if self._add_known(amounts, excess + tolerance, cash):
                continue
            answer = self._worst(amounts, cash)
            if answer.excess_eur <= worst.excess_eur + tolerance:
                return amounts, answer
        return best, worst

    def _worst(self, amounts: Floats, cash: bool) -> Worst:
        """The worst coalition under the amounts; what is met on the way becomes rows."""
        known = self.known if self.known.complete else Known(self.rows, *self.values)
        answer = self.leavers.worst([Question(cash, amounts)], known)[0]
        self.add(answer.found)
        return answer

    def _add_known(self, amounts: Floats, allowed: float, cash: bool) -> bool:
        """Make rows of known coalitions that gain more than allowed, the worst first; whether there were any."""
        excess = self.known.of(cash) - self.members @ amounts
        excess[~self.proper] = -np.inf
        order = np.argsort(-excess, kind="stable")[:CUTS]
        broken = order[excess[order] > allowed]
        self.add(self.known.coalitions[broken])
        return len(broken) > 0

    def _share(self, centre: Floats, weight: float, cash: bool) -> tuple[Floats, float]:
        """The share of least excess over the rows, money moved from ``centre`` weighing ``weight``; and its excess."""
        groups = self.groups.shape[1]
        values = self.values[int(cash)]
        scale = max(1.0, float(np.abs(centre).max()), abs(float(centre.sum())))
        sizes = self.groups.sum(axis=0)
        model = Milp()
        more = model.columns(-weight * SCALE * sizes, upper=np.inf, integer=False)
        less = model.columns(-weight * SCALE * sizes, upper=np.inf, integer=False)
        excess = model.columns([-SCALE, SCALE], upper=np.inf, integer=False)
        bounds = model.rows(len(self.rows), lower=(values - self.rows @ centre) / scale)
        inside = self.rows @ self.groups
        row, group = np.nonzero(inside)
        model.entries(bounds[row], more[group], inside[row, group])
        model.entries(bounds[row], less[group], -inside[row, group])
        model.entries(bounds, excess[0])
        model.entries(bounds, excess[1], -1.0)
        balance = model.rows(1, lower=0.0, upper=0.0)
        model.entries(np.repeat(balance, groups), more, sizes)
        model.entries(np.repeat(balance, groups), less, -sizes)
        got = model.solve(Effort(CLOCK_S), relaxed=True, small=True).values
        if got is None:  # figures too large for the solver: nothing better than the centre, nothing proven
            return centre, -np.inf
        amounts = centre + scale * (self.groups @ (got[more] - got[less]))
        return amounts, scale * float(got[excess[0]] - got[excess[1]])


def _groups(game: Game) -> Floats:
    """(members, groups) members who bring the same are one group, and get the same."""
    figures = np.vstack([game.figures, game.country, game.leader])
    _, group = np.unique(figures, axis=1, return_inverse=True)
    return np.eye(int(group.max()) + 1)[group.ravel()]
