"""The door of the API: who makes a request, as things stand, and what is remembered of the attempt."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, Select, Table, bindparam, select, update
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, SQLModel

from pooling.access import attempts, machines
from pooling.access.beside import beside
from pooling.access.keys import START, sha256_of
from pooling.access.people import Identification
from pooling.access.rules import Kind, Principal, Role
from pooling.access.tokens import Claims, Issuers
from pooling.errors import NotAllowed, NotAuthenticated, TooManyAttempts
from pooling.looking import Reading
from pooling.prepared import Prepared
from pooling.transactions import written

LOG = logging.getLogger("pooling.access")
USE_NOTED_EVERY = timedelta(minutes=5)
MAX_CREDENTIAL = 16_384
UNKNOWN = "the key is not known, has expired or was revoked; ask an administrator for a new one"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request brings: the Authorization header (None: none) and the address it comes from."""

    authorization: str | None
    address: str

    @property
    def secret(self) -> str:
        """The key or token; raises NotAuthenticated where there is none."""
        return bearer(self.authorization)


def bearer(authorization: str | None) -> str:
    """The key or token of an Authorization header, whatever it is worth; raises NotAuthenticated where it has none."""
    scheme, _, secret = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise NotAuthenticated("credentials are missing; send the header `Authorization: Bearer KEY`")
    if len(secret) > MAX_CREDENTIAL:
        raise NotAuthenticated(f"the credential is longer than the {MAX_CREDENTIAL} characters that are read")
    return secret.strip()


@dataclass(slots=True)
class Visit:
    """One request at the door; what is to be remembered of it is written after its transaction."""

    credentials: Credentials
    now: datetime
    claims: Claims | None = None
    key_to_note: UUID | None = None
    newcomer: tuple[UUID, Identification] | None = field(default=None)

    def identify(self, opened: Session | Reading) -> Principal:
        """Who is asking, as things stand in this transaction; raises NotAuthenticated, NotAllowed."""
        if self.claims is not None:
            return self._by_token(opened.session if isinstance(opened, Reading) else opened, self.claims)
        return self._by_key(opened)

    def _by_key(self, opened: Session | Reading) -> Principal:
        found = [KeyRow(*row) for row in BY_KEY.rows(opened, {"digest": sha256_of(self.credentials.secret)})]
        if not found or found[0].expires_at <= self.now:
            raise NotAuthenticated(UNKNOWN)
        first = found[0]
        if first.last_used_at is None or first.last_used_at <= self.now - USE_NOTED_EVERY:
            self.key_to_note = first.key
        return _principal(found, scopes=frozenset(first.scopes.split()), key=first.key, once=first.once)

    def _by_token(self, session: Session, claims: Claims) -> Principal:
        """A person by the subject; else the organisation that the token is for, as a partner system."""
        named_by = {"issuer": claims.issuer, "subject": claims.subject}
        found = session.connection().execute(BY_IDENTITY, named_by).all()
        if found:
            return _principal(found, scopes=frozenset())
        if claims.organisation_id is None:
            raise NotAuthenticated("the token is valid, but its subject is nobody here; ask an administrator")
        named = Identification(claims.issuer, claims.subject, claims.organisation_id, claims.delegate or "")
        code = machines.participant_of(session, claims.organisation_id)
        if code is None:
            raise NotAllowed(
                f"organisation id {claims.organisation_id} is no participant's here; ask an administrator to set it"
            )
        principal = machines.principal_id(named)
        revoked = machines.is_revoked(session, principal)
        if revoked:
            raise NotAuthenticated("this system was revoked here; ask an administrator")
        if revoked is None:
            self.newcomer = (principal, named)
        return Principal(
            id=principal,
            kind="machine",
            roles=frozenset({Role.PARTNER}),
            participants=frozenset({code}),
            scopes=claims.scopes,
            delegate=claims.delegate,
        )


