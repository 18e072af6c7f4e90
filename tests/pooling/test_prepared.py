"""Prepared queries give what the same query gives in a session; a look is one view, and a lost connection is told."""

from datetime import date

import pytest
from sqlalchemy import Engine, Select, bindparam, select, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

from pooling.database import connect, reading, transaction
from pooling.looking import looking
from pooling.prepared import MOST_SHAPES, Prepared
from pooling.reference import service as reference
from tests import copies


@pytest.fixture
def filled(engine: Engine) -> Engine:
    copies.install_reference(engine)
    return engine


def _participants(*, countries: int) -> Select[tuple[str, str, date | None, bool]]:
    table = SQLModel.metadata.tables["participant"]
    wanted = select(table.c.code, table.c.country, table.c.valid_to, (table.c.country == "SE").label("swedish"))
    marks = [bindparam(f"one_of_{place}") for place in range(countries)]
    return wanted.where(table.c.country.in_(marks)).order_by(table.c.code).limit(bindparam("fetch"))


def test_rows_are_those_of_a_session_each_value_as_its_column_has_it(filled: Engine) -> None:
    prepared = Prepared(_participants)
    values = {"one_of_0": "SE", "one_of_1": "DK", "fetch": 500}
    with looking(filled) as look:
        found = prepared.rows(look, values, countries=2)
        again = prepared.rows(look, values, countries=2)
        fewer = prepared.rows(look, {"one_of_0": "SE", "fetch": 3}, countries=1)
    with transaction(filled) as session:
        expected = prepared.rows(session, values, countries=2)
    assert found == again == expected
    assert {row[1] for row in found} == {"SE", "DK"}
    assert {type(row[3]) for row in found} == {bool}
    assert date in {type(row[2]) for row in found}
    assert [row[1] for row in fewer] == ["SE"] * 3


def test_no_more_shapes_are_kept_than_it_says(filled: Engine) -> None:
    prepared = Prepared(_participants)
    with looking(filled) as look:
        for count in range(1, MOST_SHAPES + 3):
            values = {f"one_of_{place}": "SE" for place in range(count)}
            assert prepared.rows(look, {**values, "fetch": 1}, countries=count)
    assert len(prepared._ready) <= MOST_SHAPES


def test_a_look_is_one_view_also_as_a_session_and_holds_no_writer_back(filled: Engine) -> None:
    count = "SELECT count(*) FROM criterion_implication"
    with looking(filled) as look:
        before = look.ask(count, ())[0][0][0]
        assert before
        with transaction(filled) as session:
            session.connection().execute(text("DELETE FROM criterion_implication"))
        assert look.ask(count, ())[0][0][0] == before
        assert look.session.connection().execute(text(count)).scalar_one() == before
    with reading(filled) as session:
        assert session.connection().execute(text(count)).scalar_one() == 0


def test_a_connection_comes_back_fit_for_writing(database_url: str) -> None:
    engine = connect(database_url, connections=1)
    for session_too in (False, True):
        with looking(engine) as look:
            look.ask("SELECT 1", ())
            if session_too:
                look.session.connection().execute(text("SELECT 1"))
        with transaction(engine) as session:
            reference.install(session)
    engine.dispose()


def test_a_fault_of_the_driver_is_told_as_a_sessions_and_gives_the_connection_back(database_url: str) -> None:
    engine = connect(database_url, connections=1)
    for _ in range(3):
        with pytest.raises(DBAPIError, match="no_such_table"), looking(engine) as look:
            look.ask("SELECT * FROM no_such_table", ())
    engine.dispose()


def test_what_runs_on_is_broken_off(database_url: str) -> None:
    engine = connect(database_url, statement_time_s=0.2 if database_url.startswith("sqlite") else 1)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(DBAPIError), looking(engine) as look:
        look.ask(endless, ())
    engine.dispose()


def end_all_others(database_url: str) -> None:
    """As a restart of the database does."""
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    engine = connect(database_url)
    with engine.connect() as connection:
        connection.execute(text(f"{ended} AND pid <> pg_backend_pid()"))
    engine.dispose()


def test_connections_that_were_lost_are_replaced(request: pytest.FixtureRequest, database_url: str) -> None:
    if database_url.startswith("sqlite"):
        return  # a file is not lost
    engine = connect(database_url, connections=3)
    others = [engine.raw_connection() for _ in range(2)]
    for each in others:
        each.close()
    with looking(engine) as look:
        own = look.ask("SELECT pg_backend_pid()", ())[0][0][0]
        end_all_others(database_url)
        with pytest.raises(DBAPIError) as told:
            look.ask("SELECT 1", ())
    assert told.value.connection_invalidated
    for _ in range(3):
        with looking(engine) as look:
            assert look.ask("SELECT pg_backend_pid()", ())[0][0][0] != own
    engine.dispose()
