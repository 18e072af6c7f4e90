"""Lots that nearly reach a volume: who could close the gap, with which changes, and what that would be worth.

Two kinds. ``tipping``: lines in no pool that fit an offer from a month on and would gain by it bring 60 to 100 % of its
tipping volume. Of an offer's starts the one worth most if closed is kept: neighbouring starts are the same lines.
``next_tier``: a lot of the plan is at 60 to 100 % of the volume of its offer's next tier.

A gap closes in different ways, each a list of changes to the instance (`solver.whatif.changes`): lines move their
windows by months, or drop one criterion each, or both kinds together where neither is enough, or the lines that are
there grow by a common factor. Where none of these reaches the tipping volume, the next tiers are looked at, at whose
price more lines gain. Who brings most for least is asked first: the most sure quantity for the fewest months. A
lot so closed is worth its benefits less the costs of lot, pool (where the plan has none at the start) and further
countries, and in a lot of the plan what it earns already. Limits that pools share are not changed; the first in the way
is named.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from solver.checks import refuse, wholes
from solver.instance import Instance
from solver.known_pools import known_pools
from solver.near_misses.closing import MOST_MONTHS
from solver.near_misses.near_miss import NearMiss
from solver.near_misses.search import LEAST_SHARE, Search
from solver.plan import PlanPool

SCHEMA = "pooling.near-misses/1"


@dataclass(frozen=True)
class NearMisses:
    """Near misses, those worth most first; one a category and offer, beside lots near their next tier."""

    found: tuple[NearMiss, ...]
    least_share: float = LEAST_SHARE

    def to_document(self) -> dict[str, object]:
        """``pooling.near-misses/1``, ready for JSON."""
        return {
            "schema": SCHEMA,
            "least_share": self.least_share,
            "most_months_moved": MOST_MONTHS,
            "starts": "of each offer the start worth most if closed",
            "near_misses": [miss.to_document() for miss in self.found],
        }


def near_misses(instance: Instance, pools: Iterable[PlanPool], *, most: int | None = None) -> NearMisses:
    """Lots short of a volume with who could close the gap, best first; ``most`` keeps so many.

    Raises `InvalidPlan` for pools of another instance, `InvalidInstance` for ``most`` out of bounds.
    """
    if most is not None:
        refuse(wholes(0, most=most))
    found = sorted(Search(instance, known_pools(instance, pools)).found(), key=_place)
    return NearMisses(tuple(found[:most]))


def _place(miss: NearMiss) -> tuple[float, float, str, str]:
    """Those worth most first, then those nearest to the volume; what nothing closes comes last."""
    return -miss.worth, -miss.share, miss.offer, miss.start
