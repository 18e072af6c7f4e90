"""What pooling knows of any system that sends demand: it can be asked for what changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import polars as pl


@dataclass(frozen=True, slots=True)
class Cursor:
    """Up to where a source was read. Opaque: only the source that made it can tell what it means."""

    value: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one origin (a file, a page), in order.

    ``frame`` has the columns declared in ``connectors.frames``. ``digest`` is the SHA-256 of the origin as it was
    sent; the marks say how its numbers are written (see ``ReadReport``). A caller that has stored this batch and all
    before it resumes from ``cursor``: rows may then come again, but none is passed over.
    """

    frame: pl.DataFrame
    cursor: Cursor
    origin: str
    digest: str
    decimal_mark: str | None
    thousands_mark: str | None


class DemandSource(Protocol):
    """A system that holds demand of others."""

    def fetch(self, since: Cursor | None) -> Iterator[Batch]:
        """Batches of demand rows changed after ``since`` (None: all), each with the cursor to resume from.

        Raises ``ConnectorError``; batches that came before it stand.
        """
        ...
