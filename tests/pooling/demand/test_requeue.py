"""Rows that waited for a mapping are loaded into the submission they came with, once."""

from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from pooling.database import reading, transaction
from pooling.demand import service
from pooling.errors import BadInput, NotFound
from tests.pooling.demand.builders import NOW, load, mapping, write_csv

WAITING = [
    {},
    {"Group": "Sprutor", "Quantity": "5"},
    {"Group": "Sprutor", "Unit": "låda", "Quantity": "6"},
    {"Group": "Handskar", "Quantity": "7"},
    {"Unit": "FRP", "Quantity": "8", "Name": "spruta 50-pack"},
]
KNOWN = {"words": {"Sprutor": "insulin-syringes"}}
PACKS = {"words": {"FRP": "pack"}, "patterns": [{"find": r"(?P<n>\d+)-pack"}]}


def test_rows_are_loaded_once_their_words_are_known(ready: Engine, tmp_path: Path) -> None:
    with transaction(ready) as session:
        first = load(session, write_csv(tmp_path / "a.csv", *WAITING), mapping())
        assert first.submission is not None
        assert first.rows_quarantined == 4
    better = mapping(categories=KNOWN, units=PACKS)
    with transaction(ready) as session:
        answer = service.requeue(session, first.submission, better, now=NOW)
    assert (answer.rows_loaded, answer.lines_made, answer.rows_waiting) == (2, 2, 2)
    assert {(each.reason, each.value) for each in answer.waiting} == {
        ("unknown-pack", "låda in syringe"),
        ("unknown-category", "Handskar"),
    }
    with reading(ready) as session:
        lines = service.live_lines(session).sort("row")
        (record,) = service.submissions(session)
    assert lines["row"].to_list() == [2, 3, 6]
    assert lines["quantity"].to_list() == [1000, 5, 400]
    assert lines["submission"].unique().to_list() == [str(first.submission)]
    assert lines["mapping"].n_unique() == 2
    assert (record.rows_read, record.lines_made, record.rows_quarantined) == (5, 3, 2)
    with transaction(ready) as session:
        again = service.requeue(session, first.submission, better, now=NOW)
    assert (again.rows_loaded, again.lines_made, again.rows_waiting) == (0, 0, 2)
    with reading(ready) as session:
        assert service.live_lines(session).height == 3


def test_rows_with_faults_go_on_waiting(ready: Engine, tmp_path: Path) -> None:
    with transaction(ready) as session:
        first = load(session, write_csv(tmp_path / "a.csv", {}, {"Unit": "ask", "Quantity": "2.5"}), mapping())
        assert first.submission is not None
        pairs = {"words": {"ask": "H87"}}
        answer = service.requeue(session, first.submission, mapping(units=pairs), now=NOW)
        assert [(fault.row, fault.code) for fault in answer.faults] == [(3, "not-whole")]
        assert (answer.rows_loaded, answer.rows_waiting) == (0, 1)
        tens = {"words": {"ask": {"pack": 10}}}
        answer = service.requeue(session, first.submission, mapping(units=tens), now=NOW)
        assert (answer.rows_loaded, answer.rows_waiting) == (1, 0)
        assert service.live_lines(session)["quantity"].sort().to_list() == [25, 1000]


def test_rows_may_turn_out_to_be_out_of_scope(ready: Engine, tmp_path: Path) -> None:
    with transaction(ready) as session:
        first = load(session, write_csv(tmp_path / "a.csv", {}, {"Group": "Möbler"}), mapping())
        assert first.submission is not None
        skip = [{"column": "category", "equals": ["Möbler"], "reason": "furniture"}]
        answer = service.requeue(session, first.submission, mapping(skip=skip), now=NOW)
        assert (answer.rows_loaded, answer.rows_skipped, answer.rows_waiting) == (0, 1, 0)
        (record,) = service.submissions(session)
        assert (record.rows_skipped, record.rows_quarantined, record.lines_made) == (1, 0, 1)


def test_grouped_rows_are_grouped_when_they_come_in_later(ready: Engine, tmp_path: Path) -> None:
    grouped = {
        "columns": {"earliest_start": None, "latest_start": None, "date": "Day"},
        "window": {"rule": "date", "flexibility_months": 6},
        "group": {"by": ["participant", "category", "year"]},
    }
    headers = ("Region", "Group", "Name", "Quantity", "Unit", "Price", "Day")
    rows = [{"Day": f"2025-0{month}-01", "Group": "Sprutor"} for month in (1, 2, 3)]
    with transaction(ready) as session:
        first = load(session, write_csv(tmp_path / "a.csv", *rows, headers=headers), mapping(**grouped))
        assert first.submission is not None
        answer = service.requeue(session, first.submission, mapping(**grouped, categories=KNOWN), now=NOW)
        assert (answer.rows_loaded, answer.lines_made, answer.rows_waiting) == (3, 1, 0)
        assert service.live_lines(session).select("row", "rows", "quantity").rows() == [(2, 3, 3000)]


def test_only_a_submission_that_counts_can_be_added_to(ready: Engine, tmp_path: Path) -> None:
    with transaction(ready) as session:
        first = load(session, write_csv(tmp_path / "a.csv", *WAITING), mapping())
        second = load(session, write_csv(tmp_path / "a.csv", *WAITING[:2]), mapping())
        assert first.submission is not None
        with pytest.raises(BadInput, match=f"superseded by {second.submission}"):
            service.requeue(session, first.submission, mapping(categories=KNOWN), now=NOW)
        with pytest.raises(NotFound, match="pooling submissions"):
            service.requeue(session, uuid4(), mapping(), now=NOW)
        assert service.find_submission(session, str(second.submission)[:13]) == second.submission
        for text in ("", "zz"):
            with pytest.raises(NotFound):
                service.find_submission(session, text)
