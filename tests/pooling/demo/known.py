"""Senders and items of the packaged reference data, without a database."""

import csv
from collections.abc import Collection
from functools import cache
from pathlib import Path

from pooling.demo.catalogue import Category, Item, items
from pooling.demo.needs import Sender
from pooling.reference import service
from pooling.reference.rules import base_factor

DATA = Path(service.__file__).parent / "data"


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def all_senders() -> tuple[Sender, ...]:
    """Every participant of the packaged data but Østdanmark, which does not exist on the demonstration's day."""
    return tuple(
        Sender(
            code=row["code"],
            name=row["name"],
            country=row["country"],
            currency=row["currency"],
            population=int(row["population"]),
            overlaps=row["population_overlaps"] == "true",
            within=row["population_within"] or None,
        )
        for row in rows("participants.csv")
        if row["code"] != "DK-OST"
    )


@cache
def all_items() -> tuple[Item, ...]:
    return items(
        Category(
            row["id"], row["family"], row["name"], row["unit"], int(base_factor(row["unit"], row["base_unit"]) or 0)
        )
        for row in rows("categories.csv")
    )


def senders(*codes: str) -> list[Sender]:
    return [sender for sender in all_senders() if sender.code in codes]


def some_items(families: Collection[str]) -> list[Item]:
    return [item for item in all_items() if item.family in families]
