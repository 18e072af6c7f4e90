"""The judge, rule by rule: the smallest plan that keeps it, and the smallest change that breaks it and nothing else."""

import pytest

from solver.check import check
from tests.solver.instances import Document, category, instance, line, month, offer, participant
from tests.solver.plans import plan_document

PEOPLE = [participant("SE-A"), participant("DK-B"), participant("FI-C", contracting_authority=False)]


def pair(**fields):
    """Lines a and b of two authorities, 500 units each."""
    return [line("a", "SE-A", **fields), line("b", "DK-B", **fields)]


def pool(*lots, family="f", start="2027-01", lead="SE-A"):
    """A pool; a lot is an offer and its lines, in the lots not given a and b take o."""
    lots = lots or (("o", "a", "b"),)
    rows = [{"offer": name, "lines": list(lines)} for name, *lines in lots]
    return {"family": family, "start": start, "lead": lead, "lots": rows}


def simple(lines=None, offers=None, **policy):
    policy.setdefault("participants", PEOPLE)
    return instance(pair() if lines is None else lines, [offer("o")] if offers is None else offers, **policy)


def broken(document: Document, *pools: Document) -> set[str]:
    """The rules broken by these pools, all figures about them being right."""
    return {violation.rule for violation in check(document, plan_document(document, list(pools)))}


def two_families(**policy):
    """a and b in category c of family f, c and d in category d of family g, an offer for each."""
    lines = [*pair(), line("c", "SE-A", category="d"), line("d", "DK-B", category="d")]
    kinds = [category("c"), category("d", family="g")]
    return simple(lines, [offer("o"), offer("p", category="d")], categories=kinds, **policy)


OTHER = {"family": "g", "lead": "DK-B"}


def test_a_plan_written_by_hand_is_accepted():
    # Two years: saving 2 · 1000 · (100 - 92) = 16000; carbon 2 · 100/1000 · 3 · 1000 = 600; criterion 2 · 100000 · 0.01
    # = 2000; a is free from January, b from April: a waits 3 months at 8 % of 50000, 1000; pool 3000, lot 500, lines
    # 200, one country beyond the first 700; b stood here before, 50. sd = 128/(2 · z(0.9)): 1000 - 64 · sqrt(2) sure.
    lines = [
        line("a", "SE-A", quantity_low=436, quantity_high=564),
        line("b", "DK-B", quantity_low=436, quantity_high=564, earliest_start="2027-04"),
        line("c", "FI-C", earliest_start="2028-01", latest_start="2029-01"),
    ]
    costs = {"pool_cost_eur": 3000, "lot_cost_eur": 500, "line_cost_eur": 100, "country_cost_eur": 700}
    document = simple(
        lines,
        [offer("o", (800, 95.0), (909, 92.0), (910, 80.0), criteria=["e"], co2_saved_kg_per_unit=3)],
        previous=[{"line": "b", "offer": "o", "start": "2027-04"}, {"line": "a", "offer": "o", "start": "2027-03"}],
        term_months=24,
        confidence=0.9,
        carbon_price_eur_per_tonne=100,
        criterion_value={"e": 0.01},
        bridging_rate_per_year=0.08,
        stability_eur=50,
        **costs,
    )
    plan = {
        "schema": "pooling.plan/1",
        "status": "feasible",
        "objective_eur": 13250.0,
        "bound_eur": 26500,
        "gap": 0.5,
        "runtime_s": 0,
        "pools": [
            {
                "family": "f",
                "start": "2027-04",
                "lead": "DK-B",
                "participants": ["DK-B", "SE-A"],
                "countries": ["DK", "SE"],
                "lots": [
                    {
                        "offer": "o",
                        "lines": ["b", "a"],
                        "tier": 1,
                        "quantity": 1000,
                        "sure_quantity": 1000 - 64 * 2**0.5,
                        "benefit_eur": 17400,
                    }
                ],
            }
        ],
        "unpooled": [{"line": "c", "reason": "outside_horizon"}],
        "totals": {
            "savings_eur": 16000,
            "green_value_eur": 2600,
            "bridging_cost_eur": 1000,
            "set_up_cost_eur": 4400,
            "stability_eur": 50,
            "co2_saved_tonnes_per_year": 3,
            "lines": 3,
            "lines_pooled": 2,
            "spend_eur_per_year": 150000,
            "spend_pooled_eur_per_year": 100000,
        },
    }
    assert check(document, plan) == []


