"""The one projection: what of an answer its reader may see. Every answer of the API goes through it.

A response model says of each figure who may see it, by a marker in its annotation, and names the field that holds the
participant it belongs to. What may not be seen is absent: the field is left out, the item dropped; never zero or null.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from operator import is_
from typing import Any, Literal

import msgspec
from msgspec import UNSET

from pooling.access.markers import OPEN, OWN, PLANNERS, Level, Model, Unprojectable, level_of, model_of
from pooling.access.rules import Principal
from pooling.errors import NotFound

__all__ = ["OPEN", "OWN", "PLANNERS", "File", "Level", "Unprojectable", "level_of", "mark", "model_of", "project"]

PLAIN = (str, int, float, bool)


class File(msgspec.Struct, frozen=True):
    """A body that is a file: it cannot be taken apart, so it goes out whole or not at all.

    ``owners``: every participant with figures in it; ``level`` as of a field.
    """

    content: bytes
    media_type: str
    name: str
    level: Literal["open", "own", "planners"]
    owners: tuple[str, ...] = ()


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
            if model.closed and model.owners is not None and self._goes_out(model, list(map(model.owners, items))):
                return items
        kept = [self.value(each, standing) for each in items]
        if all(map(is_, kept, items)):
            return items
        return [each for each in kept if each is not UNSET]

    def _goes_out(self, model: Model, owners: list[tuple[Any, ...]]) -> bool:
        """Whether items of these owners are shown as they are; then whose they are is noted."""
        if self.all and not self.mine and model.highest > Level.OPEN:
            for held in chain.from_iterable(owners):
                self.read.update((held,) if isinstance(held, str) else held or ())
            return True
        if not model.whole == Level.OWN == model.highest:
            return False
        standings = [self._owned(held) for held in _distinct(owners)]
        if not all(self._may(model.whole, each) for each in standings):
            return False
        for each in standings:
            self._note(model.whole, each)
        return True

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


def _distinct(owners: list[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
    """Each once; all of them where they are lists, which cannot be told apart quickly."""
    try:
        return set(owners)
    except TypeError:
        return owners
