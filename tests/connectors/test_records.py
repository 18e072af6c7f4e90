"""CSV cut into records: the same cells as a plain reader gives, with the row each stands in."""

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors import records
from connectors.errors import BadData
from connectors.limits import Limits
from connectors.records import blocks

LIMITS = Limits(columns=8, cell_chars=200)


def cut(text: str | bytes, *, delimiter: str = ";", limits: Limits = LIMITS, size: int = 1 << 20):
    """Row number and cells of every record, through frames; and which rows are blank."""
    content = text if isinstance(text, bytes) else text.encode()
    before, records.BLOCK_BYTES = records.BLOCK_BYTES, size
    try:
        rows, blank = [], []
        for block in blocks(io.BytesIO(content), start=0, delimiter=delimiter, limits=limits):
            width = int(block.cells.max())
            frame = block.frame(list(range(width)))
            for at, cells in enumerate(frame.rows()):
                row = block.first_row + at
                rows.append((row, [cell or "" for cell in cells[: int(block.cells[at])]]))
                assert rows[-1][1] == (block.record(at) or [""])
            blank += [block.first_row + int(at) for at in block.blank.nonzero()[0]]
        return rows, blank
    finally:
        records.BLOCK_BYTES = before


def cells_of(text, **named):
    return [cells for _, cells in cut(text, **named)[0]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_line_ends_end_a_record(end):
    assert cut(f"a;b{end}1;2{end}") == ([(1, ["a", "b"]), (2, ["1", "2"])], [])
    assert cells_of(f"a;b{end}1;2") == [["a", "b"], ["1", "2"]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_line_end_inside_quotes_ends_no_record(end):
    rows, _ = cut(f'a;b\n"x{end}y";2\n3;4\n')
    assert rows == [(1, ["a", "b"]), (2, [f"x{end}y", "2"]), (3, ["3", "4"])]


def test_a_delimiter_inside_quotes_ends_no_cell():
    assert cells_of('"a;b";"c""d";""\n') == [["a;b", 'c"d', ""]]


def test_a_quote_inside_an_unquoted_cell_is_text():
    assert cells_of('tube 1/2";5\nx;6" y\n"a;b";7\n') == [['tube 1/2"', "5"], ["x", '6" y'], ["a;b", "7"]]


def test_blank_lines_count_as_rows_and_are_marked():
    rows, blank = cut('\n\na;b\n;\n"";" "\n \u00a0;\n1;2\n\n')
    assert [row for row, _ in rows] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert blank == [1, 2, 4, 5, 6, 8]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64])
def test_records_are_the_same_whatever_the_block_size(size):
    text = 'a;b\r\n"x\r\ny";"1""2"\r\n\r\n;\n3;4\r5;6" z\r"q";r'
    assert cut(text, size=size) == cut(text)


def test_short_and_long_records_keep_their_cells():
    assert cells_of("a\n1;2;3\n4;5\n") == [["a"], ["1", "2", "3"], ["4", "5"]]


def test_words_that_other_readers_take_for_nothing_are_text():
    assert cells_of("NULL;NA;nan;#N/A\ntrue;007;1e5; x \n") == [
        ["NULL", "NA", "nan", "#N/A"],
        ["true", "007", "1e5", " x "],
    ]


def test_an_empty_file_has_no_records():
    assert cut("") == ([], [])


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ('a;b\n1;"open\n2;3\n', 2),
        ('a;b\n"1;2', 2),
        ('"a\nb', 1),
        ('x"y;1\nc;"open', 2),
    ],
)
def test_a_quote_that_never_closes_is_refused(text, row):
    with pytest.raises(BadData, match=f"row {row}: .* never closes") as caught:
        cut(text)
    assert caught.value.code == "bad-quotes"


@pytest.mark.parametrize(
    ("text", "row"), [('a;b\n"x"y;2\n', 2), ('a;b\n1;2\n3;"never closed\n4;"ok"\n', 3), ('a\n"x" ;2\n', 2)]
)
def test_text_after_a_closing_quote_is_refused(text, row):
    with pytest.raises(BadData, match=f"row {row}: text follows") as caught:
        cut(text)
    assert caught.value.code == "bad-quotes"


@pytest.mark.parametrize("cell", ["x" * 201, '"' + "x" * 201 + '"', 'y"' + "x" * 200])
def test_a_long_cell_is_refused(cell):
    with pytest.raises(BadData, match=r"row 2.* 200 characters") as caught:
        cut(f"a;b\n1;{cell}\n")
    assert caught.value.code == "cell-too-long"


def test_length_is_counted_in_characters():
    assert cells_of(f"{'ø' * 200};1\n")[0][1] == "1"


def test_a_quoted_cell_without_end_is_refused_before_it_fills_memory(monkeypatch):
    monkeypatch.setattr(records, "RECORD_BYTES", 5_000)
    with pytest.raises(BadData, match="row 2 does not end within") as caught:
        cut('a;b\n1;"' + "x" * 100_000, size=1000)
    assert caught.value.code == "cell-too-long"


def test_too_many_cells_are_refused():
    with pytest.raises(BadData, match="row 2 has 9 cells, the limit is 8") as caught:
        cut("a;b\n1;2;3;4;5;6;7;8;9\n")
    assert caught.value.code == "too-many-columns"


def test_too_many_rows_are_refused():
    with pytest.raises(BadData, match="more than 3 rows") as caught:
        cut("a\nb\nc\nd\n", limits=Limits(rows=3))
    assert caught.value.code == "too-many-rows"


def test_records_up_to_a_row_can_be_left_out():
    (block,) = blocks(io.BytesIO(b'a;b\n"c\n";d\n\n1;2\n'), start=0, delimiter=";", limits=LIMITS)
    below = block.after(2)
    assert (below.first_row, below.rows, below.record(1)) == (3, 2, ["1", "2"])
    assert below.frame([0, 1]).rows() == [(None, None), ("1", "2")]
    assert block.after(0) is block
    assert block.after(9).rows == 0


CELL = st.text(alphabet=st.sampled_from('ab1 ;,"\n\r\u00f8\u00a0'), max_size=6)
ROWS = st.lists(st.lists(CELL, min_size=2, max_size=4), min_size=1, max_size=12)


@settings(max_examples=300, deadline=None)
@given(
    ROWS, st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]), st.integers(1, 40)
)
def test_what_was_written_is_read(rows, end, quoting, size):
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=";", lineterminator=end, quoting=quoting)
    for row in rows:
        writer.writerow(row)
    text = target.getvalue()
    expected = list(csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True))
    found = cut(text, size=size)[0]
    assert [row for row, _ in found] == list(range(1, len(expected) + 1))
    assert [cells for _, cells in found] == [cells or [""] for cells in expected]


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet=st.sampled_from('a1;"\n\r \u00f8'), max_size=40), st.integers(1, 20))
@example('a"";\n', 20)
@example('"a"\r', 3)
@example('\r\n"', 1)
def test_any_text_is_read_as_a_plain_reader_reads_it_or_refused_with_it(text, size):
    lines = io.StringIO(text, newline="")
    expected = []
    try:
        expected.extend(csv.reader(lines, delimiter=";", strict=True))
    except csv.Error:
        with pytest.raises(BadData) as caught:
            cut(text, size=size)
        assert caught.value.code == "bad-quotes"
        assert str(caught.value).startswith(f"row {len(expected) + 1}:")
        return
    assert cells_of(text, size=size) == [cells or [""] for cells in expected]
