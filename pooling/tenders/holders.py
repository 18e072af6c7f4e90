"""Who holds the lines of a plan by now: a participant of the plan may have ended since, and its lines passed on."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlmodel import Session

from pooling.errors import BadInput
from pooling.planning.plan_reader import Stored
from pooling.reference import service as reference
from pooling.reference.rules import ParticipantRecord, rehome

Document = Mapping[str, Any]


def held_now(session: Session, lines: Iterable[Document], *, now: datetime) -> list[dict[str, Any]]:
    """Lines of a plan's instance with whoever holds them at ``now`` as their participant; the day is that of UTC, as in
    every succession."""
    known = reference.participants(session)
    return [{**line, "participant": _heir(line["participant"], known, now)} for line in lines]


def _heir(code: str, known: Mapping[str, ParticipantRecord], now: datetime) -> str:
    """Itself until it ends, and where nobody has succeeded it."""
    last = known[code].valid_to
    if last is not None and last <= now.date():
        with suppress(BadInput):
            return rehome(code, now.date(), known)
    return code


def people(session: Session, stored: Stored, codes: Collection[str]) -> list[Document]:
    """These participants as objects of ``pooling.instance/1``: as the plan has them, else as they are now."""
    there = {each["id"]: each for each in stored.frozen.instance["participants"]}
    known, policy = reference.participants(session), stored.frozen.policy
    return [there[code] if code in there else _person(known[code], policy) for code in sorted(codes)]


def _person(record: ParticipantRecord, policy: Mapping[str, Any]) -> Document:
    leads, pools = record.max_leads, record.max_pools_per_quarter
    return {
        "id": record.code,
        "country": record.country,
        "contracting_authority": record.contracting_authority,
        "may_lead": record.may_lead and record.contracting_authority,
        "max_leads": policy["participant_max_leads"] if leads is None else leads,
        "max_pools_per_quarter": policy["participant_max_pools_per_quarter"] if pools is None else pools,
    }
