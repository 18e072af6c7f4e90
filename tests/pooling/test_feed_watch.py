"""The watch over the feed finds a service that changes and says nothing."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from pooling import feed
from pooling.transactions import written
from tests.pooling.feed_watch import watched

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
VALUES = "'x', 'f', 'n', 'H87', 'H87', 's', false"


def add_category(engine: Engine, *, announce: str | None) -> None:
    """A planted service, which may say something, nothing, or something else."""
    with written(engine, actor=None, now=NOW) as opened:
        opened.session.connection().execute(
            text(f"INSERT INTO category (id, family, name, unit, base_unit, source, packaged) VALUES ({VALUES})")
        )
        if announce:
            feed.changed(opened.session, announce, "x", version=1)


def test_a_change_that_is_announced_passes(engine: Engine) -> None:
    with watched(engine):
        add_category(engine, announce="category")


@pytest.mark.parametrize("announce", [None, "criterion"])
def test_a_change_that_is_not_announced_is_found(engine: Engine, announce: str | None) -> None:
    with pytest.raises(AssertionError, match="without a word in the feed: category"), watched(engine):
        add_category(engine, announce=announce)


def test_an_earlier_announcement_does_not_count(engine: Engine) -> None:
    with written(engine, actor=None, now=NOW) as opened:
        feed.changed(opened.session, "category", "x", version=1)
    with pytest.raises(AssertionError, match="category"), watched(engine):
        add_category(engine, announce=None)


def test_nothing_changed_is_nothing_to_say(engine: Engine) -> None:
    with watched(engine):
        pass
