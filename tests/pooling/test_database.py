"""The one transaction, bulk insert and migrations, on both databases."""

import contextlib
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel

import pooling.tables  # noqa: F401
from pooling.database import UtcDateTime, at_close, connect, insert_rows, reading, transaction
from pooling.looking import at_once, looking
from pooling.schema import check_schema

BODY = {"name": "n", "country": "SE", "law": "l", "language": "sv", "complaint_board": "b", "source": "s"}


def bodies(session: Session) -> int:
    return session.connection().execute(text("SELECT count(*) FROM signing_body")).scalar_one()


def test_the_migrated_schema_is_the_tables(engine: Engine) -> None:
    check_schema(engine)


def test_a_failed_transaction_leaves_nothing(engine: Engine) -> None:
    table = SQLModel.metadata.tables["signing_body"]

    def half() -> None:
        with transaction(engine) as session:
            assert insert_rows(session, table, ["code", *BODY], [("A", *BODY.values())]) == 1
            assert bodies(session) == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    with reading(engine) as session:
        assert bodies(session) == 0


def test_reading_is_one_view_and_keeps_nothing(engine: Engine) -> None:
    table = SQLModel.metadata.tables["signing_body"]

    def add(code: str) -> None:
        with transaction(engine) as session:
            insert_rows(session, table, ["code", *BODY], [(code, *BODY.values())])

    add("A")
    with reading(engine) as session:
        assert bodies(session) == 1
        add("B")  # a writer is not held back, and is not seen
        assert bodies(session) == 1
    with contextlib.suppress(DBAPIError), reading(engine) as session:  # PostgreSQL refuses, SQLite forgets
        session.connection().execute(text("DELETE FROM signing_body"))
    with reading(engine) as session:
        assert bodies(session) == 2


def test_what_is_left_for_the_close_is_done_last_and_in_order(engine: Engine) -> None:
    done = []
    with transaction(engine) as session:
        at_close(session, 2, lambda _: done.append("feed"))
        at_close(session, 1, lambda _: done.append("audit"))
        at_close(session, 2, lambda _: done.append("feed again"))
        done.append("work")
    assert done == ["work", "audit", "feed again"]


def test_bulk_insert_spans_slices(engine: Engine) -> None:
    table = SQLModel.metadata.tables["signing_body"]
    rows = ((f"B{k}", *BODY.values()) for k in range(60_000))
    with transaction(engine) as session:
        assert insert_rows(session, table, ["code", *BODY], rows) == 60_000
    with reading(engine) as session:
        assert bodies(session) == 60_000


def test_instants_come_back_aware_and_naive_ones_are_refused(engine: Engine) -> None:
    kind = UtcDateTime()
    now = datetime(2026, 11, 1, 12, tzinfo=UTC)
    stored = kind.process_bind_param(now, engine.dialect)
    assert stored is not None
    assert kind.process_result_value(stored.replace(tzinfo=None), engine.dialect) == now
    with pytest.raises(ValueError, match="give it a zone"):
        kind.process_bind_param(now.replace(tzinfo=None), engine.dialect)


def test_a_statement_of_its_own_has_its_own_time(tmp_path: Path) -> None:
    """Whoever looked before with this connection was given until a moment that has passed."""
    engine = connect(f"sqlite:///{tmp_path / 'pooling.db'}", connections=1, statement_time_s=0.5)
    with looking(engine) as opened:
        opened.ask("SELECT 1", ())
    time.sleep(0.6)
    counted = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 9000) SELECT i FROM n"
    at_once(engine, f"CREATE TABLE counted AS {counted}", ())
    with reading(engine) as session:
        assert session.connection().execute(text("SELECT count(*) FROM counted")).scalar_one() == 9000
    engine.dispose()
