"""Every rule of the judge finds a fault that no other rule finds: with the rule taken out, the fault passes."""

from collections.abc import Callable
from typing import Any

import pytest

from solver.check import RULES, check, judge
from tests.solver.instances import Document, instance, line, offer, participant
from tests.solver.plans import plan_document

LINES = (("a", "SE-A"), ("b", "DK-B"), ("c", "SE-A"), ("d", "DK-B"))
JANUARY: Document = {"family": "f", "start": "2027-01", "lead": "SE-A", "lots": [{"offer": "o", "lines": ["a", "b"]}]}
JULY: Document = JANUARY | {"start": "2027-07", "lots": [{"offer": "o", "lines": ["c", "d"]}]}


def market(*offers: Document, people: dict[str, Document] | None = None, lines: Document | None = None, **policy: Any):
    """Two authorities with two lines of 500 units each, an offer from 1000 on, and a second one like it."""
    fields = lines or {}
    return instance(
        [line(name, person, **fields.get(name, {})) for name, person in LINES],
        offers or [offer("o"), offer("p")],
        participants=[participant(name, **(people or {}).get(name, {})) for name in ("SE-A", "DK-B")],
        **policy,
    )


def pools(document: Document, *proposed: Document) -> tuple[Document, Document]:
    """The plan of these pools, with every figure to match."""
    return document, plan_document(document, list(proposed))


def told(**fields: Any) -> tuple[Document, Document]:
    """A right plan that says something else of itself."""
    document, plan = pools(market(), JANUARY)
    return document, plan | fields


def lot_told(**fields: Any) -> tuple[Document, Document]:
    document, plan = pools(market(), JANUARY)
    plan["pools"][0]["lots"][0] |= fields
    return document, plan


def twice_on_an_offer() -> tuple[Document, Document]:
    return pools(market(), JANUARY | {"lots": [{"offer": "o", "lines": list(pair)} for pair in ("ab", "cd")]})


def of_another_tier() -> tuple[Document, Document]:
    """The first tier, with figures to match, where the second is reached and costs the same."""
    document = market(offer("o", (500, 90.0), (900, 90.0)))
    plan = plan_document(document, [JANUARY])
    plan["pools"][0]["lots"][0]["tier"] = 0
    return document, plan


def members_told() -> tuple[Document, Document]:
    document, plan = pools(market(), JANUARY)
    plan["pools"][0]["participants"] = ["SE-A"]
    return document, plan


def total_told() -> tuple[Document, Document]:
    document, plan = pools(market(), JANUARY)
    plan["totals"]["savings_eur"] += 1
    return document, plan


def objective_told() -> tuple[Document, Document]:
    """One euro too much, bound and gap to match."""
    document, plan = pools(market(), JANUARY)
    total = plan["objective_eur"] + 1
    return document, plan | {"objective_eur": total, "bound_eur": total}


def bound_told() -> tuple[Document, Document]:
    """Below the plan's own total, gap to match."""
    document, plan = pools(market(), JANUARY)
    bound = plan["objective_eur"] - 1
    return document, plan | {"bound_eur": bound, "gap": -1 / bound}


def twice_unpooled() -> tuple[Document, Document]:
    document, plan = pools(market(), JANUARY)
    plan["unpooled"].append(plan["unpooled"][0])
    return document, plan


def reason_told() -> tuple[Document, Document]:
    document, plan = pools(market(), JANUARY)
    plan["unpooled"][0]["reason"] = "no_offer"
    return document, plan


PLANTED: dict[str, Callable[[], tuple[Document, Document]]] = {
    "fixed_pools_stand": lambda: pools(market(fixed=[JANUARY]), JANUARY | {"lead": "DK-B"}),
    "one_pool_a_family_and_start": lambda: pools(
        market(), JANUARY, JANUARY | {"lots": [{"offer": "p", "lines": ["c", "d"]}]}
    ),
    "one_lot_an_offer": twice_on_an_offer,
    "every_line_fits": lambda: pools(market(forbidden=[{"line": "a", "start": "2027-01"}]), JANUARY),
    "no_lot_is_too_large": lambda: pools(market(offer("o", max_quantity=999)), JANUARY),
    "every_lot_reaches_a_tier": lambda: pools(market(offer("o", (1001, 90.0))), JANUARY),
    "every_lot_has_enough_authorities": lambda: pools(market(min_participants=3), JANUARY),
    "no_member_is_worse_off": lambda: pools(
        market(lines={"a": {"unit_price_eur": 89.0}}, no_one_worse_off=True), JANUARY
    ),
    "no_line_twice": lambda: pools(market(), JANUARY, JULY | {"lots": [{"offer": "o", "lines": ["c", "d", "a"]}]}),
    "every_pool_has_a_lead": lambda: pools(market(people={"SE-A": {"max_leads": 1}}), JANUARY, JULY),
    "quarters_hold": lambda: pools(market(max_pools_per_quarter=1), JANUARY, JULY | {"start": "2027-03"}),
    "no_pool_is_too_wide": lambda: pools(market(max_countries_per_pool=1), JANUARY),
    "supply_holds": lambda: pools(market(offer("o", total_max_quantity=1999)), JANUARY, JULY),
    "every_line_has_its_place": twice_unpooled,
    "reasons_are_the_first_that_apply": reason_told,
    "tiers_are_the_highest": of_another_tier,
    "lot_figures_agree": lambda: lot_told(quantity=1001),
    "pool_members_agree": members_told,
    "totals_agree": total_told,
    "objective_agrees": objective_told,
    "bound_is_no_lower": bound_told,
    "gap_agrees": lambda: told(gap=0.00001),
    "status_agrees": lambda: told(status="feasible"),
}


def test_every_rule_has_a_planted_fault() -> None:
    assert [rule.__name__ for rule in RULES] == list(PLANTED)


@pytest.mark.parametrize("name", PLANTED)
def test_the_fault_is_found_by_its_rule_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    document, plan = PLANTED[name]()
    assert len(check(document, plan)) == 1
    monkeypatch.setattr(judge, "RULES", tuple(rule for rule in RULES if rule.__name__ != name))
    assert check(document, plan) == []
