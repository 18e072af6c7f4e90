"""Where lines stood in the last plan, handed on to those that were sent in their place."""

from collections.abc import Mapping

from pooling.planning.holds import Forecast, HeldOffers, Holds, Key, Stood, previous

HELD = HeldOffers([{"id": "o"}, {"id": "p"}], {}, [], [])
GLOVES: Key = ("SE-M", "gloves", None)
AKIN: Mapping[str, frozenset[str]] = {"A": frozenset({"A", "C"}), "B": frozenset({"B", "C"})}


def places(stood: list[Stood], lines: Mapping[int, tuple[Key, Forecast | None]]) -> dict[int, tuple[str, str]]:
    found = previous(Holds(previous=stood), HELD, lines, lambda code: AKIN.get(code, frozenset({code})))
    return {int(each["line"]): (each["offer"], each["start"]) for each in found}


def stood(line: int, start: str, *, offer: str = "o", key: Key = GLOVES, forecast: Forecast | None = None) -> Stood:
    return Stood(line, offer, start, key, forecast)


def test_a_line_that_is_there_stands_by_itself_and_is_not_inherited_from() -> None:
    assert places([stood(1, "2028-01")], {1: (GLOVES, None), 2: (GLOVES, None)}) == {1: ("o", "2028-01")}


def test_a_replaced_forecast_is_known_by_its_id_whatever_the_order() -> None:
    before = [stood(1, "2028-01", forecast=("erp", "a")), stood(2, "2028-02", forecast=("erp", "b"))]
    anew = {3: (GLOVES, ("erp", "b")), 4: (GLOVES, ("erp", "a"))}
    assert places(before, anew) == {3: ("o", "2028-02"), 4: ("o", "2028-01")}


def test_rows_of_one_key_take_their_places_in_order_and_one_too_many_takes_none_of_two() -> None:
    before = [stood(1, "2028-01"), stood(2, "2028-02")]
    anew = dict.fromkeys((3, 4, 5), (GLOVES, None))
    assert places(before, anew) == {3: ("o", "2028-01"), 4: ("o", "2028-02")}
    assert places(before[:1], anew) == dict.fromkeys(anew, ("o", "2028-01"))


def test_what_was_sent_before_or_is_another_demand_inherits_nothing() -> None:
    other: Key = ("SE-M", "gloves", "G-2")
    assert (
        places([stood(5, "2028-01")], {4: (GLOVES, None), 6: (other, None), 7: (("SE-H", "gloves", None), None)}) == {}
    )
    assert places([stood(5, "2028-01", offer="gone")], {6: (GLOVES, None)}) == {}
    assert places([Stood(5, "o", "2028-01")], {6: (GLOVES, None)}) == {}, "kept before keys were"


def test_over_a_merger_each_predecessor_hands_on_once() -> None:
    before = [stood(1, "2028-01", key=("A", "gloves", None)), stood(2, "2028-02", key=("B", "gloves", None))]
    anew = dict.fromkeys((3, 4), (("C", "gloves", None), None))
    assert places(before, anew) == {3: ("o", "2028-01"), 4: ("o", "2028-02")}
    assert places(before, {3: anew[3]}) == {3: ("o", "2028-01")}
    assert places(before, {4: (("B", "gloves", None), None)}) == {4: ("o", "2028-02")}
