"""The problem of choosing slots for items, and its answer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from solver.arrays import Flags, Floats, Ints
from solver.errors import Fault, InvalidInstance

LARGEST = 1e15
"""Values, costs and sizes beyond this lose their cents in floating point."""
WIDE, LEAST = f"give a number from -{LARGEST:g} to {LARGEST:g}", f"give a number from 0 to {LARGEST:g}"
MOST_NAMED = 20
"""Faults named of one kind; the rest are counted."""
DIMENSIONS = {1: "one", 2: "two"}


@dataclass(frozen=True, slots=True, eq=False)
class SlotProblem:
    """Items that may each go into one slot, at a value that depends on the slot; slots that cost something to open.

    An answer opens some slots and puts each item into one open slot or leaves it out, so that the sizes in every open
    slot sum to at least its ``min_size`` and at most its ``max_size``. Sought is the largest sum of values less
    opening costs. Leaving everything out is worth 0, so there always is an answer.

    Arrays are taken as given and copied; n items, m slots, c cells (pairs of item and slot that are allowed).

    Whole-numbered sizes and limits are kept exactly; others to 1e-9 of the limit (at least 1e-9).

    Raises ``InvalidInstance`` naming every fault.

    **Items that must be served**, as in single-source capacitated facility location (facilities are slots, customers
    items): give every cell the value ``M - cost`` with M above the sum of all opening costs and of every customer's
    highest cost. Serving one customer more is then worth more than anything else, so a best answer serves all if that
    can be done, and its cost is ``n * M - value``. Nothing is lost by the large M: the search runs on differences
    within an item, in which M is gone, and M times n below 2^53 / 100 keeps cents. ``single_source`` does just this.
    """

    size: Floats
    """(n,) at least 0, in any one unit."""
    opening_cost: Floats
    """(m,) in the unit of the values; below 0 for an income."""
    min_size: Floats
    """(m,) at least 0; with 0 an open slot may stand empty."""
    max_size: Floats
    """(m,) at least ``min_size``; infinite for no limit."""
    item: Ints
    """(c,) which item, from 0."""
    slot: Ints
    """(c,) which slot, from 0; each pair once."""
    value: Floats
    """(c,) what the item brings in the slot; below 0 where it costs (it may still help to reach a minimum)."""
    exclusive: Ints | None = None
    """(m,) number of the slot's group or -1: at most one slot of a group may open. None: no groups."""

    def __post_init__(self) -> None:
        faults: list[Fault] = []
        for name in ("size", "opening_cost", "min_size", "max_size", "value"):
            object.__setattr__(self, name, _floats(name, getattr(self, name), faults))
        if self.exclusive is None:
            object.__setattr__(self, "exclusive", np.full(len(self.opening_cost), -1))
        for name in ("item", "slot", "exclusive"):
            object.__setattr__(self, name, _wholes(name, getattr(self, name), faults))
        if not faults:
            faults += _faults(self)
        if faults:
            raise InvalidInstance(faults)

    @property
    def group(self) -> Ints:
        """(m,) ``exclusive``, with -1 for every slot where there are no groups."""
        return np.full(len(self.opening_cost), -1) if self.exclusive is None else self.exclusive

    @property
    def items(self) -> int:
        return len(self.size)

    @property
    def slots(self) -> int:
        return len(self.opening_cost)

    def value_of(self, place: Ints, opened: Flags) -> float:
        """What an answer is worth: the values of the cells it uses less the cost of the slots that are open."""
        return float(self.value[place[self.item] == self.slot].sum() - self.opening_cost[opened].sum())


@dataclass(frozen=True, slots=True, eq=False)
class SlotAnswer:
    """The best answer found and what is proven of it.

    ``bound``: no answer is worth more, rounding included. ``gap = (bound - value) / max(1, |bound|)``.
    """

    place: Ints
    """(n,) the slot of each item, -1 where it stays out."""
    opened: Flags
    """(m,) the slots that are open."""
    value: float
    bound: float
    gap: float
    by_clock: bool
    """The time limit ended the search; without it the same call gives the same answer."""
    prices: Floats = field(repr=False)
    """(n,) what an item's place is worth at the bound: the multipliers, to start a similar problem from."""

    def to_document(self) -> dict[str, Any]:
        return {
            "schema": "pooling.slots/1",
            "place": self.place.tolist(),
            "opened": np.flatnonzero(self.opened).tolist(),
            "value": self.value,
            "bound": self.bound,
            "gap": self.gap,
            "by_clock": self.by_clock,
        }


def single_source(
    demand: ArrayLike, capacity: ArrayLike, opening_cost: ArrayLike, cost: ArrayLike
) -> tuple[SlotProblem, float]:
    """Single-source capacitated facility location as slots, and the constant from which its value is taken.

    ``cost`` (customers, facilities) is for serving the whole customer, infinite where it cannot be. The cost of an
    answer that serves all is the constant less its value; one that cannot is more than M short.
    """
    faults: list[Fault] = []
    need = _floats("demand", demand, faults)
    room = _floats("capacity", capacity, faults)
    fixed = _floats("opening_cost", opening_cost, faults)
    matrix = _floats("cost", cost, faults, dimensions=2)
    if not faults:
        faults += _unservable(need, room, fixed, matrix)
    if faults:
        raise InvalidInstance(faults)
    item, slot = np.nonzero(np.isfinite(matrix))
    value = _most(fixed, matrix) - matrix[item, slot]
    problem = SlotProblem(need, fixed, np.zeros(len(fixed)), room, item, slot, value)
    return problem, _most(fixed, matrix) * len(need)


