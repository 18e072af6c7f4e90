"""Pictures are well-formed, escaped, described in words, and say what their rows say."""

from dataclasses import replace
from datetime import date
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from pooling.web.levels import Level, volumes
from pooling.web.svg import element, fitted, text, width_of
from pooling.web.timeline import Span, timeline

SVG = "{http://www.w3.org/2000/svg}"
SPAN = Span(
    group="Gloves",
    label="No. 1",
    note="SE-AB leads 3 in 2 countries",
    dialogue=date(2026, 11, 1),
    notice=date(2027, 4, 10),
    award=date(2027, 9, 12),
    start=date(2027, 11, 1),
    end=date(2030, 11, 1),
)
LEVEL = Level(label="Aprons", note="No. 1", unit="H87", sure=1500, expected=1600, tiers=(1000, 2000), tier=0)


def bars(picture: str, fill: str) -> list[tuple[float, float]]:
    """Left and right end of the bars that have this colour's name, the legend's left out."""
    found = [
        (float(each.attrib["x"]), float(each.attrib["x"]) + float(each.attrib["width"]))
        for each in ET.fromstring(picture).iter(f"{SVG}rect")
        if fill in each.attrib["fill"]
    ]
    return found[1:]


def words(picture: str) -> str:
    return " ".join(ET.fromstring(picture).itertext())


@pytest.mark.parametrize("narrow", [False, True])
def test_the_phases_of_a_pool_follow_each_other_without_a_gap(narrow: bool) -> None:
    drawn = timeline([SPAN], name="t", narrow=narrow)
    phases = [bars(drawn, fill)[0] for fill in ("hatch", "tender", "takeover", "term")]
    for (_, end), (start, _) in pairwise(phases):
        assert end == pytest.approx(start, abs=0.2)
    width = phases[-1][1] - phases[0][0]
    share = (SPAN.start - SPAN.dialogue).days / (SPAN.end - SPAN.dialogue).days
    assert (phases[-1][0] - phases[0][0]) / width == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("narrow", [False, True])
def test_a_lot_reaches_as_far_as_its_multiple_of_the_tipping_volume(narrow: bool) -> None:
    twice = replace(LEVEL, sure=2000, expected=2000, tier=1)
    drawn = volumes([LEVEL, twice], name="v", narrow=narrow)
    (_, one), (start, other) = bars(drawn, "--term")
    assert (one - start) / (other - start) == pytest.approx(0.75, abs=0.01)


def test_a_bar_beyond_the_scale_is_cut_at_its_end() -> None:
    drawn = volumes([replace(LEVEL, sure=9000, expected=9500, tier=1)], name="v")
    ((start, end),) = bars(drawn, "--term")
    assert "8×" in words(drawn)
    assert end - start == pytest.approx(1120 - 372 - 262)
    assert "l-5 16" in drawn
    assert "l-5 16" not in volumes([LEVEL], name="v")


def test_a_few_very_long_bars_do_not_press_the_others_together() -> None:
    drawn = volumes([LEVEL] * 8 + [replace(LEVEL, sure=7000, expected=7000, tier=1)] * 2, name="v")
    ((start, end), *_) = bars(drawn, "--term")
    assert end - start == pytest.approx(1.5 / 2 * (1120 - 372 - 262))
    assert drawn.count("l-5 16") == 4


@pytest.mark.parametrize("narrow", [False, True])
def test_pictures_have_title_description_and_unique_ids(narrow: bool) -> None:
    for drawn, name in (
        (timeline([SPAN, SPAN], name="one", narrow=narrow), "one"),
        (volumes([LEVEL], name="two", narrow=narrow), "two"),
    ):
        root = ET.fromstring(drawn)
        assert root.attrib["role"] == "img"
        named = root.attrib["aria-labelledby"].split()
        ids = [each.attrib["id"] for each in root.iter() if "id" in each.attrib]
        assert len(ids) == len(set(ids))
        assert all(each.startswith(name) for each in ids)
        said = [root.findtext(f"*[@id='{each}']") for each in named]
        assert len(said) == 2
        assert all(said)


@pytest.mark.parametrize("narrow", [False, True])
def test_nothing_is_drawn_outside_the_picture(narrow: bool) -> None:
    spans = [
        replace(SPAN, group=f"A family with a rather long name {number}", label=f"No. {number}") for number in (1, 222)
    ]
    for drawn in (timeline(spans, name="t", narrow=narrow), volumes([LEVEL] * 3, name="v", narrow=narrow)):
        root = ET.fromstring(drawn)
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        for each in root.iter(f"{SVG}rect"):
            assert float(each.attrib["x"]) + float(each.attrib["width"]) <= width + 0.1
            assert float(each.attrib["y"]) + float(each.attrib["height"]) <= height + 0.1
        for each in root.iter(f"{SVG}text"):
            size, anchor = int(each.attrib["font-size"]), each.attrib.get("text-anchor", "start")
            wide = width_of(each.text or "", size) * {"start": 1.0, "middle": 0.5, "end": 0.0}[anchor]
            assert float(each.attrib["x"]) + wide <= width + 1
            assert float(each.attrib["y"]) <= height


def test_words_from_data_are_escaped() -> None:
    bad = '<script>alert("1")</script>&'
    for drawn in (
        timeline([replace(SPAN, group=bad, label=bad, note=bad)], name="t"),
        volumes([replace(LEVEL, label=bad, note=bad, unit=bad)], name="v"),
    ):
        assert "<script" not in drawn
        assert bad in words(drawn)  # positive control: it is there, as text


def test_no_picture_is_needed_where_there_is_nothing() -> None:
    assert "No pool is proposed." in words(timeline([], name="t"))
    assert "No lot is proposed." in words(volumes([], name="v"))


def test_dates_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="must follow each other"):
        replace(SPAN, award=date(2028, 1, 1))


@pytest.mark.parametrize("tiers", [(), (0, 5), (5, 5), (7, 3)])
def test_tiers_that_do_not_ascend_are_refused(tiers: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="ascend"):
        replace(LEVEL, tiers=tiers)
    with pytest.raises(ValueError, match="is not one of 2"):
        replace(LEVEL, tier=2)


def test_words_are_cut_only_where_they_do_not_fit() -> None:
    assert fitted("Gloves", 100) == "Gloves"
    assert fitted("Minimally invasive surgery", 80) == "Minimally i…"
    assert fitted("Gloves", 10) == ""
    assert width_of(fitted("x" * 200, 300)) <= 300


def test_elements_drop_what_is_none_and_escape_the_rest() -> None:
    assert element("rect", x=1.04, fill=None, stroke_width=2) == '<rect x="1" stroke-width="2"/>'
    assert element("a", class_='"<') == '<a class="&quot;&lt;"/>'
    assert text("<b>", x=0, y=0).endswith(">&lt;b&gt;</text>")
