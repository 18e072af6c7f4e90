"""Which request is which: an id of our own for each, and the trace that a caller names (W3C Trace Context)."""

import os
import re
import secrets
from random import Random
from typing import Any

from litestar.types import Scope

PRINCIPAL = "principal"
QUOTA = "quota"
"""Where the state of a request holds who makes it, and where they stand with their quota."""

_TRACE = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_NONE = re.compile(r"0+")
_CHANCE = Random(secrets.randbits(256))  # noqa: S311 ids that tell requests apart guard nothing
"""Begun from the system's randomness; asking the system anew for each id holds the event loop up three times."""
os.register_at_fork(after_in_child=lambda: _CHANCE.seed(secrets.randbits(256)))  # else both go on with the same ids


def request_id(scope: Scope) -> str:
    """The id of a request, made when first asked for."""
    state: dict[str, Any] = scope.setdefault("state", {})
    found: str = state.get("request_id") or new_id()
    state["request_id"] = found
    return found


def new_id() -> str:
    """An id for one request."""
    return _hex(16)


def traceparent(scope: Scope) -> str:
    """This request as a part of the caller's trace, or of a new one; the same each time it is asked for."""
    state: dict[str, Any] = scope.setdefault("state", {})
    found: str = state.setdefault("traceparent", "") or _child(_given(scope))
    state["traceparent"] = found
    return found


def _given(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"), "")


def _child(given: str) -> str:
    found = _TRACE.fullmatch(given)
    if found is None or any(_NONE.fullmatch(part) for part in (found[1], found[2])):
        return f"00-{_hex(16)}-{_hex(8)}-00"
    return f"00-{found[1]}-{_hex(8)}-{found[3]}"


def _hex(size: int) -> str:
    """So many random bytes, never all zero, as hexadecimal digits."""
    return f"{_CHANCE.getrandbits(8 * size) or 1:0{2 * size}x}"
