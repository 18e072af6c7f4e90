"""How many base units one unit of the file holds: unit words, packs, and sizes found in names; exact fractions."""

from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction

import polars as pl

from pooling.demand.distinct import ByDistinct
from pooling.demand.exact import power_of_ten
from pooling.demand.figure_sections import MAX_PACK, PackPattern, Units, UnitWord
from pooling.demand.figures import QUANTITY_DECIMALS, Marks, read_figures
from pooling.demand.mapping import FileMapping
from pooling.demand.work import JOIN, Work, joined
from pooling.reference.rules import base_factor
from pooling.reference.units import UNITS, unit_code
from pooling.reference.words import same

PIECE = "H87"
MAX_DENOMINATOR = 10_000
MAX_FACTOR = 10**9
UNKNOWN_UNIT = "unknown-unit"
UNKNOWN_PACK = "unknown-pack"
UNIT_MISMATCH = "unit-mismatch"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one unit holds: ``factor`` base units; for a pack, what one thing inside it holds.

    ``pack_size``: of a pack that is always of this size. ``reason``: why nothing is known.
    """

    factor: Fraction | None = None
    is_pack: bool = False
    pack_size: int | None = None
    reason: str | None = None


def resolve(word: str, base_unit: str, units: Units) -> Answer:
    """What a unit word of the file means for a category pooled in ``base_unit``; blank words by ``units.blank``."""
    meaning = units.blank if not word.strip() else units.words.get(same(word))
    code = None if meaning else unit_code(word)
    if meaning is None and code is not None:
        factor = _factor(code, base_unit, units)
        if factor is None and UNITS[code].factor is not None:
            return Answer(reason=UNIT_MISMATCH)
        meaning = UnitWord(None) if factor is None else UnitWord(code)
    if meaning is None:
        return Answer(reason=UNKNOWN_UNIT)
    if meaning.code is not None:
        factor = _factor(meaning.code, base_unit, units)
        return Answer(factor) if factor is not None else Answer(reason=UNIT_MISMATCH)
    return Answer(_factor(units.pack_unit, base_unit, units), is_pack=True, pack_size=meaning.pack_size)


def _factor(unit: str, base_unit: str, units: Units) -> Fraction | None:
    factor = base_factor(unit, base_unit)
    if factor is None and base_unit in units.piece_counts_as:
        factor = base_factor(unit, PIECE)
    if factor is None or factor.denominator > MAX_DENOMINATOR or factor.numerator > MAX_FACTOR:
        return None
    return factor


def found_in_name(name: str, base_unit: str, units: Units, *, is_pack: bool) -> Fraction | None:
    """How many base units the first fitting pattern finds in an item name; None where none does."""
    for pattern in units.patterns:
        if (pattern.when == "pack") == is_pack:
            factor = _factor(pattern.of or units.pack_unit, base_unit, units)
            number = _number_found(name, pattern)
            if factor is not None and number is not None:
                found = number * factor
                if found.denominator <= MAX_DENOMINATOR and 0 < found.numerator <= MAX_FACTOR:
                    return found
    return None


def _number_found(name: str, pattern: PackPattern) -> Fraction | None:
    groups = pl.Series([name]).str.extract_groups(pattern.find)[0]  # its time is linear, whatever the pattern
    if groups is None or groups["n"] is None:
        return None
    number = Fraction(1)
    for group in ("n", "times"):
        text = groups.get(group)
        if text is not None:
            try:
                number *= Fraction(Decimal(text.replace(",", ".")))
            except InvalidOperation:
                return None
    return number


class UnitReader:
    """Reads how many base units the row's unit holds, as a fraction; a reason where that is not known."""

    def __init__(self, mapping: FileMapping, marks: Marks) -> None:
        words = {same(word): meaning for word, meaning in mapping.units.words.items()}
        self._units = replace(mapping.units, words=words)
        self._marks = marks
        self._answers = ByDistinct(self._resolve, pl.String)
        self._names = ByDistinct(self._search, pl.String)

    def read(self, work: Work, base_units: pl.Series) -> pl.DataFrame:
        """Columns num and den (null where not known) and reason, one row each; ``base_units`` null: not asked."""
        units = work.text("unit")
        units = units if units is not None else work.blank()
        work.refuse_where(units.str.len_chars() > 40, "too-long", "unit")
        asked = pl.select(pl.when(pl.lit(base_units).is_not_null()).then(pl.lit(joined(units, base_units)))).to_series()
        answers, _ = self._answers(asked)
        found = _unpacked(answers)
        if self._units.blank is None:
            blank = units.is_null()
            work.refuse_where(blank, "missing", "unit")
            found = found.with_columns(reason=pl.when(~blank).then(pl.col("reason")))
        if found["is_pack"].any():
            found = self._sized(work, found, base_units)
        if self._units.patterns and (found["reason"] == UNIT_MISMATCH).any():
            mismatch = found["reason"] == UNIT_MISMATCH
            found = _filled(found, self._by_name(work, base_units, mismatch, "mismatch"))
        return found.select("num", "den", "reason")

    def _resolve(self, text: str) -> str:
        word, base_unit = text.split(JOIN)
        return _packed(resolve(word, base_unit, self._units))

    def _sized(self, work: Work, found: pl.DataFrame, base_units: pl.Series) -> pl.DataFrame:
        """Packs: the size in the column, else the word's own, else one found in the name, else the constant."""
        packs = found["is_pack"].fill_null(value=False)
        done = found.with_columns(
            num=pl.when(~packs).then("num"),
            den=pl.when(~packs).then("den"),
            reason=pl.when(packs).then(pl.lit(UNKNOWN_PACK)).otherwise("reason"),
        )
        for sizes in (self._column_sizes(work, packs), found["pack_size"]):
            done = _filled(done, found.select(num=pl.col("num") * sizes, den=pl.col("den")))
        if self._units.patterns:
            done = _filled(done, self._by_name(work, base_units, packs & done["num"].is_null(), "pack"))
        if self._units.pack_size is not None:
            constant = found.select(num=pl.when(packs).then(pl.col("num") * self._units.pack_size), den=pl.col("den"))
            done = _filled(done, constant)
        no_inside = packs & found["num"].is_null() & done["num"].is_null()
        return done.with_columns(reason=pl.when(no_inside).then(pl.lit(UNIT_MISMATCH)).otherwise("reason"))

    def _column_sizes(self, work: Work, packs: pl.Series) -> pl.Series:
        texts = work.text("pack_size")
        if texts is None:
            return work.constant(None, pl.Int64)
        texts = pl.select(pl.when(packs).then(texts)).to_series()
        read = read_figures(texts, self._marks, whole_digits=len(str(MAX_PACK)), decimals=QUANTITY_DECIMALS)
        power = power_of_ten(read.scale)
        sizes = (read.digits // power).cast(pl.Int64)
        bad = read.codes.is_not_null() | (read.digits % power != 0) | (sizes < 1) | (sizes > MAX_PACK)
        work.refuse_where(bad, "not-a-pack-size", "pack_size")
        return pl.select(pl.when(~bad.fill_null(value=False)).then(sizes)).to_series()

    def _by_name(self, work: Work, base_units: pl.Series, wanted: pl.Series, when: str) -> pl.DataFrame:
        names = work.text("item_name")
        names = names if names is not None else work.blank()
        asked = joined(names, base_units, work.constant(when, pl.String))
        answers, _ = self._names(pl.select(pl.when(wanted & names.is_not_null()).then(asked)).to_series())
        return _unpacked(answers).select("num", "den")

    def _search(self, text: str) -> str:
        name, base_unit, when = text.split(JOIN)
        found = found_in_name(name, base_unit, self._units, is_pack=when == "pack")
        return _packed(Answer(found))


def _packed(answer: Answer) -> str:
    """An answer as text, so that a column can hold it."""
    factor = answer.factor
    numbers = f"{factor.numerator}{JOIN}{factor.denominator}" if factor is not None else JOIN
    return f"{numbers}{JOIN}{int(answer.is_pack)}{JOIN}{answer.pack_size or ''}{JOIN}{answer.reason or ''}"


def _unpacked(texts: pl.Series) -> pl.DataFrame:
    seen = texts.unique().drop_nulls().to_list()
    parts = [text.split(JOIN) for text in seen]

    def column(at: int, dtype: type[pl.DataType]) -> pl.Series:
        values = [part[at] or None for part in parts]
        read = [int(value) if value is not None and dtype is pl.Int64 else value for value in values]
        return texts.replace_strict(seen, read, default=None, return_dtype=dtype)

    numbers = {"num": column(0, pl.Int64), "den": column(1, pl.Int64)}
    pack = {"is_pack": column(2, pl.Int64) == 1, "pack_size": column(3, pl.Int64)}
    return pl.DataFrame({**numbers, **pack, "reason": column(4, pl.String)})


def _filled(found: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """``found`` with factors of ``other`` where it has none; a row that gets one loses its reason."""
    better = found["num"].is_null() & other["num"].is_not_null()
    return found.with_columns(
        num=pl.when(better).then(other["num"]).otherwise("num"),
        den=pl.when(better).then(other["den"]).otherwise("den"),
        reason=pl.when(~better).then("reason"),
    )
