"""The audit's chain: whole, and every change, removal and insertion found; reads sealed; the oldest part cut off."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from pooling import audit, audit_chain
from pooling.database import reading, transaction
from pooling.deeds import Deed
from pooling.transactions import written

NOW = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


def fill(engine: Engine, count: int = 5, *, now: datetime = NOW) -> None:
    for number in range(count):
        with written(engine, actor="principal-1", now=now, operation="offers.write", request="r") as opened:
            audit.acted(
                opened.session,
                "offers.write",
                resource=("offer", f"o{number}"),
                details={"fields": ["å", "ß"], "count": number, "well": True, "none": None},
                participants=["SE-M", "DK-84"],
            )


def verified(engine: Engine) -> audit_chain.Verified:
    with reading(engine) as session:
        return audit_chain.verify(session)


def do(engine: Engine, statement: str) -> None:
    with transaction(engine) as session:
        assert session.connection().execute(text(statement)).rowcount > 0


def test_an_empty_ledger_holds(engine: Engine) -> None:
    assert verified(engine) == audit_chain.Verified(0, 0, 0, audit.FIRST, ())


def test_an_untouched_chain_holds_and_says_who_did_what(engine: Engine) -> None:
    fill(engine)
    found = verified(engine)
    assert (found.entries, found.position, found.faults) == (5, 5, ())
    with reading(engine) as session:
        entry = session.get_one(audit.AuditEntry, 3)
        assert (entry.principal, entry.operation, entry.request) == ("principal-1", "offers.write", "r")
        assert (entry.at, entry.resource_type, entry.resource_id) == (NOW, "offer", "o2")
        assert entry.participants == ["DK-84", "SE-M"]
        assert entry.details["fields"] == ["å", "ß"]


def test_a_transaction_without_an_entry_of_its_own_gets_one(engine: Engine) -> None:
    with written(engine, actor=None, now=NOW, operation="demand.load"):
        pass
    with reading(engine) as session:
        entry = session.get_one(audit.AuditEntry, 1)
        assert (entry.principal, entry.operation) == ("service", "demand.load")


def test_nothing_is_entered_by_what_fails(engine: Engine) -> None:
    def fail() -> None:
        with written(engine, actor=None, now=NOW):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert verified(engine).position == 0


CHANGES = {
    "the operation": "UPDATE audit_entry SET operation = 'offers.read' WHERE position = 3",
    "the principal": "UPDATE audit_entry SET principal = 'principal-2' WHERE position = 3",
    "the resource": "UPDATE audit_entry SET resource_id = 'x' WHERE position = 3",
    "the request": "UPDATE audit_entry SET request = '' WHERE position = 3",
    "the participants": """UPDATE audit_entry SET participants = '["DK-84"]' WHERE position = 3""",
    "the details": """UPDATE audit_entry SET details = '{}' WHERE position = 3""",
    "the first": "UPDATE audit_entry SET request = 'x' WHERE position = 1",
    "the last": "UPDATE audit_entry SET request = 'x' WHERE position = 5",
    "the link": "UPDATE audit_entry SET previous = hash WHERE position = 3",
}


@pytest.mark.parametrize("place", CHANGES)
def test_a_changed_entry_is_found(engine: Engine, place: str) -> None:
    fill(engine)
    do(engine, CHANGES[place])
    assert any("was changed" in fault for fault in verified(engine).faults)


def test_a_changed_time_is_found(engine: Engine) -> None:
    fill(engine)
    with transaction(engine) as session:
        session.get_one(audit.AuditEntry, 2).at = NOW + timedelta(microseconds=1)
    assert verified(engine).faults == ("audit: entry 2 was changed: its hash is not that of its content",)


@pytest.mark.parametrize(("position", "said"), [(1, "follows 0"), (3, "follows 2"), (5, "ends at entry 4")])
def test_a_removed_entry_is_found(engine: Engine, position: int, said: str) -> None:
    fill(engine)
    do(engine, f"DELETE FROM audit_entry WHERE position = {position}")
    assert said in str(verified(engine).faults)


def test_an_inserted_entry_is_found_even_with_a_hash_of_its_own(engine: Engine) -> None:
    fill(engine)
    with transaction(engine) as session:
        for position in (5, 4):
            moved = f"UPDATE audit_entry SET position = position + 1 WHERE position = {position}"
            session.connection().execute(text(moved))
        before = session.get_one(audit.AuditEntry, 3)
        row = {
            "position": 4,
            "at": NOW,
            "principal": "planted",
            "operation": "offers.write",
            "request": "",
            "resource_type": None,
            "resource_id": None,
            "participants": [],
            "details": {},
            "previous": before.hash,
        }
        session.add(audit.AuditEntry(**row, hash=audit.hash_of(row)))
        session.flush()
        session.connection().execute(text("UPDATE audit_head SET position = 6"))
    assert any("entry 5 does not continue entry 4" in fault for fault in verified(engine).faults)


def test_a_ledger_emptied_without_a_trace_is_found(engine: Engine) -> None:
    fill(engine)
    do(engine, "DELETE FROM audit_entry")
    assert verified(engine).faults


def test_the_chain_is_one_under_eight_writers(engine: Engine) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: fill(engine, 6), range(8)))
    found = verified(engine)
    assert (found.entries, found.position, found.faults) == (48, 48, ())


@pytest.mark.parametrize("details", [{"price": 1.5}, {"a": [{"b": 0.1}]}, {"when": NOW}, {"raw": b"x"}])
def test_details_are_words_and_whole_numbers_only(engine: Engine, details: dict[str, object]) -> None:
    with transaction(engine) as session, pytest.raises(TypeError, match="details hold"):
        audit.acted(session, "offers.write", details=details)


def read_something(engine: Engine, count: int) -> None:
    with transaction(engine) as session:
        for number in range(count):
            deed = Deed("planner-1", "lines.list", NOW, f"request-{number}")
            audit.read(session, deed, path="/v1/lines", participants={"SE-M", "NO-HN"})


def seal(engine: Engine, limit: int = 10_000) -> int:
    with written(engine, actor=None, now=NOW, operation="audit.seal") as opened:
        return audit_chain.seal(opened.session, now=NOW, limit=limit)


def test_reads_are_sealed_in_batches_each_once(engine: Engine) -> None:
    read_something(engine, 5)
    assert [seal(engine, 3), seal(engine, 3), seal(engine, 3)] == [3, 2, 0]
    found = verified(engine)
    assert (found.reads, found.faults) == (5, ())
    with reading(engine) as session:
        sealed = session.connection().execute(text("SELECT sealed FROM read_entry ORDER BY id")).scalars().all()
        assert sealed == [1, 1, 1, 2, 2]
        assert session.get_one(audit.ReadEntry, 1).participants == ["NO-HN", "SE-M"]


def test_two_that_seal_at_once_seal_nothing_twice(engine: Engine) -> None:
    read_something(engine, 40)
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: seal(engine, 25), range(4)))
    assert sorted(counts) == [0, 0, 15, 25]
    assert verified(engine).faults == ()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM read_entry WHERE id = 2",
        """UPDATE read_entry SET participants = '["SE-M"]' WHERE id = 2""",
        "UPDATE read_entry SET principal = 'x' WHERE id = 2",
        "UPDATE read_entry SET sealed = NULL WHERE id = 2",
        "UPDATE read_entry SET sealed = 7 WHERE id = 2",
        "UPDATE read_entry SET path = '/' WHERE id = 2",
    ],
)
def test_a_changed_or_removed_read_is_found(engine: Engine, statement: str) -> None:
    read_something(engine, 3)
    seal(engine)
    do(engine, statement)
    assert any("reads" in fault for fault in verified(engine).faults)


def cut(engine: Engine, before: datetime) -> int:
    with written(engine, actor=None, now=NOW, operation="audit.cut") as opened:
        return audit_chain.cut(opened.session, before=before, now=NOW)


def aged(engine: Engine) -> None:
    """Three old entries, the last of which seals a read; then three new ones."""
    fill(engine, 2, now=NOW - timedelta(days=800))
    with transaction(engine) as session:
        audit.read(session, Deed("p", "lines.list", NOW - timedelta(days=801)), path="/", participants=["SE-M"])
    with written(engine, actor=None, now=NOW - timedelta(days=800)) as opened:
        audit_chain.seal(opened.session, now=NOW - timedelta(days=800))
    fill(engine, 3)


def test_the_oldest_part_can_be_cut_off_and_the_rest_still_holds(engine: Engine) -> None:
    aged(engine)
    assert cut(engine, NOW - timedelta(days=900)) == 0
    assert cut(engine, NOW - timedelta(days=365)) == 3
    found = verified(engine)
    assert (found.entries, found.reads, found.faults) == (5, 0, ())  # the cut that found nothing left an entry too
    fill(engine)
    assert cut(engine, NOW + timedelta(days=1)) == 10
    assert verified(engine).faults == ()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_entry WHERE position = 4",
        "UPDATE audit_head SET cut_position = 4",
        "UPDATE audit_head SET cut_hash = hash",
    ],
)
def test_a_cut_that_nobody_told_is_found(engine: Engine, statement: str) -> None:
    aged(engine)
    cut(engine, NOW - timedelta(days=365))
    do(engine, statement)
    assert verified(engine).faults


def test_entries_removed_as_if_they_had_been_cut_are_found(engine: Engine) -> None:
    fill(engine)
    with reading(engine) as session:
        hashed = session.get_one(audit.AuditEntry, 2).hash
    do(engine, "DELETE FROM audit_entry WHERE position <= 2")
    do(engine, f"UPDATE audit_head SET cut_position = 2, cut_hash = '{hashed}'")
    assert verified(engine).faults == ("audit: entries up to 2 are gone, and no entry says that they were cut",)


def test_the_hash_of_an_entry_is_the_documented_one() -> None:
    row = {"position": 1, "at": NOW, "details": {"b": 1, "a": "ü"}, "hash": "not counted"}
    assert audit.hash_of(row) == audit.digest(
        {"position": 1, "at": "2026-11-22T12:00:00.123456Z", "details": {"a": "ü", "b": 1}}
    )
    assert audit.digest({"a": 1}) == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"


def test_a_broken_chain_is_told_by_its_first_breaks(engine: Engine) -> None:
    fill(engine, 30)
    do(engine, "UPDATE audit_entry SET principal = 'x'")
    assert len(verified(engine).faults) == audit_chain.MOST_FAULTS
