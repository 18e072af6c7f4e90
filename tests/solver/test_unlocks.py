"""What lets a line in: one case for each reason a line stays out, and random ones against brute force.

Every change found is made, the changed instance solved anew and judged, and the line looked for in the plan; and the
best plan without the line is worth less.
"""

import json

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from solver import Instance, InvalidInstance, solve
from solver.check import check
from solver.plan import Plan, Reason
from solver.unlocks.finding import Status, Unlock, unlock, unlocks
from solver.unlocks.sizes import sums_below
from solver.whatif.changes import (
    CriterionAccepted,
    ForbiddenAdded,
    ForbiddenDropped,
    OfferChanged,
    ParticipantChanged,
    PolicyChanged,
    VolumeChanged,
    WindowMoved,
    apply,
)
from solver.whatif.kinds import Change
from tests.solver.brute import best
from tests.solver.instances import Document, category, instance, instances, line, offer, participant
from tests.solver.test_replan import decided

ENOUGH = 400


def solved(document: Document) -> tuple[Instance, Plan]:
    given_instance = Instance.from_document(document)
    plan = solve(given_instance, time_limit_s=20)
    assert check(document, json.loads(json.dumps(plan.to_document()))) == []
    return given_instance, plan


def pooled(plan: Plan) -> set[str]:
    return {name for pool in plan.pools for lot in pool.lots for name in lot.lines}


def asked(document: Document, reason: str, name: str = "a", **options: int) -> Unlock:
    """The answer for a line that stays out for the reason; a change that is found is confirmed by solving anew."""
    given_instance, plan = solved(document)
    assert {entry.line: entry.reason.value for entry in plan.unpooled}[name] == reason
    answer = unlock(given_instance, plan.pools, name, budget=ENOUGH, time_limit_s=60, **options)
    json.dumps(answer.to_document(), allow_nan=False)
    for found in [answer.cheapest, *answer.alternatives]:
        if found is not None and answer.status is Status.UNLOCKED:
            assert found.proven
            changed = apply(given_instance, found.changes).to_document()
            assert name in pooled(solved(changed)[1])
            without = apply(Instance.from_document(changed), [ForbiddenAdded(line=name)]).to_document()
            assert best(changed)[0] > best(without)[0] + 1e-3
    return answer


def people(*names: str, **fields: object) -> list[Document]:
    return [participant(name, **fields) for name in names]


def trio(**of_a: object) -> list[Document]:
    """a, b and c with 500 units each at 100 EUR."""
    return [line("a", "SE-A", **of_a), line("b", "DK-B"), line("c", "FI-C")]


