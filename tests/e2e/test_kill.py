"""kill -9 at any moment of a load or a plan: the database is as before or as after, never between."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from pooling.database import connect, reading, transaction
from tests import copies
from tests.e2e.killing import Target, Victims, kill_at_random
from tests.pooling.demand.builders import ROW
from tests.pooling.planning.demand import small_world

ROWS = 8_000
REGIONS = ("SE-M", "SE-AB", "SE-O", "SE-C", "SE-D", "SE-E", "SE-F")
MAPPING = """
name = "killed"
[columns]
participant = "Region"
category = "Group"
item_name = "Name"
quantity = "Quantity"
unit = "Unit"
unit_price = "Price"
earliest_start = "From"
latest_start = "To"
[constants]
currency = "SEK"
[price]
basis = "ex-vat"
[currency]
day = 2026-10-29
[window]
rule = "columns"
source = "made up"
[uncertainty]
spread = 0.1
"""

State = list[tuple[Any, ...]]


def write_demand(path: Path, quantity: int) -> None:
    """Rows of several participants, some to be flagged, some waiting, some refused."""
    odd = {7: {"Quantity": "-1"}, 8: {"Group": "unknown"}, 9: {"Price": "20"}}
    rows = [
        {**ROW, "Region": REGIONS[k % len(REGIONS)], "Quantity": str(quantity), **odd.get(k % 100, {})}
        for k in range(ROWS)
    ]
    path.write_text("\n".join([";".join(ROW), *(";".join(row.values()) for row in rows)]) + "\n", encoding="utf-8")


class Loads:
    """Two files taken in turn into one series, each replacing the other."""

    def __init__(self, engine: Engine, url: str, folder: Path, *options: str) -> None:
        self._engine = engine
        self._words = ("load", url)
        self._files = (folder / "one.csv", folder / "two.csv")
        self._mapping = folder / "mapping.toml"
        self._options = options
        self._mapping.write_text(MAPPING, encoding="utf-8")
        for quantity, path in enumerate(self._files, start=1):
            write_demand(path, quantity)

    def target(self) -> Target[State]:
        return Target(words=self.words, state=self.state, expected=self.expected, consistent=self.consistent)

    def _file(self, cycle: int) -> Path:
        """The file that does not count now, so that there is always work to do."""
        accepted = [row[2] for row in self.state() if row[1] == "accepted"]
        return self._files[1 if accepted == [self._files[0].name] else 0]

    def words(self, cycle: int) -> list[str]:
        return [*self._words, str(self._file(cycle)), str(self._mapping), *self._options]

    def rows(self, query: str) -> State:
        with reading(self._engine) as session:
            return [tuple(row) for row in session.connection().execute(text(query))]

    def state(self) -> State:
        """Every submission with what belongs to it, without ids and times."""
        return self.rows(
            "SELECT s.series, s.status, s.file_name, s.lines_made, s.rows_refused, s.rows_quarantined,"
            " (SELECT count(*) FROM line l WHERE l.submission = s.id),"
            " (SELECT sum(l.quantity) FROM line l WHERE l.submission = s.id),"
            " (SELECT count(*) FROM quarantined_row q WHERE q.submission = s.id),"
            " (SELECT count(*) FROM line_flag f JOIN line l ON f.line = l.id WHERE l.submission = s.id),"
            " s.supersedes IS NOT NULL"
            " FROM submission s ORDER BY s.received_at"
        )

    def expected(self, before: State, cycle: int) -> State:
        """The one that counted is superseded and has no flags; the new one has all of its rows."""
        path = self._file(cycle)
        old = [(row[0], "superseded", *row[2:9], 0, row[10]) for row in before]
        tenths = ROWS // 100
        lines = ROWS - 2 * tenths
        quantity = lines * (1 + self._files.index(path))
        new = ("killed", "accepted", path.name, lines, tenths, tenths, lines, quantity, tenths, tenths, bool(before))
        return [*old, new]

    def consistent(self) -> None:
        """What a submission says of itself is what is there."""
        for row in self.state():
            assert row[3] == row[6], "lines made are not the lines there"
            assert row[5] == row[8], "rows waiting are not the rows there"
            assert row[3] + row[4] + row[5] == ROWS, "rows do not add up"
        accepted = self.rows("SELECT series, count(*) FROM submission WHERE status = 'accepted' GROUP BY series")
        assert all(count == 1 for _, count in accepted), "two submissions of a series count"
        replaced = self.rows(
            "SELECT count(*) FROM submission s WHERE s.status = 'superseded' AND s.id NOT IN"
            " (SELECT supersedes FROM submission WHERE supersedes IS NOT NULL)"
        )
        assert replaced == [(0,)], "a submission was superseded by none"
        lost = self.rows("SELECT count(*) FROM line WHERE submission NOT IN (SELECT id FROM submission)")
        assert lost == [(0,)], "lines without a submission"


@pytest.fixture(scope="module")
def victims() -> Iterator[Victims]:
    forking = Victims()
    yield forking
    forking.close()


@pytest.fixture
def prepared(database_url: str) -> Any:
    engine = connect(database_url)
    copies.install_reference(engine)
    yield engine
    engine.dispose()


def test_a_killed_load_leaves_all_or_nothing(
    victims: Victims, prepared: Engine, database_url: str, tmp_path: Path
) -> None:
    outcome = kill_at_random(victims, Loads(prepared, database_url, tmp_path).target(), cycles=5, seed=1)
    assert outcome.total() == 5
    assert outcome["before"] > 0


@pytest.mark.prove
def test_two_hundred_killed_loads_leave_all_or_nothing(
    victims: Victims, prepared: Engine, database_url: str, tmp_path: Path
) -> None:
    outcome = kill_at_random(victims, Loads(prepared, database_url, tmp_path).target(), cycles=200, seed=2)
    assert outcome.total() == 200
    assert min(outcome["before"], outcome["after"]) > 0


def test_with_the_commit_split_in_two_the_same_test_fails(
    victims: Victims, prepared: Engine, database_url: str, tmp_path: Path
) -> None:
    target = Loads(prepared, database_url, tmp_path, "split").target()
    with pytest.raises(AssertionError, match="lines made are not the lines there"):
        kill_at_random(victims, target, cycles=30, seed=3)


class Plans:
    """Plans of the same demand, each with a seed of its own."""

    def __init__(self, engine: Engine, url: str, *options: str) -> None:
        self._engine, self._url, self._options = engine, url, options
        with transaction(engine) as session:
            self._lines = len(small_world(session))

    def target(self) -> Target[State]:
        return Target(words=self.words, state=self.state, expected=self.expected, consistent=self.consistent)

    def words(self, cycle: int) -> list[str]:
        return ["plan", self._url, str(cycle), *self._options]

    def state(self) -> State:
        """Every plan's seed, with how many of the lines it places in pools and how many it leaves out."""
        with reading(self._engine) as session:
            found = session.connection().execute(
                text(
                    "SELECT p.seed, (SELECT count(*) FROM snapshot s WHERE s.id = p.snapshot),"
                    " (SELECT count(*) FROM plan_pool o WHERE o.plan = p.id),"
                    " (SELECT count(*) FROM plan_lot_line l JOIN plan_lot t ON l.lot = t.id"
                    "  JOIN plan_pool o ON t.pool = o.id WHERE o.plan = p.id),"
                    " (SELECT count(*) FROM plan_unpooled_line u WHERE u.plan = p.id)"
                    " FROM plan p ORDER BY p.seed"
                )
            )
            return [tuple(row) for row in found]

    def expected(self, before: State, cycle: int) -> State:
        """One plan more: a pool of five of the lines, as every seed finds."""
        said = (1, 1, 5, 3)
        return sorted([*before, (cycle, *said)])

    def consistent(self) -> None:
        for row in self.state():
            assert row[3] + row[4] == self._lines, "a plan does not place every line"


def test_a_killed_plan_leaves_all_or_nothing(victims: Victims, engine: Engine, database_url: str) -> None:
    outcome = kill_at_random(victims, Plans(engine, database_url).target(), cycles=5, seed=4)
    assert outcome.total() == 5
    assert outcome["before"] > 0


@pytest.mark.prove
def test_two_hundred_killed_plans_leave_all_or_nothing(victims: Victims, engine: Engine, database_url: str) -> None:
    outcome = kill_at_random(victims, Plans(engine, database_url).target(), cycles=200, seed=5)
    assert outcome.total() == 200
    assert min(outcome["before"], outcome["after"]) > 0


def test_with_the_plan_split_in_two_the_same_test_fails(victims: Victims, engine: Engine, database_url: str) -> None:
    with pytest.raises(AssertionError, match="a plan does not place every line"):
        kill_at_random(victims, Plans(engine, database_url, "split").target(), cycles=30, seed=6)
