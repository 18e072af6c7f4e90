"""`pooling check`: a sound database has no violation, and each planted fault is found, by its name and place."""

import re
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text
from sqlmodel import Session, select

from pooling import feed
from pooling.__main__ import pooling
from pooling.access.rules import EVERYONE
from pooling.agreements.service import Ordered, cancel, place_call_off
from pooling.audit import acted
from pooling.database import reading, transaction
from pooling.invariants.commands import CHECKS
from pooling.jobs import enqueue
from pooling.planning import service as planning
from pooling.planning.tables import Plan
from pooling.transactions import written
from tests.pooling.agreements.given import Bought, Given, LotGiven, agreement
from tests.pooling.planning.demand import GLOVES, policy, small_world

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def sound(engine: Engine) -> Engine:
    """Demand, a plan of it, audit entries, changes and jobs, all as the service leaves them."""
    with written(engine, actor=None, now=NOW, operation="tests.fill") as opened:
        session = opened.session
        small_world(session)
        _run(session, "UPDATE submission SET rows_read = 8, lines_made = 8")
        feed.changed(session, "participant", "SE-M", version=1)
        feed.changed(session, "participant", "SE-AB", version=1)
        acted(session, "participants.write", resource=("participant", "SE-M"))
        enqueue(session, "a.b", {}, now=NOW, actor=None)
    planning.make_plan(engine, policy(), now=NOW, effort=planning.Effort(time_limit_s=20))
    with written(engine, actor=None, now=NOW, operation="tests.fill") as opened:
        sold(opened.session)
    return engine


def sold(session: Session) -> None:
    """An agreement, all of one buyer's maximum called off, and a call-off that was cancelled."""
    buyers = {"SE-M": Bought(500_000), "DK-82": Bought(100_000, 200_000)}
    pool = session.connection().execute(text("SELECT id FROM plan_pool")).scalar_one()
    ids = session.connection().execute(text("SELECT id FROM line ORDER BY id")).scalars().all()
    plan = session.exec(select(Plan.id)).one()
    tender = agreement(session, Given((LotGiven(buyers),), pool=(plan, pool), lines=tuple(ids[:2])))
    for quantity, reference in ((200_000, "all of it"), (7, "none")):
        code = "DK-82" if quantity > 7 else "SE-M"
        ordered = Ordered(code, "gloves-green", quantity, reference)
        key = place_call_off(session, tender, ordered, sees=EVERYONE, by=UUID(int=1), now=NOW)
    cancel(session, key, reason="wrong", sees=EVERYONE, by=UUID(int=1), now=NOW, expect=lambda _: None)


def _run(session: Session, statement: str, **values: Any) -> None:
    session.connection().execute(text(statement), values)


def violations(engine: Engine) -> dict[str, list[str]]:
    with reading(engine) as session:
        found = {name: [f"{each.place}: {each.message}" for each in look(session)] for name, look in CHECKS.items()}
    return {name: said for name, said in found.items() if said}


def test_a_sound_database_has_no_violation(sound: Engine) -> None:
    assert violations(sound) == {}
    with reading(sound) as session:
        tables = ("plan_lot_line", "plan_unpooled_line", "audit_entry", "feed_entry", "job", "line")
        counts = {name: session.connection().execute(text(f"SELECT count(*) FROM {name}")).scalar() for name in tables}
    assert all(counts.values()), f"nothing to look at: {counts}"


def statement(words: str) -> Callable[[Session], None]:
    return lambda session: _run(session, words)


def other_instance(session: Session) -> None:
    found = session.connection().execute(text("SELECT instance FROM snapshot")).scalar_one()
    changed = zlib.decompress(found).replace(b'"quantity":900000', b'"quantity":900001')
    _run(session, "UPDATE snapshot SET instance = :changed", changed=zlib.compress(changed))


def other_document(session: Session) -> None:
    found = session.connection().execute(text("SELECT document FROM plan")).scalar_one()
    changed = re.sub(rb'"lead":"[^"]+"', b'"lead":"IS"', zlib.decompress(found))
    _run(session, "UPDATE plan SET document = :changed", changed=zlib.compress(changed))


def orphan(session: Session) -> None:
    if session.connection().dialect.name == "postgresql":
        _run(session, "ALTER TABLE line DROP CONSTRAINT fk_line_category_category")
    else:
        driver: Any = session.connection().connection.dbapi_connection
        driver.execute("COMMIT")
        driver.execute("PRAGMA foreign_keys = OFF")
        driver.execute("BEGIN IMMEDIATE")
    _run(session, "UPDATE line SET category = 'no-such-thing' WHERE participant = 'IS'")


ROW = (
    "('{0}', 1, 'made up', 'UTC', '2026-11-01', '2026-11-30', '2026-12-01', '2026-12-02', 'joint', '{1}',"
    " '2026-11-01', '2026-11-01', {2})"
)
CYCLE = (
    "INSERT INTO cycle (code, version, name, time_zone, opens_on, closes_on, plan_by, decide_by, depth, status,"
    f" announced_at, opened_at, closed_at) VALUES {ROW}"
)


