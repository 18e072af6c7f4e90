"""What would change if: the plan under a changed instance, with the families that the change touches solved again.

Four plans are told apart, so that like is compared with like:

- *before*: the plan as given, valued by the instance as it is;
- *standing*: what of it still holds under the changed instance, valued by that, with nobody planning anew;
- *after*: the same with the touched families solved again, all other pools as they stand;
- *unchanged*: those families solved again with the instance as it is. A plan that is not the best has something to
  gain from solving again whatever changes; what the change itself does is *after* less *unchanged*.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace

from solver.errors import InvalidPlan
from solver.instance import Instance
from solver.known_pools import known_pools
from solver.lots import Market
from solver.plan import OPTIMAL_GAP, PlanPool, Totals
from solver.pools import pool_value, total_value
from solver.whatif.changes import applied, to_document
from solver.whatif.comparing import PoolChanges, ShareChange, added, compare, compare_shares, shares
from solver.whatif.kinds import Change
from solver.whatif.mending import mended
from solver.whatif.placing import View
from solver.whatif.replan import SAME_EUR, Replanned, known_families, left_beside, resolve
from solver.whatif.upholding import Break, Upheld, uphold
from solver.worth import Worth

SCHEMA = "pooling.what-if/1"
SECONDS_A_FAMILY = 1.0
"""Of the time limit: as many families as this pays for are solved again first; more of them at the pace that this
shows, as long as time is left."""
GROWTH = 4
"""Families solved again grow by this factor at most before the pace is looked at anew."""
CHANGED_SHARE = 0.8
"""Of the time left goes at most so much to the changed families, the rest to the same families unchanged."""
RESERVED, LATE_SHARE = 0.8, 0.12
"""Kept back for telling the difference: so much of what looking at the plan took, the same kind of work; and for
solves that end late, so much of the limit."""


@dataclass(frozen=True)
class WhatIf:
    """The answer to a change. Money is EUR over the term, CO2e tonnes a year."""

    changes: tuple[Change, ...]
    touched: tuple[str, ...]
    """The families whose lots the change can touch."""
    breaks: tuple[Break, ...]
    """What of the plan does not hold under the changed instance; empty: the plan as given stays lawful."""
    before: Totals
    standing: Totals
    replanned: Replanned
    """The changed plan, the families solved again, and a bound given the pools of the others."""
    after: Totals
    unchanged: Replanned
    """The same families solved again without the change."""
    pools: PoolChanges
    """From *before* to *after*."""
    participants: tuple[ShareChange, ...]
    """From *before* to *after*, those of whom something is not the same."""
    runtime_s: float

    @property
    def lawful(self) -> bool:
        """Whether the plan as given keeps every rule of the changed instance."""
        return not self.breaks

    @property
    def complete(self) -> bool:
        """Whether every touched family was solved again; else bounds hold only with the others' pools as they stand."""
        return set(self.touched) <= set(self.replanned.families)

    @property
    def effect_eur(self) -> float:
        """What the change itself does to the total: *after* less *unchanged*."""
        return self.replanned.objective_eur - self.unchanged.objective_eur

    @property
    def effect_range_eur(self) -> tuple[float, float]:
        """The least and the most that the effect could be if both were solved to the end; the families left standing
        not counted."""
        low = self.replanned.objective_eur - self.unchanged.bound_eur
        return low, self.replanned.bound_eur - self.unchanged.objective_eur

    def to_document(self) -> dict[str, object]:
        """As ``pooling.what-if/1``, ready for JSON. While families are left standing nothing is proven of the whole:
        bound, gap and range are null."""
        resolved = self.replanned.families
        bound, gap = (self.replanned.bound_eur, self.replanned.gap) if self.complete else (None, None)
        low, high = self.effect_range_eur if self.complete else (None, None)
        return {
            "schema": SCHEMA,
            "changes": to_document(self.changes)["changes"],
            "families_touched": list(self.touched),
            "families_solved_again": list(resolved),
            "families_left_standing": [family for family in self.touched if family not in resolved],
            "stays_lawful": self.lawful,
            "breaks": [entry.to_document() for entry in self.breaks],
            "before": _figures(self.before),
            "standing": _figures(self.standing),
            "after": _figures(self.after),
            "difference": _difference(self.before, self.after),
            "by_the_change_as_it_stands_eur": self.standing.objective_eur - self.before.objective_eur,
            "by_solving_again_eur": self.after.objective_eur - self.standing.objective_eur,
            "by_solving_again_unchanged_eur": self.unchanged.objective_eur - self.before.objective_eur,
            "effect_eur": self.effect_eur,
            "effect_low_eur": low,
            "effect_high_eur": high,
            "bound_eur": bound,
            "gap": gap,
            "stopped_by_clock": self.replanned.stopped_by_clock or self.unchanged.stopped_by_clock,
            "pools": self.pools.to_document(),
            "participants": [share.to_document() for share in self.participants],
            "runtime_s": self.runtime_s,
        }


