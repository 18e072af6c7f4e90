"""Reads a TOML table key by key; what is wrong, and every key nobody asked for, becomes a fault with its path."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from pooling.errors import BadSetting, did_you_mean

Built = TypeVar("Built")
Faults = list[tuple[str, str]]


class Keys:
    """One table of a document. Each method takes a key out; ``finish`` names those left over."""

    def __init__(self, table: Mapping[str, Any], path: str, faults: Faults) -> None:
        self._table = table
        self._path = path
        self._faults = faults
        self._asked: list[str] = []

    def path(self, name: str) -> str:
        """The key's path in the document."""
        return f"{self._path}.{name}" if self._path else name

    def fault(self, name: str, text: str) -> None:
        """Note what is wrong with a key, and what to do."""
        self._faults.append((self.path(name), text))

    def _take(self, name: str, kind: type | tuple[type, ...], what: str) -> Any:
        self._asked.append(name)
        value = self._table.get(name)
        if value is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is int)):
            self.fault(name, f"{value!r}; give {what}")
            return None
        return value

    def text(self, name: str, *, choices: tuple[str, ...] = (), required: str | None = None) -> str | None:
        """A string, one of ``choices`` where given; None if absent. ``required``: what to give where it is missing."""
        value: str | None = self._take(name, str, "text in quotes")
        if value is None and required and name not in self._table:
            self.fault(name, f"missing; {required}" + (f": one of {', '.join(choices)}" if choices else ""))
        if value is not None and choices and value not in choices:
            self.fault(name, f"{value!r}; give one of {', '.join(choices)}")
            return None
        return value

    def number(self, name: str) -> int | None:
        """A whole number."""
        value: int | None = self._take(name, int, "a whole number")
        return value

    def decimal(self, name: str, *, required: str | None = None) -> Decimal | None:
        """An exact decimal, written as a number or in quotes; ``required``: what to give where it is missing."""
        value = self._take(name, (str, int, Decimal), "a number")
        if value is None:
            if required and name not in self._table:
                self.fault(name, f"missing; {required}")
            return None
        try:
            number = Decimal(value) if not isinstance(value, bool) else Decimal("NaN")
        except ArithmeticError:
            number = Decimal("NaN")
        if number.is_finite():
            return number
        self.fault(name, f"{value!r}; give a number, with a decimal point where it has decimals")
        return None

    def flag(self, name: str) -> bool | None:
        """True or false."""
        value: bool | None = self._take(name, bool, "true or false")
        return value

    def day_or_word(self, name: str, words: tuple[str, ...]) -> date | str | None:
        """A day (2026-10-30, with or without quotes) or one of ``words``."""
        value = self._take(name, (str, date), "a day")
        if value is None:
            if name not in self._table:
                self.fault(name, f"missing; give a day as 2026-10-30, or one of {', '.join(words)}")
            return None
        if isinstance(value, datetime):
            self.fault(name, "give the day alone, as 2026-10-30")
            return None
        if isinstance(value, date) or value in words:
            day_or_word: date | str = value
            return day_or_word
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fault(name, f"{value!r}; give a day as 2026-10-30, or one of {', '.join(words)}")
            return None

    def texts(self, name: str) -> tuple[str, ...]:
        """A string or a list of strings."""
        value = self._take(name, (str, list), "text or a list of texts")
        if value is None:
            return ()
        parts = [value] if isinstance(value, str) else value
        if not all(isinstance(part, str) and part.strip() for part in parts):
            self.fault(name, f"{value!r}; give text in quotes, not blank, or a list of such")
            return ()
        return tuple(parts)

    def words(self, name: str, kind: type | tuple[type, ...] = str, what: str = "text in quotes") -> dict[str, Any]:
        """A table of words to values of one kind."""
        table = self._take(name, dict, "a table of words") or {}
        for word, value in table.items():
            if not isinstance(value, kind):
                self.fault(f"{name}.{word}", f"{value!r}; give {what}")
        return {word: value for word, value in table.items() if isinstance(value, kind)}

    def section(self, name: str) -> "Keys":
        """A table inside this one; empty if absent."""
        table = self._take(name, dict, "a table") or {}
        return Keys(table, self.path(name), self._faults)

    def sections(self, name: str) -> Iterator["Keys"]:
        """The tables of a list, each with its number in the path, counted from 1."""
        tables = self._take(name, list, "a list of tables, written [[...]]") or []
        for number, table in enumerate(tables, start=1):
            if isinstance(table, dict):
                yield Keys(table, f"{self.path(name)}[{number}]", self._faults)
            else:
                self.fault(f"{name}[{number}]", f"{table!r}; write a table, [[{name}]]")

    def names(self) -> list[str]:
        """All keys of this table."""
        return list(self._table)

    def has(self, name: str) -> bool:
        """Whether the key is given."""
        return name in self._table

    def build(self, make: Callable[[], Built], name: str | None = None) -> Built | None:
        """What ``make`` builds; each line of its refusal becomes a fault at ``name``, or at the key it begins with."""
        try:
            return make()
        except BadSetting as wrong:
            for line in str(wrong).splitlines():
                key, _, text = line.partition(": ")
                known = key in self._asked
                at = self.path(name) if name else (self.path(key) if known else self._path)
                self._faults.append((at, text if known else line))
            return None

    def finish(self) -> None:
        """Name the keys nobody asked for."""
        for name in self._table:
            if name not in self._asked:
                known = f"leave it out, or give one of {', '.join(self._asked)}"
                self.fault(name, f"unknown key; {did_you_mean(name, self._asked, known)}")
