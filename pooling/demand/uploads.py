"""Uploads: a file, or the lines of a long request, kept until they are looked at, confirmed and stored by jobs."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete
from sqlmodel import Session, col, select

from connectors.files import SUFFIXES
from pooling import audit, feed, jobs
from pooling.access.rules import Principal
from pooling.demand import mappings, sent_for
from pooling.demand.mapping_file import MappingDocument, document_of
from pooling.demand.sender import Sender
from pooling.demand.sent_for import NO_CYCLE, SentFor
from pooling.demand.tables import Upload, UploadContent
from pooling.errors import BadFields, NotFound, PoolingError, WrongState
from pooling.paging import Window

FILE, LINES = "file", "forecasts"
RECEIVED, READY, UNREADABLE = "received", "ready", "unreadable"
CONFIRMED, LOADED, REFUSED = "confirmed", "loaded", "refused"
STAGES: Mapping[str, str] = {
    RECEIVED: "draft",
    READY: "draft",
    UNREADABLE: "draft",
    REFUSED: "draft",
    CONFIRMED: "submitted",
    LOADED: "accepted",
}
"""How far a submission has come that an upload is to be, by the upload's status; from then on its own status tells."""
DROPPED_AT_ONCE = 500
PREVIEW_JOB, LOAD_JOB, LINES_JOB = "demand.preview", "demand.load", "demand.forecasts"


def receive_file(
    session: Session,
    content: bytes,
    name: str,
    *,
    mapping: str | None,
    mapping_document: str | None,
    series: str | None,
    sender: Sender,
    now: datetime,
    cycle: str | None = None,
    correction_reason: str | None = None,
) -> Upload:
    """Keep a file and have it looked at; ``cycle``: that it is sent for, where it names one.

    Raises BadFields and BadMapping; NotFound where the mapping or the cycle is not known; CycleClosed.
    """
    plain = PurePath(name.replace("\\", "/")).name[-255:]
    if PurePath(plain).suffix.lower() not in SUFFIXES:
        known = ", ".join(sorted(SUFFIXES))
        raise BadFields(
            [("#/file", "bad-input", f"{plain!r} is no demand file by its name; give one that ends in {known}")]
        )
    if not content:
        raise BadFields([("#/file", "bad-input", "the file is empty; send one with a header and rows")])
    if mapping is not None and mapping_document is not None:
        raise BadFields([("#/mapping", "bad-input", "give the mapping's name, or a mapping file, not both")])
    if mapping is not None:
        mappings.one(session, mapping)
    if mapping_document is not None:
        document_of("mapping", mapping_document, {})
    if cycle is not None or correction_reason is not None:
        sent_for.named(session, cycle, correction_reason, sender=sender, now=now)
    made = _made(session, FILE, content, plain, sender=sender, now=now)
    made.mapping, made.mapping_document, made.series = mapping, mapping_document, series
    made.cycle, made.correction_reason = cycle, correction_reason
    return _started(session, made, PREVIEW_JOB, now=now)


def receive_lines(
    session: Session,
    content: bytes,
    *,
    source: str,
    sender: Sender,
    partial: bool,
    now: datetime,
    goes_to: SentFor = NO_CYCLE,
) -> Upload:
    """Keep the lines of a request and have them stored for the cycle they go to."""
    made = _made(session, LINES, content, f"{source}.json", sender=sender, now=now)
    made.partial, made.status = partial, CONFIRMED
    made.cycle, made.correction_reason = goes_to.cycle, goes_to.reason
    return _started(session, made, LINES_JOB, now=now, goes_to=goes_to)


def _made(session: Session, kind: str, content: bytes, name: str, *, sender: Sender, now: datetime) -> Upload:
    if sender.id is None:
        raise ValueError("an upload is somebody's; the command line loads files itself")
    made = Upload(
        id=uuid4(),
        kind=kind,
        status=RECEIVED,
        file_name=name,
        file_sha256=hashlib.sha256(content).hexdigest(),
        file_bytes=len(content),
        mapping=None,
        mapping_document=None,
        series=None,
        partial=False,
        sent_by=sender.id,
        may_send_for=_listed(sender),
        received_at=now,
        job=None,
        submission=None,
        preview=None,
        report=None,
    )
    session.add(made)
    session.flush()
    session.add(UploadContent(upload=made.id, content=content))
    return made


