"""What the law says of a tender, as members and planners are both shown it."""

from typing import Any

import msgspec

from pooling.law.results import Consequence


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule says, why, and what follows; whose its figures are, each kind of answer says for itself."""

    rule: str
    title: str
    applies: str
    severity: str
    why: str
    follows: str
    source: str
    verified: bool
    participants: list[str]


SAME = tuple(name for name in Said.__struct_fields__ if name != "participants")


def said(consequence: Consequence) -> dict[str, Any]:
    """The fields of a `Said` with its ``figures``."""
    return {
        **{name: getattr(consequence, name) for name in SAME},
        "participants": list(consequence.participants),
        "figures": {name: float(figure) for name, figure in consequence.figures.items()},
    }
