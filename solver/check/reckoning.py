"""A stated plan beside every figure recomputed from the instance, once for all rules."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from solver.check.facts import Facts, Line, Offer
from solver.check.reading import Lot, Pool, StatedPlan
from solver.check.worth import Worth, quantity, sure_quantity, tiers_reached, worth


@dataclass(frozen=True, slots=True)
class ReckonedLot:
    """A lot with its figures recomputed.

    ``tier`` is the stated one where that is right, else the highest reached, or the first where the lot is below the
    tipping volume; ``worths`` (one for each of ``lines``) are taken at it.
    """

    pool: Pool
    stated: Lot
    lines: tuple[Line, ...]
    quantity: int
    sure_quantity: float
    below_tipping: bool
    tier: int
    worths: tuple[Worth, ...]

    @property
    def path(self) -> str:
        return self.stated.path

    @property
    def offer(self) -> Offer:
        return self.stated.offer


@dataclass(frozen=True, slots=True)
class Reckoning:
    """All that the rules look at. ``totals`` has every figure of the plan's totals by name, and ``objective_eur``."""

    facts: Facts
    plan: StatedPlan
    lots: tuple[ReckonedLot, ...]
    totals: Mapping[str, float]

    @property
    def new_lots(self) -> Iterator[ReckonedLot]:
        """Lots of pools that the instance has not decided."""
        return (lot for lot in self.lots if not lot.pool.fixed)


def reckon(facts: Facts, plan: StatedPlan) -> Reckoning:
    lots = tuple(_lot(facts, pool, lot) for pool in plan.pools for lot in pool.lots)
    return Reckoning(facts=facts, plan=plan, lots=lots, totals=_totals(facts, plan.pools, lots))


def _lot(facts: Facts, pool: Pool, lot: Lot) -> ReckonedLot:
    lines = lot.lines
    sure = sure_quantity(facts, lines)
    lowest, highest = tiers_reached(lot.offer, sure)
    tier = max(0, highest)
    if lot.tier is not None and max(0, lowest) <= lot.tier <= highest:
        tier = lot.tier
    return ReckonedLot(
        pool=pool,
        stated=lot,
        lines=lines,
        quantity=quantity(lines),
        sure_quantity=sure,
        below_tipping=highest < 0,
        tier=tier,
        worths=tuple(worth(facts, line, offer=lot.offer, tier=tier, start=pool.start) for line in lines),
    )


def _totals(facts: Facts, pools: Sequence[Pool], lots: Sequence[ReckonedLot]) -> dict[str, float]:
    """Pools already decided count like the others."""
    policy = facts.policy
    worths = [entry for lot in lots for entry in lot.worths]
    countries_beyond_first = sum(max(0, len(pool.countries) - 1) for pool in pools)
    kept = sum((line.id, lot.offer.id, lot.pool.start) in facts.previous for lot in lots for line in lot.lines)
    pooled = {line.id: line for lot in lots for line in lot.lines}
    totals = {
        "savings_eur": math.fsum(entry.savings for entry in worths),
        "green_value_eur": math.fsum(entry.green_value for entry in worths),
        "bridging_cost_eur": math.fsum(entry.bridging for entry in worths),
        "set_up_cost_eur": math.fsum(entry.line_cost for entry in worths)
        + policy.lot_cost_eur * len(lots)
        + policy.pool_cost_eur * len(pools)
        + policy.country_cost_eur * countries_beyond_first,
        "stability_eur": policy.stability_eur * kept,
        "co2_saved_tonnes_per_year": math.fsum(lot.offer.co2_saved_kg_per_unit * lot.quantity for lot in lots) / 1000,
        "lines": len(facts.lines),
        "lines_pooled": len(pooled),
        "spend_eur_per_year": math.fsum(line.spend for line in facts.lines.values()),
        "spend_pooled_eur_per_year": math.fsum(line.spend for line in pooled.values()),
    }
    gains = totals["savings_eur"] + totals["green_value_eur"] + totals["stability_eur"]
    return totals | {"objective_eur": gains - totals["bridging_cost_eur"] - totals["set_up_cost_eur"]}
