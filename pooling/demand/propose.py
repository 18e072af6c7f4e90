"""Proposes categories from a file whose sender has a nomenclature of its own: to be read, corrected, then added."""

import csv
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import polars as pl

from connectors.frames import EXTRA
from pooling.demand.intake import opened
from pooling.demand.mapping import BadMapping, FileMapping
from pooling.demand.names import slug
from pooling.demand.sections import CANONICAL
from pooling.demand.template import harmless

MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Proposal:
    """A category as `pooling reference add categories FILE` reads it; its family is the first word it is made of."""

    id: str
    family: str
    name: str
    unit: str
    source: str


def proposals(path: Path, mapping: FileMapping) -> list[Proposal]:
    """The categories that the mapping's ``derive`` makes of the file, each once, by id.

    Raises BadMapping where the mapping derives none.
    """
    derive = mapping.categories.derive
    if not derive:
        text = "missing; name the headers whose words make a category"
        raise BadMapping(mapping.name, [("categories.derive", text)])
    columns = [name if name in CANONICAL else EXTRA + name for name in derive]
    found: dict[str, Proposal] = {}
    with opened(path, mapping) as file:
        for words in _distinct(file.batches(), columns):
            key = slug(words)
            if key and key not in found:
                name = " ".join(words)[:MAX_NAME]
                family = slug(words[:1]) or key
                source = f"made of {path.name} by the mapping {mapping.name}"
                found[key] = Proposal(key, family, name, mapping.units.pack_unit, source[:400])
    return [found[key] for key in sorted(found)]


def _distinct(batches: Iterator[pl.DataFrame], columns: list[str]) -> Iterator[list[str]]:
    for batch in batches:
        for row in batch.select(columns).unique(maintain_order=True).iter_rows():
            yield [cell or "" for cell in row]


def write_proposals(path: Path, found: list[Proposal]) -> None:
    """Write them as the CSV that reference data is added from."""
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([field.name for field in fields(Proposal)])
        writer.writerows([harmless(cell) for cell in astuple(each)] for each in found)
