"""What would happen without the plan: totals worked out by hand, every plan judged."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver import Instance, InvalidInstance, solve
from solver.baselines.alone import groups, restricted
from solver.baselines.comparison import TITLES, Baselines, baselines
from solver.baselines.judged import judged
from solver.errors import RuleBroken
from solver.worth import Worth
from tests.solver.brute import best
from tests.solver.instances import category, instance, line, offer, random_instance

Document = dict[str, Any]
CENT = 0.01


def compared(document: Document, **options: Any) -> Baselines:
    found = baselines(Instance.from_document(document), **{"gap": 1e-4, "draws": 20, **options})
    json.dumps(found.to_document(), allow_nan=False)
    return found


def four(**policy: Any) -> Document:
    """Two lines of 500 in each of two countries at 100 EUR; 1000 cost 90, 2000 cost 80, over one year."""
    lines = [line(name.lower(), name) for name in ("DK-1", "DK-2", "SE-1", "SE-2")]
    costs = {"pool_cost_eur": 1000, "lot_cost_eur": 100, "line_cost_eur": 10, "country_cost_eur": 500}
    return instance(lines, [offer("o", (1000, 90.0), (2000, 80.0))], **{**costs, **policy})


def test_countries_alone_reach_less_than_together() -> None:
    found = compared(four())
    assert found.plan.objective_eur == pytest.approx(2000 * 20 - 1000 - 100 - 4 * 10 - 500)
    alone = found.named("countries_alone")
    each = 1000 * 10 - 1000 - 100 - 2 * 10
    assert [(part.name, part.total_eur) for part in alone.parts] == [("DK", each), ("SE", each)]
    assert alone.total_eur == pytest.approx(2 * each)
    assert alone.bound_eur == pytest.approx(2 * each)
    assert {pool.start for pool in alone.pools} == {"2027-01"}
    whole: Any = found.to_document()
    document = whole["baselines"][0]
    assert document["plan_over_eur"] == pytest.approx(38_360 - 2 * each)
    assert document["cash_saving_eur"] == pytest.approx(2 * each)
    assert document["pools"] == []
    assert [sorted(pool["lots"][0]["lines"]) for part in document["parts"] for pool in part["pools"]] == [
        ["dk-1", "dk-2"],
        ["se-1", "se-2"],
    ]


def test_a_participant_alone_is_no_pool_and_the_reason_is_said() -> None:
    found = compared(four())
    alone = found.named("participants_alone")
    assert alone.total_eur == 0
    assert [part.why_none for part in alone.parts] == ["contracting authorities: 1, min_participants: 2"] * 4
    assert [(part.bound_eur, part.lines, part.reasons) for part in alone.parts] == [(0, 1, {})] * 4
    without = found.named("participants_alone_without_minimum")
    assert without.total_eur == 0
    assert [part.why_none for part in without.parts] == ["volume_short: 1 of 1 lines"] * 4


def test_a_participant_large_enough_could_go_to_market_by_itself() -> None:
    document = four()
    document["lines"][0] = line("dk-1", "DK-1", quantity=1000)
    without = compared(document).named("participants_alone_without_minimum")
    assert without.total_eur == pytest.approx(1000 * 10 - 1000 - 100 - 10)
    assert [len(part.pools) for part in without.parts] == [1, 0, 0, 0]


def test_without_a_minimum_in_the_policy_nothing_is_shown_twice() -> None:
    names = [baseline.name for baseline in compared(four(min_participants=1)).found]
    assert names == ["countries_alone", "participants_alone", "standard_offer", "largest_first"]
    assert [baseline.name for baseline in compared(four()).found] == list(TITLES)


def test_countries_share_a_suppliers_capacity_and_the_largest_is_served_first() -> None:
    document = four()
    document["offers"][0]["total_max_quantity"] = 1500
    document["lines"][3]["unit_price_eur"] = 101.0  # SE spends most
    alone = compared(document).named("countries_alone")
    assert [(part.name, part.total_eur) for part in alone.parts] == [("SE", 1000 * 10 + 500 - 1120), ("DK", 0)]
    assert alone.bound_eur == pytest.approx(2 * 8880 + 500)
    document["offers"][0]["total_max_quantity"] = 2000
    assert [len(part.pools) for part in compared(document).named("countries_alone").parts] == [1, 1]


def test_fixed_pools_stand_in_every_baseline_and_count_once() -> None:
    document = four()
    document["lines"] += [line("dk-3", "DK-1"), line("se-3", "SE-1")]
    lots = [{"offer": "o", "lines": ["dk-3", "se-3"]}]
    document["fixed"] = [{"family": "f", "start": "2027-02", "lead": "SE-1", "lots": lots}]
    fixed = 1000 * 10 - 1000 - 100 - 2 * 10 - 500
    found = compared(document)
    assert found.plan.objective_eur == pytest.approx(fixed + 38_360)
    assert found.named("countries_alone").total_eur == pytest.approx(fixed + 2 * 8880)
    assert [part.total_eur for part in found.named("countries_alone").parts] == pytest.approx([8880, 8880])
    assert [part.lines for part in found.named("countries_alone").parts] == [2, 2]
    assert found.named("participants_alone").total_eur == pytest.approx(fixed)
    for baseline in found.found:
        assert sum(pool.start == "2027-02" for pool in baseline.pools) == 1


def test_an_instance_cut_down_keeps_what_its_lines_can_meet() -> None:
    document = four()
    document["categories"] = [category("c"), category("d")]
    document["offers"].append(offer("p", category="d"))
    document["lines"].append(line("se-9", "SE-1", category="d"))
    bans = ({"line": "dk-1", "start": "2027-05"}, {"line": "se-1"}, {"offer": "p"}, {"start": "2027-07"})
    document["forbidden"] = [dict.fromkeys(("participant", "line", "family", "offer", "start")) | ban for ban in bans]
    document["previous"] = [{"line": name, "offer": "o", "start": "2027-01"} for name in ("dk-1", "se-1")]
    cut = restricted(Instance.from_document(document), ["DK-1", "DK-2"])
    assert [one.id for one in cut.lines] == ["dk-1", "dk-2"]
    assert [one.id for one in cut.participants] == ["DK-1", "DK-2"]
    assert [one.id for one in cut.categories] == ["c"]
    assert [one.id for one in cut.offers] == ["o"]
    assert [(one.line, one.start) for one in cut.forbidden] == [("dk-1", "2027-05"), (None, "2027-07")]
    assert [one.line for one in cut.previous] == ["dk-1"]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**9))
def test_each_part_is_the_best_its_lines_allow(seed: int) -> None:
    document = random_instance(seed)
    for entry in document["offers"]:
        entry["total_max_quantity"] = None  # where it binds, parts are not apart
    question = Instance.from_document(document)
    found = compared(document, draws=2)
    fixed = Worth(question).totals(Worth(question).fixed_pools()).objective_eur
    for group, part in zip(groups(question, lambda p: p.country), found.named("countries_alone").parts, strict=True):
        total, _ = best(restricted(question, group.participants).to_document())
        assert part.total_eur == pytest.approx(total - fixed, abs=CENT + 2e-4 * abs(total))
        assert part.bound_eur >= total - fixed - CENT


# The whole ------------------------------------------------------------------------------------------------------------


def plain(found: Baselines) -> Document:
    document = json.loads(json.dumps(found.to_document()))
    document["plan"]["runtime_s"] = 0
    return document


def test_the_same_question_has_the_same_baselines_side_by_side_or_not() -> None:
    document = random_instance(17)
    alone = plain(compared(document, seed=3))
    with ThreadPoolExecutor(2) as executor:
        heard: list[tuple[str, int, int]] = []
        together = compared(document, seed=3, executor=executor, on_done=lambda *told: heard.append(told))
    assert plain(together) == alone
    assert ("plan", 1, 1) in heard
    assert plain(compared(document, seed=4))["plan"]["simulated"] != alone["plan"]["simulated"]


def test_a_plan_handed_in_is_judged_first() -> None:
    document = four()
    question = Instance.from_document(document)
    plan = solve(question)
    assert compared(document, plan=plan).plan is plan
    pool = plan.pools[0]
    broken = replace(plan, pools=(replace(pool, lead="nobody"),))
    with pytest.raises(RuleBroken, match="lead"):
        compared(document, plan=broken)


def test_a_plan_without_reasons_passes_only_where_none_are_asked_for() -> None:
    question = Instance.from_document(four(pool_cost_eur=1_000_000))
    plan = replace(solve(question), unpooled=())
    assert judged(question, plan, explained=False) is plan
    with pytest.raises(RuleBroken, match="dk-1"):
        judged(question, plan)
    with pytest.raises(RuleBroken, match="bound"):
        judged(question, replace(plan, bound_eur=-10.0), explained=False)


@pytest.mark.parametrize(
    ("options", "place"),
    [
        ({"time_limit_s": 0}, "time_limit_s: 0"),
        ({"time_limit_s": float("nan")}, "time_limit_s: nan"),
        ({"gap": "1"}, "gap: '1'"),
        ({"workers": 0}, "workers: 0"),
        ({"seed": -1}, "seed: -1"),
        ({"draws": 0}, "draws: 0"),
        ({"draws": 2**31}, "draws: 2147483648"),
        ({"shock_correlation": 1}, "shock_correlation: 1"),
        ({"shock_correlation": True}, "shock_correlation: True"),
    ],
)
def test_an_argument_that_cannot_be_used_is_named(options: Document, place: str) -> None:
    with pytest.raises(InvalidInstance, match=place) as refused:
        compared(four(), **options)
    assert all(fault.remedy for fault in refused.value.faults)


def test_an_empty_instance_has_empty_baselines() -> None:
    document = instance([], [], participants=[], categories=[])
    found = compared(document)
    assert [(baseline.total_eur, baseline.parts) for baseline in found.found] == [(0, ())] * 6


def test_out_of_time_there_are_still_judged_plans_with_bounds() -> None:
    found = compared(four(), time_limit_s=1e-6)
    assert found.plan.bound_eur >= 38_360
    alone = found.named("countries_alone")
    assert alone.total_eur == pytest.approx(2 * 8880)  # greedy: there is nothing to choose
    assert alone.bound_eur == pytest.approx(4 * (500 * 20 - 10))  # every line at the best price, nothing shared to pay
    assert all(part.stopped_by_clock and part.reasons == {} for part in alone.parts)
    without = found.named("participants_alone_without_minimum")
    assert {part.why_none for part in without.parts} == {"no time was left to solve"}
