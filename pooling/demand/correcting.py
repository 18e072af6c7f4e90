"""Demand that reaches a cycle after its lines were frozen: a correction, or what came in time and was stored late."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session

from pooling import audit
from pooling.deeds import deed_of
from pooling.demand import cycle_lines
from pooling.demand.sent_for import SentFor
from pooling.notices import service as notices
from pooling.notices.service import Kind


def correct(session: Session, submission: UUID, sent_for: SentFor, participants: Sequence[str]) -> None:
    """Let the submission's lines take the place of its series' in the frozen set, and tell whose they are."""
    if sent_for.cycle is None:
        raise ValueError("a correction names its cycle")
    gone, come = cycle_lines.replace(session, sent_for.cycle, submission)
    details = {"cycle": sent_for.cycle, "reason": sent_for.reason, "lines": come, "instead_of": gone}
    resource = ("submission", submission)
    audit.acted(session, "submissions.correct", resource=resource, details=details, participants=participants)
    if sent_for.reason is None:
        return
    for code in participants:
        notices.tell(
            session,
            kind=Kind.CORRECTION,
            subject=("submission", submission),
            key=f"correction:{submission}:{code}",
            now=deed_of(session).now,
            participants=[code],
            planners=True,
            facts={"cycle": sent_for.cycle, "participant": code},
        )
