"""Reasons that turn on the plan, settled by solving again: with the line in a pool, and without limits.

A line stays out for lack of capacity where the best plan without some limits has it in a pool; which ones is narrowed
down until none can be put back. Else pooling it lowers the total, by what the best lawful plan with the line is worth
less. Small instances are solved whole; of larger ones the line's family, the other families' pools as they stand. Work
is counted in places for lines, so the answers do not depend on the clock unless it stops them.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from solver.family.solving import solve_block
from solver.family.task import Task, trivial_bound
from solver.instance import Instance, Line
from solver.instance.cutting import cut
from solver.joining import Standing
from solver.lifting import FIXED_POOL, MAX_QUANTITY, TOTAL_QUANTITY, Judging, Limit, lifted, limits_of, without
from solver.limits import Left, Prices
from solver.lots import Block, Market
from solver.milp import Effort
from solver.plan import PlanPool, Reason, Unpooled
from solver.pools import in_words, total_value

MOST_CELLS, WORK, WORK_PER_SOLVE = 2_000, 20_000, 200
"""Families of at most so many places for lines are solved again; places solved over in all, and what a solve costs
beside its places."""
GAP, NODES = 1e-9, 20_000
SAME_EUR, SAME_SHARE = 0.01, 1e-8
"""Totals closer than this, and this share of them, are equal."""
NONE: frozenset[Limit] = frozenset()


@dataclass(frozen=True)
class Best:
    """The best plan found under some question, ``pools`` in the instance's names; ``proven`` to be best."""

    pools: tuple[PlanPool, ...]
    value_eur: float
    proven: bool
    place: tuple[str, str] | None
    """Offer and start of the line asked about; None where it is in no pool."""


@dataclass
class Confirming:
    """Settles reasons until its work is done or ``ends_at`` (on the monotonic clock) is past."""

    cells: Mapping[str, int]
    """Places for lines in each family."""
    ends_at: float = float("inf")
    seed: int = 0
    work: int = WORK
    by_clock: bool = False
    _grounds: dict[tuple[str, ...], "Ground"] = field(default_factory=dict)

    def settled(self, standing: Standing, line: Line) -> Unpooled | None:
        """Capacity or better without, with figures that are proven; None where that takes more than is allowed."""
        ground = self._ground(standing, line)
        return None if ground is None else Settling(self, ground, line).answer()

    def _ground(self, standing: Standing, line: Line) -> "Ground | None":
        market = standing.market
        for families in (tuple(market.families), (market.category[line.category].family,)):
            if sum(self.cells[family] for family in families) <= MOST_CELLS:
                if families not in self._grounds:
                    self._grounds[families] = ground_of(standing, families)
                return self._grounds[families]
        return None

    def solved(self, ground: "Ground", limits: frozenset[Limit], line: Line, bonus_eur: float | None) -> Best | None:
        """The best plan without the limits where having the line in a pool earns the bonus; None where the allowance
        is used up. With no bonus given the line is in a pool wherever a lawful plan can hold it."""
        market, left, block = ground.without(limits)
        cost = len(block.cell_line) + WORK_PER_SOLVE
        if self.by_clock or cost > self.work or self.ends_at <= time.monotonic():
            self.by_clock = self.by_clock or self.ends_at <= time.monotonic()
            return None
        self.work -= cost
        mine = block.line[block.cell_line] == ground.number[line.id]
        paid = bonus_eur if bonus_eur is not None else forcing(block)
        asked = replace(block, cell_value=block.cell_value + np.where(mine, paid, 0.0))
        remaining = min(1e6, self.ends_at - time.monotonic())
        effort = Effort(remaining, GAP, NODES, self.seed)
        task = Task(asked, left, Prices.none(left), effort, time.time() + remaining, exact_leads=True)
        answer = solve_block(task)
        self.by_clock = self.by_clock or answer.by_clock
        pools = tuple(in_words(market.instance, ground.judging.worth, block, pool) for pool in answer.pools)
        place = next(((lot.offer, p.start) for p in pools for lot in p.lots if line.id in lot.lines), None)
        value = answer.priced_value - (paid if place else 0.0)
        return Best(pools, float(value), answer.bound - answer.priced_value <= same_within(value), place)


def same_within(total_eur: float) -> float:
    """How far apart equal totals may be."""
    return SAME_EUR + SAME_SHARE * abs(total_eur)


def forcing(block: Block) -> float:
    """More than any plan of the block can be worth more than a lawful plan of least pools that holds a given line."""
    least = np.zeros(len(block.line))
    np.minimum.at(least, block.cell_line, block.cell_value)
    terms, countries = block.terms, len(np.unique(block.country))
    costs = terms.pool_cost + terms.lot_cost + terms.country_cost * countries
    return 1.0 + trivial_bound(block) - float(least.sum()) + costs