def _figures(totals: Totals) -> dict[str, object]:
    return {"objective_eur": totals.objective_eur, **asdict(totals)}


def _difference(before: Totals, after: Totals) -> dict[str, object]:
    each = {entry.name: getattr(after, entry.name) - getattr(before, entry.name) for entry in fields(Totals)}
    return {"objective_eur": after.objective_eur - before.objective_eur, **each}


def what_if(
    instance: Instance,
    pools: Sequence[PlanPool],
    changes: Iterable[Change],
    *,
    families: Collection[str] | None = None,
    time_limit_s: float = 2.0,
    gap: float = OPTIMAL_GAP,
    seed: int = 0,
) -> WhatIf:
    """What the changes would do to the plan ``pools``, which must be a lawful plan of the instance.

    ``families`` are solved again (by default those that the changes touch, the ones whose value moves most first, until
    all are or the time is used); the pools of all others stay, as far as the changed instance allows. Raises
    `InvalidInstance` for changes that cannot be made and `InvalidPlan` for a plan that is not lawful.
    """
    began = time.monotonic()
    question = _Question(
        instance, pools, tuple(changes), families, began=began, time_limit_s=time_limit_s, gap=gap, seed=seed
    )
    return question.answer()


class _View:
    """An instance with what valuing and solving it take."""

    def __init__(self, instance: Instance) -> None:
        self.instance, self.market, self.worth = instance, Market(instance), Worth(instance)

    def upheld(self, pools: Sequence[PlanPool], others: Sequence[PlanPool]) -> Upheld:
        """What of the pools holds beside the others, which stand."""
        return uphold(self.market, self.worth, pools, left_beside(self.market, self.worth, others))

    def value(self, pools: Sequence[PlanPool]) -> float:
        return total_value(self.worth, pools)


