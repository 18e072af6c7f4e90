"""What is different between two sets of lines: added, removed, changed. Pure.

Lines are matched by whom they were sent for, category, item code and window; forecasts of one system by their id, as
that is what keeps a forecast itself. Of several lines with one key those that say the same are matched first, then the
others in the order they came in.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

KEY = ("sent_as", "category", "item_code", "earliest_start", "latest_start")
"""What makes a line the same line in the next version."""
FIGURES = (
    *("quantity", "quantity_low", "quantity_high", "unit_price_micro", "currency"),
    *("required", "refused", "delivered", "depth"),
)
"""What may have changed in it."""


class Kind(StrEnum):
    """What became of a line."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """A line before and after; None where it was not there. ``fields``: what changed of ``KEY`` and ``FIGURES``."""

    kind: Kind
    before: Any | None
    after: Any | None
    fields: tuple[str, ...] = ()

    @property
    def line(self) -> Any:
        """As it is now, or was last."""
        return self.after if self.after is not None else self.before

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands in the list: what is there now by its line, then what is gone."""
        return (int(self.after is None), self.line.id)


def compare(before: Iterable[Any], after: Iterable[Any], *, by_id: bool = False) -> list[Difference]:
    """The differences of two sets of lines, in their ``place``; ``by_id``: forecasts of one system."""
    key = _external_id if by_id else _key
    old, new = _grouped(before, key), _grouped(after, key)
    found: list[Difference] = []
    for each in old.keys() | new.keys():
        found += _matched(old.get(each, []), new.get(each, []))
    return sorted(found, key=lambda difference: difference.place)


def _key(line: Any) -> Hashable:
    return tuple(getattr(line, name) for name in KEY)


def _external_id(line: Any) -> Hashable:
    found: Hashable = line.external_id
    return found


def _said(line: Any) -> Hashable:
    return tuple(getattr(line, name) for name in (*KEY, *FIGURES))


def _grouped(lines: Iterable[Any], key: Callable[[Any], Hashable]) -> dict[Hashable, list[Any]]:
    found: defaultdict[Hashable, list[Any]] = defaultdict(list)
    for line in lines:
        found[key(line)].append(line)
    return found


def _matched(old: Sequence[Any], new: Sequence[Any]) -> list[Difference]:
    """Of lines with one key."""
    waiting = _grouped(old, _said)
    changed = []
    for line in sorted(new, key=lambda each: each.id):
        same = waiting.get(_said(line))
        if same:
            same.pop()
        else:
            changed.append(line)
    left = sorted((line for same in waiting.values() for line in same), key=lambda each: each.id)
    pairs = min(len(left), len(changed))
    found = [
        Difference(Kind.CHANGED, one, other, _different(one, other))
        for one, other in zip(left[:pairs], changed[:pairs], strict=True)
    ]
    found += [Difference(Kind.REMOVED, line, None) for line in left[pairs:]]
    return found + [Difference(Kind.ADDED, None, line) for line in changed[pairs:]]


def _different(one: Any, other: Any) -> tuple[str, ...]:
    return tuple(name for name in (*KEY, *FIGURES) if getattr(one, name) != getattr(other, name))
