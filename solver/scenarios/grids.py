"""A grid over policy: lists of values by field, and the policies of all their combinations."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import product
from math import prod
from typing import Any

from solver.checks import numbers, refuse
from solver.errors import Fault, InvalidInstance
from solver.instance import Instance, Policy
from solver.reading import WHOLE

Grid = Mapping[str, Sequence[object]]
"""Field to values, these as in an instance document. Fields are the policy's, ``criterion_value.<criterion>`` (the
worth of one criterion) and ``criterion_value_scale`` (a factor on the worth of all), applied in that order."""

MOST_POINTS = 256
SCALE, ONE_CRITERION = "criterion_value_scale", "criterion_value."
POLICY_FIELDS = tuple(field.name for field in fields(Policy))


@dataclass(frozen=True, slots=True)
class Setting:
    """One combination: the values by field, in the order of the grid, and the policy with them."""

    values: Mapping[str, object]
    policy: Policy


def settings(instance: Instance, grid: object) -> tuple[Setting, ...]:
    """Every combination of the grid's values, the last field changing fastest.

    Raises `InvalidInstance` with every fault, its path below ``grid``.
    """
    refuse(_faults(instance, grid))
    assert isinstance(grid, Mapping)  # noqa: S101 anything else is refused
    combinations = (dict(zip(grid, values, strict=True)) for values in product(*grid.values()))
    return tuple(Setting(values, _applied(instance.policy, values)) for values in combinations)


def policy_key(policy: Policy) -> str:
    """The same for equal policies, however they are spelled: 2 is 2.0, a criterion worth 0 is one not named."""
    worths = {criterion: value for criterion, value in policy.criterion_value.items() if value}
    known = replace(policy, criterion_value=worths, green_floor=tuple(sorted(policy.green_floor)))
    return json.dumps(_plain(asdict(known)), sort_keys=True)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _faults(instance: Instance, grid: object) -> Iterator[Fault]:
    if not isinstance(grid, Mapping) or not grid:
        yield Fault("grid", grid, "give an object: at least one policy field to a list of values")
        return
    for name, values in grid.items():
        path = f"grid.{name}"
        unknown = _unknown(instance, name)
        if unknown:
            yield Fault(path, values, unknown)
        elif not isinstance(values, list | tuple) or not values:
            yield Fault(path, values, "give a list of at least one value")
        else:
            for k, value in enumerate(values):
                yield from _faults_of(instance.policy, name, value, f"{path}[{k}]")
    count = prod(len(values) for values in grid.values() if isinstance(values, list | tuple))
    if count > MOST_POINTS:
        yield Fault("grid", count, f"give lists whose lengths multiply to at most {MOST_POINTS} points")
    worths = [name for name in grid if name != SCALE and str(name).startswith("criterion_value")]
    if SCALE in grid and not worths and not instance.policy.criterion_value:
        yield Fault(
            f"grid.{SCALE}", grid[SCALE], "the policy gives no criterion a value to scale: vary criterion_value"
        )


def _unknown(instance: Instance, name: object) -> str:
    """What to do about a field that does not exist; empty where it does."""
    if name in POLICY_FIELDS or name == SCALE:
        return ""
    if not isinstance(name, str) or not name.startswith(ONE_CRITERION):
        return f"name one of {', '.join(POLICY_FIELDS)}, {SCALE}, {ONE_CRITERION}<criterion>"
    met = {criterion for offer in instance.offers for criterion in offer.criteria}
    criterion = name.removeprefix(ONE_CRITERION)
    return "" if criterion in met else f"name a criterion that an offer meets: {', '.join(sorted(met)) or 'none does'}"


def _faults_of(policy: Policy, name: str, value: object, path: str) -> Iterator[Fault]:
    if name == SCALE:
        yield from numbers(**{path: value})
        return
    try:
        _applied(policy, {name: value})
    except InvalidInstance as refused:
        for fault in refused.faults:
            inside = fault.path.removeprefix(name)
            yield Fault(path + inside, fault.value, fault.remedy)


def _applied(policy: Policy, values: Mapping[str, object]) -> Policy:
    plain: dict[str, Any] = {name: _read(name, value) for name, value in values.items() if name in POLICY_FIELDS}
    changed = replace(policy, **plain)
    worths: dict[str, Any] = dict(changed.criterion_value)
    for name, value in values.items():
        if name.startswith(ONE_CRITERION):
            worths[name.removeprefix(ONE_CRITERION)] = value
    changed = replace(changed, criterion_value=worths)
    scale: Any = values.get(SCALE, 1)
    return replace(changed, criterion_value={name: worth * scale for name, worth in worths.items()})


def _read(name: str, value: object) -> object:
    """A value as an instance document holds it, as the policy wants it."""
    if isinstance(value, list):
        return tuple(value)
    return int(value) if name in WHOLE and isinstance(value, float) and value.is_integer() else value
