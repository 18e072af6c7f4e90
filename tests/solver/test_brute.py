"""The oracle itself: optima worked out by hand, and a search that only tries everything."""

import itertools
import math
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from tests.solver.brute import best
from tests.solver.brute_case import Case
from tests.solver.instances import Document, category, instance, instances, line, offer, participant, random_instance
from tests.solver.sound import PoolTuple, sound, value


def pair(**fields):
    """Two participants with 500 units each: together they just reach the default offer's 1000."""
    return [line("a", "SE-A", **fields), line("b", "DK-B", **fields)]


def test_saving_less_every_cost():
    # saving 1000 · (100 - 90) = 10000; pool 3000, lot 500, two lines 200, one country beyond the first 700
    costs = {"pool_cost_eur": 3000, "lot_cost_eur": 500, "line_cost_eur": 100, "country_cost_eur": 700}
    total, pools = best(instance(pair(), [offer("o")], **costs))
    assert total == pytest.approx(5600)
    (pool,) = pools
    assert (pool["family"], pool["start"]) == ("f", "2027-01")
    assert pool["lead"] in {"SE-A", "DK-B"}
    assert pool["lots"] == [
        {
            "offer": "o",
            "lines": ["a", "b"],
            "tier": 0,
            "quantity": 1000,
            "sure_quantity": pytest.approx(1000),
            "benefit_eur": pytest.approx(9800),
        }
    ]


def test_nothing_worthwhile_is_worth_nothing():
    assert best(instance(pair(), [offer("o")], pool_cost_eur=10001)) == (0.0, [])


def test_green_value_can_carry_a_premium():
    # premium 1000 · 2 = -2000; carbon 100/1000 · 20 · 1000 = 2000; criterion 100000 · 0.03 = 3000; over two years
    supplied = offer("o", (1000, 102.0), criteria=["e", "x"], co2_saved_kg_per_unit=20)
    policy = {"carbon_price_eur_per_tonne": 100, "criterion_value": {"e": 0.03}, "term_months": 24}
    assert best(instance(pair(), [supplied], **policy))[0] == pytest.approx(6000)


def test_uncertain_volume_takes_a_lower_tier():
    # sd = 128/(2 · z(0.9)) each, so at confidence 0.9 the margin is 64 · sqrt(2) = 90.51: of 1000 units 909.49 are sure
    rows = pair(quantity_low=436, quantity_high=564)
    offers = [offer("o", (909, 90.0), (910, 80.0))]
    assert best(instance(rows, offers, confidence=0.9))[0] == pytest.approx(10000)
    assert best(instance(rows, offers, confidence=0.5))[0] == pytest.approx(20000)


def test_waiting_costs_the_earlier_line():
    # b is free from April: a waits three months at 12 % a year of 50000, 1500
    rows = [line("a", "SE-A"), line("b", "SE-B", earliest_start="2027-04")]
    total, pools = best(instance(rows, [offer("o")], bridging_rate_per_year=0.12))
    assert (total, pools[0]["start"]) == (pytest.approx(8500), "2027-04")


def test_a_full_quarter_moves_a_pool_to_a_month_that_is_no_ones_earliest():
    # One pool a quarter: the second family waits until April, three months at 12 % a year of 100000, 3000
    rows = pair() + pair(category="d")
    rows = [row | {"id": row["id"] + row["category"]} for row in rows]
    kinds = [category("c"), category("d", family="g")]
    policy = {"max_pools_per_quarter": 1, "bridging_rate_per_year": 0.12}
    total, pools = best(instance(rows, [offer("o"), offer("p", category="d")], categories=kinds, **policy))
    assert total == pytest.approx(17000)
    assert sorted(pool["start"] for pool in pools) == ["2027-01", "2027-04"]


def test_leads_run_out_across_families():
    # Only SE-A may lead, once: of the families worth 10000 and 20000 the better stands
    rows = [row | {"id": row["id"] + row["category"]} for row in pair() + pair(category="d")]
    kinds = [category("c"), category("d", family="g")]
    people = [participant("SE-A", max_leads=1), participant("DK-B", may_lead=False)]
    offers = [offer("o"), offer("p", (1000, 80.0), category="d")]
    total, pools = best(instance(rows, offers, categories=kinds, participants=people))
    assert (total, [pool["family"] for pool in pools]) == (pytest.approx(20000), ["g"])


