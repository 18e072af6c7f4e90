"""Which states of tenders and cycles there can be, beside the steps that lead to them: for random walks."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from pooling.cycles.rules import DEPTHS
from tests.e2e.workflow.model import FROZEN, OPEN, rows_of

STANDING = ("invited", *FROZEN)
DEEP = [str(depth) for depth in DEPTHS]


def check_states(run: Connection) -> None:
    """Nothing there contradicts itself, and no two things that stand are in each other's way."""
    opened = [code for code, status in rows_of(run, "cycle", "code", "status") if status == "open"]
    assert len(opened) <= 1, f"cycles {opened} are open"
    members: dict[UUID, dict[str, Any]] = {}
    for row in rows_of(run, "tender_member", "tender", "participant", "role", "answer"):
        members.setdefault(row.tender, {})[row.participant] = row
    tenders = {row.id: row for row in rows_of(run, "tender")}
    for key, row in tenders.items():
        _check_tender(row, members[key])
    _check_apart(run, tenders, members)


def _check_tender(row: Any, members: dict[str, Any]) -> None:
    place = f"tender {row.id}, which is {row.status}"
    leads = [code for code, each in members.items() if each.role == "lead"]
    assert leads == [row.lead], f"{place}, is led by {row.lead}, its members say {leads}"
    assert DEEP.index(row.depth) <= DEEP.index(row.deepest), f"{place}, goes as deep as {row.depth} of {row.deepest}"
    asked, answers = row.invited_at is not None, {code: each.answer for code, each in members.items()}
    assert asked == (row.answers_due is not None), f"{place}: asked {row.invited_at}, due {row.answers_due}"
    assert asked or set(answers.values()) <= {"none", "declined"} or row.status != "proposed", f"{place}: {answers}"
    assert (row.frozen_at is not None) == (row.status in FROZEN), f"{place}, was frozen at {row.frozen_at}"
    assert (row.handed_over_at is not None) == (row.status == "handed-over"), f"{place}: {row.handed_over_at}"
    assert (row.ended_at is None) == (row.status in (*OPEN, *FROZEN)), f"{place}, ended at {row.ended_at}"
    if row.status in FROZEN:
        assert set(answers.values()) <= {"committed", "declined"}, f"{place}: {answers}"
        assert answers[row.lead] == "committed", f"{place}: its lead {row.lead} has {answers[row.lead]}"


def _check_apart(run: Connection, tenders: dict[UUID, Any], members: dict[UUID, dict[str, Any]]) -> None:
    """A line is in one tender that stands at most, and one such tender is at a family's start."""
    standing = {key: row for key, row in tenders.items() if row.status in STANDING}
    places: dict[Any, UUID] = {}
    for key, row in standing.items():
        other = places.setdefault((row.family, row.start), key)
        assert other == key, f"tenders {key} and {other} stand for {row.family} from {row.start}"
    of = {key: tender for key, tender in rows_of(run, "tender_lot", "id", "tender") if tender in standing}
    held: dict[int, UUID] = {}
    for lot, line, code, stands in rows_of(run, "tender_line", "lot", "line", "participant", "stands"):
        if lot in of and stands and members[of[lot]][code].answer != "declined":
            other = held.setdefault(line, of[lot])
            assert other == of[lot], f"line {line} is in tenders {other} and {of[lot]}, which both stand"
