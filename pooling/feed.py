"""The change feed: which resource changed, in one dense order that is the order of commits.

A row of `feed_head` is locked last in each transaction and gives out positions: whoever has read up to a position has
missed nothing at or below it. Sequences and timestamps are taken before the commit and cannot promise that.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import JSON, BigInteger, Column, insert, text
from sqlmodel import Field, Session, SQLModel

from pooling.database import UtcDateTime, at_close
from pooling.deeds import FEED_RANK, collected, deed_of

ACTIONS = ("created", "updated", "deleted")


class FeedHead(SQLModel, table=True):
    """The last position given out; one row, made by the first change."""

    __tablename__ = "feed_head"

    id: int = Field(primary_key=True)
    position: int = Field(sa_type=BigInteger)


class FeedEntry(SQLModel, table=True):
    """A resource was changed; what it is now is read from the resource itself."""

    __tablename__ = "feed_entry"

    position: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    type: str = Field(max_length=40)
    resource_id: str = Field(max_length=200)
    version: str | None = Field(max_length=80)
    action: str = Field(max_length=8, description="created, updated or deleted")
    participants: list[str] = Field(
        sa_column=Column(JSON, nullable=False), description="whose it is, sorted; empty: nobody's in particular"
    )
    occurred_at: datetime = Field(sa_type=UtcDateTime, index=True)


@dataclass(frozen=True, slots=True)
class Change:
    """A change to announce."""

    type: str
    resource_id: str
    version: str | None
    action: str
    participants: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.type not in TYPES:
            raise ValueError(f"feed: {self.type!r} is no resource type of RULES; one of {sorted(TYPES)}")
        if self.action not in ACTIONS:
            raise ValueError(f"feed: {self.action!r} is no action; one of {ACTIONS}")
        if not 1 <= len(self.resource_id) <= 200:
            raise ValueError(f"feed: id of a {self.type} must have 1 to 200 characters, got {self.resource_id!r}")


@dataclass(frozen=True, slots=True)
class Silent:
    """The table is no resource of its own and announces nothing, for ``reason``."""

    reason: str


RULES: dict[str, str | Silent] = {
    "participant": "participant",
    "signing_body": "signing_body",
    "category": "category",
    "criterion": "criterion",
    "criterion_implication": "criterion",
    "cycle": "cycle",
    "cycle_line": "cycle",
    "cycle_confirmation": "cycle",
    "line_succession": "submission",
    "mapping_version": Silent("part of the submissions that it made"),
    "submission": "submission",
    "quarantined_row": "submission",
    "submission_participant": "submission",
    "line": "submission",
    "line_flag": Silent("a doubt follows from everybody's demand: announcing it would tell when another one sent"),
    "forecast": "forecast",
    "stored_mapping": "mapping",
    "upload": "upload",
    "upload_content": "upload",
    "offer": "offer",
    "offer_tier": "offer",
    "offer_dialogue": "offer",
    "dialogue": "dialogue",
    "dialogue_category": "dialogue",
    "risk_area": "risk_area",
    "notice": Silent("for whom it is addressed to; what it tells of is announced itself"),
    "notice_reading": Silent("who has read what is a person's own business"),
    "outbox": Silent("mails on their way; the notices in them are read at their own address"),
    "snapshot": Silent("what a plan rested on; the plan is announced"),
    "plan": "plan",
    "plan_pool": "plan",
    "plan_lot": "plan",
    "plan_lot_line": "plan",
    "plan_unpooled_line": "plan",
    "plan_finding": "plan",
    "planning_policy": "policy",
    "plan_run": "run",
    "what_if": "what_if",
    "scenario_set": "scenarios",
    "scenario_plan": "scenarios",
    "tender": "tender",
    "tender_lot": "tender",
    "tender_line": "tender",
    "tender_member": "tender",
    "tender_member_lot": "tender",
    "tender_event": "tender",
    "tender_repair": "tender",
    "call_off": "call_off",
    "call_off_hold": Silent("a buyer is told with the refusal, planners where they look at what is left"),
    "job": Silent("an operation is followed at its own address"),
    "job_schedule": Silent("when recurring work was last made"),
    "principal": Silent("who may come in is no partner's to follow; the audit has it"),
    "principal_participant": Silent("who may come in is no partner's to follow; the audit has it"),
    "person": Silent("who may come in is no partner's to follow; the audit has it"),
    "identity": Silent("who may come in is no partner's to follow; the audit has it"),
    "api_key": Silent("who may come in is no partner's to follow; the audit has it"),
    "failed_attempt": Silent("attempts at the door, dropped after an hour"),
    "feed_head": Silent("the feed itself"),
    "feed_entry": Silent("the feed itself"),
    "audit_head": Silent("the audit ledger is read by auditors, not followed"),
    "audit_entry": Silent("the audit ledger is read by auditors, not followed"),
    "read_entry": Silent("the audit ledger is read by auditors, not followed"),
    "stored_response": Silent("answers kept for repeated requests"),
    "service_secret": Silent("never leaves the database"),
}
"""For every table of the schema the type of resource that a change of its rows announces, or why it announces none."""

TYPES = frozenset(rule for rule in RULES.values() if isinstance(rule, str))


def changed(
    session: Session,
    type: str,  # noqa: A002 the word of the feed
    resource_id: object,
    *,
    version: int | str | None,
    action: str = "updated",
    participants: Collection[str] = (),
) -> None:
    """Announce a change when the open transaction commits; several of one resource become one.

    ``participants``: whose resource it is; empty: nobody's in particular, whoever may read the type may know.
    """
    stated = None if version is None else str(version)
    change = Change(type, str(resource_id), stated, action, tuple(sorted(set(participants))))
    collected(session, "feed").append(change)
    at_close(session, FEED_RANK, close)


def close(session: Session) -> None:
    """Give positions to what was collected: the last thing before the commit, as it holds every other writer back."""
    changes = _merged(collected(session, "feed"))
    if not changes:
        return
    now = deed_of(session).now
    first = _reserve(session, len(changes)) + 1
    rows = [
        {
            "position": first + offset,
            "type": change.type,
            "resource_id": change.resource_id,
            "version": change.version,
            "action": change.action,
            "participants": list(change.participants),
            "occurred_at": now,
        }
        for offset, change in enumerate(changes)
    ]
    session.connection().execute(insert(FeedEntry), rows)


def _merged(changes: list[Change]) -> list[Change]:
    """One change a resource, in the order of their last mention; created and then updated is still created."""
    last: dict[tuple[str, str], Change] = {}
    for change in changes:
        key = (change.type, change.resource_id)
        before = last.pop(key, None)
        created = before is not None and before.action == "created" and change.action == "updated"
        owners = tuple(sorted({*change.participants, *(before.participants if before else ())}))
        action = "created" if created else change.action
        last[key] = Change(change.type, change.resource_id, change.version, action, owners)
    return list(last.values())


def _reserve(session: Session, count: int) -> int:
    """Move the head on by ``count``, locked until the commit; returns where it was."""
    moved = session.connection().execute(
        text(
            "INSERT INTO feed_head (id, position) VALUES (1, :count) "
            "ON CONFLICT (id) DO UPDATE SET position = feed_head.position + :count RETURNING position"
        ),
        {"count": count},
    )
    return int(moved.scalar_one()) - count


def head(session: Session) -> int:
    """The last position given out; 0 where nothing ever changed."""
    found = session.get(FeedHead, 1)
    return found.position if found else 0


def gaps(session: Session) -> list[str]:
    """What keeps the feed from being dense from its first kept entry to its head, in words; empty: nothing."""
    found = session.connection().execute(text("SELECT min(position), max(position), count(*) FROM feed_entry")).one()
    least, most, count = found
    end = head(session)
    if count == 0:
        return [] if end == 0 else [f"feed: the head is at {end} and no entry is kept"]
    faults = [] if most == end else [f"feed: the last entry is {most}, the head is at {end}"]
    return faults if count == most - least + 1 else [*faults, f"feed: {most - least + 1 - count} entries are missing"]