def test_a_decided_pool_counts_at_the_first_tier_and_leaves_the_rest_of_the_supply():
    # Fixed: 500 units, below the tipping volume, at 90: 5000 less 100 for the lot. The others find 900 left, too few
    rows = [*pair(), line("x", "SE-A")]
    decided = {"family": "f", "start": "2026-12", "lead": "SE-A", "lots": [{"offer": "o", "lines": ["x"]}]}
    offers = [offer("o", (1000, 90.0), total_max_quantity=1400)]
    total, pools = best(instance(rows, offers, fixed=[decided], lot_cost_eur=100))
    assert (total, len(pools)) == (pytest.approx(4900), 1)
    offers = [offer("o", (1000, 90.0), total_max_quantity=1500)]
    assert best(instance(rows, offers, fixed=[decided], lot_cost_eur=100))[0] == pytest.approx(4900 + 9900)


def test_standing_where_one_stood_can_beat_an_early_start():
    # Waiting to March costs 100000 · 0.12 · 2/12 = 2000, two lines kept earn 2200
    old = [{"line": name, "offer": "o", "start": "2027-03"} for name in "ab"]
    policy = {"bridging_rate_per_year": 0.12, "previous": old}
    total, pools = best(instance(pair(), [offer("o")], stability_eur=1100, **policy))
    assert (total, pools[0]["start"]) == (pytest.approx(10200), "2027-03")
    assert best(instance(pair(), [offer("o")], stability_eur=900, **policy))[0] == pytest.approx(10000)


def test_a_member_may_lose_only_if_the_policy_lets_it():
    # c pays 80 today: it loses 500 · 10 but lifts the lot to 1500, where the others gain 20 each instead of 10
    rows = [*pair(), line("c", "FI-C", unit_price_eur=85.0)]
    offers = [offer("o", (1000, 95.0), (1500, 86.0))]
    assert best(instance(rows, offers))[0] == pytest.approx(1000 * 14 - 500)
    assert best(instance(rows, offers, no_one_worse_off=True))[0] == pytest.approx(5000)


def try_everything(document: Document) -> float:
    """The best total over every place for each free line (a start and an offer, or none) and every choice of leads."""
    case, top = Case(document), -math.inf
    places = [
        [
            None,
            *((t, name) for name, entry in case.offers.items() for t in range(case.horizon) if case.fits(i, entry, t)),
        ]
        for i in case.free
    ]
    for chosen in itertools.product(*places):
        pools: dict[tuple[str, int], dict[str, int]] = {}
        for i, place in zip(case.free, chosen):
            if place is not None:
                lots = pools.setdefault((case.family(case.offers[place[1]]), place[0]), {})
                lots[place[1]] = lots.get(place[1], 0) | 1 << i
        bare = [(*key, "", tuple(lots.items())) for key, lots in pools.items()]
        total = value(case, case.fixed + bare)
        if total > top and any(sound(case, case.fixed + led) for led in every_lead(case, bare)):
            top = total
    return top


def every_lead(case: Case, bare: list[PoolTuple]) -> Iterator[list[PoolTuple]]:
    members = [sorted(case.people_of(sum(mask for _, mask in lots))) for *_, lots in bare]
    for leads in itertools.product(*members):
        yield [(family, start, lead, lots) for (family, start, _, lots), lead in zip(bare, leads)]


def small(document: Document) -> bool:
    """Few enough plans to try them one by one."""
    case = Case(document)
    ways = (
        1 + sum(case.fits(i, entry, t) for entry in case.offers.values() for t in range(case.horizon))
        for i in case.free
    )
    return math.prod(ways) <= 3000


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(document=instances(max_lines=4))
def test_the_search_finds_what_trying_everything_finds(document):
    if small(document):
        assert best(document)[0] == pytest.approx(try_everything(document), abs=0.01)


def test_most_random_instances_have_a_worthwhile_pool():
    documents = [random_instance(seed) for seed in range(200)]
    filled = sum(bool(best(document)[1]) for document in documents)
    assert filled >= 120


@pytest.mark.prove
def test_the_search_finds_what_trying_everything_finds_on_many():
    tried = 0
    for seed in range(4000):
        document = random_instance(seed, max_lines=5)
        if small(document):
            tried += 1
            assert best(document)[0] == pytest.approx(try_everything(document), abs=0.01), seed
    assert tried > 800
