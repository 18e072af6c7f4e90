"""Whether given pools make a plan that the contract allows, and what they are worth: the rules once more, for tests.

Written for whole plans as they stand, apart from both the search in ``brute`` and the judge.
"""

from collections import Counter

from tests.solver.brute_case import Case, Lots

PoolTuple = tuple[str, int, str, Lots]
"""(family, start offset, lead, lots)."""


def value(case: Case, pools: list[PoolTuple]) -> float:
    """EUR over the term, each lot at the highest tier it reaches, or at the first."""
    return sum(case.fixed_value(pool) for pool in pools)


def sound(case: Case, pools: list[PoolTuple]) -> bool:
    """Whether every rule holds, given pools included: they must all be there."""
    given = [_plain(pool) for pool in case.fixed]
    stated = [_plain(pool) for pool in pools]
    if any(stated.count(pool) != 1 for pool in given):
        return False
    new = [pool for pool in pools if _plain(pool) not in given]
    return _one_place_each(pools) and all(_pool_stands(case, pool) for pool in new) and _limits_hold(case, new)


def _plain(pool: PoolTuple) -> PoolTuple:
    return (*pool[:3], tuple(sorted(pool[3])))


def _one_place_each(pools: list[PoolTuple]) -> bool:
    keys = [(family, start) for family, start, _, _ in pools]
    offers = [(family, start, name) for family, start, _, lots in pools for name, _ in lots]
    masks = [mask for *_, lots in pools for _, mask in lots]
    union = 0
    for mask in masks:
        if union & mask:
            return False
        union |= mask
    return len(set(keys)) == len(keys) and len(set(offers)) == len(offers)


def _pool_stands(case: Case, pool: PoolTuple) -> bool:
    family, start, lead, lots = pool
    members = sum(mask for _, mask in lots)
    if lead not in case.people_of(members) or not case.people[lead]["may_lead"]:
        return False
    if not case.people[lead]["contracting_authority"] or not case.pool_fits(members):
        return False
    return all(case.family(case.offers[name]) == family and _lot_stands(case, start, name, mask) for name, mask in lots)


def _lot_stands(case: Case, start: int, name: str, mask: int) -> bool:
    offer = case.offers[name]
    tier = case.tier(mask, offer)
    if tier is None or not all(case.fits(i, offer, start) for i in case.members(mask)):
        return False
    if offer["max_quantity"] is not None and case.quantity(mask) > offer["max_quantity"]:
        return False
    if case.authorities(mask) < case.policy["min_participants"]:
        return False
    losses = [-case.benefit(i, start, offer, tier) / max(1, case.spend(i)) for i in case.members(mask)]
    return not case.policy["no_one_worse_off"] or max(losses) <= 1e-6


def _limits_hold(case: Case, new: list[PoolTuple]) -> bool:
    """Rules 7, 8 and 10: what new pools take is at most what the given ones leave."""
    taken, used = _uses(case, new), _uses(case, case.fixed)
    for key, count in taken.items():
        kind, name = key[:2]
        if kind == "lead":
            limit = case.people[name]["max_leads"]
        elif kind == "supply":
            limit = case.offers[name]["total_max_quantity"]
        else:
            limit = (case.people[name] if name else case.policy)["max_pools_per_quarter"]
        if limit is not None and count > max(0, limit - used[key]):
            return False
    return True


def _uses(case: Case, pools: list[PoolTuple]) -> Counter[tuple[str, str, int]]:
    """What the pools take of each limit; a start outside the horizon is in no quarter."""
    uses: Counter[tuple[str, str, int]] = Counter()
    for _, start, lead, lots in pools:
        uses["lead", lead, 0] += 1
        for name, mask in lots:
            uses["supply", name, 0] += case.quantity(mask)
        if 0 <= start < case.horizon:
            for name in ("", *case.people_of(sum(mask for _, mask in lots))):
                uses["quarter", name, start // 3] += 1
    return uses
