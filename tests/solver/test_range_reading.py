"""Ranges of offers read: those stated, the defaults elsewhere, and every fault named."""

import math

import pytest

from solver import Instance, InvalidInstance
from solver.risk.fragility import Ranges
from solver.risk.ranges import read_ranges
from tests.solver.instances import Document, instance, line, offer


def read(**fields: object) -> Document:
    document = {"schema": "pooling.ranges/1", **fields}
    question = Instance.from_document(instance([line("a", "SE-A")], [offer("o"), offer("p")]))
    found = read_ranges(document, question)
    return {"default": found.default, "offers": dict(found.offers)}


def test_what_is_stated_holds_and_the_rest_has_the_defaults() -> None:
    assert read() == {"default": Ranges(), "offers": {}}
    stated = {"price_share": [-0.2, 0.1]}
    assert read(default=stated)["default"] == Ranges(price_share=(-0.2, 0.1))
    assert read(offers={"p": {"co2_share": [-1, 0]}})["offers"] == {"p": Ranges(co2_share=(-1, 0))}


@pytest.mark.parametrize(
    ("fields", "places"),
    [
        ({"schema": "pooling.ranges/2"}, ["schema"]),
        ({"colour": 1}, ["colour"]),
        ({"default": []}, ["default"]),
        ({"offers": []}, ["offers"]),
        ({"offers": {"zz": {}}}, ["offers.zz"]),
        ({"offers": {"o": 3}}, ["offers.o"]),
        ({"default": {"price": [0, 0]}}, ["default.price"]),
        ({"default": {"price_share": 0.1}}, ["default.price_share"]),
        ({"default": {"price_share": [0.1]}}, ["default.price_share"]),
        ({"default": {"price_share": [0.1, 0.2]}}, ["default.price_share"]),
        ({"default": {"price_share": [-0.1, math.nan]}}, ["default.price_share[1]"]),
        ({"default": {"price_share": ["a", True]}}, ["default.price_share[0]", "default.price_share[1]"]),
        ({"default": None, "offers": {"o": {"co2_share": [-2, 0]}}}, ["default", "offers.o.co2_share"]),
    ],
)
def test_every_fault_is_named(fields: Document, places: list[str]) -> None:
    with pytest.raises(InvalidInstance) as refused:
        read(**fields)
    assert [fault.path for fault in refused.value.faults] == places


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(InvalidInstance):
        read_ranges([], Instance.from_document(instance([line("a", "SE-A")], [offer("o")])))
