"""What a member proposes instead of the terms: checked when it is said, read again when the tender is judged. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pooling.tenders.judged import Range

Place = tuple[str, str, str]
"""Pointer, code, and what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """Another start, a criterion that offers are to meet, other volumes by lot; None, empty: as asked."""

    start: str | None
    criterion: str | None
    volumes: Mapping[int, Range]


def read(change: Mapping[str, Any]) -> Proposed:
    """A change as it is kept; volumes that are no range count as none."""
    said = [(each["lot"], *_figures(each)) for each in change.get("volumes") or ()]
    volumes = {lot: Range(*range_) for lot, *range_ in said if range_ == sorted(range_)}
    return Proposed(change.get("start"), change.get("criterion"), volumes)


def _figures(volume: Mapping[str, int]) -> tuple[int, int, int]:
    return volume["quantity_low"], volume["quantity"], volume["quantity_high"]


def faults(
    change: Mapping[str, Any], *, lots: Collection[int], criteria: Collection[str], starts: Sequence[str]
) -> list[Place]:
    """What of a change cannot be. ``lots``: with lines of the member; ``starts``: months that can be planned."""
    return [*_start(change.get("start"), starts), *_criterion(change.get("criterion"), criteria), *_lots(change, lots)]


def _start(start: str | None, starts: Sequence[str]) -> Iterator[Place]:
    if start is None or start in starts:
        return
    rule = f"give a month from {starts[0]} to {starts[-1]}" if starts else "none is left in the plan's horizon"
    text = f"{start}: it must be in the plan's horizon and leave time for the notice; {rule}"
    yield "#/change/start", "out-of-range", text


def _criterion(criterion: str | None, criteria: Collection[str]) -> Iterator[Place]:
    if criterion is not None and criterion not in criteria:
        yield "#/change/criterion", "not-found", f"{criterion!r} is not known; GET /v1/criteria lists what is"


def _lots(change: Mapping[str, Any], lots: Collection[int]) -> Iterator[Place]:
    volumes = change.get("volumes") or ()
    for place, each in enumerate(volumes):
        if each["lot"] not in lots:
            text = f"{each['lot']}: the member has no line in it; give one of {sorted(lots)}"
            yield f"#/change/volumes/{place}/lot", "not-found", text
    if {each["lot"] for each in volumes if not each["quantity"]} >= set(lots):
        yield "#/change/volumes", "out-of-range", "0 in every lot takes no part; decline instead"
