"""Estimates of where a line could go against the exact totals, and the quick mending of pools that a change broke."""

from dataclasses import replace

import numpy as np
import pytest

from solver import Instance, solve
from solver.lots import Market
from solver.plan import PlanLot, PlanPool
from solver.pools import total_value
from solver.whatif.answers import what_if
from solver.whatif.changes import ForbiddenAdded, LineLeaves, apply
from solver.whatif.mending import mended
from solver.whatif.placing import Ground, Meeting, View, tried
from solver.whatif.upholding import uphold
from solver.worth import Worth
from tests.solver.instances import Document, instance, line, offer, random_instance


def view_of(document: Document | Instance) -> View:
    given_instance = document if isinstance(document, Instance) else Instance.from_document(document)
    market = Market(given_instance)
    return View(market, Worth(given_instance), market.left)


def pool(lines: str, start: str = "2027-01") -> PlanPool:
    return PlanPool("f", start, "SE-A", (PlanLot("o", tuple(lines.split()), 0, 0, 0.0, 0.0),))


COSTS = {"pool_cost_eur": 3000, "lot_cost_eur": 500, "line_cost_eur": 100, "country_cost_eur": 700}
LINES = [line("a", "SE-A"), line("b", "DK-B"), line("c", "FI-C"), line("d", "SE-D", earliest_start="2027-06")]


def meetings(document: Document, pools: list[PlanPool], name: str) -> list[tuple[Ground, Meeting]]:
    view = view_of(document)
    standing = uphold(view.market, view.worth, pools).pools
    ground = Ground(view, standing, "c")
    return [(ground, meeting) for meeting in ground.meetings(ground.shelf.index[name])]


def best_gain(found: list[tuple[Ground, Meeting]], *, joins: bool, month: int) -> float:
    return max(
        float(np.where(meeting.reaches(1.0), meeting.gain(1.0), -np.inf)[month])
        for _, meeting in found
        if meeting.company.joins is joins
    )


def test_joining_a_lot_adds_the_benefit_and_what_the_next_tier_saves_all():
    # c saves 500 * 20 at the second tier, a and b 10 more on 1000 units; Finland is new
    document = instance(LINES, [offer("o", (1000, 90.0), (1500, 80.0))], **COSTS)
    gain = best_gain(meetings(document, [pool("a b")], "c"), joins=True, month=0)
    assert gain == pytest.approx(10000 - 100 + 10000 - 700)


def test_opening_a_pool_costs_all_that_a_pool_costs():
    # In June d meets c, who is free: 1000 units save 10 each; one lot, two lines, one country beyond the first
    document = instance(LINES, [offer("o")], **COSTS)
    gain = best_gain(meetings(document, [pool("a b")], "d"), joins=False, month=5)
    assert gain == pytest.approx(10000 - 3000 - 500 - 200 - 700)


def test_a_share_of_the_demand_brings_a_share_of_the_gain():
    document = instance(LINES, [offer("o")], **COSTS)
    ((_, meeting),) = [entry for entry in meetings(document, [pool("a b")], "c") if entry[1].company.joins]
    assert meeting.gain(0.5)[0] == pytest.approx(2500 - 100 - 700)
    assert meeting.own_benefit(0.5)[0] == pytest.approx(2400)
    assert meeting.reaches(0.5)[0]


def unlimited(seed: int) -> Document:
    """A random instance in which no shared limit binds and everybody may lead."""
    document = random_instance(seed, max_lines=7)
    document["policy"] |= dict.fromkeys(
        ("max_pools_per_quarter", "max_participants_per_pool", "max_countries_per_pool")
    ) | {"stability_eur": 0}
    for row in document["participants"]:
        row.update(max_pools_per_quarter=None, max_leads=None, may_lead=True, contracting_authority=True)
    for row in document["offers"]:
        row.update(max_quantity=None, total_max_quantity=None)
    return document


def weakened(view: View, pools: tuple[PlanPool, ...]) -> tuple[PlanPool, ...]:
    """What holds of the plan without the first line of every lot, and without its last pool."""
    fewer = [replace(p, lots=tuple(replace(lot, lines=lot.lines[1:]) for lot in p.lots)) for p in pools[:-1]]
    return uphold(view.market, view.worth, fewer).pools


def compared(document: Document) -> int:
    """How many estimates are the exact change of the total: those at the offer's last tier with nobody moved."""
    view, count = view_of(document), 0
    plan = weakened(view, solve(view.market.instance, time_limit_s=20).pools)
    before = total_value(view.worth, plan)
    for category in sorted({row["category"] for row in document["lines"]}):
        ground = Ground(view, plan, category)
        for k in np.flatnonzero(ground.free):
            for meeting in ground.meetings(int(k)):
                company = meeting.company
                last = company.tier == len(ground.shelf.offers[company.offer].tiers) - 1
                stays = company.joins | ~(company.there & ~ground.free[:, None]).any(axis=0)
                willing = (meeting.own_benefit(1.0) >= 0) & ground.shelf.fits[company.offer][k] & stays & last
                for month in np.flatnonzero(willing & meeting.reaches(1.0)):
                    placement = ground.placement(meeting, int(month))
                    value, _ = tried(view, plan, ground.family, placement)
                    assert value == pytest.approx(before + placement.estimate_eur, abs=0.01)
                    count += 1
    return count


def test_an_estimate_is_the_exact_total_where_nobody_moves_and_no_limit_binds():
    assert sum(compared(unlimited(seed)) for seed in range(60)) > 100


def test_a_broken_pool_is_tried_in_the_months_beside_it():
    before = Instance.from_document(instance(LINES, [offer("o")], bridging_rate_per_year=0.12, **COSTS))
    plan = uphold(Market(before), Worth(before), [pool("a b c")]).pools
    view = view_of(apply(before, [ForbiddenAdded(family="f", start="2027-01")]))
    (moved,) = mended(view, plan, ())
    assert (moved.start, moved.lots[0].lines) == ("2027-02", ("a", "b", "c"))


def test_lines_that_lost_their_lot_open_another():
    offers = [offer("o"), offer("p", (900, 95.0))]
    before = Instance.from_document(instance(LINES[:3], offers))
    plan = uphold(Market(before), Worth(before), [pool("a b c")]).pools
    view = view_of(apply(before, [ForbiddenAdded(offer="o")]))
    (opened,) = mended(view, plan, ())
    assert (opened.lots[0].offer, sorted(opened.lots[0].lines)) == ("p", ["a", "b", "c"])


def test_what_cannot_be_mended_stays_as_it_is():
    before = Instance.from_document(instance(LINES[:2], [offer("o")]))
    plan = uphold(Market(before), Worth(before), [pool("a b")]).pools
    assert mended(view_of(apply(before, [LineLeaves(line="a")])), plan, ()) == ()


def test_a_what_if_without_time_is_mended_all_the_same():
    before = Instance.from_document(instance(LINES[:3], [offer("o")], bridging_rate_per_year=0.12))
    plan = uphold(Market(before), Worth(before), [pool("a b c")]).pools
    answer = what_if(before, plan, [ForbiddenAdded(family="f", start="2027-01")], time_limit_s=0.001)
    assert answer.standing.objective_eur == 0
    assert answer.after.objective_eur == pytest.approx(15000 - 1500)
    assert answer.replanned.bound_eur >= answer.after.objective_eur
