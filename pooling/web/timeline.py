"""When pools run: a row each, grouped by family, from the market dialogue to the end of the contract.

A pure function from frozen rows to SVG text. It draws two widths: words beside the bars for a wide page, above them for
a narrow one; the page shows the one that fits, so no letter is ever scaled down.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from pooling.web.svg import Layout, bar, colour, element, fitted, picture, plain, text, width_of

TOP = 58.0  # legend and years
BAR = 14.0
GROUP_HEAD = 24.0
WIDE, NARROW = Layout(1120, 262, 8, 22, stacked=False), Layout(358, 4, 4, 40, stacked=True)


@dataclass(frozen=True, slots=True)
class Span:
    """A pool in time: dialogue, notice, award, start, end of the term, in this order; ``note`` stands in the bar."""

    group: str
    label: str
    note: str
    dialogue: date
    notice: date
    award: date
    start: date
    end: date

    def __post_init__(self) -> None:
        dates = [self.dialogue, self.notice, self.award, self.start, self.end]
        if dates != sorted(dates):
            raise ValueError(
                f"{self.label}: dialogue, notice, award, start and end must follow each other, got {dates}"
            )


def timeline(spans: Sequence[Span], *, name: str, narrow: bool = False) -> str:
    """Pools by family in the order given: dialogue, tender, take-over and contract term of each."""
    layout = NARROW if narrow else WIDE
    first = min((span.dialogue for span in spans), default=date(2000, 1, 1))
    last = max((span.end for span in spans), default=date(2001, 1, 1))
    scale = _scale(first, last, layout)
    rows: list[str] = []
    y = TOP
    for number, (group, members) in enumerate(groupby(spans, key=lambda span: span.group)):
        drawn, end = _group(group, list(members), y=y, name=name, scale=scale, layout=layout)
        rows += [_band(y, end, layout)] * (number % 2 == 0) + drawn
        y = end
    return picture(
        _hatch(name),
        _legend(layout, name),
        *_years(first, last, scale=scale, bottom=y),
        *rows,
        name=name,
        title=f"Timeline of {len(spans)} proposed pools",
        description=_in_words(spans),
        width=layout.width,
        height=y + 4,
    )


def _scale(first: date, last: date, layout: Layout) -> Callable[[date], float]:
    begin, days = first.toordinal(), max(1, last.toordinal() - first.toordinal())
    return lambda day: layout.left + (day.toordinal() - begin) / days * layout.room


def _band(top: float, bottom: float, layout: Layout) -> str:
    return element("rect", x=0, y=top, width=layout.width, height=bottom - top, fill=colour("grid"), fill_opacity=0.35)


def _group(
    group: str, spans: list[Span], *, y: float, name: str, scale: Callable[[date], float], layout: Layout
) -> tuple[list[str], float]:
    """The rows of one family and the height they end at."""
    drawn = []
    if layout.stacked:
        drawn.append(text(fitted(group, layout.room, 13), x=layout.left, y=y + 16, size=13, weight=600))
        y += GROUP_HEAD
    else:
        drawn.append(text(fitted(group, layout.left - 76), x=8, y=y + 18, weight=600))
        y += 3
    for span in spans:
        drawn.append(_row(span, y=y, name=name, scale=scale, layout=layout))
        y += layout.row
    return drawn, y + (2 if layout.stacked else 3)


def _row(span: Span, *, y: float, name: str, scale: Callable[[date], float], layout: Layout) -> str:
    top = y + (18 if layout.stacked else (layout.row - BAR) / 2)
    x = [scale(day) for day in (span.dialogue, span.notice, span.award, span.start, span.end)]
    marks = [
        element("title", plain(f"{span.group}, {span.label}: {_dates(span)}")),
        bar(x[0], x[1], top + 3, BAR - 6, fill=f"url(#{name}-hatch)", stroke=colour("dialogue")),
        bar(x[1], x[2], top + 1, BAR - 2, fill=colour("tender")),
        bar(x[2], x[3], top + BAR / 2 - 1, 2, fill=colour("takeover")),
        bar(x[3], x[4], top, BAR, fill=colour("term")),
    ]
    if layout.stacked:
        marks.append(text(fitted(f"{span.label} · {span.note}", layout.room), x=layout.left, y=y + 13))
        return element("g", *marks)
    marks.append(text(span.label, x=layout.left - 10, y=top + 11, anchor="end", fill="muted"))
    note = fitted(span.note, x[4] - x[3] - 12, 11)
    if note:
        marks.append(text(note, x=x[3] + 6, y=top + 10.5, size=11, fill="onterm"))
    return element("g", *marks)


def _hatch(name: str) -> str:
    line = element("path", d="M0 5 L5 0", stroke=colour("dialogue"), stroke_width=1.2)
    pattern = element("pattern", line, id=f"{name}-hatch", width=5, height=5, patternUnits="userSpaceOnUse")
    return element("defs", pattern)


def _legend(layout: Layout, name: str) -> str:
    """Each phase has its own height and texture besides its colour."""
    x, marks = layout.left, []
    for word, tone, height in (
        ("Dialogue", "dialogue", 8),
        ("Tender", "tender", 12),
        ("Take-over", "takeover", 2),
        ("Contract", "term", 14),
    ):
        hatched = tone == "dialogue"
        fill = f"url(#{name}-hatch)" if hatched else colour(tone)
        marks.append(bar(x, x + 16, 13 - height / 2, height, fill=fill, stroke=colour(tone) if hatched else None))
        marks.append(text(word, x=x + 21, y=17, fill="muted"))
        x += 21 + width_of(word) + 16
    return element("g", *marks)


def _years(first: date, last: date, *, scale: Callable[[date], float], bottom: float) -> list[str]:
    marks = []
    for year in range(first.year + 1, last.year + 1):
        x = scale(date(year, 1, 1))
        marks.append(element("path", d=f"M{x:.1f} {TOP - 12:g} V{bottom:.1f}", stroke=colour("grid"), stroke_width=1))
        if x < scale(last) - 26:
            marks.append(text(str(year), x=x + 3, y=TOP - 14, fill="muted", size=11))
    return marks


def _dates(span: Span) -> str:
    return (
        f"dialogue from {span.dialogue}, notice by {span.notice}, award by {span.award},"
        f" start {span.start}, end {span.end}"
    )


def _in_words(spans: Sequence[Span]) -> str:
    if not spans:
        return "No pool is proposed."
    starts = [span.start for span in spans]
    return (
        f"{len(spans)} pools in {len({span.group for span in spans})} families start between {min(starts)} and"
        f" {max(starts)}. The table of pools holds every date."
    )
