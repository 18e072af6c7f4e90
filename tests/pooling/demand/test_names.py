"""What counts as the same name, and which names are close."""

import time

from pooling.demand.names import Closest, slug
from pooling.reference.words import same

NAMES = {
    "nitrile": ("Examination gloves, nitrile, non-sterile",),
    "latex": ("Surgical gloves, sterile, latex",),
    "syringe": ("Insulin syringes",),
    "SE-H": ("Region Kalmar län",),
}


def test_case_blanks_and_full_stops_do_not_count() -> None:
    assert same("  Region  SKÅNE. ") == same("region skåne")
    assert same("st.") == same("ST")
    assert same("Skåne") != same("Skane")


def test_an_id_is_made_of_plain_words() -> None:
    assert slug(["Lamivudine/Nevirapine", "30+50mg", "Tablet - Ø"]) == "lamivudine-nevirapine-30-50mg-tablet-o"


def test_the_nearest_comes_first_and_nothing_near_is_nothing() -> None:
    closest = Closest(NAMES)
    assert closest.find("gloves nitrile")[0].id == "nitrile"
    assert [each.id for each in closest.find("Kalmar lan")] == ["SE-H"]
    assert closest.find("qwzx") == []
    assert closest.find("") == []


def test_a_thousand_unknown_names_cost_no_seconds() -> None:
    known = {f"c{number}": (f"Category {number} of gloves, drapes and number {number * 7}",) for number in range(500)}
    closest = Closest(known)
    begun = time.process_time()
    for number in range(1_000):
        assert len(closest.find(f"unknown glove drape {number}")) <= 3
    assert time.process_time() - begun < 5
