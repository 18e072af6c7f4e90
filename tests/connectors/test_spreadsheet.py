"""XLSX as regions send it: every cell as text, the row a spreadsheet shows, the sheet that is meant."""

import zipfile
from datetime import date, datetime

import fastexcel
import pytest
import xlsxwriter

from connectors.errors import BadData
from connectors.limits import Limits
from connectors.plan import ColumnPlan
from connectors.workbook import Workbook
from tests.connectors.samples import PLAN, patched, raw_sheet, read_table, refusal, workbook

HEAD = ["Navn", "Antal", "Pris"]


def rows_of(path, plan=PLAN, limits=Limits()):  # noqa: B008
    return read_table(path, plan, limits)[1].rows()


def test_cells_are_text(tmp_path):
    path = workbook(tmp_path, {"Data": [HEAD, ["Handske", 400, 2.5], ["007", 0.1, 1e15], ["=1+1", True, -3]]})
    report, frame = read_table(path)
    assert frame.rows() == [
        (2, "Handske", "400", "2.5"),
        (3, "007", "0.1", "1000000000000000"),
        (4, "=1+1", "true", "-3"),
    ]
    assert (report.format, report.sheet, report.encoding, report.delimiter) == ("xlsx", "Data", None, None)
    assert (report.decimal_mark, report.thousands_mark) == (".", None)
    assert (report.bytes, report.rows) == (path.stat().st_size, 3)


def test_dates_are_iso_text(tmp_path):
    path = tmp_path / "dates.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Start", "Slut"])
        sheet.write_datetime(1, 0, date(2027, 1, 1), book.add_format({"num_format": "dd-mm-yyyy"}))
        sheet.write_datetime(1, 1, datetime(2028, 12, 31, 10, 30), book.add_format({"num_format": 22}))  # noqa: DTZ001
    plan = ColumnPlan(columns={"earliest_start": "Start", "latest_start": "Slut"})
    assert rows_of(path, plan) == [(2, "2027-01-01", "2028-12-31T10:30:00")]


def test_a_percentage_is_written_as_it_is_shown(tmp_path):
    path = tmp_path / "vat.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Moms", "x"])
        sheet.write_number(1, 0, 0.25, book.add_format({"num_format": "0%"}))
    assert rows_of(path, ColumnPlan(columns={"vat_rate": "Moms"})) == [(2, "25%")]


def test_error_cells_and_formulas_never_calculated_stay_visible(tmp_path):
    path = raw_sheet(
        tmp_path,
        '<row r="1"><c r="A1" t="inlineStr"><is><t>Navn</t></is></c><c r="B1" t="str"><v>Antal</v></c>'
        '<c r="C1" t="inlineStr"><is><r><t>Pr</t></r><r><t>is</t></r></is></c></row>'
        '<row r="2"><c r="A2" t="e"><v>#N/A</v></c><c r="B2"><f>1+1</f></c><c r="C2"><f>1/0</f><v>7</v></c></row>',
    )
    assert rows_of(path) == [(2, "#N/A", "=1+1", "7")]


def test_rows_are_numbered_as_the_spreadsheet_shows_them(tmp_path):
    rows = [[], ["Forbrug 2026"], [], HEAD, ["x", 1, 2], [], [" ", None, ""], ["y", 3, 4]]
    report, frame = read_table(workbook(tmp_path, {"Data": rows}))
    assert frame.rows() == [(5, "x", "1", "2"), (8, "y", "3", "4")]
    assert (report.header_row, report.rows, report.blank_rows) == (4, 2, 2)


def test_rows_and_cells_without_a_place_follow_each_other(tmp_path):
    path = raw_sheet(
        tmp_path,
        '<row><c t="str"><v>Navn</v></c><c t="str"><v>Antal</v></c><c t="str"><v>Pris</v></c></row>'
        '<row><c t="str"><v>x</v></c><c/><c><v>2</v></c></row>',
    )
    assert rows_of(path) == [(2, "x", None, "2")]


def test_the_table_may_begin_anywhere(tmp_path):
    rows = [["", "", *HEAD], ["", "", "x", 1, 2]]
    assert rows_of(workbook(tmp_path, {"Data": rows})) == [(2, "x", "1", "2")]


def test_elements_may_carry_a_prefix(tmp_path):
    plain = workbook(tmp_path, {"Data": [["x"]]})
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    cells = "".join(f'<x:c t="str"><x:v>{text}</x:v></x:c>' for text in HEAD)
    path = patched(
        plain,
        {
            "xl/worksheets/sheet1.xml": f'<x:worksheet xmlns:x="{main}"><x:sheetData><x:row>{cells}</x:row>'
            '<x:row><x:c t="str"><x:v>a</x:v></x:c></x:row></x:sheetData></x:worksheet>'
        },
    )
    assert rows_of(path) == [(2, "a", None, None)]


