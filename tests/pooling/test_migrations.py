"""Every earlier revision, with data in it, comes to the schema of today; nothing is lost or contradicts itself."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, Table, text
from sqlalchemy.exc import IntegrityError

from pooling.database import connect, reading
from pooling.demand import service as demand
from pooling.invariants.commands import CHECKS
from pooling.schema import _alembic, check_schema, migrate

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
LINES = (("DK-84", "DK-84"), ("DK-OST", "DK-85"))
"""Participant, and who it was sent as."""
REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008")
"""All revisions that were ever released before the last."""


@pytest.fixture
def empty(engine: Engine, database_url: str, tmp_path: Any) -> Iterator[Engine]:
    """A database with nothing in it, not even a schema, of the same kind."""
    if engine.dialect.name == "sqlite":
        fresh = connect(f"sqlite:///{tmp_path / 'empty.db'}")
    else:
        fresh = engine
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    yield fresh
    fresh.dispose()


def test_the_revisions_are_one_chain_and_each_is_tried(empty: Engine) -> None:
    script = ScriptDirectory.from_config(_alembic(empty))
    chain = [revision.revision for revision in script.walk_revisions()][::-1]
    assert tuple(chain[:-1]) == REVISIONS


def test_from_nothing(empty: Engine) -> None:
    migrate(empty)
    check_schema(empty)


@pytest.mark.parametrize("revision", REVISIONS)
def test_from_an_earlier_revision_with_data(empty: Engine, revision: str) -> None:
    migrate(empty, revision)
    filled(empty)
    before = contents(empty)
    migrate(empty)
    check_schema(empty)
    after = contents(empty)
    for table, rows in before.items():
        kept = [{name: row[name] for name in rows[0]} for row in after[table]] if rows else after[table]
        assert kept == rows, table
    with reading(empty) as session:
        assert len(demand.live_lines(session)) == len(LINES)
        found = session.connection().execute(
            text("SELECT participant FROM submission_participant ORDER BY participant")
        )
        assert [row[0] for row in found] == ["DK-84", "DK-85", "DK-OST"]
        violations = [f"{name}: {fault}" for name, holds in CHECKS.items() for fault in holds(session)]
    assert violations == []


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_line_without_its_submission_would_be_found(empty: Engine, revision: str) -> None:
    migrate(empty, revision)
    filled(empty)
    with pytest.raises(IntegrityError), empty.begin() as connection:
        connection.execute(text("DELETE FROM submission"))


@pytest.mark.parametrize("revision", ["0005", "0006"])
def test_a_tender_of_before_has_no_facts(empty: Engine, revision: str) -> None:
    migrate(empty, revision)
    filled(empty)
    tendered(empty)
    (before,) = contents(empty)["tender"]
    migrate(empty)
    (after,) = contents(empty)["tender"]
    assert {name: after[name] for name in before} == before
    assert {after[name] for name in after.keys() - before.keys()} == {None}
    assert after.keys() - before.keys() >= {"central_government", "environment_weight", "category_facts"}


def tendered(engine: Engine) -> None:
    """A tender, and what it rests on."""
    metadata = MetaData()
    metadata.reflect(engine)
    identity: object = UUID(int=1).hex if engine.dialect.name == "sqlite" else UUID(int=1)
    pool = {"id": 1, "plan": identity, "lead": "DK-OST", "signing_body": "DK-OST"}
    tender = {"id": identity, "cycle": "c", "plan": identity, "plan_pool": 1, "status": "rejected"}
    rows: list[tuple[str, dict[str, Any]]] = [
        ("snapshot", {"id": "s"}),
        ("plan", {"id": identity, "snapshot": "s"}),
        ("plan_pool", pool),
        ("cycle", {"code": "c"}),
        ("tender", {**tender, "lead": "DK-OST", "signing_body": "DK-OST"}),
    ]
    with engine.begin() as connection:
        for name, given in rows:
            connection.execute(metadata.tables[name].insert().values(made_up(metadata.tables[name], given)))


def filled(engine: Engine) -> None:
    """One participant and its successor, a submission of two lines, an offer."""
    metadata = MetaData()
    metadata.reflect(engine)
    identity = uuid4()
    submission: object = identity.hex if engine.dialect.name == "sqlite" else identity
    rows: list[tuple[str, dict[str, Any]]] = [("signing_body", {"code": "DK-OST", "country": "DK", "language": "da"})]
    rows += [
        ("participant", {"code": code, "country": "DK", "currency": "DKK", "signing_body": "DK-OST", "successor": None})
        for code in ("DK-OST", "DK-84", "DK-85")
    ]
    rows.append(("category", {"id": "gloves", "family": "ppe", "unit": "H87", "base_unit": "H87"}))
    rows.append(("mapping_version", {"id": 1, "sha256": "0" * 64}))
    rows.append(
        (
            "submission",
            {
                "id": submission,
                "status": "accepted",
                "mapping_sha256": "0" * 64,
                "rows_read": 2,
                "lines_made": 2,
                "supersedes": None,
            },
        )
    )
    rows += [
        (
            "line",
            {
                "id": number, "submission": submission, "mapping": 1, "row": number + 1, "rows": 1,
                "category": "gloves",
                "participant": code, "sent_as": sent, "quantity": 10, "quantity_low": 9, "quantity_high": 11,
                "earliest_start": "2027-01", "latest_start": "2027-06", "currency": "DKK",
                "required": "", "refused": "",
            },
        )
        for number, (code, sent) in enumerate(LINES, start=1)
    ]  # fmt: skip
    offer = {"id": "o1", "category": "gloves", "criteria": [], "currency": "EUR", "price_basis": "absolute"}
    rows.append(("offer", offer))
    rows.append(("offer_tier", {"offer": "o1", "position": 0, "from_quantity": 10}))
    later = [("plan_run", {"id": submission}), ("scenario_set", {"id": submission}), ("upload", {"id": submission})]
    rows += [(name, row) for name, row in later if name in metadata.tables]
    if "submission_participant" in metadata.tables:  # an earlier one finds out itself
        senders = ({"submission": submission, "participant": code} for code in ("DK-84", "DK-85", "DK-OST"))
        rows += [("submission_participant", row) for row in senders]
    with engine.begin() as connection:
        for name, given in rows:
            connection.execute(metadata.tables[name].insert().values(made_up(metadata.tables[name], given)))


def made_up(table: Table, given: dict[str, Any]) -> dict[str, Any]:
    """The row as given, with something of the right type wherever a value is needed."""
    values = dict(given)
    for column in table.columns:
        if column.name not in values and not column.nullable and column.server_default is None:
            values[column.name] = _something(column.type.python_type)
    return values


def _something(kind: type) -> Any:
    known: dict[type, Any] = {
        datetime: NOW,
        date: NOW.date(),
        dict: {},
        list: [],
        str: "made up",
        bool: True,
        UUID: UUID(int=1),
    }
    return known[kind] if kind in known else [] if kind is object else kind()


def contents(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Every table's rows, ordered by all their columns."""
    metadata = MetaData()
    metadata.reflect(engine)
    found = {}
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            if table.name != "alembic_version":
                rows = connection.execute(table.select()).mappings()
                found[table.name] = sorted((dict(row) for row in rows), key=str)
    return found
