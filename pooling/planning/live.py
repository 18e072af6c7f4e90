"""What an instance is made of: live lines, the reference data they are read with, and what could not take part."""

from collections.abc import Mapping
from dataclasses import dataclass

from pooling.planning.holds import Forecast, Key
from pooling.reference.rules import CategoryRecord, ParticipantRecord


@dataclass(frozen=True, slots=True)
class LiveLine:
    """A line of an accepted submission, as stored: base units a year, millionths of EUR, months ``YYYY-MM``."""

    id: int
    submission: str
    participant: str
    category: str
    quantity: int
    quantity_low: int
    quantity_high: int
    unit_price_eur_micro: int
    earliest_start: str
    latest_start: str
    required: tuple[str, ...]
    refused: tuple[str, ...]
    item_code: str | None = None
    sent_as: str = ""
    source: str | None = None
    external_id: str | None = None

    @property
    def forecast(self) -> Forecast | None:
        """Source and id there; None: a row of a file."""
        return None if self.source is None or self.external_id is None else (self.source, self.external_id)

    @property
    def sender(self) -> str:
        """The participant named in the file, before any succession."""
        return self.sent_as or self.participant

    @property
    def key(self) -> Key:
        """Under its sender."""
        return self.sender, self.category, self.item_code


@dataclass(frozen=True, slots=True)
class Known:
    """The reference data that an instance is built with; ``implications`` are the direct ones."""

    participants: Mapping[str, ParticipantRecord]
    categories: Mapping[str, CategoryRecord]
    criteria: frozenset[str]
    implications: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Excluded:
    """What could not take part: ``kind`` is ``line`` or ``offer``, ``reason`` a stable word, ``words`` for people."""

    kind: str
    id: str
    reason: str
    words: str
