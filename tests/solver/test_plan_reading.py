"""Plans read back: the pools that were written, and every fault named with its place."""

import copy
import json
import math
from typing import Any

import pytest

from solver import Instance, InvalidPlan, solve
from solver.plan_reading import read_plan
from tests.solver.instances import Document, category, instance, line, offer, participant, random_instance


def two_families() -> Document:
    lines = [line(f"{c}-{p}", p, category=c) for c in ("c", "d") for p in ("SE-A", "DK-B", "FI-C")]
    return instance(
        [*lines, line("early", "SE-A", category="c", latest_start="2027-01")],
        [offer("o", (1000, 90.0), (1400, 85.0)), offer("p", (1000, 90.0)), offer("q", (900, 80.0), category="d")],
        participants=[participant(name) for name in ("SE-A", "DK-B", "FI-C", "NO-D")],
        categories=[category("c"), category("d", family="g")],
    )


def plan() -> Document:
    lots = [{"offer": "o", "lines": ["c-SE-A", "c-DK-B", "c-FI-C"], "tier": 1, "quantity": 1500}]
    lots[0] |= {"sure_quantity": 1500.0, "benefit_eur": 22500.0}
    pools: list[Document] = [{"family": "f", "start": "2027-02", "lead": "SE-A", "lots": lots}]
    pools.append(
        {"family": "g", "start": "2027-02", "lead": "FI-C", "lots": [{"offer": "q", "lines": ["d-FI-C", "d-SE-A"]}]}
    )
    return {"schema": "pooling.plan/1", "pools": pools}


def read(document: object) -> Any:
    return read_plan(document, Instance.from_document(two_families()))


def faults(document: object) -> list[str]:
    with pytest.raises(InvalidPlan) as refused:
        read(document)
    assert str(refused.value).splitlines() == [str(fault) for fault in refused.value.faults]
    assert all(fault.remedy for fault in refused.value.faults)
    return [fault.path for fault in refused.value.faults]


def changed(path: str, value: object) -> Document:
    """The plan with the value at a path such as ``pools.0.lead``; a value of ... takes it away."""
    document = plan()
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = document
    for part in way:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return document


def test_pools_come_back_with_their_figures() -> None:
    first, second = read(plan())
    assert (first.family, first.start, first.lead) == ("f", "2027-02", "SE-A")
    (lot,) = first.lots
    assert (lot.offer, lot.lines, lot.tier) == ("o", ("c-SE-A", "c-DK-B", "c-FI-C"), 1)
    assert (lot.quantity, lot.sure_quantity) == (1500, 1500.0)
    assert lot.benefit_eur == pytest.approx(1500 * (100 - 85))
    assert second.lots[0].benefit_eur == pytest.approx(1000 * (100 - 80)), "figures need not be stated"


def test_a_plan_without_pools_is_one() -> None:
    assert read({"schema": "pooling.plan/1", "pools": []}) == ()


