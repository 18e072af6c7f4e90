"""Cycles stand where their rows say, lines are frozen, versions counted, and a line is one of its successors'."""

from collections.abc import Iterator

from sqlalchemy import text
from sqlmodel import Session

from pooling.invariants.violation import Violation

OPEN = "SELECT code FROM cycle WHERE status = 'open' ORDER BY code"
STEPS = """
SELECT code, status FROM cycle
WHERE (status <> 'announced' AND opened_at IS NULL)
    OR (status IN ('closed', 'planned', 'decided')) <> (closed_at IS NOT NULL)
    OR (status IN ('planned', 'decided')) <> (plan IS NOT NULL) OR (status = 'decided') <> (decided_at IS NOT NULL)
    OR status NOT IN ('announced', 'open', 'closed', 'planned', 'decided')
ORDER BY code
"""
THAWED = """
SELECT c.code, c.status, count(*) AS lines FROM cycle_line l JOIN cycle c ON c.code = l.cycle
WHERE c.status IN ('announced', 'open') GROUP BY c.code, c.status ORDER BY c.code
"""
NUMBERS = """
SELECT series, number, count(*) AS counted FROM submission GROUP BY series, source, number HAVING count(*) > 1
ORDER BY series, number
"""
HANDS = """
SELECT l.id, l.participant FROM line l WHERE EXISTS (SELECT 1 FROM line_succession s WHERE s.line = l.id)
    AND NOT EXISTS (SELECT 1 FROM line_succession s WHERE s.line = l.id AND s.successor = l.participant)
ORDER BY l.id
"""


def cycles(session: Session) -> Iterator[Violation]:
    """At most one cycle is open; each has what its status needs; lines are frozen of closed ones alone."""
    connection = session.connection()
    taking = list(connection.execute(text(OPEN)).scalars())
    if len(taking) > 1:
        yield Violation(f"cycles {', '.join(taking)}", "are open at once; one may be")
    for row in connection.execute(text(STEPS)):
        yield Violation(f"cycle {row.code}", f"is {row.status} without what belongs to it, or with what comes later")
    for row in connection.execute(text(THAWED)):
        yield Violation(f"cycle {row.code}", f"is {row.status} and has {row.lines} frozen lines; a closed one may")
    for row in connection.execute(text(NUMBERS)):
        yield Violation(f"series {row.series}", f"{row.counted} submissions have number {row.number}")
    for row in connection.execute(text(HANDS)):
        yield Violation(f"line {row.id}", f"is {row.participant}'s, who is no successor in its history")
