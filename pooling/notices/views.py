"""Notices as they are shown."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from pooling.access.projection import OPEN
from pooling.notices.queries import Shown
from pooling.notices.rules import Kind
from pooling.notices.wording import place_of, words_of


class NoticeView(msgspec.Struct, frozen=True, kw_only=True):
    """Something happened. It holds no quantity or price: those are at ``look_at``, for whoever may see them."""

    id: UUID
    version: Annotated[int, OPEN]
    kind: Kind
    participant: Annotated[str | None, Meta(description="whom it is for; null: planners, or oneself")]
    title: str
    text: str
    facts: Annotated[dict[str, str], Meta(description="what title and text are made of")]
    subject_type: str
    subject_id: str
    look_at: Annotated[str, Meta(description="path of what it is about")]
    due: Annotated[date | None, Meta(description="day by whose end something is to be done")]
    created_at: datetime
    read_at: Annotated[datetime | None, Meta(description="when the asker read it")]


class NoticePage(msgspec.Struct, frozen=True):
    """Notices, the latest first."""

    items: list[NoticeView]
    next_cursor: str | None


def version_of(shown: Shown) -> int:
    """1 until it is read."""
    return 1 if shown.read_at is None else 2


def notice_view(shown: Shown) -> NoticeView:
    """A notice as it is shown."""
    row = shown.row
    kind = Kind(row.kind)
    words = words_of(kind, row.facts)
    return NoticeView(
        id=row.id,
        version=version_of(shown),
        kind=kind,
        participant=row.participant,
        title=words.title,
        text=words.text,
        facts=row.facts,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        look_at=place_of(kind, row.subject_type, row.subject_id, row.id),
        due=row.due,
        created_at=row.created_at,
        read_at=shown.read_at,
    )
