"""Every refusal of the contract, named with its place; and what must not be refused."""

import copy
import json
import math
import re
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from solver import Instance, InvalidInstance
from tests.solver.instances import category, instance, line, offer, participant

Document = dict
Change = Callable[[Document], object]


def sound() -> Document:
    return instance(
        [line("a", "A", category="c0"), line("b", "B", category="c0"), line("d", "B", category="c1")],
        [offer("o0", (100, 4.0), (200, 3.5), category="c0"), offer("o1", (100, 4.0), category="c1")],
        participants=[participant("A", country="SE"), participant("B", country="DK")],
        categories=[category("c0", family="f0"), category("c1", family="f1")],
    )


def fixed(**changes: object) -> Document:
    start = sound()["policy"]["horizon_start"]
    return {"family": "f0", "start": start, "lead": "A", "lots": [{"offer": "o0", "lines": ["a", "b"]}]} | changes


def put(path: str, value: object) -> Change:
    """Set a value by a path such as ``lines.0.quantity``."""

    def change(document: Document) -> None:
        *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        place: Any = document
        for part in way:
            place = place[part]
        place[last] = value

    return change


def drop(path: str) -> Change:
    def change(document: Document) -> None:
        *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        place: Any = document
        for part in way:
            place = place[part]
        del place[last]

    return change


def add(name: str, *entries: object) -> Change:
    return lambda document: document[name].extend(copy.deepcopy(list(entries)))


