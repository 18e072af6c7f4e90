"""The audit's chain as a whole: verified, reads sealed into it, its oldest part cut off where retention ends.

Whoever can write to the database could make a new chain from the beginning. To notice that too, keep the hash of the
chain's end elsewhere from time to time: it is in the log at each sealing.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from pooling.audit import FIRST, Act, AuditEntry, AuditHead, ReadEntry, append, canonical_time, digest, hash_of, lock
from pooling.deeds import Deed
from pooling.logs import FIELDS

LOG = logging.getLogger("pooling.audit")
SEALED = "audit.seal"
CUT = "audit.cut"
SERVICE = "service"
BATCH = 1000
MOST_FAULTS = 20
"""A broken chain is told by its first breaks."""

_NAMES = (
    *("position", "at", "principal", "operation", "request", "resource_type", "resource_id"),
    *("participants", "details", "previous", "hash"),
)


@dataclass(frozen=True, slots=True)
class Verified:
    """What verifying found: ``faults`` in words (empty: the chain holds), how much was looked at, and the end.

    ``head``: the hash of the last entry.
    """

    entries: int
    reads: int
    position: int
    head: str
    faults: tuple[str, ...]


def verify(session: Session) -> Verified:
    """Recompute the chain from its first kept entry to its end, and the seals of the reads."""
    head = session.get(AuditHead, 1) or AuditHead(id=1, position=0, hash=FIRST, cut_position=0, cut_hash=FIRST)
    faults: list[str] = []
    position, previous, entries, reads, cut_told = head.cut_position, head.cut_hash, 0, 0, head.cut_position == 0
    for row in _rows(session):
        entries += 1
        faults += _link_faults(row, position, previous)
        position, previous = row["position"], row["hash"]
        if row["operation"] == SEALED and row["details"]:
            sealed = _sealed_rows(session, position)
            reads += len(sealed)
            faults += _seal_faults(row, sealed)
        if row["operation"] == CUT and row["details"].get("to") == head.cut_position:
            cut_told = row["details"].get("hash") == head.cut_hash
    if position != head.position or previous != head.hash:
        faults.append(f"audit: the chain ends at entry {position}, its head says {head.position}: entries are missing")
    if not cut_told:
        faults.append(f"audit: entries up to {head.cut_position} are gone, and no entry says that they were cut")
    faults += _stray_reads(session)
    return Verified(entries, reads, head.position, head.hash, tuple(faults[:MOST_FAULTS]))


def _rows(session: Session) -> Iterator[dict[str, Any]]:
    columns = [getattr(AuditEntry, name) for name in _NAMES]
    found = session.connection().execute(select(*columns).order_by(col(AuditEntry.position)))
    for row in found.yield_per(BATCH):
        yield dict(row._mapping)


def _link_faults(row: dict[str, Any], position: int, previous: str) -> list[str]:
    """What is wrong with an entry that should follow the one at ``position`` with the hash ``previous``."""
    here = f"audit: entry {row['position']}"
    faults = []
    if row["position"] != position + 1:
        faults.append(f"{here} follows {position}: entries between were removed")
    elif row["previous"] != previous:
        faults.append(f"{here} does not continue entry {position}: one of the two was changed, or one put in")
    if row["hash"] != hash_of(row):
        faults.append(f"{here} was changed: its hash is not that of its content")
    return faults


def seal(session: Session, *, now: datetime, limit: int = 10_000) -> int:
    """Seal up to ``limit`` reads into the chain by one entry; returns how many. None is left waiting for its turn."""
    lock(session)  # before looking: two that seal at once must not seal the same reads
    waiting = session.exec(
        select(ReadEntry).where(col(ReadEntry.sealed).is_(None)).order_by(col(ReadEntry.id)).limit(limit)
    ).all()
    if not waiting:
        return 0
    content = [_content(read) for read in waiting]
    details = {"first": waiting[0].id, "last": waiting[-1].id, "count": len(waiting), "sha256": digest(content)}
    position = append(session, [Act(SEALED, None, details)], Deed(SERVICE, SEALED, now))
    ids = [read.id for read in waiting]
    for start in range(0, len(ids), BATCH):
        chosen = col(ReadEntry.id).in_(ids[start : start + BATCH])
        session.connection().execute(update(ReadEntry).where(chosen).values(sealed=position))
    session.expire_all()
    head = session.get_one(AuditHead, 1)
    LOG.info("audit sealed", extra={FIELDS: {"reads": len(ids), "position": head.position, "hash": head.hash}})
    return len(ids)


def _sealed_rows(session: Session, position: int) -> Sequence[ReadEntry]:
    chosen = select(ReadEntry).where(col(ReadEntry.sealed) == position).order_by(col(ReadEntry.id))
    return session.exec(chosen).all()


def _content(read: ReadEntry) -> list[Any]:
    return [
        *(read.id, canonical_time(read.at), read.principal, read.operation, read.request, read.path),
        read.participants,
    ]


def _seal_faults(row: dict[str, Any], sealed: Sequence[ReadEntry]) -> list[str]:
    if digest([_content(read) for read in sealed]) == row["details"].get("sha256"):
        return []
    stated = row["details"].get("count")
    return [f"audit: the reads sealed by entry {row['position']} were changed: {stated} then, {len(sealed)} now"]


def _stray_reads(session: Session) -> list[str]:
    """Reads that say they are sealed by an entry that is no seal or is not there."""
    seals = select(AuditEntry.position).where(col(AuditEntry.operation) == SEALED)
    chosen = col(ReadEntry.sealed).is_not(None) & col(ReadEntry.sealed).not_in(seals)
    count = session.exec(select(func.count()).select_from(ReadEntry).where(chosen)).one()
    return [f"audit: {count} reads name a seal that is not there"] if count else []


def cut(session: Session, *, before: datetime, now: datetime) -> int:
    """Drop the oldest entries, up to the last before ``before``, with the reads they seal; returns how many entries.

    What is dropped is told by a new entry that holds the hash of the last one dropped, so that the rest verifies.
    """
    lock(session)
    later = session.exec(select(func.min(AuditEntry.position)).where(col(AuditEntry.at) >= before)).one()
    bound = col(AuditEntry.position) < later if later is not None else col(AuditEntry.position) > 0
    last = session.exec(select(AuditEntry).where(bound).order_by(col(AuditEntry.position).desc())).first()
    if last is None:
        return 0
    to, hashed = last.position, last.hash
    append(session, [Act(CUT, None, {"to": to, "hash": hashed})], Deed(SERVICE, CUT, now))
    connection = session.connection()
    connection.execute(delete(ReadEntry).where(col(ReadEntry.sealed) <= to))
    gone = connection.execute(delete(AuditEntry).where(col(AuditEntry.position) <= to))
    connection.execute(update(AuditHead).values(cut_position=to, cut_hash=hashed))
    session.expire_all()
    return gone.rowcount
