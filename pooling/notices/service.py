"""Telling somebody something, inside the open transaction: it is told if and only if what it tells of is kept."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

from pooling.access import contacts
from pooling.notices.rules import MOST_KEY, Kind, checked_facts
from pooling.notices.tables import Mail

__all__ = ["Kind", "tell", "tell_succession"]

PLANNERS = "planners"


def tell(
    session: Session,
    *,
    kind: Kind | str,
    subject: tuple[str, object],
    key: str,
    now: datetime,
    participants: Collection[str] = (),
    planners: bool = False,
    principals: Collection[UUID] = (),
    due: date | None = None,
    facts: Mapping[str, Any],
) -> int:
    """Tell all who act for ``participants``, all planners and ``principals``; returns how many audiences it is news to.

    ``subject``: type (a word of the feed, such as ``tender``) and id of what it is about. ``facts``: exactly those of
    the kind (`rules.FACTS`). ``due``: the day by whose end something is to be done. The same ``key`` is told to the
    same audience once, however often and from however many transactions at a time: make it of the event, such as
    ``invited:TENDER:3``. Whoever has an e-mail address gets one mail a call, even with several participants.
    """
    chosen = Kind(kind)
    kept = checked_facts(chosen, facts)
    if not 1 <= len(key) <= MOST_KEY:
        raise ValueError(f"notice {chosen}: a key has 1 to {MOST_KEY} characters, got {key!r}")
    shared = {
        "kind": chosen.value,
        "subject_type": subject[0],
        "subject_id": str(subject[1]),
        "due": due,
        "created_at": now,
        "key": key,
        "facts": kept,
    }
    audiences = _audiences(participants, planners, principals)
    if not audiences:
        return 0
    rows = [{"id": uuid4(), "audience": audience, **whom, **shared} for audience, whom in audiences.items()]
    told = _put(session, rows)
    _queue(session, told, now)
    return len(told)


def tell_succession(session: Session, *, ended: str, successor: str, on: date, now: datetime) -> int:
    """Tell both bodies and the planners that one stands in the other's place: once, whatever passes on and when."""
    return tell(
        session,
        kind=Kind.SUCCESSION,
        subject=("participant", ended),
        key=f"{Kind.SUCCESSION}:{ended}:{successor}:{on}",
        now=now,
        participants=[ended, successor],
        planners=True,
        facts={"predecessor": ended, "successor": successor, "on": on},
    )


def audience_of(participant: str) -> str:
    """The audience of all who act for a participant."""
    return f"participant:{participant}"


def _audiences(
    participants: Collection[str], planners: bool, principals: Collection[UUID]
) -> dict[str, dict[str, Any]]:
    """Always in one order, so that two transactions that tell the same never wait for each other in a ring."""
    found: dict[str, dict[str, Any]] = {}
    for code in sorted(set(participants)):
        found[audience_of(code)] = {"participant": code, "principal": None}
    if planners:
        found[PLANNERS] = {"participant": None, "principal": None}
    for principal in sorted(set(principals)):
        found[f"principal:{principal}"] = {"participant": None, "principal": principal}
    return found


def _put(session: Session, rows: Sequence[Mapping[str, Any]]) -> dict[str, UUID]:
    """The new notices by audience; one that was told already is not among them."""
    connection = session.connection()
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert
    table = SQLModel.metadata.tables["notice"]
    put = insert(table).values(rows).on_conflict_do_nothing(index_elements=["audience", "key"])
    return {row.audience: row.id for row in connection.execute(put.returning(table.c.id, table.c.audience))}


def _queue(session: Session, told: Mapping[str, UUID], now: datetime) -> None:
    """One mail to each person with an address."""
    mails: dict[UUID, UUID] = {}
    codes = {audience.partition(":")[2] for audience in told if audience.startswith("participant:")}
    for code, principal in contacts.coordinators(session, codes):
        mails.setdefault(principal, told[audience_of(code)])
    if PLANNERS in told:
        for principal in contacts.planners(session):
            mails.setdefault(principal, told[PLANNERS])
    alone = {UUID(audience.partition(":")[2]) for audience in told if audience.startswith("principal:")}
    for principal in contacts.reachable(session, alone):
        mails.setdefault(principal, told[f"principal:{principal}"])
    session.add_all(
        Mail(notice=notice, principal=each, state="queued", attempts=0, next_try=now, queued_at=now, fault=None)
        for each, notice in mails.items()
    )
    session.flush()
