"""The judge on what a plan says about itself: figures, totals, bound, status, and why lines stay out."""

import copy
import math

import pytest

from solver.check import check
from solver.check.reasons import REASONS
from tests.solver.instances import Document, ban, category, instance, line, offer, participant
from tests.solver.plans import plan_document

POOL = {"family": "f", "start": "2027-02", "lead": "SE-A", "lots": [{"offer": "o", "lines": ["a", "b"]}]}


def valued() -> Document:
    """An instance in which every figure of the plan with POOL is above 0."""
    lines = [
        line("a", "SE-A", quantity_low=400, quantity_high=600),
        line("b", "DK-B", quantity_low=450, quantity_high=550),
        line("c", "FI-C", category="d"),
    ]
    return instance(
        lines,
        [offer("o", (600, 90.0), (700, 88.0), (800, 85.0), criteria=["e"], co2_saved_kg_per_unit=20)],
        previous=[{"line": "a", "offer": "o", "start": "2027-02"}],
        confidence=0.9,
        forecast_correlation=0.1,
        carbon_price_eur_per_tonne=100,
        criterion_value={"e": 0.01},
        bridging_rate_per_year=0.06,
        pool_cost_eur=1000,
        lot_cost_eur=500,
        line_cost_eur=100,
        country_cost_eur=300,
        stability_eur=70,
    )


def broken(document: Document, plan: object) -> set[str]:
    return {violation.rule for violation in check(document, plan)}


def changed(plan: Document, *keys: str | int, by: float) -> Document:
    """A copy of the plan with one figure moved."""
    plan = copy.deepcopy(plan)
    place = plan
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] += by
    return plan


LOT = ("pools", 0, "lots", 0)


class TestFigures:
    def test_the_plan_they_are_taken_from_is_valid(self):
        plan = plan_document(valued(), [POOL])
        assert check(valued(), plan) == []
        assert all(figure > 0 for figure in plan["totals"].values())

    @pytest.mark.parametrize(
        ("keys", "least", "rule"),
        [
            ((*LOT, "quantity"), 1, "figures"),
            ((*LOT, "sure_quantity"), 0.001, "figures"),
            ((*LOT, "benefit_eur"), 0.6, "figures"),
            ((*LOT, "tier"), 1, "tier"),
            ((*LOT, "tier"), -1, "tier"),
            (("totals", "savings_eur"), 0.6, "totals"),
            (("totals", "green_value_eur"), 0.6, "totals"),
            (("totals", "bridging_cost_eur"), 0.6, "totals"),
            (("totals", "set_up_cost_eur"), 0.6, "totals"),
            (("totals", "stability_eur"), 0.6, "totals"),
            (("totals", "co2_saved_tonnes_per_year"), 0.001, "totals"),
            (("totals", "lines"), 1, "totals"),
            (("totals", "lines_pooled"), 1, "totals"),
            (("totals", "spend_eur_per_year"), 0.7, "totals"),
            (("totals", "spend_pooled_eur_per_year"), 0.7, "totals"),
            (("gap",), 1e-6, "gap"),
        ],
    )
    @pytest.mark.parametrize("sign", [1, -1])
    def test_one_that_differs_is_found(self, keys, least, rule, sign):
        plan = plan_document(valued(), [POOL])
        assert broken(valued(), changed(plan, *keys, by=sign * least)) == {rule}

    @pytest.mark.parametrize(
        "keys",
        [
            (*LOT, "benefit_eur"),
            ("totals", "savings_eur"),
            ("totals", "stability_eur"),
            ("totals", "spend_eur_per_year"),
        ],
    )
    def test_half_a_euro_is_tolerated(self, keys):
        plan = plan_document(valued(), [POOL])
        assert check(valued(), changed(plan, *keys, by=0.499)) == []

    @pytest.mark.parametrize(
        ("key", "right", "wrong"),
        [
            ("participants", ["DK-B", "SE-A"], ["SE-A"]),
            ("participants", 2, 3),
            ("participants", ["SE-A", "DK-B"], ["SE-A", "DK-B", "DK-B"]),
            ("countries", ["SE", "DK"], ["SE", "DK", "FI"]),
            ("countries", 2, True),
            ("countries", 2, [["SE"], "DK"]),
        ],
    )
    def test_members_listed_are_the_members(self, key, right, wrong):
        plan = plan_document(valued(), [POOL])
        plan["pools"][0][key] = right
        assert check(valued(), plan) == []
        plan["pools"][0][key] = wrong
        assert broken(valued(), plan) == {"figures"}


