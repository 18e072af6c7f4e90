"""Reads that come together are entered together, each durable before its request goes on. On both databases."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from pooling import audit
from pooling.audit import ReadLog
from pooling.database import reading
from pooling.deeds import Deed

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
READERS = 12
EACH = 10


class Counted(ReadLog):
    """Counts the reads of each write."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.written: list[int] = []

    def _insert(self, waiting: Sequence[Any]) -> None:
        super()._insert(waiting)
        self.written.append(len(waiting))


def requests(engine: Engine) -> set[str]:
    with reading(engine) as session:
        return set(session.connection().execute(text("SELECT request FROM read_entry")).scalars())


def enter(log: ReadLog, request: str, *, principal: str = "somebody") -> None:
    audit.read(log, Deed(principal, "lines.list", NOW, request), path="/v1/lines", participants=["SE-M"])


def test_every_read_is_entered_once_before_its_request_goes_on(engine: Engine) -> None:
    log = Counted(engine)

    def reader(number: int) -> None:
        for turn in range(EACH):
            enter(log, f"{number}.{turn}")
            assert f"{number}.{turn}" in requests(engine)

    with ThreadPoolExecutor(READERS) as readers:
        for done in [readers.submit(reader, number) for number in range(READERS)]:
            done.result(60)
    with reading(engine) as session:
        kept = session.connection().execute(text("SELECT count(*) FROM read_entry")).scalar_one()
    assert kept == READERS * EACH
    assert sum(log.written) == READERS * EACH


class Held(Counted):
    """Holds its first write until it is let go, so that others come meanwhile."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.begun, self.free = threading.Event(), threading.Event()

    def _insert(self, waiting: Sequence[Any]) -> None:
        self.begun.set()
        assert self.free.wait(30)
        super()._insert(waiting)


def together(log: Held, readers: ThreadPoolExecutor, principals: Sequence[str]) -> list[Any]:
    """One read at its write, and the others waiting for it; then all go on."""
    first = readers.submit(enter, log, "first")
    assert log.begun.wait(30)
    rest = [readers.submit(enter, log, f"r{place}", principal=name) for place, name in enumerate(principals)]
    while len(log._waiting) < len(principals):
        assert not first.done()
    log.free.set()
    return [first, *rest]


def test_those_that_wait_share_one_write(engine: Engine) -> None:
    log = Held(engine)
    with ThreadPoolExecutor(READERS) as readers:
        for done in together(log, readers, ["somebody"] * 8):
            done.result(30)
    assert log.written == [1, 8]
    assert len(requests(engine)) == 9


def test_who_cannot_be_entered_fails_alone(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER refused BEFORE INSERT ON read_entry WHEN NEW.principal = 'refused'"
                " BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
    else:
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE read_entry ADD CHECK (principal <> 'refused')")
    log = Held(engine)
    with ThreadPoolExecutor(READERS) as readers:
        first, *rest = together(log, readers, ["somebody", "refused", "somebody", "refused", "somebody"])
        first.result(30)
        for place, done in enumerate(rest):
            if place in (1, 3):
                with pytest.raises(DBAPIError):
                    done.result(30)
            else:
                done.result(30)
    assert requests(engine) == {"first", "r0", "r2", "r4"}
    enter(log, "after")
    assert "after" in requests(engine)
