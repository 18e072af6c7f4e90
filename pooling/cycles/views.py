"""Request and response models of cycles."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from pooling.access.projection import OPEN
from pooling.bodies import REASON
from pooling.cycles.rules import CycleRecord, Depth, Given

CODE = r"^[a-z0-9-]{1,40}$"
POLICY_NAME = r"^[a-z0-9]+(-[a-z0-9]+)*$"
HowDeep = Annotated[
    Literal["dialogue", "criteria", "framework", "joint"],
    Meta(
        description="market dialogue, common criteria, framework with national mini-competitions, full joint tender:"
        " the most that is done together"
    ),
]


class CycleBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cycle as it shall be, whole. Days are those of ``time_zone``; demand is taken to the end of ``closes_on``.

    ``policy_name``: a policy that is kept; left out: the packaged default.
    """

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    time_zone: Annotated[str, Meta(min_length=1, max_length=64, description="IANA name, such as Europe/Copenhagen")]
    opens_on: date
    closes_on: date
    plan_by: date
    decide_by: date
    depth: HowDeep = "joint"
    policy_name: Annotated[str, Meta(pattern=POLICY_NAME, max_length=80)] | None = None

    def given(self) -> Given:
        """As the rules take it; raises BadFields."""
        said = {field: getattr(self, field) for field in self.__struct_fields__}
        return Given(**{**said, "depth": Depth(self.depth)})


class Reopening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a cycle takes demand again, and until the end of which day."""

    reason: Annotated[str, Meta(min_length=1, max_length=1000, pattern=REASON)]
    closes_on: date


class CycleView(msgspec.Struct, frozen=True, kw_only=True):
    """A planning round. ``opens_at`` and ``closes_at``: its first and last day as instants; ``plan``: its proposal."""

    code: str
    version: Annotated[int, OPEN]
    name: str
    status: str
    time_zone: str
    opens_on: date
    closes_on: date
    plan_by: date
    decide_by: date
    opens_at: datetime
    closes_at: datetime
    depth: str
    policy_name: str | None
    plan: UUID | None
    announced_at: datetime
    opened_at: datetime | None
    closed_at: datetime | None
    planned_at: datetime | None
    decided_at: datetime | None
    reopened_because: str | None


class CyclePage(msgspec.Struct, frozen=True):
    """Cycles, the latest to open first."""

    items: list[CycleView]
    next_cursor: str | None


def cycle_view(record: CycleRecord) -> CycleView:
    """A cycle as it is shown."""
    return CycleView(**{name: getattr(record, name) for name in CycleView.__struct_fields__})
