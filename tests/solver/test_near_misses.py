"""Lots short of a volume: each way to close a gap by hand, and on random instances that it does close."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solver import Instance, InvalidInstance, InvalidPlan
from solver.near_misses.finding import NearMisses, near_misses
from solver.near_misses.near_miss import NearMiss
from solver.near_misses.search import LEAST_SHARE
from solver.plan import PlanPool
from solver.whatif.changes import apply
from solver.whatif.lines import OfLines
from solver.worth import Worth
from tests.solver.brute_case import Case
from tests.solver.instances import category, instance, line, offer, participant, random_instance

Document = dict[str, Any]
JUNE = {"earliest_start": "2027-06", "latest_start": "2027-06"}


def misses(document: Document, *pools: PlanPool, **settings: Any) -> tuple[NearMiss, ...]:
    found = near_misses(Instance.from_document(document), pools, **settings)
    json.dumps(found.to_document(), allow_nan=False)
    return found.found


def only(document: Document, *pools: PlanPool) -> NearMiss:
    found = misses(document, *pools)
    assert len(found) == 1
    return found[0]


def pool(document: Document, start: str, **lots: list[str]) -> PlanPool:
    worth = Worth(Instance.from_document(document))
    planned = tuple(worth.lot(name, lines, start) for name, lines in lots.items())
    return PlanPool("f", start, worth.lines[planned[0].lines[0]].participant, planned)


def pair(**of_b: Any) -> list[Document]:
    """A with 700 units in June, B with 500: 70 % of 1000 are there."""
    return [line("a", "DK-1", quantity=700, **JUNE), line("b", "SE-1", **of_b)]


def test_a_window_moved_later_closes_the_gap() -> None:
    """B could start in 2027-03 at the latest; three months later it is there. Both save 10 EUR a unit for a year."""
    miss = only(instance(pair(latest_start="2027-03"), [offer("o")], min_participants=2, lot_cost_eur=100))
    assert (miss.kind, miss.category, miss.offer, miss.start) == ("tipping", "c", "o", "2027-06")
    assert (miss.lines, miss.participants) == (("a",), ("DK-1",))
    assert (miss.share, miss.missing_quantity) == (pytest.approx(0.7), pytest.approx(300))
    assert [way.kind for way in miss.ways] == ["window"]
    way = miss.ways[0]
    assert way.to_document()["changes"] == [{"kind": "window_moved", "line": "b", "latest_months": 3}]
    assert (way.participants, way.tier, way.quantity) == (("SE-1",), 0, 1200)
    assert way.benefit_eur == pytest.approx(12_000)
    assert way.worth_eur == miss.worth_eur == pytest.approx(11_900)


def test_a_window_moved_earlier_waits_no_more() -> None:
    """B from 2027-08: two months earlier, and it starts at once, so nothing bridges."""
    miss = only(instance(pair(earliest_start="2027-08"), [offer("o")], bridging_rate_per_year=0.1))
    assert miss.ways[0].to_document()["changes"] == [{"kind": "window_moved", "line": "b", "earliest_months": -2}]
    assert miss.ways[0].benefit_eur == pytest.approx(12_000)


def test_no_window_moves_by_more_than_a_year() -> None:
    late = {"earliest_start": "2028-07", "latest_start": "2028-12"}
    assert "window" not in {way.kind for way in only(instance(pair(**late), [offer("o")], min_participants=1)).ways}
    soon = late | {"earliest_start": "2028-06"}
    assert only(instance(pair(**soon), [offer("o")], min_participants=1)).ways[0].kind == "window"


@pytest.mark.parametrize(("field", "criteria"), [("required", []), ("refused", ["x"])])
def test_a_criterion_dropped_closes_the_gap(field: str, criteria: list[str]) -> None:
    lines = pair(**{field: ["x"]})
    miss = only(instance(lines, [offer("o", criteria=criteria)]))
    assert miss.ways[0].kind == "criterion"
    assert miss.ways[0].to_document()["changes"] == [{"kind": "criterion_accepted", "line": "b", "criterion": "x"}]


def test_two_criteria_or_two_kinds_at_once_are_not_asked_of_one_line() -> None:
    for fields in ({"required": ["x", "y"]}, {"required": ["x"], "latest_start": "2027-03"}):
        miss = only(instance(pair(**fields), [offer("o")], min_participants=1))
        assert [way.kind for way in miss.ways] == ["volume"]


def test_both_kinds_together_where_neither_is_enough() -> None:
    """700 of 1000; B brings 150 by moving, C 150 by dropping a criterion."""
    lines = [*pair(latest_start="2027-03", quantity=150), line("c", "FI-1", quantity=150, required=["x"])]
    miss = only(instance(lines, [offer("o")]))
    assert [way.kind for way in miss.ways] == ["window_and_criterion"]
    assert {change["kind"] for change in miss.ways[0].to_document()["changes"]} == {
        "window_moved",
        "criterion_accepted",
    }


def test_lines_that_are_there_may_grow() -> None:
    """A and B have 800 of 1000 in June with z * sd known: a quarter more of each, and of their spread, closes it."""
    lines = [line(k, f"SE-{k}", quantity=400, **JUNE) for k in "ab"]
    miss = only(instance(lines, [offer("o")]))
    assert [way.kind for way in miss.ways] == ["volume"]
    way = miss.ways[0]
    assert (way.quantity, way.sure_quantity) == (1000, pytest.approx(1000))
    changes = way.to_document()["changes"]
    assert [change["quantity"] for change in changes] == [500, 500]
    assert way.worth_eur == pytest.approx(10_000)


def test_growth_covers_what_is_not_sure() -> None:
    """At confidence 0.9, 90..110 of 100 are z * sd = 10 each: 200 - sqrt(200) sure; all times 300 / that."""
    rows = [line(k, f"SE-{k}", quantity=100, quantity_low=90, quantity_high=110, **JUNE) for k in "ab"]
    document = instance(rows, [offer("o", (300, 90.0))], confidence=0.9)
    miss = only(document)
    assert miss.sure_quantity == pytest.approx(200 - 200**0.5)
    way = miss.ways[0]
    assert way.sure_quantity >= 300 * (1 - 1e-6)
    assert way.quantity <= 2 * 100 * 300 / miss.sure_quantity + 6


def test_nothing_grows_beyond_what_an_instance_holds() -> None:
    lines = [line(k, f"SE-{k}", quantity=size, **JUNE) for k, size in (("a", 2**51), ("b", 2**52))]
    assert only(instance(lines, [offer("o", (2**53, 90.0))])).ways == ()


def test_the_fewest_are_asked() -> None:
    """300 are missing: C alone brings them, so B and D with 100 each are left in peace."""
    moved = {"latest_start": "2027-03"}
    rows = [("b", 100), ("c", 300), ("d", 100)]
    lines = [pair()[0], *(line(name, f"SE-{name}", quantity=size, **moved) for name, size in rows)]
    way = only(instance(lines, [offer("o")])).ways[0]
    assert [change["line"] for change in way.to_document()["changes"]] == ["c"]


def moving(name: str, size: int, months: int, **fields: Any) -> Document:
    """A line that could start so many months before June at the latest."""
    return line(name, f"SE-{name}", quantity=size, latest_start=f"2027-{6 - months:02}", **fields)


def asked_to_move(document: Document) -> list[list[str]]:
    return [[change["line"] for change in way.to_document()["changes"]] for way in only(document).ways]


def test_who_does_not_fit_the_ceiling_is_passed_over() -> None:
    """300 are missing and 1200 the most: B's 800 for a month are too much, C's 300 for two just enough."""
    lines = [pair()[0], moving("b", 800, 1), moving("c", 300, 2)]
    assert asked_to_move(instance(lines, [offer("o", max_quantity=1200)]))[0] == ["c"]
    assert asked_to_move(instance(lines, [offer("o", total_max_quantity=1200)]))[0] == ["c"]


def test_who_comes_first_does_not_take_the_room_of_who_is_enough() -> None:
    """300 are missing and 1100 the most: B's 250 for a month leave no room for C, whose 310 for five months do."""
    lines = [pair()[0], moving("b", 250, 1), moving("c", 310, 5)]
    assert asked_to_move(instance(lines, [offer("o", max_quantity=1100)]))[0] == ["c"]


