"""What a check finds: a place where the database contradicts itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session


@dataclass(frozen=True, slots=True)
class Violation:
    """One contradiction: ``place`` is a row or a part of a document, ``message`` what is there and what must be."""

    place: str
    message: str


Check = Callable[[Session], Iterator[Violation]]
"""Looks at everything of its kind in the open transaction's view."""


def shown_id(value: object) -> str:
    """An id as the API shows it, however the database spells it."""
    return str(UUID(str(value)))
