"""Who can be reached by e-mail: addresses stand with the names of people, and go with them."""

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlmodel import Session, SQLModel

from pooling.access.rules import Role
from pooling.access.tables import Person
from pooling.audit import acted
from pooling.errors import BadInput, NotFound
from pooling.smtp import is_email


def checked_email(place: str, email: str) -> str:
    """The address, without blanks around it; raises BadInput."""
    found = email.strip()
    if not is_email(found):
        raise BadInput(f"{place}: {email[:80]!r} is no e-mail address; give one such as name@region.example")
    return found


def email_of(session: Session, principal: UUID) -> str | None:
    """Where a person can be reached; None: not by e-mail, or shut out."""
    found: str | None = session.connection().execute(_people(_PEOPLE.c.email, of=[principal])).scalar()
    return found


def set_email(session: Session, principal: UUID, email: str | None, *, expect: Callable[[], None]) -> None:
    """Where a person wants to be reached; None: not by e-mail. Raises BadInput, NotFound.

    ``expect`` is called once the person's row is locked, to refuse who has not seen it as it is.
    """
    address = None if email is None else checked_email("email", email)
    person = session.get(Person, principal, with_for_update=True)
    if person is None:
        raise NotFound(f"principal {principal} is no person; only people have an e-mail address")
    expect()
    person.email = address
    session.flush()
    acted(session, "me.contact", resource=("principal", principal), details={"by_email": email is not None})


def coordinators(session: Session, participants: Collection[str]) -> list[tuple[str, UUID]]:
    """Participant and principal of everybody who acts for one of ``participants`` and has an address, in order."""
    wanted = _people(_PRINCIPALS.c.id, _PRINCIPALS.c.roles, _ACTS_FOR.c.participant)
    wanted = wanted.join(_ACTS_FOR, _ACTS_FOR.c.principal == _PRINCIPALS.c.id)
    rows = session.connection().execute(wanted.where(_ACTS_FOR.c.participant.in_(sorted(participants))))
    return sorted((row.participant, row.id) for row in rows if Role.COORDINATOR in row.roles.split())


def planners(session: Session) -> list[UUID]:
    """Planners with an address, in order."""
    rows = session.connection().execute(_people(_PRINCIPALS.c.id, _PRINCIPALS.c.roles))
    return sorted(row.id for row in rows if Role.PLANNER in row.roles.split())


def reachable(session: Session, principals: Collection[UUID]) -> list[UUID]:
    """Those of ``principals`` who have an address, in order."""
    return sorted(session.connection().execute(_people(_PRINCIPALS.c.id, of=principals)).scalars())


_PRINCIPALS, _PEOPLE, _ACTS_FOR = (
    SQLModel.metadata.tables[name] for name in ("principal", "person", "principal_participant")
)


def _people(*columns: ColumnElement[Any], of: Collection[UUID] | None = None) -> Select[Any]:
    """``columns`` of people with an address who were not shut out; ``of`` None: all."""
    wanted = select(*columns).select_from(_PRINCIPALS.join(_PEOPLE, _PEOPLE.c.principal == _PRINCIPALS.c.id))
    wanted = wanted.where(_PRINCIPALS.c.revoked_at.is_(None), _PEOPLE.c.email.is_not(None))
    return wanted if of is None else wanted.where(_PRINCIPALS.c.id.in_(sorted(of)))
