"""What would let a line in that is in no pool: the cheapest single change, found by solving again and confirmed.

A change lets a line in when every best plan under the change has the line in a pool. An instance of at most
`WHOLE_LINES` lines is solved whole for that; of a larger one the line's family is, with the pools of all others as they
stand, also where a change (of a limit, of the policy) could move those too.

It is shown by a lawful plan with the line that is worth more than the proven bound on all plans without it. Where only
the line's own terms change, plans without it are what they were, and the bound found without any change holds for them;
else what is asked about is solved with the line kept out.

Candidates are screened on arrays (`solver.unlocks.candidates`), tried in the order of their cost
(`solver.unlocks.costs`) on the best plan known, and where that does not settle them, solved under the change. Solves
are counted and limited, so that the answer does not depend on the clock unless the clock stops it.
"""

import time
from collections.abc import Iterable, Sequence

from solver.errors import Fault, InvalidInstance
from solver.instance import Instance
from solver.known_pools import known_pools
from solver.lots import Market
from solver.plan import PlanPool
from solver.unlocks.results import Confirmed, Status, Unlock, Unlocks
from solver.unlocks.search import Search
from solver.whatif.desk import Desk
from solver.worth import Worth

__all__ = ["Confirmed", "Status", "Unlock", "Unlocks", "unlock", "unlocks"]

SOLVES_A_LINE = 6
WHOLE_LINES = 200
"""Up to so many lines, all families are solved for every question; above, the line's family alone."""


def unlock(
    instance: Instance,
    pools: Sequence[PlanPool],
    line_id: str,
    *,
    budget: int = SOLVES_A_LINE,
    time_limit_s: float = 10.0,
    seed: int = 0,
) -> Unlock:
    """What would let the line in, in the lawful plan ``pools`` of the instance that has it in no pool.

    ``budget`` is how often is solved at most, the first time, without a change, included. Raises `InvalidInstance` for
    a line that does not exist or is in a pool, `InvalidPlan` where pools are not of the instance or break a rule.
    """
    found = unlocks(instance, pools, [line_id], budget=budget, time_limit_s=time_limit_s, seed=seed, a_line=budget)
    return found.lines[0]


def unlocks(
    instance: Instance,
    pools: Sequence[PlanPool],
    lines: Iterable[str] | None = None,
    *,
    budget: int = 60,
    time_limit_s: float = 60.0,
    seed: int = 0,
    a_line: int = SOLVES_A_LINE,
) -> Unlocks:
    """What would let each of the lines in: by default all lines in no pool, those of the largest spend first.

    ``budget`` is how often is solved in all, ``a_line`` how often for one line at most. Lines for which
    nothing is left are named in ``not_looked_at``. Raises as `unlock` does.
    """
    ends_at = time.monotonic() + time_limit_s
    market, worth = Market(instance), Worth(instance)
    known_pools(instance, pools)
    asked = _asked(instance, worth, pools, lines)
    whole = len(instance.lines) <= WHOLE_LINES
    desks: dict[tuple[str, ...], Desk] = {}
    found: list[Unlock] = []
    spent = 0
    for k, name in enumerate(asked):
        families = tuple(market.families) if whole else (market.category[worth.lines[name].category].family,)
        if found and (spent >= budget or time.monotonic() >= ends_at):
            return Unlocks(tuple(found), tuple(asked[k:]), spent)
        if families not in desks:
            desks[families] = Desk.of(instance, market, worth, pools, families, ends_at=ends_at, seed=seed)
        desk = desks[families]
        before = desk.solves
        found.append(Search(desk, worth.lines[name], min(a_line, budget - spent)).answer())
        spent += desk.solves - before
    return Unlocks(tuple(found), (), spent)


def _asked(instance: Instance, worth: Worth, pools: Sequence[PlanPool], lines: Iterable[str] | None) -> list[str]:
    pooled = {name for pool in pools for lot in pool.lots for name in lot.lines}
    pooled |= {name for pool in instance.fixed for lot in pool.lots for name in lot.lines}
    if lines is None:
        free = [line for line in instance.lines if line.id not in pooled]
        return [line.id for line in sorted(free, key=lambda line: (-line.quantity * line.unit_price_eur, line.id))]
    asked = list(dict.fromkeys(lines))
    faults = [Fault("line", name, "name a line of the instance") for name in asked if name not in worth.lines]
    faults += [Fault("line", name, "name a line that is in no pool") for name in asked if name in pooled]
    if faults:
        raise InvalidInstance(faults)
    return asked