REFUSED: list[tuple[str, Change]] = [
    ("schema", put("schema", "pooling.instance/2")),
    ("extra", put("extra", 1)),
    ("policy.extra", put("policy.extra", 1)),
    ("lines[0].extra", put("lines.0.extra", None)),
    ("offers[0].tiers[0].extra", put("offers.0.tiers.0.extra", 1)),
    ("policy", put("policy", None)),
    ("lines", put("lines", {})),
    ("lines[1]", put("lines.1", 3)),
    ("lines[0].unit_price_eur", drop("lines.0.unit_price_eur")),
    ("policy.confidence", drop("policy.confidence")),
    ("offers[0].category", put("offers.0.category", "zz")),
    ("lines[0].participant", put("lines.0.participant", "zz")),
    ("lines[0].category", put("lines.0.category", "zz")),
    ("forbidden[0].participant", add("forbidden", {"participant": "zz"})),
    ("forbidden[0].line", add("forbidden", {"line": "zz"})),
    ("forbidden[0].family", add("forbidden", {"family": "zz"})),
    ("forbidden[0].offer", add("forbidden", {"offer": "zz"})),
    ("forbidden[0]", add("forbidden", {"line": None})),
    ("previous[0].line", add("previous", {"line": "zz", "offer": "o0", "start": "2027-01"})),
    ("previous[0].offer", add("previous", {"line": "a", "offer": "zz", "start": "2027-01"})),
    ("previous[1].line", add("previous", *[{"line": "a", "offer": "o0", "start": m} for m in ("2027-01", "2027-02")])),
    ("lines[0].earliest_start", put("lines.0.earliest_start", "2027-1")),
    ("lines[0].earliest_start", put("lines.0.earliest_start", "2027-13")),
    ("lines[0].latest_start", put("lines.0.latest_start", "27-01")),
    ("lines[0].latest_start", put("lines.0.latest_start", "2027-01-01")),
    ("lines[0].latest_start", put("lines.0.latest_start", "２０２７-01")),
    ("policy.horizon_start", put("policy.horizon_start", "2027/01")),
    ("previous[0].start", add("previous", {"line": "a", "offer": "o0", "start": "2027-1"})),
    ("forbidden[0].start", add("forbidden", {"start": "Jan 2027"})),
    ("fixed[0].start", add("fixed", fixed(start="2027-1"))),
    ("participants[1].id", put("participants.1.id", "A")),
    ("categories[1].id", put("categories.1.id", "c0")),
    ("offers[1].id", put("offers.1.id", "o0")),
    ("lines[1].id", put("lines.1.id", "a")),
    ("offers[0].criteria", put("offers.0.criteria", ["x", "x"])),
    ("lines[0].required", put("lines.0.required", ["x", "x"])),
    ("policy.green_floor", put("policy.green_floor", ["x", "x"])),
    ("fixed[0].lots[0].lines", add("fixed", fixed(lots=[{"offer": "o0", "lines": ["a", "a"]}]))),
    ("lines[0].earliest_start", put("lines.0.earliest_start", "2099-01")),
    ("lines[0].quantity_low", put("lines.0.quantity_low", 10**9)),
    ("lines[0].quantity_high", put("lines.0.quantity_high", 0)),
    ("lines[0].quantity", put("lines.0.quantity", 0)),
    ("lines[0].quantity", put("lines.0.quantity", 2.5)),
    ("lines[0].quantity", put("lines.0.quantity", "100")),
    ("lines[0].quantity", put("lines.0.quantity", True)),
    ("lines[0].quantity", put("lines.0.quantity", 1e308)),
    ("lines[0].quantity_low", put("lines.0.quantity_low", -1)),
    ("lines[0].quantity_high", put("lines.0.quantity_high", 1.5)),
    ("lines[0].refused", put("lines.0", line("a", "A", category="c0", required=["x"], refused=["x"]))),
    ("offers[0].tiers", put("offers.0.tiers", [])),
    ("offers[0].tiers[0].from_quantity", put("offers.0.tiers.0.from_quantity", 0)),
    ("offers[0].tiers[1].from_quantity", put("offers.0.tiers.1.from_quantity", 100)),
    ("offers[0].tiers[1].unit_price_eur", put("offers.0.tiers.1.unit_price_eur", 4.5)),
    ("offers[0].tiers[1].unit_price_eur", put("offers.0.tiers.1.unit_price_eur", -1)),
    ("offers[0].max_quantity", put("offers.0.max_quantity", -1)),
    ("offers[0].co2_saved_kg_per_unit", put("offers.0.co2_saved_kg_per_unit", math.inf)),
    ("lines[0].unit_price_eur", put("lines.0.unit_price_eur", -0.01)),
    ("lines[0].unit_price_eur", put("lines.0.unit_price_eur", math.nan)),
    ("lines[0].bridging_rate_per_year", put("lines.0.bridging_rate_per_year", -1)),
    ("policy.pool_cost_eur", put("policy.pool_cost_eur", -1)),
    ("policy.stability_eur", put("policy.stability_eur", -1)),
    ("policy.carbon_price_eur_per_tonne", put("policy.carbon_price_eur_per_tonne", -1)),
    ("policy.criterion_value.x", put("policy.criterion_value", {"x": -0.1})),
    ("policy.criterion_value", put("policy.criterion_value", [])),
    ("policy.confidence", put("policy.confidence", 1)),
    ("policy.confidence", put("policy.confidence", 0.49)),
    ("policy.confidence", put("policy.confidence", 10**400)),
    ("policy.forecast_correlation", put("policy.forecast_correlation", 1)),
    ("policy.horizon_months", put("policy.horizon_months", 0)),
    ("policy.term_months", put("policy.term_months", 0)),
    ("policy.min_participants", put("policy.min_participants", 0)),
    ("categories[0].term_months", put("categories.0.term_months", 0)),
    ("fixed[1].lots[0].lines[0]", add("fixed", fixed(), fixed(start="2027-09"))),
    ("fixed[1]", add("fixed", fixed(), fixed(lots=[{"offer": "o0", "lines": ["b"]}], lead="B"))),
    ("fixed[0].lots[0].offer", add("fixed", fixed(lots=[{"offer": "o1", "lines": ["a"]}]))),
    ("fixed[0].lots[0].lines[1]", add("fixed", fixed(lots=[{"offer": "o0", "lines": ["a", "d"]}]))),
    ("fixed[0].lead", add("fixed", fixed(lead="B", lots=[{"offer": "o0", "lines": ["a"]}]))),
    ("fixed[0].lots", add("fixed", fixed(lots=[{"offer": "o0", "lines": ["a"]}, {"offer": "o0", "lines": ["b"]}]))),
]


