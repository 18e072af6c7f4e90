"""Reads a mapping file: TOML, with word lists in it or in CSV files beside it."""

import csv
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from pooling.demand.keys import Faults, Keys
from pooling.demand.mapping import BadMapping, FileMapping
from pooling.demand.sections import (
    PACK,
    Categories,
    CategoryRule,
    Criteria,
    Currency,
    DayFormats,
    FileHints,
    Group,
    PackPattern,
    Price,
    Skip,
    Uncertainty,
    Units,
    UnitWord,
    Window,
)
from pooling.errors import BadSetting
from pooling.reference.units import UNITS

MAX_BYTES = 20_000_000
WINDOW_RULES = ("columns", "contract-end", "date", "stated")


class _Source:
    """The files a mapping is made of, and the hash of all of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hash = hashlib.sha256()

    def read(self, path: Path) -> bytes:
        """The file's bytes, taken into the hash; raises BadSetting where it cannot be read or is too large."""
        try:
            if path.stat().st_size > MAX_BYTES:
                raise BadSetting(f"{path.name} is larger than {MAX_BYTES} bytes; is it a mapping?")
            content = path.read_bytes()
        except OSError as wrong:
            raise BadSetting(f"{path} cannot be read: {wrong.strerror}; give a file beside the mapping") from wrong
        self.hash.update(len(content).to_bytes(8, "big") + content)
        return content


def read_mapping(path: Path) -> FileMapping:
    """The mapping in the file; raises BadMapping with every fault found, each with its key path."""
    source = _Source(path.parent)
    return _from_document(_document(path, source), source)


def adds_words_only(path: Path) -> bool:
    """Whether the file adds words to what a file's own headers say (``base = "headers"``), see ``read_words``."""
    return "base" in _document(path, _Source(path.parent))


def read_words(path: Path, made: FileMapping) -> FileMapping:
    """``made``, the mapping that a file's headers make, with the words of this file; raises BadMapping."""
    source = _Source(path.parent)
    faults: Faults = []
    keys = Keys(_document(path, source), "", faults)
    keys.text("base", choices=("headers",), required=True)
    name, series = _name(keys), _series(keys)
    units = _units(keys.section("units"))
    participants = _participants(keys.section("participants"), source)
    categories, criteria = _categories(keys.section("categories"), source), _criteria(keys.section("criteria"))
    keys.finish()
    if faults or units is None or categories is None or criteria is None:
        raise BadMapping(name or "without a name", faults)
    return replace(
        made,
        name=name,
        series=series,
        sha256=hashlib.sha256(f"{made.sha256} {source.hash.hexdigest()}".encode()).hexdigest(),
        units=replace(units, words=MappingProxyType({**made.units.words, **units.words})),
        participants=participants,
        categories=categories,
        criteria=criteria,
    )


def _document(path: Path, source: _Source) -> dict[str, Any]:
    try:
        return tomllib.loads(source.read(path).decode("utf-8-sig"), parse_float=Decimal)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, BadSetting) as wrong:
        raise BadMapping(path.name, [("file", f"{wrong}; the mapping is TOML in UTF-8")]) from wrong


def mapping_from_document(document: Mapping[str, Any], folder: Path) -> FileMapping:
    """The mapping in a document already read; CSV files it names lie in ``folder``."""
    source = _Source(folder)
    source.hash.update(repr(sorted(document.items())).encode())
    return _from_document(document, source)


def _name(keys: Keys) -> str:
    name = keys.text("name", required=True) or ""
    if keys.has("name") and not 1 <= len(name) <= 120:
        keys.fault("name", "give a name of 1 to 120 characters")
    return name


def _series(keys: Keys) -> str | None:
    series = keys.text("series")
    if series is not None and not 1 <= len(series) <= 120:
        keys.fault("series", "give a name of 1 to 120 characters")
    return series


def _from_document(document: Mapping[str, Any], source: _Source) -> FileMapping:
    faults: Faults = []
    keys = Keys(document, "", faults)
    name, series = _name(keys), _series(keys)
    optional = frozenset(keys.texts("optional"))
    parts = {
        "columns": _columns(keys.section("columns")),
        "constants": _constants(keys.section("constants")),
        "hints": _hints(keys.section("file")),
        "days": _days(keys.section("dates")),
        "units": _units(keys.section("units")),
        "price": _price(keys.section("price")),
        "currency": _currency(keys.section("currency")),
        "window": _window(keys.section("window")),
        "uncertainty": _uncertainty(keys.section("uncertainty")),
        "participants": _participants(keys.section("participants"), source),
        "categories": _categories(keys.section("categories"), source),
        "criteria": _criteria(keys.section("criteria")),
        "skip": tuple(rule for each in keys.sections("skip") if (rule := _skip(each))),
    }
    group = _group(keys.section("group")) if keys.has("group") else None
    keys.finish()
    if not faults:
        return FileMapping(
            name=name,
            series=series,
            sha256=source.hash.hexdigest(),
            optional=optional,
            group=group,
            **cast("Any", parts),
        )
    raise BadMapping(name or "without a name", faults)


def _columns(keys: Keys) -> Mapping[str, tuple[str, ...]]:
    found = {name: keys.texts(name) for name in keys.names()}
    return MappingProxyType({name: headers for name, headers in found.items() if headers})


def _constants(keys: Keys) -> Mapping[str, str]:
    found = {name: keys.text(name) for name in keys.names()}
    for name, value in found.items():
        if value is not None and not value.strip():
            keys.fault(name, "is blank; leave it out")
    return MappingProxyType({name: value for name, value in found.items() if value})


