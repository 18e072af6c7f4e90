"""What a rule says of a tender."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Applies(StrEnum):
    """Whether a rule bears on the tender."""

    YES = "yes"
    NO = "no"
    NOT_IN_FORCE = "not-in-force"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How grave it is: to be known; to be looked at; the tender cannot go out like this."""

    NOTE = "note"
    WARNING = "warning"
    BLOCKING = "blocking"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """One rule's answer.

    ``text``: what the rule says. ``why``: in words, with the figures it rests on; ``follows``: what is to be done,
    empty where nothing is. ``participants``: the buyers it concerns, empty: all. ``figures``: those in ``why``, by name
    (cents, months, days, shares). ``verified``: whether the rule's source was read; where not, check it before
    anything depends on it.
    """

    rule: str
    title: str
    text: str
    applies: Applies
    severity: Severity
    why: str
    follows: str
    source: str
    verified: bool
    participants: tuple[str, ...] = ()
    figures: Mapping[str, int | float] = field(default_factory=dict)
