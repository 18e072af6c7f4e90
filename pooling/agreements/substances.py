"""Which criteria mean that a product is free of a substance: packaged data, each with its source."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Substance:
    """A substance that products are free of where they meet ``criterion``."""

    criterion: str
    substance: str
    name: str
    source: str


@cache
def substances() -> tuple[Substance, ...]:
    """All that are known, in the order of the file."""
    text = resources.files("pooling.agreements").joinpath("data/substances.csv").read_text(encoding="utf-8")
    return tuple(Substance(**row) for row in csv.DictReader(text.splitlines()))


def avoided(criteria: Iterable[str]) -> frozenset[str]:
    """What a product that meets ``criteria``, implied ones among them, is free of; each once."""
    met = set(criteria)
    return frozenset(each.substance for each in substances() if each.criterion in met)
