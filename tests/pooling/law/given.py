"""A joint tender to which no rule objects, to be changed in one place; everything in it is made up."""

from dataclasses import replace
from datetime import date
from typing import Any

from pooling import law
from pooling.law import Amount, Applies, Body, Buyer, Category, Consequence, Severity, Talk, TenderFacts

ON = date(2027, 3, 1)
"""A day on which every rule is in force."""
BODY = Body("SE-M", "Region Skåne", "SE", "Lag (2016:1145)", "sv", "Förvaltningsrätten", "made up")


def buyer(code: str, **changes: Any) -> Buyer:
    """EUR 300,000 over three years; a Swede unless the code says otherwise."""
    given = Buyer(
        participant=code,
        country=code[:2],
        contracting_authority=True,
        role="lead" if code == "SE-M" else "member",
        signing_body=code,
        value_per_year_cents=10_000_000,
        value_cents=30_000_000,
        maximum_value_cents=36_000_000,
        amounts=(Amount("gowns", 300_000, 360_000),),
        joined_on=date(2027, 1, 10),
    )
    return replace(given, **changes)


def category(**changes: Any) -> Category:
    """Gowns, in the range of the measure against bidders from China."""
    given = Category(
        id="gowns",
        family="protective-clothing",
        cpv="33199000",
        value_cents=72_000_000,
        green_criteria=("reusable",),
        suppliers=1,
        buying_share=0.1,
    )
    return replace(given, **changes)


def tender(**changes: Any) -> TenderFacts:
    """Two Swedish regions, three years, two lots, talked about a year before."""
    given = TenderFacts(
        buyers=(buyer("SE-M"), buyer("SE-AB")),
        lead="SE-M",
        lead_body=BODY,
        categories=(category(),),
        term_months=36,
        start=date(2028, 1, 1),
        notice_on=ON,
        lots=2,
        environment_weight=0.3,
        agreement_signed=True,
        central_government=False,
        frozen_on=date(2027, 2, 1),
        talks=(Talk(date(2026, 3, 1), ("gowns",)),),
    )
    return replace(given, **changes)


def asked(rule: str, facts: TenderFacts, on: date = ON) -> list[Consequence]:
    """What one rule answers."""
    return [each for each in law.evaluate(facts, on) if each.rule == rule]


def answer(rule: str, facts: TenderFacts, on: date = ON) -> tuple[Applies, Severity]:
    """The gravest of what one rule answers."""
    order = list(Severity)
    worst = max(asked(rule, facts, on), key=lambda each: order.index(each.severity))
    return worst.applies, worst.severity
