"""What of a plan's pools still holds under an instance: the plan as it stands, with nobody planning anew.

Each rule that the pools break takes away as little as settles it, in the order of the contract: lines that fit no
longer leave, lots that no tier carries fall, then pools and shared limits, the most valuable pools first. What had to
go is told rule by rule. A lot whose volume reaches another tier than before stays, at that tier.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from solver.leads import assign_leads
from solver.limits import Left
from solver.lots import SURE_TOLERANCE, WORSE_OFF_TOLERANCE, Market
from solver.months import offset
from solver.plan import PlanLot, PlanPool
from solver.pools import leaders, lines_of, members, pool_value
from solver.terms import suits, window
from solver.worth import Worth


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that a rule takes from a pool: lines, a lot (all its lines), the pool (``offer`` is None), its lead
    (no lines)."""

    rule: str
    """The first that applies, of `RULES`."""
    family: str
    start: str
    offer: str | None
    lines: tuple[str, ...]
    figures: Mapping[str, object] = field(default_factory=dict)

    def to_document(self) -> dict[str, object]:
        place = {"rule": self.rule, "family": self.family, "start": self.start, "offer": self.offer}
        return {**place, "lines": list(self.lines), **self.figures}


RULES = {
    "unknown": "the instance has no such line or offer there",
    "decided": "a decided pool stands there, or has the line",
    "twice": "the line, lot or pool is in the plan before",
    "window": "the line cannot start then",
    "criteria": "the offer lacks what the line requires or has what it refuses, or is below the green floor",
    "forbidden": "an entry of forbidden fits",
    "volume": "the lot's sure quantity is below the tipping volume",
    "worse_off": "the line would be worse off",
    "authorities": "too few contracting authorities",
    "max_quantity": "more than the offer's largest lot",
    "total_max_quantity": "more than the offer can supply in all",
    "max_participants_per_pool": "too many participants in the pool",
    "max_countries_per_pool": "too many countries in the pool",
    "lead": "its lead cannot lead it, or no member can",
    "max_pools_per_quarter": "too many pools start in the quarter",
    "participant_quarter": "the participant is in too many pools of the quarter",
}


@dataclass(frozen=True)
class Upheld:
    """The lawful pools that remain, decided ones included, and what had to go."""

    pools: tuple[PlanPool, ...]
    breaks: tuple[Break, ...]

    @property
    def lawful(self) -> bool:
        return not self.breaks


def uphold(market: Market, worth: Worth, pools: Sequence[PlanPool], left: Left | None = None) -> Upheld:
    """What of the pools holds under the market's instance, valued by it; ``worth`` is of the same instance.

    ``left`` of the shared limits is for these pools, by default all that the decided pools leave.
    """
    work = _Upholding(market, worth, market.left if left is None else left)
    fixed = {(pool.family, pool.start): pool for pool in worth.fixed_pools()}
    taken: set[tuple[str, str]] = set()
    kept: list[PlanPool] = []
    for pool in pools:
        key = pool.family, pool.start
        if key in fixed or key in taken:
            if key in taken or not _same(pool, fixed[key]):
                work.tell("twice" if key in taken else "decided", pool, None, lines_of(pool))
            taken.add(key)
            continue
        taken.add(key)
        stays = work.pool(pool)
        if stays is not None:
            kept.append(stays)
    kept = work.led(work.within_limits(kept))
    whole = sorted((*fixed.values(), *kept), key=lambda pool: (pool.start, pool.family))
    return Upheld(tuple(whole), tuple(work.breaks))


def _same(first: PlanPool, second: PlanPool) -> bool:
    lots = ({lot.offer: frozenset(lot.lines) for lot in pool.lots} for pool in (first, second))
    return first.lead == second.lead and next(lots) == next(lots)


