"""Partner systems that come with an issuer's tokens: nobody enters them here, they are entered when first seen."""

from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import select
from sqlmodel import Session, col

from pooling.access.people import Identification
from pooling.access.rules import Role
from pooling.access.tables import Identity, PrincipalRow
from pooling.audit import acted
from pooling.database import one_at_a_time
from pooling.reference import service as reference

MAX_LABEL = 120


def principal_id(named: Identification) -> UUID:
    """The principal of a system: the same in every process, and another one for each organisation it comes for."""
    parts = (named.issuer, named.subject, named.organisation_id, named.delegate)
    return uuid5(NAMESPACE_URL, "\n".join(parts))


def participant_of(session: Session, organisation_id: str) -> str | None:
    """The participant with this ISO 6523 id, as stored by `reference`; None where there is none."""
    found = (code for code, each in reference.participants(session).items() if each.organisation_id == organisation_id)
    return next(found, None)


def is_revoked(session: Session, principal: UUID) -> bool | None:
    """Whether an administrator revoked the system; None where it has not been entered yet."""
    found = (
        session.connection()
        .execute(select(col(PrincipalRow.revoked_at)).where(col(PrincipalRow.id) == principal))
        .first()
    )
    return None if found is None else found.revoked_at is not None


def enter(session: Session, principal: UUID, named: Identification, *, now: datetime) -> None:
    """Enter a system after its first request, so that it is listed and can be revoked."""
    one_at_a_time(session, f"pooling.access.machine {principal}")
    if session.get(PrincipalRow, principal) is not None:
        return
    label = f"{named.subject} for {named.organisation_id}"[:MAX_LABEL]
    session.add(
        PrincipalRow(
            id=principal,
            kind="machine",
            roles=Role.PARTNER.value,
            employer=None,
            label=label,
            created_at=now,
            revoked_at=None,
            version=1,
        )
    )
    session.flush()
    session.add(
        Identity(
            issuer=named.issuer,
            subject=named.subject,
            organisation_id=named.organisation_id,
            delegate=named.delegate,
            principal=principal,
        )
    )
    details = {"kind": "machine", "organisation_id": named.organisation_id, "delegate": named.delegate}
    acted(session, "principals.enter", resource=("principal", principal), details=details)
