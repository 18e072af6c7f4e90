"""Checks of single fields: each yields a fault a field that is not what it must be."""

from collections.abc import Iterator
from typing import TypeGuard

from solver.errors import Fault, InvalidInstance
from solver.months import is_month

LARGEST_WHOLE = 2**53


def refuse(faults: Iterator[Fault]) -> None:
    found = tuple(faults)
    if found:
        raise InvalidInstance(found)


def texts(**fields: object) -> Iterator[Fault]:
    for name, value in fields.items():
        if not isinstance(value, str) or not value:
            yield Fault(name, value, "give a text that is not empty")


def is_whole(value: object, lowest: int) -> TypeGuard[int]:
    """Whether it is a whole number from ``lowest`` on, neither a truth value nor too large to count with."""
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= LARGEST_WHOLE


def wholes(lowest: int, **fields: object) -> Iterator[Fault]:
    for name, value in fields.items():
        if not is_whole(value, lowest):
            yield Fault(name, value, f"give a whole number from {lowest} to 2^53")


def limits(**fields: object) -> Iterator[Fault]:
    yield from wholes(0, **{name: value for name, value in fields.items() if value is not None})


def is_finite(value: float) -> bool:
    """Whether sums with it keep their meaning; beyond 2^53 a float no longer tells one from the next."""
    return -LARGEST_WHOLE <= value <= LARGEST_WHOLE


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a number, neither a truth value nor too large to count with."""
    return isinstance(value, int | float) and not isinstance(value, bool) and is_finite(value)


def numbers(negative: bool = False, /, **fields: object) -> Iterator[Fault]:
    for name, value in fields.items():
        if not is_number(value):
            yield Fault(name, value, "give a finite number of at most 2^53")
        elif value < 0 and not negative:
            yield Fault(name, value, "give a number of at least 0")


def shares(lowest: float, **fields: object) -> Iterator[Fault]:
    for name, value in fields.items():
        if not is_number(value):
            yield from numbers(**{name: value})
        elif not lowest <= value < 1:
            yield Fault(name, value, f"give a number from {lowest:g} up to, not including, 1")


def flags(**fields: object) -> Iterator[Fault]:
    for name, value in fields.items():
        if not isinstance(value, bool):
            yield Fault(name, value, "give true or false")


def months(**fields: object) -> Iterator[Fault]:
    for name, value in fields.items():
        if not is_month(value):
            yield Fault(name, value, "give a month as YYYY-MM, zero-padded")


def distinct_texts(**fields: object) -> Iterator[Fault]:
    for name, values in fields.items():
        if not isinstance(values, tuple) or not all(isinstance(value, str) and value for value in values):
            yield Fault(name, values, "give a list of texts that are not empty")
        elif len(set(values)) != len(values):
            yield Fault(name, values, "name each once")