def paths(document: object) -> list[str]:
    with pytest.raises(InvalidInstance) as refused:
        Instance.from_document(document)
    assert all(fault.remedy for fault in refused.value.faults)
    return [fault.path for fault in refused.value.faults]


def test_the_sound_document_is_read_and_written_back() -> None:
    document = sound()
    document["fixed"].append(fixed())
    read = Instance.from_document(json.loads(json.dumps(document)))
    assert Instance.from_document(read.to_document()) == read
    assert read.warnings == ()


@pytest.mark.parametrize(("path", "change"), REFUSED, ids=[f"{k}-{path}" for k, (path, _) in enumerate(REFUSED)])
def test_a_fault_is_refused_with_its_place(path: str, change: Change) -> None:
    document = sound()
    change(document)
    assert path in paths(document)


@pytest.mark.parametrize("document", [None, 3, [], "x", {}])
def test_what_is_no_instance_is_refused(document: object) -> None:
    assert paths(document)


def test_every_fault_is_named_at_once() -> None:
    document = sound()
    for change in (put("lines.0.quantity", -1), put("offers.0.tiers", []), put("policy.confidence", 2)):
        change(document)
    assert paths(document) == ["policy.confidence", "offers[0].tiers", "lines[0].quantity"]


def all_of(*changes: Change) -> Change:
    return lambda document: [change(document) for change in changes]


SEVERAL: list[tuple[list[str], Change]] = [
    (
        ["lines[0].category", "lines[0].quantity", "lines[0].earliest_start"],
        all_of(drop("lines.0.category"), put("lines.0.quantity", -5), put("lines.0.earliest_start", "2027-1")),
    ),
    (
        ["lines[0].participant", "lines[0].category", "lines[0].quantity"],
        all_of(put("lines.0.quantity", 0), put("lines.0.participant", "zz"), put("lines.0.category", "zz")),
    ),
    (
        ["offers[0].tiers[0].from_quantity", "offers[0].co2_saved_kg_per_unit", "offers[0].max_quantity"],
        all_of(
            put("offers.0.tiers.0.from_quantity", 0),
            put("offers.0.co2_saved_kg_per_unit", "x"),
            put("offers.0.max_quantity", -1),
        ),
    ),
    (
        ["policy.confidence", "policy.forecast_correlation"],
        all_of(put("policy.confidence", 2), put("policy.forecast_correlation", "x")),
    ),
    (
        ["policy.term_months", "policy.confidence", "policy.pool_cost_eur"],
        all_of(drop("policy.term_months"), put("policy.confidence", 2), put("policy.pool_cost_eur", -1)),
    ),
    (["lines[0].quantity", "lines[1].id"], all_of(put("lines.0.quantity", 0), put("lines.1.id", "a"))),
    (["lines[1].id", "lines[1].quantity"], all_of(put("lines.1.quantity", 0), put("lines.1.id", "a"))),
    (
        ["lines[0].quantity_low", "lines[0].quantity_high"],
        all_of(put("lines.0.quantity_low", 10**6), put("lines.0.quantity_high", -1)),
    ),
    (
        ["lines[0].required", "lines[0].refused"],
        all_of(put("lines.0.required", ["x", "x"]), put("lines.0.refused", ["x"])),
    ),
    (
        ["fixed[0].lead", "fixed[0].lots[0].offer", "fixed[0].lots[0].lines"],
        add("fixed", fixed(lead="zz", lots=[{"offer": "zz", "lines": []}])),
    ),
    (
        ["fixed[0].start", "fixed[0].lots[0]", "fixed[0].lots[1].offer", "fixed[0].lots[1].lines[1]"],
        add("fixed", fixed(start="2027-1", lots=[3, {"offer": "", "lines": ["a", "zz"]}])),
    ),
    (
        ["offers[0].tiers[0].unit_price_eur", "offers[0].tiers[1].from_quantity"],
        all_of(put("offers.0.tiers.0.unit_price_eur", -1), put("offers.0.tiers.1.from_quantity", 90)),
    ),
    (
        ["offers[0].tiers[0].extra", "offers[0].tiers[1].from_quantity", "offers[0].tiers[1].unit_price_eur"],
        all_of(
            put("offers.0.tiers.0.extra", 1),
            put("offers.0.tiers.1", {"from_quantity": 90, "unit_price_eur": 9.0}),
        ),
    ),
    (["participants", "lines[2].unit_price_eur"], all_of(drop("participants"), put("lines.2.unit_price_eur", -1))),
]


