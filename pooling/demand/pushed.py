"""Forecasts that were pushed, and what became of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from pooling.errors import BadFields

CREATED: Final = "created"
REPLACED: Final = "replaced"
UNCHANGED: Final = "unchanged"
REFUSED: Final = "refused"


class ForecastsRefused(BadFields):
    """Forecasts with faults, refused together: nothing of them was stored."""

    code = "forecasts-refused"


@dataclass(frozen=True, slots=True)
class Entry:
    """One forecast as sent. ``cells``: texts by ``COLUMNS``; ``document``: the same as plain JSON, to be given back.

    ``version``: the one that the sender has seen, 0: it should not be there; None: whichever there is.
    """

    external_id: str
    cells: Mapping[str, str]
    document: Mapping[str, Any]
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an entry: ``place`` is the field, empty where it is the entry as a whole."""

    place: str
    code: str
    detail: str


Status = Literal["created", "replaced", "unchanged", "refused"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an entry; ``version`` is the forecast's from now on, None where it was refused."""

    external_id: str
    status: Status
    version: int | None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of entries, in their order; ``submission`` None: nothing had changed, or all was refused."""

    submission: UUID | None
    results: tuple[Result, ...]
    warnings: tuple[str, ...] = ()

    def count(self, status: Status) -> int:
        """How many entries ended so."""
        return sum(result.status == status for result in self.results)
