"""What notices there are: their kinds, and the facts that fill their words. Pure."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any

MOST_TEXT = 200
MOST_KEY = 200


class Kind(StrEnum):
    """What a notice says. A new kind needs its facts here and its words in `wording`."""

    CYCLE_OPENS = "cycle-opens"
    CYCLE_DUE_SOON = "cycle-due-soon"
    CYCLE_CLOSED = "cycle-closed"
    CYCLE_DECIDED = "cycle-decided"
    INVITED = "invited"
    ASKED_AGAIN = "asked-again"
    ANSWER_DUE_SOON = "answer-due-soon"
    TENDER_ANSWERED = "tender-answered"
    TENDER_AT_RISK = "tender-at-risk"
    TENDER_DEARER = "tender-dearer"
    ANSWERED_FOR = "answered-for"
    TENDER_DECIDED = "tender-decided"
    CALL_OFF_WARNING = "call-off-warning"
    CORRECTION = "correction"
    SUCCESSION = "succession"


TOGETHER = "all buyers together"


FACTS: Mapping[Kind, frozenset[str]] = {
    Kind.CYCLE_OPENS: frozenset({"cycle", "closes_on"}),
    Kind.CYCLE_DUE_SOON: frozenset({"cycle", "closes_on"}),
    Kind.CYCLE_CLOSED: frozenset({"cycle"}),
    Kind.CYCLE_DECIDED: frozenset({"cycle"}),
    Kind.INVITED: frozenset({"family", "cycle"}),
    Kind.ASKED_AGAIN: frozenset({"family", "cycle"}),
    Kind.ANSWER_DUE_SOON: frozenset({"family", "cycle"}),
    Kind.TENDER_ANSWERED: frozenset({"family", "cycle", "participant", "answer"}),
    Kind.TENDER_AT_RISK: frozenset({"family", "cycle"}),
    Kind.TENDER_DEARER: frozenset({"family", "cycle"}),
    Kind.ANSWERED_FOR: frozenset({"family", "cycle", "participant"}),
    Kind.TENDER_DECIDED: frozenset({"family", "cycle", "status"}),
    Kind.CALL_OFF_WARNING: frozenset({"family", "category", "standing", "buyer"}),
    Kind.CORRECTION: frozenset({"cycle", "participant"}),
    Kind.SUCCESSION: frozenset({"predecessor", "successor", "on"}),
}
"""The facts of each kind, all of them needed: words and days, never a quantity or a price.

``cycle``: its code. ``family``: of categories. ``answer``, ``status``: the word of the API. ``standing``:
``near-estimate``, ``above-estimate`` or ``maximum-reached``. ``buyer``: its code, or `TOGETHER`.
``closes_on``, ``on``: days.
"""


def checked_facts(kind: Kind, facts: Mapping[str, Any]) -> dict[str, str]:
    """``facts`` as they are kept: text, days as YYYY-MM-DD. Raises ValueError where they are not those of the kind."""
    if set(facts) != FACTS[kind]:
        raise ValueError(f"notice {kind}: facts {sorted(FACTS[kind])} are needed, got {sorted(facts)}")
    return {name: _text(f"notice {kind}: {name}", value) for name, value in sorted(facts.items())}


def _text(place: str, value: Any) -> str:
    """Numbers are refused: what goes out by mail holds no figure."""
    if isinstance(value, date):
        return value.isoformat()[:10]
    if not isinstance(value, str) or not 1 <= len(value) <= MOST_TEXT or not value.isprintable():
        raise ValueError(f"{place}: give 1 to {MOST_TEXT} printable characters or a day, got {value!r}")
    return value
