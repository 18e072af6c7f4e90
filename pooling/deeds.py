"""What an open transaction does, for whom and when; audit and feed collect under it and are written at its close.

Lock order, always: rows, then the audit head, then the feed head last. So no two writes wait for each other in a ring,
and positions are given out in the order of commits.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

AUDIT_RANK = 1
FEED_RANK = 2
"""Order of the ledgers at the close of a transaction."""

LOCAL_ACTOR = "local"
_DEED = "pooling.deed"


@dataclass(frozen=True, slots=True)
class Deed:
    """What a transaction does and for whom.

    ``actor``: a principal's opaque id, or a word such as ``command``; never a name. ``operation``: ``subject.verb``.
    ``request``: id of the request or job, empty where there is none.
    """

    actor: str
    operation: str
    now: datetime
    request: str = ""

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            raise ValueError(f"deed {self.operation}: now must be aware, got {self.now!r}")
        if not self.actor or not self.operation:
            raise ValueError(f"a deed names its actor and operation, got {self.actor!r} and {self.operation!r}")


def set_deed(session: Session, deed: Deed) -> None:
    """Say what the open transaction does."""
    session.info[_DEED] = deed


def deed_of(session: Session) -> Deed:
    """What the open transaction does; where nobody said, a local change of this moment."""
    found = session.info.get(_DEED)
    return found if isinstance(found, Deed) else Deed(LOCAL_ACTOR, "local.change", datetime.now(UTC))


def collected(session: Session, ledger: str) -> list[Any]:
    """The list in which ``ledger`` collects for the open transaction."""
    found: list[Any] = session.info.setdefault(f"pooling.{ledger}", [])
    return found