def test_shared_texts_come_without_reading_aids(tmp_path):
    plain = workbook(tmp_path, {"Data": [HEAD, ["a", "b", "c"]]})
    texts = "".join(f"<si><t>{text}</t></si>" for text in [*HEAD, "a", "b"])
    table = f'<sst>{texts}<si><r><t>R</t></r><r><t>ør</t></r><rPh sb="0" eb="1"><t>aid</t></rPh></si></sst>'
    assert rows_of(patched(plain, {"xl/sharedStrings.xml": table})) == [(2, "a", "b", "Rør")]


def test_the_only_visible_sheet_with_content_is_taken(tmp_path):
    path = tmp_path / "sheets.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Tom")
        hidden = book.add_worksheet("Lister")
        hidden.write(0, 0, "x")
        hidden.hide()
        sheet = book.add_worksheet("Behov")
        sheet.write_row(0, 0, HEAD)
        sheet.write_row(1, 0, ["x", 1, 2])
    assert read_table(path)[0].sheet == "Behov"
    plan = ColumnPlan(columns={"item_name": "x"}, sheet="lister")
    assert refusal(read_table, path, plan).code == "empty-file"


def test_of_several_sheets_one_must_be_stated(tmp_path):
    path = workbook(tmp_path, {"A": [HEAD, ["x", 1, 2]], "B": [HEAD, ["y", 3, 4]]})
    error = refusal(read_table, path)
    assert error.code == "which-sheet"
    assert "'A', 'B'" in str(error)
    stated = {"columns": PLAN.columns, "sheet": " b "}
    assert rows_of(path, ColumnPlan(**stated)) == [(2, "y", "3", "4")]
    missing = refusal(read_table, path, ColumnPlan(**{**stated, "sheet": "C"}))
    assert missing.code == "which-sheet"
    assert "no sheet 'C'" in str(missing)


def test_text_cells_decide_the_mark_and_numeric_cells_follow(tmp_path):
    rows = [HEAD, ["x", "1,5", 2.5], ["y", 1234.5, "1.234,5"], ["z", 7, 8]]
    report, frame = read_table(workbook(tmp_path, {"Data": rows}))
    assert (report.decimal_mark, report.thousands_mark) == (",", ".")
    assert frame.rows() == [(2, "x", "1,5", "2,5"), (3, "y", "1234,5", "1.234,5"), (4, "z", "7", "8")]


def test_numeric_cells_keep_their_point_in_text_columns(tmp_path):
    plan = ColumnPlan(columns={"item_code": "Navn", "quantity": "Antal"})
    assert rows_of(workbook(tmp_path, {"Data": [HEAD, [4.5, "1,5"]]}), plan) == [(2, "4.5", "1,5")]


def test_numeric_cells_take_the_other_mark_where_text_separates_thousands_with_a_point(tmp_path):
    report, frame = read_table(workbook(tmp_path, {"Data": [HEAD, ["x", "1.234.567", 2.5]]}))
    assert (report.decimal_mark, report.thousands_mark) == (",", ".")
    assert frame.rows() == [(2, "x", "1.234.567", "2,5")]


def test_a_stated_decimal_holds_for_numeric_cells_too(tmp_path):
    plan = ColumnPlan(columns=PLAN.columns, decimal=",")
    report, frame = read_table(workbook(tmp_path, {"Data": [HEAD, ["x", 1, 2.5]]}), plan)
    assert (report.decimal_mark, frame.rows()) == (",", [(2, "x", "1", "2,5")])


def test_a_text_cell_that_can_be_read_in_two_ways_is_refused_though_numbers_stand_beside_it(tmp_path):
    error = refusal(read_table, workbook(tmp_path, {"Data": [HEAD, ["x", "1.234", 2.5]]}))
    assert error.code == "ambiguous-decimal"
    assert "row 2, column 'Antal': '1.234' (a text cell)" in str(error)


def test_text_cells_that_contradict_each_other_are_refused(tmp_path):
    error = refusal(read_table, workbook(tmp_path, {"Data": [HEAD, ["x", "1.5", "2"], ["y", "1,5", "2"]]}))
    assert error.code == "mixed-decimal"
    assert "row 3" in str(error)
    assert "row 2" in str(error)


