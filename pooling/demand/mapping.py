"""A mapping: how one sender's file becomes demand lines; whole and checked, or refused with all its faults."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pooling.demand.sections import (
    CANONICAL,
    Categories,
    Criteria,
    Currency,
    DayFormats,
    FileHints,
    Group,
    Price,
    Skip,
    Uncertainty,
    Units,
    Window,
    nothing,
)
from pooling.errors import BadSetting

NEEDED = ("participant", "quantity", "unit_price", "currency")


class BadMapping(BadSetting):
    """A mapping that cannot be used; ``faults`` are (key path, what is wrong and what to do)."""

    code = "bad-mapping"

    def __init__(self, name: str, faults: list[tuple[str, str]]) -> None:
        self.faults = faults
        super().__init__("\n".join([f"mapping {name}:", *(f"  {path}: {text}" for path, text in faults)]))


@dataclass(frozen=True, slots=True)
class FileMapping:
    """All that is to be known of a file beside the file. ``sha256`` is of the mapping and what it includes.

    ``columns``: canonical name to the headers it may stand under, the first present counts; a file may lack those in
    ``optional``.
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
    group: Group | None = None
    skip: tuple[Skip, ...] = ()

    def __post_init__(self) -> None:
        faults = [*self._unknown(), *self._missing(), *self._window_columns(), *self._price_columns()]
        if faults:
            raise BadMapping(self.name, faults)

    def has(self, canonical: str) -> bool:
        """Whether rows have a value for ``canonical``, by a column or a constant."""
        return canonical in self.columns or canonical in self.constants

    def extra_headers(self) -> tuple[str, ...]:
        """Headers used by skip rules, category rules and derived ids that are no canonical column, each once."""
        named = [name for rule in self.skip for name in rule.columns]
        named += [rule.column for rule in self.categories.rules]
        named += list(self.categories.derive)
        return tuple(dict.fromkeys(name for name in named if name not in CANONICAL))

    def _unknown(self) -> list[tuple[str, str]]:
        faults = []
        for section, given in (("columns", self.columns), ("constants", self.constants)):
            faults += [
                (f"{section}.{name}", f"no such column; the columns are {' '.join(CANONICAL)}")
                for name in given
                if name not in CANONICAL
            ]
        faults += [
            (f"constants.{name}", "this column is mapped under columns too; leave one of them out")
            for name in self.constants
            if name in self.columns
        ]
        faults += [
            (f"constants.{name}", "a figure of every line cannot be one constant; map a column")
            for name in self.constants
            if name in ("quantity", "quantity_low", "quantity_high", "unit_price")
        ]
        faults += [
            (f"optional.{name}", "not among the columns that may be left out; map it, or take it off this list")
            for name in sorted(self.optional - (self.columns.keys() - set(NEEDED)))
        ]
        used = [name for rule in self.skip for name in rule.columns] + [rule.column for rule in self.categories.rules]
        faults += [
            (f"columns.{name}", "a rule looks at it; say which header it is, or name the header in the rule")
            for name in dict.fromkeys(used)
            if name in CANONICAL and not self.has(name)
        ]
        return faults

    def _missing(self) -> list[tuple[str, str]]:
        wanted = ["participant", "currency"]
        faults = [
            (f"columns.{name}", "missing; say which header it is, or give it under constants")
            for name in wanted
            if not self.has(name)
        ]
        faults += [
            (f"columns.{name}", "missing; say which header it is")
            for name in ("quantity", "unit_price")
            if name not in self.columns
        ]
        if not self.has("unit") and self.units.blank is None:
            faults.append(("columns.unit", "missing; say which header it is, or under units what a blank unit means"))
        if not any(self.has(key) for key in self.categories.keys) and not self.categories.derive:
            faults.append(("columns.category", "missing; map one of category, item_code and item_name"))
        needs_date = self.currency.day == "date" or (self.group is not None and "year" in self.group.by)
        if (needs_date or self.window.rule == "date") and not self.has("date"):
            faults.append(("columns.date", "missing; the currency, window or group follows from it"))
        return faults

    def _window_columns(self) -> list[tuple[str, str]]:
        needed = {"columns": ("earliest_start", "latest_start"), "contract-end": ("contract_end",)}
        faults = [
            (f"columns.{name}", f'missing; the window rule "{self.window.rule}" needs it')
            for name in needed.get(self.window.rule, ())
            if not self.has(name)
        ]
        extended = self.window.extension_months is not None or self.has("extension_months")
        if self.window.rule == "contract-end" and not extended:
            faults.append(("window.extension_months", "missing; give it here or as a column"))
        return faults

    def _price_columns(self) -> list[tuple[str, str]]:
        faults = []
        if self.price.basis is None and not self.has("price_basis"):
            faults.append(("price.basis", 'missing; say "ex-vat" or "inc-vat", or map the column price_basis'))
        may_have_vat = self.price.basis == "inc-vat" or self.has("price_basis")
        if self.price.basis == "inc-vat" and self.price.vat_rate is None and not self.has("vat_rate"):
            faults.append(("price.vat_rate", "missing; a price with VAT needs the rate, here or as a column"))
        if self.price.vat_rate is not None and not may_have_vat:
            faults.append(("price.vat_rate", "prices are without VAT, so no rate is used; leave it out"))
        return faults
