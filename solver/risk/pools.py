"""What may go wrong with the pools of a plan: volumes below their tier, and figures at the far end of their range.

Chances go by three names: ``policy`` with the policy's own correlation of forecast errors, ``independent`` without any,
``common_shock`` with a correlation between all lines of the plan.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from solver.arrays import Floats
from solver.checks import numbers, refuse, wholes
from solver.errors import Fault
from solver.instance import Instance
from solver.known_pools import known_pools
from solver.plan import PlanPool
from solver.risk.chances import Chance, Drawn, LotVolume
from solver.risk.fragility import Fragility, Ranges, fragility
from solver.worth import Worth

SCHEMA = "pooling.risk/1"
DRAWS = 10_000
"""Standard errors of probabilities stay below half a per cent."""
USUAL_SHOCK = 0.3
"""Correlation of the common shock where neither caller nor policy names one."""
POLICY, INDEPENDENT, SHOCK = "policy", "independent", "common_shock"
NO_OVERRIDES: Mapping[str, Ranges] = MappingProxyType({})


@dataclass(frozen=True)
class LotRisk:
    """One lot. ``volume_headroom_share``: by how much the volume its tier asks for could grow before the sure quantity
    misses it, as a share; below 0 where it is missed already."""

    offer: str
    tier: int
    quantity: int
    sure_quantity: float
    tier_from_quantity: int
    tipping_quantity: int
    planned_savings_eur: float
    volume_headroom_share: float
    chances: Mapping[str, Chance]

    def to_document(self) -> dict[str, object]:
        own = {name: value for name, value in vars(self).items() if name != "chances"}
        return {**own, "chances": {name: asdict(chance) for name, chance in self.chances.items()}}


@dataclass(frozen=True)
class Spread:
    """Savings of a pool or plan over the term as drawn, and how often all its lots reach their tiers."""

    expected_savings_eur: float
    standard_error_eur: float
    low_savings_eur: float
    """One draw in twenty is below."""
    high_savings_eur: float
    """One draw in twenty is above."""
    all_tiers_probability: float

    @classmethod
    def of(cls, savings: Floats, reached: Floats) -> "Spread":
        low, high = np.quantile(savings, [0.05, 0.95])
        error = savings.std(ddof=1) / np.sqrt(len(savings))
        return cls(float(savings.mean()), float(error), float(low), float(high), float(reached.mean()))


@dataclass(frozen=True)
class PoolRisk:
    """One pool."""

    family: str
    start: str
    lots: tuple[LotRisk, ...]
    drawn: Mapping[str, Spread]
    fragility: Fragility

    def to_document(self) -> dict[str, object]:
        return {
            "family": self.family,
            "start": self.start,
            "drawn": {name: asdict(spread) for name, spread in self.drawn.items()},
            "lots": [lot.to_document() for lot in self.lots],
            "fragility": self.fragility.to_document(),
        }


@dataclass(frozen=True)
class Risk:
    """All pools of a plan; the same for the same ``seed`` and ``draws``."""

    pools: tuple[PoolRisk, ...]
    drawn: Mapping[str, Spread]
    correlations: Mapping[str, float]
    default_ranges: Ranges
    offer_ranges: Mapping[str, Ranges]
    draws: int
    seed: int

    @property
    def fragile(self) -> tuple[PoolRisk, ...]:
        """The pools that fail at an unfavourable end and not as stated."""
        return tuple(pool for pool in self.pools if pool.fragility.fragile)

    def to_document(self) -> dict[str, object]:
        """``pooling.risk/1``, ready for JSON."""
        return {
            "schema": SCHEMA,
            "draws": self.draws,
            "seed": self.seed,
            "correlations": dict(self.correlations),
            "ranges": {
                "default": _plain(self.default_ranges),
                "offers": {name: _plain(ranges) for name, ranges in self.offer_ranges.items()},
            },
            "drawn": {name: asdict(spread) for name, spread in self.drawn.items()},
            "fragile_pools": [{"family": pool.family, "start": pool.start} for pool in self.fragile],
            "pools": [pool.to_document() for pool in self.pools],
        }


def _plain(ranges: Ranges) -> dict[str, list[float]]:
    return {name: list(ends) for name, ends in asdict(ranges).items()}


def risk(
    instance: Instance,
    pools: Iterable[PlanPool],
    *,
    draws: int = DRAWS,
    seed: int = 0,
    shock: float | None = None,
    ranges: Ranges | None = None,
    offer_ranges: Mapping[str, Ranges] = NO_OVERRIDES,
) -> Risk:
    """Chances of every lot, savings as drawn, and which pools are fragile.

    ``shock``: correlation of the common shock, from 0 up to, not including, 1; the policy's where it has one, else 0.3.
    ``ranges`` hold for all offers but those in ``offer_ranges`` (by id). Raises `InvalidPlan` for pools of another
    instance, `InvalidInstance` for settings out of bounds.
    """
    refuse(_faults(instance, draws=draws, seed=seed, shock=shock, offer_ranges=offer_ranges))
    own = instance.policy.forecast_correlation
    common = shock if shock is not None else own if own > 0 else USUAL_SHOCK
    correlations = {POLICY: float(own), INDEPENDENT: 0.0, SHOCK: float(common)}
    default = Ranges() if ranges is None else ranges
    drawing = _Drawing(instance, correlations, draws, seed)
    known = known_pools(instance, pools)
    found = []
    for pool in known:
        lots, drawn = drawing.pool(pool)
        weak = fragility(drawing.worth, pool, offer_ranges, default)
        found.append(PoolRisk(pool.family, pool.start, lots, drawn, weak))
    return Risk(tuple(found), drawing.plan(), correlations, default, dict(offer_ranges), draws, seed)


def _faults(
    instance: Instance, *, draws: int, seed: int, shock: float | None, offer_ranges: Mapping[str, Any]
) -> Iterator[Fault]:
    yield from wholes(2, draws=draws)
    yield from wholes(0, seed=seed)
    if shock is not None:
        wrong = list(numbers(shock=shock))
        yield from wrong
        if not wrong and shock >= 1:
            yield Fault("shock", shock, "give a number from 0 up to, not including, 1")
    offers = {offer.id for offer in instance.offers}
    for name, ranges in offer_ranges.items():
        if name not in offers:
            yield Fault("offer_ranges", name, "name one of offers")
        elif not isinstance(ranges, Ranges):
            yield Fault(f"offer_ranges.{name}", ranges, "give Ranges")


@dataclass
class _Drawing:
    """Draws pool by pool; keeps the sums over the plan."""

    instance: Instance
    correlations: Mapping[str, float]
    draws: int
    seed: int
    savings: dict[str, Floats] = field(default_factory=dict)
    reached: dict[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.worth = Worth(self.instance)
        self.shock = np.random.default_rng([self.seed]).standard_normal(self.draws)
        self.savings = {name: np.zeros(self.draws) for name in self.correlations}
        self.reached = {name: np.ones(self.draws) for name in self.correlations}

    def plan(self) -> dict[str, Spread]:
        """The savings of all pools drawn so far."""
        return {name: Spread.of(self.savings[name], self.reached[name]) for name in self.correlations}

    def pool(self, pool: PlanPool) -> tuple[tuple[LotRisk, ...], dict[str, Spread]]:
        """The pool's lots, and its savings."""
        lots = []
        savings = {name: np.zeros(self.draws) for name in self.correlations}
        reached = {name: np.ones(self.draws) for name in self.correlations}
        for lot in pool.lots:
            risk, drawn = self._lot(pool, lot.offer, lot.lines)
            lots.append(risk)
            for name, draw in drawn.items():
                savings[name] += draw.savings
                reached[name] *= draw.reached
        for name in self.correlations:
            self.savings[name] += savings[name]
            self.reached[name] *= reached[name]
        return tuple(lots), {name: Spread.of(savings[name], reached[name]) for name in self.correlations}

    def _lot(self, pool: PlanPool, name: str, lines: tuple[str, ...]) -> tuple[LotRisk, dict[str, Drawn]]:
        worth, offer = self.worth, self.worth.offers[name]
        figures = worth.lot(name, lines, pool.start)
        members = [worth.lines[line] for line in lines]
        volume = LotVolume(self.instance, worth.categories[offer.category], offer, members, figures.tier)
        own = volume.own_errors(self.seed, f"{pool.family}\n{pool.start}\n{name}", self.draws)
        of_correlation = {rho: volume.chance(rho, self.shock, own) for rho in dict.fromkeys(self.correlations.values())}
        step = offer.tiers[figures.tier]
        found = LotRisk(
            offer=name,
            tier=figures.tier,
            quantity=figures.quantity,
            sure_quantity=figures.sure_quantity,
            tier_from_quantity=step.from_quantity,
            tipping_quantity=offer.tiers[0].from_quantity,
            planned_savings_eur=sum(worth.line(line, offer, figures.tier, pool.start).savings_eur for line in members),
            volume_headroom_share=figures.sure_quantity / step.from_quantity - 1,
            chances={kind: of_correlation[rho][0] for kind, rho in self.correlations.items()},
        )
        return found, {kind: of_correlation[rho][1] for kind, rho in self.correlations.items()}
