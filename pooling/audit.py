"""The audit ledger: who did what and when, chained by hashes; and whose confidential figures were read.

Each entry holds the SHA-256 of its content and of the entry before it, so that none can be changed, taken out or put in
between without the chain showing it. Entries name principals by opaque ids only: a person's name can be erased.
"""

import hashlib
import json
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Engine, Index, insert, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Field, Session, SQLModel

from pooling.database import BIG_INTEGER, UtcDateTime, at_close
from pooling.deeds import AUDIT_RANK, Deed, collected, deed_of
from pooling.prepared import PreparedInsert

_APPENDED = "pooling.audit.appended"
FIRST = "0" * 64
"""What the first entry of all has as the hash before it."""


class AuditHead(SQLModel, table=True):
    """The end of the chain, and where it was last cut; one row, made by the first entry."""

    __tablename__ = "audit_head"

    id: int = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger)
    hash: str = Field(max_length=64)
    cut_position: int = Field(sa_type=BigInteger, description="entries up to here were dropped; 0: none")
    cut_hash: str = Field(max_length=64, description="hash of the last entry that was dropped")


class AuditEntry(SQLModel, table=True):
    """A deed in the chain."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_resource", "resource_type", "resource_id"),)

    position: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    principal: str = Field(max_length=80, index=True, description="opaque id, never a name")
    operation: str = Field(max_length=80)
    request: str = Field(max_length=80, description="id of the request or job; empty: none")
    resource_type: str | None = Field(max_length=40)
    resource_id: str | None = Field(max_length=200)
    participants: list[str] = Field(sa_column=Column(JSON, nullable=False))
    details: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    previous: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class ReadEntry(SQLModel, table=True):
    """A request that was given confidential figures of others; sealed into the chain in batches."""

    __tablename__ = "read_entry"

    id: int | None = Field(default=None, primary_key=True, sa_type=BIG_INTEGER)
    at: datetime = Field(sa_type=UtcDateTime)
    principal: str = Field(max_length=80, index=True)
    operation: str = Field(max_length=80)
    request: str = Field(max_length=80)
    path: str = Field(max_length=400, description="of the request, without its query")
    participants: list[str] = Field(sa_column=Column(JSON, nullable=False))
    sealed: int | None = Field(
        index=True, sa_type=BigInteger, description="position of the entry that seals it; empty: not yet"
    )


@dataclass(frozen=True, slots=True)
class Act:
    """One thing done, to be entered. ``details`` hold words, whole numbers and truth values, never prices or names."""

    operation: str
    resource: tuple[str, str] | None
    details: Mapping[str, Any] = field(default_factory=dict)
    participants: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _refuse_floats(self.details, self.operation)


def _refuse_floats(value: object, place: str) -> None:
    """A hash must come out the same after any database has kept the value: no floats, no foreign types."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            _refuse_floats(each, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for each in value:
            _refuse_floats(each, place)
    elif not isinstance(value, str | int | None):
        raise TypeError(f"audit: {place} is a {type(value).__name__}; details hold str, int, bool, None, list and dict")


def acted(
    session: Session,
    operation: str,
    *,
    resource: tuple[str, object] | None = None,
    details: Mapping[str, Any] | None = None,
    participants: Collection[str] = (),
) -> None:
    """Enter what was done when the open transaction commits."""
    named = None if resource is None else (resource[0], str(resource[1]))
    collected(session, "audit").append(Act(operation, named, details or {}, tuple(sorted(set(participants)))))
    at_close(session, AUDIT_RANK, close)


def close(session: Session) -> None:
    """Enter what was collected under the head's lock; where nothing was, the deed itself."""
    deed = deed_of(session)
    acts: list[Act] = list(collected(session, "audit"))
    if not acts and not session.info.get(_APPENDED):
        acts = [Act(deed.operation, None)]
    if acts:
        append(session, acts, deed)


