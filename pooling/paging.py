"""Lists in pages: an opaque cursor holds where the next page begins; there are no page numbers to drift."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from pooling.errors import BadInput

DEFAULT_LIMIT = 100
MAX_LIMIT = 500

Item = TypeVar("Item")


class InvalidCursor(BadInput):
    """The cursor is not one that this list gave out."""

    code = "invalid-cursor"


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items in the order of their keys; ``next_cursor`` is None on the last page."""

    items: tuple[Item, ...]
    next_cursor: str | None


def page_of(items: Mapping[str, Item], *, kind: str, cursor: str | None, limit: int) -> Page[Item]:
    """The page of ``items`` after ``cursor`` (None: the first page); an item that is gone does no harm.

    ``kind`` names the list, so that one list's cursor is refused by another. Raises InvalidCursor.
    """
    after = None if cursor is None else _read(kind, cursor)
    keys = [key for key in sorted(items) if after is None or key > after]
    shown = keys[:limit]
    more = len(keys) > limit
    return Page(tuple(items[key] for key in shown), _write(kind, shown[-1]) if more else None)


def _write(kind: str, key: str) -> str:
    return urlsafe_b64encode(f"{kind}:{key}".encode()).decode().rstrip("=")


def _read(kind: str, cursor: str) -> str:
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        text = ""
    found, colon, key = text.partition(":")
    if found != kind or not colon or _write(kind, key) != cursor:
        raise InvalidCursor(f"cursor {cursor!r}: not one of this list; begin again without a cursor")
    return key
