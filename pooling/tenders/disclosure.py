"""When a member may be told the whole volume of a lot: only where no other member's figure follows from it. Pure.

Whoever knows the whole and its own part knows the sum of the others. So at least two others must be in that sum, and
none of them may be so large that the sum is nearly its figure. A reader that acts for several members knows all their
parts. And a whole is told as it was at the invitation and never again, in no later tender either: two wholes with one
member between them would tell that member's figure by their difference.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum

FEWEST_OTHERS = 2
DOMINANT = 0.8
"""Share of what the others have together; from above it on one of them is known too well."""


class Hidden(StrEnum):
    """Why a whole is not told."""

    TOO_FEW = "too-few-others"
    DOMINATED = "one-of-the-others-dominates"
    CHANGED = "changed-since-the-invitation"


def hidden(volumes: Mapping[str, int], known: Collection[str], *, changed: bool) -> Hidden | None:
    """Why whoever knows the figures of ``known`` may not be told the sum of ``volumes``; None: it may be.

    ``volumes``: by member, as invited; members without volume are none. ``changed``: whether members or lines are
    others than were invited, here or in an earlier tender of the same demand.
    """
    others = [volume for code, volume in volumes.items() if volume > 0 and code not in known]
    if len(others) < FEWEST_OTHERS:
        return Hidden.TOO_FEW
    if max(others) > DOMINANT * sum(others):
        return Hidden.DOMINATED
    return Hidden.CHANGED if changed else None
