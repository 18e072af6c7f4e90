"""Which cycle demand is sent for: the one it names, else the one that is open, else none: it stands for the next.

A cycle that is closed takes demand only as a planner's correction, with a reason, until it is decided; the correction
takes the place of the series' lines among those that were frozen.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from pooling.cycles import service as cycles
from pooling.cycles.service import CycleClosed, CycleRecord, Status
from pooling.demand.sender import Sender
from pooling.errors import BadFields

MOST_REASON = 1000


@dataclass(frozen=True, slots=True)
class SentFor:
    """``cycle`` None: none in particular. ``late``: its lines are frozen, and these take the place of some of them.

    ``reason``: of a planner's correction.
    """

    cycle: str | None = None
    late: bool = False
    reason: str | None = None


NO_CYCLE = SentFor()


def current(session: Session, now: datetime) -> SentFor:
    """For the cycle that is open, or for none."""
    record = cycles.current(session)
    return SentFor(record.code) if record is not None and record.takes(now) else NO_CYCLE


def named(session: Session, code: str | None, reason: str | None, *, sender: Sender, now: datetime) -> SentFor:
    """What demand sent now with these words is for (None: nothing was said).

    Raises NotFound, BadFields, and CycleClosed where the cycle takes no demand from this sender.
    """
    if code is None:
        if reason is not None:
            text = "which cycle is corrected? name it under cycle, or leave the reason out"
            raise BadFields([("#/correction_reason", "bad-input", text)])
        return current(session, now)
    record = cycles.cycle_of(session, code)
    if record.takes(now):
        if reason is not None:
            text = f"cycle {code!r} still takes demand: nothing is corrected; leave the reason out"
            raise BadFields([("#/correction_reason", "bad-input", text)])
        return SentFor(code)
    _may_correct(record, sender, now)
    if reason is None:
        text = f"cycle {code!r} is closed: say why it is corrected"
        raise BadFields([("#/correction_reason", "missing", text)])
    return SentFor(code, late=True, reason=reason)


def confirmed(session: Session, code: str | None, reason: str | None) -> SentFor:
    """What demand is for that was confirmed as sent for ``code`` and is stored now, perhaps after it was closed.

    What came in time is in it however long its storing took, unless it is decided by now: then it stands for the next.
    """
    if code is None:
        return NO_CYCLE
    record = cycles.cycle_of(session, code)
    if record.status is Status.DECIDED:
        return NO_CYCLE
    return SentFor(code, late=record.frozen, reason=reason)


def _may_correct(record: CycleRecord, sender: Sender, now: datetime) -> None:
    """Raises CycleClosed unless this is a planner and the cycle can still be corrected."""
    place = f"cycle {record.code!r}"
    instead = "leave the cycle out: it then stands for the next"
    if record.status is Status.ANNOUNCED:
        raise CycleClosed(f"{place} takes demand from {record.opens_on} on; {instead}")
    if record.status is Status.DECIDED:
        raise CycleClosed(f"{place} is decided and cannot be corrected any more; {instead}")
    if sender.may_send_for is not None:
        ended = record.closed_at or min(record.closes_at, now)
        when = f"{ended.astimezone(record.zone):%Y-%m-%d %H:%M}"
        raise CycleClosed(f"{place} closed at {when} {record.time_zone}; ask a planner for a correction, or {instead}")
