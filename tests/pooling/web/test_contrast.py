"""The page's colours can be read in light and in dark (WCAG 2.2: text 4.5 to 1, parts of pictures 3 to 1)."""

import re
from pathlib import Path

import pytest

import pooling.web
from pooling.web.svg import COLOURS

SHEET = (Path(pooling.web.__file__).parent / "templates" / "report.css").read_text(encoding="utf-8")
TEXT = [
    ("ink", "paper"),
    ("ink", "page"),
    ("muted", "paper"),
    ("muted", "page"),
    ("accent", "paper"),
    ("accent", "page"),
    ("onterm", "term"),
    ("noticeink", "notice"),
]
PARTS = [(part, "paper") for part in ("dialogue", "tender", "takeover", "term", "likely", "mark")]


def variables(dark: bool) -> dict[str, str]:
    blocks = re.findall(r":root \{(.*?)\}", SHEET, re.DOTALL)
    found = dict(re.findall(r"--(\w+): (#\w{6});", blocks[0]))
    return {**found, **dict(re.findall(r"--(\w+): (#\w{6});", blocks[1]))} if dark else found


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), [(*each, 4.5) for each in TEXT] + [(*each, 3.0) for each in PARTS])
def test_colours_stand_out(dark: bool, front: str, back: str, least: float) -> None:
    colours = variables(dark)
    assert contrast(colours[front], colours[back]) >= least


def test_the_measure_is_the_standard_s() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_pictures_on_their_own_have_the_page_s_light_colours() -> None:
    assert {name: variables(dark=False)[name] for name in COLOURS} == COLOURS