def _hints(keys: Keys) -> FileHints | None:
    given = {name: keys.text(name) for name in ("delimiter", "encoding", "decimal", "sheet")}
    header_row = keys.number("header_row")
    keys.finish()
    return keys.build(lambda: FileHints(**given, header_row=header_row))


def _days(keys: Keys) -> DayFormats | None:
    formats, century = keys.texts("formats"), keys.number("century")
    keys.finish()
    return keys.build(lambda: DayFormats(formats, century))


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
        keys.fault(name, f'{code!r} is no unit we convert; give one of {" ".join(_counted_units())}, or "pack"')
        return None
    return UnitWord(code)


def _counted_units() -> list[str]:
    return [code for code, unit in UNITS.items() if unit.factor is not None]


def _units(keys: Keys) -> Units | None:
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


def _pattern(keys: Keys) -> PackPattern | None:
    find = keys.text("find", required=True)
    of = keys.text("of")
    if of is not None:
        _unit(keys, "of", of)
    when = keys.text("when", choices=("pack", "mismatch")) or "pack"
    keys.finish()
    return keys.build(lambda: PackPattern(find, of, cast("Any", when))) if find else None


def _price(keys: Keys) -> Price | None:
    basis = keys.text("basis", choices=("ex-vat", "inc-vat"))
    vat_rate = keys.decimal("vat_rate")
    delivered = keys.flag("delivered") if keys.has("delivered") else None
    per = keys.text("per", choices=("unit", "base")) or "unit"
    per_count = keys.number("per_count")
    words = keys.words("words")
    for word, meaning in words.items():
        if meaning not in ("ex-vat", "inc-vat"):
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


def _currency(keys: Keys) -> Currency | None:
    day = keys.day_or_word("day", ("date", "received"))
    words = keys.words("words")
    keys.finish()
    return Currency(cast("Any", day), MappingProxyType(words)) if day is not None else None


def _window(keys: Keys) -> Window | None:
    rule = keys.text("rule", choices=WINDOW_RULES, required=True)
    source = keys.text("source", required=True)
    earliest, latest = keys.text("earliest"), keys.text("latest")
    extension_months, flexibility_months = keys.number("extension_months"), keys.number("flexibility_months")
    keys.finish()
    if rule is None or source is None:
        return None
    return keys.build(
        lambda: Window(
            rule=cast("Any", rule),
            source=source,
            earliest=earliest,
            latest=latest,
            extension_months=extension_months,
            flexibility_months=flexibility_months,
        )
    )


def _uncertainty(keys: Keys) -> Uncertainty | None:
    spread = keys.decimal("spread", required=True)
    keys.finish()
    if spread is None or not spread.is_finite():
        return None
    return keys.build(lambda: Uncertainty(Fraction(spread)))


def _word_list(keys: Keys, source: _Source, second: str) -> dict[str, str]:
    """Words of the CSV file named under ``file``: a header ``word`` and ``second``, comma or semicolon."""
    name = keys.text("file")
    if name is None:
        return {}
    try:
        text = source.read(source.folder / name).decode("utf-8-sig")
    except (UnicodeDecodeError, BadSetting) as wrong:
        keys.fault("file", f"{wrong}; give a CSV in UTF-8 beside the mapping")
        return {}
    head = text.partition("\n")[0]
    rows = csv.DictReader(text.splitlines(), delimiter=";" if ";" in head else ",", strict=True)
    found: dict[str, str] = {}
    if rows.fieldnames is None or not {"word", second} <= set(rows.fieldnames):
        keys.fault("file", f"{name}: the first row must name the columns word and {second}")
        return {}
    for row in rows:
        word, meaning = row["word"], row[second]
        if not word or not meaning:
            keys.fault("file", f"{name} row {rows.line_num}: word and {second} must both be given")
        elif found.setdefault(word, meaning) != meaning:
            keys.fault("file", f"{name} row {rows.line_num}: {word!r} stands twice with two meanings; keep one")
    return found


def _participants(keys: Keys, source: _Source) -> Mapping[str, str]:
    words = {**_word_list(keys, source, "participant"), **keys.words("words")}
    keys.finish()
    return MappingProxyType(words)


def _categories(keys: Keys, source: _Source) -> Categories | None:
    exact = {**_word_list(keys, source, "category"), **keys.words("words")}
    rules = tuple(found for each in keys.sections("rules") if (found := _category_rule(each)))
    columns = keys.texts("keys") or Categories().keys
    derive = keys.texts("derive")
    keys.finish()
    return keys.build(lambda: Categories(keys=columns, exact=MappingProxyType(exact), rules=rules, derive=derive))


def _category_rule(keys: Keys) -> CategoryRule | None:
    find, category = keys.text("find", required=True), keys.text("category", required=True)
    column = keys.text("column") or "item_name"
    keys.finish()
    return keys.build(lambda: CategoryRule(find, category, column)) if find and category else None


def _criteria(keys: Keys) -> Criteria | None:
    words, separator = keys.words("words"), keys.text("separator") or ";"
    keys.finish()
    return keys.build(lambda: Criteria(MappingProxyType(words), separator))


def _group(keys: Keys) -> Group | None:
    by = keys.texts("by")
    keys.finish()
    return keys.build(lambda: Group(by))


def _skip(keys: Keys) -> Skip | None:
    reason = keys.text("reason", required=True)
    columns, equals = keys.texts("column"), keys.texts("equals")
    matches, blank = keys.text("matches"), keys.flag("blank") or False
    keys.finish()
    return keys.build(lambda: Skip(reason, columns, equals, matches, blank)) if reason else None
