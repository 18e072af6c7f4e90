"""The lots that could exist in some families: which line could take which offer from which month, at which tier.

A `Block` holds one or more families as arrays, the form the models work on. Indices are local to the block unless a
name says otherwise. Starts are offsets from the start of the horizon. Every start at which a line may begin is kept,
so bounds cover all starts.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from solver.arrays import Flags, Floats, Ints
from solver.instance import Instance, Offer
from solver.limits import ceiling, left_by_fixed
from solver.months import offset
from solver.prohibitions import Prohibitions
from solver.terms import Terms, suits, term_months, terms_of, window, worth_per_unit

WORSE_OFF_TOLERANCE = 1e-7
"""Share of a line's yearly spend by which rounding may push a benefit of nothing below 0 (the judge allows 1e-6)."""
SURE_TOLERANCE = 5e-7
"""Share of a tier's volume by which a sure quantity may fall short of it by rounding (the judge allows 1e-6)."""
Z90 = NormalDist().inv_cdf(0.9)


@dataclass(frozen=True)
class Block:
    """Some families, ready for a model. One row a line, offer, pool, lot, step (a lot at a tier) or cell."""

    terms: Terms
    families: tuple[str, ...]
    line: Ints
    """Position in the instance."""
    quantity: Ints
    deviation: Floats
    spend: Floats
    participant: Ints
    """Position in the instance."""
    country: Ints
    authority: Flags
    leader: Flags
    offer: Ints
    """Position in the instance."""
    max_quantity: Floats
    total_quantity: Floats
    tiers: tuple[tuple[int, ...], ...]
    """``from_quantity`` of an offer's tiers."""
    pool_family: Ints
    pool_start: Ints
    lot_pool: Ints
    lot_offer: Ints
    step_lot: Ints
    step_tier: Ints
    step_from: Floats
    cell_line: Ints
    cell_step: Ints
    cell_value: Floats
    """Benefit of the line in the lot at the tier, and what keeping its place is worth."""

    @property
    def cell_lot(self) -> Ints:
        return self.step_lot[self.cell_step]

    @property
    def cell_pool(self) -> Ints:
        return self.lot_pool[self.cell_lot]


@dataclass(frozen=True)
class DraftLot:
    """Lines of a block on one of its offers."""

    offer: int
    tier: int
    lines: tuple[int, ...]


@dataclass(frozen=True)
class DraftPool:
    """A pool in the making, in the block's own numbers; ``value`` counts all but prices on shared limits."""

    family: int
    start: int
    lots: tuple[DraftLot, ...]
    value: float


def pool_members(block: Block, pool: DraftPool) -> Ints:
    """Participants of the pool, as numbered in the instance."""
    members: Ints = np.unique(block.participant[[line for lot in pool.lots for line in lot.lines]])
    return members


