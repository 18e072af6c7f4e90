"""What a response model says of who may see it: markers in annotations, and the field that names the owner."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from operator import attrgetter
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta

KEY = "sees"


class Level(IntEnum):
    """Who may see a figure, from all who may ask to the fewest."""

    OPEN = 0
    OWN = 1
    PLANNERS = 2


OPEN = Meta(extra={KEY: Level.OPEN})
"""All who may make the request: counts, versions, published figures."""
OWN = Meta(extra={KEY: Level.OWN})
"""The participant it belongs to, planners and auditors."""
PLANNERS = Meta(extra={KEY: Level.PLANNERS})
"""Planners and auditors."""

OWNER: Literal["owner"] = "owner"
WHOLE: Literal["whole"] = "whole"
"""Class attributes of a model: ``owner: ClassVar[...]`` names the field with the participant, or several fields of
which each alone makes an owner; a field with a list needs all in it. ``whole: ClassVar[Meta]`` marks the whole."""


class Unprojectable(TypeError):
    """A body that the projection cannot read or take apart: a fault of the response model, named with its remedy."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field with something to decide or to walk into."""

    name: str
    level: Level
    nested: bool


@dataclass(frozen=True, slots=True)
class Model:
    """What the projection knows of a response model."""

    owners: Callable[[Any], Any] | None
    """what is in the fields that name owners; None: whoever owns the model around it"""
    whole: Level
    fields: tuple[Field, ...]
    """those with something to decide or to walk into"""
    highest: Level
    """the strictest level in it and the models in it"""
    closed: bool
    """whether all models in it belong to its own owner"""
    parted: Mapping[Level, tuple[tuple[Field, ...], Mapping[str, Any]]]
    """by the strictest level that a reader may see: of ``fields`` those that stay, models first, and what takes the
    others' place"""
    by_owner: bool
    """whether its owner sees more of it than others who do not see all"""


@cache
def model_of(kind: type[msgspec.Struct]) -> Model:
    """The markers of a response model; raises Unprojectable where they cannot be kept."""
    hints = get_type_hints(kind, include_extras=True)
    whole = _level_of_meta(getattr(kind, WHOLE, OPEN))
    owners = _owners_of(kind, hints)
    fields: list[Field] = []
    models: set[type[msgspec.Struct]] = set()
    for info in msgspec.structs.fields(kind):
        hint = hints[info.name]
        level = level_of(hint) or Level.OPEN
        held = _models_in(hint)
        if max(level, _level_held(hint)) > whole and info.default is not UNSET:
            raise Unprojectable(
                f"{kind.__name__}.{info.name} may not be seen by all who may ask, so it must be able to be absent:"
                " write `| UnsetType = UNSET`"
            )
        if level > whole or held:
            fields.append(Field(info.name, level, bool(held)))
        models.update(held)
    inner = [model_of(each) for each in models if each is not kind]
    parted = {}
    for highest in Level:
        stay = tuple(sorted((field for field in fields if field.level <= highest), key=lambda field: not field.nested))
        parted[highest] = (stay, {field.name: UNSET for field in fields if field.level > highest})
    return Model(
        parted=parted,
        by_owner=whole == Level.OWN or any(field.nested or field.level == Level.OWN for field in fields),
        owners=owners,
        whole=whole,
        fields=tuple(fields),
        highest=max((whole, *(field.level for field in fields), *(model.highest for model in inner))),
        closed=all(model.owners is None and model.closed for model in inner) and not (owners and kind in models),
    )


def _owners_of(kind: type[msgspec.Struct], hints: Mapping[str, Any]) -> Callable[[Any], tuple[Any, ...]] | None:
    """How to get what is in the fields that name owners, always as a tuple; None where no field does."""
    named = getattr(kind, OWNER, ())
    names = (named,) if isinstance(named, str) else tuple(named)
    for name in names:
        if name not in hints:
            raise Unprojectable(f"{kind.__name__}.owner names {name!r}, which is no field of it")
    if len(names) == 1:
        return _owner_in(*names)
    return attrgetter(*names) if names else None


def _owner_in(name: str) -> Callable[[Any], tuple[Any, ...]]:
    def owner(body: Any) -> tuple[Any, ...]:
        held = getattr(body, name)
        return (tuple(held) if type(held) is list else held,)

    return owner


def level_of(hint: Any) -> Level | None:
    """The level a type annotation is marked with; None where it has no marker."""
    found = [_level_of_meta(each) for each in _metas(hint) if each.extra and KEY in each.extra]
    return max(found) if found else None


def _level_of_meta(meta: Meta) -> Level:
    return Level((meta.extra or {})[KEY])


def _metas(hint: Any) -> Iterable[Meta]:
    if get_origin(hint) is Annotated:
        yield from (each for each in hint.__metadata__ if isinstance(each, Meta))
        yield from _metas(hint.__origin__)
    elif get_origin(hint) in (Union, UnionType):
        for each in get_args(hint):
            yield from _metas(each)


def parts(hint: Any) -> Iterable[Any]:
    """The types an annotation is made of, containers taken apart."""
    origin = get_origin(hint)
    if origin is Annotated:
        yield from parts(hint.__origin__)
    elif origin is Literal:
        yield str
    elif origin is None:
        yield hint
    else:
        if origin in (dict, list, tuple, set, frozenset, Union, UnionType) or isinstance(origin, type):
            for each in get_args(hint):
                if each is not Ellipsis:
                    yield from parts(each)


def _level_held(hint: Any) -> Level:
    """The strictest level of a model that the field itself is; items of a list are dropped, so theirs do not count."""
    if get_origin(hint) is Annotated:
        return _level_held(hint.__origin__)
    if get_origin(hint) in (Union, UnionType):
        return max(_level_held(each) for each in get_args(hint))
    held = isinstance(hint, type) and issubclass(hint, msgspec.Struct)
    return _level_of_meta(getattr(hint, WHOLE, OPEN)) if held else Level.OPEN


def _models_in(hint: Any) -> list[type[msgspec.Struct]]:
    return [each for each in parts(hint) if isinstance(each, type) and issubclass(each, msgspec.Struct)]
