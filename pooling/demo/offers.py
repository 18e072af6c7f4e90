"""What suppliers might answer: up to three levels a category, each from a tipping volume on. Pure; nearly all made up.

Prices are an index on today's volume-weighted price, tipping volumes a share of the Nordic volume. A figure with a
public source names it; every other one says that it is made up. Each has a range.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from types import MappingProxyType

from pooling.demo import chance
from pooling.demo.catalogue import MADE_UP, Item
from pooling.demo.ladders import reached
from pooling.market.rules import INDEX, MICRO, Figure, OfferRecord, TierRecord

NO_OFFER = 0.1  # share of categories for which nobody offers anything: the first cycle's usual case
KG_CO2E_PER_EUR = 0.35  # made up: footprint of a euro of consumables, where no figure is known
TIERS = ((1.0, 1.0), (2.4, 0.95))  # multiple of the tipping volume, price against the price there
TIERED = 0.4  # share of offers with more than one tier
NO_SUPPLIER = f"{MADE_UP}: no supplier has said this"
CAPACITY = 0.3  # share of offers with a limit to what the supplier can make


@dataclass(frozen=True, slots=True)
class Level:
    """A step of the ladder as a product: how often it exists, its tipping volume as a share of the Nordic volume,
    its price index there, and the share of the footprint it saves."""

    name: str
    step: int
    exists: float
    tipping: tuple[float, float]
    index: tuple[float, float]
    saves: tuple[float, float]


LEVELS = (
    Level("standard", 0, 0.7, (0.025, 0.05), (0.95, 1.0), (0.0, 0.05)),
    Level("greener", 1, 0.65, (0.05, 0.1), (0.95, 1.03), (0.10, 0.25)),
    Level("leading", 2, 0.35, (0.08, 0.16), (0.97, 1.12), (0.25, 0.45)),
)


@dataclass(frozen=True, slots=True)
class Known:
    """Figures with a public source for the leading product of a category: kg CO2e a unit, and the first price index."""

    saved: tuple[float, float, float]
    co2_source: str
    index: tuple[float, float, float] | None = None
    index_source: str = MADE_UP


_GOWNS = f"share of 66 %: Vozzola et al. (US), quoted by trsa.org and nam.edu; footprint of 1.1 kg a gown: {MADE_UP}"
KNOWN: Mapping[str, Known] = MappingProxyType(
    {
        "plastic-aprons-single-use": Known(
            (0.051, 0.040, 0.056),
            "Region Skåne, lakartidningen.se 2016-2017: 280 to 25 t a year at about 5 million aprons; range made up",
            (1.40, 1.15, 1.40),
            "Region Skåne, lakartidningen.se 2016-2017: about 40 % dearer; range made up",
        ),
        "surgical-gowns-standard-performance-single-use": Known((0.726, 0.5, 0.9), _GOWNS),
        "surgical-gowns-reinforced-high-performance": Known((0.726, 0.5, 0.9), _GOWNS),
        "isolation-non-surgical-gowns": Known(
            (0.12, 0.08, 0.16),
            "share of 30 %: Vozzola and Overcash 2018, quoted in an Elis supplement;"
            f" footprint of 0.4 kg a gown: {MADE_UP}",
        ),
    }
)


def offers(items: Iterable[Item], volumes: Mapping[str, int], *, seed: int, as_of: date) -> list[OfferRecord]:
    """The offers of every item that has Nordic volume; ``volumes`` in base units a year."""
    return [
        offer
        for item in items
        if item.category in volumes
        for level in LEVELS
        if (offer := _offer(item, level, volume=volumes[item.category], seed=seed, as_of=as_of))
    ]


def _offer(item: Item, level: Level, *, volume: int, seed: int, as_of: date) -> OfferRecord | None:
    if item.category not in KNOWN and chance.dice(seed, "offers", item.category).random() < NO_OFFER:
        return None
    dice = chance.dice(seed, "offers", item.category, level.name)
    known = KNOWN.get(item.category) if level.name == "leading" else None
    if dice.random() > level.exists and known is None:
        return None
    tipping = volume * dice.uniform(*level.tipping)
    index = _range(dice.uniform(*level.index), 0.03)
    source = NO_SUPPLIER
    if known and known.index:
        index, source = known.index, known.index_source
    tiers = TIERS if dice.random() < TIERED else TIERS[:1]
    stands_from = as_of - timedelta(days=dice.randint(20, 200))
    return OfferRecord(
        id=f"{item.category}.{level.name}",
        category=item.category,
        name=f"{level.name.capitalize()} level (made up)",
        criteria=reached(item, level.step),
        price_basis=INDEX,
        currency="EUR",
        tiers=tuple(_tier(tipping * times, index, factor, source, stands_from) for times, factor in tiers),
        co2_saved=_saved(item, level, dice, known=known, day=stands_from),
        total_max_quantity=_rounded(volume * dice.uniform(0.5, 0.9)) if dice.random() < CAPACITY else None,
        valid_from=stands_from,
    )


def _tier(quantity: float, index: tuple[float, float, float], factor: float, source: str, day: date) -> TierRecord:
    start = _rounded(quantity)
    low, high = min(start, _rounded(quantity * 0.85)), max(start, _rounded(quantity * 1.25))
    value, least, most = (round(part * factor * MICRO) for part in index)
    return TierRecord(Figure(start, low, high, NO_SUPPLIER, day), Figure(value, least, most, source, day))


def _saved(item: Item, level: Level, dice: Random, *, known: Known | None, day: date) -> Figure:
    if known:
        saved, source = known.saved, known.co2_source
    else:
        footprint = item.price_eur / item.base_factor * KG_CO2E_PER_EUR
        share = dice.uniform(*level.saves)
        saved, source = (footprint * share, footprint * share * 0.5, footprint * share * 1.5), MADE_UP
    value, low, high = (round(part * MICRO) for part in saved)
    return Figure(value, low, high, source, day)


def _range(value: float, by: float) -> tuple[float, float, float]:
    return value, value * (1 - by), value * (1 + by)


def _rounded(quantity: float) -> int:
    """To two significant figures, as suppliers speak; at least 1."""
    return max(1, int(float(f"{quantity:.2g}")))
