"""Plans that a rule of thumb makes, lawful like any other: what planners would do without a search.

Both take all lines that fit and gain, drop lots and pools that do not pay, and hold the most valuable pool first where
limits do not last for all.
"""

import time
from collections.abc import Mapping

import numpy as np

from solver.baselines.forming import form_pools, shelves
from solver.baselines.monthly import Place, Stand
from solver.instance import Instance
from solver.lots import Market
from solver.plan import Plan, PlanPool
from solver.shelves import Shelf
from solver.worth import Worth


def standard_offer(shelf: Shelf) -> int | None:
    """The offer that most lines could take in some month; None where nobody could take any.

    Of equals the one with the fewest criteria, then the one with the lowest tipping volume, then the first.
    """
    takers = [int(fits.any(axis=1).sum()) for fits in shelf.fits]
    ranked = sorted(
        range(len(takers)),
        key=lambda o: (-takers[o], len(shelf.offers[o].criteria), shelf.offers[o].tiers[0].from_quantity, o),
    )
    return ranked[0] if ranked and takers[ranked[0]] else None


def standard_place(shelf: Shelf) -> Place | None:
    """The standard offer at the commonest start: the (earliest) month in which most lines could take it."""
    offer = standard_offer(shelf)
    return None if offer is None else (offer, int(shelf.fits[offer].sum(axis=0).argmax()))


def on_the_standard_offer(market: Market, on: Mapping[str, Shelf]) -> tuple[PlanPool, ...]:
    """All lines of a category at the commonest start on the standard offer; categories of a family that meet share."""
    places = {category: standard_place(shelf) for category, shelf in on.items()}
    return form_pools(market, on, {category: place for category, place in places.items() if place is not None})


def largest_first(market: Market, on: Mapping[str, Shelf]) -> tuple[PlanPool, ...]:
    """Greedy: of all pools that the free lines could make, over all families, offers and months, the one of largest
    value, again and again while one is worth anything."""
    return form_pools(market, on)


def plan_at_once(instance: Instance) -> Plan:
    """The greedy plan, without reasons, for where no time is left to solve.

    Its bound is the fixed pools and every other line at its best place, with nothing else to pay.
    """
    began, market, worth = time.monotonic(), Market(instance), Worth(instance)
    on, fixed = shelves(market), worth.fixed_pools()
    pools = tuple(sorted((*fixed, *largest_first(market, on)), key=lambda pool: (pool.start, pool.family)))
    best = sum(_best_places(market, shelf) for shelf in on.values())
    return Plan(
        pools=pools,
        unpooled=(),
        totals=worth.totals(pools),
        bound_eur=worth.totals(fixed).objective_eur + best,
        runtime_s=time.monotonic() - began,
        seed=0,
        workers=1,
        stopped_by_clock=True,
        warnings=(*instance.warnings, *market.warnings),
    )


def _best_places(market: Market, shelf: Shelf) -> float:
    """The most that the shelf's lines could bring, each for itself (EUR over the term)."""
    stand = Stand(market, shelf)
    best = np.zeros(len(shelf.lines))
    for offer, fits in enumerate(shelf.fits):
        benefit = stand.gains[offer].max(axis=0)[:, None] - shelf.waiting + stand.kept.get(offer, 0.0)
        best = np.maximum(best, np.where(fits, benefit, 0.0).max(axis=1))
    return float(best.sum())
