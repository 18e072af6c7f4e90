"""Some families solved again, the others as they stand: by hand, and against brute force with the others decided."""

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solver import Instance, InvalidInstance, InvalidPlan, solve
from solver.check import check
from solver.plan import PlanLot, PlanPool
from solver.whatif.replan import pool_document, replan
from tests.solver.brute import best
from tests.solver.instances import Document, category, instance, instances, line, offer, participant
from tests.solver.plans import plan_document


def two_families(**policy: object) -> Document:
    """In each of f and g, SE and DK have 500 units each; f's offer saves 10 a unit, g's 20."""
    lines = [line(f"{name}{c}", f"{name}-1", category=c) for c in "cd" for name in ("SE", "DK")]
    kinds = [category("c"), category("d", family="g")]
    offers = [offer("o"), offer("p", (1000, 80.0), category="d")]
    return instance(lines, offers, categories=kinds, **policy)


def pool(family: str, name: str, lines: str, start: str = "2027-01", lead: str = "SE-1") -> PlanPool:
    return PlanPool(family, start, lead, (PlanLot(name, tuple(lines.split()), 0, 0, 0.0, 0.0),))


F, G = pool("f", "o", "SEc DKc"), pool("g", "p", "SEd DKd")


def test_a_family_is_added_to_what_stands():
    document = two_families()
    found = replan(Instance.from_document(document), [F], ["g"])
    assert (found.objective_eur, found.bound_eur) == (pytest.approx(30000), pytest.approx(30000))
    assert [(p.family, p.lots[0].benefit_eur) for p in found.pools] == [("f", 10000), ("g", 20000)]
    assert found.families == ("g",)
    assert found.gap == pytest.approx(0)


def test_what_others_hold_is_not_to_be_had():
    # One pool a quarter and a year of waiting 0.12: g goes to April and pays 3 months of 12 % of 100000
    document = two_families(max_pools_per_quarter=1, bridging_rate_per_year=0.12)
    found = replan(Instance.from_document(document), [F], ["g"])
    assert [(p.family, p.start) for p in found.pools] == [("f", "2027-01"), ("g", "2027-04")]
    assert found.objective_eur == pytest.approx(10000 + 20000 - 3000)
    assert found.bound_eur == pytest.approx(found.objective_eur)


def test_families_solved_together_share_out_what_there_is():
    # One lead in all, so only the better family has a pool, whichever stood before
    people = [participant("SE-1", max_leads=1), participant("DK-1", may_lead=False)]
    document = two_families(participants=people)
    found = replan(Instance.from_document(document), [F], ["f", "g"])
    assert [p.family for p in found.pools] == ["g"]
    assert (found.objective_eur, found.bound_eur) == (pytest.approx(20000), pytest.approx(20000))
    alone = replan(Instance.from_document(document), [F], ["g"])
    assert [p.family for p in alone.pools] == ["f"]
    assert alone.bound_eur == pytest.approx(10000)


def test_a_pool_without_gain_from_moving_stays_where_it_was():
    # Waiting costs nothing, so every month is as good
    later = pool("f", "o", "SEc DKc", start="2027-09", lead="DK-1")
    found = replan(Instance.from_document(two_families()), [later], ["f"])
    assert [(p.start, p.lead) for p in found.pools] == [("2027-09", "DK-1")]


def test_decided_pools_forbidden_starts_and_former_places_hold():
    document = two_families(stability_eur=700, bridging_rate_per_year=0.12)
    document["lines"].append(line("x", "SE-1"))
    document["fixed"] = [{"family": "f", "start": "2027-01", "lead": "SE-1", "lots": [{"offer": "o", "lines": ["x"]}]}]
    document["forbidden"] = [dict.fromkeys(("participant", "line", "offer")) | {"family": "f", "start": "2027-02"}]
    document["previous"] = [{"line": name, "offer": "o", "start": "2027-04"} for name in ("SEc", "DKc")]
    found = replan(Instance.from_document(document), [], ["f"])
    # January is decided, February forbidden; March costs 2000, April 3000 less 1400 for standing where they stood
    assert [(p.family, p.start) for p in found.pools] == [("f", "2027-01"), ("f", "2027-04")]
    assert found.objective_eur == pytest.approx(5000 + 10000 - 3000 + 1400)


def test_a_plan_whose_other_families_break_a_rule_is_refused():
    document = two_families(forbidden=[{"line": "SEc"}])
    with pytest.raises(InvalidPlan, match="pool f 2027-01: breaks forbidden: name f among the families"):
        replan(Instance.from_document(document), [F, G], ["g"])
    assert replan(Instance.from_document(document), [F, G], ["f"]).objective_eur == pytest.approx(20000)


@pytest.mark.parametrize("families", [["h"], "g", ["g", 3]])
def test_an_unknown_family_is_refused(families):
    with pytest.raises(InvalidInstance, match="families"):
        replan(Instance.from_document(two_families()), [], families)


def test_without_time_the_plan_stays_and_the_bound_holds():
    found = replan(Instance.from_document(two_families()), [F, G], ["f", "g"], time_limit_s=0.0)
    assert found.objective_eur == pytest.approx(30000)
    assert found.bound_eur >= 30000 - 1e-6


def test_the_document_tells_all():
    document = replan(Instance.from_document(two_families()), [F], ["g"]).to_document()
    assert document["schema"] == "pooling.replan/1"
    assert [entry["family"] for entry in document["pools"]] == ["f", "g"]
    assert document["families"] == ["g"]


def decided(document: Document, pools: list[PlanPool]) -> Document:
    """The document with the pools decided."""
    made = copy.deepcopy(document)
    made["fixed"] += [
        {
            "family": entry.family,
            "start": entry.start,
            "lead": entry.lead,
            "lots": [{"offer": lot.offer, "lines": list(lot.lines)} for lot in entry.lots],
        }
        for entry in pools
    ]
    return made


@st.composite
def questions(draw):
    """An instance and some of its families."""
    document = draw(instances(max_lines=7))
    families = sorted({entry["family"] for entry in document["categories"]})
    return document, draw(st.sampled_from([families[:1], families[-1:], families]))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(question=questions(), empty=st.booleans())
def test_replanning_finds_the_best_beside_the_others_as_if_decided(question, empty):
    document, families = question
    given_instance = Instance.from_document(document)
    plan = solve(given_instance, time_limit_s=20)
    fixed = {(entry["family"], entry["start"]) for entry in document["fixed"]}
    free = [entry for entry in plan.pools if (entry.family, entry.start) not in fixed]
    others = [entry for entry in free if entry.family not in families]
    found = replan(given_instance, others if empty else plan.pools, families, time_limit_s=20)
    expected = best(decided(document, others))[0]
    assert found.objective_eur == pytest.approx(expected, abs=0.02)
    assert found.bound_eur == pytest.approx(expected, abs=0.1)
    described = plan_document(document, [pool_document(entry) for entry in found.pools])
    assert check(document, described) == []
    assert {entry for entry in found.pools if entry.family not in families} == {
        entry for entry in plan.pools if entry.family not in families
    }
