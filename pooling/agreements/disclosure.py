"""Which sums over participants may be shown to everybody. Pure.

Whoever contributes to a sum takes its own part off. So a sum is shown where at least `FEWEST` participants contribute
to it and, whichever of them is left out, none of the others has more than `MOST_SHARE` of what they have together. That
is the p% rule with p = 25: what is left beside the two largest must be at least a quarter of the largest, or the second
largest knows the largest too well. Source: Hundepool et al., Handbook on Statistical Disclosure Control, chapter 4,
"Magnitude tabular data" (https://sdctools.github.io/HandbookSDC/04-magnitude-tabular-data.html).

The same holds for what was added since the sum that was published before, so that nothing follows from comparing two
publications. What is not shown is told as one sum with the other rows that are not, which must hold to the same rule:
it follows from the total anyway. Where it does not, the smallest rows that could be shown are taken into it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

FEWEST = 3
MOST_SHARE = Fraction(80, 100)
RULE = (
    "A sum is shown where at least 3 participants contribute to it and, whichever of them is left out, none of the "
    "others has more than 80 % of what they have together; where the same holds for what the last quarter changed, "
    "and where nothing about fewer follows from all sums together. Rows that "
    "are not shown are told together as one. Shares by criterion, CO2e, savings and quantities are told of all rows of "
    "a table or of none, and only where the same holds for each of them and for the rest of its row; savings and "
    "quantities only where every row has at least 3 lots. What is not among `criteria` or `substances` is none, or is "
    "not told."
)


@dataclass(frozen=True, slots=True)
class Cell:
    """What each participant contributes to a sum: altogether, and since the last publication (sizes, never below 0)."""

    altogether: Mapping[str, int] = field(default_factory=dict)
    lately: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: "Cell") -> "Cell":
        return Cell(_joined(self.altogether, other.altogether), _joined(self.lately, other.lately))

    @property
    def size(self) -> int:
        """Of all contributions."""
        return sum(self.altogether.values())

    @property
    def empty(self) -> bool:
        """Whether nobody contributes: there is nothing to hide."""
        return not any(self.altogether.values()) and not any(self.lately.values())

    @property
    def open(self) -> bool:
        """Whether it may be shown."""
        return many(self.altogether) and (not any(self.lately.values()) or many(self.lately))


@dataclass(frozen=True, slots=True)
class Shown:
    """Keys of the rows that are shown, whether the rest is as one sum (``others``), and whether the total is."""

    rows: frozenset[str]
    others: bool
    total: bool


def shown(cells: Mapping[str, Cell], *, without: Collection[str] = ()) -> Shown:
    """What may be told of a table whose rows add up to its total; empty rows are no rows. ``without``: rows that may
    not be told whatever they are."""
    full = {key: cell for key, cell in cells.items() if not cell.empty}
    total = _sum(full.values())
    if not total.open:
        return Shown(frozenset(), others=False, total=False)
    kept = {key for key, cell in full.items() if cell.open and key not in without}
    smallest = sorted(kept, key=lambda key: (full[key].size, key), reverse=True)
    while len(kept) < len(full) and not _sum(full[key] for key in full.keys() - kept).open:
        kept.remove(smallest.pop())
    return Shown(frozenset(kept), others=0 < len(kept) < len(full), total=True)


def _sum(cells: Iterable[Cell]) -> Cell:
    return sum(cells, Cell())


def many(contributions: Mapping[str, int]) -> bool:
    """Whether nobody knows another too well who knows the sum and its own part.

    It is the largest that is known best, and the second largest that knows it best.
    """
    sizes = sorted(size for size in contributions.values() if size)
    return len(sizes) >= FEWEST and sizes[-1] <= MOST_SHARE * (sum(sizes) - sizes[-2])


def _joined(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {key: first.get(key, 0) + second.get(key, 0) for key in first.keys() | second.keys()}
