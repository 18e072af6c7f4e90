"""Understands a file by its headers alone: our template, and files that use the same words (data/words.toml)."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType

from connectors.plan import Preview
from pooling.demand import words
from pooling.demand.mapping import BadMapping, FileMapping
from pooling.demand.sections import (
    Currency,
    FileHints,
    Price,
    Skip,
    Uncertainty,
    Units,
    UnitWord,
    Window,
)
from pooling.errors import BadInput
from pooling.reference.units import UNITS

NAME = "template"
PACK_CODE = "PK"
FILLED_IN = ("category", "item_code", "item_name", "quantity", "unit_price")
HOW = "write a mapping file (docs/mapping.md) and give it with --mapping"


def recognised(preview: Preview) -> FileMapping:
    """The mapping that a file's headers make by themselves; raises BadMapping as ``from_headers`` does."""
    return from_headers(preview.headers, preview.sheet)


def from_headers(headers: Sequence[str], sheet: str | None) -> FileMapping:
    """The mapping that these headers make by themselves; ``sheet`` is the workbook's that they are on.

    Raises BadMapping naming what the headers do not say; then a mapping file is needed.
    """
    columns = _columns(headers)
    try:
        return FileMapping(
            name=NAME,
            sha256=words.sha256(),
            columns=MappingProxyType(columns),
            hints=FileHints(sheet=sheet),
            units=Units(words=MappingProxyType(_unit_words())),
            price=_price(columns),
            currency=Currency(day="date" if "date" in columns else "received"),
            window=_window(columns),
            uncertainty=Uncertainty(Fraction(words.words()["spread"])),
            skip=(Skip(reason="not filled in", columns=tuple(n for n in FILLED_IN if n in columns), blank=True),)
            if set(FILLED_IN) & set(columns)
            else (),
        )
    except BadMapping as wrong:
        known = words.headers()
        faults = [
            (path, f"{text}. Headers known for it: {', '.join(known[name])}")
            if (name := path.removeprefix("columns.")) in known
            else (path, text)
            for path, text in wrong.faults
        ]
        raise BadMapping(f"by headers alone (or {HOW})", faults) from wrong


def _columns(present: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Canonical column to the one header of the file that is a word for it.

    A header that is a word for two columns goes to the first that has no other.
    """
    known = {_folded(text): text for text in present if text}
    found: dict[str, tuple[str, ...]] = {}
    used: set[str] = set()
    for name, synonyms in words.headers().items():
        here = [known[_folded(each)] for each in synonyms if _folded(each) in known and _folded(each) not in used]
        if here:
            found[name] = (here[0],)
            used.add(_folded(here[0]))
    return found


def _folded(header: str) -> str:
    return " ".join(header.split()).casefold()


def _unit_words() -> dict[str, UnitWord]:
    """The words of the template's drop-down; those that are neither counted nor packs (roll) are known as they are."""
    given = [(code, word) for by_code in words.words()["units"].values() for code, word in by_code.items()]
    counted = {word: UnitWord(code) for code, word in given if UNITS[code].factor is not None}
    return counted | {word: UnitWord(None) for code, word in given if code == PACK_CODE}


def _price(columns: Mapping[str, object]) -> Price:
    yes_no = {word: meaning == "yes" for word, meaning in words.meanings("delivered").items()}
    return Price(
        basis=None,
        words=MappingProxyType(words.meanings("price_basis")) if "price_basis" in columns else MappingProxyType({}),
        delivered_words=MappingProxyType(yes_no),
    )


def _window(columns: Mapping[str, object]) -> Window:
    source = words.words()["window_source"]
    if {"earliest_start", "latest_start"} <= set(columns):
        return Window(rule="columns", source=source)
    return Window(rule="contract-end", source=source, extension_months=words.words()["extension_months"])


def series_for(mapping: FileMapping, preview: Preview) -> str:
    """The series of a file without a mapping: one for each participant.

    Raises BadInput where the first rows name several, or none.
    """
    (header,) = mapping.columns["participant"]
    at = list(preview.headers).index(header)
    named = ((cells[at] or "").strip() for _, cells in preview.rows if at < len(cells))
    senders = sorted({name for name in named if name})
    if len(senders) != 1:
        who = ", ".join(senders) or "nobody"
        raise BadInput(
            f"the first rows are from {who}: say with --series which series of submissions this file continues"
        )
    return f"{NAME} {senders[0]}"[:120]
