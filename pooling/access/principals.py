"""Principals as they are kept: read, never changed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlmodel import Session, col

from pooling.access.people import Identification
from pooling.access.rules import Kind, Role
from pooling.access.tables import Identity, Person, PrincipalParticipant, PrincipalRow
from pooling.errors import NotFound


@dataclass(frozen=True, slots=True)
class Record:
    """A principal as kept. ``name``: a person's, None once erased; or what a system is called."""

    id: UUID
    kind: Kind
    roles: frozenset[Role]
    participants: frozenset[str]
    employer: str | None
    name: str | None
    created_at: datetime
    revoked_at: datetime | None
    erased_at: datetime | None
    identities: tuple[Identification, ...]
    version: int


def record(session: Session, principal: UUID) -> Record:
    """The principal; raises NotFound."""
    row = session.get(PrincipalRow, principal)
    if row is None:
        raise NotFound(f"principal {principal} is not known; GET /v1/principals lists those that are")
    return _records(session, [row])[0]


def name_of(session: Session, principal: UUID) -> str | None:
    """A person's name or what a system is called; None where there is none, or it is not entered yet."""
    person = session.get(Person, principal)
    if person is not None:
        return person.name
    row = session.get(PrincipalRow, principal)
    return row.label if row is not None else None


def nameless(record: Record) -> Record:
    """The record without what identifies a person, to be kept where an erasure would not find it."""
    return replace(record, name=None, identities=()) if record.kind == "person" else record


def records(session: Session, *, after: UUID | None = None, limit: int | None) -> list[Record]:
    """Principals in the order of their ids, from after ``after`` on, at most ``limit`` (None: all)."""
    statement = select(PrincipalRow).order_by(col(PrincipalRow.id)).limit(limit)
    if after is not None:
        statement = statement.where(col(PrincipalRow.id) > after)
    return _records(session, list(session.scalars(statement)))


def _records(session: Session, rows: Sequence[PrincipalRow]) -> list[Record]:
    ids = [row.id for row in rows]
    people = {each.principal: each for each in session.scalars(select(Person).where(col(Person.principal).in_(ids)))}
    participants = list(
        session.scalars(select(PrincipalParticipant).where(col(PrincipalParticipant.principal).in_(ids)))
    )
    identities = list(session.scalars(select(Identity).where(col(Identity.principal).in_(ids))))
    made = []
    for row in rows:
        person = people.get(row.id)
        made.append(
            Record(
                id=row.id,
                kind=row.kind,
                roles=frozenset(Role(name) for name in row.roles.split()),
                participants=frozenset(each.participant for each in participants if each.principal == row.id),
                employer=row.employer,
                name=person.name if person else row.label,
                created_at=row.created_at,
                revoked_at=row.revoked_at,
                erased_at=person.erased_at if person else None,
                identities=tuple(
                    Identification(each.issuer, each.subject, each.organisation_id, each.delegate)
                    for each in identities
                    if each.principal == row.id
                ),
                version=row.version,
            )
        )
    return made
