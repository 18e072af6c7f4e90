"""Reads the sections of a mapping, each from the keys of its table; None where a section cannot be what it says."""

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any, cast

from pooling.cycles.service import DEPTHS
from pooling.demand.figure_sections import PACK, Currency, PackPattern, Price, Units, UnitWord
from pooling.demand.keys import Keys
from pooling.demand.sections import (
    Categories,
    CategoryRule,
    Criteria,
    DayFormats,
    FileHints,
    Group,
    Skip,
    Uncertainty,
    Window,
    is_month,
)
from pooling.demand.word_lists import Files, word_list
from pooling.reference.units import UNITS
from pooling.reference.words import same

WINDOW_RULES = ("columns", "contract-end", "date", "stated")
BASES = ("ex-vat", "inc-vat")


def name(keys: Keys) -> str:
    """The mapping's name; blank where it has none that can be kept."""
    said = keys.text("name", required="give the mapping a name") or ""
    if keys.has("name") and not 1 <= len(said) <= 120:
        keys.fault("name", "give a name of 1 to 120 characters")
    return said


def series(keys: Keys) -> str | None:
    said = keys.text("series")
    if said is not None and not 1 <= len(said) <= 120:
        keys.fault("series", "give a name of 1 to 120 characters")
    return said


def columns(keys: Keys) -> Mapping[str, tuple[str, ...]]:
    found = {name: keys.texts(name) for name in keys.names()}
    return MappingProxyType({name: headers for name, headers in found.items() if headers})


def constants(keys: Keys) -> Mapping[str, str]:
    found = {name: keys.text(name) for name in keys.names()}
    for name, value in found.items():
        if value is not None and not value.strip():
            keys.fault(name, "is blank; leave it out")
    return MappingProxyType({name: value for name, value in found.items() if value})


def hints(keys: Keys) -> FileHints | None:
    given = {name: keys.text(name) for name in ("delimiter", "encoding", "decimal", "sheet")}
    header_row = keys.number("header_row")
    keys.finish()
    return keys.build(lambda: FileHints(**given, header_row=header_row))


def days(keys: Keys) -> DayFormats | None:
    formats, century = keys.texts("formats"), keys.number("century")
    keys.finish()
    return keys.build(lambda: DayFormats(formats, century))


def units(keys: Keys) -> Units | None:
    raw = keys.words("words", (str, dict), 'a unit code, "pack" or { pack = 100 }')
    words = {word: known for word, value in raw.items() if (known := _unit_word(keys, f"words.{word}", value))}
    blank = keys.text("blank")
    blank_word = _unit_word(keys, "blank", blank) if blank is not None else None
    pack_unit = keys.text("pack_unit") or "H87"
    _unit(keys, "pack_unit", pack_unit)
    patterns = tuple(found for each in keys.sections("patterns") if (found := _pattern(each)))
    pack_size, counts_as = keys.number("pack_size"), keys.texts("piece_counts_as")
    for code in counts_as:
        if code not in UNITS:
            keys.fault("piece_counts_as", f"{code!r} is no unit code; give e.g. SET or KT")
    keys.finish()
    return keys.build(
        lambda: Units(
            words=MappingProxyType(words),
            blank=blank_word,
            pack_size=pack_size,
            pack_unit=pack_unit,
            piece_counts_as=frozenset(counts_as),
            patterns=patterns,
        )
    )


def _unit_word(keys: Keys, name: str, value: object) -> UnitWord | None:
    if value == PACK:
        return UnitWord(None)
    if isinstance(value, dict) and set(value) == {PACK} and type(value[PACK]) is int:
        return keys.build(lambda: UnitWord(None, value[PACK]), name)
    if isinstance(value, str):
        return _unit(keys, name, value)
    keys.fault(name, f'{value!r}; give a unit code such as "H87", "pack", or {{ pack = 100 }}')
    return None


def _unit(keys: Keys, name: str, code: str) -> UnitWord | None:
    unit = UNITS.get(code)
    if unit is None or unit.factor is None:
        counted = " ".join(code for code, unit in UNITS.items() if unit.factor is not None)
        keys.fault(name, f'{code!r} is no unit we convert; give one of {counted}, or "pack"')
        return None
    return UnitWord(code)


def _pattern(keys: Keys) -> PackPattern | None:
    find = keys.text("find", required=r"give a pattern with a group n, such as (?P<n>\d+)-pack")
    of = keys.text("of")
    if of is not None:
        _unit(keys, "of", of)
    when = keys.text("when", choices=("pack", "mismatch")) or "pack"
    keys.finish()
    made = keys.build(lambda: PackPattern(find or r"(?P<n>\d+)", of, cast("Any", when)))
    return made if find else None


