"""Numbers planted in one region's figures are in no answer to another; a planner's scan of the same answers has all."""

import pytest
from sqlalchemy import true

from pooling.access import projection
from pooling.access.rules import Visible
from pooling.demand import queries as demand
from pooling.planning import queries as planning
from tests.pooling.access.samples import Sample, samples
from tests.pooling.access.world import World, numbers_in

READS = [sample for sample in samples().values() if sample.method == "GET"]


def scan(world: World, role: str, wanted: list[Sample] = READS) -> set[int]:
    """The canaries in all answers to the GET requests of ``role``, refusals too."""
    found: set[int] = set()
    for sample in wanted:
        for place in sample.places:
            found |= world.found(world.sampled(role, sample, place))
    return found


def test_there_are_canaries_of_every_place(world: World) -> None:
    assert set(world.canaries.values()) == {"own", "others", "none"}


@pytest.mark.parametrize("role", ["planner", "auditor"])
def test_who_may_see_all_finds_every_canary(world: World, role: str) -> None:
    missing = set(world.canaries) - scan(world, role)
    assert {number: world.canaries[number] for number in missing} == {}


@pytest.mark.parametrize("role", ["coordinator", "partner"])
def test_a_region_finds_its_own_and_no_other(world: World, role: str) -> None:
    own = {number for number, place in world.canaries.items() if place == "own"}
    assert scan(world, role) == own


def test_an_administrator_finds_none(world: World) -> None:
    assert scan(world, "administrator") == set()


def test_without_the_projection_the_scan_finds_others_figures(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection._Reading, "_highest", lambda *_: projection.Level.PLANNERS)
    with pytest.raises(AssertionError, match="figures of others"):
        scan(world, "coordinator")


def test_figures_are_held_back_even_where_a_query_forgets_to_filter(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Visible, "clause", lambda *_: true())
    for prepared in (demand._LINES, planning._POOLS):
        monkeypatch.setattr(prepared, "_ready", {})
    for queries in (demand, planning):
        monkeypatch.setattr(queries, "sees_parameters", lambda *_: true())
    own = {number for number, place in world.canaries.items() if place == "own"}
    assert scan(world, "coordinator") == own


def test_the_scan_sees_through_forms_and_cursors() -> None:
    wanted = {713_500_021: "own", 714_510_128: "own"}
    assert numbers_in(
        '{"price": 713.500021, "x": "714 510 128"}'.replace(" 5", "\u00a05").replace(" 1", "\u00a01"), wanted
    ) == set(wanted)
    assert numbers_in("cursor=eyJwcmljZSI6NzEzNTAwMDIxfQ", wanted) == {713_500_021}
    assert numbers_in("00000000-0000-0000-0000-713500021000 1 2", wanted) == set()
