"""The one projection: what of an answer its reader may see. Every answer of the API goes through it.

A response model says of each figure who may see it, by a marker in its annotation, and names the field that holds the
participant it belongs to. What may not be seen is absent: the field is left out, the item dropped; never zero or null.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from operator import attrgetter, is_
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta

from pooling.access.rules import Principal
from pooling.errors import NotFound

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


class File(msgspec.Struct, frozen=True):
    """A body that is a file: it cannot be taken apart, so it goes out whole or not at all.

    ``owners``: every participant with figures in it; ``level`` as of a field.
    """

    content: bytes
    media_type: str
    name: str
    level: Literal["open", "own", "planners"]
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    level: Level
    nested: bool


@dataclass(frozen=True, slots=True)
class _Model:
    """What the projection knows of a response model."""

    owners: Callable[[Any], Any] | None
    """what is in the fields that name owners; None: whoever owns the model around it"""
    whole: Level
    fields: tuple[_Field, ...]
    """those with something to decide or to walk into"""
    highest: Level
    """the strictest level in it and the models in it"""
    closed: bool
    """whether all models in it belong to its own owner"""
    parted: Mapping[Level, tuple[tuple[_Field, ...], Mapping[str, Any]]]
    """by the strictest level that a reader may see: of ``fields`` those that stay, models first, and what takes the
    others' place"""
    by_owner: bool
    """whether its owner sees more of it than others who do not see all"""


@dataclass(slots=True)
class _Standing:
    """How a reader stands to the owners of a figure.

    ``ways``: each a way to own it, by being (or acting for) all participants named. ``settled``: nothing of it that is
    the owner's has to be taken out or noted any more.
    """

    ways: tuple[tuple[str, ...], ...]
    own: bool
    seen: bool
    settled: bool


def project(body: Any, principal: Principal) -> tuple[Any, frozenset[str]]:
    """``body`` as ``principal`` may see it, and the other participants whose confidential figures are in it.

    Raises NotFound where nothing of it may be seen, Unprojectable where the model cannot be decided on.
    """
    reading = _Reading(principal)
    shown = reading.file(body) if isinstance(body, File) else reading.value(body, reading.nobody)
    if shown is UNSET:
        raise NotFound("nothing is here")
    return shown, frozenset(reading.read)


