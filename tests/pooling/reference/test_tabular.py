"""Reference files: each fault is found, with row, column, value and remedy, and all of them at once."""

from pathlib import Path

import pytest

from pooling.errors import BadInput
from pooling.reference import tabular
from pooling.reference.columns import CATEGORIES, CRITERIA_WITH_IMPLICATIONS, PARTICIPANTS
from pooling.reference.tabular import Column, read_rows

COLUMNS = [Column("code", str, required=True), Column("size", int), Column("note", str)]


def written(folder: Path, text: str | bytes, name: str = "given.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(path: Path, columns: list[Column] = COLUMNS, key: str = "code") -> str:
    with pytest.raises(BadInput) as caught:
        read_rows(path, columns, key)
    return str(caught.value)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rows_are_read_whatever_the_delimiter(tmp_path: Path, mark: str, start: str, end: str) -> None:
    lines = ["size,code,note", "1,A,x", "", ",B,"]
    path = written(tmp_path, start + end.join(line.replace(",", mark) for line in lines) + end)
    assert [(row.number, dict(row.values)) for row in read_rows(path, COLUMNS, "code")] == [
        (2, {"code": "A", "size": 1, "note": "x"}),
        (4, {"code": "B", "size": None, "note": None}),
    ]


def test_quoted_cells_hold_delimiters_and_line_breaks(tmp_path: Path) -> None:
    path = written(tmp_path, 'code,note\nA,"x, ""y""\nz"\nB,\n')
    assert [row.values["note"] for row in read_rows(path, COLUMNS, "code")] == ['x, "y"\nz', None]


def test_a_header_alone_is_no_rows(tmp_path: Path) -> None:
    assert read_rows(written(tmp_path, "code\n"), COLUMNS, "code") == []


def test_all_faults_are_reported_in_the_order_of_the_rows(tmp_path: Path) -> None:
    said = refusal(written(tmp_path, "code,size\nA,x\n,2\nB,3,4\nA,y\n"))
    assert said.splitlines() == [
        "given.csv: 5 to correct, nothing was stored",
        "  row 2, column size, value 'x': invalid literal for int() with base 10: 'x'",
        "  row 3, column code, value '': blank; fill it in",
        "  row 4, column (none), value '4': more cells than the header has; quote cells that hold a comma",
        "  row 5, column size, value 'y': invalid literal for int() with base 10: 'y'",
        "  row 5, column code, value 'A': already in row 2; keep one of them",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the first row must name the columns"),
        (" , \nA,1\n", "the first row must name the columns"),
        ("size\n1\n", "row 1, column code, value '': the column is missing; add it"),
        ("code,size,size\nA,1,2\n", "column size, value 'size': the column is there twice"),
        ("code,sise\nA,1\n", "column sise, value 'sise': unknown column; did you mean size?"),
        ("code,colour\nA,1\n", "unknown column; known columns: code, size, note"),
        ('code,note\nA,"x\n', "not a table"),
        (b"code,note\nA,\xe5\n", "byte 12 is not UTF-8; save the file as CSV UTF-8"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(tmp_path: Path, text: str | bytes, said: str) -> None:
    assert said in refusal(written(tmp_path, text))


def test_an_absent_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.csv")
    assert "cannot be read" in refusal(tmp_path)


def test_a_file_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "code\nA\n")
    monkeypatch.setattr(tabular, "MAX_BYTES", path.stat().st_size)
    assert len(read_rows(path, COLUMNS, "code")) == 1
    monkeypatch.setattr(tabular, "MAX_BYTES", path.stat().st_size - 1)
    assert "split it" in refusal(path)


GOOD = {
    "code": "X-1",
    "name": "Body",
    "country": "SE",
    "currency": "SEK",
    "contracting_authority": "true",
    "source": "s",
}
GOOD_CATEGORY = {"id": "a-b", "family": "f", "name": "n", "unit": "H87", "source": "s"}
GOOD_CRITERION = {
    "code": "a-b",
    "name": "n",
    "framework": "f",
    "eforms_list": "gpp-criteria",
    "eforms_code": "eu",
    "proof": "p",
    "source": "s",
}


def one_row(folder: Path, cells: dict[str, str]) -> Path:
    quoted = ('"' + cell.replace('"', '""') + '"' for cell in cells.values())
    return written(folder, ",".join(cells) + "\n" + ",".join(quoted) + "\n")


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("contracting_authority", "No", False),
        ("may_lead", "1", True),
        ("country", "GL", "GL"),
        ("currency", "ISK", "ISK"),
        ("max_leads", "0", 0),
        ("population", "1", 1),
        ("valid_to", "2027-01-01", "2027-01-01"),
        ("organisation_id", "0192:923 609 016", "0192:923609016"),
    ],
)
def test_good_cells_of_participants(tmp_path: Path, column: str, cell: str, value: object) -> None:
    (row,) = read_rows(one_row(tmp_path, {**GOOD, column: cell}), PARTICIPANTS, "code")
    found = row.values[column]
    assert (str(found) if column == "valid_to" else found) == value


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("code", "a b"),
        ("code", "x" * 41),
        ("code", "-x"),
        ("name", "x" * 201),
        ("name", "a\nb"),
        ("country", "se"),
        ("country", "SWE"),
        ("country", "XX"),
        ("currency", "kr"),
        ("currency", "ZZZ"),
        ("contracting_authority", "maybe"),
        ("max_leads", "-1"),
        ("max_leads", "1.0"),
        ("max_leads", "1000001"),
        ("population", "0"),
        ("population", "1e6"),
        ("population", "1 000"),
        ("population", "٣"),
        ("year", "24"),
        ("valid_from", "01.01.2027"),
        ("valid_from", "2027-02-30"),
        ("valid_from", "20270101"),
        ("organisation_id", "0192:923609017"),
    ],
)
def test_bad_cells_of_participants_are_refused(tmp_path: Path, column: str, cell: str) -> None:
    said = refusal(one_row(tmp_path, {**GOOD, column: cell}), PARTICIPANTS)
    assert said.splitlines()[0].endswith("1 to correct, nothing was stored")
    assert f"row 2, column {column}, value {cell!r}: " in said


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [("cpv", "33141420-0", "33141420"), ("cpv", "33141420", "33141420"), ("emdn", "T010202", "T010202")],
)
def test_good_cells_of_categories(tmp_path: Path, column: str, cell: str, value: str) -> None:
    (row,) = read_rows(one_row(tmp_path, {**GOOD_CATEGORY, column: cell}), CATEGORIES, "id")
    assert row.values[column] == value


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("id", "A-b"),
        ("family", "two words"),
        ("unit", "STK"),
        ("base_unit", "stk"),
        ("cpv", "3314142"),
        ("cpv", "33141420-00"),
        ("emdn", "t01"),
        ("emdn", "T" + "0" * 12),
    ],
)
def test_bad_cells_of_categories_are_refused(tmp_path: Path, column: str, cell: str) -> None:
    said = refusal(one_row(tmp_path, {**GOOD_CATEGORY, column: cell}), CATEGORIES, "id")
    assert f"row 2, column {column}, value {cell!r}: " in said


def test_an_unknown_code_list_is_refused(tmp_path: Path) -> None:
    (row,) = read_rows(one_row(tmp_path, {**GOOD_CRITERION, "implies": "b a b"}), CRITERIA_WITH_IMPLICATIONS, "code")
    assert row.values["implies"] == ("a", "b")
    said = refusal(one_row(tmp_path, {**GOOD_CRITERION, "eforms_list": "gpp"}), CRITERIA_WITH_IMPLICATIONS)
    assert "column eforms_list, value 'gpp': not a code list we fill; one of gpp-criteria" in said
