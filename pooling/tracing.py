"""Which request is which: an id of our own for each, and the trace that a caller names (W3C Trace Context)."""

import re
import secrets
from typing import Any
from uuid import uuid4

from litestar.types import Scope

PRINCIPAL = "principal"
QUOTA = "quota"
"""Where the state of a request holds who makes it, and where they stand with their quota."""

_TRACE = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_NONE = re.compile(r"0+")


def request_id(scope: Scope) -> str:
    """The id of a request, made when first asked for."""
    state: dict[str, Any] = scope.setdefault("state", {})
    found: str = state.setdefault("request_id", uuid4().hex)
    return found


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
        return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
    return f"00-{found[1]}-{secrets.token_hex(8)}-{found[3]}"
