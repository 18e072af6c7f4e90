"""What is wrong where in a request, as the framework found it and as a client can act on it."""

import re
from typing import Annotated

import msgspec

from pooling.bodies import pointer_to

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_NAMED = re.compile(r"(?:missing required|contains unknown) field `(.*)`")
_SEVERAL = "Unsupported type: <class 'list'>"
_CODES = (
    ("missing required", "missing"),
    ("unknown field", "unknown-field"),
    ("of length", "wrong-length"),
    ("matching regex", "wrong-form"),
    ("Invalid", "wrong-form"),
    (">=", "out-of-range"),
    ("<=", "out-of-range"),
    (">", "out-of-range"),
    ("<", "out-of-range"),
    ("got", "wrong-type"),
)
"""A word of the decoder's message and the stable code it stands for; the first that is found."""


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One place in a request that must be corrected: a pointer into the body, or a parameter."""

    detail: str
    code: Annotated[str, msgspec.Meta(description="stable: what is wrong there")]
    pointer: Annotated[str, msgspec.Meta(description="JSON pointer into the body, such as #/lines/3/quantity")] = ""
    parameter: Annotated[str, msgspec.Meta(description="name of a query, path or header parameter")] = ""

    @property
    def place(self) -> str:
        """Where, in words."""
        return self.pointer or self.parameter or "request"


def faults_of(extra: object) -> list[Fault]:
    """The faults in what the framework says beside an error; none where it says nothing of places."""
    given = [each for each in extra if isinstance(each, dict)] if isinstance(extra, list) else []
    if all("pointer" in each for each in given):
        return [Fault(each["message"], each["code"], pointer=each["pointer"]) for each in given]
    return [_fault(str(each.get("key", "")), str(each.get("message", "")), each.get("source")) for each in given]


def _fault(key: str, message: str, source: object) -> Fault:
    if message == "'data'":  # how the framework says that there is no body
        return Fault("the request needs a body", "missing", pointer="#")
    if message == _SEVERAL:  # how the framework says that a part of a form is there more than once
        message, code = "given more than once; give it once", "wrong-type"
    else:
        code = next((code for word, code in _CODES if word in message), "invalid")
    if source == "body" or key == "data":
        return Fault(message, code, pointer=_pointer("" if key == "data" else key, message))
    return Fault(message, code, parameter=key)


def fault_at(place: str, code: str, detail: str) -> Fault:
    """A fault at a pointer into the body (``#/quantity``), or at a parameter of the address."""
    return Fault(detail, code, pointer=place) if place.startswith("#") else Fault(detail, code, parameter=place)


def _pointer(path: str, message: str) -> str:
    """To the place at ``path``, or to the field in it that the decoder names as missing or unknown."""
    named = _NAMED.search(message)
    pointer = pointer_of(path)
    return pointer_to(pointer, named[1]) if named else pointer


def pointer_of(path: str) -> str:
    """A decoder's path, such as ``lines[0].quantity``, as a JSON pointer in a fragment (RFC 6901)."""
    pointer = "#"
    for name, index in _STEP.findall(path):
        pointer = pointer_to(pointer, name or index)
    return pointer
