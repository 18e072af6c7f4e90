"""Watches that a write announces what it changes: every table with a resource type, against the feed's new entries."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, func, select
from sqlmodel import SQLModel, col

from pooling import feed
from pooling.database import reading

Marks = dict[str, str]


def marks(engine: Engine) -> Marks:
    """A mark of the content of every table that announces a type."""
    found = {}
    with reading(engine) as session:
        for name, rule in feed.RULES.items():
            if isinstance(rule, str):
                rows = session.connection().execute(select(SQLModel.metadata.tables[name]))
                found[name] = hashlib.sha256("\n".join(sorted(map(repr, rows))).encode()).hexdigest()
    return found


def silent_changes(engine: Engine, before: Marks, since: int) -> list[str]:
    """The tables that differ from ``before`` while the feed says nothing of their type after position ``since``."""
    now = marks(engine)
    with reading(engine) as session:
        statement = select(col(feed.FeedEntry.type)).where(col(feed.FeedEntry.position) > since).distinct()
        told = set(session.connection().execute(statement).scalars())
    return sorted(name for name, mark in now.items() if mark != before[name] and feed.RULES[name] not in told)


@contextmanager
def watched(engine: Engine) -> Iterator[None]:
    """Fails where the block changes a table without announcing the type it belongs to.

    To be put around the write operations of a subject's tests, one at a time.
    """
    before = marks(engine)
    with reading(engine) as session:
        since = session.connection().execute(select(func.max(feed.FeedEntry.position))).scalar() or 0
    yield
    silent = silent_changes(engine, before, since)
    assert silent == [], f"changed without a word in the feed: {', '.join(silent)}"
