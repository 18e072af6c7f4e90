"""What is pointed out after a load: rows said twice, windows gone by, old prices, and who took whose lines over."""

from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Engine

from pooling.database import transaction
from pooling.demand import notices, report_file, service
from pooling.demand.results import Loaded, Rehomed
from tests.pooling.demand.builders import NOW, load, mapping, write_csv


def loaded(engine: Engine, path: Path, *rows: dict[str, str | None], **changes: Any) -> Loaded:
    with transaction(engine) as session:
        return load(session, write_csv(path, *rows), mapping(**changes), partial=True)


def test_rows_that_say_the_same_are_pointed_out_and_loaded(ready: Engine, tmp_path: Path) -> None:
    others = [{"Quantity": "7"}, {"Name": "other"}, {"Region": "SE-AB"}]
    answer = loaded(ready, tmp_path / "d.csv", {}, *others, {}, {"Quantity": "7"})
    (warning,) = answer.warnings
    assert warning.startswith("2 rows say the same as an earlier one in every column that is read")
    assert "(row 6 as row 2, row 7 as row 3)" in warning
    assert answer.lines_made == 6
    assert loaded(ready, tmp_path / "e.csv", {}, *others).warnings == ()


def test_only_rows_that_are_loaded_count_as_the_same(ready: Engine, tmp_path: Path) -> None:
    wrong, waiting = {"Quantity": "-1"}, {"Group": "unknown"}
    answer = loaded(ready, tmp_path / "d.csv", {}, wrong, wrong, waiting, waiting, {"Unit": None}, {"Unit": None})
    assert (answer.lines_made, answer.rows_refused, answer.rows_quarantined) == (1, 4, 2)
    assert answer.warnings == ()


def test_a_column_that_tells_rows_apart_settles_it(ready: Engine, tmp_path: Path) -> None:
    headers = ("Region", "Group", "Name", "Quantity", "Unit", "Price", "From", "To", "No")
    path = write_csv(tmp_path / "d.csv", {"No": "1"}, {"No": "2"}, headers=headers)
    with transaction(ready) as session:
        assert len(load(session, path, mapping(), series="a").warnings) == 1
        assert load(session, path, mapping(columns={"external_id": "No"}), series="a").warnings == ()


def test_rows_of_other_batches_are_seen_and_many_are_counted() -> None:
    found = notices.Notices(NOW.date())
    for first in (2, 1002):
        frame = pl.DataFrame({"row": pl.Series(range(first, first + 1000), dtype=pl.UInt32)})
        frame = frame.with_columns(text=(pl.col("row") % 1000).cast(pl.String), blank=pl.lit(None, pl.String))
        found.add(pl.DataFrame(), notices.prints(frame, frame["row"]))
    (warning,) = found.warnings()
    assert warning.startswith("1,000 rows say the same")
    assert "row 1002 as row 2, " in warning
    assert " and others)" in warning


def test_windows_gone_by_and_old_prices_are_pointed_out(ready: Engine, tmp_path: Path) -> None:
    past = {"From": "2024-01", "To": "2026-10"}
    answer = loaded(ready, tmp_path / "d.csv", {}, past, {"From": "2024-01", "To": "2026-11"})
    (warning,) = answer.warnings
    assert warning.startswith("1 line can start only in months before 2026-11 (row 3: up to 2026-10)")
    old = loaded(ready, tmp_path / "e.csv", {}, {"Quantity": "8"}, currency={"day": "2024-10-31"})
    (warning,) = old.warnings
    assert warning.startswith("2 lines have prices of more than 2 years ago (row 2: 2024-10-31, row 3: 2024-10-31)")
    assert loaded(ready, tmp_path / "f.csv", {}, currency={"day": "2024-11-01"}).warnings == ()


def test_lines_of_an_ended_participant_are_said_to_be_its_successors(ready: Engine, tmp_path: Path) -> None:
    rows = [{"Region": "DK-84"}, {"Region": "DK-84", "Quantity": "3"}, {"Region": "DK-85"}, {}]
    answer = loaded(ready, tmp_path / "d.csv", *rows)
    assert answer.rehomed == (Rehomed("DK-84", "DK-OST", 2), Rehomed("DK-85", "DK-OST", 1))
    assert report_file.document(answer)["rehomed"][0] == {"sent_as": "DK-84", "participant": "DK-OST", "lines": 2}


def test_rows_that_waited_are_looked_at_when_they_load(ready: Engine, tmp_path: Path) -> None:
    rows = [{"Group": "Sprutor", "Region": "DK-84"}] * 2
    with transaction(ready) as session:
        first = load(session, write_csv(tmp_path / "d.csv", {}, *rows), mapping())
        assert first.submission is not None
        assert (first.warnings, first.rehomed) == ((), ())
        words = mapping(categories={"words": {"Sprutor": "insulin-syringes"}})
        answer = service.requeue(session, first.submission, words, now=NOW)
    assert answer.rehomed == (Rehomed("DK-84", "DK-OST", 2),)
    assert any("row 4 as row 3" in warning for warning in answer.warnings)
