"""How the volume of each lot stands to the volume from which a supplier moves.

Volumes of different goods are compared as multiples of their own tipping volume. A pure function from frozen rows to
SVG text, in two widths as in ``timeline``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from pooling.web.figures import amount
from pooling.web.svg import Layout, bar, colour, element, fitted, picture, plain, text, width_of

TOP = 58.0  # legend and axis
BAR = 14.0
WIDE, NARROW = Layout(1120, 372, 262, 22, stacked=False), Layout(358, 4, 14, 56, stacked=True)
LEAST_TIMES, MOST_TIMES = 2.0, 8.0  # the axis ends between these multiples of the tipping volume
WHOLE_BARS = 0.8  # share of bars that the axis has room for; the others are marked as going on


@dataclass(frozen=True, slots=True)
class Level:
    """A lot's volume in base units a year, sure and expected, and the volumes from which each tier holds, ascending.

    ``tiers[0]`` is the tipping volume; ``tier``, the one reached, counts from 0.
    """

    label: str
    note: str
    unit: str
    sure: float
    expected: float
    tiers: tuple[int, ...]
    tier: int

    def __post_init__(self) -> None:
        if not self.tiers or list(self.tiers) != sorted(set(self.tiers)) or self.tiers[0] <= 0:
            raise ValueError(f"{self.label}: tiers must ascend from above 0, got {self.tiers}")
        if not 0 <= self.tier < len(self.tiers):
            raise ValueError(f"{self.label}: tier {self.tier} is not one of {len(self.tiers)}")

    @property
    def times(self) -> float:
        """The larger of both volumes as a multiple of the tipping volume."""
        return max(self.expected, self.sure) / self.tiers[0]


def volumes(levels: Sequence[Level], *, name: str, narrow: bool = False) -> str:
    """Each lot's sure and expected volume as a multiple of its tipping volume, with the further tiers."""
    layout = NARROW if narrow else WIDE
    most = _axis_end(levels)

    def scale(times: float) -> float:
        return layout.left + min(times, most) / most * layout.room

    bottom = TOP + len(levels) * layout.row
    rows = [
        _row(level, y=TOP + number * layout.row, most=most, scale=scale, layout=layout)
        for number, level in enumerate(levels)
    ]
    return picture(
        _legend(layout),
        *_axis(most, scale=scale, bottom=bottom, layout=layout),
        *rows,
        name=name,
        title=f"Volume against tipping volume of {len(levels)} lots",
        description=_in_words(levels),
        width=layout.width,
        height=bottom + 4,
    )


def _axis_end(levels: Sequence[Level]) -> float:
    """Where the axis ends: room for most bars, so that a few very long ones do not press the others together."""
    times = sorted(level.times for level in levels) or [LEAST_TIMES]
    return min(MOST_TIMES, max(LEAST_TIMES, times[ceil(WHOLE_BARS * len(times)) - 1]))


def _row(level: Level, *, y: float, most: float, scale: Callable[[float], float], layout: Layout) -> str:
    tipping = level.tiers[0]
    top = y + (32 if layout.stacked else (layout.row - BAR) / 2)
    says = f"{amount(level.sure, level.unit)} sure, tips at {amount(tipping, level.unit)}"
    marks = [
        element("title", plain(f"{level.label}: {says}, tier {level.tier + 1} of {len(level.tiers)}")),
        *_words(level, says, y=y, top=top, layout=layout),
        bar(scale(0), scale(level.expected / tipping), top + 3, BAR - 6, fill=colour("likely")),
        bar(scale(0), scale(level.sure / tipping), top, BAR, fill=colour("term")),
        _tipping(scale(1), top),
    ]
    for place, start in enumerate(level.tiers[1:], start=1):
        if start / tipping < most:
            marks.append(_tier(scale(start / tipping), top + BAR / 2, reached=place <= level.tier))
    if level.times > most:
        marks.append(_goes_on(scale(most), top))
    return element("g", *marks)


def _words(level: Level, says: str, *, y: float, top: float, layout: Layout) -> list[str]:
    if layout.stacked:
        return [
            text(fitted(f"{level.note} · {level.label}", layout.room - 30), x=layout.left, y=y + 13, weight=600),
            text(fitted(says, layout.room, 11), x=layout.left, y=y + 27, size=11, fill="muted"),
        ]
    return [
        text(fitted(level.label, layout.left - 80), x=8, y=top + 11),
        text(level.note, x=layout.left - 10, y=top + 11, fill="muted", anchor="end"),
        text(says, x=layout.width - layout.right + 14, y=top + 11, size=11, fill="muted"),
    ]


def _tipping(x: float, top: float) -> str:
    """The tipping volume: a line over the whole row, edged so that it shows on the bar and beside it."""
    path = f"M{x:.1f} {top - 3:.1f} V{top + BAR + 3:.1f}"
    return element("path", d=path, stroke=colour("paper"), stroke_width=5) + element(
        "path", d=path, stroke=colour("mark"), stroke_width=2.5
    )


def _tier(x: float, y: float, *, reached: bool) -> str:
    """A further tier's mark: full where reached, hollow where not."""
    path = f"M{x:.1f} {y - 5.5:.1f} l5 5.5 l-5 5.5 l-5 -5.5 z"
    fill = colour("mark") if reached else colour("paper")
    edge = colour("paper") if reached else colour("mark")
    return element("path", d=path, fill=fill, stroke=edge, stroke_width=1.5)


def _goes_on(end: float, top: float) -> str:
    path = "".join(f"M{end - back:.1f} {top - 1:.1f} l-5 {BAR + 2:g} " for back in (6, 12))
    return element("path", d=path.strip(), stroke=colour("paper"), stroke_width=2.5)


def _legend(layout: Layout) -> str:
    x, marks = layout.left, []
    for word in ("sure", "expected", "tips", "next tier", "reached"):
        marks += [_key(word, x), text(word, x=x + 20, y=17, fill="muted")]
        x += 20 + width_of(word) + 11
    return element("g", *marks)


def _key(word: str, x: float) -> str:
    """The mark that a word of the legend stands for."""
    if word == "sure":
        return bar(x, x + 16, 6, BAR, fill=colour("term"))
    if word == "expected":
        return bar(x, x + 16, 9, BAR - 6, fill=colour("likely"))
    return _tipping(x + 8, 6) if word == "tips" else _tier(x + 8, 13, reached=word == "reached")


def _axis(most: float, *, scale: Callable[[float], float], bottom: float, layout: Layout) -> list[str]:
    marks = []
    for times in range(int(most) + 1):
        x = scale(times)
        if not layout.stacked:
            marks.append(element("path", d=f"M{x:.1f} {TOP - 12:g} V{bottom:g}", stroke=colour("grid"), stroke_width=1))
        anchor = "start" if times == 0 else "end" if layout.stacked and times == most else "middle"
        marks.append(text(f"{times}×" if times else "0", x=x, y=TOP - 16, size=11, fill="muted", anchor=anchor))
    return marks


def _in_words(levels: Sequence[Level]) -> str:
    if not levels:
        return "No lot is proposed."
    times = [level.sure / level.tiers[0] for level in levels]
    above = sum(level.tier > 0 for level in levels)
    return (
        f"The sure volume of {len(levels)} lots is between {min(times):.2g} and {max(times):.2g} times the tipping"
        f" volume; {above} of them reach a tier above the first. The tables of each pool hold the figures."
    )