def test_what_is_there_is_the_most_that_fits_the_ceiling() -> None:
    """A's 300 are certain and come first by certainty, but B's 760 beside them are more than 1050; B alone is 76 %."""
    lines = [
        line("a", "DK-1", quantity=300, **JUNE),
        line("b", "SE-1", quantity=760, quantity_low=700, quantity_high=800, **JUNE),
    ]
    miss = only(instance(lines, [offer("o", max_quantity=1050)]))
    assert (miss.lines, miss.share) == (("b",), pytest.approx(0.76))


def test_who_gains_only_at_a_higher_tier_may_bring_the_lot_there() -> None:
    """100 of 800 are missing; B pays 85 today and would lose at 90, but with its 500 all pay 80."""
    lines = [pair()[0], moving("b", 500, 2, unit_price_eur=85.0)]
    miss = only(instance(lines, [offer("o", (800, 90.0), (1100, 80.0))], no_one_worse_off=True))
    assert (miss.needed_quantity, [way.kind for way in miss.ways]) == (800, ["window"])
    assert (miss.ways[0].tier, miss.ways[0].benefit_eur) == (1, pytest.approx(700 * 20 + 500 * 5))


def test_nobody_is_asked_in_vain() -> None:
    """300 are missing. B's 290 for a month come first and are not enough; C's 310 for ten months do without B."""
    lines = [
        pair()[0],
        line("b", "SE-b", quantity=290, latest_start="2027-05"),
        line("c", "SE-c", quantity=310, earliest_start="2028-04", latest_start="2028-04"),
    ]
    way = only(instance(lines, [offer("o")])).ways[0]
    assert [change["line"] for change in way.to_document()["changes"]] == ["c"]


