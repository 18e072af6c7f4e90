"""What-ifs by hand, one for each kind of change, and on random instances against two full searches."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solver import Instance, InvalidInstance, InvalidPlan, solve
from solver.check import check
from solver.whatif import answers
from solver.whatif.answers import WhatIf, what_if
from solver.whatif.changes import (
    KINDS,
    CriterionAccepted,
    CriterionRequired,
    ForbiddenAdded,
    ForbiddenDropped,
    LineLeaves,
    OfferChanged,
    ParticipantChanged,
    ParticipantLeaves,
    PolicyChanged,
    VolumeChanged,
    WindowMoved,
    apply,
)
from solver.whatif.kinds import Change
from solver.whatif.replan import pool_document
from tests.solver.brute import best
from tests.solver.instances import Document, category, instance, instances, line, offer, participant
from tests.solver.plans import plan_document
from tests.solver.test_changes import possible


def document() -> Document:
    """One family: A, B and C have 500 units each at 100 EUR, D waits for a criterion and E may not; the second tier
    of the offer is at 1500 units. Best: A, B and C from January at 80, worth 30000 less 1000 for the pool."""
    lines = [line("a", "SE-A"), line("b", "DK-B"), line("c", "FI-C")]
    lines += [line("d", "NO-D", required=["green"]), line("e", "IS-E")]
    policy = {"pool_cost_eur": 1000, "bridging_rate_per_year": 0.12, "carbon_price_eur_per_tonne": 100}
    return instance(
        lines,
        [offer("o", (1000, 90.0), (1500, 80.0), co2_saved_kg_per_unit=0.0)],
        participants=[participant(row["participant"]) for row in lines],
        forbidden=[{"line": "e"}],
        **policy,
    )


def asked(*changes: Change, of: Document | None = None, **options: object) -> WhatIf:
    """The answer for the document's best plan, its pools lawful by the judge."""
    given_document = of or document()
    before = Instance.from_document(given_document)
    plan = solve(before, time_limit_s=20)
    answer = what_if(before, plan.pools, changes, time_limit_s=20, **options)
    after = apply(before, changes).to_document()
    described = plan_document(after, [pool_document(pool) for pool in answer.replanned.pools])
    assert check(after, described) == []
    assert answer.after.objective_eur == pytest.approx(described["objective_eur"])
    json.dumps(answer.to_document(), allow_nan=False)
    return answer


BASE = 29000
CASES: tuple[tuple[Change, float, float], ...] = (
    # change, standing, after
    (ParticipantLeaves(participant="FI-C"), 10000 - 1000, 10000 - 1000),
    (LineLeaves(line="a"), 9000, 9000),
    # February instead: each of the three waits a month, 50000 * 0.12 / 12
    (ForbiddenAdded(family="f", start="2027-01"), 0, BASE - 1500),
    (ForbiddenAdded(line="b"), 9000, 9000),
    (ForbiddenDropped(line="e"), BASE, 40000 - 1000),
    (CriterionRequired(line="a", criterion="green"), 9000, 9000),
    (CriterionAccepted(line="d", criterion="green"), BASE, 40000 - 1000),
    # a has 499 units: the second tier is lost, all pay 90
    (VolumeChanged(line="a", quantity=499), 14990 - 1000, 14990 - 1000),
    (VolumeChanged(category="c", factor=2), 60000 - 1000, 60000 - 1000),
    # a comes in March: b and c wait two months for it, 1000 each
    (WindowMoved(line="a", earliest_months=2), 9000, BASE - 2 * 1000),
    (PolicyChanged(values={"pool_cost_eur": 40000}), -10000, 0),
    (PolicyChanged(values={"min_participants": 4}), 0, 0),
    (ParticipantChanged(participant="SE-A", values={"max_pools_per_quarter": 0}), 9000, 9000),
    (OfferChanged(offer="o", values={"co2_saved_kg_per_unit": 20.0}), BASE + 3000, BASE + 3000),
)


@pytest.mark.parametrize(("change", "standing", "after"), CASES, ids=lambda entry: getattr(entry, "kind", ""))
def test_each_kind_of_change_is_answered(change, standing, after):
    answer = asked(change)
    assert answer.before.objective_eur == pytest.approx(BASE)
    assert answer.standing.objective_eur == pytest.approx(standing)
    assert answer.after.objective_eur == pytest.approx(after)
    assert answer.unchanged.objective_eur == pytest.approx(BASE)
    assert answer.effect_eur == pytest.approx(after - BASE)
    assert answer.effect_range_eur == (pytest.approx(after - BASE), pytest.approx(after - BASE))
    assert answer.touched == ("f",)


