"""What the handlers of several subjects have in common: parameters, and how a second kind of success is described."""

from typing import Any

from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec

from pooling.handling import Cursor, Handling, Limit
from pooling.problems import ACCEPTED, CREATED, RESPONSES

__all__ = ["Cursor", "Handled", "Limit", "or_else"]

Handled = NamedDependency[Handling]
SAID = {CREATED: "It was not there before", ACCEPTED: "A job does it; Location says where to look"}


def or_else(status: int, model: type[Any]) -> dict[int, ResponseSpec]:
    """Responses of a handler that may answer ``model`` with ``status`` too: 201 for what is new, 202 for a job."""
    return {**RESPONSES, status: ResponseSpec(model, generate_examples=False, description=SAID[status])}
