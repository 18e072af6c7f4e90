"""Principals: persons with roles and names, systems with participants; made, changed, revoked, erased."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, update
from sqlmodel import Session, col

from pooling.access.contacts import checked_email
from pooling.access.rules import Kind, Role, checked_roles
from pooling.access.tables import ApiKey, Identity, Person, PrincipalParticipant, PrincipalRow
from pooling.audit import acted
from pooling.errors import BadInput, NotFound, did_you_mean
from pooling.idempotency import StoredResponse
from pooling.reference import service as reference

MAX_NAME = 200
MAX_LABEL = 120


@dataclass(frozen=True, slots=True)
class Identification:
    """Under what an issuer knows somebody; ``organisation_id`` and ``delegate`` are a system's, ISO 6523."""

    issuer: str
    subject: str
    organisation_id: str = ""
    delegate: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What a principal is given: roles, the participants they are for, and who employs a planner."""

    roles: frozenset[Role]
    participants: frozenset[str] = frozenset()
    employer: str | None = None


def add_person(
    session: Session,
    name: str,
    rights: Rights,
    *,
    now: datetime,
    identities: Collection[Identification] = (),
    email: str | None = None,
) -> UUID:
    """A new person; raises BadInput. ``identities``: issuers whose tokens the person comes with, if any."""
    principal = _add(session, "person", rights, label=None, now=now)
    address = None if email is None else checked_email("email", email)
    session.add(Person(principal=principal, name=_named("name", name, MAX_NAME), email=address, erased_at=None))
    for each in identities:
        _identify_as(session, principal, each)
    session.flush()
    return principal


def add_system(session: Session, label: str, participants: frozenset[str], *, now: datetime) -> UUID:
    """A new partner system that will come with keys, for ``participants``; raises BadInput."""
    if not participants:
        raise BadInput("participants: none is given; name those whose system it is")
    rights = Rights(roles=frozenset({Role.PARTNER}), participants=participants)
    return _add(session, "key", rights, label=_named("name", label, MAX_LABEL), now=now)


def _add(session: Session, kind: Kind, rights: Rights, *, label: str | None, now: datetime) -> UUID:
    _checked(session, kind, rights)
    principal = uuid4()
    session.add(
        PrincipalRow(
            id=principal,
            kind=kind,
            roles=" ".join(sorted(rights.roles)),
            employer=rights.employer,
            label=label,
            created_at=now,
            revoked_at=None,
            version=1,
        )
    )
    session.flush()
    _set_participants(session, principal, rights.participants)
    details = {"kind": kind, "roles": sorted(rights.roles)}
    acted(
        session,
        "principals.create",
        resource=("principal", principal),
        details=details,
        participants=rights.participants,
    )
    return principal


def _set_participants(session: Session, principal: UUID, participants: Iterable[str]) -> None:
    session.connection().execute(delete(PrincipalParticipant).where(col(PrincipalParticipant.principal) == principal))
    session.add_all(PrincipalParticipant(principal=principal, participant=code) for code in sorted(participants))
    session.flush()


def _identify_as(session: Session, principal: UUID, wanted: Identification) -> None:
    key = (wanted.issuer, wanted.subject, wanted.organisation_id, wanted.delegate)
    if session.get(Identity, key) is not None:
        raise BadInput(f"subject {wanted.subject!r} of {wanted.issuer} is somebody else's here; revoke that one first")
    session.add(
        Identity(
            issuer=wanted.issuer,
            subject=wanted.subject,
            organisation_id=wanted.organisation_id,
            delegate=wanted.delegate,
            principal=principal,
        )
    )


def change(session: Session, principal: UUID, rights: Rights) -> None:
    """Give a principal other rights, from its next request on; raises NotFound, BadInput."""
    row = _living(session, principal)
    _checked(session, row.kind, rights)
    if Role.ADMINISTRATOR not in rights.roles:
        _keep_an_administrator(session, row)
    row.roles = " ".join(sorted(rights.roles))
    row.employer = rights.employer
    row.version += 1
    _set_participants(session, principal, rights.participants)
    acted(
        session,
        "principals.update",
        resource=("principal", principal),
        details={"roles": sorted(rights.roles)},
        participants=rights.participants,
    )


def revoke(session: Session, principal: UUID, *, now: datetime) -> None:
    """Refuse whatever the principal comes with, from its next request on; raises NotFound, BadInput."""
    row = _living(session, principal)
    _keep_an_administrator(session, row)
    _end(row, now)
    session.flush()
    acted(session, "principals.revoke", resource=("principal", principal))


def erase(session: Session, principal: UUID, *, now: datetime) -> None:
    """Forget a person: name and e-mail address, what issuers know them by, the labels of their keys, answers kept for
    them; and refuse them from now on.

    What they did stays in the audit, under an id that nothing leads back from. Raises NotFound, BadInput.
    """
    row = locked(session, principal)
    person = session.get(Person, principal)
    if person is None:
        raise BadInput(f"principal {principal} is a system, no person; revoke it instead")
    if row.revoked_at is None:
        _keep_an_administrator(session, row)
        _end(row, now)
    person.name = person.email = None
    person.erased_at = person.erased_at or now
    connection = session.connection()
    connection.execute(delete(Identity).where(col(Identity.principal) == principal))
    connection.execute(update(ApiKey).where(col(ApiKey.principal) == principal).values(label=""))
    connection.execute(delete(StoredResponse).where(col(StoredResponse.client) == str(principal)))
    session.flush()
    acted(session, "principals.erase", resource=("principal", principal))


def _end(row: PrincipalRow, now: datetime) -> None:
    row.revoked_at = now
    row.version += 1


def locked(session: Session, principal: UUID) -> PrincipalRow:
    """The principal's row, held until the end of the transaction; raises NotFound."""
    found = session.get(PrincipalRow, principal, with_for_update=True)
    if found is None:
        raise NotFound(f"principal {principal} is not known; GET /v1/principals lists those that are")
    return found


def _living(session: Session, principal: UUID) -> PrincipalRow:
    row = locked(session, principal)
    if row.revoked_at is not None:
        raise BadInput(f"principal {principal} was revoked; make a new one")
    return row


def _keep_an_administrator(session: Session, row: PrincipalRow) -> None:
    if Role.ADMINISTRATOR not in row.roles.split():
        return
    others = administrators(session) - {row.id}
    if not others:
        raise BadInput("this is the last administrator; make another one first")


def administrators(session: Session) -> set[UUID]:
    """The administrators that can come in."""
    rows = session.connection().execute(
        select(col(PrincipalRow.id), col(PrincipalRow.roles))
        .where(col(PrincipalRow.revoked_at).is_(None))
        .with_for_update()
    )
    return {row.id for row in rows if Role.ADMINISTRATOR in row.roles.split()}


def anyone(session: Session) -> bool:
    """Whether there is any principal at all, revoked ones too."""
    return bool(session.connection().execute(select(func.count()).select_from(PrincipalRow)).scalar_one())


def _checked(session: Session, kind: Kind, rights: Rights) -> None:
    checked_roles(kind, rights.roles, rights.participants)
    named = rights.participants | ({rights.employer} if rights.employer else set())
    known = reference.participants(session) if named else {}
    for code in sorted(named - known.keys()):
        instead = did_you_mean(code, known, "GET /v1/participants lists those that are")
        raise BadInput(f"participant {code!r} is not known; {instead}")


def _named(place: str, text: str, most: int) -> str:
    found = " ".join(text.split())
    if not 1 <= len(found) <= most or not found.isprintable():
        raise BadInput(f"{place}: give 1 to {most} printable characters, got {len(found)}")
    return found
