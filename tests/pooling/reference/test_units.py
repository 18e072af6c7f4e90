"""The table of units: complete, unambiguous, and equal to the published one."""

import csv
import re
from fractions import Fraction
from pathlib import Path

import pytest

from pooling.reference.rules import base_factor
from pooling.reference.units import UNITS, unit_code

SI = {"MLT": Fraction(1, 10**6), "GRM": Fraction(1, 1000), "MTR": Fraction(1), "MTK": Fraction(1), "H87": Fraction(1)}
SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def published(text: str) -> Fraction:
    """``10⁻³ m³`` as a number of SI units; ``kg`` and ``m³`` are one; counts are plain numbers."""
    if found := re.match(r"(?:1 x )?10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)", text):
        return Fraction(10) ** int(found[1].translate(SUPERSCRIPT))
    return Fraction(int(text)) if text.isdigit() else Fraction(1)


def test_every_factor_is_that_of_recommendation_20(shared_data: Path) -> None:
    with (shared_data / "units" / "units-of-measure.csv").open(encoding="utf-8", newline="") as lines:
        table = {row["CommonCode"]: row for row in csv.DictReader(lines)}
    assert set(UNITS) <= set(table)
    compared = 0
    for unit in UNITS.values():
        assert table[unit.code]["Name"].strip() == unit.name, unit.code
        given = table[unit.code]["ConversionFactor"]
        if given and unit.factor is not None:
            assert unit.factor * SI[unit.base_unit] == published(given), unit.code
            compared += 1
    assert compared >= 25


def test_every_base_unit_is_a_unit_of_factor_one() -> None:
    for unit in UNITS.values():
        if unit.factor is not None:
            assert UNITS[unit.base_unit].factor == 1
            assert base_factor(unit.code, unit.base_unit) == unit.factor
        else:
            assert unit.base_unit == unit.code


def test_packs_boxes_and_rolls_have_no_factor() -> None:
    assert {unit.code for unit in UNITS.values() if unit.factor is None} == {
        *("PK", "NMP", "BX", "CT", "CS", "BG", "BO", "CA", "TU", "RO")
    }


def test_no_word_names_two_units() -> None:
    owners: dict[str, set[str]] = {}
    for unit in UNITS.values():
        for word in (*unit.aliases, unit.name, unit.code):
            owners.setdefault(word.casefold(), set()).add(unit.code)
    assert {word: codes for word, codes in owners.items() if len(codes) > 1} == {}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ST", "H87"),
        ("Stk.", "H87"),
        (" stk ", "H87"),
        ("kpl", "H87"),
        ("H87", "H87"),
        ("FRP", "PK"),
        ("Förp.", "PK"),
        ("PKT", "PK"),
        ("pakkaus", "PK"),
        ("PAR", "PR"),
        ("pari", "PR"),
        ("RL", "RO"),
        ("KG", "KGM"),
        ("L", "LTR"),
        ("ml", "MLT"),
        ("sæt", "SET"),
        ("eske", "BX"),
        ("1000  stk.", "MIL"),
    ],
)
def test_buyers_words_are_understood(text: str, code: str) -> None:
    assert unit_code(text) == code


@pytest.mark.parametrize("text", ["", "zzz", "10-pack", "stk/kasse"])
def test_other_words_are_not_guessed(text: str) -> None:
    assert unit_code(text) is None
