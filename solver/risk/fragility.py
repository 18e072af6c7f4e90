"""Which pools fail when price, volumes asked for or CO2e turn out at the unfavourable end of their range.

A range is given as shares of the stated figure, low and high; what is unfavourable is the high end of price and of the
volumes of tiers (the tipping volume and those above move together) and the low end of CO2e saved. Instances state no
ranges, so they come beside; every result shows the ones it used.

The tender is taken to be held: a lot below its tipping volume earns nothing and has cost its lines' and its own set-up.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from solver.checks import LARGEST_WHOLE, numbers, refuse
from solver.errors import Fault
from solver.instance import Offer, Tier
from solver.lots import SURE_TOLERANCE, WORSE_OFF_TOLERANCE
from solver.plan import PlanLot, PlanPool
from solver.worth import Worth

WIDEST = 100.0
"""No figure is off by more than a hundred times."""
ROUNDING = 1e-12
"""Share of a scaled volume that is arithmetic's own error."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Low and high ends as shares of the stated figure: (-0.1, 0.1) is ten per cent to either side.

    The defaults are a cautious reading where nothing is stated: prices within 5 %, volumes within 10 %, CO2e (the least
    certain of supplier figures) within 30 %.
    """

    price_share: tuple[float, float] = (-0.05, 0.05)
    tipping_share: tuple[float, float] = (-0.10, 0.10)
    co2_share: tuple[float, float] = (-0.30, 0.30)

    def __post_init__(self) -> None:
        refuse(self._faults())

    def _faults(self) -> Iterator[Fault]:
        for name, value in asdict(self).items():
            ends = value if isinstance(value, tuple) and len(value) == 2 else None
            if ends is None:
                yield Fault(name, value, "give two shares, low and high")
                continue
            found = [*numbers(True, **{f"{name}[0]": ends[0]}), *numbers(True, **{f"{name}[1]": ends[1]})]
            yield from found
            if not found and not -1 <= ends[0] <= 0 <= ends[1] <= WIDEST:
                yield Fault(name, value, f"give a low end from -1 to 0 and a high end from 0 to {WIDEST:g}")


class Turn(StrEnum):
    """How things turn out."""

    STATED = "as_stated"
    PRICE = "price"
    TIPPING = "tipping_volume"
    CO2 = "co2"
    TOGETHER = "all_together"


class Failing(StrEnum):
    """How a pool or lot fails."""

    TIPPING_NOT_REACHED = "tipping_volume_not_reached"
    TIER_NOT_REACHED = "tier_not_reached"
    WORSE_OFF = "member_worse_off"
    LOT_NOT_WORTH_IT = "lot_not_worth_its_cost"
    POOL_NOT_WORTH_IT = "pool_not_worth_its_cost"


@dataclass(frozen=True)
class Failure:
    """One way to fail at one turn, with its figures (names end in their unit); ``offer`` None: the pool as a whole."""

    turn: Turn
    failing: Failing
    offer: str | None
    figures: Mapping[str, object]

    def to_document(self) -> dict[str, object]:
        return {"turn": self.turn.value, "failing": self.failing.value, "offer": self.offer, **self.figures}


@dataclass(frozen=True)
class Fragility:
    """How a pool fares at each turn. Headroom is how far a figure may move alone before the pool is worth nothing: a
    share of the price up, and of CO2e saved down; None where no such move does it."""

    worth_eur: Mapping[Turn, float]
    failures: tuple[Failure, ...]
    price_headroom_share: float | None
    co2_headroom_share: float | None

    @property
    def fragile(self) -> bool:
        """Whether something fails at an unfavourable turn that does not fail as stated."""
        stated = {(f.failing, f.offer) for f in self.failures if f.turn is Turn.STATED}
        return any((f.failing, f.offer) not in stated for f in self.failures)

    def to_document(self) -> dict[str, object]:
        return {
            "fragile": self.fragile,
            "fails_at": {
                failing.value: list(dict.fromkeys(f.turn.value for f in self.failures if f.failing is failing))
                for failing in dict.fromkeys(failure.failing for failure in self.failures)
            },
            "worth_eur": {turn.value: worth for turn, worth in self.worth_eur.items()},
            "price_headroom_share": self.price_headroom_share,
            "co2_headroom_share": self.co2_headroom_share,
            "failures": [failure.to_document() for failure in self.failures],
        }


def turned(offer: Offer, ranges: Ranges, turn: Turn) -> Offer:
    """The offer as it turns out, volumes and prices no further than an offer can state them. CO2e gets worse also
    where the offer saves less than nothing."""
    price = 1 + ranges.price_share[1] if turn in (Turn.PRICE, Turn.TOGETHER) else 1.0
    volume = 1 + ranges.tipping_share[1] if turn in (Turn.TIPPING, Turn.TOGETHER) else 1.0
    saved = offer.co2_saved_kg_per_unit
    if turn in (Turn.CO2, Turn.TOGETHER):
        saved += ranges.co2_share[0] * abs(saved)
    tiers: list[Tier] = []
    for k, tier in enumerate(offer.tiers):
        least = tiers[-1].from_quantity + 1 if tiers else 1
        most = LARGEST_WHOLE - (len(offer.tiers) - 1 - k)
        scaled = math.ceil(tier.from_quantity * volume * (1 - ROUNDING)) if volume > 1 else tier.from_quantity
        dearer = min(float(LARGEST_WHOLE), tier.unit_price_eur * price)
        tiers.append(Tier(min(most, max(least, scaled)), dearer))
    saved = max(-float(LARGEST_WHOLE), saved)
    return replace(offer, tiers=tuple(tiers), co2_saved_kg_per_unit=saved)


def fragility(worth: Worth, pool: PlanPool, ranges: Mapping[str, Ranges], default: Ranges) -> Fragility:
    """The pool at every turn; ``ranges`` by offer id, ``default`` for the others."""
    values: dict[Turn, float] = {}
    failures: list[Failure] = []
    for turn in Turn:
        lots = [_turned_lot(worth, pool, lot, ranges.get(lot.offer, default), turn) for lot in pool.lots]
        failures += [failure for _, found in lots for failure in found]
        values[turn] = math.fsum(value for value, _ in lots) - _set_up(worth, pool)
        if values[turn] < 0:
            failures.append(Failure(turn, Failing.POOL_NOT_WORTH_IT, None, {"worth_eur": values[turn]}))
    price, co2 = _leverage(worth, pool)
    stated = values[Turn.STATED]
    return Fragility(
        worth_eur=values,
        failures=tuple(failures),
        price_headroom_share=max(0.0, stated) / price if price > 0 else None,
        co2_headroom_share=max(0.0, stated) / co2 if co2 > 0 else None,
    )


def _set_up(worth: Worth, pool: PlanPool) -> float:
    policy = worth.instance.policy
    countries = {worth.countries[worth.lines[line].participant] for lot in pool.lots for line in lot.lines}
    return policy.pool_cost_eur + policy.country_cost_eur * (len(countries) - 1)


def _leverage(worth: Worth, pool: PlanPool) -> tuple[float, float]:
    """EUR over the term: what is bought, and what the CO2e saved is worth, whichever way it goes."""
    price, co2 = 0.0, 0.0
    for lot in pool.lots:
        offer = worth.offers[lot.offer]
        tier = worth.lot(lot.offer, lot.lines, pool.start).tier
        free = replace(offer, tiers=tuple(replace(step, unit_price_eur=0.0) for step in offer.tiers))
        clean = replace(offer, co2_saved_kg_per_unit=0.0)
        for name in lot.lines:
            line = worth.lines[name]
            stated = worth.line(line, offer, tier, pool.start)
            price += worth.line(line, free, tier, pool.start).savings_eur - stated.savings_eur
            co2 += abs(stated.green_value_eur - worth.line(line, clean, tier, pool.start).green_value_eur)
    return price, co2


def _turned_lot(
    worth: Worth, pool: PlanPool, lot: PlanLot, ranges: Ranges, turn: Turn
) -> tuple[float, Sequence[Failure]]:
    """What the lot is worth after its own cost, and how it fails."""
    policy = worth.instance.policy
    offer = turned(worth.offers[lot.offer], ranges, turn)
    planned = worth.lot(lot.offer, lot.lines, pool.start)
    sure, failures = planned.sure_quantity, []

    def fails(failing: Failing, **figures: object) -> None:
        failures.append(Failure(turn, failing, lot.offer, figures))

    tier = sum(sure >= step.from_quantity * (1 - SURE_TOLERANCE) for step in offer.tiers) - 1
    if tier < 0:
        fails(Failing.TIPPING_NOT_REACHED, needed_quantity=offer.tiers[0].from_quantity, sure_quantity=sure)
        return -policy.lot_cost_eur - policy.line_cost_eur * len(lot.lines), failures
    if tier < planned.tier:
        needed = offer.tiers[planned.tier].from_quantity
        fails(
            Failing.TIER_NOT_REACHED, tier=planned.tier, reached_tier=tier, needed_quantity=needed, sure_quantity=sure
        )
    benefits = {name: worth.line(worth.lines[name], offer, tier, pool.start).benefit_eur for name in lot.lines}
    worse = {
        name: benefit
        for name, benefit in benefits.items()
        if benefit < -WORSE_OFF_TOLERANCE * max(1.0, worth.lines[name].quantity * worth.lines[name].unit_price_eur)
    }
    if worse:
        members = list(dict.fromkeys(worth.lines[name].participant for name in worse))
        fails(Failing.WORSE_OFF, participants=members, benefit_eur=worse)
    value = math.fsum(benefits.values()) - policy.lot_cost_eur
    if value < 0:
        fails(Failing.LOT_NOT_WORTH_IT, worth_eur=value)
    return value, failures
