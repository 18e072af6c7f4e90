"""Understands a file by its headers: our template, and files that use the same words (data/words.toml).

What the headers say is written down as the document of a mapping. A mapping file with ``base = "headers"`` is laid over
it, so that whatever a mapping can say can be said of such a file too.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from connectors.files import Preview
from pooling.demand import words
from pooling.demand.figure_sections import PACK
from pooling.demand.intake import senders
from pooling.demand.mapping import BadMapping, FileMapping
from pooling.demand.mapping_file import MappingDocument, mapping_of
from pooling.demand.naming import Reference
from pooling.errors import BadInput
from pooling.reference.units import UNITS

NAME = "template"
PACK_CODE = "PK"
FILLED_IN = ("category", "item_code", "item_name", "quantity", "unit_price")
BY_HEADERS = "by headers alone (or write a mapping file, docs/mapping.md, and give it with --mapping)"


def recognised(
    preview: Preview, given: MappingDocument | None = None, reference: Reference | None = None
) -> FileMapping:
    """The mapping that a file's headers make; see `from_headers`."""
    return from_headers(preview.headers, preview.sheet, given, reference)


def from_headers(
    headers: Sequence[str],
    sheet: str | None,
    given: MappingDocument | None = None,
    reference: Reference | None = None,
) -> FileMapping:
    """The mapping that these headers make, and what ``given`` adds; ``sheet`` is the workbook's that they are on.

    Raises BadMapping with every fault, and with what neither headers nor ``given`` say.
    """
    added = given.content if given is not None else {"name": NAME}
    document = MappingDocument(
        content=_document(headers, sheet, added),
        folder=given.folder if given is not None else Path(),
        hashed=words.sha256().encode() + (given.hashed if given is not None else b""),
        lists=given.lists if given is not None else None,
    )
    try:
        return mapping_of(document, reference)
    except BadMapping as wrong:
        known = words.headers()
        faults = [
            (path, f"{text}. Headers known for it: {', '.join(known[name])}")
            if text.startswith("missing") and (name := path.removeprefix("columns.")) in known
            else (path, text)
            for path, text in wrong.faults
        ]
        raise BadMapping(BY_HEADERS if given is None else wrong.name, faults) from wrong


def _document(headers: Sequence[str], sheet: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the headers say, as a mapping file would, with ``given`` laid over it."""
    columns, constants = _columns(headers, given), given.get("constants", {})
    mapped = set(columns) if isinstance(columns, Mapping) else set()
    named = mapped | set(constants) if isinstance(constants, Mapping) else mapped
    filled_in = [name for name in FILLED_IN if name in mapped]
    blank = [{"reason": "not filled in", "column": filled_in, "blank": True}] if filled_in else []
    made: dict[str, Any] = {
        "units": {"words": _unit_words()},
        "price": _price(),
        "depth": {"words": words.meanings("depth")},
        "currency": {"day": "date" if "date" in named else "received"},
        "window": _window(named),
        "uncertainty": {"spread": words.words()["spread"]},
        "file": {"sheet": sheet} if sheet is not None else {},
    }
    over = {name: value for name, value in given.items() if name not in ("columns", "skip")}
    if isinstance(given.get("window"), Mapping) and "rule" in given["window"]:
        del made["window"]  # another rule has other keys
    skip = given.get("skip", [])
    return {
        **laid_over(made, over),
        "columns": columns,
        "skip": [*blank, *skip] if isinstance(skip, list) else skip,
    }


def laid_over(made: Any, given: Any) -> Any:
    """``given`` over ``made``: tables key by key, all else as it is given."""
    if not (isinstance(made, Mapping) and isinstance(given, Mapping)):
        return given
    return {**made, **{name: laid_over(made.get(name), value) for name, value in given.items()}}


def _columns(headers: Sequence[str], given: Mapping[str, Any]) -> Any:
    """The columns known by their headers and those given, which go first; anything but a table as it is."""
    stated = given.get("columns", {})
    if not isinstance(stated, Mapping):
        return stated
    taken = {_folded(each) for headers in stated.values() for each in _listed(headers)}
    return {**{name: text for name, text in _known(headers, taken).items() if name not in stated}, **stated}


def _listed(headers: Any) -> list[str]:
    return [each for each in (headers if isinstance(headers, list) else [headers]) if isinstance(each, str)]


def _known(present: Sequence[str], taken: set[str]) -> dict[str, str]:
    """Canonical column to the one header of the file that is a word for it, those ``taken`` left out.

    A header that is a word for two columns goes to the first that has no other.
    """
    known = {_folded(text): text for text in present if text}
    used = set(taken)
    found: dict[str, str] = {}
    for name, synonyms in words.headers().items():
        here = [known[_folded(each)] for each in synonyms if _folded(each) in known and _folded(each) not in used]
        if here:
            found[name] = here[0]
            used.add(_folded(here[0]))
    return found


def _folded(header: str) -> str:
    return " ".join(header.split()).casefold()


def _unit_words() -> dict[str, str]:
    """The words of the template's drop-down; those that are neither counted nor packs (roll) are known as they are."""
    given = [(code, word) for by_code in words.words()["units"].values() for code, word in by_code.items()]
    counted = {word: code for code, word in given if UNITS[code].factor is not None}
    return counted | {word: PACK for code, word in given if code == PACK_CODE}


def _price() -> dict[str, Any]:
    yes_no = {word: meaning == "yes" for word, meaning in words.meanings("delivered").items()}
    return {"words": words.meanings("price_basis"), "delivered_words": yes_no}


def _window(named: set[str]) -> dict[str, Any]:
    source = words.words()["window_source"]
    if {"earliest_start", "latest_start"} <= named:
        return {"rule": "columns", "source": source}
    return {"rule": "contract-end", "source": source, "extension_months": words.words()["extension_months"]}


def series_for(path: Path, mapping: FileMapping) -> str | None:
    """The series of a file whose mapping names none: one for each participant.

    None where no row names a participant: such a file has no line to store. Raises BadInput where rows name several.
    """
    found = sorted(senders(path, mapping))
    if len(found) > 1:
        raise BadInput(
            f"{path.name}: rows are from {', '.join(found[:5])}{' and others' if len(found) > 5 else ''}:"
            " say with --series which series of submissions this file continues"
        )
    return f"{NAME} {found[0]}"[:120] if found else None
