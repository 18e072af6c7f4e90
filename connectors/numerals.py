"""How the numbers of a file are written: which mark is decimal, which separate thousands, and whether that is sure.

A value supports readings; a file is sure of its decimal mark when all its values can be read with it and none would
be read otherwise with the other mark. "1.234,5", "0,05" and "12.50" decide; "1.234" and "400" do not.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import product

from connectors.errors import BadData

BLANKS = " \u00a0\u2007\u2009\u202f"  # space, no-break, figure, thin and narrow no-break space
APOSTROPHES = "'\u2019"
DECIMALS = (".", ",")
THOUSANDS = (*DECIMALS, *BLANKS, *APOSTROPHES)
_REMEMBERED = 100_000  # shapes of numbers; real files have some hundred
AS_NINES = str.maketrans("12345678", "99999999")  # the marks of a number show in its shape: few shapes to look at

_SHAPE = re.compile(rf"[+\-\u2212]?\s*([0-9.,{BLANKS}{APOSTROPHES}]*[0-9])([eE][+-]?[0-9]+)?\s*%?")

Reading = tuple[str | None, str | None]  # the decimal and the thousands mark a value shows; None: shows none


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks a file uses; ``thousands`` holds each one seen, None where no value shows one."""

    decimal: str | None
    thousands: str | None


def readings(text: str) -> frozenset[Reading]:
    """All ways to read ``text`` as one number; empty where it is none. Only zero and other digits are told apart."""
    shape = _SHAPE.fullmatch(text.strip())
    if shape is None:
        return frozenset()
    body, exponent = shape.groups()
    if body.isdigit():
        return frozenset({(None, None)})
    decimals = [None, *(mark for mark in DECIMALS if mark in body)]
    thousands = [None] if exponent else [None, *(mark for mark in THOUSANDS if mark in body)]
    return frozenset(reading for reading in product(decimals, thousands) if _fits(body, *reading))


def _fits(body: str, decimal: str | None, thousands: str | None) -> bool:
    """Whether ``body`` is one number under these marks, both of which it holds where they are given."""
    if decimal == thousands:
        return False
    head, _, fraction = body.partition(decimal) if decimal else (body, "", "0")
    if thousands is None:
        return fraction.isdigit() and (head.isdigit() or not head)
    first, *groups = head.split(thousands)
    return (
        fraction.isdigit()
        and first.isdigit()
        and len(first) <= 3
        and first[0] != "0"
        and bool(groups)
        and all(len(group) == 3 and group.isdigit() for group in groups)
    )


@dataclass(slots=True)
class Evidence:
    """The kinds of number seen so far, each with the first place that showed it."""

    places: dict[frozenset[Reading], str] = field(default_factory=dict)
    _known: dict[str, frozenset[Reading]] = field(default_factory=dict)

    def new(self, texts: Collection[str]) -> list[str]:
        """Those of ``texts`` that show something not seen yet; the caller then tells where, with ``add``."""
        news: dict[frozenset[Reading], str] = {}
        for text in texts:
            if text.isdigit() or text in self._known:
                continue
            shown = readings(text)
            if len(self._known) < _REMEMBERED:
                self._known[text] = shown
            if shown and shown not in self.places:
                news.setdefault(shown, text)
        return list(news.values())

    def add(self, text: str, place: str) -> None:
        """Record where ``text`` stands; ``place`` reads like: row 7, column 'Pris': '12,50'."""
        self.places.setdefault(readings(text), place)

    def decide(self, forced: str | None = None) -> Marks:
        """The marks in use. Raises ``BadData`` where values contradict each other or nothing decides.

        With ``forced``, values written with the other mark count for nothing: they will be no numbers.
        """
        if forced:
            return self._marks(forced)
        possible = [mark for mark in DECIMALS if all(_read_with(mark, shown) for shown in self.places)]
        if not possible:
            raise self._mixed()
        for shown, place in self.places.items():
            if len({_read_with(mark, shown) for mark in possible}) > 1:
                raise BadData(
                    "ambiguous-decimal",
                    f'{place} can be read with "." or "," as decimal mark, and no value in the file decides;'
                    ' state decimal = "." or decimal = "," in the mapping',
                )
        return self._marks(possible[0])

    def _marks(self, decimal: str) -> Marks:
        used = {reading for shown in self.places if (reading := _read_with(decimal, shown))}
        thousands = "".join(mark for mark in THOUSANDS if any(mark == reading[1] for reading in used))
        return Marks(
            decimal=decimal if any(reading[0] for reading in used) else None,
            thousands=thousands or None,
        )

    def _mixed(self) -> BadData:
        comma, point = (
            next(place for shown, place in self.places.items() if not _read_with(mark, shown)) for mark in DECIMALS
        )
        return BadData(
            "mixed-decimal",
            f"{comma} is written with a decimal comma, {point} with a decimal point;"
            ' write all numbers one way, or state decimal = "." or decimal = "," in the mapping:'
            " the values written the other way are then refused row by row",
        )


def _read_with(decimal: str, shown: frozenset[Reading]) -> Reading | None:
    """The one reading of a value that this decimal mark allows; None where there is none."""
    return next((reading for reading in sorted(shown, key=str) if _allows(decimal, reading)), None)


def _allows(decimal: str, reading: Reading) -> bool:
    return reading[0] in (None, decimal) and reading[1] != decimal