def test_leaving_every_line_out_is_allowed():
    assert broken(simple()) == set()


class TestRule1:
    @pytest.mark.parametrize(
        ("start", "window", "expected"),
        [
            ("2027-03", ("2027-03", "2027-03"), set()),
            ("2027-02", ("2027-03", "2027-03"), {"rule-1"}),
            ("2027-04", ("2027-03", "2027-03"), {"rule-1"}),
            ("2027-01", ("2026-02", "2027-01"), set()),
            ("2026-12", ("2026-02", "2027-01"), {"rule-1"}),
            ("2027-12", ("2027-12", "2028-06"), set()),
            ("2028-01", ("2027-12", "2028-06"), {"rule-1"}),
        ],
    )
    def test_a_line_starts_within_its_window_and_the_horizon(self, start, window, expected):
        lines = pair(earliest_start=window[0], latest_start=window[1])
        assert broken(simple(lines), pool(start=start)) == expected

    def test_a_line_takes_an_offer_of_its_category(self):
        lines = [*pair(), line("c", "SE-A", category="d")]
        assert broken(simple(lines), pool(("o", "a", "b", "c"))) == {"rule-1"}

    @pytest.mark.parametrize(
        ("criteria", "fields", "policy", "expected"),
        [
            (["e", "x"], {"required": ["e"]}, {}, set()),
            (["x"], {"required": ["e"]}, {}, {"rule-1"}),
            (["x"], {"refused": ["e"]}, {}, set()),
            (["e", "x"], {"refused": ["e"]}, {}, {"rule-1"}),
            (["e", "x"], {}, {"green_floor": ["e"]}, set()),
            (["x"], {}, {"green_floor": ["e"]}, {"rule-1"}),
        ],
    )
    def test_criteria_are_met_and_not_refused(self, criteria, fields, policy, expected):
        assert broken(simple(pair(**fields), [offer("o", criteria=criteria)], **policy), pool()) == expected

    @pytest.mark.parametrize(
        ("entry", "expected"),
        [
            ({"participant": "SE-A"}, {"rule-1"}),
            ({"line": "b"}, {"rule-1"}),
            ({"family": "f"}, {"rule-1"}),
            ({"offer": "o"}, {"rule-1"}),
            ({"start": "2027-01"}, {"rule-1"}),
            ({"participant": "SE-A", "line": "a", "family": "f", "offer": "o", "start": "2027-01"}, {"rule-1"}),
            ({"participant": "SE-A", "line": "b"}, set()),
            ({"participant": "FI-C"}, set()),
            ({"line": "a", "start": "2027-02"}, set()),
            ({"family": "g", "start": "2027-01"}, set()),
            ({"participant": "SE-A", "offer": "p"}, set()),
        ],
    )
    def test_no_line_is_where_an_entry_forbids_it(self, entry, expected):
        document = two_families(forbidden=[entry])
        assert broken(document, pool()) == expected


@pytest.mark.parametrize(("limit", "expected"), [(None, set()), (1000, set()), (999, {"rule-2"})])
def test_rule_2_a_lot_is_no_larger_than_the_offer_allows(limit, expected):
    assert broken(simple(offers=[offer("o", max_quantity=limit)]), pool()) == expected


