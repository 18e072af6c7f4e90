"""Repairs of tenders as the API shows them to planners."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from pooling.access.projection import PLANNERS
from pooling.tenders.views import Count, Eur


class RepairLot(msgspec.Struct, frozen=True, kw_only=True):
    """A lot as it would be."""

    whole: ClassVar[Meta] = PLANNERS
    offer: str
    category: str
    tier: Count
    unit_price_eur: Eur
    quantity: Count
    sure_quantity: Eur
    lines: Annotated[list[str], PLANNERS]


class RepairLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that joins or leaves, with what it brings in base units a year."""

    owner: ClassVar[str] = "participant"
    whole: ClassVar[Meta] = PLANNERS
    line: Annotated[int, PLANNERS]
    participant: str
    category: str
    quantity_per_year: Count


class RepairView(msgspec.Struct, frozen=True, kw_only=True):
    """A change that would bring a tender back, passed by the solver's judge.

    ``kind``: the least that changes: as-proposed (nothing but what members propose), lead, join (lines that are in no
    tender), offer, start, wider (all of these) or smaller (own lines leave). ``worth_eur``: EUR over the term more than
    as it stands. ``fits``: whether the tender has not changed since.
    """

    whole: ClassVar[Meta] = PLANNERS
    number: Count
    kind: str
    fits: bool
    found_at: datetime
    applied_at: datetime | None
    start: str
    lead: str
    lots: list[RepairLot]
    joins: list[RepairLine]
    leaves: list[RepairLine]
    net_eur: Eur
    worth_eur: Eur


class RepairPage(msgspec.Struct, frozen=True):
    """Options by number."""

    items: list[RepairView]
    next_cursor: str | None


class RepairAsked(msgspec.Struct, frozen=True):
    """Repairs are being looked for."""

    tender: UUID
    operation: Annotated[str, Meta(description="address of the job")]
