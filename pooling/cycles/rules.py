"""The rules of cycles: how deep a pool may go, which step follows which, when a day begins where a cycle is. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from pooling.errors import BadFields, WrongState, did_you_mean


class Depth(StrEnum):
    """How much buyers do together, the least first.

    Dialogue: the market is talked to together. Criteria: each tenders for itself, with common criteria. Framework: one
    framework agreement with national mini-competitions. Joint: one full tender.
    """

    DIALOGUE = "dialogue"
    CRITERIA = "criteria"
    FRAMEWORK = "framework"
    JOINT = "joint"


DEPTHS = tuple(Depth)
"""From the shallowest to the deepest."""


def shallowest(depths: Iterable[Depth | str | None], *, most: Depth | str = Depth.JOINT) -> Depth:
    """The depth that all can go to: the least of ``depths`` and ``most``; None goes as deep as is allowed."""
    return min((Depth(each) for each in (*depths, most) if each is not None), key=DEPTHS.index)


class Status(StrEnum):
    """Where a cycle stands."""

    ANNOUNCED = "announced"
    OPEN = "open"
    CLOSED = "closed"
    PLANNED = "planned"
    DECIDED = "decided"


STEPS: Mapping[str, tuple[frozenset[Status], Status]] = {
    "open": (frozenset({Status.ANNOUNCED}), Status.OPEN),
    "close": (frozenset({Status.OPEN}), Status.CLOSED),
    "reopen": (frozenset({Status.CLOSED}), Status.OPEN),
    "plan": (frozenset({Status.CLOSED, Status.PLANNED}), Status.PLANNED),
    "decide": (frozenset({Status.PLANNED}), Status.DECIDED),
}
"""For each step the statuses in which it can be taken, and the one it leads to; a new proposal plans again."""

DATES = ("opens_on", "closes_on", "plan_by", "decide_by")
FIXED: Mapping[Status, tuple[str, ...]] = {
    Status.ANNOUNCED: (),
    Status.OPEN: ("time_zone", "opens_on"),
    Status.CLOSED: ("time_zone", "opens_on", "closes_on"),
    Status.PLANNED: ("time_zone", "opens_on", "closes_on", "depth", "policy_name"),
    Status.DECIDED: ("name", "time_zone", *DATES, "depth", "policy_name"),
}
"""What cannot be changed any more, by status."""
SOONEST = date(2000, 1, 1)
LATEST = date(2199, 12, 31)


class CycleClosed(WrongState):
    """Demand was sent for a cycle that takes none now."""

    code = "cycle-closed"


@dataclass(frozen=True, slots=True)
class Given:
    """What planners say of a cycle. Days are those of ``time_zone``; raises BadFields with every fault."""

    name: str
    time_zone: str
    opens_on: date
    closes_on: date
    plan_by: date
    decide_by: date
    depth: Depth = Depth.JOINT
    policy_name: str | None = None

    def __post_init__(self) -> None:
        faults = []
        if self.time_zone not in zones():
            remedy = did_you_mean(self.time_zone, zones(), "such as Europe/Copenhagen")
            faults.append(("#/time_zone", "bad-input", f"{self.time_zone!r} is no IANA time zone; {remedy}"))
        for name in DATES:
            day = getattr(self, name)
            if not SOONEST <= day <= LATEST:
                faults.append((f"#/{name}", "out-of-range", f"{day}: give a day from {SOONEST} to {LATEST}"))
        for before, after in pairwise(DATES):
            first, second = getattr(self, before), getattr(self, after)
            if first > second:
                text = f"{second} is before {before} {first}; give that day or later"
                faults.append((f"#/{after}", "bad-input", text))
        if faults:
            raise BadFields(faults)

    def values(self) -> dict[str, Any]:
        """By column; the depth as text."""
        return {name: getattr(self, name) for name in self.__slots__} | {"depth": self.depth.value}


@dataclass(frozen=True, slots=True)
class CycleRecord:
    """A cycle. ``plan``: its proposal, once it is planned; ``policy``: the document it was planned under."""

    code: str
    version: int
    name: str
    time_zone: str
    opens_on: date
    closes_on: date
    plan_by: date
    decide_by: date
    depth: Depth
    policy_name: str | None
    policy: Mapping[str, Any] | None
    status: Status
    plan: UUID | None
    announced_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    planned_at: datetime | None
    decided_at: datetime | None
    reopened_because: str | None

    @property
    def opens_at(self) -> datetime:
        """When its first day begins, UTC."""
        return day_begins(self.opens_on, self.time_zone)

    @property
    def closes_at(self) -> datetime:
        """When its last day has ended, UTC; what comes at this instant comes too late."""
        return day_begins(self.closes_on + timedelta(days=1), self.time_zone)

    @property
    def ends_at(self) -> datetime:
        """When it closed, perhaps before its last day; until then when it is to close."""
        return self.closed_at or self.closes_at

    @property
    def zone(self) -> ZoneInfo:
        """Where its days begin and end."""
        return ZoneInfo(self.time_zone)

    def day(self, now: datetime) -> date:
        """The day it is where the cycle is."""
        return now.astimezone(self.zone).date()

    def day_ends(self, day: date) -> datetime:
        """When ``day`` has ended where the cycle is, UTC."""
        return day_begins(day + timedelta(days=1), self.time_zone)

    def takes(self, now: datetime) -> bool:
        """Whether demand can be sent for it."""
        return self.status is Status.OPEN and now < self.closes_at

    def due_to_open(self, now: datetime) -> bool:
        """Whether the clock opens it; one whose days have all gone by is left to a planner."""
        return self.status is Status.ANNOUNCED and self.opens_at <= now < self.closes_at

    def due_to_close(self, now: datetime) -> bool:
        """Whether the clock closes it."""
        return self.status is Status.OPEN and self.closes_at <= now

    @property
    def frozen(self) -> bool:
        """Whether its lines are written down and stand apart from what comes in."""
        return self.status in (Status.CLOSED, Status.PLANNED, Status.DECIDED)


@cache
def zones() -> frozenset[str]:
    """The names of time zones."""
    return frozenset(available_timezones())


def day_begins(day: date, time_zone: str) -> datetime:
    """The first instant of ``day`` in ``time_zone``, as UTC."""
    return datetime.combine(day, time(), ZoneInfo(time_zone)).astimezone(UTC)


def after(step: str, status: Status, place: str) -> Status:
    """The status that ``step`` leads to; raises WrongState where it cannot be taken."""
    allowed, to = STEPS[step]
    if status not in allowed:
        raise WrongState(f"{place} is {status}; a cycle can be {PAST[step]} while it is {_either(allowed)}")
    return to


PAST = {"open": "opened", "close": "closed", "reopen": "reopened", "plan": "planned", "decide": "decided"}


def _either(statuses: Iterable[Status]) -> str:
    return " or ".join(each.value for each in Status if each in statuses)
