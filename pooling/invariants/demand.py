"""Submissions add up, and each line is one that can be."""

from collections.abc import Iterator

from sqlalchemy import text
from sqlmodel import Session

from pooling.demand.figures import MAX_HIGH, MAX_QUANTITY, MAX_SPEND_MICRO
from pooling.invariants.violation import Violation, shown_id

COUNTS = """
SELECT s.id, s.rows_read, s.rows_refused, s.rows_skipped, s.rows_quarantined, s.lines_made,
    (SELECT count(*) FROM line l WHERE l.submission = s.id) AS lines,
    (SELECT coalesce(sum(l.rows), 0) FROM line l WHERE l.submission = s.id) AS in_lines,
    (SELECT count(*) FROM quarantined_row q WHERE q.submission = s.id AND q.loaded_at IS NULL) AS waiting
FROM submission s ORDER BY s.received_at, s.id
"""
SERIES = """
SELECT series, count(*) AS counted FROM submission WHERE status = 'accepted' AND source IS NULL
GROUP BY series HAVING count(*) > 1 ORDER BY series
"""
LINES = """
SELECT id, quantity, quantity_low, quantity_high, unit_price_eur_micro, earliest_start, latest_start FROM line
WHERE quantity < 1 OR quantity_low > quantity OR quantity_high < quantity OR quantity_low < 0
    OR quantity > :most OR quantity_high > :highest
    OR unit_price_eur_micro < 0 OR unit_price_eur_micro > :spend / nullif(quantity, 0)
    OR earliest_start > latest_start ORDER BY id
"""
BOUNDS = {"most": MAX_QUANTITY, "highest": MAX_HIGH, "spend": MAX_SPEND_MICRO}
FORECASTS = """
SELECT f.source, f.external_id, l.id, l.source AS line_source, l.external_id AS line_external_id
FROM forecast f JOIN line l ON l.id = f.line
WHERE l.source IS NULL OR l.external_id IS NULL OR l.source <> f.source OR l.external_id <> f.external_id
ORDER BY f.source, f.external_id
"""


def submissions(session: Session) -> Iterator[Violation]:
    """A submission's counts are those of its lines and waiting rows, and add up to the rows that were read."""
    for row in session.connection().execute(text(COUNTS)):
        place = f"submission {shown_id(row.id)}"
        if row.lines != row.lines_made:
            yield Violation(place, f"{row.lines} lines are stored, it says {row.lines_made}")
        if row.waiting != row.rows_quarantined:
            yield Violation(place, f"{row.waiting} rows wait, it says {row.rows_quarantined}")
        total = row.in_lines + row.rows_refused + row.rows_skipped + row.rows_quarantined
        if total != row.rows_read:
            yield Violation(place, f"{row.rows_read} rows were read, {total} are in lines, refused, skipped or waiting")
    for row in session.connection().execute(text(SERIES)):
        yield Violation(f"series {row.series}", f"{row.counted} submissions count at once; one of a series may")


def lines(session: Session) -> Iterator[Violation]:
    """A line's quantity lies within its range and, as its spend, below what any demand can be; its window ends after it
    begins; a forecast has its own line."""
    for row in session.connection().execute(text(LINES), BOUNDS):
        window = f"{row.earliest_start} to {row.latest_start}"
        figures = f"quantity {row.quantity} in {row.quantity_low} to {row.quantity_high}"
        yield Violation(f"line {row.id}", f"{figures}, price {row.unit_price_eur_micro}, window {window}: cannot be")
    for row in session.connection().execute(text(FORECASTS)):
        other = f"{row.line_source}/{row.line_external_id}"
        yield Violation(f"forecast {row.source}/{row.external_id}", f"its line {row.id} is of {other}")
