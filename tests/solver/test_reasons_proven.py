"""Figures of the reasons that turn on volume, worth and limits, beside brute force over every plan."""

import copy
from collections.abc import Iterable
from itertools import combinations
from typing import Any

import pytest

from solver import Instance, solve
from solver.confirming import Confirming
from solver.explain import explain_unpooled
from solver.lots import Market
from solver.plan import Unpooled
from solver.worth import Worth
from tests.solver.brute import best
from tests.solver.brute_case import Case
from tests.solver.instances import instance, line, month, offer, participant, random_instance

Document = dict[str, Any]
HELD = 1e8


def reasons(document: Document) -> dict[str, Unpooled]:
    return {
        entry.line: entry for entry in solve(Instance.from_document(document), time_limit_s=60, settle=True).unpooled
    }


def best_with(document: Document, position: int) -> float | None:
    """The total of the best plan that has the line in a pool; None where no lawful plan has."""

    class Holding(Case):
        def kept(self, mask: int, offer: Document, start: int) -> float:
            return super().kept(mask, offer, start) + (HELD if mask >> position & 1 else 0)

    value, _ = best(document, Holding)
    return value - HELD if value > HELD / 2 else None


def most_sure(document: Document, position: int) -> float:
    """The largest sure quantity of any lines with this one, with enough authorities."""
    case, count = Case(document), len(document["lines"])
    others = [k for k in range(count) if k != position]
    masks = [sum(1 << k for k in (position, *some)) for size in range(count) for some in combinations(others, size)]
    least = document["policy"]["min_participants"]
    return max(case.sure(mask) for mask in masks if case.authorities(mask) >= least)


def without(document: Document, limits: Iterable[str], offer_id: str) -> Document:
    """The document with the named limits gone."""
    free = copy.deepcopy(document)
    for limit in limits:
        kind, _, of = limit.partition(" of ")
        if kind in ("may_lead", "max_leads") or (of and kind == "max_pools_per_quarter"):
            people = [person for person in free["participants"] if not of or person["id"] == of]
            for person in people:
                person[kind] = True if kind == "may_lead" else None
        elif kind in ("max_quantity", "total_max_quantity"):
            next(sold for sold in free["offers"] if sold["id"] == (of or offer_id))[kind] = None
        else:
            assert kind in free["policy"], limit
            free["policy"][kind] = None
    return free


def test_volume_is_short_where_the_partners_needed_are_too_unsure() -> None:
    unsure = line("b", "SE-B", quantity=100, quantity_low=0, quantity_high=1000)
    document = instance([line("a", "SE-A", quantity=100), unsure], [offer("o", (100, 90.0))], confidence=0.9)
    found = reasons(document)["a"]
    # 200 - z(0.9) * 1000 / (2 z(0.9)) = -300, and the line alone is one authority of two.
    assert (found.reason.value, found.figures["confirmed"]) == ("volume_short", True)
    assert found.figures["best_sure_quantity"] == pytest.approx(-300)
    assert found.figures["missing_quantity"] == pytest.approx(400)


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("spread", [(0, 900), (200, 500), (380, 2000)])
def test_the_best_sure_quantity_is_that_of_the_best_choice(correlation: float, spread: tuple[int, int]) -> None:
    low, high = spread
    lines = [line("a", "SE-A", quantity=200), line("b", "SE-B", quantity=400, quantity_low=low, quantity_high=high)]
    lines += [line("c", "SE-C", quantity=100, quantity_low=50, quantity_high=150)]
    lines += [line("d", "SE-D", quantity=800, quantity_low=0, quantity_high=1900)]
    policy: Document = {
        "confidence": 0.9,
        "forecast_correlation": correlation,
        "min_participants": 3,
        "horizon_months": 1,
    }
    document = instance(lines, [offer("o", (5000, 90.0))], **policy)
    for position, found in enumerate(reasons(document).values()):
        assert found.reason.value == "volume_short"
        assert found.figures["best_sure_quantity"] == pytest.approx(most_sure(document, position))


def test_the_best_benefit_is_one_that_the_size_limit_lets_it_reach() -> None:
    # Three lines would reach the second tier, at a loss of 500 * 1 * 10 less, but two are the most that fit.
    lines = [line(name, f"SE-{name.upper()}") for name in "abc"]
    offers = [offer("o", (1000, 110.0), (1500, 101.0), max_quantity=1000)]
    policy: Document = {"no_one_worse_off": False, "term_months": 12, "line_cost_eur": 0}
    found = reasons(instance(lines, offers, **policy))["a"]
    assert (found.reason.value, found.figures["confirmed"]) == ("not_worth_it", True)
    assert found.figures["best_benefit_eur"] == pytest.approx(-5000)