def test_the_cases_above_name_every_kind():
    assert {change.kind for change, _, _ in CASES} == set(KINDS)


def test_the_difference_is_told_pool_by_pool_and_for_each_participant():
    answer = asked(LineLeaves(line="a"))
    (pool,) = answer.pools.changed
    (lot,) = pool.lots_changed
    assert (answer.pools.added, answer.pools.removed) == ((), ())
    assert (lot.lines_in, lot.lines_out, lot.tier_before, lot.tier_after) == ((), ("a",), 1, 0)
    assert (lot.quantity_before, lot.quantity_after) == (1500, 1000)
    told = {entry.participant: entry for entry in answer.participants}
    assert told.keys() == {"SE-A", "DK-B", "FI-C"}
    assert told["SE-A"].after.lines_pooled == 0
    assert (told["DK-B"].before.savings_eur, told["DK-B"].after.savings_eur) == (10000, 5000)
    assert (answer.breaks[0].rule, answer.breaks[0].lines) == ("unknown", ("a",))
    assert not answer.lawful


def test_cash_and_valued_benefit_are_told_apart():
    answer = asked(OfferChanged(offer="o", values={"co2_saved_kg_per_unit": 20.0}))
    assert answer.lawful
    for entry in answer.participants:
        assert entry.after.savings_eur == entry.before.savings_eur == 10000
        assert entry.after.green_value_eur == pytest.approx(1000)
        assert entry.after.benefit_eur == pytest.approx(11000)
        assert entry.after.co2_saved_tonnes_per_year == pytest.approx(10)
    difference = answer.to_document()["difference"]
    assert difference["co2_saved_tonnes_per_year"] == pytest.approx(30)
    assert difference["savings_eur"] == pytest.approx(0)


def test_a_closed_start_moves_the_pool():
    answer = asked(ForbiddenAdded(family="f", start="2027-01"))
    assert [pool.start for pool in answer.pools.removed] == ["2027-01"]
    assert [pool.start for pool in answer.pools.added] == ["2027-02"]


def test_what_solving_again_finds_anyway_is_no_effect_of_the_change():
    # The plan leaves c out; the change is the other participant's limit, which binds nobody
    before = Instance.from_document(document())
    plan = solve(before, time_limit_s=20)
    (pool,) = plan.pools
    weak = solve(apply(before, [ForbiddenAdded(line="c")]), time_limit_s=20).pools
    assert pool not in weak
    answer = what_if(before, weak, [ParticipantChanged(participant="NO-D", values={"max_leads": 5})], time_limit_s=20)
    told = answer.to_document()
    assert told["by_solving_again_eur"] == pytest.approx(20000)
    assert told["by_solving_again_unchanged_eur"] == pytest.approx(20000)
    assert told["effect_eur"] == pytest.approx(0)
    assert told["stays_lawful"] is True


def families_apart() -> Document:
    lines = [line(f"{name}{c}", f"{name}-1", category=c) for c in "cde" for name in ("SE", "DK")]
    kinds = [category(c, family=f"f{c}") for c in "cde"]
    return instance(lines, [offer(f"o{c}", category=c) for c in "cde"], categories=kinds)


def test_families_that_the_time_does_not_pay_for_are_named_and_stand(monkeypatch):
    monkeypatch.setattr(answers, "GROWTH", 1)  # as if two families had used up the time
    given_document = families_apart()
    before = Instance.from_document(given_document)
    plan = solve(before, time_limit_s=20)
    change = PolicyChanged(values={"pool_cost_eur": 500.0})
    told = what_if(before, plan.pools, [change], time_limit_s=2.0).to_document()
    assert told["families_touched"] == ["fc", "fd", "fe"]
    assert len(told["families_solved_again"]) == 2
    assert len(told["families_left_standing"]) == 1
    assert told["after"]["objective_eur"] == pytest.approx(28500)
    # nothing is proven of the family that nobody looked at
    assert [told[name] for name in ("bound_eur", "gap", "effect_low_eur", "effect_high_eur")] == [None] * 4