@pytest.mark.parametrize(("expected", "change"), SEVERAL, ids=[", ".join(expected)[:60] for expected, _ in SEVERAL])
def test_one_fault_hides_no_other(expected: list[str], change: Change) -> None:
    document = sound()
    change(document)
    assert paths(document) == expected


def leaves(document: object, path: str = "") -> list[str]:
    """The way to every named field that holds no object and no list of objects, as `put` takes it."""
    if isinstance(document, dict):
        return [leaf for name, value in document.items() for leaf in leaves(value, f"{path}.{name}".lstrip("."))]
    if isinstance(document, list) and any(isinstance(entry, dict) for entry in document):
        return [leaf for k, entry in enumerate(document) for leaf in leaves(entry, f"{path}.{k}")]
    return [path]


def full() -> Document:
    """A sound document with something in every list."""
    document = sound()
    document["fixed"].append(fixed())
    document["forbidden"].append({"line": "d", "start": "2027-01"})
    document["previous"].append({"line": "a", "offer": "o0", "start": "2027-01"})
    return document


def test_of_two_wrong_fields_both_are_named_once_and_nothing_else() -> None:
    def wrong(*ways: str) -> list[str]:
        document = full()
        for way in ways:
            put(way, 5j)(document)
        return paths(document)

    Instance.from_document(full())
    ways = leaves(full())
    place = {way: re.sub(r"\.(\d+)", r"[\1]", way) for way in ways}
    alone = {way: wrong(way) for way in ways}
    assert all(place[way] in alone[way] for way in ways)
    pairs = [(first, second) for k, first in enumerate(ways) for second in ways[k + 1 :]]
    for first, second in Random(1).sample(pairs, 1500):
        found = wrong(first, second)
        assert len(set(found)) == len(found)
        assert {place[first], place[second]} <= set(found) <= {*alone[first], *alone[second]}


ODD: list[object] = [
    None, "", "x", "ab", 0, -1, 1.5, 2, 10**400, math.nan, math.inf, True, [], [[]], [{}], ["x", "x"], [None], [1], {},
    {"x": 1}, {"[": 1, "": 2, "a.b[9]": 3}, {"from_quantity": 1}, [{"from_quantity": 1}], "2027-1", "2027-13",
    "a", "c0",
]  # fmt: skip


def test_whatever_stands_in_a_document_is_read_or_refused() -> None:
    dice = Random(2)
    ways = [*leaves(full()), *full(), "lines.0", "offers.0", "offers.0.tiers", "offers.0.tiers.1", "fixed.0.lots"]
    ways += ["fixed.0", "fixed.0.lots.0", "policy.criterion_value", "lines.0.[", "lines.0.", "participants.0.[12]"]
    absent = set(leaves(full()))
    for _ in range(3000):
        document = full()
        for way in sorted(dice.sample(ways, 3), key=len, reverse=True):
            (drop(way) if way in absent and dice.random() < 0.2 else put(way, dice.choice(ODD)))(document)
        try:
            Instance.from_document(document)
        except InvalidInstance as refused:
            told = [(fault.path, fault.remedy) for fault in refused.faults]
            assert len(set(told)) == len(told), document
            assert str(refused)  # noqa: PT017


def test_a_long_term_is_a_warning() -> None:
    document = sound()
    put("policy.term_months", 49)(document)
    (warning,) = Instance.from_document(document).warnings
    assert "49 months" in warning


def test_absent_limits_and_lists_have_their_defaults() -> None:
    document = sound()
    for path in ("policy.max_pools_per_quarter", "offers.0.max_quantity", "policy.stability_eur", "previous"):
        drop(path)(document)
    read = Instance.from_document(document)
    assert read.policy.max_pools_per_quarter is None
    assert read.policy.stability_eur == 0
    assert read.previous == ()
