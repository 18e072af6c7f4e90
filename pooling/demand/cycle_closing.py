"""Closing and reopening cycles, where their lines are known: closing freezes the lines in force, reopening lets go.

Demand that changes at or after a cycle's last instant must not reach its lines. So whoever changes demand closes what
is due first (`lock`), in the same transaction; the job only sees to it where nobody does.
"""

from collections.abc import Callable
from datetime import date, datetime

from sqlmodel import Session

from pooling import audit
from pooling.cycles import service as cycles
from pooling.cycles.service import CycleRecord
from pooling.deeds import deed_of
from pooling.demand import cycle_lines, store


def close(session: Session, code: str, *, now: datetime, expect: Callable[[int], None] | None = None) -> CycleRecord:
    """Close a cycle and freeze the lines in force. Raises NotFound, WrongState."""
    store.lock(session)
    record = cycles.close(session, code, now=now, expect=expect)
    frozen = cycle_lines.freeze(session, code)
    audit.acted(session, "cycles.freeze", resource=("cycle", code), details={"lines": frozen})
    return record


def reopen(
    session: Session, code: str, *, closes_on: date, reason: str, now: datetime, expect: Callable[[int], None] | None
) -> CycleRecord:
    """Take demand again; the lines are frozen anew when it closes. Raises NotFound, WrongState, BadFields."""
    store.lock(session)
    record = cycles.reopen(session, code, closes_on=closes_on, reason=reason, now=now, expect=expect)
    cycle_lines.clear(session, code)
    return record


def lock(session: Session) -> list[str]:
    """Let no other change of demand past until this transaction ends, and close what is due before anything changes.

    Returns the codes of the cycles that were closed.
    """
    store.lock(session)
    now = deed_of(session).now
    due = [record.code for record in cycles.due_to_close(session, now)]
    for code in due:
        close(session, code, now=now)
    return due
