"""Pages: whole, in order, without repeats; a cursor is good for its list, its filters and its service only."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Date, Engine, Integer, MetaData, String, Table, Uuid, insert, select

from pooling.database import UtcDateTime, reading, transaction
from pooling.paging import Cursors, InvalidCursor, Window, listing, page_of, page_of_all

CURSORS = Cursors(b"0123456789abcdef0123456789abcdef")
KEYS = st.tuples(st.text(max_size=20), st.integers(-(2**60), 2**60), st.booleans())


def walked(items: dict[str, int], limit: int) -> list[int]:
    found: list[int] = []
    window = Window(limit)
    for _ in range(len(items) + 1):
        page = page_of_all(items, window)
        found.extend(page.items)
        if page.last is None:
            return found
        window = Window(limit, CURSORS.read("list", CURSORS.write("list", page.last)))
    raise AssertionError("the pages do not end")


@given(st.dictionaries(st.text(min_size=1), st.integers(), max_size=12), st.integers(1, 13))
def test_walking_the_pages_gives_every_item_once_in_order(items: dict[str, int], limit: int) -> None:
    assert walked(items, limit) == [items[key] for key in sorted(items)]


def test_the_last_page_has_no_cursor_even_when_full() -> None:
    items = {"a": 1, "b": 2}
    assert page_of_all(items, Window(2)).last is None
    assert page_of_all(items, Window(1)).last == ("a",)
    assert page_of_all({}, Window(1)).items == ()


def test_an_item_that_went_away_does_no_harm() -> None:
    last = page_of_all({"a": 1, "b": 2, "c": 3}, Window(2)).last
    assert page_of_all({"a": 1, "c": 3}, Window(2, last)).items == (3,)


@given(KEYS)
def test_a_key_comes_back_as_it_was(key: tuple[Any, ...]) -> None:
    assert CURSORS.read("list", CURSORS.write("list", key)) == key


def test_only_what_has_an_order_everywhere_is_a_key() -> None:
    with pytest.raises(TypeError, match="a sort key holds"):
        CURSORS.write("list", (b"x",))
    with pytest.raises(ValueError, match="at least 16 bytes"):
        Cursors(b"short")
    for limit in (0, 501):
        with pytest.raises(ValueError, match="1 to 500"):
            Window(limit)


GOOD = CURSORS.write("list", ("a", 1))


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "x", "!!!!", "é", "a" * 400, GOOD + "=", GOOD + "A", GOOD[:-1], f"{GOOD} ", f"!{GOOD}", GOOD.swapcase()),
        Cursors(b"another secret of enough bytes").write("list", ("a", 1)),
        CURSORS.write("other", ("a", 1)),
        urlsafe_b64encode(b"\0" * 16 + b'["a",1]').decode(),
        urlsafe_b64encode(urlsafe_b64decode(GOOD + "==")[:16] + b'["b",1]').decode().rstrip("="),
    ],
)
def test_what_is_no_cursor_of_this_list_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursor, match="begin again without a cursor"):
        CURSORS.read("list", cursor)
    assert CURSORS.read("list", GOOD) == ("a", 1)


def test_every_changed_letter_of_a_cursor_is_noticed() -> None:
    for place in range(len(GOOD)):
        for letter in "AB":
            changed = GOOD[:place] + letter + GOOD[place + 1 :]
            if changed != GOOD:
                with pytest.raises(InvalidCursor):
                    CURSORS.read("list", changed)


def test_a_cursor_is_bound_to_path_and_filters_but_not_to_the_size_of_pages() -> None:
    one = listing("/v1/lines", b"category=a&limit=3&cursor=x").bound
    assert one == listing("/v1/lines", b"limit=5&category=a").bound
    others = [
        listing("/v1/lines", b"").bound,
        listing("/v1/lines", b"category=b").bound,
        listing("/v1/lines", b"category=a&category=b").bound,
        listing("/v1/pools", b"category=a").bound,
    ]
    assert len({one, *others}) == 5


def test_the_next_page_has_the_same_filters_written_so_that_they_cannot_end_the_link() -> None:
    assert listing("/v1/lines", b"").onward == "/v1/lines?"
    assert listing("/v1/lines", b"category=a%3E&cursor=x&limit=3").onward == "/v1/lines?category=a%3E&limit=3&"
    assert listing("/v1/lines", b'category=">').onward == "/v1/lines?category=%22%3E&"


TABLE = Table(
    "paged",
    MetaData(),
    Column("at", UtcDateTime, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("name", String(10), primary_key=True),
    Column("number", Integer),
)


@pytest.mark.parametrize("descending", [False, True])
def test_a_table_is_walked_by_a_key_of_any_types(engine: Engine, *, descending: bool) -> None:
    rows = [
        {
            "at": datetime(2026, 1, 1 + number // 6, 12, 0, 0, number // 3, tzinfo=UTC),
            "day": date(2026, 2, 1 + number % 2),
            "id": UUID(int=number * 7919 % 13),
            "name": "aåz"[number % 3],
            "number": number,
        }
        for number in range(20)
    ]
    TABLE.create(engine)
    with transaction(engine) as session:
        session.connection().execute(insert(TABLE), rows)
    key = (TABLE.c.at, TABLE.c.day, TABLE.c.id)
    order = [column.desc() for column in key] if descending else list(key)
    found: list[int] = []
    window = Window(3)
    with reading(engine) as session:
        whole = list(session.connection().execute(select(TABLE.c.number).order_by(*order)).scalars())
        while True:
            clause = window.clause_descending(*key) if descending else window.clause(*key)
            statement = select(TABLE).where(clause).order_by(*order).limit(window.fetch)
            chosen = session.connection().execute(statement).all()
            page = page_of(chosen, window, lambda row: (row.at, row.day, row.id))
            found += [row.number for row in page.items]
            if page.last is None:
                break
            window = Window(3, CURSORS.read("t", CURSORS.write("t", page.last)))
    assert found == whole
    assert len(found) == 20


def test_a_cursor_of_another_key_is_refused() -> None:
    with pytest.raises(InvalidCursor):
        Window(3, ("a", 1)).clause(TABLE.c.name)


def test_the_content_of_a_cursor_is_json() -> None:
    assert json.loads(urlsafe_b64decode(GOOD + "=" * (-len(GOOD) % 4))[16:]) == ["a", 1]
