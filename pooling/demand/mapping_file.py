"""Reads a mapping: TOML, with word lists in it or in CSV files beside it; every fault in it is told at once."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from pooling.demand import mapping_sections as sections
from pooling.demand.contradictions import Parts, contradictions
from pooling.demand.keys import Faults, Keys
from pooling.demand.mapping import BadMapping, FileMapping
from pooling.demand.naming import Reference, unknown_targets
from pooling.demand.sections import FileHints
from pooling.demand.word_lists import Files, framed, read_bytes
from pooling.errors import BadSetting

BASE = "base"
HEADERS = "headers"


@dataclass(frozen=True, slots=True)
class MappingDocument:
    """A mapping as written, not yet understood. Lists it names lie in ``folder``; its hash begins with ``hashed``.

    ``lists``: those lists by name, where they lie in no folder.
    """

    content: Mapping[str, Any]
    folder: Path
    hashed: bytes
    lists: Mapping[str, str] | None = None

    @property
    def adds_to_headers(self) -> bool:
        """Whether it only adds to what a file's own headers say (``base = "headers"``): see `recognise`."""
        return BASE in self.content

    def hints(self) -> FileHints:
        """How the file is written, as far as it says so; what is wrong in that section `mapping_of` tells."""
        return sections.hints(Keys(self.content, "", []).section("file")) or FileHints()


def read_document(path: Path) -> MappingDocument:
    """The document in the file; raises BadMapping where it is no TOML."""
    try:
        content = read_bytes(path)
    except BadSetting as wrong:
        raise BadMapping(path.name, [("file", str(wrong))]) from wrong
    return MappingDocument(_parsed(path.name, content), path.parent, framed(content))


def document_of(name: str, text: str, lists: Mapping[str, str]) -> MappingDocument:
    """The document in a text that came without a file, called ``name``, with the lists that came with it."""
    content = text.encode()
    return MappingDocument(_parsed(name, content), Path(), framed(content), lists=lists)


def _parsed(name: str, content: bytes) -> Mapping[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8-sig"), parse_float=Decimal)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as wrong:
        raise BadMapping(name, [("file", f"{wrong}; correct it: the mapping is TOML in UTF-8")]) from wrong


def read_mapping(path: Path, reference: Reference | None = None) -> FileMapping:
    """The mapping in the file; see `mapping_of`."""
    return mapping_of(read_document(path), reference)


def mapping_from_document(document: Mapping[str, Any], folder: Path, reference: Reference | None = None) -> FileMapping:
    """The mapping in a document already read; CSV files it names lie in ``folder``."""
    return mapping_of(MappingDocument(document, folder, repr(sorted(document.items())).encode()), reference)


def mapping_of(document: MappingDocument, reference: Reference | None = None) -> FileMapping:
    """The mapping that the document is.

    Raises BadMapping with every fault found, each with its key path; with ``reference``, also where it leads to a
    participant, category or criterion that is not known.
    """
    files = Files(document.folder, document.hashed, document.lists)
    faults: Faults = []
    keys = Keys(document.content, "", faults)
    if document.adds_to_headers:
        keys.text(BASE, choices=(HEADERS,))
    name, series = sections.name(keys), sections.series(keys)
    optional = frozenset(keys.texts("optional"))
    columns, constants = keys.section("columns"), keys.section("constants")
    parts = {
        "optional": optional,
        "columns": sections.columns(columns),
        "constants": sections.constants(constants),
        "hints": sections.hints(keys.section("file")),
        "days": sections.days(keys.section("dates")),
        "units": sections.units(keys.section("units")),
        "price": sections.price(keys.section("price")),
        "currency": sections.currency(keys.section("currency")),
        "window": sections.window(keys.section("window")),
        "uncertainty": sections.uncertainty(keys.section("uncertainty")),
        "participants": sections.participants(keys.section("participants"), files),
        "categories": sections.categories(keys.section("categories"), files),
        "criteria": sections.criteria(keys.section("criteria")),
        "depths": sections.depths(keys.section("depth")),
        "group": sections.group(keys.section("group")) if keys.has("group") else None,
        "skip": tuple(rule for each in keys.sections("skip") if (rule := sections.skip(each))),
    }
    keys.finish()
    named = {"columns": frozenset(columns.names()), "constants": frozenset(constants.names())}
    said = Parts(**cast("Any", {part: parts[part] for part in Parts.__slots__} | named))
    faults += _not_told_yet(contradictions(said), faults)
    if reference is not None:
        faults += unknown_targets(_words(parts), rules=_rules(document.content), reference=reference)
    if faults:
        raise BadMapping(name or "without a name", faults)
    return FileMapping(name=name, series=series, sha256=files.sha256, **cast("Any", parts))


def _words(parts: Mapping[str, Any]) -> dict[str, Mapping[str, str]]:
    """The sender's words for our codes, by section; of a section that could not be read there are none."""
    categories, criteria = parts["categories"], parts["criteria"]
    return {
        "participants": parts["participants"],
        "categories": categories.exact if categories is not None else {},
        "criteria": criteria.words if criteria is not None else {},
    }


def _rules(content: Mapping[str, Any]) -> dict[int, str]:
    """The category of each rule that names one, by its number, whatever else is wrong with the rule."""
    section = content.get("categories")
    rules = section.get("rules") if isinstance(section, dict) else None
    numbered = enumerate(rules, start=1) if isinstance(rules, list) else ()
    named = {number: rule.get("category") for number, rule in numbered if isinstance(rule, dict)}
    return {number: category for number, category in named.items() if isinstance(category, str)}


def _not_told_yet(more: Faults, told: Faults) -> Faults:
    """Those of ``more`` whose key, or the table it is in, has no fault yet: they follow from that one."""
    paths = {path for path, _ in told}
    return [(path, text) for path, text in more if not paths & {path, path.partition(".")[0]}]
