"""What-ifs: what changes would do to a stored plan, at once within seconds, or as a job whose answer is kept."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import BoundedSemaphore
from typing import Any
from uuid import UUID, uuid4

from sqlmodel import Session

from pooling import audit, feed, jobs
from pooling.errors import BadInput, NotFound
from pooling.jobs import JobStopped
from pooling.jobs.apart import run_apart
from pooling.planning import findings, work
from pooling.planning.storing import packed, unpacked
from pooling.planning.tables import WhatIf
from pooling.problems import NotReady
from solver import SolverError
from solver.whatif.changes import SCHEMA, read_changes

ASK = "planning.what-if"
AT_ONCE = 2
"""Calculations side by side that requests wait for; more are told to come again."""
OVERHEAD_S = 20.0
"""Beyond the solver's own limit, for starting the process and reading a large plan on a busy machine."""
_AT_WORK = BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class WhatIfRecord:
    """A what-if asked for as a job; ``document`` (``pooling.what-if/1``) is None until it is done."""

    id: UUID
    version: int
    plan: UUID
    asked_at: datetime
    operation: UUID
    status: str
    document: Mapping[str, Any] | None


def at_once(session: Session, plan: UUID, changes: Sequence[Mapping[str, Any]], *, time_limit_s: float) -> Any:
    """The difference that the changes make, worked out in a process of its own while the caller waits.

    Raises NotFound, BadInput for changes that cannot be made, NotReady where it takes too long or too many wait.
    """
    asked = _checked(changes)
    question = findings.question(session, plan)
    instead = "try again, or ask with the header `Prefer: respond-async`"
    if not _AT_WORK.acquire(blocking=False):
        raise NotReady(f"{AT_ONCE} what-ifs are being worked out; {instead}")
    try:
        ends_at = time.monotonic() + time_limit_s + OVERHEAD_S
        return run_apart(
            work.find_difference,
            (question, asked, time_limit_s),
            on_progress=lambda _: None,
            cancelled=lambda: time.monotonic() > ends_at,
        )
    except JobStopped as late:
        raise NotReady(f"the what-if took longer than {time_limit_s + OVERHEAD_S:g} seconds; {instead}") from late
    finally:
        _AT_WORK.release()


def later(
    session: Session,
    plan: UUID,
    changes: Sequence[Mapping[str, Any]],
    *,
    time_limit_s: float,
    now: datetime,
    by: UUID,
) -> WhatIfRecord:
    """Ask for a what-if as a job; raises NotFound, BadInput for changes that are none."""
    asked = _checked(changes)
    findings.known(session, plan)
    key = uuid4()
    job = jobs.enqueue(session, ASK, {"what_if": str(key)}, now=now, actor=by)
    row = WhatIf(
        id=key,
        plan=plan,
        asked_at=now,
        asked_by=by,
        changes=list(asked["changes"]),
        time_limit_ms=round(time_limit_s * 1000),
        job=job,
    )
    session.add(row)
    session.flush()
    feed.changed(session, "what_if", key, version=1, action="created")
    audit.acted(session, "what-ifs.create", resource=("plan", plan), details={"what_if": str(key)})
    return what_if_of(session, key)


def what_if_of(session: Session, key: UUID) -> WhatIfRecord:
    """Raises NotFound."""
    row = _row(session, key)
    job = jobs.find(session, row.job)
    document = None if row.document is None else unpacked(row.document)
    status = "succeeded" if document is not None else job.status if job else "failed"
    return WhatIfRecord(row.id, row.version, row.plan, row.asked_at, row.job, str(status), document)


def asked_in(session: Session, key: UUID) -> tuple[work.Question, Mapping[str, Any], float]:
    """The question of a what-if, its changes (``pooling.changes/1``) and the solver's seconds."""
    row = _row(session, key)
    return findings.question(session, row.plan), {"schema": SCHEMA, "changes": row.changes}, row.time_limit_ms / 1000


def finish(session: Session, key: UUID, document: Mapping[str, Any]) -> None:
    """Keep the answer."""
    row = _row(session, key)
    row.document, row.version = packed(document), row.version + 1
    session.add(row)
    session.flush()
    feed.changed(session, "what_if", key, version=row.version)
    audit.acted(session, "what-ifs.finish", resource=("plan", row.plan), details={"what_if": str(key)})


def _row(session: Session, key: UUID) -> WhatIf:
    row = session.get(WhatIf, key)
    if row is None:
        raise NotFound(f"no what-if {key}")
    return row


def _checked(changes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    document = {"schema": SCHEMA, "changes": [dict(change) for change in changes]}
    try:
        read_changes(document)
    except SolverError as refused:
        raise BadInput(f"changes: {refused}") from refused
    return document
