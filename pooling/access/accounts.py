"""What an asker may do with keys and principals: whose they may touch, and what comes with it."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from pooling.access import keys, people, principals
from pooling.access.keys import Key, Made
from pooling.access.people import Identification, Rights
from pooling.access.principals import Record
from pooling.access.rules import Principal, Role
from pooling.database import one_at_a_time
from pooling.errors import BadInput, NotFound


class NotFirst(BadInput):
    """The first administrator is made once, on an empty install."""

    code = "not-first"


Expect = Callable[[int], None]
"""Refuses a change by somebody who has not seen this version."""


def visible_keys(session: Session, who: Principal, *, of: UUID | None, after: UUID | None, limit: int) -> list[Key]:
    """Keys that ``who`` may see: an administrator everybody's, others their own; ``of``: one principal's alone."""
    if Role.ADMINISTRATOR not in who.roles:
        if of not in (None, who.id):
            return []
        of = who.id
    return keys.of(session, of, after=after, limit=limit)


def visible_key(session: Session, who: Principal, key: UUID) -> Key:
    """The key; raises NotFound where ``who`` may not see it."""
    found = keys.one(session, key)
    if found.principal != who.id and Role.ADMINISTRATOR not in who.roles:
        raise NotFound(f"key {key} is not known")
    return found


def make_key(
    session: Session,
    who: Principal,
    *,
    principal: UUID | None,
    label: str,
    scopes: frozenset[str],
    days: int,
    now: datetime,
) -> Made:
    """A lasting key for ``principal`` (None: for ``who``, which spends a one-time secret). Raises BadInput, NotFound.

    Nobody makes a key for another person: whoever makes it could act as that person.
    """
    wanted = principal or who.id
    if wanted != who.id:
        if Role.ADMINISTRATOR not in who.roles or who.once:
            raise NotFound(f"principal {wanted} is not known")
        _system(session, wanted)
    if who.once and who.key is not None:
        keys.spend(session, who.key, now=now)
    return keys.add(session, wanted, label=label, scopes=scopes, days=days, now=now)


def rotate_key(session: Session, who: Principal, key: UUID, *, overlap_hours: int, now: datetime) -> Made:
    """The key's successor; raises NotFound, BadInput. A partner system rotates the key that it came with."""
    found = visible_key(session, who, key)
    if found.principal != who.id:
        _system(session, found.principal)
    elif who.kind == "key" and who.key != key:
        raise BadInput(f"key {found.prefix} is another key of this system; a system rotates the key that it came with")
    return keys.rotate(session, key, overlap_hours=overlap_hours, now=now)


def revoke_key(session: Session, who: Principal, key: UUID, *, now: datetime, expect: Expect) -> None:
    """End the key at once; raises NotFound, BadInput. A partner system ends the key that it came with."""
    found = visible_key(session, who, key)
    if who.kind == "key" and who.key != key:
        raise BadInput(f"key {found.prefix} is another key of this system; a system revokes the key that it came with")
    people.locked(session, found.principal)
    expect(keys.one(session, key).version)
    keys.revoke(session, key, now=now)


def _system(session: Session, principal: UUID) -> None:
    if principals.record(session, principal).kind == "person":
        raise BadInput(f"principal {principal} is a person, who makes their own keys; invite them instead")


def make_first(session: Session, name: str, *, now: datetime) -> Made:
    """The first administrator of an empty install, with a one-time secret; raises NotFirst afterwards."""
    one_at_a_time(session, "pooling.access.first")
    if people.anyone(session):
        raise NotFirst(
            "the first administrator was made already; `pooling admin list` shows who is in, `pooling admin person`"
            " lets another administrator in, `pooling admin invite` gives a new one-time secret"
        )
    principal = people.add_person(session, name, Rights(roles=frozenset({Role.ADMINISTRATOR})), now=now)
    return keys.invite(session, principal, now=now)


def let_in(
    session: Session,
    *,
    kind: str,
    name: str,
    rights: Rights,
    identities: tuple[Identification, ...],
    now: datetime,
    email: str | None = None,
) -> tuple[Record, str | None]:
    """A new principal, and for a person the one-time secret to make a key with; raises BadInput."""
    if kind == "person":
        principal = people.add_person(session, name, rights, now=now, identities=identities, email=email)
        return principals.record(session, principal), keys.invite(session, principal, now=now).secret
    if identities:
        raise BadInput("identities: a system that comes with tokens is entered by its first request; leave them out")
    if email is not None:
        raise BadInput("email: only people are sent mail; a system reads /v1/notices; leave it out")
    if rights.employer is not None or rights.roles != {Role.PARTNER}:
        raise BadInput("a system has the role partner alone and no employer")
    principal = people.add_system(session, name, rights.participants, now=now)
    return principals.record(session, principal), None


def change_rights(session: Session, principal: UUID, rights: Rights, *, expect: Expect) -> Record:
    """Other rights for a principal; raises NotFound, BadInput."""
    expect(people.locked(session, principal).version)
    people.change(session, principal, rights)
    return principals.record(session, principal)


def invite(session: Session, principal: UUID, *, now: datetime) -> Made:
    """A new one-time secret for a person; raises NotFound, BadInput."""
    return keys.invite(session, principal, now=now)


def shut_out(session: Session, principal: UUID, *, now: datetime, expect: Expect) -> None:
    """Revoke a principal; raises NotFound, BadInput."""
    expect(people.locked(session, principal).version)
    people.revoke(session, principal, now=now)


def forget(session: Session, principal: UUID, *, now: datetime, expect: Expect) -> None:
    """Erase a person's name; raises NotFound, BadInput."""
    expect(people.locked(session, principal).version)
    people.erase(session, principal, now=now)
