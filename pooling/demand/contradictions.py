"""What a mapping's sections must say together: each of these rules looks at more than one of them. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pooling.demand.figure_sections import Currency, Price, Units
from pooling.demand.keys import Faults
from pooling.demand.sections import CANONICAL, Categories, Group, Skip, Window
from pooling.errors import did_you_mean

NEEDED = ("participant", "quantity", "unit_price", "currency")
FIGURES = ("quantity", "quantity_low", "quantity_high", "unit_price")
"""Columns whose value is each row's own: no constant can stand for them."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a mapping says, as far as it could be read: of a section that is None nothing is asked.

    ``columns`` and ``constants`` are the names that have one.
    """

    columns: frozenset[str]
    constants: frozenset[str]
    optional: frozenset[str]
    units: Units | None
    price: Price | None
    currency: Currency | None
    window: Window | None
    categories: Categories | None
    group: Group | None
    skip: tuple[Skip, ...]

    def has(self, canonical: str) -> bool:
        """Whether rows have a value for ``canonical``, by a column or a constant."""
        return canonical in self.columns or canonical in self.constants


def contradictions(said: Parts) -> Faults:
    """Everything in which the parts do not go together, as (key path, what is wrong and what to do)."""
    return [fault for rule in RULES for fault in rule(said)]


def _unknown_columns(said: Parts) -> Iterator[tuple[str, str]]:
    for section, given in (("columns", said.columns), ("constants", said.constants)):
        for name in sorted(given - set(CANONICAL)):
            known = f"give one of {' '.join(CANONICAL)}"
            yield f"{section}.{name}", f"no such column; {did_you_mean(name, CANONICAL, known)}"


def _constants(said: Parts) -> Iterator[tuple[str, str]]:
    for name in FIGURES:
        if name in said.constants:
            yield f"constants.{name}", "a figure of every line cannot be one constant; map a column"


def _optional(said: Parts) -> Iterator[tuple[str, str]]:
    for name in sorted(said.optional - (said.columns - set(NEEDED))):
        yield f"optional.{name}", "not among the columns that may be left out; map it, or take it off this list"


def _looked_at(said: Parts) -> Iterator[tuple[str, str]]:
    used = [name for rule in said.skip for name in rule.columns]
    used += [rule.column for rule in said.categories.rules] if said.categories is not None else []
    for name in dict.fromkeys(used):
        if name in CANONICAL and not said.has(name):
            yield f"columns.{name}", "a rule looks at it; say which header it is, or name the header in the rule"


def _needed(said: Parts) -> Iterator[tuple[str, str]]:
    for name in ("participant", "currency"):
        if not said.has(name):
            yield f"columns.{name}", "missing; say which header it is, or give it under constants"
    for name in ("quantity", "unit_price"):
        if name not in said.columns:
            yield f"columns.{name}", "missing; say which header it is"
    if said.units is not None and not said.has("unit") and said.units.blank is None:
        yield "columns.unit", "missing; say which header it is, or under units what a blank unit means"
    known_by = said.categories
    if known_by is not None and not known_by.derive and not any(said.has(key) for key in known_by.keys):
        yield "columns.category", "missing; map one of category, item_code and item_name"


def _date(said: Parts) -> Iterator[tuple[str, str]]:
    asked = (
        said.currency is not None and said.currency.day == "date",
        said.group is not None and "year" in said.group.by,
        said.window is not None and said.window.rule == "date",
    )
    if any(asked) and not said.has("date"):
        yield "columns.date", "missing; say which header it is: the currency, window or group follows from it"


def _window(said: Parts) -> Iterator[tuple[str, str]]:
    if said.window is None:
        return
    rule = said.window.rule
    needed = {"columns": ("earliest_start", "latest_start"), "contract-end": ("contract_end",)}
    for name in needed.get(rule, ()):
        if not said.has(name):
            yield f"columns.{name}", f'missing; the window rule "{rule}" needs it: map it, or give another rule'
    if rule == "contract-end" and said.window.extension_months is None and not said.has("extension_months"):
        yield "window.extension_months", "missing; give it here or as a column"


def _price(said: Parts) -> Iterator[tuple[str, str]]:
    if said.price is None:
        return
    basis, rate = said.price.basis, said.price.vat_rate
    if basis is None and not said.has("price_basis"):
        yield "price.basis", 'missing; say "ex-vat" or "inc-vat", or map the column price_basis'
    if basis == "inc-vat" and rate is None and not said.has("vat_rate"):
        yield "price.vat_rate", "missing; a price with VAT needs the rate: give it here or as a column"
    if rate is not None and basis != "inc-vat" and not said.has("price_basis"):
        yield "price.vat_rate", "prices are without VAT, so no rate is used; leave it out"


RULES: tuple[Callable[[Parts], Iterator[tuple[str, str]]], ...] = (
    _unknown_columns,
    _constants,
    _optional,
    _looked_at,
    _needed,
    _date,
    _window,
    _price,
)
