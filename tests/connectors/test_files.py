"""Demand files from outside to frames, through the child process."""

import os
import time

import polars as pl
import pytest

from connectors.errors import BadData, NoAccess, TryAgain
from connectors.files import ColumnPlan, Limits, headers, open_demand
from connectors.frames import schema
from tests.connectors.samples import PLAN, csv_file, patched, refusal, sheet_xml, workbook

pytestmark = pytest.mark.usefixtures("started_anew")

DANISH = "Forbrug\n\nNavn;Antal;Pris;Note\nrør æøå;1 234;0,05;\n;;;\nhandske;5;12,50;x\n"


def read(path, plan=PLAN, limits=Limits()):  # noqa: B008
    with open_demand(path, plan, limits) as file:
        return file.report, pl.concat(file.batches())


def test_a_csv_is_read(tmp_path):
    report, frame = read(csv_file(tmp_path, DANISH, "cp1252"))
    assert frame.schema == schema(report.columns)
    assert frame.rows() == [(4, "rør æøå", "1 234", "0,05"), (6, "handske", "5", "12,50")]
    assert (report.format, report.encoding, report.delimiter, report.sheet) == ("csv", "cp1252", ";", None)
    assert (report.decimal_mark, report.thousands_mark) == (",", " ")
    assert (report.header_row, report.rows, report.blank_rows) == (3, 2, 1)
    assert report.headers == ("Navn", "Antal", "Pris", "Note")
    assert report.unused_headers == ("Note",)
    assert report.columns == ("item_name", "quantity", "unit_price")


def test_a_workbook_is_read_whatever_its_name(tmp_path):
    path = workbook(tmp_path, {"Data": [["Navn", "Antal", "Pris"], ["x", 400, 2.5]]}, name="demand.csv")
    report, frame = read(path)
    assert (report.format, report.sheet, report.decimal_mark) == ("xlsx", "Data", ".")
    assert frame.rows() == [(2, "x", "400", "2.5")]


def test_the_report_comes_before_the_rows_and_is_complete(tmp_path):
    path = csv_file(tmp_path, "Navn;Antal;Pris\n" + "x;1;2\n" * 100_000 + "y;1.234;0,5\n")
    with open_demand(path, PLAN) as file:
        assert (file.report.rows, file.report.decimal_mark, file.report.thousands_mark) == (100_001, ",", ".")
        heights = [frame.height for frame in file.batches()]
        assert list(file.batches()) == []
    assert sum(heights) == 100_001
    assert max(heights) <= Limits().batch_rows


def test_a_file_may_be_left_unread(tmp_path):
    with open_demand(csv_file(tmp_path, DANISH), PLAN) as file:
        assert file.report.rows == 2


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (b"%PDF-1.7\n", "not-a-table"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not-a-table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000), "not-a-table"),
        (b"<html><table>", "not-a-table"),
        (b"a;b\0;c\n", "not-a-table"),
        (b"PK\x03\x04 cut short", "damaged"),
        (b"Navn;Antal;Pris\nx;1.234;\n", "ambiguous-decimal"),
        (b"Navn;Antal\nx;1\n", "missing-column"),
    ],
)
def test_refusals_come_at_opening(tmp_path, content, code):
    with pytest.raises(BadData) as caught, open_demand(csv_file(tmp_path, content), PLAN):
        raise AssertionError("it opened")
    assert caught.value.code == code


def test_a_bomb_is_refused_quickly_and_cheaply(tmp_path):
    plain = workbook(tmp_path, {"Data": [["Navn", "Antal", "Pris"], ["x", 1, 2]]})
    bomb = patched(plain, {"xl/worksheets/sheet1.xml": sheet_xml(" " * 100_000_000)})
    began = time.monotonic()
    assert refusal(read, bomb).code == "inflates-too-much"
    assert time.monotonic() - began < 2


def test_a_bomb_within_a_raised_limit_is_stopped_by_memory(tmp_path):
    """A million texts no cell refers to: nothing is wrong with any of them but their number."""
    texts = "<sst>" + "".join(f"<si><t>{at:0100d}</t></si>" for at in range(1_000_000)) + "</sst>"
    plain = workbook(tmp_path, {"Data": [["Navn", "Antal", "Pris"], ["x", 1, 2]]})
    bomb = patched(plain, {"xl/sharedStrings.xml": texts})
    tight = Limits(memory_bytes=220_000_000)
    assert read(plain, limits=tight)[0].rows == 1
    error = refusal(read, bomb, limits=tight)
    assert error.code == "parser-killed"
    assert "220 MB" in str(error)


def test_a_huge_cell_is_refused_long_before_memory_runs_out(tmp_path):
    path = csv_file(tmp_path, b'Navn;Antal;Pris\nx;"' + b"7" * 40_000_000 + b'";1\n')
    error = refusal(read, path)
    assert error.code == "cell-too-long"
    assert "row 2" in str(error)


def test_memory_ends_what_limits_on_cells_let_through(tmp_path):
    limits = Limits(cell_chars=10**9, memory_bytes=220_000_000)
    assert read(csv_file(tmp_path, DANISH), limits=limits)[0].rows == 2
    path = csv_file(tmp_path, b'Navn;Antal;Pris\nx;"' + b"7" * 15_000_000 + b'";1\n')
    assert refusal(read, path, limits=limits).code == "parser-killed"