def _listed(sender: Sender) -> list[str] | None:
    return None if sender.may_send_for is None else sorted(sender.may_send_for)


def _payload(upload: UUID, goes_to: SentFor) -> dict[str, Any]:
    """Of a job that stores an upload. The cycle is that of the moment it was confirmed: what is in time stays so."""
    return {"upload": str(upload), "cycle": goes_to.cycle, "correction_reason": goes_to.reason}


def _started(session: Session, upload: Upload, kind: str, *, now: datetime, goes_to: SentFor = NO_CYCLE) -> Upload:
    upload.job = jobs.enqueue(session, kind, _payload(upload.id, goes_to), now=now, actor=upload.sent_by)
    session.flush()
    _tell(session, upload, "created", "uploads.create")
    return upload


def _tell(session: Session, upload: Upload, action: str, operation: str) -> None:
    owners = _owners(upload)
    feed.changed(session, "upload", upload.id, version=upload.version, action=action, participants=owners)
    details: Mapping[str, Any] = {"kind": upload.kind, "sha256": upload.file_sha256, "status": upload.status}
    audit.acted(session, operation, resource=("upload", upload.id), details=details, participants=owners)


def _owners(upload: Upload) -> list[str]:
    return list((upload.preview or {}).get("senders", ()))


def sender_of(upload: Upload) -> Sender:
    """Whoever sent it, with the rights it was sent or confirmed with."""
    return Sender(upload.sent_by, None if upload.may_send_for is None else frozenset(upload.may_send_for))


def given(session: Session, upload: Upload) -> MappingDocument | None:
    """The mapping that a file is to be read by; None: its headers say all."""
    if upload.mapping_document is not None:
        return document_of("mapping", upload.mapping_document, {})
    return mappings.document(session, upload.mapping) if upload.mapping is not None else None


def content(session: Session, upload: UUID) -> bytes:
    """What was sent."""
    return session.get_one(UploadContent, upload).content


