"""A sample request for every operation, and figures planted for them: one module a subject.

Each module has ``plant(world)``, which puts into a fresh database what its samples ask for, and ``SAMPLES``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from tests.pooling.access.world import World

Place = Literal["own", "others", "none"]
"""Whose resource a sample asks for: the coordinator's and partner's, another region's, nobody's."""


@dataclass(frozen=True)
class Sent:
    """A request to send; POST gets an Idempotency-Key by itself, unless ``headers`` has one."""

    path: str
    json: Any = None
    content: bytes | None = None
    files: Mapping[str, tuple[str, bytes, str]] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """How to make ``operation`` on a resource of each of ``places``.

    ``ask(world, place)`` is called before every single request and must make one that succeeds for a role that may:
    where the request uses its resource up, it makes a new one first, by the service, not by the API.
    """

    operation: str
    method: str
    ask: Callable[["World", Place], Sent]
    places: tuple[Place, ...] = ("none",)


def subjects() -> list[ModuleType]:
    """The modules of this folder, by name."""
    return [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]


def samples() -> dict[str, Sample]:
    """All samples by operation."""
    found = [sample for subject in subjects() for sample in subject.SAMPLES]
    names = [sample.operation for sample in found]
    assert len(names) == len(set(names)), f"two samples of one operation: {sorted(names)}"
    return dict(zip(names, found))
