"""Building blocks of pictures: escaped elements, text that fits, colours that follow the page.

Every function is pure and returns SVG text. Colours are CSS variables with a fallback, so a picture follows the page
it stands in (light or dark) and still reads on its own.
"""

from dataclasses import dataclass
from html import escape

# name: fallback where the page sets no such variable; the page's sheet holds the dark ones
COLOURS = {
    "ink": "#1b2733",
    "muted": "#52606d",
    "grid": "#d5dce3",
    "paper": "#ffffff",
    "dialogue": "#9a6700",
    "tender": "#5b4b9e",
    "takeover": "#52606d",
    "term": "#0f5c6b",
    "onterm": "#ffffff",
    "likely": "#5c97a5",
    "mark": "#a3341f",
}
CHARACTER = 0.54  # mean width of a character in a sans-serif face, in ems


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes in pixels; ``left`` and ``right`` are for words beside the bars, ``stacked`` puts words above them."""

    width: float
    left: float
    right: float
    row: float
    stacked: bool

    @property
    def room(self) -> float:
        """The width that bars have."""
        return self.width - self.left - self.right


def colour(name: str) -> str:
    return f"var(--{name},{COLOURS[name]})"


def element(tag: str, *children: str, **attributes: object) -> str:
    """One element; underscores in names become hyphens, a trailing one is dropped, None leaves the attribute out.

    ``children`` are markup already escaped: pass text through ``text`` or ``plain``.
    """
    parts = [tag]
    for name, value in attributes.items():
        if value is None:
            continue
        said = f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
        parts.append(f'{name.rstrip("_").replace("_", "-")}="{escape(said)}"')
    opening = " ".join(parts)
    return f"<{opening}>{''.join(children)}</{tag}>" if children else f"<{opening}/>"


def plain(words: str) -> str:
    return escape(words, quote=False)


def text(
    words: str,
    *,
    x: float,
    y: float,
    size: int = 12,
    fill: str = "ink",
    anchor: str | None = None,
    weight: int | None = None,
) -> str:
    """Words with their base line at ``y``."""
    return element(
        "text", plain(words), x=x, y=y, font_size=size, fill=colour(fill), text_anchor=anchor, font_weight=weight
    )


def bar(start: float, end: float, y: float, height: float, *, fill: str, stroke: str | None = None) -> str:
    """A bar from ``start`` to ``end``, at least a pixel wide."""
    return element("rect", x=start, y=y, width=max(1.0, end - start), height=height, fill=fill, stroke=stroke)


def width_of(words: str, size: int = 12) -> float:
    """About how wide the words are, in user units."""
    return len(words) * size * CHARACTER


def fitted(words: str, room: float, size: int = 12) -> str:
    """The words, cut with an ellipsis where wider than ``room``; empty where not even three letters fit."""
    if width_of(words, size) <= room:
        return words
    letters = int(room / (size * CHARACTER)) - 1
    return f"{words[:letters].rstrip()}…" if letters >= 3 else ""


def picture(*children: str, name: str, title: str, description: str, width: float, height: float) -> str:
    """The outer element: an image to assistive technology, with a title and a description. ``name`` must be unique."""
    return element(
        "svg",
        element("title", plain(title), id=f"{name}-title"),
        element("desc", plain(description), id=f"{name}-description"),
        *children,
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        aria_labelledby=f"{name}-title {name}-description",
        viewBox=f"0 0 {width:g} {height:g}",
        width=f"{width:g}",
        height=f"{height:g}",
        font_family="inherit",
    )