class _Upholding:
    """The rules put to one plan; ``breaks`` grows as they are."""

    def __init__(self, market: Market, worth: Worth, left: Left) -> None:
        self.market, self.worth, self.left = market, worth, left
        self.instance, self.policy = market.instance, market.instance.policy
        self.people = {person.id: person for person in self.instance.participants}
        self.family = {category.id: category.family for category in self.instance.categories}
        self.decided = {line for pool in self.instance.fixed for lot in pool.lots for line in lot.lines}
        self.placed: set[str] = set()
        self.breaks: list[Break] = []

    def tell(self, rule: str, pool: PlanPool, offer: str | None, lines: Iterable[str], **figures: object) -> None:
        self.breaks.append(Break(rule, pool.family, pool.start, offer, tuple(lines), figures))

    # Lots and pools by themselves: rules 1 to 6 and 9 --------------------------------------------------------------

    def pool(self, pool: PlanPool) -> PlanPool | None:
        """The pool with what may stay of each lot, on the tiers that this reaches."""
        lots: dict[str, list[str]] = {}
        for lot in pool.lots:
            sold = self.worth.offers.get(lot.offer)
            if sold is None or self.family[sold.category] != pool.family or lot.offer in lots:
                self.tell("unknown" if lot.offer not in lots else "twice", pool, lot.offer, lot.lines)
            else:
                lots[lot.offer] = self._fitting(pool, lot)
        return self._narrowed(pool, lots)

    def _fitting(self, pool: PlanPool, lot: PlanLot) -> list[str]:
        """The lines that rules 1 and 6 let stay."""
        stay, leave = [], dict[str, list[str]]()
        for line in lot.lines:
            rule = self._barred(pool, lot.offer, line)
            if rule is None:
                self.placed.add(line)
                stay.append(line)
            else:
                leave.setdefault(rule, []).append(line)
        for rule, lines in leave.items():
            self.tell(rule, pool, lot.offer, lines)
        return stay

    def _barred(self, pool: PlanPool, offer: str, name: str) -> str | None:
        """The rule that keeps the line from the lot."""
        line, sold = self.worth.lines.get(name), self.worth.offers[offer]
        if line is None or line.category != sold.category:
            return "unknown"
        if name in self.decided:
            return "decided"
        if name in self.placed:
            return "twice"
        month = offset(pool.start, self.policy.horizon_start)
        first, last = window(line, self.instance)
        if not first <= month <= last:
            return "window"
        if not suits(line, sold, self.policy.green_floor):
            return "criteria"
        return None if self.market.prohibitions.months(name, offer, month, month) else "forbidden"

    def _narrowed(self, pool: PlanPool, lots: Mapping[str, Sequence[str]]) -> PlanPool | None:
        """The pool of the lots, settled, after its weakest participants and countries left where rule 9 asks it."""
        while True:
            settled = [self._settled(pool, offer, lines) for offer, lines in lots.items()]
            kept = PlanPool(pool.family, pool.start, pool.lead, tuple(lot for lot in settled if lot is not None))
            if not kept.lots:
                return None
            out = self._too_many(kept)
            if not out:
                return kept
            lots = {lot.offer: [i for i in lot.lines if self._participant(i) not in out] for lot in kept.lots}

    def _too_many(self, pool: PlanPool) -> set[str]:
        """The participants that must leave for the first limit of rule 9 that is broken."""
        if self.policy.max_participants_per_pool is None and self.policy.max_countries_per_pool is None:
            return set()
        gain: dict[str, float] = {}
        for lot in pool.lots:
            for line in lot.lines:
                name = self._participant(line)
                gain[name] = gain.get(name, 0.0) + self._benefit(pool, lot.offer, lot.tier, line)
        whole: dict[str, dict[str, float]] = {
            "max_participants_per_pool": {name: gain[name] for name in gain},
            "max_countries_per_pool": {},
        }
        by_country = whole["max_countries_per_pool"]
        for name, value in gain.items():
            country = self.worth.countries[name]
            by_country[country] = by_country.get(country, 0.0) + value
        for rule, values in whole.items():
            most = getattr(self.policy, rule)
            if most is not None and len(values) > most:
                weakest = sorted(values, key=lambda key: (values[key], key))[: len(values) - most]
                out = {name for name in gain if name in weakest or self.worth.countries[name] in weakest}
                lines = [line for line in lines_of(pool) if self._participant(line) in out]
                self.tell(rule, pool, None, lines, limit=most, found=len(values))
                return out
        return set()

    def _settled(self, pool: PlanPool, offer: str, lines: Sequence[str]) -> PlanLot | None:
        """The lot after those leave whom rules 2 and 5 send away; None where rules 3 or 4 end it."""
        sold, stay = self.worth.offers[offer], list(lines)
        while stay:
            sure = self.worth.sure_quantity(stay)
            reached = [k for k, tier in enumerate(sold.tiers) if sure >= tier.from_quantity * (1 - SURE_TOLERANCE)]
            if not reached:
                tipping = sold.tiers[0].from_quantity
                self.tell("volume", pool, offer, stay, sure_quantity=sure, tipping_quantity=tipping)
                return None
            gains = {line: self._benefit(pool, offer, reached[-1], line) for line in stay}
            quantity = sum(self.worth.lines[line].quantity for line in stay)
            leave = [line for line in stay if self.policy.no_one_worse_off and gains[line] < -self._slack(line)]
            if leave:
                self.tell("worse_off", pool, offer, leave, tier=reached[-1])
            elif sold.max_quantity is not None and quantity > sold.max_quantity:
                leave = self._least(stay, gains, quantity - sold.max_quantity)
                self.tell("max_quantity", pool, offer, leave, quantity=quantity, max_quantity=sold.max_quantity)
            if not leave:
                lot = PlanLot(offer, tuple(stay), reached[-1], quantity, sure, math.fsum(gains.values()))
                return lot if self._enough(pool, lot) else None
            stay = [line for line in stay if line not in leave]
        return None

    def _enough(self, pool: PlanPool, lot: PlanLot) -> bool:
        """Rule 4."""
        names = {self._participant(line) for line in lot.lines}
        found = sum(self.people[name].contracting_authority for name in names)
        if found < self.policy.min_participants:
            figures = {"authorities": found, "min_participants": self.policy.min_participants}
            self.tell("authorities", pool, lot.offer, lot.lines, **figures)
        return found >= self.policy.min_participants

    def _least(self, lines: Sequence[str], gains: Mapping[str, float], surplus: int) -> list[str]:
        """Lines of the least benefit a unit that together are at least the surplus."""
        leave: list[str] = []
        for line in sorted(lines, key=lambda line: (gains[line] / self.worth.lines[line].quantity, line)):
            if surplus <= 0:
                break
            leave.append(line)
            surplus -= self.worth.lines[line].quantity
        return leave

    def _slack(self, line: str) -> float:
        stated = self.worth.lines[line]
        return WORSE_OFF_TOLERANCE * max(1.0, stated.quantity * stated.unit_price_eur)

    def _benefit(self, pool: PlanPool, offer: str, tier: int, line: str) -> float:
        return self.worth.line(self.worth.lines[line], self.worth.offers[offer], tier, pool.start).benefit_eur

    def _participant(self, line: str) -> str:
        return self.worth.lines[line].participant

    # Pools together: rules 7, 8 and 10 -----------------------------------------------------------------------------

    def within_limits(self, pools: Sequence[PlanPool]) -> list[PlanPool]:
        """The most valuable pools first, as long as quarters, participants' quarters and supply last."""
        left, number = self.left, self.market.participant
        quarters, own = left.quarter_pools.copy(), left.participant_quarter.copy()
        supply = dict(zip((offer.id for offer in self.instance.offers), left.offer_quantity, strict=True))
        kept: list[PlanPool] = []
        for given in sorted(pools, key=lambda pool: (-pool_value(self.worth, pool), pool.family, pool.start)):
            quarter = offset(given.start, self.policy.horizon_start) // 3
            if quarters[quarter] < 1:
                self.tell(
                    "max_pools_per_quarter", given, None, lines_of(given), limit=self.policy.max_pools_per_quarter
                )
                continue
            full = {name for name in members(self.worth, given) if own[number[name], quarter] < 1}
            pool = self._without(given, full, supply)
            if pool is None:
                continue
            quarters[quarter] -= 1
            own[[number[name] for name in members(self.worth, pool)], quarter] -= 1
            for lot in pool.lots:
                supply[lot.offer] -= lot.quantity
            kept.append(pool)
        return kept

    def _without(self, pool: PlanPool, full: Collection[str], supply: Mapping[str, float]) -> PlanPool | None:
        """The pool without participants whose quarter is full and lots that supply does not carry."""
        lots: dict[str, list[str]] = {}
        for lot in pool.lots:
            leave = [line for line in lot.lines if self._participant(line) in full]
            if leave:
                self.tell("participant_quarter", pool, lot.offer, leave)
            stay = [line for line in lot.lines if line not in leave]
            quantity = sum(self.worth.lines[line].quantity for line in stay)
            if quantity > supply[lot.offer]:
                self.tell("total_max_quantity", pool, lot.offer, stay, quantity=quantity, left=supply[lot.offer])
            else:
                lots[lot.offer] = stay
        unchanged = all(len(lots.get(lot.offer, ())) == len(lot.lines) for lot in pool.lots)
        return pool if unchanged else self._narrowed(pool, lots)

    def led(self, pools: Sequence[PlanPool]) -> list[PlanPool]:
        """The pools with a lead each, the former one where it still can; those left without one fall."""
        leads = assign_leads([self._able(pool) for pool in pools], self.left.leads)
        kept = list(pools)
        while leads is None:
            kept = [pool for pool in kept if self._able(pool)] if not all(map(self._able, kept)) else kept[:-1]
            leads = assign_leads([self._able(pool) for pool in kept], self.left.leads)
        for pool in pools:
            if pool not in kept:
                self.tell("lead", pool, None, lines_of(pool))
        names = [self.instance.participants[lead].id for lead in leads]
        for pool, lead in zip(kept, names, strict=True):
            if pool.lead not in ("", lead):
                self.tell("lead", pool, None, (), lead=pool.lead, instead=lead)
        return [PlanPool(p.family, p.start, lead, p.lots) for p, lead in zip(kept, names, strict=True)]

    def _able(self, pool: PlanPool) -> list[int]:
        return leaders(self.market, self.worth, pool)