@pytest.mark.parametrize(
    ("rows", "code", "said"),
    [
        ([["Navn", "Antal"], ["x", 1]], "missing-column", "no header 'Pris'"),
        ([[*HEAD, "antal"], ["x", 1, 2, 3]], "duplicate-header", "columns B and D"),
        ([[*HEAD], ["x", 1, 2, "note"]], "ragged-row", "row 2, column D: 'note'"),
        ([["Navn", "", "Antal", "Pris"], ["x", 5, 1, 2]], "blank-header", "row 2, column B: '5'"),
        ([HEAD], "empty-file", "no row below the header"),
        ([[" "]], "empty-file", "no visible sheet"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(tmp_path, rows, code, said):
    with pytest.raises(BadData, match=said) as caught:
        read_table(workbook(tmp_path, {"Data": rows}))
    assert caught.value.code == code


def test_a_stated_header_row_without_text_is_refused(tmp_path):
    path = workbook(tmp_path, {"Data": [HEAD, [], ["x", 1, 2]]})
    assert refusal(read_table, path, ColumnPlan(columns=PLAN.columns, header_row=2)).code == "no-header"
    plan = ColumnPlan(columns={"item_name": "x"}, header_row=3)
    assert refusal(read_table, path, plan).code == "empty-file"


def test_limits_hold(tmp_path):
    path = workbook(tmp_path, {"Data": [HEAD, ["x", 1, 2], ["y" * 50, 1, 2]]})
    assert refusal(read_table, path, limits=Limits(rows=1)).code == "too-many-rows"
    assert refusal(read_table, path, limits=Limits(columns=2)).code == "too-many-columns"
    assert refusal(read_table, path, limits=Limits(cell_chars=49)).code == "cell-too-long"
    assert refusal(read_table, path, limits=Limits(xlsx_bytes=100)).code == "too-large"
    inline = raw_sheet(tmp_path, f'<row r="1"><c r="A1" t="inlineStr"><is><t>{"x" * 50}</t></is></c></row>')
    error = refusal(read_table, inline, limits=Limits(cell_chars=49))
    assert (error.code, "row 1, column A" in str(error)) == ("cell-too-long", True)


def test_rows_come_in_bounded_batches(tmp_path):
    path = workbook(tmp_path, {"Data": [HEAD, *(["x", at, 2] for at in range(25))]})
    assert len(rows_of(path, limits=Limits(batch_rows=10))) == 25


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ('<row r="2"/><row r="2"/>', "row 2 follows row 2"),
        ('<row r="1048577"/>', "row 1048577"),
        ('<row r="1"><c r="a1"/></row>', "'a1' is no place"),
        ('<row r="1"><c r="A1" t="s"><v>99</v></c></row>', "row 1, column A: '99'"),
        ('<row r="1"><c r="A1" t="s"><v>-1</v></c></row>', "row 1, column A: '-1'"),
        ('<row r="1"><c r="A1"><v>x</v></c></row>', "row 1, column A: 'x'"),
        ('<row r="1"><c r="A1" s="99"><v>1</v></c></row>', "row 1, column A: '1'"),
        ('<row r="1"><c r="A1" t="?"><v>1</v></c></row>', "row 1, column A: '1'"),
        ('<row r="1"><c></row>', "not well-formed"),
        ("<row", "not well-formed"),
    ],
)
def test_a_sheet_that_breaks_its_format_is_refused(tmp_path, cells, said):
    error = refusal(read_table, raw_sheet(tmp_path, cells))
    assert error.code == "damaged"
    assert said in str(error)


def test_a_missing_part_is_refused(tmp_path):
    path = workbook(tmp_path, {"Data": [HEAD]})
    target = tmp_path / "torn.xlsx"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w") as copy:
        for entry in source.namelist():
            if not entry.endswith("sheet1.xml"):
                copy.writestr(entry, source.read(entry))
    error = refusal(read_table, target)
    assert error.code == "damaged"
    assert "xl/worksheets/sheet1.xml is missing" in str(error)


def test_every_cell_is_what_another_reader_finds(tmp_path):
    """fastexcel drops error cells and rounds numbers; on cells without either, both must agree."""
    values = [[f"k{row}", row * 7, row / 8, f"tekst {row % 5} æøå", row % 2 == 0] for row in range(1, 400)]
    path = workbook(tmp_path, {"Data": [["a", "b", "c", "d", "e"], *values]})
    theirs = fastexcel.read_excel(str(path)).load_sheet(0, header_row=None, dtypes="string").to_polars()
    with path.open("rb") as file:
        book = Workbook(file, Limits())
        ours = [
            tuple(cells.get(at, "").removeprefix("\0") for at in range(5)) for _, cells in book.rows(book.sheets[0])
        ]
    assert ours == theirs.rows()
