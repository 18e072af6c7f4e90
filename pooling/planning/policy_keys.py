"""The keys of a policy, each read in its form, with what is wrong noted."""

from collections.abc import Mapping
from datetime import date
from math import isfinite
from typing import Any

from pooling.planning.rules import Timetable

NONE = "none"


class Check:
    """Reads keys of one document and notes what is wrong; a faulty value comes back as a harmless stand-in."""

    def __init__(self, document: Mapping[str, Any], faults: list[str]) -> None:
        self.document = document
        self.faults = faults
        self.wrong: set[str] = set()

    def _fault(self, key: str, value: Any, remedy: str) -> None:
        self.wrong.add(key)
        self.faults.append(f"{key}: {value!r}: {remedy}")

    def text(self, key: str) -> str:
        value = self.document[key]
        if not isinstance(value, str) or len(value) > 400:
            self._fault(key, value, "give a text of at most 400 characters")
        return str(value)

    def day(self, key: str) -> date:
        value = self.document[key]
        if type(value) is not date:
            self._fault(key, value, "give a day as YYYY-MM-DD, without quotes")
            return date.min
        return value

    def flag(self, key: str) -> bool:
        value = self.document[key]
        if not isinstance(value, bool):
            self._fault(key, value, "give true or false")
        return bool(value)

    def number(self, key: str, value: Any, *, least: int, most: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self._fault(key, value, f"give a whole number from {least} to {most}")
            return least
        return value

    def whole(self, key: str, *, most: int, least: int = 1) -> int:
        return self.number(key, self.document[key], least=least, most=most)

    def limit(self, key: str) -> int | None:
        value = self.document[key]
        if value == NONE:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000_000:
            self._fault(key, value, f'give a whole number of 0 or more, or "{NONE}"')
            return None
        return value

    def amount(self, key: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0:
            self._fault(key, value, "give a number of 0 or more")
            return 0.0
        return value

    def share(self, key: str, least: float) -> float:
        value = self.amount(key, self.document[key])
        if not least <= value < 1:
            self._fault(key, value, f"give a number from {least:g} up to, not including, 1")
        return value

    def codes(self, key: str) -> tuple[str, ...]:
        value = self.document[key]
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self._fault(key, value, "give a list of texts")
            return ()
        return tuple(sorted(set(value)))

    def table(self, key: str) -> Mapping[str, Any]:
        value = self.document[key]
        if not isinstance(value, dict):
            self._fault(key, value, f"give a table [{key}]")
            return dict.fromkeys(Timetable.__slots__, 1) if key == "timetable" else {}
        return value