OPEN_CYCLE = ("a", "open", "NULL")


def frozen_while_open(session: Session) -> None:
    _run(session, CYCLE.format(*OPEN_CYCLE))
    _run(session, "INSERT INTO cycle_line (cycle, line) SELECT 'a', min(id) FROM line")


def handed_over(session: Session) -> None:
    _run(
        session,
        "INSERT INTO line_succession (line, ended, successor, at)"
        " SELECT min(id), 'FO', 'SE-M', '2026-11-22' FROM line WHERE participant = 'FO'",
    )


PLANTED: dict[str, list[tuple[Callable[[Session], None], str]]] = {
    "references": [
        (orphan, r"^line \d+: category no-such-thing: no such category"),
        (statement("UPDATE submission SET mapping_sha256 = 'x'"), "mapping_sha256 x: no such mapping_version"),
        (statement("UPDATE submission SET cycle = 'x'"), "cycle x: no such cycle"),
    ],
    "submissions": [
        (statement("UPDATE submission SET lines_made = 9"), "^submission [0-9a-f-]{36}: 8 lines are stored, it says 9"),
        (statement("UPDATE submission SET rows_read = 9"), "9 rows were read, 8 are in lines"),
        (statement("UPDATE submission SET rows_quarantined = 1, rows_read = 9"), "0 rows wait, it says 1"),
        (
            statement(
                "INSERT INTO submission (id, series, status, file_name, file_sha256, file_bytes, mapping_name,"
                " mapping_sha256, received_at, rows_read, lines_made, rows_refused, rows_skipped, rows_quarantined,"
                " report) SELECT '" + "0" * 31 + "1', series, status, file_name, file_sha256, file_bytes, mapping_name,"
                " mapping_sha256, received_at, 0, 0, 0, 0, 0, report FROM submission"
            ),
            "^series all: 2 submissions count at once",
        ),
    ],
    "lines": [
        (
            statement("UPDATE line SET quantity_low = quantity + 1 WHERE participant = 'FO'"),
            r"^line \d+: quantity 50000",
        ),
        (
            statement("UPDATE line SET quantity_high = 10808639105689191 WHERE participant = 'FO'"),
            r"^line \d+: quantity 50000 in \d+ to 10808639105689191",
        ),
        (
            statement("UPDATE line SET quantity = 1000000000001, quantity_high = 1000000000001"),
            r"^line \d+: quantity 1000000000001",
        ),
        (
            statement("UPDATE line SET unit_price_eur_micro = 20000000000001 WHERE participant = 'FO'"),
            r"^line \d+: quantity 50000 .* price 20000000000001",
        ),
        (statement("UPDATE line SET latest_start = '2020-01' WHERE participant = 'FO'"), "window 2027-12 to 2020-01"),
        (
            statement(
                "INSERT INTO forecast (source, external_id, version, line, document, changed_at)"
                " SELECT 'erp', '7', 1, min(id), '{}', '2026-11-22' FROM line"
            ),
            "^forecast erp/7: its line",
        ),
    ],
    "cycles": [
        (statement(", ".join([CYCLE.format(*OPEN_CYCLE), ROW.format("b", *OPEN_CYCLE[1:])])), "^cycles a, b: are open"),
        (statement(CYCLE.format("a", "closed", "NULL")), "^cycle a: is closed without"),
        (statement(CYCLE.format("a", "open", "'2026-11-22'")), "^cycle a: is open without what belongs to it, or with"),
        (frozen_while_open, "^cycle a: is open and has 1 frozen lines"),
        (handed_over, r"^line \d+: is FO's, who is no successor"),
        (
            statement(
                "INSERT INTO submission (id, series, status, file_name, file_sha256, file_bytes, mapping_name,"
                " mapping_sha256, received_at, rows_read, lines_made, rows_refused, rows_skipped, rows_quarantined,"
                " report) SELECT '" + "0" * 31 + "1', series, 'superseded', file_name, file_sha256, file_bytes,"
                " mapping_name, mapping_sha256, received_at, 0, 0, 0, 0, 0, report FROM submission"
            ),
            "^series all: 2 submissions have number 1",
        ),
    ],
    "snapshots": [
        (other_instance, "^snapshot [0-9a-f]{64}: its content has the hash"),
        (statement("""UPDATE snapshot SET context = '{"a": 1}'"""), "not what was frozen"),
    ],
    "plans": [
        (other_document, "^plan .*: its pools, lots and lines are not those"),
        (statement("UPDATE plan SET objective_eur = objective_eur + 1"), "objective_eur is"),
        (statement("UPDATE plan_pool SET start = '2028-02'"), "its pools, lots and lines are not those"),
        (statement("DELETE FROM plan_lot_line WHERE line = (SELECT min(line) FROM plan_lot_line)"), "not those of"),
        (statement("UPDATE plan_pool SET members = 'IS'"), r"members \['IS'\], its lines are of \['DK-OST', 'FO'"),
        (statement("""UPDATE plan SET totals = '{"lines": 1}'"""), "^plan .*: totals are "),
        (statement("UPDATE plan_unpooled_line SET reason = 'no_offer'"), "the reason is no_offer"),
    ],
    "pools": [
        (statement("UPDATE plan_lot SET quantity = quantity + 1"), "^plan .* pool .* lot .*its lines sum up to"),
        (statement("UPDATE plan_pool SET lots = 7"), "lots 7, its lines come to 1"),
        (statement("UPDATE plan_pool SET lines = 7"), "lines 7, its lines come to 5"),
        (statement("UPDATE plan_pool SET spend_eur_per_year = spend_eur_per_year + 1"), "spend a year EUR"),
    ],
    "tenders": [
        (statement("UPDATE tender_lot SET quantity = quantity + 1"), r"^tender .* lot \d+ \(gloves-green\): quantity"),
        (statement("UPDATE tender_line SET stands = (1 = 0) WHERE participant = 'SE-M'"), "lines sum up to 100000"),
        (
            statement("UPDATE tender_member_lot SET quantity = 1 WHERE participant = 'SE-M'"),
            "SE-M: quantity 1, its lines sum up to 500000",
        ),
        (
            statement("UPDATE tender_line SET participant = 'FO' WHERE participant = 'SE-M'"),
            "FO: has lines and no place in the lot",
        ),
        (statement("UPDATE tender_member SET participant = 'FO' WHERE participant = 'SE-M'"), "SE-M: is no member"),
        (statement("UPDATE tender SET lead = 'IS'"), "its lead IS is no member"),
    ],
    "call-offs": [
        (
            statement("UPDATE call_off SET quantity = quantity + 1"),
            "DK-82: 200001 are called off, the maximum is 200000",
        ),
        (statement("UPDATE tender_lot SET maximum_quantity = 199999"), r"lot \d+: 200000 are called off"),
        (statement("UPDATE call_off SET value_eur_micro = value_eur_micro + 5000"), "DK-82: 10000005000 millionths"),
        (statement("UPDATE call_off SET made_on = '2026-10-31'"), "^call-off .*: made on 2026-10-31, the term is"),
        (statement("UPDATE call_off SET made_on = '2028-11-01'"), "up to, not including, 2028-11-01"),
        (statement("UPDATE call_off SET participant = 'FO'"), "FO has no place in lot"),
        (statement("UPDATE call_off SET cancelled_by = NULL"), "cancelled without saying by whom"),
        (statement("UPDATE tender SET status = 'confirmed'"), "its tender is confirmed"),
    ],
    "audit": [
        (statement("UPDATE audit_entry SET principal = 'somebody' WHERE position = 1"), "^audit: entry 1 was changed"),
        (statement("DELETE FROM audit_entry WHERE position = 1"), "^audit: "),
    ],
    "feed": [
        (statement("DELETE FROM feed_entry WHERE position = 2"), "^feed: 1 entries are missing"),
        (statement("UPDATE feed_head SET position = position + 1"), "the head is at"),
    ],
    "jobs": [
        (statement("UPDATE job SET status = 'resting'"), r"^job [0-9a-f-]{36} \(a\.b\): status 'resting'"),
        (statement("UPDATE job SET status = 'running'"), "running, without owner"),
        (statement("UPDATE job SET status = 'failed'"), "failed, without end"),
        (statement("UPDATE job SET owner = 'x'"), "queued, with owner and without lease"),
        (statement("UPDATE job SET attempts = 6"), "6 attempts of at most 5"),
    ],
}