PLAIN = [offer("o")]
CASES: dict[str, tuple[str, Document, Change, float]] = {
    # case: reason, instance, the cheapest change, its cost in months
    "window ends before the horizon": (
        "outside_horizon",
        instance(trio(earliest_start="2026-03", latest_start="2026-11"), PLAIN),
        WindowMoved(line="a", latest_months=2),
        2,
    ),
    "window begins after the horizon": (
        "outside_horizon",
        instance(trio(earliest_start="2028-03", latest_start="2028-09"), PLAIN),
        WindowMoved(line="a", earliest_months=-3),
        3,
    ),
    "an entry of forbidden": (
        "forbidden",
        instance(trio(), PLAIN, forbidden=[{"line": "a"}, {"line": "b", "start": "2027-01"}]),
        ForbiddenDropped(line="a"),
        12,
    ),
    "below the green floor": (
        "no_offer",
        instance(trio(), [offer("o", criteria=["x"])], green_floor=["x", "y"]),
        PolicyChanged(values={"green_floor": ("x",)}),
        24,
    ),
    "a required criterion": (
        "criteria_unmet",
        instance(trio(required=["x"]), PLAIN),
        CriterionAccepted(line="a", criterion="x"),
        6,
    ),
    "a refused criterion": (
        "criteria_refused",
        instance(trio(refused=["x"]), [offer("o", criteria=["x"])]),
        CriterionAccepted(line="a", criterion="x"),
        6,
    ),
    # Beside b or c there is room for 700 of a's 1300
    "too large, but a part of it fits": (
        "too_large",
        instance(
            [line("a", "SE-A", quantity=1300), line("b", "DK-B"), line("c", "FI-C")], [offer("o", max_quantity=1200)]
        ),
        VolumeChanged(line="a", quantity=700),
        12 * (1 - 700 / 1300),
    ),
    "too large for every lot": (
        "too_large",
        instance(
            [line("a", "SE-A", quantity=1010), line("b", "DK-B", quantity=1005)],
            [offer("o", (1500, 90.0), max_quantity=1000)],
        ),
        OfferChanged(offer="o", values={"max_quantity": 2015}),
        6 + 12 * 1.015,
    ),
    "alone in its months": (
        "no_partner",
        instance([line("a", "SE-A", latest_start="2027-03"), line("b", "DK-B", earliest_start="2027-05")], PLAIN),
        WindowMoved(line="a", latest_months=2),
        2,
    ),
    "the only authority": (
        "no_partner",
        instance([line("a", "SE-A"), line("b", "SE-A")], PLAIN),
        PolicyChanged(values={"min_participants": 1}),
        24,
    ),
    "one unit short": (
        "volume_short",
        instance([line("a", "SE-A"), line("b", "DK-B")], [offer("o", (1001, 90.0))]),
        VolumeChanged(line="a", quantity=501),
        12 / 500,
    ),
    # a may not grow fourfold; b, much larger, is short of 400 of its 2000
    "short of what another could bring": (
        "volume_short",
        instance([line("a", "SE-A", quantity=10), line("b", "DK-B", quantity=2000)], [offer("o", (2410, 90.0))]),
        VolumeChanged(line="b", quantity=2400),
        3 + 12 * 0.2,
    ),
    # At 85 EUR today the first tier is no gain; one unit more and the second, at 80, is reached
    "a tier short of being worth it": (
        "not_worth_it",
        instance(
            [line("a", "SE-A", unit_price_eur=85.0), line("b", "DK-B"), line("c", "FI-C")],
            [offer("o", (1000, 90.0), (1501, 80.0))],
            no_one_worse_off=True,
        ),
        VolumeChanged(line="a", quantity=501),
        12 / 500,
    ),
    "one country too many": (
        "capacity",
        instance([line("a", "SE-A"), line("b", "DK-B")], PLAIN, max_countries_per_pool=1),
        PolicyChanged(values={"max_countries_per_pool": 2}),
        6,
    ),
    "one participant too many": (
        "capacity",
        instance(trio(unit_price_eur=95.0), PLAIN, max_participants_per_pool=2),
        PolicyChanged(values={"max_participants_per_pool": 3}),
        6,
    ),
    "the programme's quarters are full": (
        "capacity",
        instance(trio(), PLAIN, max_pools_per_quarter=0),
        PolicyChanged(values={"max_pools_per_quarter": 1}),
        6,
    ),
    "its own quarters are full": (
        "capacity",
        instance(trio(), PLAIN, participants=[*people("SE-A", max_pools_per_quarter=0), *people("DK-B", "FI-C")]),
        ParticipantChanged(participant="SE-A", values={"max_pools_per_quarter": 1}),
        6,
    ),
    "nobody has a lead left": (
        "capacity",
        instance(trio(), PLAIN, participants=people("SE-A", "DK-B", "FI-C", max_leads=0)),
        ParticipantChanged(participant="SE-A", values={"max_leads": 1}),
        6,
    ),
    "nobody may lead": (
        "capacity",
        instance(trio(), PLAIN, participants=people("SE-A", "DK-B", "FI-C", may_lead=False)),
        ParticipantChanged(participant="SE-A", values={"may_lead": True}),
        6,
    ),
    "the offer's supply is spent": (
        "capacity",
        instance(trio(unit_price_eur=95.0), [offer("o", total_max_quantity=1000)]),
        OfferChanged(offer="o", values={"total_max_quantity": 1500}),
        6 + 12 * 0.5,
    ),
    # 200 of a's 500 are left beside b and c
    "the offer's supply has room for a part of it": (
        "capacity",
        instance(trio(unit_price_eur=95.0), [offer("o", total_max_quantity=1200)]),
        VolumeChanged(line="a", quantity=200),
        12 * 0.6,
    ),
    # b would make the volume with a, and may not
    "an entry that forbids the partner": (
        "no_partner",
        instance([line("a", "SE-A"), line("b", "DK-B")], PLAIN, forbidden=[{"participant": "DK-B", "offer": "o"}]),
        ForbiddenDropped(participant="DK-B", offer="o"),
        12,
    ),
    # The pool costs 10400 and saves 10 a unit of 1000
    "a pool not quite worth its cost": (
        "better_without",
        instance([line("a", "SE-A"), line("b", "DK-B")], PLAIN, pool_cost_eur=10400),
        VolumeChanged(line="a", quantity=541),
        12 * 41 / 500,
    ),
    # In March two others gain more than they lose by waiting for a; only its window keeps it out of January
    "waiting costs more than it brings": (
        "better_without",
        instance(trio(earliest_start="2027-10"), PLAIN, bridging_rate_per_year=1.0),
        WindowMoved(line="a", earliest_months=-9),
        9,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_reason_has_the_change_that_lets_the_line_in(name):
    reason, document, change, cost = CASES[name]
    answer = asked(document, reason)
    assert answer.status is Status.UNLOCKED
    assert answer.cheapest.changes == (change,)
    assert answer.cheapest.cost == pytest.approx(cost)
    assert answer.settled
    assert answer.unsettled == 0


NONE: dict[str, tuple[str, Document, str]] = {
    "no offer at all": ("no_offer", instance(trio(), []), "the category has no offer"),
    "always a premium": (
        "not_worth_it",
        instance(trio(), [offer("o", (1000, 110.0))]),
        "each shown not to let the line in",
    ),
    "far too dear": (
        "better_without",
        instance(trio(), PLAIN, pool_cost_eur=1_000_000),
        "each shown not to let the line in",
    ),
}


@pytest.mark.parametrize("name", NONE)
def test_where_no_single_change_does_it_says_why(name):
    reason, document, why = NONE[name]
    answer = asked(document, reason)
    assert (answer.status, answer.cheapest, answer.settled) == (Status.NONE, None, True)
    assert why in answer.why


def test_a_volume_beyond_whole_numbers_is_not_tried():
    # any growth of the line takes its upper figure beyond 2^53
    lines = [line("a", "SE-A", quantity=2**51, quantity_high=2**53), line("b", "DK-B", quantity=5)]
    answer = asked(instance(lines, [offer("o", (2**52, 90.0))]), "volume_short")
    changes = [found.changes for found in [answer.cheapest, *answer.alternatives] if found is not None]
    assert not any(isinstance(change, VolumeChanged) and change.line == "a" for each in changes for change in each)


def test_every_reason_has_a_case():
    assert {case[0] for case in (*CASES.values(), *NONE.values())} == {reason.value for reason in Reason}


def test_alternatives_name_who_else_could_do_what():
    document = instance([line("a", "SE-A"), line("b", "DK-B")], [offer("o", (1001, 90.0))])
    answer = asked(document, "volume_short")
    assert [(found.kind, found.by, found.changes) for found in answer.alternatives] == [
        ("volume_of_other", "DK-B", (VolumeChanged(line="b", quantity=501),))
    ]


def test_the_window_of_another_can_be_what_is_missing():
    # a may start in January alone and requires x; b is there from April, and its own moving is three months' cost more
    lines = [line("a", "SE-A", latest_start="2027-01"), line("b", "DK-B", earliest_start="2027-12")]
    answer = asked(instance(lines, PLAIN), "no_partner")
    assert answer.cheapest.changes == (WindowMoved(line="a", latest_months=11),)
    assert (WindowMoved(line="b", earliest_months=-11),) in [found.changes for found in answer.alternatives]


def test_the_criterion_of_another_can_be_what_is_missing():
    lines = [line("a", "SE-A"), line("b", "DK-B", refused=["x"])]
    document = instance(lines, [offer("o", (1000, 90.0), criteria=["x"])])
    answer = asked(document, "no_partner")
    assert answer.cheapest.changes == (CriterionAccepted(line="b", criterion="x"),)
    assert (answer.cheapest.by, answer.cheapest.cost) == ("DK-B", 9)


def test_a_change_that_only_makes_a_tie_is_said_to():
    # With a the pool would be worth exactly what it costs
    document = instance([line("a", "SE-A", required=["x"]), line("b", "DK-B")], PLAIN, pool_cost_eur=10000)
    answer = asked(document, "criteria_unmet")
    assert answer.status is Status.TIE
    assert answer.cheapest.changes == (CriterionAccepted(line="a", criterion="x"),)
    assert "as good as" in answer.why


def test_the_least_volume_is_sought_where_others_would_have_to_move_for_it():
    # a and b share a lot of 1000, c stays out; with more of its own, c takes a's place beside b in what supply allows
    lines = [line("a", "SE-A", unit_price_eur=98.0), line("b", "DK-B"), line("c", "FI-C", unit_price_eur=97.0)]
    document = instance(lines, [offer("o", (900, 90.0), max_quantity=1200)])
    answer = asked(document, "capacity", "c")
    (change,) = answer.cheapest.changes
    assert (answer.cheapest.kind, answer.settled) == ("own_volume", True)
    # a brings 500 * 8 a year, c 7 a unit: from 572 on c is worth more
    assert 572 <= change.quantity <= 577


def three_at_once() -> Document:
    """b and c, 700 together, need a as the third and have room for 300 of its 800; beside one there are 700 or 600."""
    sizes = (("a", "SE-A", 800), ("b", "DK-B", 300), ("c", "FI-C", 400))
    lines = [line(name, person, quantity=size) for name, person, size in sizes]
    return instance(lines, [offer("o", (900, 90.0), max_quantity=1000)], min_participants=3)


def test_a_smaller_volume_is_found_beside_several_lines():
    given_instance, plan = solved(three_at_once())
    answer = unlock(given_instance, plan.pools, "a", budget=ENOUGH, time_limit_s=60)
    assert answer.cheapest.changes == (VolumeChanged(line="a", quantity=300),)
    assert (answer.cheapest.cost, answer.settled) == (12 * 5 / 8, True)


def test_volumes_that_are_not_tried_are_not_ruled_out(monkeypatch):
    monkeypatch.setattr("solver.unlocks.sizes.MOST_SIZES", 1)
    given_instance, plan = solved(three_at_once())
    answer = unlock(given_instance, plan.pools, "a", budget=ENOUGH, time_limit_s=60)
    assert answer.cheapest is None or answer.cheapest.cost > 12 * 5 / 8
    assert (answer.settled, answer.status is Status.NONE) == (False, False)


def test_entries_of_forbidden_that_are_not_tried_are_not_ruled_out(monkeypatch):
    monkeypatch.setattr("solver.unlocks.candidates.MOST_ENTRIES", 0)
    lines = [line("a", "SE-A", quantity=1000), line("b", "DK-B")]
    document = instance(lines, PLAIN, forbidden=[{"participant": "DK-B"}])
    given_instance, plan = solved(document)
    answer = unlock(given_instance, plan.pools, "a", budget=ENOUGH, time_limit_s=60)
    assert answer.cheapest.changes == (PolicyChanged(values={"min_participants": 1}),)
    assert (answer.cheapest.cost, answer.settled) == (24, False)


def test_sums_of_volumes_that_leave_too_little():
    # 0 leaves 1000 and 300 leave 700, which are not less than 700
    assert sums_below([300, 400], 1000, 700) == {400, 700}
    assert sums_below([300, 400], 1000, 300) == set()
    assert sums_below([300, 400], 10_000, 700) == set()
    assert sums_below([2**k for k in range(20)], 2**20, 2**20) is None


def test_where_solving_again_is_enough_nothing_need_change():
    given_instance, plan = solved(instance(trio(), PLAIN))
    assert pooled(plan) == {"a", "b", "c"}
    answer = unlock(given_instance, (), "a")
    assert (answer.status, answer.cheapest.changes) == (Status.BY_SOLVING_AGAIN, ())
    assert answer.cheapest.with_eur == pytest.approx(15000)
    assert answer.cheapest.without_bound_eur == pytest.approx(10000)
    assert answer.cheapest.proven


def in_the_way() -> Document:
    """f (saving 10 a unit) and g (20) both fit only the first quarter, in which one pool may start."""
    lines = [line(f"{n}{c}", f"{n}-1", category=c, latest_start="2027-03") for c in "cd" for n in ("SE", "DK")]
    kinds = [category("c"), category("d", family="g")]
    offers = [offer("o"), offer("p", (1000, 80.0), category="d")]
    return instance(lines, offers, categories=kinds, max_pools_per_quarter=1)


def test_what_other_families_hold_is_theirs():
    answer = asked(in_the_way(), "capacity", "SEc")
    assert answer.families == ("f", "g")
    # a month later neither partner fits: the limit is what must give
    assert answer.cheapest.changes == (PolicyChanged(values={"max_pools_per_quarter": 2}),)


def test_of_a_large_instance_the_family_alone_is_solved(monkeypatch):
    monkeypatch.setattr("solver.unlocks.finding.WHOLE_LINES", 3)
    answer = asked(in_the_way(), "capacity", "SEc")
    assert answer.families == ("f",)
    assert answer.cheapest.with_eur == pytest.approx(10000)
    assert answer.cheapest.changes == (PolicyChanged(values={"max_pools_per_quarter": 2}),)


def test_many_lines_are_answered_and_the_rest_named(monkeypatch):
    monkeypatch.setattr("solver.unlocks.finding.WHOLE_LINES", 0)
    lines = [line(f"{name}{c}", f"{name}-1", category=c, required=["x"]) for c in "cdef" for name in ("SE", "DK")]
    kinds = [category(c, family=f"f{c}") for c in "cdef"]
    document = instance(lines, [offer(f"o{c}", category=c) for c in "cdef"], categories=kinds)
    given_instance, plan = solved(document)
    found = unlocks(given_instance, plan.pools, budget=2)
    assert [entry.line for entry in found.lines] == ["DKc", "DKd"]
    assert found.not_looked_at == ("DKe", "DKf", "SEc", "SEd", "SEe", "SEf")
    assert found.solves == 2
    named = unlocks(given_instance, plan.pools, ["DKd", "SEd"], budget=100)
    assert [entry.line for entry in named.lines] == ["DKd", "SEd"]
    assert named.not_looked_at == ()
    assert json.loads(json.dumps(named.to_document()))["schema"] == "pooling.unlocks/1"


@pytest.mark.parametrize("name", ["nothing", "b"])
def test_a_line_that_is_none_or_in_a_pool_is_refused(name):
    given_instance, plan = solved(instance(trio(required=["x"]), PLAIN))
    with pytest.raises(InvalidInstance, match=f"line: '{name}'"):
        unlock(given_instance, plan.pools, name)


def test_without_work_allowed_nothing_is_claimed():
    given_instance, plan = solved(CASES["one country too many"][1])
    answer = unlock(given_instance, plan.pools, "a", budget=1, time_limit_s=0.0)
    assert answer.status is Status.NOT_FOUND
    assert answer.unsettled == answer.considered > 0


@st.composite
def questions(draw):
    """An instance whose best plan leaves a free line out, and that line."""
    document = draw(instances(max_lines=6))
    return document, draw(st.integers(0, 5))


@settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(question=questions(), alone=st.booleans())
def test_what_is_found_lets_the_line_in_and_nothing_cheaper_of_its_own_does(question, alone):
    document, which = question
    given_instance = Instance.from_document(document)
    plan = solve(given_instance, time_limit_s=20)
    out = [entry["id"] for entry in document["lines"] if entry["id"] not in pooled(plan)]
    assume(out)
    name = out[which % len(out)]
    own = next(entry for entry in document["lines"] if entry["id"] == name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("solver.unlocks.finding.WHOLE_LINES", 0 if alone else 200)
        answer = unlock(given_instance, plan.pools, name, budget=ENOUGH, time_limit_s=60)
    asked_about = only_family_of(own, document, plan) if alone else given_instance

    def lets_in(change: Change) -> float:
        """By how much the best plan under the change beats the best without the line."""
        changed = apply(asked_about, [change])
        without = apply(changed, [ForbiddenAdded(line=name)])
        return best(changed.to_document())[0] - best(without.to_document())[0]

    if answer.status is Status.UNLOCKED:
        assert answer.cheapest.proven
        for found in (answer.cheapest, *answer.alternatives):
            (change,) = found.changes
            assert lets_in(change) > 0.4
    assert answer.settled
    most = answer.cheapest.cost if answer.status is Status.UNLOCKED else 99
    cheaper: list[Change] = [CriterionAccepted(line=name, criterion=c) for c in (*own["required"], *own["refused"])]
    cheaper = cheaper if most > 6 else []
    for months in (1, 2, 3, 5, 8):
        if months < most:
            cheaper += [WindowMoved(line=name, earliest_months=-months), WindowMoved(line=name, latest_months=months)]
    for change in cheaper:
        assert lets_in(change) < 0.6


def only_family_of(own: Document, document: Document, plan: Plan) -> Instance:
    """The instance with the pools of all families but the line's decided, and no others of theirs allowed."""
    family = {entry["id"]: entry["family"] for entry in document["categories"]}
    fixed = {(entry["family"], entry["start"]) for entry in document["fixed"]}
    mine = family[own["category"]]
    others = [p for p in plan.pools if p.family != mine and (p.family, p.start) not in fixed]
    standing = Instance.from_document(decided(document, others))
    return apply(standing, [ForbiddenAdded(family=name) for name in sorted(set(family.values())) if name != mine])
