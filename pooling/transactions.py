"""The one transaction of a write: effect, audit entries and feed positions commit together, or none does."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine
from sqlmodel import Session

from pooling import audit
from pooling.database import at_close, transaction
from pooling.deeds import AUDIT_RANK, Deed, set_deed

SERVICE = "service"
"""Actor of what nobody asked for: schedules, and commands of whoever runs the service."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An open transaction; ``session`` is never committed by whoever is handed it."""

    session: Session
    now: datetime


@contextmanager
def written(
    engine: Engine, *, actor: UUID | str | None, now: datetime, operation: str = "service.work", request: str = ""
) -> Iterator[Opened]:
    """The one transaction of a command, job or schedule that writes; it leaves at least one audit entry.

    ``actor``: a principal's id, None for the service itself. ``operation``: ``subject.verb``. ``request``: id of the
    request or job, empty where there is none.
    """
    with transaction(engine) as session:
        attribute(session, Deed(actor=str(actor or SERVICE), operation=operation, now=now, request=request))
        yield Opened(session, now)


def attribute(session: Session, deed: Deed) -> None:
    """Say what the open transaction does and for whom; from here on it leaves at least one audit entry."""
    set_deed(session, deed)
    at_close(session, AUDIT_RANK, audit.close)