@dataclass(frozen=True)
class Ground:
    """Some families of a plan by themselves, and what the pools of the others leave of the limits."""

    instance: Instance
    judging: Judging
    value_eur: float
    """What the families' pools in the plan add to its total; decided ones left out."""
    number: Mapping[str, int]
    whole: bool
    _made: dict[frozenset[Limit], tuple[Market, Left, Block]] = field(default_factory=dict)

    def without(self, limits: frozenset[Limit]) -> tuple[Market, Left, Block]:
        """The market, what is left and the lots that could exist, without the limits."""
        if limits not in self._made:
            market, left = lifted(self.instance, self.judging.left, limits)
            self._made[limits] = market, left, market.block(market.families)
        return self._made[limits]


def ground_of(standing: Standing, families: Sequence[str]) -> Ground:
    """The families by themselves."""
    market, worth = standing.market, standing.worth
    new = [pool for pool in standing.pools if (pool.family, pool.start) not in standing.fixed]
    others = [pool for pool in new if pool.family not in families]
    used = ((standing.month(pool) // 3, standing.members(pool), pool.lead) for pool in others)
    instance = cut(market.instance, families)
    left = without(market.left, market, used)
    own = Market(instance)
    judging = Judging(
        own, worth, Left(left.quarter_pools, left.participant_quarter, left.leads, own.left.offer_quantity)
    )
    value = total_value(worth, (pool for pool in new if pool.family in families))
    number = {line.id: k for k, line in enumerate(instance.lines)}
    return Ground(instance, judging, value, number, whole=set(market.families) <= set(families))


@dataclass(frozen=True)
class Settling:
    """One line being settled."""

    confirming: Confirming
    ground: Ground
    line: Line

    def answer(self) -> Unpooled | None:
        """Capacity where lifting limits brings the line in and the total up; else what having it in a pool costs."""
        now, every = self.ground.value_eur, limits_of(self.ground.instance)
        tie = same_within(now)
        free = self._solved(every, tie)
        if free is None:
            return None
        if free.place and free.value_eur - now > tie:
            return self._capacity(free)
        forced = self._solved(NONE, None)
        if forced is None:
            return None
        if forced.place:
            return self._better_without(forced, now - forced.value_eur, ())
        if free.place:
            return self._capacity(free)
        held = self._solved(every, None)
        if held is None or held.place is None:
            return None
        return self._better_without(held, free.value_eur - held.value_eur, self.ground.judging.broken(held.pools))

    def _solved(self, limits: frozenset[Limit], bonus_eur: float | None) -> Best | None:
        best = self.confirming.solved(self.ground, limits, self.line, bonus_eur)
        return best if best is not None and best.proven else None

    def _capacity(self, free: Best) -> Unpooled | None:
        """Narrowed down: a limit that alone is enough to lift, else as few as the order of putting them back leaves."""
        limits = self.ground.judging.broken(free.pools)
        best, tie = free, same_within(self.ground.value_eur)
        if not limits:
            return None
        for limit in limits if len(limits) > 1 else ():
            alone = self._solved(frozenset([limit]), tie)
            if alone is None:
                return None
            if alone.place:
                return self._stated([limit], alone)
        for limit in limits if len(limits) > 2 else ():
            fewer = [other for other in limits if other != limit]
            tried = self._solved(frozenset(fewer), tie)
            if tried is None:
                return None
            if tried.place:
                limits, best = fewer, tried
        return self._stated(limits, best)

    def _stated(self, limits: Sequence[Limit], best: Best) -> Unpooled:
        figures = {
            "limit": " and ".join(words(limits, best)),
            "would_add_eur": best.value_eur - self.ground.value_eur,
        }
        return self._reason(Reason.CAPACITY, figures, best)

    def _better_without(self, best: Best, loss: float, limits: Sequence[Limit]) -> Unpooled:
        figures: dict[str, object] = {"lowers_total_by_eur": loss}
        if limits:
            figures["limits_lifted"] = words(limits, best)
        return self._reason(Reason.BETTER_WITHOUT, figures, best)

    def _reason(self, reason: Reason, figures: Mapping[str, object], best: Best) -> Unpooled:
        offer, start = best.place or ("", "")
        more = {"offer": offer, "start": start, "confirmed": True, "other_families_stand": not self.ground.whole}
        return Unpooled(self.line.id, reason, {**figures, **more})


def words(limits: Iterable[Limit], best: Best) -> list[str]:
    """Their names; an offer's is not said where it is the one that the line would be on."""
    mine = best.place[0] if best.place else ""
    plain = (FIXED_POOL, MAX_QUANTITY, TOTAL_QUANTITY)
    return [limit.kind if limit.kind in plain and limit.of in ("", mine) else str(limit) for limit in limits]
