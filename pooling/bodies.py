"""What a JSON body holds that its decoder passes over or cannot place: a key given twice, a number beyond bounds."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from litestar.exceptions import ValidationException

BLANKS_BEFORE_COLON = (b" :", b"\t:", b"\n:", b"\r:")
CONTAINERS = (dict, list)
REASON = r"[0-9A-Za-z\u00c0-\u1fff\u2c00-\ud7ff]"
"""A reason has a letter or digit. As ranges: what is a word's character differs between readers of the schema."""
MOST_TOLD = 20
"""Places that are told of one body; the first are enough to find the cause."""


class Twice(dict[str, Any]):
    """An object that has keys more than once: ``counts`` are theirs."""

    counts: Counter[str]


def refuse_repeated(body: bytes, decoded: object) -> None:
    """Raises ValidationException where an object of the body has a key twice; ``decoded`` is what was read of it.

    Where no blank stands before a colon, each key ends in the two characters ``":``. So there are at least as many of
    these as keys: where the decoded objects have as many, none was lost, and nothing more need be looked at.
    """
    if not any(blank in body for blank in BLANKS_BEFORE_COLON):
        most = body.count(b'":')
        if not most or most == _keys(decoded):
            return
    found: list[Twice] = []

    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        plain = dict(pairs)
        if len(plain) == len(pairs):
            return plain
        twice = Twice(plain)
        twice.counts = Counter(name for name, _ in pairs)
        found.append(twice)
        return twice

    whole = json.loads(body, object_pairs_hook=made)
    if found:
        _refuse(_repeated(whole))


def refuse_endless(body: bytes) -> None:
    """Raises ValidationException where a number of the body is beyond all that can be counted with."""
    try:
        whole = json.loads(body)
    except ValueError:
        return
    _refuse(_endless(whole))


def pointer_to(pointer: str, step: str) -> str:
    """The pointer to what is named ``step`` inside (RFC 6901)."""
    return f"{pointer}/" + step.replace("~", "~0").replace("/", "~1")


def _keys(decoded: object) -> int:
    """How many keys all objects have together."""
    found, waiting = 0, [decoded]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            found += len(value)
            waiting.extend(each for each in value.values() if isinstance(each, CONTAINERS))
        elif isinstance(value, list):
            waiting.extend(each for each in value if isinstance(each, CONTAINERS))
    return found


def _where(whole: object, wanted: Callable[[object], bool]) -> Iterator[tuple[str, Any]]:
    """Each value that is wanted, with its pointer."""
    waiting: list[tuple[object, tuple[Any, ...]]] = [(whole, ())]
    while waiting:
        value, path = waiting.pop()
        if wanted(value):
            yield _pointer(path), value
        inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        waiting.extend((each, (path, step)) for step, each in inside if isinstance(each, CONTAINERS) or wanted(each))


def _pointer(path: tuple[Any, ...]) -> str:
    steps = []
    while path:
        path, step = path
        steps.append(str(step))
    pointer = "#"
    for step in reversed(steps):
        pointer = pointer_to(pointer, step)
    return pointer


def _repeated(whole: object) -> Iterator[dict[str, str]]:
    for pointer, twice in _where(whole, lambda value: isinstance(value, Twice)):
        for name, count in twice.counts.items():
            if count > 1:
                text = f"field `{name}` is given {count} times; give it once"
                yield {"pointer": pointer_to(pointer, name), "code": "repeated-field", "message": text}


def _endless(whole: object) -> Iterator[dict[str, str]]:
    for pointer, _ in _where(whole, lambda value: isinstance(value, float) and not math.isfinite(value)):
        text = "the number is beyond all that can be counted with; correct it"
        yield {"pointer": pointer, "code": "out-of-range", "message": text}


def _refuse(faults: Iterator[dict[str, str]]) -> None:
    found = list(islice(faults, MOST_TOLD))
    if found:
        raise ValidationException("the body must be corrected", extra=found)