def test_who_would_be_worse_off_is_not_asked() -> None:
    """B pays 80 today, less than the offer's 90."""
    lines = pair(latest_start="2027-03", unit_price_eur=80.0)
    assert [
        way.kind for way in only(instance(lines, [offer("o")], no_one_worse_off=True, min_participants=1)).ways
    ] == ["volume"]


def test_authorities_count_too() -> None:
    """A's 700 and its second line of 400 are of one authority and close no gap; with B's 100 they do."""
    people = [participant("DK-1"), participant("SE-1")]
    lines = [
        line("a", "DK-1", quantity=700, **JUNE),
        line("a2", "DK-1", quantity=400, latest_start="2027-03"),
        line("b", "SE-1", quantity=100, latest_start="2027-03"),
    ]
    way = only(instance(lines, [offer("o")], participants=people)).ways[0]
    assert {change["line"] for change in way.to_document()["changes"]} == {"a2", "b"}
    alone = [participant("DK-1"), participant("SE-1", contracting_authority=False)]
    assert only(instance(lines, [offer("o")], participants=alone)).ways == ()


@pytest.mark.parametrize(("size", "found"), [(599, 0), (600, 1), (999, 1), (1000, 0)])
def test_sixty_to_a_hundred_per_cent(size: int, found: int) -> None:
    lines = [line("a", "SE-1", quantity=size - 100, **JUNE), line("b", "DK-1", quantity=100, **JUNE)]
    assert len(misses(instance(lines, [offer("o")]))) == found


def test_of_neighbouring_starts_the_best_is_kept() -> None:
    """A and B can start from January to June; waiting costs, so January is worth most."""
    lines = [line(k, f"SE-{k}", quantity=400, latest_start="2027-06") for k in "ab"]
    miss = only(instance(lines, [offer("o")], bridging_rate_per_year=0.1))
    assert miss.start == "2027-01"


def test_best_first_and_no_more_than_asked() -> None:
    lines = [*pair(latest_start="2027-03"), line("c", "SE-2", category="e", quantity=700, **JUNE)]
    lines += [line("d", "DK-2", category="e", quantity=700, latest_start="2027-03")]
    offers = [offer("o"), offer("p", (1000, 70.0), category="e")]
    document = instance(lines, offers, categories=[category("c"), category("e")])
    found = misses(document)
    assert [miss.offer for miss in found] == ["p", "o"]
    assert found[0].worth_eur == pytest.approx(1400 * 30)
    assert misses(document, most=1) == found[:1]
    assert misses(document, most=0) == ()


def test_set_up_depends_on_what_the_plan_has() -> None:
    """A new pool of two countries costs 5,000 + 700 + a lot; beside an existing one of both only the lot."""
    kinds = [category("c"), category("e")]
    lines = [*pair(latest_start="2027-03"), *(line(f"e{k}", k, category="e", **JUNE) for k in ("DK-1", "SE-1"))]
    costs = {"pool_cost_eur": 5000, "country_cost_eur": 700, "lot_cost_eur": 300}
    offers = [offer("o"), offer("p", category="e")]
    document = instance(lines, offers, categories=kinds, **costs)
    plan = pool(document, "2027-06", p=["eDK-1", "eSE-1"])
    alone = next(miss for miss in misses(document) if miss.offer == "o")
    assert alone.ways[0].set_up_cost_eur == pytest.approx(6000)
    assert only(document, plan).ways[0].set_up_cost_eur == pytest.approx(300)


