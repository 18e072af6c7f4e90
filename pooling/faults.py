"""What is wrong where in a request, as the framework found it and as a client can act on it."""

import re
from typing import Annotated

import msgspec

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+|\.\.\.)\]")
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
    return [_fault(str(each.get("key", "")), str(each.get("message", "")), each.get("source")) for each in given]


def _fault(key: str, message: str, source: object) -> Fault:
    if message == "'data'":  # how the framework says that there is no body
        return Fault("the request needs a body", "missing", pointer="#")
    code = next((code for word, code in _CODES if word in message), "invalid")
    if source == "body" or key == "data":
        return Fault(message, code, pointer=pointer_of("" if key == "data" else key))
    return Fault(message, code, parameter=key)


def pointer_of(path: str) -> str:
    """A decoder's path, such as ``lines[0].quantity``, as a JSON pointer in a fragment (RFC 6901)."""
    steps = [name or index for name, index in _STEP.findall(path)]
    return "#" + "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
