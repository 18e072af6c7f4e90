"""Handlers of operations: each has its name in the access matrix, runs in a thread and refuses as all of them do.

@get("/{code:str}", "cycles.read", "A cycle")
def read(self, request: Asked, handling: Handled, code: CycleCode) -> Response[CycleView]: ...
"""

from collections.abc import Mapping
from typing import Any

import litestar
from litestar.openapi.datastructures import ResponseSpec

from pooling.problems import ACCEPTED, CREATED, OK, RESPONSES

SAID = {CREATED: "It was not there before", ACCEPTED: "A job does it; Location says where to look"}
Models = Mapping[int, type[Any]]
"""What else a handler may answer, by status: 201 for what is new, 202 for a job."""


def get(path: str, operation: str, summary: str, *, also: Models | None = None, **more: Any) -> litestar.get:
    """Reads. ``operation``: its row in the access matrix; ``more``: as the framework has it."""
    return litestar.get(path, **_said(operation, summary, also), **more)


def post(path: str, operation: str, summary: str, *, also: Models | None = None, **more: Any) -> litestar.post:
    """Makes something, with an Idempotency-Key."""
    return litestar.post(path, **_said(operation, summary, also), **more)


def transition(path: str, operation: str, summary: str, *, also: Models | None = None, **more: Any) -> litestar.post:
    """Takes a resource from one state to the next; If-Match takes the place of the Idempotency-Key."""
    said = {"status_code": OK, **more}
    return litestar.post(path, **_said(operation, summary, also), opt={"transition": True}, **said)


def put(path: str, operation: str, summary: str, *, also: Models | None = None, **more: Any) -> litestar.put:
    """Makes something under a name that is given, or replaces it."""
    return litestar.put(path, **_said(operation, summary, also), **more)


def patch(path: str, operation: str, summary: str, *, also: Models | None = None, **more: Any) -> litestar.patch:
    """Changes parts of something."""
    return litestar.patch(path, **_said(operation, summary, also), **more)


def delete(path: str, operation: str, summary: str, *, also: Models | None = None, **more: Any) -> litestar.delete:
    """Takes something away; answers nothing."""
    return litestar.delete(path, **_said(operation, summary, also), **more)


def _said(operation: str, summary: str, also: Models | None) -> dict[str, Any]:
    specs = {
        status: ResponseSpec(model, generate_examples=False, description=SAID[status])
        for status, model in (also or {}).items()
    }
    return {
        "operation_id": operation,
        "summary": summary,
        "responses": {**RESPONSES, **specs},
        "sync_to_thread": True,
    }
