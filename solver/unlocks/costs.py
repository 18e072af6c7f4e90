"""What a change that could let a line in costs, and the change as a candidate.

Costs are in months, so that unlike changes have an order: moving an end of a window costs the months it moves; volume
costs the months of the line's own demand that are added or taken away; the rest is in `COSTS`. What somebody else
would have to change costs `OTHERS` more.
"""

from dataclasses import dataclass

from solver.whatif.kinds import Change
from solver.whatif.placing import Placement

COSTS = {"criterion": 6.0, "limit": 6.0, "forbidden": 12.0, "policy": 24.0}
"""Months: a criterion accepted, a limit raised (by one, or its quantity by the share that `VOLUME` costs on top), an
entry of forbidden dropped, the green floor or the minimum of participants lowered by one."""
VOLUME, OTHERS = 12.0, 3.0
MOST_GROWTH = 4.0
"""Own volume is not looked for beyond so many times what the line has."""
GROWTHS = (1.1, 1.25, 1.5, 2.0, MOST_GROWTH)
"""Multiples of the own volume that are tried whatever the estimates say; between one that does and one that does not
the least is sought."""
FINEST_SHARE = 0.01
"""Volumes are told apart to this share of a line's quantity."""
HALVINGS = 30
MOST_PLACEMENTS, MOST_VOLUMES, MOST_SIZES, MOST_OF_OTHERS, MOST_ENTRIES = 3, 4, 12, 12, 12
"""How many of each are tried: places a candidate, larger volumes, smaller volumes, changes of others, entries of
forbidden."""
MOST_SUMS = 2_000
"""So many sums of other lines' volumes are told apart at most."""


@dataclass(frozen=True)
class Candidate:
    """A change that could let the line in, not yet tried."""

    change: Change
    kind: str
    cost: float
    own: bool
    """Only the line's own terms change, so that plans without the line are what they were."""
    by: str | None
    """The participant who would change something; None for the programme or the market."""
    estimate_eur: float
    placements: tuple[Placement, ...]
    """The most promising first; empty where every estimate is a loss."""
    rough: bool = False
    """Less of the same may do."""
    possible: bool = True
    """False where no choice of lines at all could carry a lot with the line under the change."""
