"""What may become of a tender, and how deep it may go: pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pooling.cycles.rules import DEPTHS, Depth
from pooling.errors import BadFields, WrongState


class Status(StrEnum):
    """Where a tender stands."""

    PROPOSED = "proposed"
    REVIEWED = "under-review"
    INVITED = "invited"
    CONFIRMED = "confirmed"
    HANDED_OVER = "handed-over"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Answer(StrEnum):
    """What a member said to the invitation."""

    NONE = "none"
    COMMITTED = "committed"
    DECLINED = "declined"
    CHANGE = "change-proposed"


MOST_QUANTITY = 10**12
"""Base units that a member may commit to a year, as much as a line may have; its high end up to twice that."""
MOST_SPEND_MICRO = 10**17
"""Millionths of EUR that the high end of a commitment may come to a year: a hundred billion EUR. What is added up from
it over a term fits a database's whole numbers."""


UNSETTLED = frozenset({Answer.NONE, Answer.CHANGE})
"""Neither committed nor declined: the tender waits for these."""


MEMBER, PLANNER = "member", "planner"
"""By whom an answer was given: by the member itself, or by a planner in its place."""


class Role(StrEnum):
    """What a member is in a tender; an associate takes part and cannot sign."""

    LEAD = "lead"
    MEMBER = "member"
    ASSOCIATE = "associate"


class Step(StrEnum):
    """What moves a tender on."""

    REVIEW = "review"
    INVITE = "invite"
    CONFIRM = "confirm"
    HAND_OVER = "hand-over"
    REJECT = "reject"
    EXPIRE = "expire"


OPEN = frozenset({Status.PROPOSED, Status.REVIEWED, Status.INVITED})
"""Not decided yet."""
DECIDED = frozenset({Status.CONFIRMED, Status.HANDED_OVER})
"""Buyers are fixed: every later run holds it."""
SETTLED = frozenset(Status) - OPEN
"""Nothing of it is left to decide in its cycle, save for handing a confirmed one over."""
ENDED = frozenset({Status.REJECTED, Status.EXPIRED})

MOVES: Mapping[Step, tuple[frozenset[Status], Status]] = {
    Step.REVIEW: (frozenset({Status.PROPOSED}), Status.REVIEWED),
    Step.INVITE: (frozenset({Status.REVIEWED}), Status.INVITED),
    Step.CONFIRM: (frozenset({Status.INVITED}), Status.CONFIRMED),
    Step.HAND_OVER: (frozenset({Status.CONFIRMED}), Status.HANDED_OVER),
    Step.REJECT: (OPEN, Status.REJECTED),
    Step.EXPIRE: (OPEN, Status.EXPIRED),
}
"""Every transition there is: from which states, to which."""

BUYING = frozenset({Depth.FRAMEWORK, Depth.JOINT})
"""Depths that end in an agreement which buyers call off from."""


@dataclass(frozen=True, slots=True)
class Move:
    """A transition that may be made."""

    step: Step
    before: Status
    after: Status


def move(status: str, step: Step, *, place: str) -> Move:
    """The transition of a tender at ``status``; raises WrongState where there is none."""
    allowed, after = MOVES[step]
    if status not in allowed:
        wanted = " or ".join(sorted(allowed))
        raise WrongState(f"{place} is {status}; {step.replace('-', ' ')} is for one that is {wanted}")
    return Move(step, Status(status), after)


def checked_depth(depth: str, *, deepest: str) -> Depth:
    """``depth`` where it goes no deeper than ``deepest``; raises BadFields."""
    if DEPTHS.index(Depth(depth)) > DEPTHS.index(Depth(deepest)):
        told = f"{depth}: the cycle and the lines let it go no deeper than {deepest}; give that or less"
        raise BadFields([("#/depth", "out-of-range", told)])
    return Depth(depth)
