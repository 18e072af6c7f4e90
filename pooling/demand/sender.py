"""Who sends demand, and for whom it may be sent: what the checks of a file and of a system's lines are told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from pooling.errors import BadInput
from pooling.reference.rules import ParticipantRecord, rehome


@dataclass(frozen=True, slots=True)
class Sender:
    """Whoever sends. ``id`` of the principal, None: the command line. ``may_send_for`` None: every participant."""

    id: UUID | None = None
    may_send_for: frozenset[str] | None = None

    def on(self, day: date, participants: Mapping[str, ParticipantRecord]) -> "Sender":
        """The sender with those it may send for on the day: what was an ended participant's is its successor's.

        Whoever acts for the last of its successors then sends in its name too; who acts for the ended one alone does
        not any more.
        """
        mine = self.may_send_for
        if mine is None:
            return self
        return replace(
            self, may_send_for=frozenset(code for code in participants if _heir(code, day, participants) in mine)
        )

    def may_replace(self, senders: Iterable[str], *, known: bool) -> bool:
        """Whether what was sent for ``senders`` may be replaced; not all ``known``: by who may all."""
        return self.may_send_for is None or (known and self.may_send_for.issuperset(senders))


ANYONE = Sender()
"""The command line: for every participant."""


def _heir(code: str, day: date, participants: Mapping[str, ParticipantRecord]) -> str:
    """Who speaks for a participant on the day: itself before it exists, and where nobody has succeeded it."""
    try:
        return rehome(code, day, participants)
    except BadInput:
        return code
