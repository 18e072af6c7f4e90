"""Rules 1 to 10 of the contract, one function each.

Pools already decided are not judged by rules 1-5 and 9. What they use up counts in rules 7, 8 and 10, where new pools
may take what is left of a limit, never less than none.
"""

from collections import Counter
from collections.abc import Iterator

from solver.check.facts import Facts, Line, Offer
from solver.check.reckoning import Reckoning
from solver.check.violation import Violation
from solver.check.worth import quantity


def left(limit: int, used: int) -> int:
    """What fixed pools leave of a limit to new ones."""
    return max(0, limit - used)


def every_line_fits(case: Reckoning) -> Iterator[Violation]:
    """Rule 1."""
    for lot in case.new_lots:
        missing = sorted(case.facts.policy.green_floor - lot.offer.criteria)
        if missing:
            yield Violation("rule-1", f"{lot.path}.offer", f"{lot.offer.id} lacks {missing} of the green floor")
        for path, line in lot.stated.places:
            for problem in misfits(case.facts, line, offer=lot.offer, start=lot.pool.start):
                yield Violation("rule-1", path, f"{line.id} {problem}")


def misfits(facts: Facts, line: Line, *, offer: Offer, start: int) -> Iterator[str]:
    """Why the line cannot take the offer at the start."""
    if line.category != offer.category:
        yield f"is of category {line.category}, the offer of {offer.category}"
    if not facts.in_window(line, start):
        yield f"cannot start at offset {start}: it can from {line.earliest} to {line.latest}, within the horizon"
    if line.required - offer.criteria:
        yield f"requires {sorted(line.required - offer.criteria)}, which the offer does not meet"
    if line.refused & offer.criteria:
        yield f"refuses {sorted(line.refused & offer.criteria)}, which the offer meets"
    if facts.forbidden(line, start, offer):
        yield "is forbidden there"


def no_lot_is_too_large(case: Reckoning) -> Iterator[Violation]:
    """Rule 2."""
    for lot in case.new_lots:
        limit = lot.offer.max_quantity
        if limit is not None and lot.quantity > limit:
            yield Violation(
                "rule-2", lot.path, f"{lot.quantity} units are above max_quantity {limit} of {lot.offer.id}"
            )


def every_lot_reaches_a_tier(case: Reckoning) -> Iterator[Violation]:
    """Rule 3."""
    for lot in case.new_lots:
        if lot.below_tipping:
            message = f"sure quantity {lot.sure_quantity:.6f} is below the tipping volume {lot.offer.tiers[0][0]}"
            yield Violation("rule-3", lot.path, message)


def every_lot_has_enough_authorities(case: Reckoning) -> Iterator[Violation]:
    """Rule 4."""
    for lot in case.new_lots:
        count = len({line.participant.id for line in lot.lines if line.participant.authority})
        if count < case.facts.policy.min_participants:
            message = f"{count} contracting authorities, min_participants is {case.facts.policy.min_participants}"
            yield Violation("rule-4", lot.path, message)


def no_member_is_worse_off(case: Reckoning) -> Iterator[Violation]:
    """Rule 5."""
    if not case.facts.policy.no_one_worse_off:
        return
    for lot in case.new_lots:
        for line, entry in zip(lot.lines, lot.worths, strict=True):
            if entry.benefit < -1e-6 * max(1.0, line.spend):
                yield Violation("rule-5", lot.path, f"{line.id} would lose {-entry.benefit:.2f} EUR")


def no_line_twice(case: Reckoning) -> Iterator[Violation]:
    """Rule 6."""
    first: dict[str, str] = {}
    for lot in case.lots:
        for path, line in lot.stated.places:
            if line.id in first:
                yield Violation("rule-6", path, f"{line.id} already stands at {first[line.id]}")
            first.setdefault(line.id, path)


def every_pool_has_a_lead(case: Reckoning) -> Iterator[Violation]:
    """Rule 7."""
    leads: Counter[str] = Counter()
    used = Counter(given.lead for given in case.facts.fixed)
    for pool in case.plan.new:
        if pool.lead is None:
            continue
        lead = case.facts.participants.get(pool.lead)
        if lead is None or lead.id not in pool.participants:
            yield Violation("rule-7", f"{pool.path}.lead", f"{pool.lead} is not one of the pool's participants")
        if lead is None:
            continue
        if not lead.may_lead:
            yield Violation("rule-7", f"{pool.path}.lead", f"{lead.id} may not lead")
        if not lead.authority:
            yield Violation("rule-7", f"{pool.path}.lead", f"{lead.id} is no contracting authority")
        leads[lead.id] += 1
        if lead.max_leads is not None and leads[lead.id] > left(lead.max_leads, used[lead.id]):
            counts = f"{leads[lead.id]} new and {used[lead.id]} fixed pools"
            message = f"{lead.id} leads {counts}, max_leads is {lead.max_leads}"
            yield Violation("rule-7", f"{pool.path}.lead", message)


def quarters_hold(case: Reckoning) -> Iterator[Violation]:
    """Rule 8; a start outside the horizon is in no quarter."""
    facts, horizon = case.facts, range(case.facts.policy.horizon_months)
    used = Counter(
        (name, pool.start // 3) for pool in facts.fixed if pool.start in horizon for name in (None, *pool.participants)
    )
    new: Counter[tuple[str | None, int]] = Counter()
    for pool in case.plan.new:
        if pool.start not in horizon:
            continue
        for name in (None, *sorted(pool.participants)):
            key = (name, pool.start // 3)
            new[key] += 1
            limit = facts.policy.max_pools_per_quarter
            if name is not None:
                limit = facts.participants[name].max_pools_per_quarter
            if limit is not None and new[key] > left(limit, used[key]):
                who = "the programme" if name is None else name
                message = (
                    f"{new[key]} new and {used[key]} fixed pools of {who} in quarter {key[1]}, the limit is {limit}"
                )
                yield Violation("rule-8", pool.path, message)


def no_pool_is_too_wide(case: Reckoning) -> Iterator[Violation]:
    """Rule 9."""
    policy = case.facts.policy
    for pool in case.plan.new:
        for count, limit, what in (
            (len(pool.participants), policy.max_participants_per_pool, "participants"),
            (len(pool.countries), policy.max_countries_per_pool, "countries"),
        ):
            if limit is not None and count > limit:
                yield Violation("rule-9", pool.path, f"{count} {what}, max_{what}_per_pool is {limit}")


def supply_holds(case: Reckoning) -> Iterator[Violation]:
    """Rule 10."""
    used: Counter[str] = Counter()
    for given in case.facts.fixed:
        for offer, lines in given.lots:
            used[offer.id] += quantity(lines)
    new: Counter[str] = Counter()
    for lot in case.new_lots:
        offer = lot.offer
        new[offer.id] += lot.quantity
        limit = offer.total_max_quantity
        if limit is not None and new[offer.id] > left(limit, used[offer.id]):
            message = (
                f"{new[offer.id]} new and {used[offer.id]} fixed units on {offer.id}, total_max_quantity is {limit}"
            )
            yield Violation("rule-10", lot.path, message)