class TestRule3:
    @pytest.mark.parametrize(("tipping", "expected"), [(1000, set()), (1001, {"rule-3"})])
    def test_certain_volume_reaches_the_tipping_volume(self, tipping, expected):
        assert broken(simple(offers=[offer("o", (tipping, 90.0))]), pool()) == expected

    @pytest.mark.parametrize(
        ("correlation", "tipping", "expected"),
        [
            # 64 · sqrt(2) = 90.51 apart, 64 · 2 = 128 together, 64 · sqrt(0.5 · 2 + 0.5 · 4) = 110.85 half of each
            (0, 909, set()),
            (0, 910, {"rule-3"}),
            (0.999999999, 872, set()),
            (0.999999999, 873, {"rule-3"}),
            (0.5, 889, set()),
            (0.5, 890, {"rule-3"}),
        ],
    )
    def test_uncertain_volume_loses_its_margin(self, correlation, tipping, expected):
        lines = pair(quantity_low=436, quantity_high=564)
        policy = {"confidence": 0.9, "forecast_correlation": correlation}
        assert broken(simple(lines, [offer("o", (tipping, 90.0))], **policy), pool()) == expected

    @pytest.mark.parametrize(("tipping", "expected"), [(4_000_004, set()), (4_000_005, {"rule-3"})])
    def test_a_millionth_is_tolerated(self, tipping, expected):
        assert broken(simple(pair(quantity=2_000_000), [offer("o", (tipping, 90.0))]), pool()) == expected


@pytest.mark.parametrize(
    ("least", "members", "expected"),
    [(2, ["a", "b"], set()), (2, ["a", "a2"], {"rule-4"}), (2, ["a", "c"], {"rule-4"}), (2, ["a", "b", "c"], set())]
    + [(3, ["a", "b", "c"], {"rule-4"}), (1, ["a", "a2"], set())],
)
def test_rule_4_enough_different_authorities(least, members, expected):
    lines = [*pair(), line("a2", "SE-A"), line("c", "FI-C")]
    assert broken(simple(lines, min_participants=least), pool(("o", *members))) == expected


class TestRule5:
    @pytest.mark.parametrize(("price", "expected"), [(90.0, set()), (89.99, {"rule-5"})])
    def test_no_member_loses_where_the_policy_says_so(self, price, expected):
        lines = [line("a", "SE-A"), line("b", "DK-B", unit_price_eur=price)]
        assert broken(simple(lines, no_one_worse_off=True), pool()) == expected
        assert broken(simple(lines), pool()) == set()

    def test_a_millionth_of_the_spend_is_tolerated(self):
        # Saving nothing, each line loses its line cost: 0.04 against 45000 · 1e-6 = 0.045, then 0.05
        lines = pair(unit_price_eur=90.0)
        assert broken(simple(lines, no_one_worse_off=True, line_cost_eur=0.04), pool()) == set()
        assert broken(simple(lines, no_one_worse_off=True, line_cost_eur=0.05), pool()) == {"rule-5"}


def test_rule_6_a_line_is_in_at_most_one_lot():
    lines = [*pair(), line("c", "SE-A"), line("d", "DK-B")]
    january, july = pool(), pool(("o", "c", "d"), start="2027-07")
    assert broken(simple(lines), january, july) == set()
    assert broken(simple(lines), january, pool(("o", "c", "d", "a"), start="2027-07")) == {"rule-6"}


class TestRule7:
    @pytest.mark.parametrize(
        ("lead", "person", "expected"),
        [
            ("DK-B", {}, set()),
            ("NO-X", {}, {"rule-7"}),
            ("FI-C", {}, {"rule-7"}),
            ("DK-B", {"may_lead": False}, {"rule-7"}),
        ],
    )
    def test_the_lead_is_a_member_that_may_lead(self, lead, person, expected):
        people = [participant("SE-A"), participant("DK-B", **person), participant("FI-C"), participant("NO-X")]
        assert broken(simple(participants=people), pool(lead=lead)) == expected

    def test_the_lead_is_an_authority(self):
        lines = [*pair(), line("c", "FI-C")]
        assert broken(simple(lines), pool(("o", "a", "b", "c"), lead="SE-A")) == set()
        assert broken(simple(lines), pool(("o", "a", "b", "c"), lead="FI-C")) == {"rule-7"}

    @pytest.mark.parametrize(("most", "expected"), [(2, set()), (1, {"rule-7"}), (None, set())])
    def test_no_one_leads_too_many(self, most, expected):
        people = [participant("SE-A", max_leads=most), participant("DK-B")]
        pools = (pool(), pool(("p", "c", "d"), family="g"))
        assert broken(two_families(participants=people), *pools) == expected
        assert broken(two_families(participants=people), pools[0], pools[1] | {"lead": "DK-B"}) == set()

    @pytest.mark.parametrize(("most", "expected"), [(2, set()), (1, {"rule-7"})])
    @pytest.mark.parametrize("start", ["2027-01", "2026-06"])
    def test_fixed_pools_use_up_leads_even_outside_the_horizon(self, start, most, expected):
        people = [participant("SE-A", max_leads=most), participant("DK-B")]
        fixed = pool(start=start)
        document = two_families(participants=people, fixed=[fixed])
        assert broken(document, fixed) == set()
        assert broken(document, fixed, pool(("p", "c", "d"), family="g")) == expected


