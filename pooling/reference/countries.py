"""The country codes of ISO 3166-1, from the table that the tzdata package carries; a newer package knows newer ones."""

from functools import cache
from importlib import resources


@cache
def countries() -> frozenset[str]:
    """The codes of two letters."""
    table = (resources.files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
    return frozenset(line.split("\t")[0] for line in table.splitlines() if not line.startswith("#"))
