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
    senders = list(senders)
    parts = [
        f"# How files in the manner of {name} become demand. {MADE_UP.capitalize()}.",
        f"name = {_text(name)}",
        "",
        "[columns]",
        *(f"{column} = {_text(header)}" for column, header in style.headers.items()),
        "",
    ]
    if "participant" in style.headers:
        parts += ["[participants.words]", *(f"{_text(sender.name)} = {_text(sender.code)}" for sender in senders), ""]
    else:
        parts += ["[constants]", f"participant = {_text(senders[0].code)}", ""]
    if style.decimal:
        parts += ["[file]", f"decimal = {_text(style.decimal)}", ""]
    if style.day[1]:
        parts += ["[dates]", f"formats = [{_text(style.day[1])}]", ""]
    parts += ["[units.words]", *_unit_words(style, items), ""]
    if style.packs == "name":
        word = style.units["H87"].lower()
        parts += ["[[units.patterns]]", f"find = '(?P<n>\\d+) {word}/{style.pack.lower()}$'", ""]
    parts += [
        "[price]",
        *(["basis = 'inc-vat'", f"vat_rate = {style.vat_rate}"] if style.vat_rate else ["basis = 'ex-vat'"]),
        "delivered = true",
        "",
        "[currency]",
        f"day = {day.isoformat()}",
        "",
        "[window]",
        "rule = 'contract-end'",
        f"source = {_text(f'contract end and options as sent; {MADE_UP}')}",
        "",
        "[uncertainty]",
        f"spread = {spread}",
        "",
        "[categories]",
        f"file = {_text(f'{name}-codes.csv')}",
        "keys = ['item_code']",
        "",
    ]
    if style.criteria:
        parts += ["[criteria]", "separator = ','", "[criteria.words]"]
        parts += [f"{_text(word)} = {_text(code)}" for code, word in style.criteria.items()]
    else:
        parts += ["[criteria]", "separator = ','"]
    return "\n".join([*parts, ""])


def codes_csv(codes: Mapping[str, str]) -> str:
    """The code list: article number and category, by number."""
    pairs = sorted((code, category) for category, category_code in codes.items() for code in (category_code,))
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
