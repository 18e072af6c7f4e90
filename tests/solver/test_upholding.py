"""What of a plan holds under an instance: each rule breaks once by hand; on random ones the judge and `sound` agree."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solver import Instance, InvalidInstance, solve
from solver.check import check
from solver.lots import Market
from solver.plan import PlanLot, PlanPool
from solver.pools import total_value
from solver.whatif.changes import apply
from solver.whatif.replan import pool_document
from solver.whatif.upholding import RULES, Upheld, uphold
from solver.worth import Worth
from tests.solver.brute_case import Case
from tests.solver.instances import Document, category, instance, instances, line, offer, participant
from tests.solver.plans import plan_document
from tests.solver.sound import PoolTuple, sound
from tests.solver.test_changes import possible


def held(document: Document, *pools: PlanPool) -> Upheld:
    given = Instance.from_document(document)
    return uphold(Market(given), Worth(given), pools)


def pool(*lots: tuple[str, str], start: str = "2027-01", lead: str = "SE-A", family: str = "f") -> PlanPool:
    """A pool of lots (offer, lines as one text)."""
    return PlanPool(
        family, start, lead, tuple(PlanLot(name, tuple(lines.split()), 0, 0, 0.0, 0.0) for name, lines in lots)
    )


ROWS = [line("a", "SE-A"), line("b", "DK-B"), line("c", "FI-C")]


def kept(upheld: Upheld) -> dict[str, str]:
    """Offer to lines of every lot that remains."""
    return {lot.offer: " ".join(lot.lines) for pool in upheld.pools for lot in pool.lots}


def test_a_lawful_plan_stays_with_its_figures():
    upheld = held(instance(ROWS, [offer("o")]), pool(("o", "a b c")))
    assert upheld.lawful
    (stays,) = upheld.pools
    assert (stays.lead, stays.lots[0].quantity, stays.lots[0].benefit_eur) == ("SE-A", 1500, pytest.approx(15000))


def test_a_lot_takes_the_tier_that_its_volume_reaches_now():
    upheld = held(instance(ROWS, [offer("o", (1000, 90.0), (1500, 80.0), (2000, 70.0))]), pool(("o", "a b c")))
    assert upheld.lawful
    assert upheld.pools[0].lots[0].tier == 1


def rows(**of_a: object) -> list[Document]:
    return [line("a", "SE-A", **of_a), line("b", "DK-B"), line("c", "FI-C")]


SE_CANNOT = [participant("SE-A", contracting_authority=False), participant("DK-B"), participant("FI-C")]
FULL = [participant("SE-A", max_pools_per_quarter=0), participant("DK-B"), participant("FI-C")]
UNLED = [participant(name, may_lead=False) for name in ("SE-A", "DK-B", "FI-C")]
BREAKS = {
    "unknown": (instance(ROWS, [offer("o")]), "a b c gone", "gone", "a b c"),
    "window": (instance(rows(latest_start="2027-01", earliest_start="2027-01"), [offer("o")]), "a b c", "a", "b c"),
    "criteria": (instance(rows(required=["x"]), [offer("o")]), "a b c", "a", "b c"),
    "forbidden": (instance(ROWS, [offer("o")], forbidden=[{"line": "a"}]), "a b c", "a", "b c"),
    "twice": (instance(ROWS, [offer("o")]), "a b a c", "a", "a b c"),
    "volume": (instance(ROWS, [offer("o", (1501, 90.0))]), "a b c", "a b c", ""),
    "worse_off": (instance(rows(unit_price_eur=80.0), [offer("o")], no_one_worse_off=True), "a b c", "a", "b c"),
    "authorities": (instance(ROWS, [offer("o")], participants=SE_CANNOT, min_participants=3), "a b c", "a b c", ""),
    # All gain alike a unit: the first by name leaves
    "max_quantity": (instance(ROWS, [offer("o", max_quantity=1000)]), "a b c", "a", "b c"),
    "total_max_quantity": (instance(ROWS, [offer("o", total_max_quantity=1499)]), "a b c", "a b c", ""),
    "max_participants_per_pool": (
        instance(rows(unit_price_eur=95.0), [offer("o")], max_participants_per_pool=2),
        "a b c",
        "a",
        "b c",
    ),
    "max_countries_per_pool": (
        instance(rows(unit_price_eur=95.0), [offer("o")], max_countries_per_pool=2),
        "a b c",
        "a",
        "b c",
    ),
    "lead": (instance(ROWS, [offer("o")], participants=UNLED), "a b c", "a b c", ""),
    "max_pools_per_quarter": (instance(ROWS, [offer("o")], max_pools_per_quarter=0), "a b c", "a b c", ""),
    "participant_quarter": (instance(ROWS, [offer("o")], participants=FULL), "a b c", "a", "b c"),
    "decided": (
        instance(
            ROWS,
            [offer("o")],
            fixed=[{"family": "f", "start": "2027-01", "lead": "SE-A", "lots": [{"offer": "o", "lines": ["a", "b"]}]}],
        ),
        "a b c",
        "a b c",
        "a b",
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_takes_what_breaks_it(rule):
    document, lines, gone, stays = BREAKS[rule]
    start = "2027-02" if rule == "window" else "2027-01"
    lead = "SE-A" if rule in ("decided", "lead") else "DK-B"
    upheld = held(document, pool(("o", lines), start=start, lead=lead))
    assert [(entry.rule, " ".join(entry.lines)) for entry in upheld.breaks] == [(rule, gone)]
    assert kept(upheld) == ({"o": stays} if stays else {})


def test_a_lot_that_loses_too_many_falls_with_all_it_had():
    document = instance([line("a", "SE-A", required=["x"]), line("b", "DK-B")], [offer("o")])
    upheld = held(document, pool(("o", "a b")))
    assert [entry.rule for entry in upheld.breaks] == ["criteria", "volume"]
    assert upheld.breaks[1].figures == {"sure_quantity": 500, "tipping_quantity": 1000}
    assert upheld.pools == ()


def test_a_pool_that_its_lead_leaves_is_led_by_the_largest_able_member():
    people = [participant("SE-A", may_lead=False), participant("DK-B"), participant("FI-C")]
    lines = [line("a", "SE-A"), line("b", "DK-B"), line("c", "FI-C", quantity=600)]
    upheld = held(instance(lines, [offer("o")], participants=people), pool(("o", "a b c")))
    assert [(entry.rule, entry.lines, entry.figures) for entry in upheld.breaks] == [
        ("lead", (), {"lead": "SE-A", "instead": "FI-C"})
    ]
    assert upheld.pools[0].lead == "FI-C"
    assert kept(upheld) == {"o": "a b c"}


def test_the_less_valuable_pool_falls_where_a_quarter_is_full():
    lines = [line(f"{name}{c}", f"{name}-1", category=c) for c in "cd" for name in ("SE", "DK")]
    kinds = [category("c"), category("d", family="g")]
    document = instance(
        lines, [offer("o"), offer("p", (1000, 80.0), category="d")], categories=kinds, max_pools_per_quarter=1
    )
    first, second = pool(("o", "SEc DKc"), lead="SE-1"), pool(("p", "SEd DKd"), lead="SE-1", family="g")
    upheld = held(document, first, second)
    assert [(entry.rule, entry.family) for entry in upheld.breaks] == [("max_pools_per_quarter", "f")]
    assert kept(upheld) == {"p": "SEd DKd"}


def tuples(case: Case, pools: tuple[PlanPool, ...]) -> list[PoolTuple]:
    number = {entry["id"]: i for i, entry in enumerate(case.lines)}
    return [
        (
            pool.family,
            case.offset(pool.start),
            pool.lead,
            tuple((lot.offer, sum(1 << number[name] for name in lot.lines)) for lot in pool.lots),
        )
        for pool in pools
    ]


@st.composite
def changed_plans(draw):
    before = draw(instances(max_lines=6))
    return before, draw(st.sampled_from(possible(before)))


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(drawn=changed_plans())
def test_what_remains_of_a_plan_is_lawful_and_nothing_leaves_without_a_rule(drawn):
    before, change = drawn
    given_instance = Instance.from_document(before)
    plan = solve(given_instance, time_limit_s=20)
    try:
        after = apply(given_instance, [change])
    except InvalidInstance:
        return
    document = after.to_document()
    upheld = uphold(Market(after), Worth(after), plan.pools)
    described = plan_document(document, [pool_document(pool) for pool in upheld.pools])
    assert check(document, described) == []
    assert total_value(Worth(after), upheld.pools) == pytest.approx(described["objective_eur"], abs=0.01)
    case = Case(document)
    names = {entry["id"] for entry in document["lines"]}
    if not all(name in names for pool in plan.pools for lot in pool.lots for name in lot.lines):
        assert not upheld.lawful
    else:
        assert upheld.lawful == sound(case, tuples(case, plan.pools))
