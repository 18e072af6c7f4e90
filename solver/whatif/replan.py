"""Some families of a plan solved again, from where they stand; the pools of all others stay as they are.

The bound is conditional: no plan that has exactly these pools in the other families, leads included, is worth more.
Families are solved apart under what the others leave of the shared limits. Where their pools do not go together,
they are solved once more in one model if it is small enough, else one after another.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from solver.drafts import Valuer
from solver.errors import Fault, InvalidInstance, InvalidPlan
from solver.family.solving import solve_block
from solver.family.task import BlockAnswer, Task
from solver.instance import Instance
from solver.known_pools import known_pools
from solver.leads import assign_leads
from solver.limits import Left, Prices
from solver.lots import Block, DraftLot, DraftPool, Market
from solver.master import keep_lawful, left_after
from solver.milp import Effort
from solver.months import offset
from solver.plan import OPTIMAL_GAP, PlanPool
from solver.pools import in_words, leaders, members, total_value
from solver.whatif.upholding import uphold
from solver.worth import Worth

TOGETHER_CELLS = 20_000
"""Up to so many places for lines, families whose pools do not go together are solved in one model."""
NODES = 200_000
CLOSEST = 1e-7
"""Gap to which a family is solved where an optimal plan is asked for."""
SAME_EUR = 1e-4
"""A gain of less is rounding: then the pools stay as they were."""
SCHEMA = "pooling.replan/1"
Chosen = Sequence[Sequence[DraftPool]]
"""Pools of each block, in the block's numbers."""


@dataclass(frozen=True)
class Replanned:
    """A whole plan of which some families were solved again."""

    pools: tuple[PlanPool, ...]
    """All pools of the plan, decided ones and those of the other families included."""
    families: tuple[str, ...]
    """Those that were solved again."""
    objective_eur: float
    bound_eur: float
    """No plan that has exactly these pools in the other families is worth more."""
    stopped_by_clock: bool

    @property
    def gap(self) -> float:
        return (self.bound_eur - self.objective_eur) / max(1.0, abs(self.bound_eur))

    def to_document(self) -> dict[str, object]:
        """As ``pooling.replan/1``, ready for JSON."""
        return {
            "schema": SCHEMA,
            "families": list(self.families),
            "objective_eur": self.objective_eur,
            "bound_eur": self.bound_eur,
            "gap": self.gap,
            "stopped_by_clock": self.stopped_by_clock,
            "pools": [pool_document(pool) for pool in self.pools],
        }


def pool_document(pool: PlanPool) -> dict[str, object]:
    """A pool as plans write it."""
    lots = [{name: getattr(lot, name) for name in lot.__slots__} | {"lines": list(lot.lines)} for lot in pool.lots]
    return {"family": pool.family, "start": pool.start, "lead": pool.lead, "lots": lots}


def replan(
    instance: Instance,
    pools: Sequence[PlanPool],
    families: Collection[str],
    *,
    time_limit_s: float = 10.0,
    gap: float = OPTIMAL_GAP,
    seed: int = 0,
) -> Replanned:
    """The plan with the families solved again, starting from what of their pools the instance still allows.

    The other families' pools stay as they stand, leads included; where one breaks a rule of the instance, `InvalidPlan`
    names it. ``fixed``, ``forbidden`` and ``previous`` of the instance hold as in any solve. Never worth less than the
    plan's own lawful remains.
    """
    ends_at = time.monotonic() + time_limit_s
    named = known_families(instance, families)
    market, worth = Market(instance), Worth(instance)
    known_pools(instance, (pool for pool in pools if pool.family not in named))
    upheld = uphold(market, worth, pools)
    for broken in upheld.breaks:
        if broken.family not in named:
            place = f"pool {broken.family} {broken.start}"
            raise InvalidPlan(f"{place}: breaks {broken.rule}: name {broken.family} among the families to solve again")
    return resolve(market, worth, upheld.pools, named, ends_at=ends_at, gap=gap, seed=seed)


