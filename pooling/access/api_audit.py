"""The audit over HTTP: what was done, whose figures were read, and whether the chain holds."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Response
from litestar.params import FromQuery, QueryParameter
from msgspec import UNSET, Meta, UnsetType

from pooling import audit_chain
from pooling.access import ledger
from pooling.access.ledger import Filters
from pooling.access.projection import OPEN, PLANNERS
from pooling.audit import AuditEntry, ReadEntry
from pooling.audit_chain import Verified
from pooling.calls import Asked, Call, Reply
from pooling.endpoints import get
from pooling.paging import DEFAULT_LIMIT, page_of
from pooling.parameters import Cursor, Handled, Limit

Who = FromQuery[Annotated[str | None, QueryParameter(max_length=80, description="id of a principal")]]
What = FromQuery[Annotated[str | None, QueryParameter(max_length=80, description="operation, such as keys.create")]]
Whose = FromQuery[Annotated[str | None, QueryParameter(max_length=40, description="code of a participant")]]
Type = FromQuery[Annotated[str | None, QueryParameter(max_length=40, description="type of a resource")]]
Resource = FromQuery[Annotated[str | None, QueryParameter(max_length=200, description="id of a resource")]]
Since = FromQuery[Annotated[datetime | None, QueryParameter(description="from this instant on, with its zone")]]
Until = FromQuery[Annotated[datetime | None, QueryParameter(description="before this instant, with its zone")]]


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done. ``principal`` is an id; names are kept apart, and can be erased."""

    position: Annotated[int, OPEN]
    at: datetime
    principal: str
    operation: str
    request_id: str
    resource_type: str | None
    resource_id: str | None
    participants: list[str]
    details: Annotated[dict[str, Any], PLANNERS] | UnsetType = UNSET
    previous: Annotated[str, Meta(description="hash of the entry before")]
    hash: str


class DeedPage(msgspec.Struct, frozen=True):
    """Entries of the chain, oldest first."""

    items: list[Deed]
    next_cursor: str | None


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was given confidential figures of ``participants``, who are not the reader's own."""

    id: Annotated[int, OPEN]
    at: datetime
    principal: str
    operation: str
    request_id: str
    path: str
    participants: list[str]
    sealed: Annotated[int | None, OPEN, Meta(description="position of the entry that seals it; null: not yet")]


class ReadingPage(msgspec.Struct, frozen=True):
    """Readings, oldest first."""

    items: list[Reading]
    next_cursor: str | None


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the chain holds: each entry's hash is that of its content and of the one before it."""

    holds: bool
    entries: Annotated[int, OPEN]
    readings: Annotated[int, OPEN, Meta(description="requests that were given others' figures, sealed in the chain")]
    head: Annotated[str, Meta(description="hash of the last entry; noted elsewhere, it proves that none was cut off")]
    faults: list[str]


class AuditController(Controller):
    """The audit, for auditors; administrators see it without details."""

    path = "/v1/audit"
    tags = ("audit",)

    @get("/", "audit.list", "What was done")
    def list_deeds(
        self,
        request: Asked,
        handling: Handled,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        principal: Who = None,
        operation: What = None,
        participant: Whose = None,
        resource_type: Type = None,
        resource_id: Resource = None,
        since: Since = None,
        until: Until = None,
    ) -> Response[DeedPage]:
        """Every write leaves at least one entry, in the order of commits."""
        filters = Filters(
            principal=principal,
            operation=operation,
            participant=participant,
            resource_type=resource_type,
            resource_id=resource_id,
            since=since,
            until=until,
        )

        def work(call: Call) -> Reply:
            window = call.window(cursor, limit)
            found = ledger.deeds(call.session, filters, window)
            return call.page(page_of(found, window, key=lambda entry: (entry.position,)), DeedPage, view=_deed)

        return handling.read(request, work)

    @get("/readings", "audit.readings", "Whose figures were read")
    def list_readings(
        self,
        request: Asked,
        handling: Handled,
        cursor: Cursor = None,
        limit: Limit = DEFAULT_LIMIT,
        principal: Who = None,
        operation: What = None,
        participant: Whose = None,
        since: Since = None,
        until: Until = None,
    ) -> Response[ReadingPage]:
        """Requests that were given confidential figures of others, by whom and of whom."""
        filters = Filters(principal=principal, operation=operation, participant=participant, since=since, until=until)

        def work(call: Call) -> Reply:
            window = call.window(cursor, limit)
            found = ledger.readings(call.session, filters, window)
            return call.page(page_of(found, window, key=lambda entry: (entry.id,)), ReadingPage, view=_reading)

        return handling.read(request, work)

    @get("/verification", "audit.verify", "Whether the audit holds")
    def verify(self, request: Asked, handling: Handled) -> Response[Verification]:
        """Recomputes the chain from its first kept entry."""
        return handling.read(request, lambda call: _verification(audit_chain.verify(call.session)))


def _deed(entry: AuditEntry) -> Deed:
    return Deed(
        position=entry.position,
        at=entry.at,
        principal=entry.principal,
        operation=entry.operation,
        request_id=entry.request,
        resource_type=entry.resource_type,
        resource_id=entry.resource_id,
        participants=entry.participants,
        details=entry.details,
        previous=entry.previous,
        hash=entry.hash,
    )


def _reading(entry: ReadEntry) -> Reading:
    return Reading(
        id=entry.id or 0,
        at=entry.at,
        principal=entry.principal,
        operation=entry.operation,
        request_id=entry.request,
        path=entry.path,
        participants=entry.participants,
        sealed=entry.sealed,
    )


def _verification(found: Verified) -> Verification:
    return Verification(
        holds=not found.faults,
        entries=found.entries,
        readings=found.reads,
        head=found.head,
        faults=list(found.faults),
    )
