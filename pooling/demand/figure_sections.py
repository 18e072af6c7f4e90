"""Sections of a mapping about figures: units and packs, prices with and without VAT, currencies."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from pooling.demand.sections import nothing, pattern_faults, refuse
from pooling.errors import BadSetting

PACK = "pack"
MAX_PACK = 10**6


@dataclass(frozen=True, slots=True)
class UnitWord:
    """What a unit word means: a UNECE code, or a pack, perhaps of always the same size."""

    code: str | None
    pack_size: int | None = None

    @property
    def is_pack(self) -> bool:
        """Whether it is a pack, whose size may have to be looked for."""
        return self.code is None

    def __post_init__(self) -> None:
        if self.pack_size is not None and not 1 <= self.pack_size <= MAX_PACK:
            raise BadSetting(f"pack: {self.pack_size} is no pack size; give 1 to {MAX_PACK}")
        if not self.is_pack and self.pack_size is not None:
            raise BadSetting(f"pack: {self.code!r} is a unit and holds no pack; leave one of them out")


@dataclass(frozen=True, slots=True)
class PackPattern:
    """Finds in an item name what one unit holds: group ``n`` (may have decimals), times group ``times`` if there.

    ``when`` pack: for units that are packs; mismatch: for units that cannot be converted to the category's base unit,
    as a bottle counted in pieces where the volume is wanted.
    """

    find: str
    of: str | None = None
    when: Literal["pack", "mismatch"] = "pack"

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[str]:
        wrong = list(pattern_faults("find", self.find))
        yield from wrong
        names = set() if wrong else set(re.compile(self.find).groupindex)
        if not wrong and ("n" not in names or names - {"n", "times"}):
            yield rf"find: {self.find!r} needs a group named n for the number, as in (?P<n>\d+)-pack"
        if self.when == "mismatch" and self.of is None:
            yield 'of: missing; say which unit the number found counts, such as "MLT"'


@dataclass(frozen=True, slots=True)
class Units:
    """Unit words and packs. ``pack_unit`` is counted inside a pack; ``pack_size`` is the last resort for its size."""

    words: Mapping[str, UnitWord] = field(default_factory=nothing)
    blank: UnitWord | None = None
    pack_size: int | None = None
    pack_unit: str = "H87"
    piece_counts_as: frozenset[str] = frozenset()
    patterns: tuple[PackPattern, ...] = ()

    def __post_init__(self) -> None:
        if self.pack_size is not None and not 1 <= self.pack_size <= MAX_PACK:
            raise BadSetting(f"pack_size: {self.pack_size} is no pack size; give 1 to {MAX_PACK}")


@dataclass(frozen=True, slots=True)
class Price:
    """What a price is: for what, with or without VAT, delivered or not.

    ``per``: the unit the quantity is sold in, or the category's base unit; the price is for ``per_count`` of them.
    ``words``, ``delivered_words`` and ``per_words`` explain the columns of these names, where there are any.
    """

    basis: Literal["ex-vat", "inc-vat"] | None
    vat_rate: Decimal | None = None
    delivered: bool | None = None
    per: Literal["unit", "base"] = "unit"
    per_count: int = 1
    words: Mapping[str, str] = field(default_factory=nothing)
    delivered_words: Mapping[str, bool | None] = field(default_factory=nothing)
    per_words: Mapping[str, str | int] = field(default_factory=nothing)

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[str]:
        if not 1 <= self.per_count <= 10**6:
            yield f"per_count: {self.per_count}; give for how many the price is, 1 to 1000000"
        if self.vat_rate is not None and not is_vat_rate(self.vat_rate):
            yield f'vat_rate: {self.vat_rate} is no rate in per cent; give e.g. "25" or "25.5"'


def is_vat_rate(rate: Decimal) -> bool:
    """Whether it is a percentage with at most two decimals; 0.25 is a share, not per cent."""
    return rate.is_finite() and (rate == 0 or 1 <= rate <= 100) and rate * 100 == int(rate * 100)


@dataclass(frozen=True, slots=True)
class Currency:
    """Of which day the ECB rate is taken: a stated one, the row's ``date``, or the day the file came in."""

    day: date | Literal["date", "received"]
    words: Mapping[str, str] = field(default_factory=nothing)
