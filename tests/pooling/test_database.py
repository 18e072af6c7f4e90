"""The one transaction, bulk insert and migrations, on both databases."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session, SQLModel

import pooling.tables  # noqa: F401
from pooling.database import UtcDateTime, check_schema, insert_rows, reading, transaction

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
