"""Submissions that were there before versions were counted get the numbers they would have had."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine, MetaData, text

from pooling.schema import migrate
from tests.pooling.test_migrations import empty, made_up

__all__ = ["empty"]
FIRST = datetime(2026, 10, 1, tzinfo=UTC)
GIVEN = (("a", None, 3), ("b", None, 2), ("a", None, 1), ("a", "a", 2), ("a", "a", 4), ("a", None, 3))
"""Series, the system whose forecasts they are, and the day they came in."""


def test_versions_are_counted_in_the_order_they_came_in(empty: Engine) -> None:
    migrate(empty, "0002")
    metadata = MetaData()
    metadata.reflect(empty)
    table = metadata.tables["submission"]
    with empty.begin() as connection:
        for number, (series, source, day) in enumerate(GIVEN):
            key = UUID(int=number)
            given = {
                "id": key.hex if empty.dialect.name == "sqlite" else key,
                "series": series,
                "source": source,
                "received_at": FIRST + timedelta(days=day),
            }
            connection.execute(table.insert().values(made_up(table, given)))
    migrate(empty)
    with empty.connect() as connection:
        wanted = text("SELECT series, source, number, cycle FROM submission ORDER BY id")
        found = [tuple(row) for row in connection.execute(wanted)]
    assert [row[2] for row in found] == [2, 1, 1, 1, 2, 3]
    assert {row[3] for row in found} == {None}
