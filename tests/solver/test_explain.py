"""One case for each reason why a line stays out; each plan passes the judge."""

import json
from typing import Any

import pytest

from solver import Instance, solve
from solver.check import check
from solver.plan import Unpooled
from tests.solver.instances import category, instance, line, offer, participant

Document = dict[str, Any]


def reasons(document: Document) -> dict[str, Unpooled]:
    plan = solve(Instance.from_document(document), time_limit_s=60)
    assert check(document, json.loads(json.dumps(plan.to_document()))) == []
    return {entry.line: entry for entry in plan.unpooled}


def pair(**of_a: Any) -> list[Document]:
    """Two lines of 500 at 100 EUR, from two countries."""
    return [line("a", "DK-1", **of_a), line("b", "SE-1")]


def case(reason: str) -> Document:
    """The smallest question in which line ``a`` stays out for the reason."""
    offers, lines, policy, more = [offer("o")], pair(), {}, {}
    match reason:
        case "outside_horizon":
            lines = pair(earliest_start="2020-01", latest_start="2020-06")
        case "forbidden":
            more["forbidden"] = [{"line": "a"}]
        case "no_offer":
            policy["green_floor"] = ["x"]
        case "criteria_unmet":
            lines = pair(required=["x"])
        case "criteria_refused":
            offers, lines = [offer("o", criteria=["x"])], pair(refused=["x"])
        case "too_large":
            offers = [offer("o", max_quantity=400)]
        case "no_partner":
            lines = [line("a", "DK-1"), line("b", "DK-1")]
            policy["min_participants"] = 2
        case "volume_short":
            offers = [offer("o", (1001, 90.0))]
        case "not_worth_it":
            offers = [offer("o", (1000, 110.0))]
            policy["no_one_worse_off"] = False
        case "capacity":
            policy["max_countries_per_pool"] = 1
            policy["min_participants"] = 2
        case "better_without":
            policy["pool_cost_eur"] = 1_000_000
    return instance(lines, offers, **policy, **more)


FIGURES = {
    "outside_horizon": {"latest_start": "2020-06"},
    "criteria_unmet": {"unmet_criteria": ["x"]},
    "criteria_refused": {"refused_criteria": ["x"]},
    "too_large": {"quantity": 500, "max_quantity": 400},
    "no_partner": {"authorities": 1, "min_participants": 2},
    "volume_short": {"tipping_quantity": 1001, "missing_quantity": pytest.approx(1), "willing_authorities": 2},
    "not_worth_it": {"best_benefit_eur": pytest.approx(-5000)},
    "capacity": {"limit": "max_countries_per_pool", "would_add_eur": pytest.approx(10_000)},
    "better_without": {"lowers_total_by_eur": pytest.approx(990_000)},
}


@pytest.mark.parametrize("reason", ["forbidden", "no_offer", *FIGURES])
def test_a_line_stays_out_for_the_reason_with_its_figures(reason: str) -> None:
    found = reasons(case(reason))["a"]
    assert found.reason.value == reason
    expected = FIGURES.get(reason, {})
    assert {name: found.figures[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("changes", "limit"),
    [({"max_leads": 0}, "max_leads"), ({"may_lead": False}, "may_lead")],
)
def test_a_pool_without_a_lead_is_a_matter_of_capacity(changes: Document, limit: str) -> None:
    people = [participant(name, **changes) for name in ("DK-1", "SE-1")]
    found = reasons(instance(pair(), [offer("o")], participants=people))["a"]
    assert (found.reason.value, found.figures["limit"]) == ("capacity", limit)


def test_a_participants_full_quarter_is_named() -> None:
    people = [participant("DK-1", max_pools_per_quarter=0), participant("SE-1")]
    found = reasons(instance(pair(), [offer("o")], participants=people))["a"]
    assert (found.reason.value, found.figures["limit"]) == ("capacity", "max_pools_per_quarter of DK-1")


def test_what_supply_cannot_give_is_named() -> None:
    lines = [line(name, f"{name.upper()}K-1") for name in "abcd"]
    offers = [offer("o", total_max_quantity=1000)]
    found = reasons(instance(lines, offers, categories=[category("c")]))
    assert {entry.figures["limit"] for entry in found.values()} == {"total_max_quantity"}


def test_figures_beyond_the_solver_give_a_plan_all_the_same() -> None:
    document = instance([line("a", "DK-1", unit_price_eur=1e13), line("b", "SE-1", unit_price_eur=1e13)], [offer("o")])
    plan = solve(Instance.from_document(document), time_limit_s=20)
    assert plan.bound_eur >= plan.objective_eur
    assert check(document, json.loads(json.dumps(plan.to_document()))) == []


@pytest.mark.parametrize("name", ["fixed", "forbidden", "previous"])
def test_reader_and_judge_agree_on_lists_that_are_absent(name: str) -> None:
    document = case("better_without")
    document[name] = None
    del document["policy"]["green_floor"]
    del document["policy"]["criterion_value"]
    for row in document["lines"]:
        del row["required"]
    assert reasons(document)["a"].reason.value == "better_without"