def known_families(instance: Instance, families: Collection[str]) -> tuple[str, ...]:
    """The families in the order of the instance's categories; an unknown one is refused."""
    listed = dict.fromkeys(category.family for category in instance.categories)
    unknown = [name for name in families if name not in listed]
    if unknown or isinstance(families, str):
        raise InvalidInstance([Fault("families", unknown or families, "give a list of families of categories")])
    return tuple(name for name in listed if name in families)


def resolve(
    market: Market,
    worth: Worth,
    standing: Sequence[PlanPool],
    families: Sequence[str],
    *,
    ends_at: float,
    gap: float = OPTIMAL_GAP,
    nodes: int = NODES,
    seed: int = 0,
    left: Left | None = None,
) -> Replanned:
    """The lawful plan ``standing`` of the market's instance with the families solved again, until ``ends_at`` on the
    monotonic clock. ``left`` of the shared limits is what they may use, by default what the other pools leave."""
    closest = CLOSEST if gap <= OPTIMAL_GAP else gap
    return _Resolving(
        market, worth, standing, families, ends_at=ends_at, gap=closest, nodes=nodes, seed=seed, left=left
    ).done()


def left_beside(market: Market, worth: Worth, others: Sequence[PlanPool]) -> Left:
    """What decided pools and ``others``, as they stand with their leads, leave of the limits that families share."""
    left = market.left
    quarters, own, leads = left.quarter_pools.copy(), left.participant_quarter.copy(), left.leads.copy()
    for pool in others:
        quarter = offset(pool.start, market.instance.policy.horizon_start) // 3
        quarters[quarter] -= 1
        own[[market.participant[name] for name in members(worth, pool)], quarter] -= 1
        leads[market.participant[pool.lead]] -= 1
    return Left(*(np.maximum(0.0, part) for part in (quarters, own, leads, left.offer_quantity)))


