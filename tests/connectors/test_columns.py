"""The header row is found among titles and blanks, and each mapped column under it."""

import pytest

from connectors.columns import Header, find_header, letter, select
from connectors.errors import BadData
from connectors.plan import ColumnPlan

PLAN = ColumnPlan(columns={"item_name": ("Navn", "Benämning"), "quantity": "Antal"})


@pytest.mark.parametrize(("column", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
def test_columns_are_named_as_a_spreadsheet_names_them(column, name):
    assert letter(column) == name


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(1, ["Navn", "Antal"]), (2, ["Handske", "5"])], 1),
        ([(1, ["Forbrug 2026", ""]), (3, ["Navn", "Antal"]), (4, ["Handske", "5"])], 3),
        ([(1, ["Antal pr. region"]), (2, ["Navn", "Antal"])], 2),
        ([(1, ["Navn"]), (2, ["Navn", "Antal"])], 2),
    ],
)
def test_the_header_is_the_row_with_most_mapped_headers(rows, expected):
    assert find_header(rows, plan=PLAN).row == expected


def test_a_stated_header_row_is_taken():
    rows = [(1, ["Navn", "Antal"]), (2, ["Handske", "5"])]
    assert find_header(rows, plan=PLAN, header_row=2).texts == ("Handske", "5")


def test_a_stated_header_row_without_text_is_refused():
    with pytest.raises(BadData, match="row 7 has no text") as caught:
        find_header([(1, ["Navn", "Antal"])], plan=PLAN, header_row=7)
    assert caught.value.code == "no-header"


def test_without_a_plan_the_header_is_the_first_full_row():
    rows = [(1, ["Forbrug 2026", "", ""]), (2, ["", "", ""]), (3, ["Navn", "Antal", "Pris"]), (4, ["a", "1", "2"])]
    assert find_header(rows, plan=None).row == 3


def test_a_table_without_text_is_refused():
    with pytest.raises(BadData, match="no cell with text") as caught:
        find_header([(1, ["", " "])], plan=None)
    assert caught.value.code == "empty-file"


@pytest.mark.parametrize("written", ["Antal", "ANTAL", "  antal ", "an\u0074al"])
def test_headers_are_compared_without_case_and_blanks(written):
    assert select(Header(1, ("Navn", written)), PLAN).places == {"item_name": 0, "quantity": 1}


def test_headers_are_compared_composed_and_by_words():
    plan = ColumnPlan(columns={"item_name": "Benämning på vara"})
    assert select(Header(1, ("Bena\u0308mning\u00a0pa\u030a vara",)), plan).places == {"item_name": 0}


def test_the_first_alternative_present_wins():
    header = Header(1, ("Benämning", "Antal", "Navn"))
    assert select(header, PLAN).places["item_name"] == 2
    assert select(header, PLAN).unused == ("Benämning",)


def test_two_columns_may_come_from_one_header():
    plan = ColumnPlan(columns={"item_name": "Navn", "pack_size": "Navn"})
    assert select(Header(1, ("Navn",)), plan).places == {"item_name": 0, "pack_size": 0}


def test_a_missing_header_is_named_with_those_there_are():
    with pytest.raises(
        BadData, match="row 3: no header 'Antal' for column 'quantity'; the headers are 'Navn', 'Pris'"
    ) as caught:
        select(Header(3, ("Navn", "Pris")), PLAN)
    assert caught.value.code == "missing-column"


def test_an_optional_column_may_be_missing():
    plan = ColumnPlan(columns={"item_name": "Navn", "quantity": "Antal"}, optional=frozenset({"quantity"}))
    assert select(Header(1, ("Navn",)), plan).places == {"item_name": 0}


def test_a_mapped_header_that_stands_twice_is_refused():
    with pytest.raises(BadData, match="row 1: header 'Antal' stands on columns B and D") as caught:
        select(Header(1, ("Navn", "Antal", "Pris", "antal")), PLAN)
    assert caught.value.code == "duplicate-header"


def test_an_unmapped_header_may_stand_twice():
    assert select(Header(1, ("Navn", "Antal", "Note", "Note")), PLAN).unused == ("Note", "Note")
