"""The best plan of a tiny instance, by search over all of them: the oracle the solver and the judge are tested against.

It reads the raw document, shares no code with ``solver`` and knows the contract alone. Every start in the horizon,
every set of lines and every offer is tried. Of two partial plans one is dropped only where nothing that any later
choice can see tells them apart: same lines used, same counts against every limit that could still bind, same demands on
leads.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.solver.brute_case import Case, Document, Leads, Lots


@dataclass(frozen=True)
class Pool:
    """A pool that could exist: its worth, and all that the limits beyond it can see of it."""

    family: str
    start: int
    mask: int
    lots: Lots
    value: float
    supply: tuple[int, ...]
    counts: int
    leads: Leads


@dataclass(frozen=True)
class State:
    """All that tells two partial plans apart for the choices still to come."""

    mask: int
    supply: tuple[int, ...]
    counts: int
    leads: Leads


def best(instance: Document, reading: type[Case] = Case) -> tuple[float, list[Document]]:
    """The highest total of any plan, and the pools of one plan that has it (fixed pools first).

    ``reading`` may be a narrower `Case` than the contract's, to see what a rule left out of it is worth.
    """
    case = reading(instance)
    plans: dict[tuple[int, Leads], tuple[float, tuple[Pool, ...]]] = {(case.slack, ()): (0.0, ())}
    for family in case.families:
        plans = _joined(case, plans, _family_plans(case, family))
    value, pools = max(plans.values(), key=lambda plan: plan[0])
    leads = case.assign(tuple(lead for pool in pools for lead in pool.leads))
    assert leads is not None
    waiting = list(leads)
    described = []
    for pool in pools:
        lead = waiting.pop(0) if pool.leads else case.free_lead(pool.mask)
        described.append(case.describe(pool.family, pool.start, lead, pool.lots))
    fixed = [case.describe(*given) for given in case.fixed]
    return value + sum(case.fixed_value(given) for given in case.fixed), fixed + described


def _family_plans(case: Case, family: str) -> dict[State, tuple[float, tuple[Pool, ...]]]:
    """The best way to reach each state with pools of one family, start by start."""
    offers = [entry for entry in case.offers.values() if case.family(entry) == family]
    scarce = {offer["id"]: limit for offer in offers if (limit := case.scarce_supply(offer)) is not None}
    states = {State(0, (0,) * len(scarce), case.slack, ()): (0.0, ())}
    for start in range(case.horizon):
        if (family, start) in {given[:2] for given in case.fixed}:
            continue
        pools = list(_pools(case, family, start, offers=offers, scarce=scarce))
        for state, (value, chosen) in list(states.items()):
            for pool in pools:
                if state.mask & pool.mask:
                    continue
                supply = tuple(map(sum, zip(state.supply, pool.supply)))
                if any(used > limit for used, limit in zip(supply, scarce.values())):
                    continue
                counts, leads = state.counts + pool.counts, tuple(sorted(state.leads + pool.leads, key=sorted))
                if counts & case.overflow or (pool.leads and case.assign(leads) is None):
                    continue
                reached = State(state.mask | pool.mask, supply, counts, leads)
                if reached not in states or states[reached][0] < value + pool.value:
                    states[reached] = (value + pool.value, (*chosen, pool))
    return states


def _joined(
    case: Case,
    plans: dict[tuple[int, Leads], tuple[float, tuple[Pool, ...]]],
    family: dict[State, tuple[float, tuple[Pool, ...]]],
) -> dict[tuple[int, Leads], tuple[float, tuple[Pool, ...]]]:
    """Every plan so far beside every plan of one more family, where the shared limits allow both."""
    ends: dict[tuple[int, Leads], tuple[float, tuple[Pool, ...]]] = {}
    for state, plan in family.items():
        end = (state.counts - case.slack, state.leads)
        if end not in ends or ends[end][0] < plan[0]:
            ends[end] = plan
    joined: dict[tuple[int, Leads], tuple[float, tuple[Pool, ...]]] = {}
    for (counts, leads), (value, pools) in plans.items():
        for (more, more_leads), (gain, added) in ends.items():
            key = (counts + more, tuple(sorted(leads + more_leads, key=sorted)))
            if key[0] & case.overflow or case.assign(key[1]) is None:
                continue
            if key not in joined or joined[key][0] < value + gain:
                joined[key] = (value + gain, pools + added)
    return joined


def _pools(case: Case, family: str, start: int, *, offers: list[Document], scarce: dict[str, int]) -> Iterator[Pool]:
    """Every set of lots of one family and start that rules 1-5, 7, 9 and 10 allow; of equal footprints the best."""
    found: dict[tuple[int, tuple[int, ...]], tuple[float, Lots]] = {(0, (0,) * len(scarce)): (0.0, ())}
    for offer in offers:
        lots = list(_lots(case, offer, start))
        for (mask, supply), (value, chosen) in list(found.items()):
            for lot, gain in lots:
                if mask & lot:
                    continue
                used = tuple(have + case.quantity(lot) * (name == offer["id"]) for name, have in zip(scarce, supply))
                key = (mask | lot, used)
                if key not in found or found[key][0] < value + gain:
                    found[key] = (value + gain, (*chosen, (offer["id"], lot)))
    for (mask, supply), (value, lots) in found.items():
        if not mask or not case.pool_fits(mask) or any(used > cap for used, cap in zip(supply, scarce.values())):
            continue
        leads: Leads = ()
        if case.free_lead(mask) is None:
            leads = (frozenset(case.eligible(mask)),)
            if not leads[0]:
                continue
        worth = value - case.pool_cost(mask)
        yield Pool(family, start, mask, lots, worth, supply, case.pool_counts(mask, start), leads)


def _lots(case: Case, offer: Document, start: int) -> Iterator[tuple[int, float]]:
    """Every set of lines that may share the offer at the start, with its worth less the lot's cost."""
    fits = sum(1 << i for i in case.free if case.fits(i, offer, start))
    mask = fits
    while mask:
        tier = case.tier(mask, offer)
        small = offer["max_quantity"] is None or case.quantity(mask) <= offer["max_quantity"]
        if tier is not None and small and case.authorities(mask) >= case.policy["min_participants"]:
            benefits = [case.benefit(i, start, offer, tier) for i in case.members(mask)]
            if not case.policy["no_one_worse_off"] or not any(
                gain < -1e-6 * max(1, case.spend(i)) for i, gain in zip(case.members(mask), benefits)
            ):
                yield mask, sum(benefits) + case.kept(mask, offer, start) - case.policy["lot_cost_eur"]
        mask = (mask - 1) & fits
