"""A mapping: how one sender's file becomes demand lines; whole and checked, or refused with all its faults."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pooling.demand.contradictions import Parts, contradictions
from pooling.demand.figure_sections import Currency, Price, Units
from pooling.demand.keys import Faults
from pooling.demand.sections import (
    CANONICAL,
    Categories,
    Criteria,
    DayFormats,
    FileHints,
    Group,
    Skip,
    Uncertainty,
    Window,
    nothing,
)
from pooling.errors import BadSetting


class BadMapping(BadSetting):
    """A mapping that cannot be used; ``faults`` are (key path, what is wrong and what to do)."""

    code = "bad-mapping"

    def __init__(self, name: str, faults: Faults) -> None:
        self.name = name
        self.faults = faults
        super().__init__("\n".join([f"mapping {name}:", *(f"  {path}: {text}" for path, text in faults)]))


@dataclass(frozen=True, slots=True)
class FileMapping:
    """All that is to be known of a file beside the file. ``sha256`` is of the mapping and what it includes.

    ``columns``: canonical name to the headers it may stand under, the first present counts; a file may lack those in
    ``optional``. ``constants``: what a row says of a canonical name without a column, or where its cell is blank.
    """

    name: str
    sha256: str
    columns: Mapping[str, tuple[str, ...]]
    units: Units
    price: Price
    currency: Currency
    window: Window
    uncertainty: Uncertainty
    series: str | None = None
    optional: frozenset[str] = frozenset()
    constants: Mapping[str, str] = field(default_factory=nothing)
    hints: FileHints = field(default_factory=FileHints)
    days: DayFormats = field(default_factory=DayFormats)
    participants: Mapping[str, str] = field(default_factory=nothing)
    categories: Categories = field(default_factory=Categories)
    criteria: Criteria = field(default_factory=Criteria)
    depths: Mapping[str, str] = field(default_factory=nothing)
    group: Group | None = None
    skip: tuple[Skip, ...] = ()

    def __post_init__(self) -> None:
        said = {name: getattr(self, name) for name in Parts.__slots__}
        named = {name: frozenset(said[name]) for name in ("columns", "constants")}
        faults = contradictions(Parts(**said | named))
        if faults:
            raise BadMapping(self.name, faults)

    def extra_headers(self) -> tuple[str, ...]:
        """Headers used by skip rules, category rules and derived ids that are no canonical column, each once."""
        named = [name for rule in self.skip for name in rule.columns]
        named += [rule.column for rule in self.categories.rules]
        named += list(self.categories.derive)
        return tuple(dict.fromkeys(name for name in named if name not in CANONICAL))
