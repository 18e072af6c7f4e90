"""What a near miss is: a lot short of a volume, and the ways to close the gap."""

import math
from dataclasses import dataclass

from solver.whatif.changes import Change, written

TIPPING, NEXT_TIER = "tipping", "next_tier"
"""Kinds of near miss."""
JOIN, WINDOW, CRITERION, BOTH, GROWTH = "join", "window", "criterion", "window_and_criterion", "volume"
"""Ways to close a gap."""


@dataclass(frozen=True)
class Way:
    """Changes that close the gap, and what the lot is then worth.

    ``joining``: free lines that take part with nothing to change. ``participants``: who is asked. ``tier``: the one the
    lot then reaches, with ``quantity`` a year in all. ``worth_eur`` is what the total gains: for a lot of the plan its
    benefit less what it has already. ``limit``: the first limit still in the way; None where none is.
    """

    kind: str
    changes: tuple[Change, ...]
    joining: tuple[str, ...]
    participants: tuple[str, ...]
    tier: int
    quantity: int
    sure_quantity: float
    benefit_eur: float
    set_up_cost_eur: float
    worth_eur: float
    limit: str | None

    def to_document(self) -> dict[str, object]:
        return {
            "kind": self.kind,
            "changes": [written(change) for change in self.changes],
            "joining": list(self.joining),
            "participants": list(self.participants),
            "tier": self.tier,
            "quantity": self.quantity,
            "sure_quantity": self.sure_quantity,
            "benefit_eur": self.benefit_eur,
            "set_up_cost_eur": self.set_up_cost_eur,
            "worth_eur": self.worth_eur,
            "limit": self.limit,
        }


@dataclass(frozen=True)
class NearMiss:
    """A lot that could be, or could be more. Quantities are base units a year.

    ``lines`` are there already, with ``sure_quantity`` together. ``ways``, best first, is empty where nothing tried
    closes the gap; ``worth_eur`` is then None.
    """

    kind: str
    category: str
    family: str
    offer: str
    start: str
    lines: tuple[str, ...]
    participants: tuple[str, ...]
    sure_quantity: float
    needed_quantity: int
    ways: tuple[Way, ...]

    @property
    def share(self) -> float:
        return self.sure_quantity / self.needed_quantity

    @property
    def missing_quantity(self) -> float:
        return self.needed_quantity - self.sure_quantity

    @property
    def worth_eur(self) -> float | None:
        return self.ways[0].worth_eur if self.ways else None

    @property
    def worth(self) -> float:
        """``worth_eur`` to compare by: without a way the least."""
        return -math.inf if self.worth_eur is None else self.worth_eur

    def to_document(self) -> dict[str, object]:
        return {
            "kind": self.kind,
            "category": self.category,
            "family": self.family,
            "offer": self.offer,
            "start": self.start,
            "lines": list(self.lines),
            "participants": list(self.participants),
            "sure_quantity": self.sure_quantity,
            "needed_quantity": self.needed_quantity,
            "missing_quantity": self.missing_quantity,
            "share": self.share,
            "worth_eur": self.worth_eur,
            "ways": [way.to_document() for way in self.ways],
        }
