"""Plans that a rule of thumb makes: worked out by hand, each judged, none better than the best."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver import Instance, solve
from solver.baselines.by_rule import largest_first, on_the_standard_offer, plan_at_once, standard_offer, standard_place
from solver.baselines.forming import shelves
from solver.baselines.judged import judged
from solver.lots import Market
from solver.plan import Plan, PlanPool
from solver.worth import Worth
from tests.solver.brute import best
from tests.solver.instances import category, instance, line, offer, participant, random_instance

Document = dict[str, Any]
CENT = 0.01


def ruled(document: Document) -> tuple[Plan, Plan]:
    """On the standard offer, and largest first: plans without fixed pools or reasons, judged on everything else."""
    question = Instance.from_document(document)
    market, plan = Market(question), solve(question)
    on, worth = shelves(market), Worth(question)
    made = []
    for pools in (on_the_standard_offer(market, on), largest_first(market, on)):
        whole = (*worth.fixed_pools(), *pools)
        totals = worth.totals(whole)
        bound = max(plan.bound_eur, totals.objective_eur)
        one = replace(plan, pools=whole, unpooled=(), totals=totals, bound_eur=bound)
        made.append(judged(question, one, explained=False))
    return made[0], made[1]


def lines_of(pools: tuple[PlanPool, ...]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(pool.start, lot.offer, tuple(sorted(lot.lines))) for pool in pools for lot in pool.lots]


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**9))
def test_rules_of_thumb_make_lawful_plans_that_do_not_beat_the_best(seed: int) -> None:
    document = random_instance(seed)
    total, _ = best(document)
    fixed = len(document["fixed"])
    for plan in ruled(document):
        assert plan.objective_eur <= total + CENT + 1e-6 * abs(total)
        worth = Worth(Instance.from_document(document))
        for pool in plan.pools[fixed:]:
            assert worth.totals([pool]).objective_eur > 0


def test_the_rule_often_finds_much_of_what_the_best_plan_is_worth() -> None:
    best_of, found = 0.0, 0.0
    for seed in range(60):
        document = random_instance(seed) | {"fixed": []}
        best_of += best(document)[0]
        found += ruled(document)[1].objective_eur
    assert 0.8 * best_of < found <= best_of


def test_the_standard_offer_is_the_one_most_lines_could_take() -> None:
    offers = [offer("plain"), offer("green", criteria=["eco"]), offer("greener", criteria=["eco", "pvc-free"])]
    lines = [line("a", "DK-1", required=["eco"]), line("b", "DK-2"), line("c", "DK-3", refused=["pvc-free"])]
    document = instance(lines, offers)
    (shelf,) = shelves(Market(Instance.from_document(document))).values()
    assert shelf.offers[standard_offer(shelf) or 0].id == "green"
    document["lines"][0]["required"] = []  # plain and green are open to all three now: the fewest criteria
    (shelf,) = shelves(Market(Instance.from_document(document))).values()
    assert shelf.offers[standard_offer(shelf) or 0].id == "plain"
    document["policy"]["green_floor"] = ["pvc-free"]
    (shelf,) = shelves(Market(Instance.from_document(document))).values()
    assert shelf.offers[standard_offer(shelf) or 0].id == "greener"
    document["policy"]["green_floor"] = ["due-diligence"]
    (shelf,) = shelves(Market(Instance.from_document(document))).values()
    assert standard_place(shelf) is None


def test_all_lines_at_the_commonest_start_on_the_standard_offer() -> None:
    """Three can start in March, two of them in January: March, and who cannot stays out."""
    lines = [
        line("a", "DK-1", earliest_start="2027-01", latest_start="2027-03"),
        line("b", "DK-2", earliest_start="2027-01", latest_start="2027-04"),
        line("c", "DK-3", earliest_start="2027-03", latest_start="2027-03"),
        line("d", "DK-4", earliest_start="2027-06", latest_start="2027-06"),
    ]
    plan, _ = ruled(instance(lines, [offer("o", (1000, 90.0))], bridging_rate_per_year=0.12))
    assert lines_of(plan.pools) == [("2027-03", "o", ("a", "b", "c"))]
    assert plan.objective_eur == pytest.approx(1500 * 10 - 2 * 50_000 * 0.12 * 2 / 12)


def test_what_does_not_pay_is_not_held() -> None:
    lines = [line("a", "DK-1"), line("b", "DK-2")]
    assert [plan.pools for plan in ruled(instance(lines, [offer("o")], pool_cost_eur=10_001))] == [(), ()]
    assert [len(plan.pools) for plan in ruled(instance(lines, [offer("o")], pool_cost_eur=9_999))] == [1, 1]


def test_who_cannot_take_the_best_offer_takes_the_next_best_in_the_same_pool() -> None:
    lines = [
        line(name, f"DK-{k}", required=need) for k, (name, need) in enumerate((("a", []), ("b", []), ("c", ["eco"])))
    ]
    lines.append(line("d", "DK-3", required=["eco"]))
    offers = [offer("cheap", (1000, 80.0)), offer("green", (1000, 90.0), criteria=["eco"])]
    greedy = ruled(instance(lines, offers, pool_cost_eur=7_000))[1]
    assert lines_of(greedy.pools) == [("2027-01", "cheap", ("a", "b")), ("2027-01", "green", ("c", "d"))]
    assert greedy.objective_eur == pytest.approx(20_000 + 10_000 - 7_000)


def test_the_largest_pool_first_can_leave_a_line_alone() -> None:
    """Three at once leave the fourth without a partner; two and two would have been better."""
    lines = [line(name, f"DK-{k}", latest_start="2027-01") for k, name in enumerate("ab")]
    lines += [line("c", "DK-2", latest_start="2027-02"), line("d", "DK-3", earliest_start="2027-02")]
    document = instance(lines, [offer("o", (1000, 90.0))])
    _, greedy = ruled(document)
    assert lines_of(greedy.pools) == [("2027-01", "o", ("a", "b", "c"))]
    assert greedy.objective_eur == pytest.approx(15_000)
    assert best(document)[0] == pytest.approx(20_000)


@pytest.mark.parametrize(
    ("policy", "lines", "value"),
    [
        ({}, ("a", "b", "c"), 12_000 + 10_000 + 12_000 - 600),
        ({"max_participants_per_pool": 2}, ("a", "c"), 12_000 + 12_000 - 600),
        ({"max_countries_per_pool": 1}, ("a", "b"), 12_000 + 10_000),
        ({"country_cost_eur": 12_001}, ("a", "b"), 12_000 + 10_000),
    ],
)
def test_a_pool_keeps_its_limits_by_who_gains_least(policy: Document, lines: tuple[str, ...], value: float) -> None:
    """Three lines gain 12,000, 10,000 and 12,000; the last is in another country, which costs 600 more."""
    rows = [line("a", "DK-1", quantity=1000, unit_price_eur=102.0), line("b", "DK-2", quantity=1000)]
    rows.append(line("c", "SE-1", quantity=1000, unit_price_eur=102.0))
    plan = ruled(instance(rows, [offer("o")], **{"country_cost_eur": 600, **policy}))[1]
    assert lines_of(plan.pools) == [("2027-01", "o", lines)]
    assert plan.objective_eur == pytest.approx(value)


def test_a_lot_above_its_largest_size_keeps_who_gains_most_a_unit() -> None:
    lines = [line("a", "DK-1"), line("b", "DK-2", unit_price_eur=99.0), line("c", "DK-3")]
    for limit in ({"max_quantity": 1400}, {"total_max_quantity": 1400}):
        for plan in ruled(instance(lines, [offer("o", (1000, 90.0), **limit)])):
            assert lines_of(plan.pools) == [("2027-01", "o", ("a", "c"))]


def test_a_volume_that_needs_its_losers_is_kept_where_that_is_allowed() -> None:
    lines = [line("a", "DK-1"), line("b", "DK-2", unit_price_eur=89.0)]
    assert [plan.objective_eur for plan in ruled(instance(lines, [offer("o")]))] == pytest.approx([4_500, 4_500])
    assert [plan.pools for plan in ruled(instance(lines, [offer("o")], no_one_worse_off=True))] == [(), ()]


def test_pools_that_share_scarce_quarters_and_leads_go_by_value() -> None:
    people = [participant(f"DK-{k}", max_leads=1 if k < 2 else 0) for k in range(4)]
    lines = [line(f"{c}{k}", f"DK-{k}", category=c) for c in ("c", "d", "e") for k in range(4)]
    kinds = [category(c, family=c) for c in ("c", "d", "e")]
    offers = [offer(f"o-{c}", (1000, price), category=c) for c, price in (("c", 92.0), ("d", 90.0), ("e", 91.0))]
    document = instance(lines, offers, participants=people, categories=kinds)
    assert [pool.family for pool in ruled(document)[1].pools] == ["d", "e"]
    document["policy"]["max_pools_per_quarter"] = 1
    for person in document["participants"]:
        person["max_leads"] = None
    for row in document["lines"]:
        row["latest_start"] = "2027-03"
    assert [[pool.family for pool in plan.pools] for plan in ruled(document)] == [["d"], ["d"]]
    document["policy"]["max_pools_per_quarter"] = None
    document["participants"][0]["max_pools_per_quarter"] = 1
    sizes = {pool.family: len(pool.lots[0].lines) for pool in ruled(document)[1].pools}
    assert sizes == {"d": 4, "e": 3, "c": 3}


def test_keeping_a_place_counts_in_the_greedy_choice() -> None:
    lines = [line("a", "DK-1"), line("b", "DK-2")]
    document = instance(lines, [offer("o")], stability_eur=5)
    document["previous"] = [{"line": "a", "offer": "o", "start": "2027-06"}]
    greedy = ruled(document)[1]
    assert lines_of(greedy.pools) == [("2027-06", "o", ("a", "b"))]
    assert greedy.objective_eur == pytest.approx(10_005)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_the_plan_made_at_once_is_lawful_and_its_bound_true(seed: int) -> None:
    document = random_instance(seed)
    question = Instance.from_document(document)
    plan = judged(question, plan_at_once(question), explained=False)
    total, _ = best(document)
    slack = CENT + 1e-6 * abs(total)
    assert plan.objective_eur <= total + slack
    assert plan.bound_eur >= total - slack