def test_every_invariant_has_planted_faults() -> None:
    assert set(PLANTED) == set(CHECKS)


def test_each_planted_fault_is_found_with_its_place(sound: Engine) -> None:
    for name, faults in PLANTED.items():
        for plant, said in faults:
            found = planted(sound, plant, name)
            assert any(re.search(said, each) for each in found), (name, said, found)
    assert violations(sound) == {}, "a planted fault was not taken back"


def planted(engine: Engine, plant: Callable[[Session], None], name: str) -> list[str]:
    """What the check says with the fault in the database; the fault is taken back."""
    with engine.connect() as connection, Session(connection) as session:
        plant(session)
        session.flush()
        found = [f"{each.place}: {each.message}" for each in CHECKS[name](session)]
        session.rollback()
        connection.invalidate()
    if plant is orphan:
        with transaction(engine) as session:
            _run(session, f"UPDATE line SET category = '{GLOVES}' WHERE participant = 'IS'")
    return found


def test_the_command_tells_each_violation_in_a_line_and_by_its_exit_code(sound: Engine, database_url: str) -> None:
    sound.dispose()
    words = ["--database", database_url, "check"]
    whole = CliRunner().invoke(pooling, words)
    assert (whole.exit_code, whole.stdout) == (0, "")
    assert f"{len(CHECKS)} invariants looked at, 0 violations" in whole.stderr
    with transaction(sound) as session:
        _run(session, "UPDATE submission SET rows_read = 9")
    broken = CliRunner().invoke(pooling, words)
    assert broken.exit_code == 1
    assert re.fullmatch(r"submissions: submission \S+: 9 rows were read, 8 are in lines.*\n", broken.stdout)
    other = CliRunner().invoke(pooling, [*words, "--only", "feed"])
    assert other.exit_code == 0
