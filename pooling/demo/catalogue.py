"""What the demonstration buys: for each category a budget, a price, a usual pack and the names buyers give it.

The money per inhabitant for hospital consumables is real; everything else here is made up and says so.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

DATA = Path(__file__).parent / "data"
LANGUAGES = ("da", "sv", "nb", "fi")
MADE_UP = "made up for the demonstration"


@dataclass(frozen=True, slots=True)
class Budget:
    """Money for a group of categories, NOK per inhabitant and year ex VAT, and where the figure is from.

    ``norway``, where given, is the figure for Norway alone.
    """

    nok_per_inhabitant: float
    source: str
    norway: float | None = None

    def in_country(self, country: str) -> float:
        return self.norway if country == "NO" and self.norway is not None else self.nok_per_inhabitant


_PLAN = (
    "Sykehusinnkjøp, category plan for medical consumables (spring 2023): NOK million a year ex VAT,"
    " divided by 5.6 million inhabitants"
)
_CARE = f"{MADE_UP}: home and nursing care included; Norway: {_PLAN} (hospitals only)"
BUDGETS: Mapping[str, Budget] = MappingProxyType(
    {
        "hygiene": Budget(357 / 5.6, _PLAN),
        "operation": Budget(346 / 5.6, _PLAN),
        "anaesthesia": Budget(338 / 5.6, _PLAN),
        "intensive": Budget(117 / 5.6, _PLAN),
        "wound": Budget(69 / 5.6, _PLAN),
        "incontinence": Budget(25, _CARE, norway=43 / 5.6),
        "stoma": Budget(25, f"{MADE_UP}; Norway's hospitals buy hardly any ({_PLAN})", norway=0),
        "dialysis": Budget(25, MADE_UP),
        "laboratory": Budget(30, MADE_UP),
        "implants": Budget(90, MADE_UP),
        "equipment": Budget(45, MADE_UP),
        "textiles": Budget(12, MADE_UP),
    }
)


@dataclass(frozen=True, slots=True)
class Item:
    """A category as buyers order it. ``share`` is of its budget, ``price_eur`` for one ``unit`` (UNECE code), ``pack``
    how many units a pack holds; all three made up. ``names``: language to
    article name."""

    category: str
    family: str
    unit: str
    base_factor: int
    budget: str
    share: float
    price_eur: float
    pack: int
    names: Mapping[str, str]

    def __post_init__(self) -> None:
        if self.budget not in BUDGETS or self.price_eur <= 0 or self.pack < 1 or not 0 < self.share <= 1:
            raise ValueError(f"item {self.category}: unknown budget, or price, pack or share not above 0")
        if missing := [language for language in LANGUAGES if not self.names.get(language)]:
            raise ValueError(f"item {self.category}: no name in {missing[0]}")


@dataclass(frozen=True, slots=True)
class Category:
    """What the reference data says of a category; ``base_factor`` is how many base units one ``unit`` is."""

    id: str
    family: str
    name: str
    unit: str
    base_factor: int


def items(categories: Iterable[Category]) -> tuple[Item, ...]:
    """The items of these categories, in the order of the packaged list; those it does not hold are left out."""
    known = {category.id: category for category in categories}
    with (DATA / "items.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["category"] in known]
    total = _weights()
    return tuple(_item(row, known[row["category"]], total[row["budget"]]) for row in rows)


def _item(row: Mapping[str, str], category: Category, total: float) -> Item:
    return Item(
        category=category.id,
        family=category.family,
        unit=category.unit,
        base_factor=category.base_factor,
        budget=row["budget"],
        share=float(row["weight"]) / total,
        price_eur=float(row["price_eur"]),
        pack=int(row["pack"]),
        names=MappingProxyType({"en": category.name, **{language: row[language] for language in LANGUAGES}}),
    )


def _weights() -> dict[str, float]:
    """The sum of weights of each budget over all categories, whichever of them are asked for."""
    total: dict[str, float] = {}
    with (DATA / "items.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            total[row["budget"]] = total.get(row["budget"], 0.0) + float(row["weight"])
    return total
