"""What is asked of a file (which header is which column) and what is told about it (how it was read)."""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from connectors.errors import BadPlan
from connectors.frames import COLUMNS, NUMERIC, known

ENCODINGS = ("utf-8", "utf-16", "cp1252")
DECIMAL_MARKS = (".", ",")
PREVIEW_ROWS = 10
PREVIEW_CHARS = 200

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class ColumnPlan:
    """Which header of a file holds which canonical column, and what is known of the file beforehand.

    ``columns``: canonical name (or ``extra:NAME``) to a header or to alternatives, of which the first present wins.
    Headers are compared without regard to case, surrounding or repeated blanks. ``optional`` names those of them that
    a file may lack; the frame then lacks the column. ``constants``: canonical name to the text every row gets;
    numbers in them have a decimal point. What is None is found in the file: ``sheet`` by name, ``header_row`` counted
    from 1, ``delimiter`` one character, ``encoding`` one of ``ENCODINGS``, ``decimal`` "." or ",".
    """

    columns: Mapping[str, str | tuple[str, ...]]
    constants: Mapping[str, str] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    sheet: str | None = None
    header_row: int | None = None
    delimiter: str | None = None
    encoding: str | None = None
    decimal: str | None = None

    def __post_init__(self) -> None:
        self._check_names()
        if self.header_row is not None and self.header_row < 1:
            raise BadPlan("bad-plan", f"header_row is counted from 1, got {self.header_row}")
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise BadPlan("bad-plan", f"delimiter must be one character, no quote or line end, got {self.delimiter!r}")
        if self.delimiter is not None and ord(self.delimiter) > 127:
            raise BadPlan("bad-plan", f"delimiter must be an ASCII character, got {self.delimiter!r}")
        if self.decimal is not None and self.decimal not in DECIMAL_MARKS:
            raise BadPlan("bad-plan", f'decimal must be "." or ",", got {self.decimal!r}')
        if self.encoding is not None:
            object.__setattr__(self, "encoding", encoding_name(self.encoding))

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "ColumnPlan":
        """The plan that ``to_document`` wrote, after a way through JSON."""
        columns = {name: tuple(headers) for name, headers in document["columns"].items()}
        return cls(**{**document, "columns": columns, "optional": frozenset(document["optional"])})

    def to_document(self) -> dict[str, Any]:
        """The plan in types JSON knows."""
        document = {each.name: getattr(self, each.name) for each in fields(self)}
        columns = {name: list(self.headers_of(name)) for name in self.columns}
        return {**document, "columns": columns, "constants": dict(self.constants), "optional": sorted(self.optional)}

    def _check_names(self) -> None:
        if not self.columns:
            raise BadPlan("bad-plan", "columns is empty; name at least one column of the file")
        for name in [*self.columns, *self.constants]:
            if not known(name):
                raise BadPlan("bad-plan", f"unknown column {name!r}; known are {', '.join(COLUMNS)} and extra:HEADER")
        if twice := sorted(set(self.columns) & set(self.constants)):
            raise BadPlan("bad-plan", f"{twice[0]!r} is both a column and a constant; keep one of them")
        if stray := sorted(self.optional - set(self.columns)):
            raise BadPlan("bad-plan", f"optional column {stray[0]!r} is not among the columns")
        for name, text in self.constants.items():
            if name in NUMERIC and not _NUMBER.fullmatch(text):
                raise BadPlan("bad-plan", f"constant {name!r} must be a number such as 12 or 12.5, got {text!r}")
        for name in self.columns:
            if not all(header.strip() for header in self.headers_of(name)) or not self.headers_of(name):
                raise BadPlan("bad-plan", f"column {name!r} needs a header, got {self.columns[name]!r}")

    def headers_of(self, name: str) -> tuple[str, ...]:
        """The headers that may hold a column, best first."""
        headers = self.columns[name]
        return (headers,) if isinstance(headers, str) else tuple(headers)


def encoding_name(text: str) -> str:
    """One of ``ENCODINGS`` for any usual spelling of it (UTF8, Windows-1252, ...)."""
    try:
        name = codecs.lookup(text).name
    except LookupError:
        name = ""
    name = "utf-8" if name == "utf-8-sig" else name
    if name not in ENCODINGS:
        raise BadPlan("bad-plan", f"encoding must be one of {', '.join(ENCODINGS)}, got {text!r}")
    return name


@dataclass(frozen=True, slots=True)
class Hints:
    """What is known of a file before its columns are: each as in ``ColumnPlan``, None where it is to be found out."""

    sheet: str | None = None
    header_row: int | None = None
    delimiter: str | None = None
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class ReadReport:
    """How a file was read. Rows are counted from 1, as a text editor or spreadsheet shows them.

    ``delimiter`` is None for a workbook, ``sheet`` for a CSV. ``decimal_mark`` and ``thousands_mark`` say how the
    numeric columns of the whole file are written; None when no value shows one. Where several kinds of blank separate
    thousands, ``thousands_mark`` holds each of them. ``rows`` counts the rows that the batches hold; rows without any
    text are passed over and counted in ``blank_rows``; ``short_rows`` have fewer cells than headers (the rest is
    null), the first of them is ``first_short_row``. ``columns`` are the frame's, in order, without ``row``.
    """

    format: str
    encoding: str | None
    delimiter: str | None
    decimal_mark: str | None
    thousands_mark: str | None
    sheet: str | None
    header_row: int
    headers: tuple[str, ...]
    unused_headers: tuple[str, ...]
    columns: tuple[str, ...]
    rows: int
    blank_rows: int
    short_rows: int
    first_short_row: int | None
    bytes: int
    sha256: str

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "ReadReport":
        """The report after a way through JSON, which knows no tuples."""
        restored: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in document.items()
        }
        return cls(**restored)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file looks like before anyone has said which column is which.

    ``sheets`` are the workbook's visible sheets with content; ``rows`` the first rows after the header, each with its
    number, cells in the order of ``headers``, cut to 200 characters.
    """

    format: str
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    sheets: tuple[str, ...]
    header_row: int
    headers: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str | None, ...]], ...]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Preview":
        """The preview after a way through JSON, which knows no tuples."""
        rows = tuple((int(row), tuple(cells)) for row, cells in document["rows"])
        lists = {name: tuple(document[name]) for name in ("sheets", "headers")}
        return cls(**{**document, **lists, "rows": rows})
