"""The mapping that goes with a sender's file: what an administrator would write once for it."""

import json
from collections.abc import Iterable, Mapping
from datetime import date

from pooling.demo.catalogue import MADE_UP, Item
from pooling.demo.files import COUNTED
from pooling.demo.needs import Sender
from pooling.demo.styles import Style

CODES = ("H87", "PR", "SET", "KGM", "LTR")


def mapping_toml(
    name: str, style: Style, *, senders: Iterable[Sender], items: Iterable[Item], day: date, spread: float
) -> str:
    """The mapping as TOML text; the article numbers stand in ``NAME-codes.csv`` beside it."""
    words = style.units["H87"].lower(), style.pack.lower()
    sections: list[tuple[str, list[str]]] = [
        ("", [f"# How files in the manner of {name} become demand. {MADE_UP.capitalize()}.", f"name = {_text(name)}"]),
        ("[columns]", [f"{column} = {_text(header)}" for column, header in style.headers.items()]),
        _participants(style, list(senders)),
        ("[file]", [f"decimal = {_text(style.decimal)}"] if style.decimal else []),
        ("[dates]", [f"formats = [{_text(style.day[1])}]"] if style.day[1] else []),
        ("[units.words]", _unit_words(style, items)),
        ("[[units.patterns]]", [f"find = '(?P<n>\\d+) {words[0]}/{words[1]}$'"] if style.packs == "name" else []),
        ("[price]", [*_basis(style), "delivered = true"]),
        ("[currency]", [f"day = {day.isoformat()}"]),
        ("[window]", ["rule = 'contract-end'", f"source = {_text(f'contract end and options as sent; {MADE_UP}')}"]),
        ("[uncertainty]", [f"spread = {spread}"]),
        ("[categories]", [f"file = {_text(f'{name}-codes.csv')}", "keys = ['item_code']"]),
        ("[criteria]", ["separator = ','"]),
        ("[criteria.words]", [f"{_text(word)} = {_text(code)}" for code, word in style.criteria.items()]),
    ]
    return "\n\n".join("\n".join([head, *lines]).lstrip() for head, lines in sections if lines) + "\n"


def _participants(style: Style, senders: list[Sender]) -> tuple[str, list[str]]:
    """Who sends: a column that names the sender, or a constant where the file is one sender's own."""
    if "participant" in style.headers:
        return "[participants.words]", [f"{_text(sender.name)} = {_text(sender.code)}" for sender in senders]
    return "[constants]", [f"participant = {_text(senders[0].code)}"]


def _basis(style: Style) -> list[str]:
    return ["basis = 'inc-vat'", f"vat_rate = {style.vat_rate}"] if style.vat_rate else ["basis = 'ex-vat'"]


def codes_csv(codes: Mapping[str, str]) -> str:
    """The code list: article number and category, by number."""
    pairs = sorted((code, category) for category, code in codes.items())
    return "\n".join(["word;category", *(f"{code};{category}" for code, category in pairs), ""])


def _unit_words(style: Style, items: Iterable[Item]) -> list[str]:
    words = {style.units[code]: _text(code) for code in CODES}
    if style.packs == "unit":
        sizes = sorted({item.pack for item in items if item.pack > 1 and item.unit in COUNTED})
        words |= {f"{style.pack} á {size}": f"{{ pack = {size} }}" for size in sizes}
    else:
        words[style.pack] = "'pack'"
    return [f"{_text(word)} = {meaning}" for word, meaning in words.items()]


def _text(words: str) -> str:
    """A TOML string; its escapes are those of JSON."""
    return json.dumps(words, ensure_ascii=False)
