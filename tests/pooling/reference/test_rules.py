"""Succession, closure, populations and units: each rule at its border, kept and broken."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooling.errors import BadInput
from pooling.reference.rules import CategoryRecord, base_factor, before_and_after, closure, population_of, rehome
from tests.pooling.reference.records import BORDER, PLAIN, participants

DAY = timedelta(days=1)


# rehome


def test_demand_stays_until_the_day_before_the_border_and_moves_on_it() -> None:
    known = participants(OLD={"valid_to": BORDER, "successor": "NEW"}, NEW={"valid_from": BORDER})
    assert rehome("OLD", BORDER - DAY, known) == "OLD"
    assert rehome("OLD", BORDER, known) == "NEW"
    assert rehome("NEW", BORDER, known) == "NEW"


def test_a_chain_is_followed_as_far_as_the_day_allows() -> None:
    later = date(2030, 1, 1)
    known = participants(
        A={"valid_to": BORDER, "successor": "B"},
        B={"valid_from": BORDER, "valid_to": later, "successor": "C"},
        C={"valid_from": later},
    )
    assert [rehome("A", day, known) for day in (BORDER - DAY, BORDER, later - DAY, later)] == ["A", "B", "B", "C"]


def test_a_body_that_does_not_exist_yet_is_refused_naming_from_when_and_what_instead() -> None:
    known = participants(
        A={"valid_to": BORDER, "successor": "NEW"},
        B={"valid_to": BORDER, "successor": "NEW"},
        NEW={"valid_from": BORDER},
    )
    with pytest.raises(
        BadInput, match=r"'NEW' does not exist on 2026-12-31, only from 2027-01-01; until then use A or B"
    ):
        rehome("NEW", BORDER - DAY, known)


def test_an_ended_body_without_successor_is_refused() -> None:
    known = participants(A={"valid_to": BORDER})
    assert rehome("A", BORDER - DAY, known) == "A"
    with pytest.raises(BadInput, match="ended on 2027-01-01 without a successor"):
        rehome("A", BORDER, known)


def test_a_gap_between_two_bodies_is_refused() -> None:
    known = participants(A={"valid_to": BORDER, "successor": "B"}, B={"valid_from": BORDER + DAY})
    with pytest.raises(BadInput, match="close the gap"):
        rehome("A", BORDER, known)
    assert rehome("A", BORDER + DAY, known) == "B"


def test_successions_in_a_circle_are_refused() -> None:
    known = participants(A={"valid_to": BORDER, "successor": "B"}, B={"valid_to": BORDER, "successor": "A"})
    with pytest.raises(BadInput, match="A -> B -> A run in a circle"):
        rehome("A", BORDER, known)


def test_those_before_and_after_are_not_those_beside() -> None:
    known = participants(
        A={"valid_to": BORDER, "successor": "NEW"},
        B={"valid_to": BORDER, "successor": "NEW"},
        NEW={"valid_from": BORDER, "valid_to": BORDER + DAY, "successor": "LAST"},
        LAST={"valid_from": BORDER + DAY},
    )
    assert before_and_after("A", known) == {"A", "NEW", "LAST"}
    assert before_and_after("LAST", known) == {"A", "B", "NEW", "LAST"}
    circle = participants(A={"valid_to": BORDER, "successor": "B"}, B={"valid_to": BORDER, "successor": "A"})
    assert before_and_after("A", circle) == {"A", "B"}


def test_an_unknown_participant_is_refused() -> None:
    with pytest.raises(BadInput, match="'X' is not known"):
        rehome("X", BORDER, participants(A={}))
    with pytest.raises(BadInput, match="'X' is not known"):
        rehome("A", BORDER, participants(A={"valid_to": BORDER, "successor": "X"}))


# a participant's own fields


def test_an_associate_may_not_lead() -> None:
    assert not replace(PLAIN, contracting_authority=False, may_lead=False).may_lead
    with pytest.raises(BadInput, match="may_lead"):
        replace(PLAIN, contracting_authority=False)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"valid_from": BORDER, "valid_to": BORDER}, "is not before valid_to"),
        ({"successor": "Q"}, "without valid_to"),
        ({"successor": "P", "valid_to": BORDER}, "succeed or contain itself"),
        ({"population_within": "P", "population_overlaps": True}, "succeed or contain itself"),
        ({"population_within": "Q"}, "population_overlaps must be true"),
        ({"population": -1}, "population is -1"),
        ({"max_leads": -1}, "max_leads is -1"),
        ({"max_pools_per_quarter": -1}, "max_pools_per_quarter is -1"),
    ],
)
def test_nonsense_is_refused_at_birth(values: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        replace(PLAIN, **values)


def test_a_limit_of_nought_is_a_limit() -> None:
    assert replace(PLAIN, max_leads=0).max_leads == 0


def test_valid_days_hold_the_first_and_not_the_last() -> None:
    body = replace(PLAIN, valid_from=BORDER, valid_to=BORDER + DAY)
    assert [body.is_valid_on(BORDER + days * DAY) for days in (-1, 0, 1)] == [False, True, False]
    assert PLAIN.is_valid_on(date.min)


# closure

LADDER = {"spearhead": frozenset({"advanced"}), "advanced": frozenset({"basic"})}


def test_spearhead_meets_basic() -> None:
    assert closure({"spearhead"}, LADDER) == {"spearhead", "advanced", "basic"}
    assert closure({"advanced"}, LADDER) == {"advanced", "basic"}
    assert closure({"basic", "other"}, LADDER) == {"basic", "other"}
    assert closure((), LADDER) == frozenset()


def test_criteria_that_imply_each_other_are_equal() -> None:
    assert closure({"a"}, {"a": frozenset({"b"}), "b": frozenset({"a"})}) == {"a", "b"}


CODES = st.sampled_from("abcdef")


@given(st.frozensets(CODES), st.dictionaries(CODES, st.frozensets(CODES)))
def test_a_closure_is_closed_and_holds_nothing_it_need_not(
    codes: frozenset[str], implications: dict[str, frozenset[str]]
) -> None:
    closed = closure(codes, implications)
    assert codes <= closed
    assert all(implications.get(code, frozenset()) <= closed for code in closed)
    assert closure(closed, implications) == closed
    for dropped in closed - codes:
        rest = closed - {dropped}
        assert any(dropped in implications.get(code, ()) for code in rest)


# population_of

UUSIMAA = participants(
    HUS={"population": 30, "population_overlaps": True},
    A={"population": 10, "population_overlaps": True, "population_within": "HUS"},
    B={"population": 20, "population_overlaps": True, "population_within": "HUS"},
    WARD={"population": 3, "population_overlaps": True, "population_within": "A"},
    OUT={"population": 7},
)


@pytest.mark.parametrize(
    ("codes", "people"),
    [
        (["HUS"], 30),
        (["A", "B"], 30),
        (["HUS", "A"], 30),
        (["HUS", "A", "B", "OUT"], 37),
        (["HUS", "WARD"], 30),
        (["WARD", "B"], 23),
        (["OUT", "OUT"], 7),
        ([], 0),
    ],
)
def test_nobody_is_counted_twice(codes: list[str], people: int) -> None:
    assert population_of(codes, UUSIMAA) == people


def test_a_body_and_its_successor_are_one_population() -> None:
    known = participants(
        OLD={"population": 10, "valid_to": BORDER, "successor": "NEW"}, NEW={"population": 11, "valid_from": BORDER}
    )
    assert population_of(["OLD", "NEW"], known) == 11
    assert population_of(["OLD"], known) == 10


def test_an_unknown_population_is_no_zero() -> None:
    known = participants(A={"population": None}, B={"population": 5, "population_overlaps": True})
    with pytest.raises(BadInput, match="'A' has no population"):
        population_of(["A", "B"], known)
    inside = {**known, "A": replace(known["A"], population_within="B", population_overlaps=True)}
    assert population_of(["A", "B"], inside) == 5


@given(st.frozensets(st.sampled_from(sorted(UUSIMAA))))
def test_the_union_grows_with_the_bodies_and_never_beyond_their_sum(codes: frozenset[str]) -> None:
    people = population_of(codes, UUSIMAA)
    assert people <= sum(UUSIMAA[code].population or 0 for code in codes)
    assert all(people <= population_of(codes | {more}, UUSIMAA) for more in UUSIMAA)


# base_factor


@pytest.mark.parametrize(
    ("unit", "base", "factor"),
    [
        ("KGM", "GRM", Fraction(1000)),
        ("MGM", "GRM", Fraction(1, 1000)),
        ("TNE", "KGM", Fraction(1000)),
        ("LTR", "MLT", Fraction(1000)),
        ("CLT", "LTR", Fraction(1, 100)),
        ("DZN", "H87", Fraction(12)),
        ("GRO", "DZN", Fraction(12)),
        ("PR", "H87", Fraction(2)),
        ("H87", "PR", Fraction(1, 2)),
        ("C62", "EA", Fraction(1)),
        ("SET", "SET", Fraction(1)),
        ("PK", "PK", Fraction(1)),
    ],
)
def test_units_of_one_kind_convert_exactly(unit: str, base: str, factor: Fraction) -> None:
    assert base_factor(unit, base) == factor


@pytest.mark.parametrize(
    ("unit", "base"),
    [
        ("KGM", "MLT"),
        ("PK", "H87"),
        ("BX", "H87"),
        ("RO", "MTR"),
        ("SET", "H87"),
        ("KT", "SET"),
        ("PK", "BX"),
        ("H87", "GRM"),
        ("XXX", "XXX"),
        ("XXX", "H87"),
    ],
)
def test_units_of_different_kinds_do_not_convert(unit: str, base: str) -> None:
    assert base_factor(unit, base) is None


def test_a_category_whose_unit_does_not_convert_to_its_base_unit_is_refused() -> None:
    values = {"id": "c", "family": "f", "cpv": None, "cpv_name": None, "emdn": None, "name": "n", "source": "s"}
    assert CategoryRecord(**values, unit="KGM", base_unit="GRM").base_unit == "GRM"
    with pytest.raises(BadInput, match="'BX' does not convert to base unit 'H87'"):
        CategoryRecord(**values, unit="BX", base_unit="H87")
