"""What a mapping says, section by section: frozen, checked at birth, in the words of docs/mapping.md."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Literal

import polars as pl

from connectors.errors import BadPlan
from connectors.frames import COLUMNS
from connectors.plan import ENCODINGS, encoding_name
from pooling.errors import BadSetting

CANONICAL = tuple(COLUMNS)
MAX_MONTHS = 240
YEARS = range(1990, 2200)
NO_DELIMITERS = '"\r\n'
LAST_ASCII = 127


def nothing() -> Mapping[str, Any]:
    """The empty table of words."""
    return MappingProxyType({})


def refuse(faults: Iterable[str]) -> None:
    """Raise BadSetting with all of the faults, a line each, if there are any; each begins with its key."""
    found = list(faults)
    if found:
        raise BadSetting("\n".join(found))


def is_month(text: str) -> bool:
    """Whether ``text`` is a month as we write it, YYYY-MM."""
    return bool(re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text)) and int(text[:4]) in YEARS


def pattern_faults(key: str, pattern: str) -> Iterator[str]:
    """Why Python or the column engine cannot run a regular expression (the engine knows no look-around)."""
    try:
        re.compile(pattern)
        pl.Series([""]).str.contains(pattern)
    except (re.error, pl.exceptions.ComputeError) as wrong:
        why = next((line for line in str(wrong).splitlines() if line.startswith("error: ")), f"error: {wrong}")
        yield f"{key}: {pattern!r} is no pattern, {why}; correct it, without look-around"


@dataclass(frozen=True, slots=True)
class FileHints:
    """How the file is written, where it is not to be found out; None: found by itself."""

    delimiter: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    sheet: str | None = None
    header_row: int | None = None

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[str]:
        mark = self.delimiter
        if mark is not None and (len(mark) != 1 or mark in NO_DELIMITERS or ord(mark) > LAST_ASCII):
            yield f'delimiter: {mark!r} is not one character of ASCII; give ";" or "," or "\\t"'
        if self.encoding is not None:
            try:
                encoding_name(self.encoding)
            except BadPlan:
                yield f"encoding: {self.encoding!r} is not read here; give one of {', '.join(ENCODINGS)}"
        if self.decimal not in (None, ",", "."):
            yield f'decimal: {self.decimal!r} is no decimal mark; give "," or "."'
        if self.header_row is not None and self.header_row < 1:
            yield f"header_row: {self.header_row}; give 1 or more, rows count from 1"


@dataclass(frozen=True, slots=True)
class DayFormats:
    """How days are written beside ISO (2027-03-31); two-digit years only with ``century`` (2000: 27 is 2027)."""

    formats: tuple[str, ...] = ()
    century: int | None = None

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[str]:
        for text in self.formats:
            parts = re.split(r"[./ -]", text)
            year = "Y" if "Y" in parts else "yy"
            if sorted(parts) not in (sorted(["d", "m", year]), sorted(["d", "Mon", year])):
                yield f'formats: {text!r}; write day, month and year as in "d.m.Y", "m/d/yy" or "d-Mon-yy"'
            elif year == "yy" and self.century is None:
                yield f"formats: {text!r} has two-digit years; state the century, e.g. century = 2000"
        if self.century is not None and (self.century % 100 or self.century not in YEARS):
            yield f"century: {self.century} is not the first year of a century; give 2000"


NEEDS = {
    "earliest": "give a month as YYYY-MM",
    "latest": "give a month as YYYY-MM",
    "flexibility_months": "say how many months later a contract may start",
}


@dataclass(frozen=True, slots=True)
class Window:
    """How the months follow between which a line can start a new contract.

    columns: the file gives both. contract-end: the month after the contract's end, and as many later as it can be
    extended. date: the month of ``date``, and as many later as ``flexibility_months``. stated: the same for all.
    ``source`` says where this is known from; a column window_source goes before it.
    """

    rule: Literal["columns", "contract-end", "date", "stated"]
    source: str
    earliest: str | None = None
    latest: str | None = None
    extension_months: int | None = None
    flexibility_months: int | None = None

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[str]:
        needed = {"stated": ("earliest", "latest"), "date": ("flexibility_months",)}.get(self.rule, ())
        allowed = (*needed, *(("extension_months",) if self.rule == "contract-end" else ()))
        for name in ("earliest", "latest", "extension_months", "flexibility_months"):
            value = getattr(self, name)
            if value is None and name in needed:
                yield f'{name}: missing; the rule "{self.rule}" needs it: {NEEDS[name]}'
            elif value is not None and name not in allowed:
                yield f'{name}: the rule "{self.rule}" does not use it; leave it out'
            elif isinstance(value, str) and not is_month(value):
                yield f"{name}: {value!r} is no month; write YYYY-MM"
            elif isinstance(value, int) and not 0 <= value <= MAX_MONTHS:
                yield f"{name}: {value}; give 0 to {MAX_MONTHS} months"
        if self.earliest and self.latest and is_month(self.earliest) and self.earliest > self.latest:
            yield f"earliest: {self.earliest} is after the latest, {self.latest}; correct one of the two"
        if not 1 <= len(self.source) <= 200:
            yield "source: say in 1 to 200 characters where the window is known from"


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """The 10th and 90th percentile as a share below and above the quantity, where the file gives none."""

    spread: Fraction

    def __post_init__(self) -> None:
        if not 0 <= self.spread <= 1 or 10_000 % self.spread.denominator:
            raise BadSetting(f"spread: {float(self.spread)}; give a share from 0 to 1 with at most four decimals")


@dataclass(frozen=True, slots=True)
class CategoryRule:
    """Rows whose ``column`` matches the pattern ``find`` are of ``category``; the first rule that matches counts."""

    find: str
    category: str
    column: str = "item_name"

    def __post_init__(self) -> None:
        refuse(pattern_faults("find", self.find))


@dataclass(frozen=True, slots=True)
class Categories:
    """How a row's category is known, in this order: ``exact`` words, rules, our own ids and names in ``category``.

    ``keys`` are the columns whose words are looked up, in order. ``derive``: the id is made of the words in these
    headers, lower case with hyphens (a region's own nomenclature loaded as categories).
    """

    keys: tuple[str, ...] = ("item_code", "category", "item_name")
    exact: Mapping[str, str] = field(default_factory=nothing)
    rules: tuple[CategoryRule, ...] = ()
    derive: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        refuse(
            f"keys: {key!r} is not looked up; give some of item_code, category and item_name"
            for key in self.keys
            if key not in ("item_code", "category", "item_name")
        )


@dataclass(frozen=True, slots=True)
class Criteria:
    """Words for criteria codes in the columns required and refused, several in a cell parted by ``separator``."""

    words: Mapping[str, str] = field(default_factory=nothing)
    separator: str = ";"

    def __post_init__(self) -> None:
        if len(self.separator) != 1:
            raise BadSetting(f'separator: {self.separator!r} is not one character; give one, such as ";"')


@dataclass(frozen=True, slots=True)
class Group:
    """Order lines or deliveries become one line each for what is equal in ``by``; year is that of ``date``."""

    by: tuple[str, ...]

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[str]:
        known = ("participant", "category", "item_code", "year")
        for name in self.by:
            if name not in known:
                yield f"by: {name!r} is nothing to group by; give some of {', '.join(known)}"
        if not {"participant", "category"} <= set(self.by) or len(set(self.by)) != len(self.by):
            yield "by: a line has one participant and one category; name both, each once"


@dataclass(frozen=True, slots=True)
class Skip:
    """Rows out of scope, counted under ``reason``: the cell of ``column`` is one of ``equals``, matches, or is blank.

    ``blank`` with several columns: all of them are blank.
    """

    reason: str
    columns: tuple[str, ...]
    equals: tuple[str, ...] = ()
    matches: str | None = None
    blank: bool = False

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[str]:
        if bool(self.equals) + bool(self.matches) + self.blank != 1:
            yield "a rule has one test; give one of equals, matches and blank"
        if not self.columns or (len(self.columns) > 1 and not self.blank):
            yield "column: name one column; several go with blank = true only"
        if not 1 <= len(self.reason) <= 80:
            yield "reason: say in 1 to 80 characters why these rows are out of scope"
        if self.matches is not None:
            yield from pattern_faults("matches", self.matches)
