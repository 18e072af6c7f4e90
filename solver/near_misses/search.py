"""The search for near misses: offer by offer over all starts, then lot by lot of the plan."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from solver.arrays import Flags, Floats, Ints
from solver.checks import LARGEST_WHOLE
from solver.instance import Instance, Line, Offer
from solver.joining import Standing
from solver.limits import ceiling as limit
from solver.lots import SURE_TOLERANCE, WORSE_OFF_TOLERANCE, Z90, Market
from solver.months import month_at
from solver.near_misses.cases import Case
from solver.near_misses.closing import MOST_MONTHS, Base, Stock, based, largest
from solver.near_misses.near_miss import BOTH, CRITERION, GROWTH, JOIN, NEXT_TIER, TIPPING, WINDOW, NearMiss, Way
from solver.plan import PlanLot, PlanPool
from solver.whatif.changes import Change, CriterionAccepted, VolumeChanged, WindowMoved
from solver.worth import Worth

LEAST_SHARE = 0.6
"""From this share of a volume on a lot is a near miss."""
ROUNDINGS = 4
"""Times a factor of growth is raised until whole units carry it."""
STARTS_TRIED = 4
"""Starts of an offer looked at in full, the most promising first."""


class Search:
    """Near misses of one plan."""

    def __init__(self, instance: Instance, pools: Sequence[PlanPool]) -> None:
        self.instance, self.policy, self.pools = instance, instance.policy, pools
        self.market, self.worth = Market(instance), Worth(instance)
        self.standing = Standing(self.market, self.worth, pools)
        self.pools_of: dict[str, dict[int, PlanPool]] = defaultdict(dict)
        self.lots_of: dict[str, list[tuple[PlanPool, PlanLot]]] = defaultdict(list)
        for pool in pools:
            self.pools_of[pool.family][self.standing.month(pool)] = pool
            for lot in pool.lots:
                self.lots_of[self.worth.offers[lot.offer].category].append((pool, lot))
        fixed = {line for pool in instance.fixed for lot in pool.lots for line in lot.lines}
        self.free: dict[str, list[Line]] = defaultdict(list)
        for line in instance.lines:
            if line.id not in self.standing.of_line and line.id not in fixed:
                self.free[line.category].append(line)

    def found(self) -> Iterator[NearMiss]:
        for category in self.instance.categories:
            stock = Stock(self.market, category.id, self.free[category.id])
            if stock.lines:
                offers = (self.instance.offers[k] for k in self.market.offers_of.get(category.id, ()))
                yield from (miss for offer in offers for miss in self._tipping(stock, offer))
            for pool, lot in self.lots_of[category.id]:
                yield from self._next_tier(category.id, pool, lot)

    def _tipping(self, stock: Stock, offer: Offer) -> Iterator[NearMiss]:
        if not set(offer.criteria).issuperset(self.policy.green_floor):
            return
        case = self._case(stock, offer, 0, ceiling=self.standing.offer_left[offer.id])
        share = case.base.sure(self.market.terms) / case.needed
        near = self._open(case) & (share >= LEAST_SHARE) & (share < 1 - SURE_TOLERANCE)
        if near.any():
            promise = np.where(near, self._promise(case), -np.inf)
            tried = np.argsort(-promise, kind="stable")[: min(STARTS_TRIED, int(near.sum()))]
            found = [self._miss(case, int(column)) for column in tried]
            yield max(self._at_higher_tiers(case, tried, found), key=lambda miss: miss.worth)

    def _at_higher_tiers(self, case: Case, columns: Ints, found: Sequence[NearMiss]) -> Sequence[NearMiss]:
        """The near misses; where none has a way, with those to the first tier above that has some: at its lower price
        more lines may gain."""
        for tier in range(1, len(case.offer.tiers)):
            if any(miss.ways for miss in found):
                break
            higher = self._case(case.stock, case.offer, tier, ceiling=case.ceiling, kept=case.base)
            found = [
                replace(miss, ways=self._ranked(higher, int(column)))
                for column, miss in zip(columns, found, strict=True)
            ]
        return found

    def _next_tier(self, category: str, pool: PlanPool, lot: PlanLot) -> Iterator[NearMiss]:
        offer, month = self.worth.offers[lot.offer], self.standing.month(pool)
        standing = self.worth.lot(lot.offer, lot.lines, pool.start)
        decided = (pool.family, pool.start) in self.standing.fixed or (pool.family, month) in self.market.taken
        if decided or standing.tier + 1 >= len(offer.tiers):
            return
        share = standing.sure_quantity / offer.tiers[standing.tier + 1].from_quantity
        if not LEAST_SHARE <= share < 1 - SURE_TOLERANCE:
            return
        members = [self.worth.lines[name] for name in lot.lines]
        stock = Stock(self.market, category, [*members, *self.free[category]], [month])
        inside = np.arange(len(stock.lines))[:, None] < len(members)
        most = standing.quantity + self.standing.offer_left[offer.id]
        case = self._case(stock, offer, standing.tier + 1, ceiling=most, kept=based(stock, inside))
        yield self._miss(replace(case, lot=standing), 0)

    def _case(self, stock: Stock, offer: Offer, tier: int, *, ceiling: float, kept: Base | None = None) -> Case:
        benefit = stock.benefit(offer, tier)
        most = min(limit(offer.max_quantity), ceiling)
        could = stock.allowed(offer, most) & stock.willing(benefit)
        blocked = np.array([len(criteria) for criteria in stock.in_the_way(offer)])[:, None]
        here, near = stock.moved == 0, np.abs(stock.moved) <= MOST_MONTHS
        fits = could & (blocked == 0) & here
        base = largest(stock, fits, most) if kept is None else kept
        out = ~base.inside
        pools = self.pools_of[stock.category.family]
        return Case(
            stock=stock,
            offer=offer,
            tier=tier,
            base=base,
            joining=fits & out & (kept is not None),
            window=could & (blocked == 0) & ~here & near & out,
            criterion=could & (blocked == 1) & here & out,
            benefit=benefit,
            ceiling=most,
            pool={column: pools[month] for column, month in enumerate(stock.months.tolist()) if month in pools},
        )

    def _open(self, case: Case) -> Flags:
        """Months at which the family has no decided pool, and the plan no lot on the offer."""
        family = case.stock.category.family
        open_ = np.array([(family, month) not in self.market.taken for month in case.stock.months.tolist()])
        for column, pool in case.pool.items():
            open_[column] &= all(lot.offer != case.offer.id for lot in pool.lots)
        return open_

    def _promise(self, case: Case) -> Floats:
        """What closing is worth month by month, roughly: at the tier, before countries and limits."""
        there = (case.benefit * case.base.inside).sum(axis=0)
        promise = np.full(len(there), -np.inf)
        for kind in (WINDOW, CRITERION, BOTH):
            chosen, closed = case.closers(kind)
            promise = np.where(closed, np.maximum(promise, there + (case.benefit * chosen).sum(axis=0)), promise)
        grown = there * case.needed / np.maximum(case.base.sure(self.market.terms), 1e-9)
        new = np.array([column not in case.pool for column in range(len(there))])
        return np.where(np.isfinite(promise), promise, grown) - self.policy.pool_cost_eur * new

    # One month ------------------------------------------------------------------------------------------------------

    def _miss(self, case: Case, column: int) -> NearMiss:
        stock = case.stock
        lines = self._there(case, column)
        return NearMiss(
            kind=TIPPING if case.lot is None else NEXT_TIER,
            category=stock.category.id,
            family=stock.category.family,
            offer=case.offer.id,
            start=self._month(case, column),
            lines=tuple(line.id for line in lines),
            participants=tuple(dict.fromkeys(line.participant for line in lines)),
            sure_quantity=float(case.base.sure(self.market.terms)[column]),
            needed_quantity=case.needed,
            ways=self._ranked(case, column),
        )

    def _there(self, case: Case, column: int) -> list[Line]:
        return [case.stock.lines[k] for k in np.flatnonzero(case.base.inside[:, column])]

    def _ranked(self, case: Case, column: int) -> tuple[Way, ...]:
        """Ways to close the gap, best first, growth last."""
        ways = self._ways(case, column, self._there(case, column))
        return tuple(sorted(ways, key=lambda way: (way.kind == GROWTH, -way.worth_eur)))

    def _ways(self, case: Case, column: int, lines: Sequence[Line]) -> Iterator[Way]:
        """Ways with nobody asked, with one kind of change, with both where one is not enough, and by growing."""
        closed = False
        for kind in (JOIN, WINDOW, CRITERION, BOTH):
            if closed and kind in (JOIN, BOTH):
                continue
            chosen, closes = case.closers(kind)
            if not closes[column]:
                continue
            way = self._closed(case, column, lines, kind, np.flatnonzero(chosen[:, column]).tolist())
            if way is None or (kind != JOIN and not way.changes):
                continue
            closed = True
            yield way
            if kind == JOIN:
                break
        grown = self._grown(case, column, lines)
        if grown is not None:
            yield grown

    def _closed(self, case: Case, column: int, lines: Sequence[Line], kind: str, chosen: list[int]) -> Way | None:
        """The way with the chosen closers, those it can do without left out, the least first."""
        for k in sorted(chosen, key=lambda k: (case.joining[k, column], case.stock.quantity[k])):
            rest = [other for other in chosen if other != k]
            if self._enough(case, [*lines, *(case.stock.lines[other] for other in rest)]):
                chosen = rest
        changes: list[Change] = []
        changed: list[Line] = []
        for k in chosen:
            change = self._change(case, column, k)
            changes += [] if change is None else [change]
            changed.append(self._after(case, column, k))
        joining = tuple(case.stock.lines[k].id for k in chosen if case.joining[k, column])
        return self._way(case, column, kind, lines=[*lines, *changed], changes=changes, joining=joining, of=changed)

    def _enough(self, case: Case, lines: Sequence[Line]) -> bool:
        """Rules 2, 3 and 4."""
        people = self.instance.participants
        named = {line.participant for line in lines}
        authorities = sum(people[self.market.participant[name]].contracting_authority for name in named)
        volume = _sure(self.market, lines) >= case.needed * (1 - SURE_TOLERANCE)
        fits = sum(line.quantity for line in lines) <= case.ceiling
        return volume and fits and authorities >= self.policy.min_participants

    def _change(self, case: Case, column: int, k: int) -> Change | None:
        line, moved = case.stock.lines[k], int(case.stock.moved[k, column])
        if case.joining[k, column]:
            return None
        if moved:
            return WindowMoved(line=line.id, earliest_months=min(0, moved), latest_months=max(0, moved))
        return CriterionAccepted(line=line.id, criterion=case.stock.in_the_way(case.offer)[k][0])

    def _after(self, case: Case, column: int, k: int) -> Line:
        """The line once its change is made, as far as it matters for its benefit: a window opened earlier."""
        line, moved = case.stock.lines[k], int(case.stock.moved[k, column])
        return replace(line, earliest_start=month_at(line.earliest_start, moved)) if moved < 0 else line

    def _grown(self, case: Case, column: int, lines: Sequence[Line]) -> Way | None:
        """All lines that are there grow by one factor: sure quantity grows with it."""
        sure = float(case.base.sure(self.market.terms)[column])
        factor = case.needed / sure
        if 2 * factor * max(line.quantity_high for line in lines) > LARGEST_WHOLE:
            return None
        for _ in range(ROUNDINGS):
            grown = [_times(line, factor) for line in lines]
            if self._enough(case, grown):
                changes = [
                    VolumeChanged(
                        line=line.id,
                        quantity=line.quantity,
                        quantity_low=line.quantity_low,
                        quantity_high=line.quantity_high,
                    )
                    for line, before in zip(grown, lines, strict=True)
                    if line != before
                ]
                return self._way(case, column, GROWTH, lines=grown, changes=changes, joining=(), of=grown)
            factor *= 1 + 1 / max(1, min(line.quantity for line in lines))
        return None

    def _way(
        self,
        case: Case,
        column: int,
        kind: str,
        *,
        lines: Sequence[Line],
        changes: Sequence[Change],
        joining: tuple[str, ...],
        of: Sequence[Line],
    ) -> Way | None:
        """The way with its figures; None where someone would be worse off at the tier reached."""
        start, sure = self._month(case, column), _sure(self.market, lines)
        tier = sum(sure >= step.from_quantity * (1 - SURE_TOLERANCE) for step in case.offer.tiers) - 1
        benefits = [self.worth.line(line, case.offer, tier, start).benefit_eur for line in lines]
        spends = [line.quantity * line.unit_price_eur for line in lines]
        if self.policy.no_one_worse_off and any(
            benefit < -WORSE_OFF_TOLERANCE * max(1.0, spend) for benefit, spend in zip(benefits, spends, strict=True)
        ):
            return None
        pool = case.pool.get(column)
        members = {line.participant for line in lines}
        there = set() if pool is None else self.standing.members(pool)
        new = {self.worth.countries[p] for p in members} - {self.worth.countries[p] for p in there}
        set_up = self.policy.country_cost_eur * (len(new) - (pool is None))
        set_up += self.policy.lot_cost_eur * (case.lot is None) + self.policy.pool_cost_eur * (pool is None)
        before = 0.0 if case.lot is None else case.lot.benefit_eur
        return Way(
            kind=kind,
            changes=tuple(changes),
            joining=joining,
            participants=tuple(dict.fromkeys(line.participant for line in of)),
            tier=tier,
            quantity=sum(line.quantity for line in lines),
            sure_quantity=sure,
            benefit_eur=math.fsum(benefits),
            set_up_cost_eur=set_up,
            worth_eur=math.fsum(benefits) - before - set_up,
            limit=self._limit(case, column, members, there),
        )

    def _limit(self, case: Case, column: int, members: set[str], there: set[str]) -> str | None:
        """The first limit across pools, or of the pool, that stands in the way."""
        standing, policy, pool = self.standing, self.policy, case.pool.get(column)
        quarter = int(case.stock.months[column]) // 3
        if pool is None and standing.quarter_pools[quarter] < 1:
            return "max_pools_per_quarter"
        unled = standing.lead_missing(members) if pool is None else None
        if unled is not None:
            return unled
        fresh = sorted(members - there)
        full = [p for p in fresh if standing.own[self.market.participant[p], quarter] < 1]
        if full:
            return f"max_pools_per_quarter of {full[0]}"
        together = members | there
        if policy.max_participants_per_pool is not None and len(together) > policy.max_participants_per_pool:
            return "max_participants_per_pool"
        countries = {self.worth.countries[p] for p in together}
        if policy.max_countries_per_pool is not None and len(countries) > policy.max_countries_per_pool:
            return "max_countries_per_pool"
        return None

    def _month(self, case: Case, column: int) -> str:
        return month_at(self.policy.horizon_start, int(case.stock.months[column]))


def _sure(market: Market, lines: Sequence[Line]) -> float:
    """Rule 3 for lines as they are, changed or not."""
    deviations = [(line.quantity_high - line.quantity_low) / (2 * Z90) for line in lines]
    quantity = float(sum(line.quantity for line in lines))
    return market.terms.sure(quantity, math.fsum(d * d for d in deviations), math.fsum(deviations))


def _times(line: Line, factor: float) -> Line:
    """The line times a factor above 1, rounded so that its quantity is at least that and its spread at most."""
    quantity = math.ceil(line.quantity * factor)
    low = min(quantity, math.ceil(line.quantity_low * factor))
    high = max(quantity, math.floor(line.quantity_high * factor))
    return replace(line, quantity=quantity, quantity_low=low, quantity_high=high)
