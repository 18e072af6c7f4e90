"""Loading a file: one submission, all or nothing, traceable to file, row and mapping."""

import hashlib
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlmodel import Session

from pooling.database import reading, transaction
from pooling.demand import intake, service, store
from pooling.demand.results import LoadRefused
from pooling.errors import BadSetting, FileRefused
from pooling.reference.tables import Participant
from tests.pooling.demand.builders import NOW, load, mapping, participant, write_csv

SAME_CATEGORY = ["SE-M", "SE-AB", "SE-O", "SE-C", "SE-D", "SE-E"]


def rows_of(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    with reading(engine) as session:
        return [tuple(row) for row in session.connection().execute(text(query))]


def counts(engine: Engine) -> tuple[int, ...]:
    tables = ("submission", "line", "quarantined_row", "line_flag", "mapping_version")
    return tuple(rows_of(engine, f"SELECT count(*) FROM {table}")[0][0] for table in tables)


def test_every_line_is_traceable(ready: Engine, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "demand.csv", {}, {"Region": "DK-84", "Unit": "dozen", "Price": "15.00"})
    chosen = mapping()
    with transaction(ready) as session:
        answer = load(session, path, chosen)
    assert (answer.rows_read, answer.lines_made, answer.rows_refused, answer.rows_quarantined) == (2, 2, 0, 0)
    with reading(ready) as session:
        lines = {line["row"]: line for line in service.live_lines(session).to_dicts()}
        (record,) = service.submissions(session)
    line = lines[3]
    assert line["submission"] == str(answer.submission) == str(record.id)
    assert (line["participant"], line["sent_as"]) == ("DK-OST", "DK-84")
    assert (line["quantity"], line["quantity_low"], line["quantity_high"]) == (12_000, 10_800, 13_200)
    assert line["unit_price_micro"] == 1_250_000
    assert line["unit_price_eur_micro"] == round(1_250_000 * 10**6 / line["exchange_rate_micro"])
    assert line["exchange_rate_date"] == date(2026, 10, 29)
    assert (line["original_quantity"], line["original_unit"], line["original_price"]) == ("1000", "dozen", "15.00")
    assert (line["earliest_start"], line["latest_start"]) == ("2027-04", "2028-03")
    assert line["window_source"] == "the test's own words"
    assert record.file_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert record.mapping_sha256 == chosen.sha256
    assert record.received_at == NOW
    assert rows_of(ready, "SELECT id, sha256 FROM mapping_version") == [(line["mapping"], chosen.sha256)]


def test_a_fault_refuses_the_file_and_nothing_is_stored(ready: Engine, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "demand.csv", {}, {"Quantity": "-1"}, {"Group": "unknown"}, {"Price": None})
    with pytest.raises(LoadRefused, match="2 of 4 rows") as refused, transaction(ready) as session:
        load(session, path, mapping())
    found = refused.value.loaded
    assert [(fault.row, fault.column, fault.code) for fault in found.faults] == [
        (3, "Quantity", "negative"),
        (5, "Price", "missing-figure"),
    ]
    assert found.refused == {"negative": 1, "missing-figure": 1}
    assert found.submission is None
    assert counts(ready) == (0, 0, 0, 0, 0)


def test_good_rows_are_kept_on_demand(ready: Engine, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "demand.csv", {}, {"Quantity": "-1"}, {"Group": "unknown"}, {"Price": None})
    with transaction(ready) as session:
        found = load(session, path, mapping(), partial=True)
    assert (found.rows_read, found.lines_made, found.rows_refused, found.rows_quarantined) == (4, 1, 2, 1)
    assert "row 3, Quantity, '-1': negative; send demand" in str(found.faults[0])
    assert counts(ready)[:3] == (1, 1, 1)
    with reading(ready) as session:
        (record,) = service.submissions(session)
    assert (record.rows_read, record.lines_made, record.rows_refused, record.rows_quarantined) == (4, 1, 2, 1)


def test_a_file_without_a_single_line_never_replaces_anything(ready: Engine, tmp_path: Path) -> None:
    with transaction(ready) as session:
        load(session, write_csv(tmp_path / "good.csv", {}), mapping())
    bad = write_csv(tmp_path / "bad.csv", {"Quantity": "-1"})
    with pytest.raises(LoadRefused, match="of 1 row none became a line"), transaction(ready) as session:
        load(session, bad, mapping(), partial=True)
    with reading(ready) as session:
        assert service.live_lines(session).height == 1


def test_a_file_whose_every_row_waits_does_not_retire_live_demand(ready: Engine, tmp_path: Path) -> None:
    with transaction(ready) as session:
        load(session, write_csv(tmp_path / "good.csv", {}), mapping())
    before = counts(ready)

    def retire() -> None:
        with transaction(ready) as session:
            load(session, write_csv(tmp_path / "typo.csv", {"Group": "glovez nitrile"}), mapping())

    with pytest.raises(LoadRefused, match="take the place of 1 line of"):
        retire()
    assert counts(ready) == before


def test_the_same_file_again_writes_nothing(ready: Engine, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "demand.csv", {}, {"Group": "unknown"})
    with transaction(ready) as session:
        first = load(session, path, mapping())
    before = counts(ready)
    with transaction(ready) as session:
        again = load(session, path, mapping())
    assert again.already_loaded
    assert again.submission == first.submission
    assert (again.rows_read, again.rows_in_lines, again.rows_quarantined) == (2, 1, 1)
    assert counts(ready) == before


def know(session: Session, code: str) -> None:
    session.add(Participant(**asdict(participant(code, signing_body="SE-M"))))
    session.flush()


def test_rows_refused_for_a_missing_participant_load_once_it_is_known(ready: Engine, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "demand.csv", {}, {"Region": "SE-NEW"}, {"Group": "unknown"})
    with transaction(ready) as session:
        first = load(session, path, mapping(), partial=True)
        assert (first.lines_made, first.rows_refused, first.rows_quarantined) == (1, 1, 1)
    before = counts(ready)
    with transaction(ready) as session:
        again = load(session, path, mapping(), partial=True)
    assert (again.already_loaded, again.submission, counts(ready)) == (True, first.submission, before)
    assert (again.rows_read, again.rows_in_lines, again.rows_refused, again.rows_quarantined) == (3, 1, 1, 1)
    with transaction(ready) as session:
        know(session, "SE-NEW")
    with transaction(ready) as session:
        third = load(session, path, mapping(), partial=True)
    assert (third.already_loaded, third.supersedes, third.rows_refused) == (False, first.submission, 0)
    with reading(ready) as session:
        lines = service.live_lines(session)
    assert lines["participant"].sort().to_list() == ["SE-M", "SE-NEW"]
    assert lines["submission"].unique().to_list() == [str(third.submission)]


def test_other_rates_of_the_day_received_replace_a_load_with_rows_left_out(ready: Engine, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "demand.csv", {}, {"Group": "unknown"})
    chosen = mapping(currency={"day": "received"})
    with transaction(ready) as session:
        first = load(session, path, chosen, received_at=datetime(2026, 10, 1, tzinfo=UTC))
        second = load(session, path, chosen, received_at=datetime(2026, 10, 20, tzinfo=UTC))
        assert second.supersedes == first.submission
        assert service.live_lines(session)["submission"].to_list() == [str(second.submission)]


def test_lines_loaded_later_under_another_mapping_are_not_lost(ready: Engine, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "demand.csv", {}, {"Group": "Sprutor"}, {"Group": "unknown"})
    with transaction(ready) as session:
        first = load(session, path, mapping())
        assert first.submission is not None
        words = mapping(categories={"words": {"Sprutor": "insulin-syringes"}})
        service.requeue(session, first.submission, words, now=NOW)
        again = load(session, path, mapping())
        assert (again.already_loaded, again.rows_in_lines, again.rows_quarantined) == (True, 2, 1)
        assert service.live_lines(session)["row"].sort().to_list() == [2, 3]
        anew = load(session, path, words)
        assert anew.supersedes == first.submission
        assert service.live_lines(session)["row"].sort().to_list() == [2, 3]


def test_grouped_rows_are_one_line_when_the_file_is_loaded_again_instead(ready: Engine, tmp_path: Path) -> None:
    grouped: dict[str, Any] = {
        "columns": {"earliest_start": None, "latest_start": None, "date": "Day"},
        "window": {"rule": "date", "flexibility_months": 6},
        "group": {"by": ["participant", "category", "year"]},
    }
    headers = ("Region", "Group", "Name", "Quantity", "Unit", "Price", "Day")
    rows = [{"Day": "2025-01-01"}, {"Day": "2025-02-01", "Group": "Sprutor"}]
    path = write_csv(tmp_path / "orders.csv", *rows, headers=headers)
    words = mapping(**grouped, categories={"words": {"Sprutor": "insulin-syringes"}})
    with transaction(ready) as session:
        first = load(session, path, mapping(**grouped))
        assert first.submission is not None
        service.requeue(session, first.submission, words, now=NOW)
        assert service.live_lines(session).sort("row").select("row", "quantity").rows() == [(2, 1000), (3, 1000)]
        load(session, path, words)
        assert service.live_lines(session).select("row", "rows", "quantity").rows() == [(2, 2, 2000)]


def test_numbers_of_the_other_decimal_mark_are_refused_where_one_is_stated(ready: Engine, tmp_path: Path) -> None:
    prices = ["0.050", "0.200", "1.250,5"]
    path = write_csv(tmp_path / "demand.csv", *({"Price": price} for price in prices))
    with transaction(ready) as session:
        found = load(session, path, mapping(file={"decimal": ","}), partial=True)
        assert [(fault.row, fault.value, fault.code) for fault in found.faults] == [
            (2, "0.050", "not-a-number"),
            (3, "0.200", "not-a-number"),
        ]
        assert service.live_lines(session)["unit_price_micro"].to_list() == [1_250_500_000]


@pytest.mark.parametrize(
    "quantities",
    [
        ("1.234", "1 234"),
        ("1'234", "1\u2019234"),
        ("1\u2007234", "1 234"),
        ("1\u2007234", "1\u2007234"),
    ],
)
def test_a_file_may_part_its_thousands_in_several_ways(
    ready: Engine, tmp_path: Path, quantities: tuple[str, ...]
) -> None:
    path = write_csv(tmp_path / "demand.csv", *({"Quantity": each, "Price": "1,25"} for each in quantities))
    with transaction(ready) as session:
        load(session, path, mapping())
        assert service.live_lines(session)["quantity"].to_list() == [1234, 1234]


def test_a_new_file_of_the_series_replaces_the_old_as_a_whole(ready: Engine, tmp_path: Path) -> None:
    path = tmp_path / "demand.csv"
    with transaction(ready) as session:
        first = load(session, write_csv(path, {}, {"Quantity": "7"}), mapping())
    with transaction(ready) as session:
        second = load(session, write_csv(path, {"Quantity": "8"}), mapping())
    assert (second.supersedes, second.superseded_lines) == (first.submission, 2)
    with reading(ready) as session:
        assert service.live_lines(session)["quantity"].to_list() == [8]
        assert {record.id: record.status for record in service.submissions(session)} == {
            first.submission: "superseded",
            second.submission: "accepted",
        }
    with transaction(ready) as session:
        back = load(session, write_csv(path, {}, {"Quantity": "7"}), mapping())
    assert not back.already_loaded
    assert back.supersedes == second.submission


def test_a_new_mapping_reads_the_same_file_anew(ready: Engine, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "demand.csv", {})
    with transaction(ready) as session:
        first = load(session, path, mapping())
        second = load(session, path, mapping(price={"delivered": True}))
    assert second.supersedes == first.submission
    with reading(ready) as session:
        assert service.live_lines(session)["delivered"].to_list() == [True]


def test_series_stand_side_by_side_and_doubles_are_told(ready: Engine, tmp_path: Path) -> None:
    one = write_csv(tmp_path / "one.csv", {}, {"Group": "Surgical drapes, procedure-specific"})
    later = {"From": "2029-01", "To": "2029-06"}
    with transaction(ready) as session:
        first = load(session, one, mapping(), series="a")
        apart = load(session, write_csv(tmp_path / "two.csv", later), mapping(), series="b")
        twice = load(session, write_csv(tmp_path / "three.csv", {"Quantity": "3"}), mapping(), series="c")
    assert apart.warnings == ()
    (warning,) = twice.warnings
    assert "1 demand of SE-M is also" in warning
    assert str(first.submission) in warning
    with reading(ready) as session:
        assert service.live_lines(session).height == 4


def test_flags_are_renewed_for_all_lines_of_the_categories_touched(ready: Engine, tmp_path: Path) -> None:
    people = {
        "SE-M": 1_428_000,
        "SE-AB": 2_473_307,
        "SE-O": 1_772_000,
        "SE-C": 407_000,
        "SE-D": 302_000,
        "SE-E": 473_000,
    }
    entries = [{"Region": code, "Quantity": str(people[code] // 10)} for code in SAME_CATEGORY[1:]]
    with transaction(ready) as session:
        alone = load(session, write_csv(tmp_path / "a.csv", {"Quantity": "14280000"}), mapping(), series="a")
        assert alone.flags == ()
        others = load(session, write_csv(tmp_path / "b.csv", *entries), mapping(), series="b")
        assert others.flags == ()
    with reading(ready) as session:
        (flag,) = service.live_flags(session).to_dicts()
        line = next(each for each in service.live_lines(session).to_dicts() if each["participant"] == "SE-M")
    assert flag == {"line": line["id"], "kind": "volume", "direction": "high", "likely_pack_factor": 100}
    with transaction(ready) as session:
        corrected = load(session, write_csv(tmp_path / "a.csv", {"Quantity": "142800"}), mapping(), series="a")
    assert corrected.flags == ()
    with reading(ready) as session:
        assert service.live_flags(session).height == 0


def test_flags_of_what_a_file_leaves_out_are_renewed_too(ready: Engine, tmp_path: Path) -> None:
    entries = [{"Region": code, "Quantity": "1000", "Price": "1"} for code in SAME_CATEGORY[1:]]
    with transaction(ready) as session:
        load(session, write_csv(tmp_path / "a.csv", {"Price": "100"}), mapping(price={"delivered": True}), series="a")
        load(session, write_csv(tmp_path / "b.csv", *entries), mapping(), series="b")
        assert "price" in service.live_flags(session)["kind"].to_list()
        other = {"Group": "Surgical drapes, procedure-specific"}
        load(session, write_csv(tmp_path / "b.csv", other), mapping(), series="b")
        assert service.live_flags(session).height == 0


def test_flags_name_the_rows_of_the_file(ready: Engine, tmp_path: Path) -> None:
    entries = [{"Region": code, "Price": "1"} for code in SAME_CATEGORY]
    entries[3]["Price"] = "50"
    with transaction(ready) as session:
        found = load(session, write_csv(tmp_path / "a.csv", *entries), mapping())
    assert [
        (f.row, f.participant, f.kind, f.direction, f.likely_pack_factor) for f in found.flags if f.kind == "price"
    ] == [(5, "SE-C", "price", "high", 50)]


def test_a_grouped_file_accounts_for_every_row(ready: Engine, tmp_path: Path) -> None:
    chosen = mapping(
        columns={"earliest_start": None, "latest_start": None, "date": "Day"},
        window={"rule": "date", "flexibility_months": 6},
        group={"by": ["participant", "category", "year"]},
        skip=[{"column": "Name", "equals": ["return"], "reason": "returns"}],
    )
    headers = ("Region", "Group", "Name", "Quantity", "Unit", "Price", "Day")
    days = [{"Day": "2025-01-01"}, {"Day": "2025-02-01"}, {"Day": "2026-01-01"}]
    others = [{"Day": "2025-01-01", "Name": "return"}, {"Day": "2025-01-01", "Group": "?"}, {"Day": "x"}]
    path = write_csv(tmp_path / "orders.csv", *days, *others, headers=headers)
    with transaction(ready) as session:
        found = load(session, path, chosen, partial=True)
    assert (found.rows_read, found.rows_in_lines, found.lines_made) == (6, 3, 2)
    assert (found.rows_skipped, found.rows_quarantined, found.rows_refused) == (1, 1, 1)
    with reading(ready) as session:
        assert service.live_lines(session).sort("row").select("row", "rows", "quantity").rows() == [
            (2, 2, 2000),
            (4, 1, 1000),
        ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "not-a-table"),
        (b"Region;Group\nSE-M;x\n", "missing-column"),
    ],
)
def test_what_the_reader_refuses_keeps_its_code(ready: Engine, tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "demand.csv"
    path.write_bytes(content)
    with pytest.raises(FileRefused) as refused, transaction(ready) as session:
        load(session, path, mapping())
    assert refused.value.code == code
    assert counts(ready) == (0, 0, 0, 0, 0)


def test_a_mapped_header_on_two_columns_is_refused(ready: Engine, tmp_path: Path) -> None:
    path = tmp_path / "demand.csv"
    headers = "Region;Group;Name;Quantity;Unit;Price;From;To;Quantity"
    path.write_text(f"{headers}\nSE-M;Insulin syringes;n;1;st;1;2027-01;2027-02;2\n", encoding="utf-8")
    with pytest.raises(FileRefused) as refused, transaction(ready) as session:
        load(session, path, mapping())
    assert refused.value.code == "duplicate-header"


def test_a_mapping_that_the_reader_cannot_follow_is_the_mappings_fault(ready: Engine, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "demand.csv", {})
    with pytest.raises(BadSetting, match="encoding"), transaction(ready) as session:
        load(session, path, mapping(file={"encoding": "klingon"}))


def test_quarantined_rows_keep_their_cells_and_candidates(ready: Engine, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "demand.csv", {"Group": "insulin syringe 1 ml"})
    with transaction(ready) as session:
        found = load(session, path, mapping())
        assert found.submission is not None
        (row,) = store.waiting_rows(session, found.submission)
        assert row.candidates[0]["id"] == "insulin-syringes"
        assert row.cells["category"] == "insulin syringe 1 ml"
    assert found.waiting[0].candidates[0] == ("insulin-syringes", "Insulin syringes")


def test_batches_are_checked_ahead_in_order_and_their_errors_come_out() -> None:
    made: list[int] = []

    def items() -> Any:
        for number in range(10):
            made.append(number)
            yield number
        raise OSError("the disk is gone")

    got: list[int] = []

    def take() -> None:
        for item in intake.ahead(items()):
            got.append(item)
            assert len(made) <= len(got) + intake.DEPTH

    with pytest.raises(OSError, match="disk"):
        take()
    assert got == list(range(10))