def safe_name(name: str) -> str:
    """A name that a file can have on any disk."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)[-100:].lstrip(".") or "file"


def visible(session: Session, who: Principal, window: Window, *, stage: str | None = None) -> Sequence[Upload]:
    """Uploads, the latest first: one's own, or everybody's for who sees all; ``stage``: of ``STAGES``."""
    key = (col(Upload.received_at), col(Upload.id))
    wanted = select(Upload).where(window.clause_descending(*key))
    if stage is not None:
        wanted = wanted.where(col(Upload.status).in_([status for status, its in STAGES.items() if its == stage]))
    if not who.sees.all:
        wanted = wanted.where(col(Upload.sent_by) == who.id)
    return session.exec(wanted.order_by(*(each.desc() for each in key)).limit(window.fetch)).all()


def one(session: Session, who: Principal, upload: UUID, *, lock: bool = False) -> Upload:
    """An upload; raises NotFound where it is not one's own, or rests on participants that are one's own no longer."""
    found = session.get(Upload, upload, with_for_update=lock)
    mine = found is not None and found.sent_by == who.id and all(code in who.sees for code in found.may_send_for or ())
    if found is None or not (who.sees.all or mine):
        raise NotFound(f"no upload {upload}")
    return found


def of_submission(session: Session, submission: UUID) -> UUID | None:
    """The upload that a submission came in, if it did."""
    return session.exec(select(Upload.id).where(col(Upload.submission) == submission)).first()


def confirm(
    session: Session,
    who: Principal,
    upload: UUID,
    *,
    partial: bool,
    sender: Sender,
    now: datetime,
    expect: Any,
    correction_reason: str | None = None,
) -> Upload:
    """Have a file stored that was looked at, for the cycle that it names or that is open now.

    Raises NotFound, WrongState, BadFields where it has faults, and CycleClosed where its cycle closed meanwhile.
    """
    found = one(session, who, upload, lock=True)
    expect(found.version)
    if found.status not in (READY, REFUSED) or found.preview is None:
        raise WrongState(f"upload {upload} is {found.status}; only one that is {READY} or was {REFUSED} is confirmed")
    if found.preview["refusal"] is not None:
        raise WrongState(f"nothing of it can be stored: {found.preview['refusal']}")
    if found.preview["rows_refused"] and not partial:
        text = "rows have faults; correct the file and send it again, or keep the good rows with true"
        raise BadFields([("#/partial", "load-refused", text)])
    goes_to = _goes_to(session, found, correction_reason, sender=sender, now=now)
    found.status, found.partial, found.version = CONFIRMED, partial, found.version + 1
    if found.sent_by == who.id:
        found.may_send_for = _listed(sender)
    found.job = jobs.enqueue(session, LOAD_JOB, _payload(found.id, goes_to), now=now, actor=who.id)
    session.flush()
    _tell(session, found, "updated", "uploads.confirm")
    return found


def _goes_to(session: Session, upload: Upload, reason: str | None, *, sender: Sender, now: datetime) -> SentFor:
    """A reason that came with the file does no harm where its cycle takes demand again."""
    try:
        return sent_for.named(session, upload.cycle, reason or upload.correction_reason, sender=sender, now=now)
    except BadFields:
        if reason is not None:
            raise
        return sent_for.named(session, upload.cycle, None, sender=sender, now=now)


def discard(session: Session, who: Principal, upload: UUID, *, expect: Any) -> None:
    """Drop an upload and its bytes; one that is being stored, or was, stays on record. Raises NotFound, WrongState."""
    found = one(session, who, upload, lock=True)
    expect(found.version)
    if found.status in (CONFIRMED, LOADED):
        raise WrongState(f"upload {upload} is {found.status}; withdraw its submission instead")
    _drop(session, found, "uploads.discard")


def old_drafts(session: Session, *, before: datetime, lock: bool = False) -> Sequence[Upload]:
    """Uploads received before then that nobody had stored, the oldest first; ``lock``: until the transaction ends."""
    drafts = [status for status, stage in STAGES.items() if stage == "draft"]
    wanted = select(Upload).where(col(Upload.received_at) < before, col(Upload.status).in_(drafts))
    ordered = wanted.order_by(col(Upload.received_at), col(Upload.id)).limit(DROPPED_AT_ONCE)
    return session.exec(ordered.with_for_update() if lock else ordered).all()


def drop_old_drafts(session: Session, *, before: datetime) -> int:
    """Drop the drafts received before then with their bytes, a number at a time; how many."""
    found = old_drafts(session, before=before, lock=True)
    for upload in found:
        _drop(session, upload, "uploads.drop-old")
    return len(found)


def _drop(session: Session, upload: Upload, action: str) -> None:
    upload.version += 1
    _tell(session, upload, "deleted", action)
    session.execute(delete(UploadContent).where(col(UploadContent.upload) == upload.id))
    session.delete(upload)


def looked_at(session: Session, upload: UUID, preview: Mapping[str, Any], report: Mapping[str, Any]) -> None:
    """Note what a load would do."""
    _note(session, upload, READY, preview=preview, report=report)


def unreadable(session: Session, upload: UUID, refusal: PoolingError) -> None:
    """Note why a file cannot be read."""
    problem = {"code": refusal.code, "detail": str(refusal)}
    _note(session, upload, UNREADABLE, preview={"problem": problem, "senders": []}, report=None)


def loaded(session: Session, upload: UUID, submission: UUID | None, report: Mapping[str, Any]) -> None:
    """Note what became of it; its bytes are not needed any more."""
    _note(session, upload, LOADED, report=report).submission = submission
    session.execute(delete(UploadContent).where(col(UploadContent.upload) == upload))


def refused(session: Session, upload: UUID, refusal: PoolingError, report: Mapping[str, Any] | None) -> None:
    """Note why nothing was stored."""
    problem = {"code": refusal.code, "detail": str(refusal)}
    found = session.get_one(Upload, upload)
    preview = {**(found.preview or {"senders": []}), "problem": problem}
    _note(session, upload, REFUSED, preview=preview, report=report if report is not None else found.report)


def _note(
    session: Session,
    upload: UUID,
    status: str,
    *,
    report: Mapping[str, Any] | None,
    preview: Mapping[str, Any] | None = None,
) -> Upload:
    found = session.get_one(Upload, upload, with_for_update=True)
    found.status, found.version = status, found.version + 1
    found.report = None if report is None else dict(report)
    if preview is not None:
        found.preview = dict(preview)
    session.flush()
    _tell(session, found, "updated", f"uploads.{status}")
    return found