@contextmanager
def visit(engine: Engine, credentials: Credentials, *, now: datetime, issuers: Issuers) -> Iterator[Visit]:
    """Around a request's transaction: verifies a token before it, counts a failed attempt and notes a use after it.

    Raises NotAuthenticated, and TooManyAttempts in its place where the address or the key prefix failed too often.
    """
    come = Visit(credentials, now)
    try:
        secret = credentials.secret
        if not secret.startswith(START):
            come.claims = issuers.verify(secret, now)
        yield come
    except NotAuthenticated as refusal:
        if credentials.authorization is not None:
            _remember_failure(engine, credentials, now, refusal)
        raise
    _remember_use(engine, come)


def _remember_failure(engine: Engine, credentials: Credentials, now: datetime, refusal: NotAuthenticated) -> None:
    secret = credentials.authorization.partition(" ")[2].strip() if credentials.authorization else ""
    sources = attempts.sources_of(engine, credentials.address, secret)
    wait = attempts.wait_s(engine, sources, now)
    if wait is not None:
        message = f"credentials were wrong too often; correct them and try again in {wait} seconds"
        raise TooManyAttempts(message, wait) from refusal
    try:
        attempts.count(engine, sources, now)
    except OperationalError as busy:
        LOG.warning("a failed attempt could not be counted: %s", type(busy.orig).__name__)


def _remember_use(engine: Engine, come: Visit) -> None:
    """Once in a while; where the database is busy, the next request does it."""
    if come.key_to_note is None and come.newcomer is None:
        return
    try:
        if come.key_to_note is not None:
            with beside(engine) as connection:
                connection.execute(update(_KEYS).where(_KEYS.c.id == come.key_to_note).values(last_used_at=come.now))
        if come.newcomer is not None:
            principal, named = come.newcomer
            with written(engine, actor=principal, operation="principals.enter", now=come.now) as opened:
                machines.enter(opened.session, principal, named, now=come.now)
    except OperationalError as busy:
        LOG.info("the use of a credential is noted later: %s", type(busy.orig).__name__)


_PRINCIPALS, _KEYS, _IDENTITIES, _PARTICIPANTS = (
    SQLModel.metadata.tables[name] for name in ("principal", "api_key", "identity", "principal_participant")
)
_WHO = (_PRINCIPALS.c.id, _PRINCIPALS.c.kind, _PRINCIPALS.c.roles, _PARTICIPANTS.c.participant)


def _known_by(table: Table, *columns: ColumnElement[Any]) -> Select[Any]:
    """Principals that were not revoked, each with its participants, and ``columns`` of what they are known by."""
    joined = table.join(_PRINCIPALS, _PRINCIPALS.c.id == table.c.principal).outerjoin(
        _PARTICIPANTS, _PARTICIPANTS.c.principal == _PRINCIPALS.c.id
    )
    return select(*_WHO, *columns).select_from(joined).where(_PRINCIPALS.c.revoked_at.is_(None))


class KeyRow(NamedTuple):
    """A key, whoever has it, and one participant of theirs."""

    id: UUID
    kind: Kind
    roles: str
    participant: str | None
    key: UUID
    scopes: str
    once: bool
    expires_at: datetime
    last_used_at: datetime | None


BY_KEY = Prepared(
    lambda: _known_by(
        _KEYS, _KEYS.c.id.label("key"), _KEYS.c.scopes, _KEYS.c.once, _KEYS.c.expires_at, _KEYS.c.last_used_at
    ).where(_KEYS.c.sha256 == bindparam("digest"), _KEYS.c.revoked_at.is_(None))
)
"""One `KeyRow` a participant of whoever has the key; none where the key or its holder was revoked."""


BY_IDENTITY = _known_by(_IDENTITIES).where(
    _IDENTITIES.c.issuer == bindparam("issuer"),
    _IDENTITIES.c.subject == bindparam("subject"),
    _IDENTITIES.c.organisation_id == "",
)


def _principal(rows: Any, *, scopes: frozenset[str], key: UUID | None = None, once: bool = False) -> Principal:
    first = rows[0]
    return Principal(
        id=first.id,
        kind=first.kind,
        roles=frozenset(Role(name) for name in first.roles.split()),
        participants=frozenset(row.participant for row in rows if row.participant is not None),
        scopes=scopes,
        key=key,
        once=once,
    )


__all__ = ["Credentials", "Issuers", "Visit", "bearer", "visit"]
