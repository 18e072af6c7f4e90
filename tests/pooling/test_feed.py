"""The feed: dense, in the order of commits, nothing lost to a reader; and a rule for every table."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session, SQLModel

import pooling.tables  # noqa: F401
from pooling import feed
from pooling.database import connect, reading, transaction
from pooling.transactions import written

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WRITERS = 8
EACH = 12


def entries(engine: Engine) -> list[tuple[int, str, str, str | None, str]]:
    with reading(engine) as session:
        found = session.connection().execute(
            text("SELECT position, type, resource_id, version, action FROM feed_entry ORDER BY position")
        )
        return [tuple(row) for row in found]


def test_every_table_has_a_rule_and_every_rule_a_table() -> None:
    assert set(feed.RULES) == set(SQLModel.metadata.tables)
    for table, rule in feed.RULES.items():
        assert rule if isinstance(rule, str) else len(rule.reason) > 10, table


def test_a_change_of_an_unknown_type_or_kind_is_refused(engine: Engine) -> None:
    with transaction(engine) as session:
        with pytest.raises(ValueError, match="no resource type"):
            feed.changed(session, "planted", 1, version=1)
        with pytest.raises(ValueError, match="no action"):
            feed.changed(session, "offer", 1, version=1, action="gone")
        with pytest.raises(ValueError, match="1 to 200"):
            feed.changed(session, "offer", "", version=1)
    assert entries(engine) == []


def test_changes_of_one_transaction_are_one_a_resource_in_the_order_of_their_last_mention(engine: Engine) -> None:
    with written(engine, actor=None, now=NOW) as opened:
        feed.changed(opened.session, "offer", "a", version=1, action="created")
        feed.changed(opened.session, "offer", "b", version=1, action="created", participants=["SE-M", "DK-84"])
        feed.changed(opened.session, "offer", "a", version=2)
        feed.changed(opened.session, "plan", "b", version=None)
    with written(engine, actor=None, now=NOW) as opened:
        feed.changed(opened.session, "offer", "a", version=3, action="deleted")
    assert entries(engine) == [
        (1, "offer", "b", "1", "created"),
        (2, "offer", "a", "2", "created"),
        (3, "plan", "b", None, "updated"),
        (4, "offer", "a", "3", "deleted"),
    ]
    with reading(engine) as session:
        entry = session.get_one(feed.FeedEntry, 1)
        assert (entry.participants, entry.occurred_at) == (["DK-84", "SE-M"], NOW)
        assert feed.head(session) == 4
        assert feed.gaps(session) == []


def test_what_fails_takes_no_position(engine: Engine) -> None:
    def fail() -> None:
        with written(engine, actor=None, now=NOW) as opened:
            feed.changed(opened.session, "offer", "a", version=1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with written(engine, actor=None, now=NOW) as opened:
        feed.changed(opened.session, "offer", "b", version=1)
    assert [entry[:3] for entry in entries(engine)] == [(1, "offer", "b")]


def test_gaps_and_a_wrong_head_are_found(engine: Engine) -> None:
    for name in "abc":
        with written(engine, actor=None, now=NOW) as opened:
            feed.changed(opened.session, "offer", name, version=1)
    for statement, said in (
        ("DELETE FROM feed_entry WHERE position = 2", "1 entries are missing"),
        ("UPDATE feed_head SET position = 9", "the last entry is 3, the head is at 9"),
        ("DELETE FROM feed_entry", "no entry is kept"),
    ):
        with transaction(engine) as session:
            assert said not in str(feed.gaps(session))
            session.connection().execute(text(statement))
            assert said in str(feed.gaps(session))


@contextmanager
def follower(database_url: str, stop: Event) -> Iterator[list[int]]:
    """Reads everything after the last position it has seen, over and over, as a partner does."""
    seen: list[int] = []

    def follow() -> None:
        engine = connect(database_url)
        last = 0
        while True:
            ended = stop.is_set()
            with reading(engine) as session:
                found = session.connection().execute(
                    text("SELECT position FROM feed_entry WHERE position > :last ORDER BY position"), {"last": last}
                )
                new = list(found.scalars())
            seen.extend(new)
            last = new[-1] if new else last
            if ended:
                break
            time.sleep(0.002)
        engine.dispose()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(follow)
        yield seen
        stop.set()
        running.result()


def write_from_eight(engine: Engine) -> None:
    def write(writer: int) -> None:
        for number in range(EACH):
            with written(engine, actor=None, now=NOW) as opened:
                feed.changed(opened.session, "offer", f"{writer}-{number}", version=1)
                feed.changed(opened.session, "plan", f"{writer}-{number}", version=1)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))


def test_positions_are_dense_under_eight_writers_and_a_reader_misses_none(engine: Engine, database_url: str) -> None:
    with follower(database_url, Event()) as seen:
        write_from_eight(engine)
    assert seen == list(range(1, 2 * WRITERS * EACH + 1))
    assert len({entry[1:3] for entry in entries(engine)}) == 2 * WRITERS * EACH
    with reading(engine) as session:
        assert feed.gaps(session) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_reader_finds_what_a_sequence_loses(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With numbers taken before the commit a slow writer's changes appear behind the reader."""
    with transaction(engine) as session:
        session.connection().execute(text("CREATE SEQUENCE planted"))
    slow = Event()

    def reserve(session: Session, count: int) -> int:
        numbers = [session.connection().execute(text("SELECT nextval('planted')")).scalar_one() for _ in range(count)]
        if not slow.is_set():
            slow.set()
            time.sleep(0.5)
        return int(numbers[0]) - 1

    monkeypatch.setattr(feed, "_reserve", reserve)
    with follower(database_url, Event()) as seen, ThreadPoolExecutor(2) as pool:

        def write(name: str) -> None:
            with written(engine, actor=None, now=NOW) as opened:
                opened.session.info["pooling.closing"].pop(1)  # without the audit's lock, which would put them in order
                feed.changed(opened.session, "offer", name, version=1)

        first = pool.submit(write, "slow")
        slow.wait(5)
        pool.submit(write, "quick").result()
        first.result()
    assert len(entries(engine)) == 2
    assert seen == [2]
