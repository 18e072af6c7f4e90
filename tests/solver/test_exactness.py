"""The solve equals brute force on every kind of tiny instance, and the instances between them exercise every rule."""

import copy
from collections import Counter
from typing import Any

import pytest

from solver import Instance, Plan, solve
from solver.check import check
from tests.solver.brute import best
from tests.solver.features import FEATURES, binding
from tests.solver.instances import THEMES, Document, category, instance, line, offer, participant, random_instance

CASES_A_THEME, LEAST_BINDING = 15, 2
MORE_A_THEME, MORE_BINDING = 50, 8
"""So many instances of each theme are compared, and at length; in so many each feature changes the best total."""
APART_EXACT = 0.9
"""Share of the instances in which families apart reach the best plan; beyond it they owe a lawful one and a bound."""
TOLERANCE_EUR = 0.01


def judged(document: Document, **options: Any) -> Plan:
    """The plan, judged."""
    plan = solve(Instance.from_document(document), **{"time_limit_s": 60.0, **options})
    assert check(document, plan.to_document()) == []
    return plan


def compare(document: Document, total: float) -> bool:
    """Both ways to solve against the best total; whether families apart reached it."""
    slack = TOLERANCE_EUR + 1e-6 * abs(total)
    whole = judged(document)
    assert whole.objective_eur == pytest.approx(total, abs=slack)
    assert whole.bound_eur >= total - slack
    assert whole.status == "optimal"
    apart = judged(document, whole_cells=0)
    assert apart.objective_eur <= total + slack
    assert apart.bound_eur >= total - slack
    return apart.objective_eur >= total - slack


def compare_where_rules_bind(cases_a_theme: int, least: int) -> None:
    bound: Counter[str] = Counter()
    exact = 0
    for theme in THEMES:
        for seed in range(cases_a_theme):
            document = random_instance(seed, theme=theme)
            total, _ = best(document)
            try:
                exact += compare(document, total)
            except AssertionError as wrong:
                wrong.add_note(f"random_instance({seed}, theme={theme})")
                raise
            bound.update(binding(document, total, among=[name for name in FEATURES if bound[name] < least]))
    assert {name: bound[name] for name in FEATURES if bound[name] < least} == {}
    assert exact >= APART_EXACT * cases_a_theme * len(THEMES)


def test_the_solve_equals_brute_force_where_every_rule_binds() -> None:
    compare_where_rules_bind(CASES_A_THEME, LEAST_BINDING)


@pytest.mark.prove
def test_the_solve_equals_brute_force_in_500_cases_and_more() -> None:
    assert MORE_A_THEME * len(THEMES) >= 500
    compare_where_rules_bind(MORE_A_THEME, MORE_BINDING)


def scaled(document: Document, *, volume: int, price: float) -> Document:
    """The same question in other units: volumes and unit prices times so much, costs to match."""
    changed = copy.deepcopy(document)
    for row in changed["lines"]:
        row |= {name: row[name] * volume for name in ("quantity", "quantity_low", "quantity_high")}
        row["unit_price_eur"] *= price
    for row in changed["offers"]:
        row |= {name: row[name] and row[name] * volume for name in ("max_quantity", "total_max_quantity")}
        row["co2_saved_kg_per_unit"] *= price
        for tier in row["tiers"]:
            tier["from_quantity"] *= volume
            tier["unit_price_eur"] *= price
    costs = [name for name in changed["policy"] if name.endswith("cost_eur")] + ["stability_eur"]
    changed["policy"] |= {name: changed["policy"][name] * volume * price for name in costs}
    return changed


@pytest.mark.parametrize(("volume", "price"), [(10**6, 1e-6), (10**6, 1.0), (1, 1e-4), (10**4, 1e3)])
def test_the_size_of_the_figures_changes_nothing(volume: int, price: float) -> None:
    for theme in THEMES:
        for seed in range(2):
            document = scaled(random_instance(seed, theme=theme), volume=volume, price=price)
            compare(document, best(document)[0])