@pytest.mark.parametrize("seed", range(25))
def test_what_the_solver_wrote_reads_back_the_same(seed: int) -> None:
    question = Instance.from_document(random_instance(seed))
    answer = solve(question)
    document = json.loads(json.dumps(answer.to_document()))
    read_back = read_plan(document, question)
    assert [(p.family, p.start, p.lead) for p in read_back] == [(p.family, p.start, p.lead) for p in answer.pools]
    for found, wanted in zip((lot for p in read_back for lot in p.lots), (lot for p in answer.pools for lot in p.lots)):
        assert (found.offer, found.lines, found.tier) == (wanted.offer, wanted.lines, wanted.tier)
        assert found.benefit_eur == pytest.approx(wanted.benefit_eur)


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        ("schema", "pooling.plan/2", "schema"),
        ("schema", ..., "schema"),
        ("pools", ..., "pools"),
        ("pools", {}, "pools"),
        ("pools.0", "f", "pools[0]"),
        ("pools.0.family", "h", "pools[0].family"),
        ("pools.0.family", ["f"], "pools[0].family"),
        ("pools.0.family", ..., "pools[0].family"),
        ("pools.0.start", "2027-2", "pools[0].start"),
        ("pools.0.start", "2026-12", "pools[0].start"),
        ("pools.0.start", "2028-01", "pools[0].start"),
        ("pools.0.start", 202702, "pools[0].start"),
        ("pools.0.lead", "XX", "pools[0].lead"),
        ("pools.0.lead", "NO-D", "pools[0].lead"),
        ("pools.0.lead", None, "pools[0].lead"),
        ("pools.0.lots", ..., "pools[0].lots"),
        ("pools.0.lots", [], "pools[0].lots"),
        ("pools.0.lots", [3], "pools[0].lots[0]"),
        ("pools.0.lots.0.offer", "zz", "pools[0].lots[0].offer"),
        ("pools.0.lots.0.lines", ..., "pools[0].lots[0].lines"),
        ("pools.0.lots.0.lines", [], "pools[0].lots[0].lines"),
        ("pools.0.lots.0.lines.1", "zz", "pools[0].lots[0].lines[1]"),
        ("pools.0.lots.0.lines.1", {}, "pools[0].lots[0].lines[1]"),
        ("pools.0.lots.0.lines.1", "c-SE-A", "pools[0].lots[0].lines[1]"),
        ("pools.0.lots.0.lines.1", "d-DK-B", "pools[0].lots[0].lines[1]"),
        ("pools.0.lots.0.tier", 0, "pools[0].lots[0].tier"),
        ("pools.0.lots.0.tier", 7, "pools[0].lots[0].tier"),
        ("pools.0.lots.0.tier", True, "pools[0].lots[0].tier"),
        ("pools.0.lots.0.tier", "1", "pools[0].lots[0].tier"),
        ("pools.0.lots.0.quantity", 1501, "pools[0].lots[0].quantity"),
        ("pools.0.lots.0.quantity", None, "pools[0].lots[0].quantity"),
        ("pools.0.lots.0.quantity", 10**400, "pools[0].lots[0].quantity"),
        ("pools.0.lots.0.sure_quantity", 1499.99, "pools[0].lots[0].sure_quantity"),
        ("pools.0.lots.0.sure_quantity", math.nan, "pools[0].lots[0].sure_quantity"),
        ("pools.0.lots.0.benefit_eur", 22501.0, "pools[0].lots[0].benefit_eur"),
        ("pools.0.lots.0.benefit_eur", math.inf, "pools[0].lots[0].benefit_eur"),
    ],
)
def test_a_fault_is_named_with_its_place(path: str, value: object, place: str) -> None:
    assert faults(changed(path, value)) == [place]


def test_an_offer_of_another_family_is_named() -> None:
    assert "pools[0].lots[0].offer" in faults(changed("pools.0.lots.0.offer", "q"))


def test_a_pool_or_lot_or_line_that_stands_twice_is_named() -> None:
    document = plan()
    document["pools"].append(copy.deepcopy(document["pools"][1]))
    assert faults(document) == ["pools[2]", "pools[2].lots[0].offer", *(f"pools[2].lots[0].lines[{m}]" for m in (0, 1))]


def test_every_fault_is_named_at_once() -> None:
    document = changed("pools.0.lots.0.lines.1", "zz")
    document["schema"] = None
    document["pools"][1]["lead"] = "zz"
    document["pools"].append(7)
    assert faults(document) == ["schema", "pools[0].lots[0].lines[1]", "pools[1].lead", "pools[2]"]


@pytest.mark.parametrize("document", [None, [], "plan", 3, True])
def test_what_is_no_object_is_refused(document: object) -> None:
    assert faults(document) == [""]


def test_a_decided_pool_may_lie_outside_the_horizon() -> None:
    document = two_families()
    lots = [{"offer": "o", "lines": ["c-SE-A", "c-DK-B"]}]
    document["fixed"] = [{"family": "f", "start": "2026-10", "lead": "SE-A", "lots": lots}]
    (pool,) = read_plan({"schema": "pooling.plan/1", "pools": document["fixed"]}, Instance.from_document(document))
    assert pool.start == "2026-10"


def test_a_tier_that_begins_within_the_tolerance_may_be_taken_or_not() -> None:
    """The three lines make 501 000 for sure; a tier that begins just there is reached exactly."""
    document = changed("pools.0.lots.0.tier", 0)
    del document["pools"][0]["lots"][0]["benefit_eur"]
    question = two_families()
    question["lines"][0] |= {"quantity": 500_000, "quantity_low": 500_000, "quantity_high": 500_000}
    question["offers"][0]["tiers"][1]["from_quantity"] = 501_000
    document["pools"][0]["lots"][0] |= {"quantity": 501_000, "sure_quantity": 501_000}
    first, _ = read_plan(document, Instance.from_document(question))
    assert first.lots[0].tier == 0
    assert first.lots[0].benefit_eur == pytest.approx(501_000 * (100 - 90))