def test_touched_families_are_solved_again_as_long_as_time_is_left():
    """Pools of two participants at most: in each of four families the first offer's 10,000 EUR remain of the second
    offer's 60,000, which asks for all three."""
    names = "cdefg"[:4]
    lines = [line(f"{k}{p}", f"SE-{p}", category=k) for k in names for p in "ABC"]
    offers = [
        row
        for k in names
        for row in (offer(f"{k}1", (1000, 90.0), category=k), offer(f"{k}2", (1400, 60.0), category=k))
    ]
    kinds = [category(k, family=f"f{k}") for k in names]
    before = Instance.from_document(instance(lines, offers, categories=kinds))
    plan = solve(before, time_limit_s=20)
    assert plan.objective_eur == pytest.approx(4 * 60_000)
    change = PolicyChanged(values={"max_participants_per_pool": 2})
    told = what_if(before, plan.pools, [change], time_limit_s=2.0).to_document()
    assert told["families_left_standing"] == []
    assert told["after"]["objective_eur"] == told["bound_eur"] == pytest.approx(4 * 10_000)


def test_families_may_be_named():
    answer = asked(PolicyChanged(values={"pool_cost_eur": 500.0}), of=families_apart(), families=["fd"])
    assert answer.replanned.families == ("fd",)
    assert answer.after.objective_eur == pytest.approx(28500)


def test_a_decided_pool_counts_on_both_sides():
    given_document = document()
    given_document["fixed"] = [
        {"family": "f", "start": "2027-03", "lead": "SE-A", "lots": [{"offer": "o", "lines": ["a"]}]}
    ]
    answer = asked(LineLeaves(line="b"), of=given_document)
    # decided: 500 units at 90, less the pool and two months of waiting; beside it b and c at 90, which b leaves
    assert answer.before.objective_eur == pytest.approx(3000 + 9000)
    assert answer.after.objective_eur == pytest.approx(3000)
    assert answer.pools.changed == ()


def test_a_plan_that_is_not_lawful_is_refused():
    before = Instance.from_document(document())
    plan = solve(before, time_limit_s=20)
    closed = apply(before, [ForbiddenAdded(family="f", start="2027-01")])
    with pytest.raises(InvalidPlan, match="pool f 2027-01: breaks forbidden"):
        what_if(closed, plan.pools, [LineLeaves(line="a")])


def test_a_plan_of_another_instance_is_refused():
    plan = solve(Instance.from_document(document()), time_limit_s=20)
    other = Instance.from_document(families_apart())
    with pytest.raises(InvalidPlan, match=r"pools\[0\].family: 'f': name the family"):
        what_if(other, plan.pools, [LineLeaves(line="SEc")])


def test_a_change_that_cannot_be_made_is_refused():
    before = Instance.from_document(document())
    with pytest.raises(InvalidInstance, match=r"changes\[0\]\.line: 'nothing'"):
        what_if(before, (), [LineLeaves(line="nothing")])
    with pytest.raises(InvalidInstance, match="families"):
        what_if(before, (), [LineLeaves(line="a")], families=["x"])


@st.composite
def questions(draw):
    document = draw(instances(max_lines=6))
    return document, draw(st.sampled_from(possible(document))), draw(st.booleans())


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(question=questions())
def test_the_answer_is_the_difference_of_two_full_searches(question):
    document, change, from_nothing = question
    before = Instance.from_document(document)
    try:
        after = apply(before, [change]).to_document()
    except InvalidInstance:
        return
    families = [entry["family"] for entry in document["categories"]]
    pools = [] if from_nothing else solve(before, time_limit_s=20).pools
    answer = what_if(before, pools, [change], families=families, time_limit_s=30)
    old, new = best(document)[0], best(after)[0]
    assert answer.unchanged.objective_eur == pytest.approx(old, abs=0.02)
    assert answer.after.objective_eur == pytest.approx(new, abs=0.02)
    assert answer.effect_eur == pytest.approx(new - old, abs=0.04)
    described = plan_document(after, [pool_document(pool) for pool in answer.replanned.pools])
    assert check(after, described) == []
    shares = sum(entry.after.benefit_eur - entry.before.benefit_eur for entry in answer.participants)
    costs = answer.after.set_up_cost_eur - answer.before.set_up_cost_eur
    lines = sum(entry.after.line_cost_eur - entry.before.line_cost_eur for entry in answer.participants)
    kept = answer.after.stability_eur - answer.before.stability_eur
    total = answer.after.objective_eur - answer.before.objective_eur
    assert shares - (costs - lines) + kept == pytest.approx(total, abs=0.02)