def test_a_lot_near_its_next_tier() -> None:
    """1,200 units stand at 90; from 1,500 on all pay 80. C moves a month: 1,700 * 20 - 1,200 * 10 EUR more."""
    lines = [*pair(**JUNE), line("c", "FI-1", latest_start="2027-05")]
    document = instance(lines, [offer("o", (1000, 90.0), (1500, 80.0))], country_cost_eur=1000)
    miss = only(document, pool(document, "2027-06", o=["a", "b"]))
    assert (miss.kind, miss.needed_quantity, miss.share) == ("next_tier", 1500, pytest.approx(0.8))
    assert [way.kind for way in miss.ways] == ["window", "volume"]
    assert miss.ways[0].worth_eur == pytest.approx(1700 * 20 - 1200 * 10 - 1000)


def test_a_free_line_may_just_join() -> None:
    lines = [*pair(**JUNE), line("c", "FI-1")]
    document = instance(lines, [offer("o", (1000, 90.0), (1500, 80.0))])
    miss = only(document, pool(document, "2027-06", o=["a", "b"]))
    assert (miss.ways[0].kind, miss.ways[0].joining, miss.ways[0].changes) == ("join", ("c",), ())


def test_decided_pools_stand_and_their_months_are_taken() -> None:
    lines = [*pair(latest_start="2027-03"), line("d", "SE-2", category="e"), line("e", "DK-2", category="e")]
    offers = [offer("o"), offer("p", (1000, 95.0), (1500, 90.0), category="e")]
    kinds = [category("c"), category("e")]
    decided = [{"family": "f", "start": "2027-06", "lead": "SE-2", "lots": [{"offer": "p", "lines": ["d", "e"]}]}]
    document = instance(lines, offers, categories=kinds, fixed=decided)
    assert misses(document, pool(document, "2027-06", p=["d", "e"])) == ()
    assert len(misses(instance(lines, offers, categories=kinds))) == 1


@pytest.mark.parametrize(
    ("policy", "limit"),
    [
        ({"max_pools_per_quarter": 0}, "max_pools_per_quarter"),
        ({"max_countries_per_pool": 1}, "max_countries_per_pool"),
        ({"max_participants_per_pool": 1}, "max_participants_per_pool"),
        ({}, None),
    ],
)
def test_the_limit_in_the_way_is_named(policy: dict[str, Any], limit: str | None) -> None:
    assert only(instance(pair(latest_start="2027-03"), [offer("o")], **policy)).ways[0].limit == limit


def test_a_participant_with_a_full_quarter_and_a_pool_without_a_lead_are_named() -> None:
    for fields, limit in (
        ({"max_pools_per_quarter": 0}, "max_pools_per_quarter of DK-1"),
        ({"may_lead": False}, "may_lead"),
    ):
        people = [participant("DK-1", **fields), participant("SE-1", may_lead="may_lead" not in fields)]
        document = instance(pair(latest_start="2027-03"), [offer("o")], participants=people)
        assert only(document).ways[0].limit == limit


def test_ceilings_floors_and_bans_hold() -> None:
    moved = pair(latest_start="2027-03")
    assert only(instance(moved, [offer("o", max_quantity=1100)])).ways == ()
    assert only(instance(moved, [offer("o", total_max_quantity=1100)])).ways == ()
    assert misses(instance(moved, [offer("o")], green_floor=["x"])) == ()
    assert only(instance(moved, [offer("o")], forbidden=[{"line": "b", "start": "2027-06"}])).ways == ()
    assert only(instance(moved, [offer("o")], forbidden=[{"line": "b", "start": "2027-05"}])).ways != ()


# Random instances ----------------------------------------------------------------------------------------------------


