"""Lists in pages: a signed, opaque cursor holds where the next page begins; there are no page numbers to drift."""

import binascii
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from sqlalchemy import ColumnElement, Date, DateTime, TypeDecorator, Uuid, bindparam, literal, true, tuple_
from sqlalchemy.types import TypeEngine

from pooling.errors import BadInput

DEFAULT_LIMIT = 100
MAX_LIMIT = 500
MARK_BYTES = 16
KNOWN_LISTS = 1024

Item = TypeVar("Item")
Key = tuple[Any, ...]
"""A sort key: int, str, bool, UUID, date or datetime, one for each column that the list is sorted by."""


class InvalidCursor(BadInput):
    """The cursor is not one that this list gave out."""

    code = "invalid-cursor"


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a list that is asked for: at most ``limit`` items after ``after`` (None: from the first)."""

    limit: int = DEFAULT_LIMIT
    after: Key | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MAX_LIMIT:
            raise ValueError(f"limit: 1 to {MAX_LIMIT}, got {self.limit}")

    def clause(self, *columns: Any) -> ColumnElement[bool]:
        """The condition for rows after the last page, in the order of ``columns``: the list's sort key, ascending."""
        return self._compared(columns, descending=False)

    def clause_descending(self, *columns: Any) -> ColumnElement[bool]:
        """The same for a list whose whole sort key descends."""
        return self._compared(columns, descending=True)

    def _compared(self, columns: Sequence[Any], *, descending: bool) -> ColumnElement[bool]:
        if self.after is None:
            return true()
        if len(self.after) != len(columns):
            raise InvalidCursor("cursor: not one of this list; begin again without a cursor")
        here = tuple_(*columns)
        last = tuple_(*(literal(_typed(value, column.type), column.type) for value, column in zip(self.after, columns)))
        return here < last if descending else here > last

    def values(self, *columns: Any) -> dict[str, Any]:
        """Of the parameters of a prepared query (`after_parameters`, ``fetch``) on this page."""
        if self.after is None:
            return {"fetch": self.fetch}
        if len(self.after) != len(columns):
            raise InvalidCursor("cursor: not one of this list; begin again without a cursor")
        key = {f"after_{place}": _typed(value, columns[place].type) for place, value in enumerate(self.after)}
        return {**key, "fetch": self.fetch}

    @property
    def fetch(self) -> int:
        """How many rows to ask for: one more than is shown tells whether there are more."""
        return self.limit + 1


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items in order; ``last`` is the sort key of the last one where more follow, None on the last page."""

    items: tuple[Item, ...]
    last: Key | None


def after_parameters(*columns: Any) -> ColumnElement[bool]:
    """The condition of `Window.clause` in a prepared query; its values are `Window.values`."""
    marks = (bindparam(f"after_{place}", type_=column.type) for place, column in enumerate(columns))
    return tuple_(*columns) > tuple_(*marks)


def page_of(rows: Sequence[Item], window: Window, key: Callable[[Item], Key]) -> Page[Item]:
    """The page in up to ``window.fetch`` rows that follow ``window.after``; ``key`` gives the sort key of a row."""
    shown = tuple(rows[: window.limit])
    return Page(shown, key(shown[-1]) if len(rows) > window.limit else None)


def page_of_all(items: Mapping[str, Item], window: Window) -> Page[Item]:
    """The page of a list that is small enough to be held whole, by its keys."""
    after = None if window.after is None else str(window.after[0])
    keys = [key for key in sorted(items) if after is None or key > after]
    shown = keys[: window.limit]
    return Page(tuple(items[key] for key in shown), (shown[-1],) if len(keys) > window.limit else None)


@dataclass(frozen=True, slots=True)
class Cursors:
    """Writes and reads cursors under the service's ``secret``: nobody else can make or change one."""

    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) < 16:
            raise ValueError(f"the secret of cursors must have at least 16 bytes, got {len(self.secret)}")

    def write(self, bound: str, last: Key) -> str:
        """A cursor after ``last`` that is good for the list ``bound`` only."""
        content = _JSON(last).encode()
        return _written(self._mark(bound, content) + content)

    def read(self, bound: str, cursor: str) -> Key:
        """The key in a cursor; raises InvalidCursor where it was not written for ``bound`` with this secret."""
        try:
            raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except (binascii.Error, ValueError):
            raw = b""
        if _written(raw) != cursor:  # the decoder passes over foreign characters and spare bits
            raw = b""
        mark, content = raw[:MARK_BYTES], raw[MARK_BYTES:]
        if not hmac.compare_digest(mark, self._mark(bound, content)) or not content:
            raise InvalidCursor("cursor: not one of this list with these filters; begin again without a cursor")
        return tuple(json.loads(content))

    def _mark(self, bound: str, content: bytes) -> bytes:
        return hmac.digest(self.secret, bound.encode() + b"\0" + content, "sha256")[:MARK_BYTES]


def _written(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def _text(value: object) -> str:
    """A part of a key that JSON has no form for."""
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"a sort key holds int, str, bool, UUID, date and datetime, not {type(value).__name__}")


_JSON = json.JSONEncoder(separators=(",", ":"), default=_text).encode


def _typed(value: Any, kind: TypeEngine[Any]) -> Any:
    """A part of a key as the column of type ``kind`` has it."""
    if not isinstance(value, str):
        return value
    wanted = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    if isinstance(wanted, Uuid):
        return UUID(value)
    if isinstance(wanted, DateTime):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if isinstance(wanted, Date) else value


class Listing(NamedTuple):
    """A list by its address. ``bound``: what its cursors are good for; ``onward``: the next page's, but for the cursor.

    They are bound to the path and to all parameters but cursor and limit.
    """

    bound: str
    onward: str


@lru_cache(KNOWN_LISTS)
def listing(path: str, query: bytes) -> Listing:
    """The list at ``path`` with the parameters in ``query``."""
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    kept: dict[str, list[str]] = {}
    for name, value in sorted(given, key=itemgetter(0)):
        if name not in ("cursor", "limit"):
            kept.setdefault(name, []).append(value)
    again = urlencode([(name, value) for name, value in given if name != "cursor"])
    return Listing(f"{path}?{_JSON(kept)}", f"{path}?{again}{'&' if again else ''}")