def append(session: Session, acts: Collection[Act], deed: Deed) -> int:
    """Put ``acts`` at the end of the chain, locked until the commit; returns the position of the last."""
    position, previous = lock(session)
    session.info[_APPENDED] = True
    rows = []
    for act in acts:
        position += 1
        row = {
            "position": position,
            "at": deed.now,
            "principal": deed.actor,
            "operation": act.operation,
            "request": deed.request,
            "resource_type": act.resource[0] if act.resource else None,
            "resource_id": act.resource[1] if act.resource else None,
            "participants": list(act.participants),
            "details": dict(act.details),
            "previous": previous,
        }
        previous = row["hash"] = hash_of(row)
        rows.append(row)
    session.connection().execute(insert(AuditEntry), rows)
    session.connection().execute(
        text("UPDATE audit_head SET position = :position, hash = :hash WHERE id = 1"),
        {"position": position, "hash": previous},
    )
    return position


def lock(session: Session) -> tuple[int, str]:
    """Position and hash of the chain's end, locked: an upsert that changes nothing locks on both databases."""
    found = session.connection().execute(
        text(
            "INSERT INTO audit_head (id, position, hash, cut_position, cut_hash) VALUES (1, 0, :first, 0, :first) "
            "ON CONFLICT (id) DO UPDATE SET position = audit_head.position RETURNING position, hash"
        ),
        {"first": FIRST},
    )
    position, previous = found.one()
    return int(position), str(previous)


def hash_of(row: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical JSON of all of an entry but its hash."""
    content = {name: value for name, value in row.items() if name != "hash"}
    return digest({**content, "at": canonical_time(content["at"])})


def canonical_time(instant: datetime) -> str:
    """An instant in UTC with microseconds, the same from every database."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def digest(content: object) -> str:
    """SHA-256 of canonical JSON: sorted keys, no blanks, ASCII."""
    made = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(made.encode()).hexdigest()


_READ = SQLModel.metadata.tables["read_entry"]
ENTERING = PreparedInsert(_READ, [column.name for column in _READ.c if not column.primary_key])


class ReadLog:
    """Enters the reads of requests that come at the same time together, in one transaction.

    Whoever finds nobody at it enters what has come by then; the others wait until theirs is durable. So a synced write
    is shared by all who wait for the one before.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._busy = False

    def enter(self, row: Mapping[str, Any]) -> None:
        """Returns once the row is durable; raises where it could not be entered."""
        mine = _Waiting(row)
        with self._lock:
            leads = not self._busy
            self._busy = True
            if not leads:
                self._waiting.append(mine)
        if not leads:
            mine.turn.acquire()
            if mine.durable:
                return
        with self._lock:
            others, self._waiting = self._waiting, []
        try:
            self._lead(mine, others)
        finally:
            self._hand_on()

    def _lead(self, mine: "_Waiting", others: "list[_Waiting]") -> None:
        """Enter all; where that fails, one's own alone, so that nobody fails for what another brought."""
        try:
            self._insert([mine, *others])
        except DBAPIError:
            with self._lock:
                self._waiting = [*others, *self._waiting]
            if not others:
                raise
            self._insert([mine])
            return
        except BaseException:
            with self._lock:
                self._waiting = [*others, *self._waiting]
            raise
        for each in others:
            each.durable = True
            each.turn.release()

    def _hand_on(self) -> None:
        """Whoever waits first goes on; nobody is left waiting."""
        with self._lock:
            if not self._waiting:
                self._busy = False
                return
            following = self._waiting.pop(0)
        following.turn.release()

    def _insert(self, waiting: "Sequence[_Waiting]") -> None:
        ENTERING.enter(self._engine, [each.row for each in waiting])


class _Waiting:
    """A read to be entered; ``turn`` is let go once it is durable, or its thread is to enter what waits."""

    __slots__ = ("durable", "row", "turn")

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.row = row
        self.durable = False
        self.turn = threading.Lock()
        self.turn.acquire()


def read(into: Session | ReadLog, deed: Deed, *, path: str, participants: Collection[str]) -> None:
    """Enter that a request is given confidential figures of ``participants``: with a write, or at once."""
    row: dict[str, Any] = {
        "at": deed.now,
        "principal": deed.actor,
        "operation": deed.operation,
        "request": deed.request,
        "path": path[:400],
        "participants": sorted(set(participants)),
        "sealed": None,
    }
    if isinstance(into, ReadLog):
        into.enter(row)
    else:
        into.add(ReadEntry(**row))