class TestRule8:
    @pytest.mark.parametrize(
        ("start", "limit", "expected"),
        [("2027-03", 1, {"rule-8"}), ("2027-03", 2, set()), ("2027-04", 1, set()), ("2027-03", None, set())],
    )
    @pytest.mark.parametrize("whose", ["programme", "participant"])
    def test_quarters_hold_so_many_pools(self, whose, start, limit, expected):
        people = [participant("SE-A", max_pools_per_quarter=limit if whose == "participant" else None), PEOPLE[1]]
        document = two_families(participants=people, max_pools_per_quarter=limit if whose == "programme" else None)
        assert broken(document, pool(), pool(("p", "c", "d"), start=start, **OTHER)) == expected

    @pytest.mark.parametrize(("start", "expected"), [("2027-02", {"rule-8"}), ("2026-12", set()), ("2028-01", set())])
    def test_fixed_pools_use_up_quarters_within_the_horizon(self, start, expected):
        fixed = pool(start=start)
        document = two_families(max_pools_per_quarter=1, fixed=[fixed])
        assert broken(document, fixed, pool(("p", "c", "d"), **OTHER)) == expected

    def test_fixed_pools_above_a_limit_leave_nothing_and_are_no_fault(self):
        fixed = [pool(start="2027-01"), pool(("p", "c"), start="2027-02", family="g")]
        document = two_families(max_pools_per_quarter=1, fixed=fixed)
        assert broken(document, *fixed) == set()
        lines = [*document["lines"], line("e", "SE-A"), line("g", "DK-B")]
        document |= {"lines": lines}
        assert broken(document, *fixed, pool(("o", "e", "g"), start="2027-03")) == {"rule-8"}
        assert broken(document, *fixed, pool(("o", "e", "g"), start="2027-04")) == set()


@pytest.mark.parametrize(
    ("policy", "expected"),
    [({"max_participants_per_pool": 2}, set()), ({"max_participants_per_pool": 1}, {"rule-9"})]
    + [({"max_countries_per_pool": 2}, set()), ({"max_countries_per_pool": 1}, {"rule-9"})],
)
def test_rule_9_a_pool_is_no_wider_than_allowed(policy, expected):
    assert broken(simple(**policy), pool()) == expected


class TestRule10:
    @pytest.mark.parametrize(("supply", "expected"), [(2000, set()), (1999, {"rule-10"}), (None, set())])
    def test_all_lots_on_an_offer_share_its_supply(self, supply, expected):
        lines = [*pair(), line("c", "SE-A"), line("d", "DK-B")]
        document = simple(lines, [offer("o", total_max_quantity=supply)])
        assert broken(document, pool(), pool(("o", "c", "d"), start="2027-07")) == expected

    @pytest.mark.parametrize(("supply", "expected"), [(2000, set()), (1999, {"rule-10"}), (400, {"rule-10"})])
    @pytest.mark.parametrize("start", ["2027-01", "2026-06"])
    def test_fixed_pools_use_up_supply(self, start, supply, expected):
        lines = [*pair(), line("c", "SE-A"), line("d", "DK-B")]
        fixed = pool(start=start)
        document = simple(lines, [offer("o", total_max_quantity=supply)], fixed=[fixed])
        assert broken(document, fixed) == set()
        assert broken(document, fixed, pool(("o", "c", "d"), start="2027-07")) == expected


