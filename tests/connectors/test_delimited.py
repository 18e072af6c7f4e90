"""CSV as regions send it: dialects, titles, blanks, marks, and what is refused with its place."""

import pytest

from connectors import delimited
from connectors.errors import BadData
from connectors.limits import Limits
from connectors.plan import ColumnPlan
from tests.connectors.samples import PLAN, csv_file, read_csv, read_table, refusal

ROWS = "Navn{d}Antal{d}Pris\nHandske{d}400{d}2.5\n"


def rows_of(frame):
    return frame.rows()


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    report, frame = read_csv(tmp_path, ROWS.format(d=delimiter))
    assert report.delimiter == delimiter
    assert rows_of(frame) == [(2, "Handske", "400", "2.5")]


def test_the_delimiter_is_the_one_under_which_headers_are_found(tmp_path):
    text = "Navn;Antal;Pris\n" + "a,b,c,d;1;0,5\n" * 30
    assert read_csv(tmp_path, text)[0].delimiter == ";"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_that_states_the_delimiter_is_obeyed_and_counted(tmp_path, end):
    report, frame = read_csv(tmp_path, end.join(["sep=#", "Navn#Antal#Pris", "a;b,c#1#2"]))
    assert (report.delimiter, report.header_row) == ("#", 2)
    assert rows_of(frame) == [(3, "a;b,c", "1", "2")]


def test_a_stated_delimiter_goes_before_all(tmp_path):
    plan = ColumnPlan(columns={"item_name": "Navn;Antal"}, delimiter="#")
    assert rows_of(read_csv(tmp_path, "sep=;\nNavn;Antal\nx;1\n", plan)[1]) == [(3, "x;1")]


def test_a_single_column_is_a_table(tmp_path):
    plan = ColumnPlan(columns={"item_code": "Varenr"})
    assert rows_of(read_csv(tmp_path, "Varenr\n007\n\n008\n", plan)[1]) == [(2, "007"), (4, "008")]


def test_all_is_text_as_written(tmp_path):
    plan = ColumnPlan(columns={"item_code": "a", "item_name": "b", "quantity": "c"})
    _, frame = read_csv(tmp_path, 'a;b;c\n007; =1+1 ;2.5\n1e308;"x;""y""";NaN\ntrue;2026-01-02;-3\n', plan)
    assert rows_of(frame) == [
        (2, "007", " =1+1 ", "2.5"),
        (3, "1e308", 'x;"y"', "NaN"),
        (4, "true", "2026-01-02", "-3"),
    ]


def test_cells_without_text_are_null(tmp_path):
    _, frame = read_csv(tmp_path, 'Navn;Antal;Pris\nx;;""\ny; ;\u00a0\n')
    assert rows_of(frame) == [(2, "x", None, None), (3, "y", None, None)]


def test_titles_and_blank_lines_above_the_header_count_as_rows(tmp_path):
    report, frame = read_csv(tmp_path, "Forbrug 2026\n\n;;\nNavn;Antal;Pris\nx;1;2\n")
    assert report.header_row == 4
    assert rows_of(frame) == [(5, "x", "1", "2")]


def test_a_stated_header_row_is_taken(tmp_path):
    plan = ColumnPlan(columns={"item_name": "Navn"}, header_row=3)
    report, frame = read_csv(tmp_path, "Navn;x\n1;2\nPris;Navn\n3;4\n", plan)
    assert (report.header_row, rows_of(frame)) == (3, [(4, "4")])


def test_a_stated_header_row_without_text_is_refused(tmp_path):
    plan = ColumnPlan(columns={"item_name": "Navn"}, header_row=2)
    assert refusal(read_csv, tmp_path, "Navn\n\nx\n", plan).code == "no-header"


def test_a_row_is_counted_as_a_spreadsheet_shows_it(tmp_path):
    _, frame = read_csv(tmp_path, 'Navn;Antal;Pris\n"to\nlinjer";1;2\n\nx;3;4\n')
    assert rows_of(frame) == [(2, "to\nlinjer", "1", "2"), (4, "x", "3", "4")]


