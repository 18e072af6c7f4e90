"""What the audit holds, read: deeds and readings by who, what, whose and when."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, cast, select
from sqlmodel import Session, col

from pooling.audit import AuditEntry, ReadEntry
from pooling.errors import BadInput
from pooling.paging import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which entries are asked for; None: any. ``since`` is inclusive, ``until`` is not."""

    principal: str | None = None
    operation: str | None = None
    participant: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        for name in ("since", "until"):
            instant: datetime | None = getattr(self, name)
            if instant is not None and instant.tzinfo is None:
                raise BadInput(f"{name} {instant.isoformat()}: its zone is missing; write it with Z or an offset")


def deeds(session: Session, filters: Filters, window: Window) -> list[AuditEntry]:
    """Entries of the chain, oldest first, up to one more than the page has."""
    conditions = _conditions(AuditEntry, filters)
    if filters.resource_type is not None:
        conditions.append(col(AuditEntry.resource_type) == filters.resource_type)
    if filters.resource_id is not None:
        conditions.append(col(AuditEntry.resource_id) == filters.resource_id)
    position = col(AuditEntry.position)
    statement = select(AuditEntry).where(window.clause(position), *conditions).order_by(position).limit(window.fetch)
    return list(session.scalars(statement))


def readings(session: Session, filters: Filters, window: Window) -> list[ReadEntry]:
    """Requests that were given confidential figures of others, oldest first, up to one more than the page has."""
    number = col(ReadEntry.id)
    conditions = _conditions(ReadEntry, filters)
    statement = select(ReadEntry).where(window.clause(number), *conditions).order_by(number).limit(window.fetch)
    return list(session.scalars(statement))


def _conditions(table: Any, filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.principal is not None:
        found.append(col(table.principal) == filters.principal)
    if filters.operation is not None:
        found.append(col(table.operation) == filters.operation)
    if filters.since is not None:
        found.append(col(table.at) >= filters.since)
    if filters.until is not None:
        found.append(col(table.at) < filters.until)
    if filters.participant is not None:
        wanted = json.dumps(filters.participant)
        found.append(cast(col(table.participants), String).contains(wanted, autoescape=True))
    return found