class _Question:
    """One what-if. Only pools of the families concerned are looked at one by one; the others stay as given."""

    def __init__(
        self,
        instance: Instance,
        pools: Sequence[PlanPool],
        changes: tuple[Change, ...],
        families: Collection[str] | None,
        *,
        began: float,
        time_limit_s: float,
        gap: float,
        seed: int,
    ) -> None:
        self.began, self.time_limit_s, self.gap, self.seed = began, time_limit_s, gap, seed
        self.changes, self.families = changes, families
        changed, reached = applied(instance, changes)
        self.old, self.new = _View(instance), _View(changed)
        known_pools(instance, pools)
        self.reached = known_families(instance, reached)
        named = set() if families is None else set(known_families(instance, families))
        decided = {(pool.family, pool.start) for pool in instance.fixed}
        free = [pool for pool in pools if (pool.family, pool.start) not in decided]
        concerned = named | set(self.reached)
        self.mine = [pool for pool in pools if pool.family in concerned]
        self.others = [pool for pool in free if pool.family not in concerned]
        self.given, self.standing = self._upheld()

    def _upheld(self) -> tuple[Upheld, Upheld]:
        """The concerned pools, and those decided, as given and under the changed instance."""
        given = self.old.upheld(self.mine, self.others)
        if not given.lawful:
            first = given.breaks[0]
            place = f"pool {first.family} {first.start}"
            raise InvalidPlan(
                f"{place}: breaks {first.rule}: give a plan of the instance that solver.check finds lawful"
            )
        return given, self.new.upheld(self.mine, self.others)

    def answer(self) -> WhatIf:
        after, unchanged = self._solved()
        base = self.old.worth.totals([*self.given.pools, *self.others])
        rest = shares(self.old.worth, self.others)
        before, then = (
            shares(view.worth, pools) for view, pools in ((self.old, self.given.pools), (self.new, self._mine(after)))
        )
        ours = base if not self.others else self.old.worth.totals(self.given.pools)
        standing, reached = (
            _swapped(base, ours, self.new.worth.totals(pools)) for pools in (self.standing.pools, self._mine(after))
        )
        return WhatIf(
            changes=self.changes,
            touched=self.reached,
            breaks=self.standing.breaks,
            before=base,
            standing=standing,
            replanned=after,
            after=reached,
            unchanged=unchanged,
            pools=compare(self.given.pools, self._mine(after)),
            participants=compare_shares(
                added(before, rest), added(then, rest), [person.id for person in self.old.instance.participants]
            ),
            runtime_s=time.monotonic() - self.began,
        )

    def _mine(self, plan: Replanned) -> list[PlanPool]:
        others = {(pool.family, pool.start) for pool in self.others}
        return [pool for pool in plan.pools if (pool.family, pool.start) not in others]

    def _solved(self) -> tuple[Replanned, Replanned]:
        """The families solved again with and without the change, in rounds: each solves those of the round before once
        more, from where they stand, beside as many further ones as the time left pays for at the pace so far."""
        ranked, now = self._ranked(), time.monotonic()
        ends_at = self.began + (1 - LATE_SHARE) * self.time_limit_s - RESERVED * (now - self.began)
        count = len(ranked) if self.families is not None else max(1, int(self.time_limit_s / SECONDS_A_FAMILY))
        done, standing, given = 0, self.standing, self.given
        while True:
            began = time.monotonic()
            chosen = known_families(self.old.instance, ranked[:count])
            start = self._mended(ranked[done:count], standing)
            after, unchanged = self._round(chosen, start, standing, given, ends_at)
            now, done = time.monotonic(), min(count, len(ranked))
            pace = max(1e-6, now - began) / max(1, done)
            count = min(len(ranked), GROWTH * done, int((ends_at - now) / pace))
            if count <= done:
                return after, unchanged
            standing, given = (Upheld(tuple(self._mine(plan)), ()) for plan in (after, unchanged))

    def _round(
        self, chosen: Sequence[str], start: Upheld, standing: Upheld, given: Upheld, ends_at: float
    ) -> tuple[Replanned, Replanned]:
        """The families solved with the change and without, each started from the better of what both found."""
        now = time.monotonic()
        first = now + CHANGED_SHARE * max(0.0, ends_at - now)
        after = self._resolved(self.new, start, chosen, first)
        found = self._carried(self.old, after, given)
        unchanged = self._resolved(self.old, found, chosen, ends_at)
        carried = self._carried(self.new, unchanged, standing)
        value = self.new.value([*carried.pools, *self.others])
        if value > after.objective_eur:
            pools = tuple(sorted((*carried.pools, *self.others), key=lambda pool: (pool.start, pool.family)))
            bound = max(value, after.bound_eur)
            after = replace(after, pools=pools, objective_eur=value, bound_eur=bound)
        return after, unchanged

    def _mended(self, families: Sequence[str], standing: Upheld) -> Upheld:
        """What stands, with the losses of the families made good where that is quickly done."""
        view, pools = self.new, list(standing.pools)
        decided = {(pool.family, pool.start) for pool in view.instance.fixed}
        for family in families:
            before = [pool for pool in self.given.pools if pool.family == family]
            ours = [pool for pool in pools if pool.family == family and (pool.family, pool.start) not in decided]
            rest = [pool for pool in pools if pool not in ours]
            beside = [pool for pool in rest if (pool.family, pool.start) not in decided]
            left = left_beside(view.market, view.worth, [*beside, *self.others])
            better = mended(View(view.market, view.worth, left), before, ours)
            pools = [*rest, *(pool for pool in better if (pool.family, pool.start) not in decided)]
        return replace(standing, pools=tuple(pools))

    def _resolved(self, view: _View, standing: Upheld, chosen: Sequence[str], ends_at: float) -> Replanned:
        whole = [*standing.pools, *self.others]
        return resolve(view.market, view.worth, whole, chosen, ends_at=ends_at, gap=self.gap, seed=self.seed)

    def _carried(self, view: _View, plan: Replanned, instead: Upheld) -> Upheld:
        """The plan's solved families under the other instance, where that beats what stands there."""
        solved = [pool for pool in self._mine(plan) if pool.family in plan.families]
        stand = [pool for pool in instead.pools if pool.family not in plan.families]
        decided = {(pool.family, pool.start) for pool in view.instance.fixed}
        beside = [pool for pool in stand if (pool.family, pool.start) not in decided]
        carried = view.upheld(solved, [*beside, *self.others])
        whole = (*carried.pools, *beside)
        better = view.value(whole) > view.value(instead.pools) + SAME_EUR
        return Upheld(whole, ()) if better else instead

    def _ranked(self) -> Sequence[str]:
        """The families to solve again: those named, else the touched, those first whose value the change moves most."""
        if self.families is not None:
            return known_families(self.old.instance, self.families)
        moved = dict.fromkeys(self.reached, 0.0)
        for sign, view, upheld in ((-1, self.old, self.given), (1, self.new, self.standing)):
            for pool in upheld.pools:
                moved[pool.family] = moved.get(pool.family, 0.0) + sign * pool_value(view.worth, pool)
        return sorted(self.reached, key=lambda family: -abs(moved[family]))


def _swapped(whole: Totals, out: Totals, into: Totals) -> Totals:
    """The totals of a plan with some of its pools replaced; lines and spend are of the instance that ``into`` is of."""
    sums = {entry.name: getattr(whole, entry.name) - getattr(out, entry.name) for entry in fields(Totals)}
    sums = {name: value + getattr(into, name) for name, value in sums.items()}
    return Totals(**{**sums, "lines": into.lines, "spend_eur_per_year": into.spend_eur_per_year})