def test_rows_without_text_are_passed_over_and_counted(tmp_path):
    report, frame = read_csv(tmp_path, "Navn;Antal;Pris\n;;\nx;1;2\n\n ; ;\n;;;;;\n")
    assert (report.rows, report.blank_rows) == (1, 4)
    assert rows_of(frame) == [(3, "x", "1", "2")]


def test_a_row_with_text_only_in_unmapped_columns_is_delivered(tmp_path):
    report, frame = read_csv(tmp_path, "Navn;Antal;Pris;Note\n;;;slut\n")
    assert report.unused_headers == ("Note",)
    assert rows_of(frame) == [(2, None, None, None)]


def test_extra_columns_and_constants_come_where_asked_for(tmp_path):
    plan = ColumnPlan(
        columns={"quantity": "Antal", "extra:Afdeling": "Afd."}, constants={"currency": "DKK", "vat_rate": "12.5"}
    )
    report, frame = read_csv(tmp_path, "Antal;Afd.\n1,5;K1\n", plan)
    assert frame.columns == ["row", "quantity", "extra:Afdeling", "currency", "vat_rate"] == ["row", *report.columns]
    assert rows_of(frame) == [(2, "1,5", "K1", "DKK", "12,5")]


def test_a_constant_with_decimals_states_the_mark_where_the_file_shows_none(tmp_path):
    plan = ColumnPlan(columns={"quantity": "Antal"}, constants={"vat_rate": "12.5"})
    report, frame = read_csv(tmp_path, "Antal;x\n1.234.567;\n", plan)
    assert (report.decimal_mark, report.thousands_mark) == (",", ".")
    assert rows_of(frame) == [(2, "1.234.567", "12,5")]


def test_an_optional_column_may_be_missing(tmp_path):
    plan = ColumnPlan(columns={"quantity": "Antal", "unit": "Enhed"}, optional=frozenset({"unit"}))
    report, frame = read_csv(tmp_path, "Antal;x\n1;2\n", plan)
    assert report.columns == ("quantity",)
    assert frame.columns == ["row", "quantity"]


@pytest.mark.parametrize(
    ("quantity", "price", "marks"),
    [
        ("400", "3", (None, None)),
        ("1 234", "0,05", (",", " ")),
        ("1.234", "0,05", (",", ".")),
        ("1\u00a0234", "0.05", (".", "\u00a0")),
        ("1\u202f234", "3", (None, "\u202f")),
        ("1'234", "2.5", (".", "'")),
        ("abc", "2,5", (",", None)),
    ],
)
def test_the_marks_of_numbers_are_found_over_all_numeric_columns(tmp_path, quantity, price, marks):
    report, frame = read_csv(tmp_path, f"Navn;Antal;Pris\nx;{quantity};{price}\ny;5;\n")
    assert (report.decimal_mark, report.thousands_mark) == marks
    assert rows_of(frame)[0] == (2, "x", quantity, price)


def test_marks_are_found_in_the_last_row_of_a_long_file(tmp_path):
    report, frame = read_csv(tmp_path, "Navn;Antal;Pris\n" + "x;1.234;5\n" * 300_000 + "y;7;0,05\n")
    assert (report.decimal_mark, report.thousands_mark, report.rows) == (",", ".", 300_001)
    assert frame["row"].to_list() == list(range(2, 300_003))


def test_text_columns_say_nothing_of_marks(tmp_path):
    assert read_csv(tmp_path, "Navn;Antal;Pris\n2.5;5;0,5\n")[0].decimal_mark == ","


def test_numbers_nothing_decides_on_are_refused(tmp_path):
    error = refusal(read_csv, tmp_path, "Navn;Antal;Pris\nx;5;\ny;1.234;\n")
    assert error.code == "ambiguous-decimal"
    assert "row 3, column 'Antal': '1.234'" in str(error)


