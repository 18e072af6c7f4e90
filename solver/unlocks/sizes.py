"""Smaller volumes of a line that could let it in: what the limits of offers have room for beside other lines.

Where more volume is never worse for a line, only these count: with the other lines of its lot and of its offer given,
the largest volume that a limit has room for is worth most.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from solver.checks import LARGEST_WHOLE
from solver.instance import Offer
from solver.unlocks.costs import MOST_SIZES, MOST_SUMS, VOLUME
from solver.unlocks.places import Places


@dataclass(frozen=True)
class Sizes:
    """``listed`` volumes, largest first; others that could do, if any, are below ``unlisted_below``."""

    whole: int
    """What the line has."""
    listed: tuple[int, ...] = ()
    unlisted_below: int = 0

    def all_listed(self, cost: float) -> bool:
        """Whether every volume that could do and costs less is listed."""
        return self.unlisted_below <= 1 or VOLUME * (1 - self.unlisted_below / self.whole) >= cost


def smaller(places: Places, *, monotone: bool) -> Sizes:
    """The volumes of the line asked about; ``monotone``: more volume is never worse for it."""
    whole = places.line.quantity
    allowed = places.allowed(places.line, places.window())
    if not places.possible(allowed):
        return Sizes(whole)
    near, every, unknown = set[int](), set[int](), not monotone
    for k, (offer, months) in enumerate(zip(places.shelf.offers, allowed, strict=True)):
        if not months.any():
            continue
        position = places.instance.offers.index(offer)
        supply = float(places.ground.view.left.offer_quantity[position])
        for limit, when in ((offer.max_quantity, months), (supply, np.ones(places.months, dtype=bool))):
            if limit is None or not np.isfinite(limit):
                continue
            there = np.asarray((places.shelf.fits[k] & when).any(axis=1), dtype=bool)
            there[places.position] = False
            others = [int(quantity) for quantity in places.shelf.quantity[there]]
            standing = (int(total) for total in places.shelf.quantity @ places.ground.standing[k])
            near |= {int(limit) - taken for taken in (0, *others, *standing)}
            sums = sums_below(others, int(limit), whole)
            unknown |= sums is None
            every |= {int(limit) - taken for taken in sums or ()}
    near, every = ({size for size in sizes if 1 <= size < whole} for sizes in (near, every))
    listed = sorted(every | (near if unknown else set()), reverse=True)
    cut = len(listed) > MOST_SIZES
    below = whole if unknown else listed[MOST_SIZES - 1] if cut else 0
    chosen = {*listed[:MOST_SIZES], *sorted(near, reverse=True)[: MOST_SIZES // 2]}
    return Sizes(whole, tuple(sorted(chosen, reverse=True)), below)


def least_within(whole: int, cost: float) -> int:
    """The least volume that costs less than ``cost``."""
    return max(1, math.floor(whole * (1 - cost / VOLUME))) if cost < VOLUME else 1


def with_room(offer: Offer, room: int) -> Offer:
    """The offer with its limits raised."""
    limits = {name: getattr(offer, name) for name in ("max_quantity", "total_max_quantity")}
    raised = {name: min(LARGEST_WHOLE, limit + room) for name, limit in limits.items() if limit is not None}
    return replace(offer, **raised)


def sums_below(quantities: Iterable[int], limit: int, whole: int) -> set[int] | None:
    """All sums of some of the quantities that leave of the limit more than nothing and less than ``whole``; None where
    they are too many to list."""
    quantities, sums = list(quantities), {0}
    if limit - sum(quantities) >= whole:
        return set()
    for quantity in quantities:
        sums |= {taken + quantity for taken in sums if taken + quantity < limit}
        if len(sums) > MOST_SUMS:
            return None
    return {taken for taken in sums if limit - taken < whole}
