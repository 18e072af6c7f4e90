"""The units of measure that demand comes in, from the packaged table: fixed when the program is, like code."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Unit:
    """A UNECE Recommendation 20 code (PK, BX and RO are in Recommendation 21 today).

    ``factor``: how many ``base_unit`` one of it is, exact; None where what it holds differs from product to product.
    """

    code: str
    kind: str
    name: str
    base_unit: str
    factor: Fraction | None
    aliases: tuple[str, ...]


def _read() -> Mapping[str, Unit]:
    with (Path(__file__).parent / "data" / "units.csv").open(encoding="utf-8", newline="") as lines:
        units = [
            Unit(
                code=row["code"],
                kind=row["kind"],
                name=row["name"],
                base_unit=row["base_unit"],
                factor=Fraction(row["factor"]) if row["factor"] else None,
                aliases=tuple(row["aliases"].split("|")),
            )
            for row in csv.DictReader(lines)
        ]
    return MappingProxyType({unit.code: unit for unit in units})


UNITS: Mapping[str, Unit] = _read()


def _plain(text: str) -> str:
    return re.sub(r"[\s.]+", " ", text).strip().casefold()


_CODES: Mapping[str, str] = MappingProxyType(
    {_plain(word): unit.code for unit in UNITS.values() for word in (*unit.aliases, unit.name, unit.code)}
)


def unit_code(text: str) -> str | None:
    """The code of a unit as buyers write it in en, da, sv, no, fi or is ("Stk.", "FRP", "kpl"); None if unknown.

    Case, full stops and blanks at the ends do not matter.
    """
    return _CODES.get(_plain(text))