def proven(seed: int) -> set[str]:
    """What of a random instance's reasons brute force bears out: a capacity, limits that one needs lifted, a loss."""
    document, kinds = random_instance(seed, 6), set[str]()
    total, _ = best(document)
    names = [row["id"] for row in document["lines"]]
    for name, found in reasons(document).items():
        if found.reason.value not in ("capacity", "better_without"):
            continue
        figures: Document = dict(found.figures)
        assert figures["confirmed"] is True
        limits = figures.get("limits_lifted", [])
        if found.reason.value == "capacity":
            limits = figures["limit"].split(" and ")
        if "fixed pool" in limits:
            continue
        free = without(document, limits, figures["offer"])
        holding = best_with(free, names.index(name))
        assert holding is not None
        if found.reason.value == "capacity":
            assert holding == pytest.approx(best(free)[0], abs=0.1)
            assert figures["would_add_eur"] == pytest.approx(holding - total, abs=0.1)
            kinds.add("capacity")
        elif limits:
            assert best_with(document, names.index(name)) is None
            kinds.add("lifted")
        else:
            assert figures["lowers_total_by_eur"] == pytest.approx(total - holding, abs=0.1)
            kinds.add("loss")
    return kinds


def test_limits_and_losses_are_what_brute_force_finds() -> None:
    found = [proven(seed) for seed in range(90_000, 90_060)]
    assert sum("capacity" in kinds for kinds in found) > 10


@pytest.mark.parametrize(
    ("kind", "seeds"), [("lifted", (90_065, 90_250, 90_285)), ("loss", (90_085, 90_088, 90_098, 90_117, 90_138))]
)
def test_rarer_reasons_are_what_brute_force_finds(kind: str, seeds: tuple[int, ...]) -> None:
    assert [kind in proven(seed) for seed in seeds] == [True] * len(seeds)


def test_two_limits_that_bind_together_are_both_named() -> None:
    people = [participant(name, max_pools_per_quarter=0) for name in ("DK-1", "SE-1")]
    found = reasons(instance([line("a", "DK-1"), line("b", "SE-1")], [offer("o")], participants=people))["a"]
    limits = {"max_pools_per_quarter of DK-1", "max_pools_per_quarter of SE-1"}
    assert found.reason.value == "capacity"
    assert set(str(found.figures["limit"]).split(" and ")) == limits


def test_a_pool_that_nobody_may_lead_is_not_a_matter_of_size() -> None:
    people = [participant(name, may_lead=False) for name in ("DK-1", "SE-1", "NO-1")]
    lines = [line("a", "DK-1"), line("b", "SE-1"), line("c", "NO-1")]
    found = reasons(instance(lines, [offer("o", max_quantity=1000)], participants=people))
    assert {str(entry.figures["limit"]) for entry in found.values()} <= {"may_lead", "max_quantity and may_lead"}
    assert all("may_lead" in str(entry.figures["limit"]) for entry in found.values())


def test_a_loss_counts_what_the_lots_left_behind_lose() -> None:
    # Only d's company of c keeps both lots alive: with d in, c leaves the lot of a and b below its volume.
    lines = [line("a", "SE-A"), line("b", "SE-B"), line("c", "SE-C", earliest_start=month("2027-01", 0))]
    lines += [line("d", "SE-D", required=["x"])]
    offers = [offer("o", (1500, 80.0)), offer("x", (1000, 95.0), criteria=["x"])]
    document = instance(lines, offers, min_participants=2)
    found = reasons(document)["d"]
    holding = best_with(document, 3)
    assert holding is not None
    assert found.reason.value == "better_without"
    assert found.figures["lowers_total_by_eur"] == pytest.approx(best(document)[0] - holding, abs=0.1)


def test_what_is_not_solved_again_is_marked_as_an_estimate() -> None:
    document = random_instance(90_003, 6)
    question = Instance.from_document(document)
    plan = solve(question, time_limit_s=60, settle=True)
    market, worth = Market(question), Worth(question)
    cells = {family: len(market.block([family]).cell_line) for family in market.families}
    by_plan = [entry.line for entry in plan.unpooled if entry.reason.value in ("capacity", "better_without")]
    assert by_plan
    for confirming in (None, Confirming(cells, work=0), Confirming(dict.fromkeys(cells, 10**9))):
        told = {entry.line: entry for entry in explain_unpooled(market, worth, plan.pools, confirming)}
        for name in by_plan:
            assert told[name].figures["confirmed"] is False
            assert told[name].figures.get("lowers_total_by_eur") != 0.0
    proven = explain_unpooled(market, worth, plan.pools, Confirming(cells))
    assert proven == plan.unpooled
