"""Which coalition of a pool's members would gain most by leaving with its own lines, given what each is to get.

A share is stable, in the core, where no coalition has an excess (`solver.sharing.excesses`) above 0. With few members
every coalition is tried. With more, a branch and bound over the tiers of the coalition's lots and over its members
finds the largest excess and proves it. Bounds are those of `solver.sharing.leaving_bounds`, their prices moved by
Polyak's step towards the best excess known. Branching takes a member that matters for a rule the relaxed best coalition
breaks; so lots that may not stand, lots that stand all the same, missing authorities and leads are settled too.

Every answer carries a bound; work is limited by a count of nodes, so that answers repeat.
"""

from collections.abc import Sequence

import numpy as np

from solver.arrays import Flags, Floats, Ints
from solver.sharing.coalitions import Game
from solver.sharing.excesses import MET, Known, Question, Worst, proper, tolerance_of, worst_of_all
from solver.sharing.leaving_bounds import CLOSED, IN, OPEN, OUT, UNDECIDED, Bounds, Nodes, Volumes, joined

NODES, WAVE = 100_000, 4096
"""Nodes of one search, and those looked at together."""
CELLS = 8_000_000
"""Nodes times members of one search: what fits into memory with ease."""
FIRST_STEPS, STEPS = 12, 2
"""Steps of prices at the first nodes and at later ones."""
AT_ONCE, FEW = 2, 64
"""While nodes are few, so many members are branched on at once."""
TRIED, EVERY = 64, 8
"""Relaxed coalitions valued at every so many steps, those of the highest bounds."""


