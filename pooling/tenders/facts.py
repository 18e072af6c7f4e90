"""Facts of a tender that the law asks for and that no other data tell: planners enter them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pooling.errors import BadFields
from pooling.tenders.records import TenderRecord
from pooling.tenders.tables import Tender

WHOLE = (
    "central_government",
    "environment_weight",
    "environment_reasons",
    "agreement_signed",
    "lot_reasons",
    "term_reasons",
    "option_months",
    "main_cpv",
)
"""Of the tender as a whole, named as in `pooling.law.facts.TenderFacts`."""
BY_CATEGORY = ("buying_share", "suppliers")
"""Of each category in it, named as in `pooling.law.facts.Category`."""


@dataclass(frozen=True, slots=True)
class FactChanges:
    """Values by name, None where one is taken away; names that are left out stay as they are.

    ``categories``: the same by category; None takes all of a category away.
    """

    whole: Mapping[str, Any] = field(default_factory=dict)
    categories: Mapping[str, Mapping[str, float | None] | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.whole or self.categories)


NOTHING = FactChanges()


@dataclass(frozen=True, slots=True)
class CategoryFacts:
    """What was entered about a category; None: nothing was."""

    buying_share: float | None
    suppliers: int | None


def of_category(tender: TenderRecord, category: str) -> CategoryFacts:
    """What was entered about a category of the tender."""
    figures = (tender.category_facts or {}).get(category, {})
    suppliers = figures.get("suppliers")
    return CategoryFacts(figures.get("buying_share"), None if suppliers is None else int(suppliers))


def enter(row: Tender, given: FactChanges, categories: Mapping[str, str | None]) -> list[str]:
    """Put facts to a tender with these ``categories`` and their CPV; the names of those that are others now, in order.

    Raises BadFields where a figure is given for a category that is not in it, or a main CPV is none of its categories'.
    """
    _only_of_tender(given, categories)
    _main_cpv_of_tender(given, categories)
    entered = [name for name, value in given.whole.items() if getattr(row, name) != value]
    for name in entered:
        setattr(row, name, given.whole[name])
    before = row.category_facts or {}
    after = dict(before)
    for category, figures in given.categories.items():
        merged = {} if figures is None else {**before.get(category, {}), **figures}
        after[category] = {name: value for name, value in merged.items() if value is not None}
    row.category_facts = {category: figures for category, figures in sorted(after.items()) if figures} or None
    entered += [
        f"{name} of {category}"
        for category in given.categories
        for name in BY_CATEGORY
        if before.get(category, {}).get(name) != after[category].get(name)
    ]
    return sorted(entered)


def _only_of_tender(given: FactChanges, categories: Collection[str]) -> None:
    foreign = [
        category
        for category, figures in given.categories.items()
        if category not in categories and any(value is not None for value in (figures or {}).values())
    ]
    if foreign:
        text = f"no lot is of it; name one of {', '.join(sorted(categories))}"
        raise BadFields([(f"#/facts/categories/{each}", "not-found", text) for each in foreign])


def _main_cpv_of_tender(given: FactChanges, categories: Mapping[str, str | None]) -> None:
    main, known = given.whole.get("main_cpv"), sorted({cpv for cpv in categories.values() if cpv})
    if main is not None and main[:8] not in {cpv[:8] for cpv in known}:
        text = f"{main} is none of its categories' CPV: give one of {', '.join(known) or 'theirs, which are not known'}"
        raise BadFields([("#/facts/main_cpv", "invalid", text)])