def test_a_stated_decimal_decides(tmp_path):
    plan = ColumnPlan(columns=PLAN.columns, decimal=",")
    assert read_csv(tmp_path, "Navn;Antal;Pris\nx;1.234;\n", plan)[0].thousands_mark == "."


def test_contradicting_values_are_refused_with_both_rows(tmp_path):
    error = refusal(read_csv, tmp_path, "Navn;Antal;Pris\nx;1;0,5\n\ny;2.5;7\n")
    assert error.code == "mixed-decimal"
    assert "row 2, column 'Pris': '0,5'" in str(error)
    assert "row 4, column 'Antal': '2.5'" in str(error)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("Navn;Antal;Pris\nx;1;2\ny;3;4;mere\n", "ragged-row", "row 3 has 4 cells, .* 3: 'mere' in column D"),
        ("Navn;Antal;Pris;;\nx;1;2;;note\n", "blank-header", "row 2, column E: 'note'"),
        ("Navn;;Antal;Pris\nx;?;1;2\n", "blank-header", r"row 2, column B: '\?'"),
        ("Navn;Antal\nx;1\n", "missing-column", "no header 'Pris'"),
        ("Navn;Antal;Pris;Antal\nx;1;2;3\n", "duplicate-header", "'Antal' stands on columns B and D"),
        ("Navn;Antal;Pris\n", "empty-file", "no row below the header in row 1"),
        ("Navn;Antal;Pris\n;;\n", "empty-file", "no row below the header in row 1"),
        (" \n\n", "empty-file", "no cell with text"),
        ('Navn;Antal;Pris\nx;1;"2\n', "bad-quotes", "row 2"),
        (
            "Varenr;Navn;Antal;Pris\n7;Rør\nstor;5;10\n",
            "broken-row",
            "rows 2 to 3 have 2 and 3 cells, the header has 4",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(tmp_path, text, code, said):
    with pytest.raises(BadData, match=said) as caught:
        read_csv(tmp_path, text)
    assert caught.value.code == code


def test_blank_cells_beyond_the_header_do_no_harm(tmp_path):
    assert read_csv(tmp_path, "Navn;Antal;Pris;;\nx;1;2;; ;\ny;3;4\n")[0].rows == 2


def test_short_rows_are_filled_with_nothing_and_counted(tmp_path):
    report, frame = read_csv(tmp_path, "Navn;Antal;Pris\nx;1;2\ny;3\nz\n")
    assert (report.short_rows, report.first_short_row) == (2, 3)
    assert rows_of(frame) == [(2, "x", "1", "2"), (3, "y", "3", None), (4, "z", None, None)]


def test_equal_short_rows_are_no_pieces_of_one(tmp_path):
    assert read_csv(tmp_path, "Navn;Antal;Pris\nx;1\ny;2\nz;3;4\n")[0].short_rows == 2


def test_a_row_cut_in_three_is_seen(tmp_path):
    text = "a;b;Navn;Antal;Pris\n1;2;Handske\nlarge\nblue;5;6\n1;2;3;4;5\n"
    error = refusal(read_csv, tmp_path, text)
    assert error.code == "broken-row"
    assert "rows 2 to 4 have 3 and 1 and 3 cells" in str(error)


def test_batches_are_bounded_and_cover_every_row(tmp_path):
    path = csv_file(tmp_path, "Navn;Antal;Pris\n" + "x;1;2\n" * 1_000)
    with path.open("rb") as file:
        _, *frames = delimited.read(file, folder=tmp_path, plan=PLAN, limits=Limits(batch_rows=300))
    assert [frame.height for frame in frames] == [250] * 4
    assert [row for frame in frames for row in frame["row"]] == list(range(2, 1_002))


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_encoding_gives_the_same_rows(tmp_path, codec):
    path = csv_file(tmp_path, "Navn;Antal;Pris\nrør æøå;1;2\n", codec)
    assert rows_of(read_table(path)[1]) == [(2, "rør æøå", "1", "2")]
