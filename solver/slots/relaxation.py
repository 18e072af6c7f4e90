"""An upper bound on slots for items by Lagrangian relaxation: items may be placed in several slots, at a price each.

With a price on every item's place the slots part: each that opens is a continuous knapsack, filled by falling value
less price per size up to its ``max_size``, and further to its ``min_size`` where it must. Prices move by the
subgradient (how often each item is placed beyond once) with Polyak's step (B. T. Polyak, "Minimization of unsmooth
functionals", USSR Computational Mathematics and Mathematical Physics 9, 1969). For any prices the bound is true.
"""

from dataclasses import dataclass

import numpy as np

from solver.arrays import Flags, Floats
from solver.slots.demand import Demand

HALVED_AFTER, FIRST_STEP, LEAST_STEP, LEAST_WAY = 12, 1.6, 2e-3, 2e-3
"""The step is halved after so many rounds without a telling gain; the way to the target is at least such a share."""
TELLING = 1e-5
"""A gain tells from this share of the distance to the target on."""


@dataclass(frozen=True, slots=True, eq=False)
class Relaxed:
    """The lowest bound found, the prices it came at, and what they say of every slot and cell."""

    bound: float
    prices: Floats
    """(n,) what an item's place costs."""
    worth: Floats
    """(m,) what a slot brings at the prices, opening cost paid; -inf where it cannot open."""
    losses: Floats
    """(c,) how much at least any answer that uses the cell falls short of the bound."""


def relax(
    demand: Demand, *, prices: Floats, target: float, reached: float, rounds: int, forced: Flags | None = None
) -> Relaxed:
    """At most so many rounds, from the prices on; ``target``: about what an answer is worth; ``reached``: what
    one is, the search ends once the bound is no higher. ``forced``: exactly these slots are open and paid for."""
    best, best_prices, step, quiet = np.inf, prices, FIRST_STEP, 0
    for _ in range(rounds):
        bound, excess, _ = _priced(demand, prices, forced)
        if best == np.inf or bound < best - TELLING * max(1.0, abs(best - target)):
            quiet = 0
        if bound < best:
            best, best_prices = bound, prices
        quiet += 1
        size = float((excess**2).sum())
        if quiet > HALVED_AFTER:
            step, quiet, prices = step / 2, 0, best_prices
        if size <= 0 or step < LEAST_STEP or best <= reached:
            break
        prices = demand.lawful(prices + step * max(bound - target, LEAST_WAY * abs(bound)) / size * excess)
    _, _, (worth, losses) = _priced(demand, best_prices, forced)
    return Relaxed(best, best_prices, worth, losses)


def _priced(demand: Demand, prices: Floats, forced: Flags | None) -> tuple[float, Floats, tuple[Floats, Floats]]:
    """The bound at the prices, how often each item is placed beyond once, and the worth of slots, losses of cells."""
    gain = demand.value - prices[demand.item]
    density = gain / demand.weight
    most = float(np.abs(density).max(initial=0.0)) + 1.0
    density = np.where(demand.sized, density / most, np.sign(gain))
    order = np.argsort(demand.slot - 0.25 * density)  # by slot, then by falling density: one key sorts far sooner
    gain, slot, size = gain[order], demand.slot[order], demand.weight[order] * demand.sized[order]
    filled = np.cumsum(size)
    before = filled - size - np.r_[0.0, filled][demand.first[slot]]
    room = np.where(gain > 0, demand.max_size[slot], demand.min_size[slot]) - before
    share = np.where(size > 0, np.clip(room / np.where(size > 0, size, 1.0), 0.0, 1.0), gain > 0)
    worth = np.bincount(slot, weights=gain * share, minlength=demand.slots) - demand.opening_cost
    worth[~demand.can_open] = -np.inf
    opened = demand.best_of_groups(worth) if forced is None else forced
    bound = float(prices.sum() + worth[opened].sum())
    placed = np.bincount(demand.item[order], weights=share * opened[slot], minlength=demand.items)
    excess = demand.lawful_moves(prices, np.asarray(placed - 1.0, dtype=float))
    losses = np.empty(len(gain))
    losses[order] = _losses(demand, gain, slot, size, share) + (
        0.0 if forced is not None else np.maximum(0.0, -worth)[slot]
    )
    return bound, excess, (worth, losses)


def _losses(demand: Demand, gain: Floats, slot: np.ndarray, size: Floats, share: Floats) -> Floats:
    """What taking a cell whole costs a slot at least: by the slot's price per size, that of its last cell taken.

    The price is at least 0 in a slot that is full, at most 0 in one that is filled only to reach its ``min_size``,
    and 0 in any other; so a cell that is taken whole loses nothing.
    """
    partly = np.flatnonzero((share > 0) & (share < 1) & (size > 0))
    full = np.bincount(slot, weights=size * share, minlength=demand.slots) >= demand.max_size * (1 - 1e-9)
    per_size = np.zeros(demand.slots)
    taken = np.flatnonzero((share >= 1) & (size > 0) & (full[slot] | (gain < 0)))
    per_size[slot[taken]] = gain[taken] / size[taken]  # in order of falling value: the last stays
    per_size[slot[partly]] = gain[partly] / size[partly]
    losses: Floats = np.maximum(0.0, per_size[slot] * size - gain)
    return losses
