"""Plans handed round between policies: each takes the one that is worth most to it, its own or another's.

Plans are solved to a gap, so a neighbour's can be the better one under a policy's own terms. It is taken only if it is
lawful there, which the judge says; what it is worth is counted anew, every lot at the tier it reaches there.
"""

from collections.abc import Sequence
from dataclasses import replace

from solver.baselines.arrangement import Arrangement, Table
from solver.check import check
from solver.errors import RuleBroken
from solver.explain import explain_unpooled
from solver.instance import Instance
from solver.lots import Market
from solver.plan import Plan, PlanPool
from solver.worth import Worth


def best_of_all(instances: Sequence[Instance], own: Sequence[Plan]) -> list[tuple[Plan, int]]:
    """For each instance the best plan known to it, and whose it was; the instances differ in policy alone.

    ``own``: the judged plan of each. Bounds stay those of the own plans. Raises `RuleBroken` where a lawful plan is
    worth more than the own plan's bound: then that was none.
    """
    if not instances:
        return []
    table = Table(instances[0])
    arrangements = [Arrangement(table, plan.pools) for plan in own]
    return [_best(instance, own, k, arrangements) for k, instance in enumerate(instances)]


def _best(instance: Instance, own: Sequence[Plan], k: int, arrangements: Sequence[Arrangement]) -> tuple[Plan, int]:
    worths = [arrangement.under(instance.policy) for arrangement in arrangements]
    objective = own[k].objective_eur
    enough = objective + max(0.5, 1e-6 * abs(objective))
    better = [n for n, worth in enumerate(worths) if worth.lawful and worth.objective_eur > enough]
    for n in sorted(better, key=lambda n: (-worths[n].objective_eur, n)):
        plan = _taken_over(instance, own[k], own[n])
        if plan is not None:
            return plan, n
    return own[k], k


def _taken_over(instance: Instance, own: Plan, other: Plan) -> Plan | None:
    """The other plan's pools as a plan of the instance; None where they break a rule of it."""
    worth = Worth(instance)
    decided = {(pool.family, pool.start) for pool in instance.fixed}
    new = [
        PlanPool(
            pool.family, pool.start, pool.lead, tuple(worth.lot(lot.offer, lot.lines, pool.start) for lot in pool.lots)
        )
        for pool in other.pools
        if (pool.family, pool.start) not in decided
    ]
    pools = tuple(sorted((*worth.fixed_pools(), *new), key=lambda pool: (pool.start, pool.family)))
    unpooled = explain_unpooled(Market(instance), worth, pools)
    plan = replace(own, pools=pools, unpooled=unpooled, totals=worth.totals(pools))
    violations = check(instance.to_document(), plan.to_document())
    if violations and {violation.rule for violation in violations} == {"bound"}:
        raise RuleBroken("\n".join(str(violation) for violation in violations))
    return None if violations else plan