class TestTierAtATie:
    """500 + 500 units are 1000 sure; a tier that begins there within a millionth may be taken or left."""

    @pytest.mark.parametrize("tier", [0, 1])
    @pytest.mark.parametrize("start", [4_000_000, 4_000_004])
    def test_either_side_is_accepted_with_figures_to_match(self, start, tier):
        lines = [line("a", "SE-A", quantity=2_000_000), line("b", "DK-B", quantity=2_000_000)]
        document = instance(lines, [offer("o", (1000, 90.0), (start, 80.0))])
        # Its own figures for either side: the same plan with the second tier out of reach
        told = [(1000, 90.0), (start, 80.0)] if tier else [(1000, 90.0), (9_000_000, 80.0)]
        plan = plan_document(document | {"offers": [offer("o", *told)]}, [POOL])
        assert plan["pools"][0]["lots"][0]["tier"] == tier
        assert check(document, plan) == []

    def test_beyond_the_tolerance_the_highest_is_due(self):
        lines = [line("a", "SE-A", quantity=2_000_000), line("b", "DK-B", quantity=2_000_000)]
        document = instance(lines, [offer("o", (1000, 90.0), (3_999_995, 80.0))])
        plan = plan_document(instance(lines, [offer("o", (1000, 90.0), (9_000_000, 80.0))]), [POOL])
        assert "tier" in broken(document, plan)


class TestObjectiveBoundAndStatus:
    def told(self, objective_by: float = 0.0, **fields: object) -> Document:
        plan = plan_document(valued(), [POOL])
        plan["objective_eur"] += objective_by
        plan |= fields
        if "gap" not in fields:
            plan["gap"] = (plan["bound_eur"] - plan["objective_eur"]) / max(1, abs(plan["bound_eur"]))
        return plan

    @pytest.mark.parametrize(("by", "expected"), [(0.5, set()), (-0.5, set()), (0.6, "objective"), (-0.6, "objective")])
    def test_the_objective_is_the_recomputed_total(self, by, expected):
        assert broken(valued(), self.told(by)) == (expected and {expected})

    @pytest.mark.parametrize(("by", "expected"), [(0.0, set()), (-0.5, set()), (-0.6, {"bound"})])
    def test_the_bound_is_no_lower_than_the_plan(self, by, expected):
        total = self.told()["objective_eur"]
        assert broken(valued(), self.told(bound_eur=total + by)) == expected

    @pytest.mark.parametrize(
        ("share", "status", "expected"),
        [
            (0.00009, "optimal", set()),
            (0.00009, "feasible", {"status"}),
            (0.00011, "feasible", set()),
            (0.00011, "optimal", {"status"}),
            (0.0, "proven", {"status"}),
        ],
    )
    def test_optimal_is_a_gap_of_a_hundredth_of_a_percent(self, share, status, expected):
        total = self.told()["objective_eur"]
        assert broken(valued(), self.told(bound_eur=total / (1 - share), status=status)) == expected

    def test_the_gap_of_a_bound_below_one_euro_is_absolute(self):
        empty = instance([line("a", "SE-A")], [])
        plan = plan_document(empty, []) | {"bound_eur": 0.4, "gap": 0.4, "status": "feasible"}
        assert check(empty, plan) == []
        assert broken(empty, plan | {"gap": 1.0}) == {"gap"}

    def test_no_run_takes_less_than_no_time(self):
        assert broken(valued(), self.told(runtime_s=-1)) == {"status"}


class TestUnpooled:
    def test_every_line_is_somewhere_once(self):
        plan = plan_document(valued(), [POOL])
        (entry,) = plan["unpooled"]
        assert broken(valued(), plan | {"unpooled": []}) == {"unpooled"}
        assert broken(valued(), plan | {"unpooled": [entry, dict(entry)]}) == {"unpooled"}
        both = [entry, {"line": "a", "reason": "better_without"}]
        assert broken(valued(), plan | {"unpooled": both}) == {"unpooled"}

    def test_further_figures_beside_the_reason_are_free(self):
        plan = plan_document(valued(), [POOL])
        plan["unpooled"][0]["missing"] = 7
        assert check(valued(), plan) == []