class TestFixedPools:
    def test_they_are_judged_by_rules_1_to_5_and_9_no_more(self):
        # Out of its window, forbidden, below the floor, too large, below tipping, one associate, losing, too wide
        lines = [line("c", "FI-C", unit_price_eur=10.0, latest_start="2027-02", required=["e"])]
        fixed = pool(("o", "c"), start="2027-06", lead="FI-C")
        document = simple(
            lines,
            [offer("o", (1000, 95.0), (2000, 90.0), max_quantity=10)],
            fixed=[fixed],
            forbidden=[{"line": "c"}],
            green_floor=["x"],
            no_one_worse_off=True,
            max_participants_per_pool=0,
        )
        assert broken(document, fixed) == set()

    def test_they_stand_exactly_as_given(self):
        lines = [*pair(), line("c", "SE-A"), line("d", "DK-B")]
        fixed = pool(("o", "a", "b", "c"))
        offers = [offer("o"), offer("p")]
        document = simple(lines, offers, fixed=[fixed])
        assert broken(document, fixed) == set()
        assert broken(document, pool(("o", "c", "b", "a"))) == set()
        for changed in (
            [],
            [pool(("o", "a", "b", "c"), lead="DK-B")],
            [pool(("o", "a", "b", "c", "d"))],
            [pool(("o", "a", "b"))],
            [pool(("p", "a", "b", "c"))],
            [pool(("o", "a", "b", "c"), start="2027-02")],
            [pool(("o", "a"), ("p", "b", "c"))],
        ):
            assert broken(document, *changed) == {"fixed"}, changed

    def test_nothing_else_of_the_family_starts_in_their_month(self):
        lines = [*pair(), line("c", "SE-A"), line("d", "DK-B")]
        fixed = pool()
        document = simple(lines, [offer("o"), offer("p")], fixed=[fixed])
        assert broken(document, fixed, pool(("p", "c", "d"))) == {"pool"}
        assert broken(document, pool(("o", "a", "b"), ("p", "c", "d"))) == {"fixed"}
        assert broken(document, fixed, pool(("p", "c", "d"), start="2027-02")) == set()


class TestPools:
    def test_one_pool_a_family_and_start(self):
        lines = [*pair(), line("c", "SE-A"), line("d", "DK-B")]
        document = simple(lines, [offer("o"), offer("p")])
        assert broken(document, pool(), pool(("p", "c", "d"), start="2027-02")) == set()
        assert broken(document, pool(), pool(("p", "c", "d"))) == {"pool"}

    def test_one_lot_an_offer(self):
        lines = [*pair(), line("c", "SE-A"), line("d", "DK-B")]
        document = simple(lines, [offer("o"), offer("p")])
        assert broken(document, pool(("o", "a", "b"), ("p", "c", "d"))) == set()
        assert broken(document, pool(("o", "a", "b"), ("o", "c", "d"))) == {"pool"}

    def test_lots_are_of_the_pools_family(self):
        assert broken(two_families(), pool(("o", "a", "b"), family="g")) == {"pool"}

    def test_a_pool_has_a_lot(self):
        plan = plan_document(simple(), [])
        plan["pools"].append({"family": "f", "start": "2027-01", "lead": "SE-A", "lots": []})
        assert {violation.rule for violation in check(simple(), plan)} == {"pool", "rule-7"}


def test_stability_is_earned_by_line_offer_and_start():
    stood = [{"line": "a", "offer": "o", "start": "2027-02"}]
    document = simple(previous=stood, stability_eur=1000)
    for start, kept in (("2027-02", 1000), ("2027-01", 0)):
        plan = plan_document(document, [pool(start=start)])
        assert (plan["objective_eur"], check(document, plan)) == (pytest.approx(10000 + kept), [])


@pytest.mark.parametrize("first", ["2027-01", "2026-06", "2026-11"])
def test_a_horizon_may_begin_in_any_month(first):
    lines = pair(earliest_start=first, latest_start=month(first, 3))
    document = simple(lines, horizon_start=first)
    assert broken(document, pool(start=month(first, 3))) == set()
    assert broken(document, pool(start=month(first, 4))) == {"rule-1"}
