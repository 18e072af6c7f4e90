"""Buyers that call off of a lot no further by themselves.

Buyers share the maximum of a lot where their own ones together are more. Whether a call-off has room in it tells of the
others' call-offs: whoever could ask that again and again would find out what is left to the unit. So a buyer asks it by
ordering: once it was refused for the lot's sake, or has taken an order back, planners enter its next one.
"""

from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session, col, delete, select

from pooling.agreements.rules import Allowance
from pooling.agreements.tables import CallOffHold
from pooling.errors import WrongState


class PlannerNeeded(WrongState):
    """A planner enters the buyer's next call-off of the lot, which sets it free again."""

    code = "planner-needed"


def shared(whole: Allowance, buyers: Collection[Allowance]) -> bool:
    """Whether buyers may have less together than each by itself: else a lot has room for whatever its buyers have."""
    quantity = sum(each.maximum.quantity for each in buyers)
    value = sum(each.maximum.value_minor for each in buyers)
    return quantity > whole.maximum.quantity or value > whole.maximum.value_minor


def hold(session: Session, lot: int, participant: str, *, now: datetime) -> None:
    """Let the buyer call off of the lot no further by itself; safe to repeat."""
    if session.get(CallOffHold, (lot, participant)) is None:
        session.add(CallOffHold(lot=lot, participant=participant, since=now))
        session.flush()


def held(session: Session, lots: Collection[int]) -> set[tuple[int, str]]:
    """The lots, and who is held in each."""
    wanted = select(CallOffHold.lot, CallOffHold.participant).where(col(CallOffHold.lot).in_(sorted(lots)))
    return {(lot, code) for lot, code in session.exec(wanted)}


def release(session: Session, lot: int, participants: Collection[str]) -> None:
    """Let these call off by themselves again."""
    mine = col(CallOffHold.lot) == lot, col(CallOffHold.participant).in_(sorted(participants))
    session.exec(delete(CallOffHold).where(*mine))