def _most(fixed: Floats, matrix: Floats) -> float:
    """More than all facilities and every customer at its highest cost come to."""
    highest = np.where(np.isfinite(matrix), np.abs(matrix), 0.0).max(axis=1, initial=0.0)
    return float(np.ceil(1 + np.abs(fixed).sum() + highest.sum()))


def _unservable(need: Floats, room: Floats, fixed: Floats, matrix: Floats) -> Iterator[Fault]:
    """Every fault of facility location, by the names of its own arguments."""
    if len(room) != len(fixed):
        yield Fault("capacity", len(room), f"give {len(fixed)} entries, as many as opening_cost has")
    if matrix.shape != (len(need), len(fixed)):
        yield Fault("cost", matrix.shape, f"give {len(need)} rows (customers) of {len(fixed)} columns")
    impossible = ~((np.abs(matrix) <= LARGEST) | (matrix == np.inf))
    entries = (
        *_named("demand", need, ~((need >= 0) & (need <= LARGEST)), LEAST),
        *_named("capacity", room, ~(room >= 0), "give a number of at least 0, or infinity for no limit"),
        *_named("opening_cost", fixed, ~(np.abs(fixed) <= LARGEST), WIDE),
        *_named("cost", matrix, impossible, f"{WIDE}, or infinity where it cannot be served"),
    )
    yield from entries
    if not entries and _most(fixed, matrix) > LARGEST / 2:
        remedy = f"give costs that come to at most {LARGEST / 2:g}, facilities and every customer's highest together"
        yield Fault("cost", _most(fixed, matrix), remedy)


def _floats(name: str, given: object, faults: list[Fault], *, dimensions: int = 1) -> Floats:
    """The array as floats, its faults named by entry; empty where it has another number of dimensions."""
    array = _array(given)
    if array.ndim != dimensions:
        faults.append(Fault(name, given, f"give a {DIMENSIONS[dimensions]}-dimensional array of numbers"))
        return np.zeros((0,) * dimensions)
    if array.dtype == object:
        wrong = np.array([not _fits_float(entry) for entry in array.flat], dtype=bool).reshape(array.shape)
        faults += _named(name, array, wrong, "give a number that floating point can hold")
        array = np.where(wrong, 0.0, array)
    floats: Floats = array.astype(float)
    floats.setflags(write=False)
    return floats


def _array(given: object) -> NDArray[Any]:
    """A copy as numpy reads it: of numbers, else of the entries as they are; rows of unequal length are no array."""
    try:
        array = np.array(given)
        return array if array.dtype.kind in "biuf" else np.array(given, dtype=object)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return np.array(None, dtype=object)


def _fits_float(entry: object) -> bool:
    try:
        return isinstance(entry, Real) and isinstance(float(entry), float)
    except OverflowError:
        return False


def _wholes(name: str, given: object, faults: list[Fault]) -> Ints:
    found: list[Fault] = []
    array = _floats(name, given, found)
    if not found:
        found += _named(name, array, (array != np.rint(array)) | ~(np.abs(array) <= LARGEST), "give a whole number")
    faults += found
    whole = np.zeros(0, dtype=np.int64) if found else array.astype(np.int64)
    whole.setflags(write=False)
    return whole


def _faults(problem: SlotProblem) -> Iterator[Fault]:
    """Every fault of shape; where there is none, every fault of content."""
    slots, cells = len(problem.opening_cost), len(problem.item)
    wanted = {"min_size": slots, "max_size": slots, "exclusive": slots, "slot": cells, "value": cells}
    short = [name for name, length in wanted.items() if len(getattr(problem, name)) != length]
    for name in short:
        given = len(getattr(problem, name))
        like = "opening_cost" if wanted[name] == slots and name not in {"slot", "value"} else "item"
        yield Fault(name, given, f"give {wanted[name]} entries, as many as {like} has")
    if not short:
        yield from _wrong_entries(problem)


def _wrong_entries(problem: SlotProblem) -> Iterator[Fault]:
    p = problem
    yield from _named("size", p.size, ~((p.size >= 0) & (p.size <= LARGEST)), LEAST)
    yield from _named("opening_cost", p.opening_cost, ~(np.abs(p.opening_cost) <= LARGEST), WIDE)
    yield from _named("value", p.value, ~(np.abs(p.value) <= LARGEST), WIDE)
    yield from _named("min_size", p.min_size, ~((p.min_size >= 0) & (p.min_size <= LARGEST)), LEAST)
    yield from _named("max_size", p.max_size, ~(p.max_size >= p.min_size), "give at least the slot's min_size")
    yield from _named("exclusive", p.group, p.group < -1, "give a group's number from 0, or -1 for none")
    outside = (p.item < 0) | (p.item >= p.items), (p.slot < 0) | (p.slot >= p.slots)
    yield from _named("item", p.item, outside[0], f"name an item from 0 to {p.items - 1}")
    yield from _named("slot", p.slot, outside[1], f"name a slot from 0 to {p.slots - 1}")
    if not outside[0].any() and not outside[1].any():
        _, first = np.unique(p.item * max(1, p.slots) + p.slot, return_index=True)
        twice = np.ones(len(p.item), dtype=bool)
        twice[first] = False
        yield from _named("slot", p.slot, twice, "name each pair of item and slot once")


def _named(name: str, values: Any, wrong: Flags, remedy: str) -> Iterator[Fault]:
    places = np.argwhere(wrong)
    for place in places[:MOST_NAMED].tolist():
        value = values[tuple(place)]
        entry = value.item() if isinstance(value, np.generic) else value
        yield Fault(name + "".join(f"[{k}]" for k in place), entry, remedy)
    if len(places) > MOST_NAMED:
        yield Fault(name, len(places), f"so many entries are wrong in this way; {remedy}")