def near_by_trying_all(case: Case, name: str, start: int) -> float:
    """The best share of an offer's tipping volume any choice of fitting lines reaches that would not be worse off."""
    sold = case.offers[name]
    most = min(case.horizon * 10**9 if cap is None else cap for cap in (sold["max_quantity"], case.scarce_supply(sold)))

    def willing(i: int) -> bool:
        worse = case.benefit(i, start, sold, 0) < -1e-6 * max(1, case.spend(i))
        return case.fits(i, sold, start) and not (case.policy["no_one_worse_off"] and worse)

    fits = sum(1 << i for i in case.free if willing(i))
    best, mask = 0.0, fits
    while mask:
        if case.quantity(mask) <= most:
            best = max(best, case.sure(mask) / sold["tiers"][0]["from_quantity"])
        mask = (mask - 1) & fits
    return best


@given(st.integers(0, 10**9))
@settings(max_examples=80, deadline=None)
def test_ways_close_gaps_on_random_instances(seed: int) -> None:
    """Apply a way's changes to the instance: the lot then keeps every rule of lots and is worth what was said."""
    document = random_instance(seed)
    whole = Instance.from_document(document)
    for miss in near_misses(whole, ()).found:
        assert LEAST_SHARE <= miss.share < 1
        for way in miss.ways:
            changed = apply(whole, way.changes).to_document()
            case = Case(json.loads(json.dumps(changed)))
            moved = [change for change in way.changes if isinstance(change, OfLines)]
            assert len(moved) == len(way.changes)
            names = {*miss.lines, *way.joining, *(change.line for change in moved)}
            mask = sum(1 << i for i, row in enumerate(case.lines) if row["id"] in names)
            sold, start = case.offers[miss.offer], case.offset(miss.start)
            assert all(case.fits(i, sold, start) for i in case.members(mask))
            assert case.tier(mask, sold) == way.tier
            assert case.authorities(mask) >= case.policy["min_participants"]
            assert sold["max_quantity"] is None or case.quantity(mask) <= sold["max_quantity"]
            benefits = [case.benefit(i, start, sold, way.tier) for i in case.members(mask)]
            assert sum(benefits) == pytest.approx(way.benefit_eur, abs=1e-6 * max(1, abs(way.benefit_eur)))
            assert not case.policy["no_one_worse_off"] or min(benefits) >= -1e-3
            cost = case.policy["lot_cost_eur"] + case.pool_cost(mask)
            assert way.worth_eur == pytest.approx(sum(benefits) - cost, abs=1e-6 * max(1, cost))


@given(st.integers(0, 10**9))
@settings(max_examples=80, deadline=None)
def test_every_offer_within_reach_is_found_once(seed: int) -> None:
    """Against every choice of lines at every start. With correlation or a ceiling the choices tried may miss some."""
    document = random_instance(seed)
    document["policy"]["forecast_correlation"] = 0.0
    case = Case(document)
    found: NearMisses = near_misses(Instance.from_document(document), ())
    named = [miss.offer for miss in found.found]
    assert len(named) == len(set(named))
    taken = {(family, start) for family, start, _, _ in case.fixed}
    for name, sold in case.offers.items():
        if sold["max_quantity"] is not None or sold["total_max_quantity"] is not None:
            continue
        starts = [t for t in range(case.horizon) if (case.family(sold), t) not in taken]
        shares = [near_by_trying_all(case, name, t) for t in starts]
        floor = set(document["policy"]["green_floor"]) <= set(sold["criteria"])
        sure_of = [share for share in shares if abs(share - LEAST_SHARE) < 1e-6 or abs(share - 1) < 1e-5]
        if not sure_of:
            assert (name in named) is (floor and any(LEAST_SHARE <= share < 1 for share in shares))


def test_random_instances_have_near_misses_of_every_kind() -> None:
    """The control of the two tests above: there is something to find."""
    kinds = {
        way.kind
        for seed in range(150)
        for miss in near_misses(Instance.from_document(random_instance(seed)), ()).found
        for way in miss.ways
    }
    assert kinds >= {"window", "criterion", "volume"}


# Refusals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [-1, 1.5, True])
def test_a_count_out_of_bounds_is_refused(most: Any) -> None:
    with pytest.raises(InvalidInstance, match="most"):
        misses(instance(pair(), [offer("o")]), most=most)


def test_pools_of_another_instance_are_refused() -> None:
    document = instance(pair(), [offer("o")])
    with pytest.raises(InvalidPlan, match=r"pools\[0\]"):
        misses(document, PlanPool("g", "2027-06", "SE-1", ()))
