"""Who sends demand, and for whom it may be sent: what the checks of a file and of a system's lines are told."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Sender:
    """Whoever sends. ``id`` of the principal, None: the command line. ``may_send_for`` None: every participant."""

    id: UUID | None = None
    may_send_for: frozenset[str] | None = None

    def may_replace(self, participants: Iterable[str], *, known: bool) -> bool:
        """Whether what is of ``participants`` may be replaced; not all ``known``: by who may all."""
        return self.may_send_for is None or (known and self.may_send_for.issuperset(participants))


ANYONE = Sender()
"""The command line: for every participant."""