REASON_CASES = {
    "outside_horizon": {"lines": {"earliest_start": "2028-01", "latest_start": "2029-01"}},
    "forbidden": {"forbidden": [{"line": "a"}]},
    "no_offer": {"policy": {"green_floor": ["x"]}},
    "criteria_unmet": {"lines": {"required": ["x"]}},
    "criteria_refused": {"lines": {"refused": ["e"]}},
    "too_large": {"lines": {"quantity": 5000}},
    "no_partner": {"lines": {"latest_start": "2027-01"}},
    "volume_short": {"lines": {"quantity": 499}},
    "not_worth_it": {"lines": {"unit_price_eur": 89.0}},
}
"""What keeps line a out, by the reason it gives."""


def kept_out(reason: str) -> Document:
    """Line a with that reason, or with a partner b and none."""
    case = REASON_CASES.get(reason, {})
    own = {"earliest_start": "2027-01", "latest_start": "2027-03"} | case.get("lines", {})
    lines = [line("a", "SE-A", **own), line("b", "DK-B", earliest_start="2027-03")]
    offers = [offer("o", criteria=["e"], max_quantity=4000)]
    return instance(lines, offers, forbidden=case.get("forbidden", []), **case.get("policy", {}))


class TestReasons:
    def judged(self, document: Document, reason: object) -> set[str]:
        plan = plan_document(document, [])
        plan["unpooled"][0]["reason"] = reason
        return {violation.rule for violation in check(document, plan) if violation.path.startswith("unpooled[0]")}

    @pytest.mark.parametrize("reason", REASON_CASES)
    def test_the_first_that_applies_is_the_one(self, reason):
        document = kept_out(reason)
        accepted = {name for name in REASONS if self.judged(document, name) == set()}
        assert accepted == {reason}

    def test_where_none_of_these_applies_the_others_may_stand(self):
        accepted = {name for name in REASONS if self.judged(kept_out("none"), name) == set()}
        assert accepted == set(REASONS) - set(REASON_CASES)

    def test_no_limit_is_the_reason_where_none_is_given(self):
        free = kept_out("none") | {"offers": [offer("o", criteria=["e"])]}
        assert {name for name in REASONS if self.judged(free, name) == set()} == {"better_without"}
        for limited in (
            free | {"offers": [offer("o", criteria=["e"], total_max_quantity=9000)]},
            free | {"policy": free["policy"] | {"max_pools_per_quarter": 9}},
            free | {"participants": [participant("SE-A", max_leads=9), participant("DK-B")]},
            free | {"participants": [participant("SE-A", may_lead=False), participant("DK-B")]},
        ):
            assert {name for name in REASONS if self.judged(limited, name) == set()} == {"capacity", "better_without"}

    def test_uncertain_volume_is_short_where_no_choice_is_sure_enough(self):
        # 499 + 501 units with sd 64 for b: at confidence 0.9 1000 - 82 are sure; a alone is no lot
        document = kept_out("none") | {"offers": [offer("o", (919, 90.0), criteria=["e"])]}
        document["policy"] |= {"confidence": 0.9}
        document["lines"][1] |= {"quantity_low": 436, "quantity_high": 600}
        assert {name for name in REASONS if self.judged(document, name) == set()} == {"volume_short"}
        document["offers"] = [offer("o", (917, 90.0), criteria=["e"])]
        assert {name for name in REASONS if self.judged(document, name) == set()} == {"better_without"}

    def test_where_only_losers_could_bring_the_volume_several_reasons_may_stand(self):
        document = kept_out("none")
        document["lines"][1]["unit_price_eur"] = 80.0
        document["policy"]["no_one_worse_off"] = True
        accepted = {name for name in REASONS if self.judged(document, name) == set()}
        assert accepted == {"volume_short", "not_worth_it", "capacity", "better_without"}

    def test_a_kept_place_may_be_worth_a_loss(self):
        document = kept_out("not_worth_it")
        document["previous"] = [{"line": "a", "offer": "o", "start": "2027-03"}]
        document["policy"]["stability_eur"] = 9000
        assert self.judged(document, "better_without") == set()

    @pytest.mark.parametrize("reason", ["", "too big", "Capacity"])
    def test_the_list_is_closed(self, reason):
        assert self.judged(kept_out("none"), reason) == {"reason"}

    def test_no_offer_at_all_is_no_offer(self):
        document = kept_out("none") | {"offers": []}
        assert {name for name in REASONS if self.judged(document, name) == set()} == {"no_offer"}

    def test_forbidden_start_by_start_and_offer_by_offer_is_forbidden(self):
        entries = [ban(line="a", start="2027-01"), ban(participant="SE-A", start="2027-02")]
        document = kept_out("none")
        full = [*entries, ban(offer="o", start="2027-03")]
        assert self.judged(document | {"forbidden": full}, "forbidden") == set()
        assert self.judged(document | {"forbidden": full}, "capacity") == {"reason"}
        assert self.judged(document | {"forbidden": entries}, "forbidden") == {"reason"}

    def test_a_line_no_offer_is_open_to_in_two_ways_may_give_either(self):
        # One offer is forbidden to it, the other too small for it
        offers = [offer("o", criteria=["e"]), offer("p", max_quantity=10)]
        document = kept_out("none") | {"offers": offers}
        document["forbidden"] = [ban(line="a", offer="o")]
        accepted = {name for name in REASONS if self.judged(document, name) == set()}
        assert {"forbidden", "no_partner"} <= accepted
        assert not accepted & {"too_large", "criteria_unmet", "no_offer"}


