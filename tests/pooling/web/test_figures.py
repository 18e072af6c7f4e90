"""Figures read as people expect them."""

import csv
from datetime import date
from pathlib import Path

import pytest

from pooling import reference
from pooling.web import figures
from pooling.web.figures import MINUS, THIN


def said(*parts: str) -> str:
    """The parts with the narrow space between them."""
    return THIN.join(parts)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (999.4, "999"),
        (1234567, said("1", "234", "567")),
        (-1500, f"{MINUS}1{THIN}500"),
        (-0.4, "0"),
    ],
)
def test_whole_numbers_have_thin_spaces_and_a_real_minus(value: float, text: str) -> None:
    assert figures.whole(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.0417, "0.0417"),
        (7.25, "7.25"),
        (99, "99"),
        (9999, said("9", "999")),
        (12_345, said("12.3", "k")),
        (999_999, said("1.00", "m")),
        (1_234_567, said("1.23", "m")),
        (-45_600_000, said(f"{MINUS}45.6", "m")),
        (123_456_789_000, said("123", "bn")),
        (1_234_000_000_000, said("1230", "bn")),
    ],
)
def test_compact_keeps_three_figures(value: float, text: str) -> None:
    assert figures.compact(value) == text


def test_amounts_are_in_the_unit_people_speak_of() -> None:
    assert figures.amount(2_500_000, "GRM") == "2" + THIN + "500 kg"
    assert figures.amount(46_506_000, "MLT") == said("46.5", "k litres")
    assert figures.amount(1, "H87") == "1 piece"
    assert figures.amount(0, "PR") == "0 pairs"
    assert figures.amount(12, "E27") == "12 E27"  # a unit without a word of its own keeps its code


def test_shares_below_the_last_place_are_not_nothing() -> None:
    assert figures.percent(0) == said("0", "%")
    assert figures.percent(0.0004) == said("<1", "%")
    assert figures.percent(0.0004, 2) == said("0.04", "%")
    assert figures.percent(-0.256, 1) == said(f"{MINUS}25.6", "%")


def test_prices_show_what_a_glove_costs() -> None:
    assert figures.unit_price(0.03614) == said("EUR", "0.0361")
    assert figures.unit_price(1450) == said("EUR", "1", "450")


def test_tonnes_stay_tonnes_and_less_is_kilograms() -> None:
    assert figures.tonnes(27_641) == said("27", "600", "t")
    assert figures.tonnes(0.25) == said("250", "kg")
    assert figures.tonnes(0) == said("0", "t")
    assert figures.tonnes(8.266) == said("8.27", "t")


def test_co2_of_a_unit_is_in_grams_below_a_kilogram() -> None:
    assert figures.co2_mass(0.051) == said("51.0", "g")
    assert figures.co2_mass(2.5) == said("2.50", "kg")


def test_months_days_and_codes_in_words() -> None:
    assert figures.month_in_words("2027-11") == "Nov 2027"
    assert figures.day_in_words(date(2027, 1, 9)) == "9 Jan 2027"
    assert figures.in_words("drapes-and-packs") == "Drapes and packs"


def test_every_base_unit_of_the_reference_data_has_a_word() -> None:
    with (Path(reference.__file__).parent / "data" / "categories.csv").open(encoding="utf-8", newline="") as lines:
        units = {row["base_unit"] for row in csv.DictReader(lines)}
    assert {"H87", "GRM", "MLT"} <= units
    assert [unit for unit in units if figures.unit_words(unit) == unit] == []
    assert (figures.unit_words("GRM"), figures.unit_words("H87"), figures.unit_words("XX")) == ("grams", "pieces", "XX")


def test_languages_are_named_and_other_words_stay() -> None:
    assert figures.languages_in_words("fi sv") == "Finnish, Swedish"
    assert figures.languages_in_words("not stated") == "not stated"


def test_settings_are_joined_and_hashes_cut() -> None:
    assert figures.short({"a": [1, None], "b": ()}) == "a 1, none, b none"
    assert figures.short("f" * 64) == "f" * 12 + "…"
    assert figures.short("f" * 63) == "f" * 63