def test_size_limits_are_by_format(tmp_path):
    error = refusal(read, csv_file(tmp_path, DANISH), limits=Limits(csv_bytes=10))
    assert (error.code, "the limit for csv is 10" in str(error)) == ("too-large", True)
    path = workbook(tmp_path, {"Data": [["Navn"]]})
    assert refusal(read, path, limits=Limits(xlsx_bytes=10)).code == "too-large"


def test_what_is_no_file_is_no_access(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "missing.csv", tmp_path / "pipe"):
        error = refusal(read, path)
        assert (type(error), error.code) == (NoAccess, "cannot-open")
        assert str(path) in str(error)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_no_access(tmp_path):
    path = csv_file(tmp_path, DANISH)
    path.chmod(0)
    assert refusal(read, path).code == "cannot-open"


def test_a_file_written_to_while_it_is_read_is_worth_a_retry(tmp_path):
    path = csv_file(tmp_path, "Navn;Antal;Pris\n" + "x;1;2\n" * 200_000)
    with open_demand(path, PLAN, Limits(batch_rows=10_000)) as file:
        with path.open("a") as more:
            more.write("y;3;4\n")
        with pytest.raises(TryAgain) as caught:
            list(file.batches())
    assert caught.value.code == "file-changed"


def test_headers_show_what_a_csv_looks_like(tmp_path):
    preview = headers(csv_file(tmp_path, DANISH, "cp1252"))
    assert (preview.format, preview.encoding, preview.delimiter, preview.header_row) == ("csv", "cp1252", ";", 3)
    assert preview.headers == ("Navn", "Antal", "Pris", "Note")
    assert preview.rows[0] == (4, ("rør æøå", "1 234", "0,05", None))
    assert preview.sheets == ()


def test_headers_show_what_a_workbook_looks_like(tmp_path):
    path = workbook(tmp_path, {"A": [["Behov"], ["Navn", "Antal"], ["x", 400]], "B": [["y"]], "Tom": []})
    preview = headers(path)
    assert (preview.format, preview.sheet, preview.sheets, preview.header_row) == ("xlsx", "A", ("A", "B"), 2)
    assert (preview.headers, preview.rows) == (("Navn", "Antal"), ((3, ("x", "400")),))


def test_a_preview_follows_what_is_stated_of_the_file(tmp_path):
    path = workbook(tmp_path, {"Notes": [["a", "b"], [1, 2]], "Data": [["a title", "x", "y"], ["Navn", "Antal"]]})
    stated = headers(path, sheet="data", header_row=2)
    assert (stated.sheet, stated.header_row, stated.headers) == ("Data", 2, ("Navn", "Antal"))
    assert headers(path).sheet == "Notes"
    assert refusal(lambda: headers(path, sheet="none")).code == "which-sheet"
    text = csv_file(tmp_path, "t|x|y\nN\xe6vn|A;ntal\n1|2\n", "cp1252")
    stated = headers(text, header_row=2, delimiter="|", encoding="windows-1252")
    assert (stated.headers, stated.encoding, stated.delimiter) == (("Nævn", "A;ntal"), "cp1252", "|")
    assert refusal(lambda: headers(text, encoding="utf-8")).code == "bad-encoding"


def test_rows_are_told_where_no_column_is_found(tmp_path):
    plan = ColumnPlan(columns={"quantity": "Antal"}, optional=frozenset({"quantity"}))
    report, frame = read(csv_file(tmp_path, "a;b\n1;2\n3;4\n"), plan)
    assert (report.columns, frame.rows()) == ((), [(2,), (3,)])


def test_headers_show_at_most_ten_rows_and_cut_long_cells(tmp_path):
    preview = headers(csv_file(tmp_path, "a;b\n" + ("x" * 300 + ";1\n") * 20))
    assert [row for row, _ in preview.rows] == list(range(2, 12))
    assert len(preview.rows[0][1][0]) == 200


def test_headers_refuse_what_is_no_table(tmp_path):
    assert refusal(headers, csv_file(tmp_path, b"%PDF-")).code == "not-a-table"


def test_real_deliveries_are_read_unedited(shared_data):
    plan = ColumnPlan(
        columns={
            "participant": "Country",
            "item_name": "Molecule/Test Type",
            "quantity": "Line Item Quantity",
            "pack_size": "Unit of Measure (Per Pack)",
            "unit_price": "Pack Price",
            "date": "Scheduled Delivery Date",
        },
        constants={"currency": "USD"},
    )
    report, frame = read(shared_data / "scms" / "scms_delivery_history_dev.csv", plan)
    assert (report.encoding, report.delimiter, report.decimal_mark, report.short_rows) == ("utf-8", ",", ".", 0)
    assert report.rows == frame.height
    assert frame["quantity"].cast(pl.Int64).min() >= 1
    assert frame["unit_price"].cast(pl.Float64).null_count() == 0


def test_real_swedish_rows_are_read_unedited(shared_data):
    plan = ColumnPlan(
        columns={
            "participant": "derived_buyer_region",
            "item_name": "Original name of the product",
            "quantity": "amount",
            "unit": "note",
            "unit_price": "unit price",
        }
    )
    report, frame = read(shared_data / "occrp-sweden" / "sweden_health_regions_dev.csv", plan)
    assert (report.rows, report.decimal_mark, report.thousands_mark) == (474, ".", None)
    assert frame["participant"].value_counts().sort("count")["count"].to_list() == [49, 179, 246]
