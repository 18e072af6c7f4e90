"""What can be done with cycles inside the open transaction: say what they are, take their steps, find them.

Freezing the lines of a cycle that closes is demand's: whoever closes or reopens one does it through
`pooling.demand.cycle_closing`.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from pooling import audit, feed
from pooling.cycles import queries, telling
from pooling.cycles.rules import (
    DEPTHS,
    FIXED,
    CycleClosed,
    CycleRecord,
    Depth,
    Given,
    Status,
    after,
    shallowest,
)
from pooling.cycles.tables import Cycle
from pooling.database import one_at_a_time
from pooling.errors import BadFields, NotFound, WrongState, did_you_mean
from pooling.paging import Page, Window, page_of

__all__ = [
    "DEPTHS",
    "CycleClosed",
    "CycleRecord",
    "Depth",
    "Given",
    "Status",
    "close",
    "current",
    "cycle_of",
    "cycles",
    "decide",
    "due_to_close",
    "due_to_open",
    "earlier",
    "keep_policy",
    "mark_planned",
    "open_cycle",
    "put",
    "reopen",
    "shallowest",
    "up_to",
]

Expect = Callable[[int], None]


def cycle_of(session: Session, code: str) -> CycleRecord:
    """Raises NotFound."""
    return _record(_row(session, code))


def current(session: Session) -> CycleRecord | None:
    """The cycle that is open; None: there is none. Never two: one opens only where no other is open."""
    row = session.exec(select(Cycle).where(col(Cycle.status) == Status.OPEN)).first()
    return None if row is None else _record(row)


def cycles(session: Session, window: Window, *, status: str | None = None) -> Page[CycleRecord]:
    """Cycles, the latest to open first."""
    key = (col(Cycle.opens_on), col(Cycle.code))
    wanted = select(Cycle).where(window.clause_descending(*key))
    if status is not None:
        wanted = wanted.where(col(Cycle.status) == status)
    rows = session.exec(wanted.order_by(*(each.desc() for each in key)).limit(window.fetch)).all()
    return page_of([_record(row) for row in rows], window, lambda record: (record.opens_on, record.code))


def up_to(session: Session, code: str) -> list[str]:
    """The cycle and all that close no later, by code. Raises NotFound."""
    record = cycle_of(session, code)
    found = [each.code for each in _all(session) if each.ends_at <= record.ends_at]
    return sorted({code, *found})


def earlier(session: Session, code: str) -> CycleRecord | None:
    """The last cycle before this one whose lines are frozen; None: there is none. Raises NotFound."""
    record = cycle_of(session, code)
    before = [each for each in _all(session) if each.frozen and each.ends_at < record.ends_at]
    return max(before, key=lambda each: (each.ends_at, each.code), default=None)


def put(
    session: Session, code: str, given: Given, *, now: datetime, expect: Callable[[int | None], None]
) -> CycleRecord:
    """Announce a cycle, or change one whole.

    ``expect`` refuses where the writer has not seen the version there is (None: none is). Raises BadFields where its
    days overlap those of another cycle or its policy is not kept, WrongState where a change comes too late.
    """
    lock(session)
    row = session.get(Cycle, code, with_for_update=True)
    expect(None if row is None else row.version)
    values = given.values()
    if row is not None:
        _may_change(_record(row), values, now)
    _check(session, code, given)
    if row is None:
        row = Cycle(code=code, status=Status.ANNOUNCED, announced_at=now, **values)
        session.add(row)
        _told(session, row, "cycles.write", action="created")
        return _record(row)
    different = {name: value for name, value in values.items() if getattr(row, name) != value}
    if different:
        for name, value in different.items():
            setattr(row, name, value)
        row.version += 1
        _told(session, row, "cycles.write", details={"changed": sorted(different)})
    return _record(row)


def _may_change(record: CycleRecord, values: Mapping[str, Any], now: datetime) -> None:
    fixed = [name for name in FIXED[record.status] if getattr(record, name) != values[name]]
    if fixed:
        raise WrongState(f"cycle {record.code!r} is {record.status}: {', '.join(fixed)} can be changed no more")
    if record.status is Status.OPEN and values["closes_on"] < record.day(now):
        text = f"{values['closes_on']} has gone by; give today or later, or close the cycle"
        raise BadFields([("#/closes_on", "bad-input", text)])


def _check(session: Session, code: str, given: Given) -> None:
    if given.policy_name is not None:
        known = queries.policy_names(session)
        if given.policy_name not in known:
            remedy = did_you_mean(given.policy_name, known, "keep it with PUT /v1/policies/NAME first")
            text = f"{given.policy_name!r} is no policy that is kept; {remedy}"
            raise BadFields([("#/policy_name", "not-found", text)])
    other = _overlapping(session, code, given.opens_on, given.closes_on)
    if other is not None:
        days = f"{other.opens_on} to {other.closes_on}"
        text = f"cycle {other.code!r} takes demand from {days}; give days on which no other does"
        raise BadFields([("#/opens_on", "bad-input", text)])


def _overlapping(session: Session, code: str, opens_on: date, closes_on: date) -> Cycle | None:
    """Another cycle that is open, or will be, on one of these days."""
    waiting = col(Cycle.status).in_([Status.ANNOUNCED, Status.OPEN])
    common = (col(Cycle.opens_on) <= closes_on, col(Cycle.closes_on) >= opens_on)
    return session.exec(select(Cycle).where(waiting, col(Cycle.code) != code, *common).limit(1)).first()


def due_to_open(session: Session, now: datetime) -> list[CycleRecord]:
    """The cycles that the clock opens now, unless another is still open; a reading transaction will do."""
    return [record for record in _with(session, Status.ANNOUNCED) if record.due_to_open(now)]


def due_to_close(session: Session, now: datetime) -> list[CycleRecord]:
    """The cycles that the clock closes now; a reading transaction will do."""
    return [record for record in _with(session, Status.OPEN) if record.due_to_close(now)]


def _with(session: Session, status: Status) -> list[CycleRecord]:
    return [record for record in _all(session) if record.status is status]


def _all(session: Session) -> list[CycleRecord]:
    return [_record(row) for row in session.exec(select(Cycle).order_by(col(Cycle.code)))]


def open_cycle(session: Session, code: str, *, now: datetime, expect: Expect | None = None) -> CycleRecord:
    """Open a cycle; before its first day, today becomes that. Raises NotFound, and WrongState where another takes
    demand on one of its days or its last day has gone by.
    """
    row = _locked(session, code, expect)
    to = after("open", Status(row.status), f"cycle {code!r}")
    record = _record(row)
    if record.closes_at <= now:
        raise WrongState(f"cycle {code!r} was to close on {row.closes_on}; give it a later day first")
    row.opens_on = min(record.opens_on, record.day(now))
    _alone(session, row, row.opens_on, row.closes_on)
    row.status, row.opened_at, row.version = to, now, row.version + 1
    record = _told(session, row, "cycles.open")
    telling.opened(session, record, now)
    return record


def close(session: Session, code: str, *, now: datetime, expect: Expect | None = None) -> CycleRecord:
    """Close a cycle; to be called by demand, which freezes its lines. Raises NotFound, WrongState."""
    row = _locked(session, code, expect)
    to = after("close", Status(row.status), f"cycle {code!r}")
    row.status, row.closed_at, row.version = to, min(now, _record(row).closes_at), row.version + 1
    record = _told(session, row, "cycles.close")
    telling.closed(session, record, now)
    return record


def reopen(
    session: Session, code: str, *, closes_on: date, reason: str, now: datetime, expect: Expect | None
) -> CycleRecord:
    """Take demand again until the end of ``closes_on``; to be called by demand, which lets its lines go.

    Raises NotFound, WrongState where it is planned already or another is open, BadFields where the day does not do.
    """
    row = _locked(session, code, expect)
    to = after("reopen", Status(row.status), f"cycle {code!r}")
    record = _record(row)
    today = record.day(now)
    if not today <= closes_on <= record.plan_by:
        text = f"{closes_on}: give a day from today, {today}, to {record.plan_by}, its plan_by"
        raise BadFields([("#/closes_on", "bad-input", text)])
    _alone(session, row, today, closes_on)
    row.status, row.closes_on, row.opened_at, row.closed_at = to, closes_on, now, None
    row.reopened_because = reason
    row.version += 1
    record = _told(session, row, "cycles.reopen", details={"reason": reason, "closes_on": closes_on.isoformat()})
    telling.opened(session, record, now)
    return record


def mark_planned(
    session: Session, code: str, plan: UUID, now: datetime, *, policy: Mapping[str, Any] | None = None
) -> CycleRecord:
    """Note the cycle's proposal; a later one takes its place. ``policy``: the document that it was planned under.

    Raises NotFound, and WrongState where it is not closed, or is decided.
    """
    row = _locked(session, code, None)
    to = after("plan", Status(row.status), f"cycle {code!r}")
    row.status, row.plan, row.planned_at, row.version = to, plan, now, row.version + 1
    if policy is not None:
        row.policy = dict(policy)
    return _told(session, row, "cycles.plan", details={"plan": str(plan)})


def keep_policy(session: Session, code: str, policy: Mapping[str, Any]) -> CycleRecord:
    """Note the policy document that the cycle is planned under from now on. Raises NotFound."""
    row = _locked(session, code, None)
    row.policy, row.version = dict(policy), row.version + 1
    return _told(session, row, "cycles.policy")


def decide(session: Session, code: str, *, now: datetime, expect: Expect | None = None) -> CycleRecord:
    """End a cycle; whoever calls has made sure that all its tenders are settled. Raises NotFound, WrongState."""
    row = _locked(session, code, expect)
    to = after("decide", Status(row.status), f"cycle {code!r}")
    row.status, row.decided_at, row.version = to, now, row.version + 1
    record = _told(session, row, "cycles.decide")
    telling.decided(session, record, now)
    return record


def lock(session: Session) -> None:
    """One change of cycles at a time: that one alone is open is kept right by looking at all of them."""
    one_at_a_time(session, "pooling.cycles")


def _locked(session: Session, code: str, expect: Expect | None) -> Cycle:
    lock(session)
    row = _row(session, code, for_update=True)
    if expect is not None:
        expect(row.version)
    return row


def _row(session: Session, code: str, *, for_update: bool = False) -> Cycle:
    row = session.get(Cycle, code, with_for_update=for_update, populate_existing=for_update)
    if row is None:
        known = session.exec(select(Cycle.code).order_by(col(Cycle.opens_on).desc()).limit(20)).all()
        otherwise = f"known are {', '.join(known)}" if known else "none is announced yet: PUT /v1/cycles/CODE"
        raise NotFound(f"no cycle {code!r}; {did_you_mean(code, known, otherwise)}")
    return row


def _alone(session: Session, row: Cycle, opens_on: date, closes_on: date) -> None:
    """Raises WrongState where another cycle is open, or will be on one of these days."""
    other = current(session)
    if other is not None:
        raise WrongState(f"cycle {other.code!r} is open until the end of {other.closes_on}; close it first")
    waiting = _overlapping(session, row.code, opens_on, closes_on)
    if waiting is not None:
        days = f"{waiting.opens_on} to {waiting.closes_on}"
        raise WrongState(f"cycle {waiting.code!r} takes demand from {days}; give one of them other days first")


def _told(
    session: Session, row: Cycle, operation: str, *, action: str = "updated", details: Mapping[str, Any] | None = None
) -> CycleRecord:
    session.add(row)
    session.flush()
    feed.changed(session, "cycle", row.code, version=row.version, action=action)
    said = {"status": str(row.status), **(details or {})}
    audit.acted(session, operation, resource=("cycle", row.code), details=said)
    return _record(row)


NAMES = tuple(field.name for field in fields(CycleRecord))


def _record(row: Cycle) -> CycleRecord:
    values = {name: getattr(row, name) for name in NAMES}
    return CycleRecord(**{**values, "depth": Depth(row.depth), "status": Status(row.status)})
