"""Pages: whole, in order, without repeats; foreign cursors are refused."""

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooling.paging import InvalidCursor, page_of


def walked(items: dict[str, int], limit: int) -> list[int]:
    found: list[int] = []
    cursor = None
    for _ in range(len(items) + 1):
        page = page_of(items, kind="numbers", cursor=cursor, limit=limit)
        found.extend(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return found
    raise AssertionError("the pages do not end")


@given(st.dictionaries(st.text(min_size=1), st.integers(), max_size=12), st.integers(1, 13))
def test_walking_the_pages_gives_every_item_once_in_order(items: dict[str, int], limit: int) -> None:
    assert walked(items, limit) == [items[key] for key in sorted(items)]


def test_the_last_page_has_no_cursor_even_when_full() -> None:
    items = {"a": 1, "b": 2}
    assert page_of(items, kind="k", cursor=None, limit=2).next_cursor is None
    assert page_of(items, kind="k", cursor=None, limit=1).next_cursor is not None
    assert page_of({}, kind="k", cursor=None, limit=1).items == ()


def test_an_item_that_went_away_does_no_harm() -> None:
    cursor = page_of({"a": 1, "b": 2, "c": 3}, kind="k", cursor=None, limit=2).next_cursor
    assert page_of({"a": 1, "c": 3}, kind="k", cursor=cursor, limit=2).items == (3,)


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "!!!!", "é", "a" * 400, urlsafe_b64encode(b"other:a").decode(), urlsafe_b64encode(b"k").decode()],
)
def test_what_is_no_cursor_of_this_list_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursor, match="begin again without a cursor"):
        page_of({"a": 1}, kind="k", cursor=cursor, limit=1)