def mark(principal: Principal) -> str:
    """The part of an ETag that tells readers apart who are shown different things; never the credential."""
    sees = "all" if principal.sees.all else " ".join(sorted(principal.sees.participants))
    text = f"{' '.join(sorted(principal.roles))}|{sees}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class _Reading:
    """One walk through one body for one reader; ``read`` gathers whose figures, not the reader's own, were left in.

    Lists of thousands of items go through it: how the reader stands to an owner is worked out once, and an item with
    nothing to take out and nothing new to note is left as it is.
    """

    def __init__(self, principal: Principal) -> None:
        self.all = principal.sees.all
        self.sees = principal.sees.participants
        self.mine = principal.own
        self.read: set[str] = set()
        self.nobody = self._stand(())
        self._standings: dict[Any, _Standing] = {}

    def file(self, body: File) -> Any:
        """The file, or UNSET."""
        level = Level[body.level.upper()]
        standing = self._stand((body.owners,))
        if not self._may(level, standing):
            return UNSET
        self._note(level, standing)
        return body

    def value(self, value: Any, standing: _Standing) -> Any:
        """The value as it may be seen, itself where nothing is left out; UNSET where it may not be seen at all."""
        if isinstance(value, msgspec.Struct):
            return self._struct(value, standing)
        if isinstance(value, list | tuple):
            return self._list(value, standing)
        if isinstance(value, dict):
            kept_by_key = {key: self.value(each, standing) for key, each in value.items()}
            return {key: each for key, each in kept_by_key.items() if each is not UNSET}
        if value is None or value is UNSET or isinstance(value, PLAIN):
            return value
        raise Unprojectable(f"{type(value).__name__} in an answer: give a msgspec.Struct with marked fields, or a File")

    def _list(self, items: list[Any] | tuple[Any, ...], standing: _Standing) -> Any:
        """The items that may be seen; the list itself where that is all of them as they are.

        Items of one model are looked at together where they are their owners' altogether: each owner once.
        """
        kinds = set(map(type, items))
        kind = kinds.pop() if len(kinds) == 1 else None
        if kind is not None and issubclass(kind, msgspec.Struct):
            model = model_of(kind)
            if model.closed and model.owners is not None and model.whole == Level.OWN == model.highest:
                standings = [self._owned(held) for held in _distinct(map(model.owners, items))]
                if all(self._may(model.whole, each) for each in standings):
                    for each in standings:
                        self._note(model.whole, each)
                    return items
        kept = [self.value(each, standing) for each in items]
        if all(map(is_, kept, items)):
            return items
        return [each for each in kept if each is not UNSET]

    def _struct(self, body: msgspec.Struct, standing: _Standing) -> Any:
        model = model_of(type(body))
        if model.owners is not None and (self.all or model.by_owner):
            standing = self._owned(model.owners(body))
        if standing.settled and model.closed and (self.all or model.highest <= Level.OWN):
            return body
        if not self._may(model.whole, standing):
            return UNSET
        self._note(model.whole, standing)
        kept, dropped = model.parted[self._highest(standing)]
        changed = dict(dropped)  # also where nothing is known: that is nobody else's business either
        for field in kept:
            if standing.settled and not field.nested:
                break  # models come first; of the figures it is noted by now
            value = getattr(body, field.name)
            if value is UNSET or value is None:
                continue
            self._note(field.level, standing)
            if field.nested:
                inner = self.value(value, standing)
                if inner is not value:
                    changed[field.name] = inner
        return msgspec.structs.replace(body, **changed) if changed else body

    def _owned(self, held: tuple[Any, ...]) -> _Standing:
        """The standing to the owners held in the fields that name them: texts or lists of texts."""
        try:
            found = self._standings.get(held)
        except TypeError:  # a list is among them
            held = tuple(tuple(each) if isinstance(each, list) else each for each in held)
            found = self._standings.get(held)
        if found is None:
            ways = tuple((each,) if isinstance(each, str) else tuple(each or ()) for each in held)
            found = self._standings[held] = self._stand(ways)
        return found

    def _stand(self, ways: tuple[tuple[str, ...], ...]) -> _Standing:
        if not self.sees and not self.mine:
            return _Standing(ways, own=False, seen=False, settled=False)
        own = any(codes and self.mine.issuperset(codes) for codes in ways)
        seen = any(codes and self.sees.issuperset(codes) for codes in ways)
        return _Standing(ways, own, seen, settled=own and (self.all or seen))

    def _may(self, level: Level, standing: _Standing) -> bool:
        return level <= self._highest(standing)

    def _highest(self, standing: _Standing) -> Level:
        """The strictest level that may be seen of what has this standing."""
        if self.all:
            return Level.PLANNERS
        return Level.OWN if standing.seen else Level.OPEN

    def _note(self, level: Level, standing: _Standing) -> None:
        if level > Level.OPEN and not standing.own and not standing.settled:
            for codes in standing.ways:
                self.read.update(codes)
            standing.settled = bool(standing.ways)


def _distinct(owners: Iterable[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
    """Each once; all of them where they are lists, which cannot be told apart quickly."""
    found = list(owners)
    try:
        return set(found)
    except TypeError:
        return found


PLAIN = (str, int, float, bool)


@cache
def model_of(kind: type[msgspec.Struct]) -> _Model:
    """The markers of a response model; raises Unprojectable where they cannot be kept."""
    hints = get_type_hints(kind, include_extras=True)
    whole = _level_of_meta(getattr(kind, WHOLE, OPEN))
    owners = _owners_of(kind, hints)
    fields: list[_Field] = []
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
            fields.append(_Field(info.name, level, bool(held)))
        models.update(held)
    inner = [model_of(each) for each in models if each is not kind]
    parted = {}
    for highest in Level:
        stay = tuple(sorted((field for field in fields if field.level <= highest), key=lambda field: not field.nested))
        parted[highest] = (stay, {field.name: UNSET for field in fields if field.level > highest})
    return _Model(
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


__all__ = ["OPEN", "OWN", "PLANNERS", "File", "Level", "Unprojectable", "level_of", "mark", "model_of", "project"]