class Leavers:
    """Looks for coalitions of one game."""

    def __init__(self, game: Game, *, nodes: int = NODES) -> None:
        self.game, self.nodes, self.bounds = game, nodes, Bounds(game)

    def worst(self, questions: Sequence[Question], known: Known) -> list[Worst]:
        """For each question the coalition with the largest excess; ``known`` gives coalitions to begin with.

        The game has at least two members.
        """
        if known.complete:
            return [worst_of_all(self.game, question, known) for question in questions]
        search = _Search(self.game, self.bounds, questions, min(self.nodes, CELLS // self.game.size))
        search.begin(known)
        search.run()
        return search.answers()


class _Search:
    """One branch and bound for several questions at once."""

    def __init__(self, game: Game, bounds: Bounds, questions: Sequence[Question], nodes: int) -> None:
        self.game, self.bounds, self.left = game, bounds, nodes
        self.amounts = np.array([question.amounts for question in questions])
        self.cash = np.array([question.cash for question in questions])
        self.tolerance = np.array([tolerance_of(game, question.cash) for question in questions])
        self.excess = np.full(len(questions), -np.inf)
        self.coalition = np.zeros(self.amounts.shape, dtype=bool)
        self.met: list[list[tuple[Floats, Flags]]] = [[] for _ in questions]
        self.bound = self._idle()

    def begin(self, known: Known) -> None:
        """Set out from the best coalitions known."""
        there = proper(known.coalitions)
        coalitions, members = known.coalitions[there], known.coalitions[there].astype(float)
        for k, cash in enumerate(self.cash.tolist()):
            if len(coalitions):
                self._keep(k, known.of(cash)[there] - members @ self.amounts[k], coalitions)

    def _idle(self) -> Floats:
        """The largest excess of a coalition that earns nothing: those who are to pay leave, or who gets least."""
        idle = self.amounts < 0
        rows = np.arange(len(idle))
        none, every = ~idle.any(axis=1), idle.all(axis=1)
        idle[rows[none], self.amounts[none].argmin(axis=1)] = True
        idle[rows[every], self.amounts[every].argmax(axis=1)] = False
        self._try(idle, rows)
        excess: Floats = -(self.amounts * idle).sum(axis=1)
        return excess

    def _try(self, coalitions: Flags, question: Ints) -> None:
        """Value coalitions for their questions and keep the best."""
        there = proper(coalitions)
        coalitions, question = coalitions[there], question[there]
        if not len(coalitions):
            return
        values = self.game.values(coalitions)
        got = (coalitions * self.amounts[question]).sum(axis=1)
        excess = np.where(self.cash[question], values.cash, values.valued) - got
        for k in np.unique(question).tolist():
            rows = np.flatnonzero(question == k)
            self._keep(k, excess[rows], coalitions[rows])

    def _keep(self, k: int, excess: Floats, coalitions: Flags) -> None:
        order = np.argsort(-excess, kind="stable")[:MET]
        self.met[k].append((excess[order], coalitions[order]))
        if excess[order[0]] > self.excess[k]:
            self.excess[k], self.coalition[k] = excess[order[0]], coalitions[order[0]]

    def run(self) -> None:
        """Settle nodes, those of the highest bounds first, until none is left or the work is done."""
        nodes, steps = self._by_tiers(), FIRST_STEPS
        while len(nodes) and self.left > 0:
            order = np.argsort(-nodes.bound, kind="stable")
            wave, rest = nodes.take(order[:WAVE]), nodes.take(order[WAVE:])
            self.left -= len(wave)
            nodes = self._settled(wave, steps)
            rest = rest.take(self._promising(rest))
            nodes = joined([nodes, rest]) if len(rest) else nodes
            steps = STEPS
        self._give_up(nodes)

    def _give_up(self, nodes: Nodes) -> None:
        """What is left undone keeps its bound."""
        np.maximum.at(self.bound, nodes.question, nodes.bound)

    def answers(self) -> list[Worst]:
        """One for each question, once the search has run."""
        bounds = np.maximum(self.bound, self.excess)
        parts = zip(
            self.coalition, self.excess.tolist(), bounds.tolist(), self.tolerance.tolist(), self.met, strict=True
        )
        return [
            Worst(best, excess, bound, 1.5 * tolerance, _largest(met)) for best, excess, bound, tolerance, met in parts
        ]

    def _promising(self, nodes: Nodes) -> Flags:
        could: Flags = nodes.bound > (self.excess + self.tolerance)[nodes.question]
        return could

    def _by_tiers(self) -> Nodes:
        """Every choice of tiers that could still beat the best known, lot by lot."""
        lots, count, size = self.game.lots, len(self.amounts), self.game.size
        hopes = [self._hope(lot) for lot in range(len(lots))]
        nodes = Nodes(
            question=np.arange(count),
            tier=np.full((count, len(lots)), UNDECIDED),
            gain=sum(hopes) - self.amounts,
            fixed=np.full((count, size), OPEN, dtype=np.int8),
            price=np.zeros((count, len(lots))),
            bound=np.full(count, np.inf),
        )
        nodes.bound = self.bounds.relaxed(nodes, self.bounds.volumes_of(nodes))[0]
        for lot, hope in enumerate(hopes):
            if len(nodes) * (self.bounds.tiers[lot] + 1) > self.left:
                break
            nodes.gain = nodes.gain - hope[nodes.question]
            nodes = joined([self._at_tier(nodes, lot, tier) for tier in range(CLOSED, self.bounds.tiers[lot])])
            nodes.bound = self.bounds.relaxed(nodes, self.bounds.volumes_of(nodes))[0]
            nodes = nodes.take(self._promising(nodes))
        undecided = (nodes.tier == UNDECIDED).any(axis=1)
        self._give_up(nodes.take(undecided))
        return nodes.take(~undecided & (nodes.tier != CLOSED).any(axis=1))

    def _hope(self, lot: int) -> Floats:
        """(questions, members) what each could have of the lot at best."""
        most = np.zeros((2, self.game.size))
        for tier in range(self.bounds.tiers[lot]):
            most = np.maximum(most, [self.game.benefit(lot, tier, cash) for cash in (False, True)])
        hope: Floats = most[self.cash.astype(int)]
        return hope

    def _at_tier(self, nodes: Nodes, lot: int, tier: int) -> Nodes:
        made = nodes.copy()
        made.tier[:, lot] = tier
        if tier != CLOSED:
            both = np.array([self.game.benefit(lot, tier, cash) for cash in (False, True)])
            made.gain += both[self.cash[nodes.question].astype(int)]
            made.fixed[:, self.game.lots[lot].worse_off[tier]] = OUT
        return made

    def _settled(self, nodes: Nodes, steps: int) -> Nodes:
        """The nodes' children that could still beat the best known."""
        nodes = nodes.take(self.bounds.possible(nodes))
        volumes = self.bounds.volumes_of(nodes)
        coalition = np.zeros(nodes.fixed.shape, dtype=bool)
        for step in range(steps):
            bound, coalition = self.bounds.relaxed(nodes, volumes)
            nodes.bound = np.minimum(nodes.bound, bound)
            keep = self._promising(nodes)
            nodes, volumes, coalition, bound = nodes.take(keep), volumes.take(keep), coalition[keep], bound[keep]
            if step % EVERY == 0 or step == steps - 1:
                first = np.argsort(-nodes.bound, kind="stable")[:TRIED]
                self._try(coalition[first], nodes.question[first])
            if step < steps - 1:
                self._move_prices(nodes, volumes, coalition, bound)
        keep = self._promising(nodes)
        return self._branched(nodes.take(keep), coalition[keep])

    def _move_prices(self, nodes: Nodes, volumes: Volumes, coalition: Flags, bound: Floats) -> None:
        """Polyak's step: as far as would bring the bound down to the best excess known, were it linear."""
        slack = self.bounds.slack(coalition, volumes)
        slope = np.where((nodes.tier >= 0) & ((nodes.price > 0) | (slack < 0)), slack, 0.0)
        length = np.maximum((slope * slope).sum(axis=1), 1e-12)
        stride = (bound - self.excess[nodes.question]) / length
        nodes.price = np.maximum(0.0, nodes.price - stride[:, None] * slope)

    def _branched(self, nodes: Nodes, coalition: Flags) -> Nodes:
        """The nodes with a member in, and out. Those without an open member are valued and done."""
        whole = ~(nodes.fixed == OPEN).any(axis=1)
        self._try(nodes.fixed[whole] == IN, nodes.question[whole])
        nodes, coalition = nodes.take(~whole), coalition[~whole]
        matter = np.where(nodes.fixed == OPEN, self.bounds.matter(nodes, coalition), -1.0)
        order = np.argsort(-matter, axis=1, kind="stable")
        for k in range(AT_ONCE if len(order) < FEW else 1):
            rows = np.arange(len(nodes))
            member = order[:, min(k, order.shape[1] - 1)]
            still = nodes.fixed[rows, member] == OPEN
            out = nodes.take(still)
            nodes = nodes.copy()
            nodes.fixed[rows[still], member[still]] = IN
            out.fixed[np.arange(len(out)), member[still]] = OUT
            nodes, order = joined([nodes, out]), np.concatenate([order, order[still]])
        return nodes


def _largest(met: Sequence[tuple[Floats, Flags]]) -> Flags:
    """The coalitions of largest excess among those met, each once."""
    excess, coalitions = (np.concatenate(part) for part in zip(*met, strict=True))
    order = np.argsort(-excess, kind="stable")[: 4 * MET]
    _, first = np.unique(coalitions[order], axis=0, return_index=True)
    found: Flags = coalitions[order[np.sort(first)[:MET]]]
    return found
