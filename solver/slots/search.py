"""Choosing slots for items: a bound by prices, good sets of slots, places in them, and the rest by an integer program.

A set of slots is judged by Lagrangian relaxation with all its slots paid for: what cannot beat the best answer is
dropped unseen. In the others places are found by tabu search, refined part by part, and settled by an integer program
over the cells that the relaxation does not rule out. Last comes the integer program of all that is not ruled out.
"""

import time

import numpy as np

from solver.arrays import Flags, Ints
from solver.milp import Effort
from solver.slots.clock import Clock
from solver.slots.demand import Demand
from solver.slots.moving import settle
from solver.slots.openings import Opening, Openings
from solver.slots.placing import Program
from solver.slots.problem import SlotAnswer, SlotProblem
from solver.slots.regions import refine
from solver.slots.relaxation import Relaxed, relax

ROOT_ROUNDS, FIRST_SETS, SETS, QUICK_SETS = 400, 200, 1500, 25
"""Rounds of the relaxation; sets judged at first and in all; sets that are filled quickly."""
QUICK_STEPS, STEPS = 250, 600
FIRST_PARTS, PARTS_IN_SET, LAST_PARTS = range(4, 6), range(4, 7), range(6, 11)
"""Steps of tabu search for a set; how many slots are filled again together."""
SMALL_CELLS, SMALL_NODES = 3_000, 200
"""With so few cells the integer program comes first, for so many nodes."""
SETS_SHARE = 0.8
"""The share of the time for sets; the rest is for the integer program of all."""
ROUNDING = 1e-9


def solve(
    problem: SlotProblem,
    *,
    time_limit_s: float = 60.0,
    within: float = 0.0,
    seed: int = 0,
    nodes: int | None = None,
) -> SlotAnswer:
    """The best answer found, with a proven bound on every answer.

    ``within``: the search ends once no answer can be worth more than so much beyond the best (unit of the values).
    ``nodes``: an integer program of all with so many nodes at most is the whole search.
    All inner limits count work: without the clock the same call gives the same answer.
    """
    if not time_limit_s >= 0 or not within >= 0:
        raise ValueError(f"time_limit_s {time_limit_s}, within {within}: give numbers of at least 0")
    ends = time.monotonic() + time_limit_s
    search = _Search(Demand(problem), ends=ends, within=within, seed=seed, nodes=nodes)
    answer = search.run()
    if search.impossible:  # not all can be served: then each is placed for its own value
        answer = _Search(Demand(problem, served=False), ends=ends, within=within, seed=seed, nodes=nodes).run()
    return answer