class TestDocumentsThatAreNone:
    @pytest.mark.parametrize("plan", [None, [], "plan", 3, math.nan, True])
    def test_a_plan_that_is_no_object(self, plan):
        assert broken(valued(), plan) == {"format"}

    def test_an_empty_object_names_all_that_is_missing(self):
        paths = {violation.path for violation in check(valued(), {}) if violation.rule == "format"}
        assert paths >= {
            "schema",
            "status",
            "objective_eur",
            "bound_eur",
            "gap",
            "runtime_s",
            "pools",
            "unpooled",
            "totals",
        }

    @pytest.mark.parametrize(
        ("change", "path"),
        [
            ({"schema": "pooling.plan/2"}, "schema"),
            ({"objective_eur": math.nan}, "objective_eur"),
            ({"bound_eur": math.inf}, "bound_eur"),
            ({"bound_eur": 10**400}, "bound_eur"),
            ({"bound_eur": None}, "bound_eur"),
            ({"gap": "0"}, "gap"),
            ({"gap": True}, "gap"),
            ({"totals": {}}, "totals.savings_eur"),
            ({"pools": {}}, "pools"),
            ({"pools": [[]]}, "pools[0]"),
            ({"pools": [POOL | {"family": "nowhere"}]}, "pools[0].family"),
            ({"pools": [POOL | {"start": "2027-2"}]}, "pools[0].start"),
            ({"pools": [POOL | {"start": 2027}]}, "pools[0].start"),
            ({"pools": [POOL | {"lead": None}]}, "pools[0].lead"),
            ({"pools": [POOL | {"lots": [{"offer": "x"}]}]}, "pools[0].lots[0].offer"),
            ({"pools": [POOL | {"lots": [{"offer": "o", "lines": "ab"}]}]}, "pools[0].lots[0].lines"),
            ({"pools": [POOL | {"lots": [{"offer": "o", "lines": ["a", ["b"]]}]}]}, "pools[0].lots[0].lines[1]"),
            ({"pools": [POOL | {"lots": [{"offer": "o", "lines": [], "tier": 1.0}]}]}, "pools[0].lots[0].tier"),
            ({"unpooled": [{"line": "zz", "reason": "capacity"}]}, "unpooled[0].line"),
            ({"unpooled": [{"line": "c", "reason": ["capacity"]}]}, "unpooled[0].reason"),
        ],
    )
    def test_what_cannot_be_read_is_named_by_its_path(self, change, path):
        found = check(valued(), plan_document(valued(), [POOL]) | change)
        assert path in {violation.path for violation in found if violation.rule == "format"}

    @pytest.mark.parametrize("document", [{}, [], None, {"policy": 3}, valued() | {"lines": [{"id": "a"}]}])
    def test_an_instance_that_cannot_be_read_is_the_one_violation(self, document):
        assert broken(document, {}) == {"instance"}

    def test_an_unknown_category_or_month_in_the_instance_too(self):
        document = valued()
        document["categories"] = [category("x")]
        assert broken(document, {}) == {"instance"}
        document = valued()
        document["policy"]["horizon_start"] = "2027-13"
        assert broken(document, {}) == {"instance"}
        document = valued()
        document["participants"] = [participant("SE-A")]
        assert broken(document, {}) == {"instance"}

    def test_a_violation_prints_on_one_line(self):
        (violation,) = check(valued(), [])
        assert str(violation) == "format at the document: must be an object, is []"
