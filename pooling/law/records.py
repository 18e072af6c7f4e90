"""The rules as data: packaged in rules.toml, frozen, each with its source and dates."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from pooling.law.facts import DEPTHS

DATA = Path(__file__).parent / "data" / "rules.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. It holds from ``valid_from`` to the day before ``valid_to``; None: no border is known."""

    id: str
    title: str
    text: str
    source: str
    verified: bool
    valid_from: date | None = None
    valid_to: date | None = None
    depths: tuple[str, ...] = DEPTHS
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.valid_from and self.valid_to and self.valid_from >= self.valid_to:
            raise ValueError(f"rule {self.id}: valid_from {self.valid_from} is not before valid_to {self.valid_to}")
        if not self.source.strip() or not set(self.depths) <= set(DEPTHS):
            raise ValueError(f"rule {self.id}: give a source, and depths of {DEPTHS}")

    def holds(self, on: date) -> bool:
        """Whether it is in force on that day."""
        return (self.valid_from is None or self.valid_from <= on) and (self.valid_to is None or on < self.valid_to)


@cache
def packaged() -> Mapping[str, Rule]:
    """The rules of rules.toml by id, in their order there."""
    with DATA.open("rb") as file:
        rows = tomllib.load(file)["rule"]
    found = [Rule(**{**row, "depths": tuple(row.get("depths", DEPTHS))}) for row in rows]
    return {rule.id: rule for rule in found}


def needs_several_suppliers(category: str, family: str) -> bool:
    """Whether users of a category need a choice of products (rule ``several-suppliers``)."""
    parameters = packaged()["several-suppliers"].parameters
    return category in parameters["categories"] or family in parameters["families"]
