"""Runs every rule over a plan; the tuple of rules is the table of contents."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from solver.check import rules, shape, stated
from solver.check.facts import UNREADABLE, read_facts
from solver.check.reading import read_plan
from solver.check.reasons import reasons_are_the_first_that_apply
from solver.check.reckoning import Reckoning, reckon
from solver.check.violation import Violation

Rule = Callable[[Reckoning], Iterable[Violation]]

RULES: tuple[Rule, ...] = (
    shape.fixed_pools_stand,
    shape.one_pool_a_family_and_start,
    shape.one_lot_an_offer,
    rules.every_line_fits,
    rules.no_lot_is_too_large,
    rules.every_lot_reaches_a_tier,
    rules.every_lot_has_enough_authorities,
    rules.no_member_is_worse_off,
    rules.no_line_twice,
    rules.every_pool_has_a_lead,
    rules.quarters_hold,
    rules.no_pool_is_too_wide,
    rules.supply_holds,
    shape.every_line_has_its_place,
    reasons_are_the_first_that_apply,
    stated.tiers_are_the_highest,
    stated.lot_figures_agree,
    stated.pool_members_agree,
    stated.totals_agree,
    stated.objective_agrees,
    stated.bound_is_no_lower,
    stated.gap_agrees,
    stated.status_agrees,
)


def check(instance_document: Mapping[str, Any], plan_document: object) -> list[Violation]:
    """Everything the plan does that the contract does not allow; an empty list is a valid plan.

    The instance is taken to be valid; one that cannot be read is the single violation ``instance``.
    """
    try:
        facts = read_facts(instance_document)
    except UNREADABLE as error:
        message = (
            f"the instance cannot be read ({type(error).__name__}: {error}); Instance.from_document names its faults"
        )
        return [Violation("instance", "", message)]
    plan, unread = read_plan(plan_document, facts)
    if plan is None:
        return unread
    case = reckon(facts, plan)
    return unread + [violation for rule in RULES for violation in rule(case)]