class Market:
    """What all blocks of an instance share: lines and offers by family, and what fixed pools leave."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.left, self.warnings = left_by_fixed(instance)
        self.terms = terms_of(instance)
        self.prohibitions = Prohibitions(instance)
        self.participant = {participant.id: k for k, participant in enumerate(instance.participants)}
        countries = sorted({participant.country for participant in instance.participants})
        self.country = np.array([countries.index(participant.country) for participant in instance.participants])
        self.category = {category.id: category for category in instance.categories}
        self.offers_of: dict[str, list[int]] = defaultdict(list)
        self.lines_of: dict[str, list[int]] = defaultdict(list)
        for k, offer in enumerate(instance.offers):
            self.offers_of[offer.category].append(k)
        fixed = {line for pool in instance.fixed for lot in pool.lots for line in lot.lines}
        for k, line in enumerate(instance.lines):
            if line.id not in fixed:
                self.lines_of[line.category].append(k)
        origin = instance.policy.horizon_start
        self.taken = {(pool.family, offset(pool.start, origin)) for pool in instance.fixed}
        self.kept = {
            (entry.line, entry.offer, offset(entry.start, origin)): instance.policy.stability_eur
            for entry in instance.previous
            if instance.policy.stability_eur
        }

    @property
    def families(self) -> list[str]:
        """Families that have lines, in the order of the categories."""
        listed = [category.family for category in self.instance.categories if self.lines_of.get(category.id)]
        return list(dict.fromkeys(listed))

    def block(self, families: Iterable[str]) -> Block:
        """The lots that could exist in the given families."""
        return _Builder(self, tuple(families)).build()


class _Builder:
    """Collects cells offer by offer, then drops what can never be used."""

    def __init__(self, market: Market, families: tuple[str, ...]) -> None:
        self.market, self.families = market, families
        instance = market.instance
        inside = {family: k for k, family in enumerate(families)}
        self.categories = [category for category in instance.categories if category.family in inside]
        self.family_of = {category.id: inside[category.family] for category in self.categories}
        self.lines = [k for category in self.categories for k in market.lines_of.get(category.id, ())]
        self.local = {k: position for position, k in enumerate(self.lines)}
        self.offers = [k for category in self.categories for k in market.offers_of.get(category.id, ())]

    def build(self) -> Block:
        instance, market = self.market.instance, self.market
        lines = [instance.lines[k] for k in self.lines]
        offers = [instance.offers[k] for k in self.offers]
        self.participant = np.array([market.participant[line.participant] for line in lines], dtype=np.int64)
        people = instance.participants
        self.quantity = np.array([line.quantity for line in lines], dtype=np.int64)
        self.deviation = np.array([(line.quantity_high - line.quantity_low) / (2 * Z90) for line in lines])
        self.spend = np.array([line.quantity * line.unit_price_eur for line in lines])
        self.authority = np.array([people[p].contracting_authority for p in self.participant], dtype=bool)
        able = [person.may_lead and person.contracting_authority for person in people]
        leader = np.array([able[p] and market.left.leads[p] >= 1 for p in self.participant], dtype=bool)
        cells = [self._cells_of(position, offer) for position, offer in enumerate(offers)]
        columns = [np.concatenate(part) for part in zip(*cells, strict=True)] if cells else [np.empty(0)] * 5
        keys, line, value = np.stack(columns[:3]).astype(np.int64), columns[3].astype(np.int64), columns[4]
        keys, line, value = self._prune(keys, line, value, leader)
        steps, cell_step = np.unique(keys, axis=1, return_inverse=True)
        lots, step_lot = np.unique(steps[:2], axis=1, return_inverse=True)
        offer_family = np.array([self.family_of[offer.category] for offer in offers], dtype=np.int64)
        pools, lot_pool = np.unique(np.stack([offer_family[lots[0]], lots[1]]), axis=1, return_inverse=True)
        tiers = tuple(tuple(tier.from_quantity for tier in offer.tiers) for offer in offers)
        step_from = np.array([float(tiers[o][k]) for o, k in zip(steps[0], steps[2], strict=True)])
        return Block(
            terms=market.terms,
            families=self.families,
            line=np.array(self.lines, dtype=np.int64),
            quantity=self.quantity,
            deviation=self.deviation,
            spend=self.spend,
            participant=self.participant,
            country=market.country[self.participant] if len(lines) else np.empty(0, dtype=np.int64),
            authority=self.authority,
            leader=leader,
            offer=np.array(self.offers, dtype=np.int64),
            max_quantity=np.array([ceiling(offer.max_quantity) for offer in offers]),
            total_quantity=market.left.offer_quantity[self.offers] if offers else np.empty(0),
            tiers=tiers,
            pool_family=pools[0],
            pool_start=pools[1],
            lot_pool=lot_pool.ravel(),
            lot_offer=lots[0],
            step_lot=step_lot.ravel(),
            step_tier=steps[2],
            step_from=step_from,
            cell_line=line,
            cell_step=cell_step.ravel(),
            cell_value=value,
        )

    def _cells_of(self, position: int, offer: Offer) -> tuple[Ints, Ints, Ints, Ints, Floats]:
        """Offer, start, tier, line and value of every place a line could take on the offer."""
        market, instance = self.market, self.market.instance
        policy = instance.policy
        family = self.families[self.family_of[offer.category]]
        largest = min(ceiling(offer.max_quantity), market.left.offer_quantity[self.offers[position]])
        years = term_months(market.category[offer.category], instance) / 12
        carbon, share = worth_per_unit(offer, instance)
        starts: list[int] = []
        lines: list[int] = []
        for k in market.lines_of.get(offer.category, ()):
            line = instance.lines[k]
            if line.quantity > largest or not suits(line, offer, policy.green_floor):
                continue
            months = market.prohibitions.months(line.id, offer.id, *window(line, instance))
            months = [month for month in months if (family, month) not in market.taken]
            starts += months
            lines += [self.local[k]] * len(months)
        start, local = np.array(starts, dtype=np.int64), np.array(lines, dtype=np.int64)
        first = np.array([window(instance.lines[k], instance)[0] for k in self.lines], dtype=np.int64)
        rates = [instance.lines[k].bridging_rate_per_year for k in self.lines]
        rate = np.array([policy.bridging_rate_per_year if r is None else r for r in rates])
        quantity, spend = self.quantity[local].astype(float), self.spend[local]
        before = years * (spend + carbon * quantity + spend * share) - policy.line_cost_eur
        before -= spend * rate[local] * (start - first[local]) / 12
        kept = self._stability(offer, local, start)
        parts: list[tuple[Ints, Ints, Ints, Ints, Floats]] = []
        for tier, step in enumerate(offer.tiers):
            benefit = before - years * quantity * step.unit_price_eur
            keep = np.ones(len(local), dtype=bool)
            if policy.no_one_worse_off:
                keep = benefit >= -WORSE_OFF_TOLERANCE * np.maximum(1.0, spend)
            size = int(keep.sum())
            places, steps = np.full(size, position), np.full(size, tier)
            parts.append((places, start[keep], steps, local[keep], (benefit + kept)[keep]))
        *whole, worth = (np.concatenate(part) for part in zip(*parts, strict=True))
        return whole[0], whole[1], whole[2], whole[3], worth

    def _stability(self, offer: Offer, local: Ints, start: Ints) -> Floats:
        kept = np.zeros(len(local))
        if self.market.kept:
            lines = self.market.instance.lines
            for cell, (position, month) in enumerate(zip(local.tolist(), start.tolist(), strict=True)):
                kept[cell] = self.market.kept.get((lines[self.lines[position]].id, offer.id, month), 0.0)
        return kept

    def _prune(self, keys: Ints, line: Ints, value: Floats, leader: Flags) -> tuple[Ints, Ints, Floats]:
        """Drop steps that no choice of their lines can reach, and pools that nobody could lead."""
        order = np.lexsort((keys[2], keys[1], keys[0]))
        keys, line, value = keys[:, order], line[order], value[order]
        if not len(line):
            return keys, line, value
        edges = np.flatnonzero(np.any(np.diff(keys, axis=1) != 0, axis=0)) + 1
        keep = np.zeros(len(line), dtype=bool)
        for first, last in zip(np.r_[0, edges], np.r_[edges, len(line)], strict=True):
            keep[first:last] = self._reachable(keys[0, first], keys[2, first], line[first:last])
        keys, line, value = keys[:, keep], line[keep], value[keep]
        offer_family = np.array([self.family_of[self.market.instance.offers[k].category] for k in self.offers])
        pool = offer_family[keys[0]] * 10_000 + keys[1]
        led = np.isin(pool, np.unique(pool[leader[line]]))
        return keys[:, led], line[led], value[led]

    def _reachable(self, offer: int, tier: int, lines: Ints) -> bool:
        authorities = np.unique(self.participant[lines[self.authority[lines]]])
        if len(authorities) < self.market.terms.min_participants:
            return False
        needed = self.market.instance.offers[self.offers[offer]].tiers[tier].from_quantity
        best = largest_sure(self.market.terms, self.quantity[lines], self.deviation[lines])
        return best >= needed * (1 - SURE_TOLERANCE)


def largest_sure(terms: Terms, quantity: Ints, deviation: Floats) -> float:
    """An upper bound on the sure quantity of any choice of the lines; exact without correlation.

    Without correlation the sure quantity Q - z*sqrt(V) is convex along any direction of (Q, V), so a best choice is
    a vertex of all choices: the lines in falling order of quantity per variance, up to some point. Correlation only
    takes away more, so leaving its term out keeps a bound.
    """
    variance = (1 - terms.correlation) * deviation**2
    with np.errstate(divide="ignore", over="ignore"):
        order = np.argsort(-np.where(variance > 0, quantity / np.maximum(variance, 1e-300), np.inf), kind="stable")
    sums = np.cumsum(quantity[order].astype(float)) - terms.deviates * np.sqrt(np.cumsum(variance[order]))
    return float(np.max(sums, initial=0.0))
