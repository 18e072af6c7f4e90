"""A problem of slots made ready to search: cells by slot, items that are worth placing whatever it costs."""

from copy import copy
from functools import cached_property

import numpy as np

from solver.arrays import Flags, Floats, Ints
from solver.slots.problem import SlotProblem


class Demand:
    """Cells ordered by slot; values taken less each item's best value where the item is always to be placed.

    Items are **served** where any answer that places them all is worth more than any that does not: the least value
    of each exceeds all that opening slots and choosing places can cost. The search then places all of them, and the
    large constant that makes it so is gone from the figures.
    """

    def __init__(self, problem: SlotProblem, *, served: bool = True) -> None:
        self.problem = problem
        self.items, self.slots = problem.items, problem.slots
        fits = problem.size[problem.item] <= problem.max_size[problem.slot] * (1 + 1e-9)
        order = np.lexsort((problem.item, problem.slot))
        self.cells = order[fits[order]]
        self.item, self.slot = problem.item[self.cells], problem.slot[self.cells]
        value = problem.value[self.cells]
        best, least = np.full(self.items, -np.inf), np.full(self.items, np.inf)
        np.maximum.at(best, self.item, value)
        np.minimum.at(least, self.item, value)
        self.placeable = np.isfinite(best)
        self.best = np.where(self.placeable, best, 0.0)
        spread = float((self.best - np.where(self.placeable, least, 0.0)).sum() + np.abs(problem.opening_cost).sum())
        self.served = served and bool(self.placeable.all() and self.items and least.min() > spread)
        self.shift = self.best if self.served else np.zeros(self.items)
        self.value = value - self.shift[self.item]
        self.opening_cost, self.min_size, self.max_size = problem.opening_cost, problem.min_size, problem.max_size
        self.size = problem.size
        self.weight = np.where(self.size > 0, self.size, 1.0)[self.item]
        self.sized = (self.size > 0)[self.item]
        self.first = np.searchsorted(self.slot, np.arange(self.slots))
        self.can_open = np.bincount(self.slot, weights=self.size[self.item], minlength=self.slots) >= self.min_size

    @property
    def constant(self) -> float:
        """What to add to a value here for the value of the problem."""
        return float(self.shift.sum())

    def unserved_bound(self) -> float:
        """What no answer of the problem that leaves an item out can exceed."""
        income = -float(np.minimum(self.opening_cost, 0.0).sum())
        return float(np.maximum(self.best, 0.0).sum() - self.best.min(initial=0.0)) + income

    def apart(self, slots: Flags) -> bool:
        """Whether no two of the slots exclude each other."""
        groups = self.problem.group[slots]
        groups = groups[groups >= 0]
        return len(np.unique(groups)) == len(groups)

    @cached_property
    def grouped(self) -> Ints:
        """Slots of exclusive groups, by group."""
        inside = np.flatnonzero(self.problem.group >= 0)
        order: Ints = inside[np.argsort(self.problem.group[inside], kind="stable")]
        return order

    def best_of_groups(self, worth: Floats) -> Flags:
        """Slots that are worth opening, of an exclusive group the best alone."""
        opened: Flags = worth > 0
        if len(self.grouped):
            group = self.problem.group[self.grouped]
            order = self.grouped[np.lexsort((-worth[self.grouped], group))]
            sorted_group = self.problem.group[order]
            opened[order[np.r_[False, sorted_group[1:] == sorted_group[:-1]]]] = False
        return opened

    def lawful(self, prices: Floats) -> Floats:
        """Prices of items that may stay out are never below 0."""
        return prices if self.served else np.maximum(prices, 0.0)

    def lawful_moves(self, prices: Floats, moves: Floats) -> Floats:
        """Moves of prices without those that would leave what is lawful."""
        moved: Floats = moves if self.served else np.where((prices <= 0) & (moves < 0), 0.0, moves)
        return moved

    def start_prices(self) -> Floats:
        """Each item's second best value: about what its best place must beat."""
        order = np.lexsort((-self.value, self.item))
        item = self.item[order]
        rank = np.arange(len(item)) - np.searchsorted(item, item)
        prices = np.zeros(self.items)
        for place in (0, 1):
            chosen = rank == place
            prices[item[chosen]] = self.value[order[chosen]]
        return self.lawful(prices)

    def capacity_short(self, opened: Flags) -> bool:
        """Whether the open slots cannot hold all items, where all are to be placed."""
        return self.served and float(self.max_size[opened].sum()) < float(self.size.sum())

    def value_of(self, place: Ints, opened: Flags) -> float:
        """The value here of a placement by item (-1: out) with the slots that are open."""
        return float(self.value[place[self.item] == self.slot].sum() - self.opening_cost[opened].sum())

    def opened_by(self, place: Ints) -> Flags:
        """The slots that a placement uses, and those that pay for standing open and empty."""
        opened = np.zeros(self.slots, dtype=bool)
        opened[place[place >= 0]] = True
        taken = self.problem.group[opened]
        free = (self.opening_cost < 0) & (self.min_size <= 0) & ~opened
        free &= ~np.isin(self.problem.group, taken[taken >= 0])
        return opened | self.best_of_groups(np.where(free, -self.opening_cost, -np.inf))

    def only(self, slots: Flags, cells: Flags | None = None) -> "Demand":
        """The same with nothing but these slots, and of their cells nothing but these."""
        kept = slots[self.slot] if cells is None else slots[self.slot] & cells
        smaller = copy(self)
        for name in ("item", "slot", "value", "weight", "sized", "cells"):
            setattr(smaller, name, getattr(self, name)[kept])
        smaller.first = np.searchsorted(smaller.slot, np.arange(self.slots))
        reach = np.bincount(smaller.slot, weights=self.size[smaller.item], minlength=self.slots)
        smaller.can_open = self.can_open & slots & (reach >= self.min_size)
        return smaller
