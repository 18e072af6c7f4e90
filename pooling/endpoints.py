"""Handlers of operations: each has its name in the access matrix, runs in a thread and refuses as all of them do.

@get("/{code:str}", "cycles.read", "A cycle")
def read(self, request: Asked, handling: Handled, code: CycleCode) -> Response[CycleView]: ...
"""

from collections.abc import Callable, Mapping
from typing import Any

import litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from pooling.problems import ACCEPTED, CREATED, OK, RESPONSES
from pooling.shortcut import Shortcut
from pooling.threads import in_thread

SAID = {CREATED: "It was not there before", ACCEPTED: "A job does it; Location says where to look"}
Models = Mapping[int, type[Any]]
"""What else a handler may answer, by status: 201 for what is new, 202 for a job."""
Handler = Callable[[Callable[..., Any]], HTTPRouteHandler]
"""Makes a handler of a function."""


def get(path: str, operation: str, summary: str, *, also: Models | None = None, **more: Any) -> Handler:
    """Reads. ``operation``: its row in the access matrix; ``more``: as the framework has it."""
    return _handler(litestar.get(path, middleware=[Shortcut], **_said(operation, summary, also), **more))


def post(
    path: str, operation: str, summary: str, *, also: Models | None = None, needs_version: bool = False, **more: Any
) -> Handler:
    """Makes something, with an Idempotency-Key. ``needs_version``: and with the If-Match of what it is made from."""
    if needs_version:
        more = {**more, "opt": {**more.get("opt", {}), "conditional": True}}
    return _handler(litestar.post(path, **_said(operation, summary, also), **more))


def transition(
    path: str, operation: str, summary: str, *, also: Models | None = None, needs_version: bool = True, **more: Any
) -> Handler:
    """Takes a resource from one state to the next; If-Match takes the place of the Idempotency-Key.

    ``needs_version`` False: it is safe to repeat, and an If-Match is honoured only where one is sent.
    """
    said = {"status_code": OK, **more}
    opt = {"transition": True, **({"conditional": True} if needs_version else {})}
    return _handler(litestar.post(path, **_said(operation, summary, also), opt=opt, **said))


def put(path: str, operation: str, summary: str, *, also: Models | None = None, **more: Any) -> Handler:
    """Makes something under a name that is given, or replaces it."""
    return _handler(litestar.put(path, **_said(operation, summary, also), **more))


def patch(path: str, operation: str, summary: str, *, also: Models | None = None, **more: Any) -> Handler:
    """Changes parts of something."""
    return _handler(litestar.patch(path, **_said(operation, summary, also), **more))


def delete(path: str, operation: str, summary: str, *, also: Models | None = None, **more: Any) -> Handler:
    """Takes something away; answers nothing."""
    return _handler(litestar.delete(path, **_said(operation, summary, also), **more))


def _said(operation: str, summary: str, also: Models | None) -> dict[str, Any]:
    specs = {
        status: ResponseSpec(model, generate_examples=False, description=SAID[status])
        for status, model in (also or {}).items()
    }
    return {
        "operation_id": operation,
        "summary": summary,
        "responses": {**RESPONSES, **specs},
    }


def _handler(made: HTTPRouteHandler) -> Handler:
    return lambda work: made(in_thread(work))