class _Resolving:
    """Families of one plan being solved again."""

    def __init__(
        self,
        market: Market,
        worth: Worth,
        standing: Sequence[PlanPool],
        families: Sequence[str],
        *,
        ends_at: float,
        gap: float,
        nodes: int,
        seed: int,
        left: Left | None,
    ) -> None:
        self.market, self.worth, self.ends_at = market, worth, ends_at
        self.gap, self.nodes, self.seed = gap, nodes, seed
        decided = {(pool.family, pool.start) for pool in market.instance.fixed}
        free = [pool for pool in standing if (pool.family, pool.start) not in decided]
        self.mine = [pool for pool in free if pool.family in families]
        self.others = [pool for pool in free if pool.family not in families]
        self.decided = [pool for pool in standing if (pool.family, pool.start) in decided]
        self.families = tuple(families)
        self.left = left_beside(market, worth, self.others) if left is None else left
        self.by_clock = False

    def done(self) -> Replanned:
        blocks: Sequence[Block] = [self.market.block([family]) for family in self.families]
        warm = [drafts(block, self.market.instance, self.mine) for block in blocks]
        answers = self._apart(blocks, warm)
        bound = sum(answer.bound for answer in answers)
        chosen: Chosen = keep_lawful(blocks, [answer.pools for answer in answers], self.left)
        chosen = max(warm, chosen, key=_total)  # of equals the first: where nothing is won, nothing moves
        if _total(chosen) < sum(answer.priced_value for answer in answers) - CLOSEST * max(1.0, bound):
            blocks, chosen, bound = self._reconciled(blocks, chosen, answers, bound)
        new = self._named(blocks, chosen)
        pools = sorted((*self.decided, *self.others, *new), key=lambda pool: (pool.start, pool.family))
        objective = total_value(self.worth, pools)
        above = max(0.0, bound - _total(chosen))
        return Replanned(tuple(pools), self.families, objective, objective + above, self.by_clock)

    def _apart(self, blocks: Sequence[Block], warm: Chosen) -> list[BlockAnswer]:
        """Each family by itself, with an even share of the time that is left."""
        answers = []
        for b, block in enumerate(blocks):
            share = self._remaining() / (len(blocks) - b)
            answers.append(self._solved(block, self.left, warm[b], share))
        return answers

    def _solved(self, block: Block, left: Left, warm: Sequence[DraftPool], share: float) -> BlockAnswer:
        """The block solved; leads are counted in the model only where they turn out to keep plan and bound apart."""
        ends_at, began = time.time() + self._remaining(), time.monotonic()
        effort = Effort(share, self.gap, self.nodes, self.seed)
        task = Task(block, left, Prices.none(left), effort, ends_at, warm=tuple(warm))
        answer = solve_block(task)
        apart = answer.bound - answer.priced_value > self.gap * max(1.0, answer.bound)
        if apart and not answer.by_clock and np.isfinite(left.leads).any():
            effort = replace(effort, time_limit_s=max(0.0, share - (time.monotonic() - began)))
            task = replace(task, effort=effort, exact_leads=True, cuts=answer.cuts, warm=answer.pools)
            again = solve_block(task)
            answer = replace(again, bound=min(again.bound, answer.bound))
        self.by_clock = self.by_clock or answer.by_clock
        gained = answer.priced_value - _total([warm])
        return answer if gained > SAME_EUR else replace(answer, pools=tuple(warm), priced_value=_total([warm]))

    def _reconciled(
        self, blocks: Sequence[Block], chosen: Chosen, answers: Sequence[BlockAnswer], bound: float
    ) -> tuple[Sequence[Block], Chosen, float]:
        """Families whose pools do not go together: in one model, or one after another under what the rest leave."""
        if sum(len(block.cell_line) for block in blocks) <= TOGETHER_CELLS:
            block = self.market.block(self.families)
            warm = drafts(block, self.market.instance, self._named(blocks, chosen))
            effort = Effort(self._remaining(), self.gap, self.nodes, self.seed)
            ends_at = time.time() + self._remaining()
            task = Task(block, self.left, Prices.none(self.left), effort, ends_at, exact_leads=True, warm=warm)
            answer = solve_block(task)
            self.by_clock = self.by_clock or answer.by_clock
            return [block], [answer.pools], min(bound, answer.bound)
        better = list(chosen)
        for b, block in enumerate(blocks):
            left = left_after(blocks, better, self.left, skip=b)
            answer = self._solved(block, left, better[b], self._remaining() / (len(blocks) - b))
            if answer.priced_value > _total([better[b]]):
                better[b] = answer.pools
        return blocks, better, bound

    def _remaining(self) -> float:
        return max(0.0, self.ends_at - time.monotonic())

    def _named(self, blocks: Sequence[Block], chosen: Chosen) -> list[PlanPool]:
        """The pools in the instance's names; a pool keeps its former lead where that one still can lead."""
        former = {(pool.family, pool.start): pool.lead for pool in self.mine}
        instance = self.market.instance
        new = [in_words(instance, self.worth, block, pool) for block, mine in zip(blocks, chosen) for pool in mine]
        pools = [replace(pool, lead=former.get((pool.family, pool.start), "")) for pool in new]
        leads = assign_leads([leaders(self.market, self.worth, pool) for pool in pools], self.left.leads)
        assert leads is not None  # noqa: S101 the choice was made under the same limits
        people = instance.participants
        return [replace(pool, lead=people[lead].id) for pool, lead in zip(pools, leads, strict=True)]


def _total(pools: Chosen) -> float:
    """Value of the pools of all blocks."""
    return float(sum(pool.value for chosen in pools for pool in chosen))


def drafts(block: Block, instance: Instance, pools: Sequence[PlanPool]) -> tuple[DraftPool, ...]:
    """Those of the pools that are of the block's families, in its numbers, each lot settled as the block allows."""
    family = {name: k for k, name in enumerate(block.families)}
    line = {instance.lines[which].id: k for k, which in enumerate(block.line.tolist())}
    offer = {instance.offers[which].id: k for k, which in enumerate(block.offer.tolist())}
    valuer = Valuer(block)
    found = []
    for pool in pools:
        if pool.family not in family:
            continue
        start = offset(pool.start, instance.policy.horizon_start)
        lots = [valuer.settle(offer[lot.offer], start, [line[i] for i in lot.lines]) for lot in pool.lots]
        kept: list[DraftLot] = [lot for lot in lots if lot is not None]
        drafted = valuer.pool(family[pool.family], start, kept)
        if drafted is not None:
            found.append(drafted)
    return tuple(sorted(found, key=lambda pool: (pool.family, pool.start)))