def price(keys: Keys) -> Price | None:
    basis = keys.text("basis", choices=BASES)
    vat_rate = keys.decimal("vat_rate")
    delivered = keys.flag("delivered") if keys.has("delivered") else None
    per = keys.text("per", choices=("unit", "base")) or "unit"
    per_count = keys.number("per_count")
    words = keys.words("words")
    for word, meaning in words.items():
        if meaning not in BASES:
            keys.fault(f"words.{word}", f"{meaning!r}; give ex-vat or inc-vat")
    delivered_words = keys.words("delivered_words", bool, "true or false")
    per_words = keys.words("per_words", (str, int), '"unit", "base" or a number of units')
    for word, meaning in per_words.items():
        if not (meaning in ("unit", "base") or (type(meaning) is int and 1 <= meaning <= 10**6)):
            keys.fault(f"per_words.{word}", f'{meaning!r}; give "unit", "base" or for how many units the price is')
    keys.finish()
    return keys.build(
        lambda: Price(
            basis=cast("Any", basis),
            vat_rate=vat_rate,
            delivered=delivered,
            per=cast("Any", per),
            per_count=1 if per_count is None else per_count,
            words=MappingProxyType(words),
            delivered_words=MappingProxyType(delivered_words),
            per_words=MappingProxyType(per_words),
        )
    )


def currency(keys: Keys) -> Currency | None:
    day = keys.day_or_word("day", ("date", "received"))
    words = keys.words("words")
    keys.finish()
    return Currency(cast("Any", day), MappingProxyType(words)) if day is not None else None


def window(keys: Keys) -> Window | None:
    rule = keys.text("rule", choices=WINDOW_RULES, required="say how the months follow")
    source = keys.text("source", required="say where the window is known from")
    earliest, latest = keys.text("earliest"), keys.text("latest")
    extension_months, flexibility_months = keys.number("extension_months"), keys.number("flexibility_months")
    keys.finish()
    if rule is None:
        for key, month in (("earliest", earliest), ("latest", latest)):
            if month is not None and not is_month(month):
                keys.fault(key, f"{month!r} is no month; write YYYY-MM")
        return None
    made = keys.build(
        lambda: Window(
            rule=cast("Any", rule),
            source=source if source is not None else "not said",
            earliest=earliest,
            latest=latest,
            extension_months=extension_months,
            flexibility_months=flexibility_months,
        )
    )
    return made if source is not None else None


def uncertainty(keys: Keys) -> Uncertainty | None:
    spread = keys.decimal("spread", required="give a share from 0 to 1, such as 0.2")
    keys.finish()
    return keys.build(lambda: Uncertainty(Fraction(spread))) if spread is not None else None


def _codes(keys: Keys) -> dict[str, str]:
    """The sender's words, each to one code of ours: however a word is written, it means one thing."""
    words: dict[str, str] = keys.words("words")
    meant: dict[str, str] = {}
    for word, code in words.items():
        if meant.setdefault(same(word), code) != code:
            keys.fault(f"words.{word}", f"{code!r}; the word stands twice with two meanings, keep one")
    return words


def participants(keys: Keys, files: Files) -> Mapping[str, str]:
    words = {**word_list(keys, files, "participant"), **_codes(keys)}
    keys.finish()
    return MappingProxyType(words)


def categories(keys: Keys, files: Files) -> Categories | None:
    exact = {**word_list(keys, files, "category"), **_codes(keys)}
    rules = tuple(found for each in keys.sections("rules") if (found := _category_rule(each)))
    looked_up = keys.texts("keys") or Categories().keys
    derive = keys.texts("derive")
    keys.finish()
    return keys.build(lambda: Categories(keys=looked_up, exact=MappingProxyType(exact), rules=rules, derive=derive))


def _category_rule(keys: Keys) -> CategoryRule | None:
    find = keys.text("find", required="give the pattern to look for")
    category = keys.text("category", required="give the id of a category")
    column = keys.text("column") or "item_name"
    keys.finish()
    made = keys.build(lambda: CategoryRule(find or "", category or "", column))
    return made if find and category else None


def criteria(keys: Keys) -> Criteria | None:
    words, separator = _codes(keys), keys.text("separator") or ";"
    keys.finish()
    return keys.build(lambda: Criteria(MappingProxyType(words), separator))


def depths(keys: Keys) -> Mapping[str, str]:
    words = keys.words("words")
    for word, meaning in words.items():
        if meaning not in {depth.value for depth in DEPTHS}:
            keys.fault(f"words.{word}", f"{meaning!r}; give one of {', '.join(DEPTHS)}")
    keys.finish()
    return MappingProxyType(words)


def group(keys: Keys) -> Group | None:
    by = keys.texts("by")
    keys.finish()
    return keys.build(lambda: Group(by))


def skip(keys: Keys) -> Skip | None:
    reason = keys.text("reason", required="say why these rows are out of scope")
    looked_at, equals = keys.texts("column"), keys.texts("equals")
    matches, blank = keys.text("matches"), keys.flag("blank") or False
    keys.finish()
    made = keys.build(lambda: Skip(reason or "not said", looked_at, equals, matches, blank))
    return made if reason else None
