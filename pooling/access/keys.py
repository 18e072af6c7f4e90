"""API keys: made, rotated and revoked. A key is shown once; what is kept is its SHA-256.

A key has 256 random bits, so a fast hash is as good as a slow one: there is nothing to guess from.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlmodel import Session, col

from pooling.access import people
from pooling.access.rules import Role, checked_scopes
from pooling.access.tables import ApiKey
from pooling.audit import acted
from pooling.errors import BadInput, NotAuthenticated, NotFound

START = "npk_"
PREFIX_LENGTH = 12
"""Characters of a key that are shown: its start and 48 of its 256 bits."""
MAX_LABEL = 120
LIVE = 2
"""Lasting keys a principal may have at a time: the one in use and the one that takes over."""
DAYS = 365
MOST_DAYS = 730
ONCE_FOR = timedelta(hours=24)
OVERLAP_HOURS = 24
MOST_OVERLAP_HOURS = 168


class TooManyKeys(BadInput):
    """The principal has as many live keys as it may have."""

    code = "too-many-keys"


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it may be shown; the key itself is kept nowhere."""

    id: UUID
    principal: UUID
    prefix: str
    label: str
    scopes: frozenset[str]
    once: bool
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    version: int

    def is_live(self, now: datetime) -> bool:
        """Whether it still opens the door."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Made:
    """A new key, and the secret itself: the only time that it is there to be shown."""

    key: Key
    secret: str


def sha256_of(secret: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(secret.encode()).hexdigest()


def add(
    session: Session,
    principal: UUID,
    *,
    label: str,
    now: datetime,
    scopes: frozenset[str] = frozenset(),
    days: int = DAYS,
) -> Made:
    """A new lasting key for ``principal``, for ``days``; raises NotFound, BadInput, TooManyKeys."""
    row = people.locked(session, principal)
    if row.revoked_at is not None or row.kind == "machine":
        raise BadInput(f"principal {principal} has no use for a key: it was revoked or comes with tokens")
    if not 1 <= days <= MOST_DAYS:
        raise BadInput(f"days: give 1 to {MOST_DAYS}, got {days}")
    if Role.PARTNER in row.roles.split():
        if not scopes:
            raise BadInput("scopes: a system's key needs at least one; GET /v1/me lists those a key has")
        checked_scopes(scopes)
    elif scopes:
        raise BadInput("scopes: a person's key has the rights of the person; leave them out")
    _refuse_a_third(session, principal, now)
    return _made(session, principal, label=label, scopes=scopes, once=False, now=now, until=now + timedelta(days=days))


def invite(session: Session, principal: UUID, *, now: datetime) -> Made:
    """A one-time secret with which a person makes their own first key within a day; earlier ones are void.

    Raises NotFound, BadInput.
    """
    row = people.locked(session, principal)
    if row.kind != "person" or row.revoked_at is not None:
        raise BadInput(f"principal {principal} cannot be invited: it is no person, or was revoked")
    waiting = (col(ApiKey.principal) == principal, col(ApiKey.once), col(ApiKey.revoked_at).is_(None))
    session.connection().execute(update(ApiKey).where(*waiting).values(revoked_at=now))
    return _made(
        session, principal, label="one-time secret", scopes=frozenset(), once=True, now=now, until=now + ONCE_FOR
    )


def spend(session: Session, key: UUID, *, now: datetime) -> None:
    """Use up a one-time secret; raises NotAuthenticated where another request was quicker."""
    spent = session.connection().execute(
        update(ApiKey).where(col(ApiKey.id) == key, col(ApiKey.revoked_at).is_(None)).values(revoked_at=now)
    )
    if spent.rowcount != 1:
        raise NotAuthenticated("the one-time secret was used already; ask an administrator for another one")


def rotate(session: Session, key: UUID, *, now: datetime, overlap_hours: int = OVERLAP_HOURS) -> Made:
    """A successor with the same label, scopes and length of life; the old key ends after ``overlap_hours``.

    Raises NotFound, BadInput, TooManyKeys.
    """
    if not 0 <= overlap_hours <= MOST_OVERLAP_HOURS:
        raise BadInput(f"overlap_hours: give 0 to {MOST_OVERLAP_HOURS}, got {overlap_hours}")
    row = _live_row(session, key, now)
    if row.once:
        raise BadInput("a one-time secret is not rotated; make a key with it")
    _refuse_a_third(session, row.principal, now)
    life = (row.made_until or row.expires_at) - row.created_at
    made = _made(
        session,
        row.principal,
        label=row.label,
        scopes=frozenset(row.scopes.split()),
        once=False,
        now=now,
        until=now + life,
    )
    row.made_until = row.made_until or row.expires_at
    row.expires_at = min(row.expires_at, now + timedelta(hours=overlap_hours))
    row.version += 1
    session.flush()
    acted(session, "keys.rotate", resource=("key", key), details={"successor": str(made.key.id)})
    return made


def revoke(session: Session, key: UUID, *, now: datetime) -> None:
    """Refuse the key from the next request on; raises NotFound, BadInput."""
    row = _live_row(session, key, now)
    row.revoked_at = now
    row.version += 1
    session.flush()
    acted(session, "keys.revoke", resource=("key", key))


def _live_row(session: Session, key: UUID, now: datetime) -> ApiKey:
    row = session.get(ApiKey, key)
    if row is None:
        raise NotFound(f"key {key} is not known")
    people.locked(session, row.principal)  # keys of one principal change one after another
    session.refresh(row)
    if not _key(row).is_live(now):
        raise BadInput(f"key {key} has ended already; make a new one")
    return row


def _refuse_a_third(session: Session, principal: UUID, now: datetime) -> None:
    live = [each for each in of(session, principal) if each.is_live(now) and not each.once]
    if len(live) >= LIVE:
        prefixes = " and ".join(each.prefix for each in live)
        raise TooManyKeys(f"{prefixes} are live, and {LIVE} may be; revoke the one that is not in use")


def _made(
    session: Session,
    principal: UUID,
    *,
    label: str,
    scopes: frozenset[str],
    once: bool,
    now: datetime,
    until: datetime,
) -> Made:
    secret = START + secrets.token_urlsafe(32)
    row = ApiKey(
        id=uuid4(),
        principal=principal,
        sha256=sha256_of(secret),
        prefix=secret[:PREFIX_LENGTH],
        label=label,
        scopes=" ".join(sorted(scopes)),
        once=once,
        created_at=now,
        expires_at=until,
        last_used_at=None,
        revoked_at=None,
        version=1,
    )
    session.add(row)
    session.flush()
    details = {"principal": str(principal), "scopes": sorted(scopes), "once": once}
    acted(session, "keys.create", resource=("key", row.id), details=details)
    return Made(_key(row), secret)


def of(session: Session, principal: UUID | None, *, after: UUID | None = None, limit: int | None = None) -> list[Key]:
    """Keys of ``principal`` (None: everybody's) in the order of their ids, from after ``after`` on."""
    statement = select(ApiKey).order_by(col(ApiKey.id)).limit(limit)
    if principal is not None:
        statement = statement.where(col(ApiKey.principal) == principal)
    if after is not None:
        statement = statement.where(col(ApiKey.id) > after)
    return [_key(row) for row in session.scalars(statement)]


def one(session: Session, key: UUID) -> Key:
    """The key; raises NotFound."""
    row = session.get(ApiKey, key)
    if row is None:
        raise NotFound(f"key {key} is not known")
    return _key(row)


def _key(row: ApiKey) -> Key:
    return Key(
        id=row.id,
        principal=row.principal,
        prefix=row.prefix,
        label=row.label,
        scopes=frozenset(row.scopes.split()),
        once=row.once,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
        version=row.version,
    )
