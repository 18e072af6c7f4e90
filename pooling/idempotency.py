"""The same request twice has one effect: answers to writes with an `Idempotency-Key` are kept for seven days.

An answer is stored in the transaction of its effect. After a crash there are both or neither.
"""

import hashlib
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import JSON, Column, LargeBinary, delete, text
from sqlmodel import Field, Session, SQLModel, col, select

from pooling.database import UtcDateTime
from pooling.errors import PoolingError

KEPT = timedelta(days=7)
KEY = re.compile(r"[\x21-\x7e]{16,255}", re.ASCII)
RETRY_AFTER_S = 2


class StoredResponse(SQLModel, table=True):
    """An answer that a repeated request gets again."""

    __tablename__ = "stored_response"

    client: str = Field(primary_key=True, max_length=80, description="principal's id: keys of two clients never meet")
    operation: str = Field(primary_key=True, max_length=80)
    key: str = Field(primary_key=True, max_length=255)
    fingerprint: str = Field(max_length=64, description="SHA-256 of path, query, content type and body")
    mark: str = Field(max_length=40, description="of the reader's projection: what may be seen can change in a week")
    status: int
    headers: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    owners: list[str] | None = Field(
        sa_column=Column(JSON(none_as_null=True), nullable=True),
        description="whose confidential figures it shows, sorted; none: stored before that was kept",
    )
    stored_at: datetime = Field(sa_type=UtcDateTime, index=True)


class BadKey(PoolingError):
    """The Idempotency-Key is missing or not of its form."""

    code = "bad-idempotency-key"


class KeyReused(PoolingError):
    """The Idempotency-Key was used for another request; use a new key for it."""

    code = "idempotency-key-reused"


class StillRunning(PoolingError):
    """The first request with this Idempotency-Key has not been answered yet; ask again shortly."""

    code = "still-running"
    retry_after_s = RETRY_AFTER_S


class NotReplayable(PoolingError):
    """The request was done, and what its answer showed may no longer be seen as it was; read the resource instead."""

    code = "not-replayable"


@dataclass(frozen=True, slots=True)
class Scope:
    """Within which a key is one request."""

    client: str
    operation: str
    key: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer to keep, or to give again. ``owners``: participants, not the reader's, whose figures are in it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    owners: frozenset[str] = frozenset()


def key_of(header: str | None, *, needed: bool) -> str | None:
    """The key of a header: a quoted string as the draft standard has it, or the bare token. Raises BadKey."""
    if header is None:
        if needed:
            raise BadKey("header Idempotency-Key is missing; send one of 16 to 255 characters, such as a UUID")
        return None
    key = header.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not KEY.fullmatch(key) or '"' in key:
        raise BadKey("header Idempotency-Key: 16 to 255 printable characters without blanks or quotes, such as a UUID")
    return key


def fingerprint(path: str, query: Iterable[tuple[str, str]], content_type: str, body_sha256: str) -> str:
    """What tells two requests apart that came with one key; the order of a query's parameters does not."""
    asked = urlencode(sorted(query))
    address = f"{path}?{asked}" if asked else path
    return hashlib.sha256(f"{address}\n{content_type}\n{body_sha256}".encode()).hexdigest()


def find(session: Session, scope: Scope, *, fingerprint: str, mark: str, now: datetime) -> Kept | None:
    """The answer kept for the request, None for a new one, which then holds the key until its transaction ends.

    Raises StillRunning, KeyReused, NotReplayable.
    """
    _hold(session, scope)
    found = session.exec(
        select(StoredResponse).where(
            col(StoredResponse.client) == scope.client,
            col(StoredResponse.operation) == scope.operation,
            col(StoredResponse.key) == scope.key,
        )
    ).first()
    if found is None:
        return None
    if found.stored_at <= now - KEPT:
        session.delete(found)
        session.flush()
        return None
    if found.fingerprint != fingerprint:
        raise KeyReused("this Idempotency-Key came with another request before; use a new key for a new request")
    if found.mark != mark:
        raise NotReplayable("the request was done; what you may see has changed since: read the resource instead")
    if found.owners is None:
        raise NotReplayable("the request was done before the service was brought up to date; read the resource instead")
    return Kept(found.status, found.headers, found.body, frozenset(found.owners))


def _hold(session: Session, scope: Scope) -> None:
    """On PostgreSQL, hold the key against other processes; SQLite has one writer anyway."""
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        return
    number = int.from_bytes(_token(scope.client, scope.operation, scope.key)[:8], "big", signed=True)
    if not connection.execute(text("SELECT pg_try_advisory_xact_lock(:number)"), {"number": number}).scalar_one():
        raise _still_running()


def keep(session: Session, scope: Scope, kept: Kept, *, fingerprint: str, mark: str, now: datetime) -> None:
    """Store the answer in the transaction of its effect."""
    session.add(
        StoredResponse(
            client=scope.client,
            operation=scope.operation,
            key=scope.key,
            fingerprint=fingerprint,
            mark=mark,
            status=kept.status,
            headers=dict(kept.headers),
            body=kept.body,
            owners=sorted(kept.owners),
            stored_at=now,
        )
    )
    session.flush()


def purge(session: Session, *, now: datetime) -> int:
    """Drop what is older than is kept; returns how many."""
    gone = session.connection().execute(delete(StoredResponse).where(col(StoredResponse.stored_at) <= now - KEPT))
    return gone.rowcount


class Running:
    """The keys being worked on in this process, so that a second request does not wait for the first but is told."""

    def __init__(self) -> None:
        self._tokens: set[bytes] = set()
        self._lock = threading.Lock()

    @contextmanager
    def hold(self, *parts: str) -> Iterator[None]:
        """Hold the key named by ``parts`` for the block; raises StillRunning where it is held."""
        token = _token(*parts)
        with self._lock:
            if token in self._tokens:
                raise _still_running()
            self._tokens.add(token)
        try:
            yield
        finally:
            with self._lock:
                self._tokens.remove(token)


def _token(*parts: str) -> bytes:
    return hashlib.sha256("\n".join(parts).encode()).digest()


def _still_running() -> StillRunning:
    return StillRunning(f"the first request with this Idempotency-Key is still running; ask in {RETRY_AFTER_S} seconds")
