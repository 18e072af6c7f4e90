"""What each sender would buy, drawn from population and money per inhabitant with a seed. Pure; all of it made up.

Volume = inhabitants x money per inhabitant x the category's share / price, times a factor of the country's, one of the
sender's and one by chance. The same seed gives the same needs; leaving out a sender or category changes no other need.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from pooling.demo import chance
from pooling.demo.catalogue import BUDGETS, Item
from pooling.demo.ladders import asked, refused

NOK_PER_EUR = 11.5  # only to turn the real NOK figures into volumes, rounded; prices in files use the day's rate
FIRST_YEAR, QUARTERS = 2027, 15  # contracts end with a quarter, from the first of 2027 to the third of 2030
EXTENSIONS = ((0, 18), (12, 32), (24, 50))  # months of options left, and how often
HOSPITAL = frozenset({"operation", "anaesthesia", "intensive", "implants", "dialysis"})
CARE = frozenset({"incontinence", "stoma"})
# made up: how much a country uses and pays, against the mean
USE: Mapping[str, float] = MappingProxyType(
    {"DK": 1.0, "SE": 0.95, "NO": 1.0, "FI": 0.95, "IS": 1.05, "FO": 0.9, "GL": 0.95}
)
PRICE: Mapping[str, float] = MappingProxyType(
    {"DK": 1.0, "SE": 0.97, "NO": 1.07, "FI": 0.98, "IS": 1.2, "FO": 1.18, "GL": 1.22}
)
# senders whose contracts run together: one body signs for Norway, five Swedish regions have a joint board
TOGETHER: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("NO-HSO", "NO-HV", "NO-HMN", "NO-HN"), "Sykehusinnkjøp"),
        **dict.fromkeys(("SE-C", "SE-W", "SE-D", "SE-U", "SE-T"), "Varuförsörjningen"),
    }
)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends a file. ``within``: the body whose inhabitants include this one's; hospital and care are shared."""

    code: str
    name: str
    country: str
    currency: str
    population: int
    overlaps: bool = False
    within: str | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """One sender's demand in one category. ``quantity`` is in the item's unit a year, ``price_eur`` for one such unit.

    ``packs`` is the same demand in whole packs; ``quantity`` is a whole number of them.
    """

    sender: Sender
    item: Item
    packs: int
    price_eur: float
    contract_end: date
    extension_months: int
    required: tuple[str, ...]
    refused: tuple[str, ...]

    @property
    def quantity(self) -> int:
        return self.packs * self.item.pack

    @property
    def base_quantity(self) -> int:
        """In the unit volumes are pooled in."""
        return self.quantity * self.item.base_factor


def needs(senders: Iterable[Sender], items: Iterable[Item], *, seed: int) -> list[Need]:
    """The needs of every sender, in the order of senders, then items."""
    items = tuple(items)
    return [need for sender in senders for item in items if (need := _need(sender, item, seed))]


def nordic_volume(found: Iterable[Need]) -> dict[str, int]:
    """Each category's volume of all senders, base units a year."""
    total: dict[str, int] = {}
    for need in found:
        total[need.item.category] = total.get(need.item.category, 0) + need.base_quantity
    return total


def _need(sender: Sender, item: Item, seed: int) -> Need | None:
    if item.category == "hearing-aids" and sender.country == "DK":
        return None  # Danish regions buy hearing aids through Amgros
    dice = chance.dice(seed, sender.code, item.category)
    use = USE[sender.country] * _part(sender, item) * _own(seed, sender)
    budget = BUDGETS[item.budget].in_country(sender.country) / NOK_PER_EUR
    expected = sender.population * budget * item.share / item.price_eur * use * dice.lognormvariate(0, 0.25)
    packs = round(expected / item.pack)
    if packs < 1 or dice.random() > _coverage(sender):
        return None
    size = (sender.population / 1e6) ** -0.03  # larger buyers pay a little less
    family = chance.dice(seed, sender.code, item.family)  # a buyer asks the same of all goods of a family
    required = asked(family, item, country=sender.country)
    end, extension = _contract(sender, item, seed)
    return Need(
        sender=sender,
        item=item,
        packs=packs,
        price_eur=item.price_eur * PRICE[sender.country] * size * dice.lognormvariate(0, 0.09),
        contract_end=end,
        extension_months=extension,
        required=required,
        refused=tuple(code for code in refused(family, item, country=sender.country) if code not in required),
    )


def spread(name: str, *, seed: int) -> float:
    """How far from its figure the 10th and 90th percentile lie, as a share of it, for one sender or system."""
    return round(chance.dice(seed, "spread", name).uniform(0.06, 0.14), 2)


def _own(seed: int, sender: Sender) -> float:
    return chance.dice(seed, sender.code).lognormvariate(0, 0.12)


def _part(sender: Sender, item: Item) -> float:
    """Where a hospital body and local bodies serve the same people, how much of the use is the sender's."""
    if not sender.overlaps:
        return 1.0
    if sender.within is None:
        return 0.65 if item.budget in HOSPITAL else 0.35 if item.budget in CARE else 0.6
    return 0.35 if item.budget in HOSPITAL else 0.65 if item.budget in CARE else 0.4


def _coverage(sender: Sender) -> float:
    """How many of the categories a sender plans: nearly all where there is a large purchasing office."""
    return 0.97 if sender.population > 900_000 else 0.9 if sender.population > 150_000 else 0.7


def _contract(sender: Sender, item: Item, seed: int) -> tuple[date, int]:
    """When today's contract ends and how far it can be extended; a family's goods are mostly under one contract."""
    group = TOGETHER.get(sender.code, sender.code)
    dice = chance.dice(seed, "contract", group, item.family)
    alone = chance.dice(seed, "contract", group, item.category)
    if alone.random() < 0.12:
        dice = alone
    quarter = dice.randrange(QUARTERS)
    extension = dice.choices([months for months, _ in EXTENSIONS], [often for _, often in EXTENSIONS])[0]
    return _last_day(FIRST_YEAR + quarter // 4, 3 * (quarter % 4) + 3), extension


def _last_day(year: int, month: int) -> date:
    return date.fromordinal(date(year + month // 12, month % 12 + 1, 1).toordinal() - 1)