class _Search:
    """The best answer so far and the lowest bound so far, in the figures of `Demand`."""

    def __init__(self, demand: Demand, *, ends: float, within: float, seed: int, nodes: int | None) -> None:
        self.demand, self.within, self.nodes = demand, within, nodes
        now = time.monotonic()
        self.clock = Clock(ends, seed)
        self.sets_clock = Clock(now + SETS_SHARE * max(0.0, ends - now), seed)
        self.place: Ints | None = None
        self.opened: Flags = np.zeros(demand.slots, dtype=bool)
        self.value, self.bound, self.target = -np.inf, np.inf, -np.inf
        self.by_clock = self.impossible = False
        """``impossible``: proven that not all items can be placed, though all are to be."""
        if not demand.served:
            nothing = np.full(demand.items, -1)
            self.offer(nothing, demand.opened_by(nothing))

    def run(self) -> SlotAnswer:
        demand = self.demand
        self.target = self._reached()
        root = relax(demand, prices=demand.start_prices(), target=self.target, reached=self.value, rounds=ROOT_ROUNDS)
        self.bound = min(self.bound, root.bound)
        if self.nodes is not None:
            if not self.closed():
                self._by_program(root, self.nodes)
            return self._answer(root)
        if not self.closed() and len(demand.item) <= SMALL_CELLS:
            self._by_program(root, SMALL_NODES)
        if not self.closed() and not self.impossible and not self.clock.over():
            self._by_sets(root)
        if not self.closed() and not self.impossible and not self.clock.over():
            self._by_program(root, None)
        return self._answer(root)

    def offer(self, place: Ints, opened: Flags) -> None:
        """An answer that keeps every rule; taken if it is better than the best."""
        value = self.demand.value_of(place, opened)
        if value > self.value:
            self.place, self.opened, self.value = place, opened, value

    def closed(self) -> bool:
        return self.bound - self.value <= max(self.within, ROUNDING * max(1.0, abs(self.bound)))

    def _target(self) -> float:
        return self.value if self.place is not None else self.target

    def _reached(self) -> float:
        """About what some answer reaches, for the length of the first steps: the cheapest slots that hold all."""
        demand = self.demand
        if not demand.served:
            return max(self.value, 0.0)
        slots = np.zeros(demand.slots, dtype=bool)
        for slot in np.argsort(demand.opening_cost / np.maximum(demand.max_size, 1e-9), kind="stable"):
            if slots.any() and not demand.capacity_short(slots):
                break
            slots[slot] = demand.can_open[slot]
        inside = demand.only(slots)
        best = np.full(demand.items, float(demand.value.min()))
        np.maximum.at(best, inside.item, inside.value)
        return float(best.sum() - demand.opening_cost[slots].sum())

    def _by_sets(self, root: Relaxed) -> None:
        """Quick places in the most promising sets; the best refined; then set by set what could still be better."""
        openings = Openings(self.demand, root, target=self._target(), reached=self.value)
        openings.start()
        openings.widen(FIRST_SETS)
        for opening in openings.better_than(self.value)[:QUICK_SETS]:
            if not self.sets_clock.over():
                self._settle(opening, QUICK_STEPS)
        if self.place is not None:
            self._refine(self.demand.can_open, self.place, FIRST_PARTS)
        openings.better_than(self.value)
        openings.widen(SETS)
        done: set[int] = set()
        while not self.sets_clock.over() and not self.closed():
            left = [each for each in openings.better_than(self.value) if id(each) not in done]
            if not left:
                break
            done.add(id(left[0]))
            place = self._settle(left[0], STEPS)
            if place is not None:
                self._refine(left[0].slots, place, PARTS_IN_SET)
        if self.place is not None and not self.closed():
            self._refine(self.demand.can_open, self.place, LAST_PARTS)

    def _settle(self, opening: Opening, steps: int) -> Ints | None:
        place = settle(self.demand.only(opening.slots), opening.slots, steps)
        if place is not None:
            self.offer(place, self.demand.opened_by(place))
        return place

    def _refine(self, slots: Flags, place: Ints, sizes: range) -> None:
        found = refine(self.demand.only(slots), place, self.sets_clock, sizes)
        self.offer(found, self.demand.opened_by(found))

    def _by_program(self, root: Relaxed, nodes: int | None) -> None:
        """All that the relaxation does not rule out."""
        room = root.bound - self.value + ROUNDING * max(1.0, abs(root.bound))
        slots = self.demand.can_open & (root.worth >= -room)
        rest = self.demand.only(slots, root.losses <= room)
        if self.demand.served and len(np.unique(rest.item)) < self.demand.items:
            self.impossible = self.place is None  # else no answer is better
            self.bound = min(self.bound, self.value)
            return
        gap = max(ROUNDING, self.within / max(1.0, abs(self.bound)))
        start = None if self.place is None else (self.place, self.opened)
        found = Program(rest).solve(Effort(self.clock.remaining_s(), gap, nodes, self.clock.seed), start)
        self.by_clock = self.by_clock or found.by_clock
        self.impossible = found.impossible and self.place is None
        if found.place is not None:
            self.offer(found.place, self.demand.opened_by(found.place))
        self.bound = min(self.bound, max(found.bound, self.value))

    def _answer(self, root: Relaxed) -> SlotAnswer:
        demand = self.demand
        place = self.place if self.place is not None else np.full(demand.items, -1)
        value = demand.problem.value_of(place, self.opened)
        partial = -np.inf if self.place is not None else demand.unserved_bound() - demand.constant
        bound = max(value, max(self.bound, partial) + demand.constant)
        return SlotAnswer(
            place=place,
            opened=self.opened,
            value=value,
            bound=bound,
            gap=(bound - value) / max(1.0, abs(bound)),
            by_clock=self.by_clock or self.clock.ended or self.sets_clock.ended,
            prices=root.prices + demand.shift,
        )