@pytest.mark.prove
def test_the_solve_equals_brute_force_at_length() -> None:
    exact = 0
    for theme in THEMES:
        for seed in range(500):
            document = random_instance(seed + 10_000, theme=theme)
            exact += compare(document, best(document)[0])
    assert exact >= APART_EXACT * 500 * len(THEMES)


# What a feature that binds looks like, and one that does not: the measure of the test above --------------------------


def pair(**fields: object) -> list[Document]:
    """Two authorities with 500 units each, which together just reach the default offer's 1000 and save 10000."""
    return [line("a", "SE-A", **fields), line("b", "DK-B", **fields)]


def two_families(**fields: Any) -> Document:
    """a and b twice, in two families."""
    lines = [*pair(), *({**row, "id": row["id"] * 2, "category": "d"} for row in pair())]
    return instance(
        lines,
        [offer("o"), offer("p", category="d")],
        categories=[category("c"), category("d", family="g")],
        horizon_months=3,
        **fields,
    )


DECIDED = {"family": "f", "start": "2027-01", "lead": "SE-A", "lots": [{"offer": "o", "lines": ["a", "b"]}]}
PEOPLE = {"SE-A": {}, "DK-B": {}}


def people(**fields: Document) -> list[Document]:
    """Both authorities; fields by the last letter of the id."""
    return [participant(name, **fields.get(name[-1], {})) for name in ("SE-A", "DK-B")]


BINDING: dict[str, Document] = {
    "programme's quarters": two_families(max_pools_per_quarter=1),
    "participants' quarters": two_families(participants=people(A={"max_pools_per_quarter": 1})),
    "most leads": two_families(participants=people(A={"max_leads": 1}, B={"may_lead": False})),
    "who may lead": instance(pair(), [offer("o")], participants=people(A={"may_lead": False}, B={"may_lead": False})),
    "associates": instance(pair(), [offer("o")], participants=people(A={"contracting_authority": False})),
    "least participants": instance([line("a", "SE-A", quantity=1000)], [offer("o")]),
    "confidence": instance(pair(quantity_low=400), [offer("o")], confidence=0.9),
    "correlation": instance(
        pair(quantity_low=436, quantity_high=564), [offer("o", (900, 90.0))], confidence=0.9, forecast_correlation=0.9
    ),
    "forbidden": instance(pair(), [offer("o")], forbidden=[{"line": "a"}]),
    "fixed inside the horizon": two_families(fixed=[DECIDED], max_pools_per_quarter=1),
    "fixed outside the horizon": two_families(
        fixed=[DECIDED | {"start": "2026-06"}], participants=people(A={"max_leads": 1}, B={"may_lead": False})
    ),
    "previous": instance(
        pair(),
        [offer("o")],
        previous=[{"line": "a", "offer": "o", "start": "2027-05"}],
        stability_eur=10,
    ),
    "largest lot": instance(pair(), [offer("o", max_quantity=999)]),
    "supply of an offer": instance(pair(), [offer("o", total_max_quantity=999)]),
    "widest pool": instance(pair(), [offer("o")], max_participants_per_pool=1),
    "most countries": instance(pair(), [offer("o")], max_countries_per_pool=1),
    "cost of countries": instance(pair(), [offer("o")], country_cost_eur=1),
    "green floor": instance(pair(), [offer("o")], green_floor=["e"]),
    "required": instance(pair(required=["e"]), [offer("o")]),
    "refused": instance(pair(refused=["e"]), [offer("o", criteria=["e"])]),
    "no one worse off": instance(
        [line("a", "SE-A"), line("b", "DK-B", unit_price_eur=89.0)], [offer("o")], no_one_worse_off=True
    ),
    "prices above a member's own": instance([line("a", "SE-A"), line("b", "DK-B", unit_price_eur=89.0)], [offer("o")]),
    "starts that are no line's earliest": instance(pair(), [offer("o")], forbidden=[{"start": "2027-01"}]),
}


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_that_binds_is_told_from_one_that_does_not(feature: str) -> None:
    document = BINDING[feature]
    assert feature in binding(document, best(document)[0])
    loose = instance(pair(), [offer("o")])
    assert binding(loose, best(loose)[0]) == set()
