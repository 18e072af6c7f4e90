"""Offer drafts to records: every cell read strictly, every fault named with place, value and remedy."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import partial
from typing import Any, TypeVar

from pooling.errors import BadInput
from pooling.market.files import OFFER_FIELDS, OPTIONAL, TIER_FIELDS, Draft
from pooling.market.rules import ABSOLUTE, LARGEST, MICRO, Figure, OfferRecord, TierRecord
from pooling.reference.rates import rate_on

Read = TypeVar("Read")


class _Wrong(ValueError):
    """What is wrong with one value, and what to do."""


@dataclass(frozen=True, slots=True)
class Known:
    """The category ids and criteria codes that an offer may name."""

    categories: Collection[str]
    criteria: Collection[str]


def records(
    drafts: Sequence[Draft], *, known: Known, file_name: str, file_sha256: str
) -> tuple[list[OfferRecord], list[str]]:
    """The offers that are right, and the faults of the others."""
    faults: list[str] = []
    made = []
    seen: dict[str, str] = {}
    for draft in drafts:
        before = len(faults)
        values = _values(draft, OFFER_FIELDS, faults)
        tiers = [(tier.place, _values(tier, TIER_FIELDS, faults)) for tier in draft.tiers]
        name = values["offer"]
        if name and seen.setdefault(name, draft.place) != draft.place:
            faults.append(f"{draft.place}, offer: {name!r} is already in {seen[name]}; keep one of them")
        _check_known(draft.place, values, known=known, faults=faults)
        if len(faults) == before:
            record = _record(draft.place, values, tiers, faults=faults, file=(file_name, file_sha256))
            made += [record] if record else []
    return made, faults


def _values(draft: Draft, fields: Sequence[str], faults: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in fields:
        text = draft.values[field]
        values[field] = None
        if text:
            try:
                values[field] = _READERS.get(field, str)(text)
            except _Wrong as wrong:
                faults.append(f"{draft.place}, {field}: {text[:80]!r}: {wrong}")
        elif field not in OPTIONAL:
            faults.append(f"{draft.place}, {field}: blank; fill it in")
    return values


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,16}", text, re.ASCII) or int(text) > LARGEST:
        raise _Wrong(f"give a whole number from 0 to {LARGEST}, digits only")
    return int(text)


def _millionths(text: str) -> int:
    """A number with at most six decimals, exactly, in millionths."""
    parts = re.fullmatch(r"(-?)([0-9]{1,9})(?:\.([0-9]{1,6})0*)?", text, re.ASCII)
    if parts is None:
        raise _Wrong("give a number with a decimal point and at most 6 decimals")
    size = int(parts[2]) * MICRO + int((parts[3] or "").ljust(6, "0"))
    return -size if parts[1] else size


def _day(text: str) -> date:
    """A day; a spreadsheet's date cell carries a midnight, which is left out."""
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d( 00:00:00)?", text, re.ASCII):
            raise ValueError(text)
        return date.fromisoformat(text[:10])
    except ValueError as wrong:
        raise _Wrong("give a day as YYYY-MM-DD") from wrong


def _codes(text: str) -> tuple[str, ...]:
    return tuple(sorted(text.split()))


_READERS: Mapping[str, Callable[[str], Any]] = (
    dict.fromkeys(("from_quantity", "from_quantity_low", "from_quantity_high"), _whole)
    | dict.fromkeys(("max_quantity", "total_max_quantity", "term_months"), _whole)
    | dict.fromkeys(("price", "price_low", "price_high"), _millionths)
    | dict.fromkeys(("co2_saved_kg_per_unit", "co2_low", "co2_high"), _millionths)
    | dict.fromkeys(("quantity_source_date", "price_source_date", "co2_source_date", "valid_from", "valid_to"), _day)
    | {"criteria": _codes}
)


def _check_known(place: str, values: Mapping[str, Any], *, known: Known, faults: list[str]) -> None:
    wanted = [("category", values["category"], known.categories)] if values["category"] else []
    wanted += [("criteria", code, known.criteria) for code in values["criteria"] or ()]
    for field, value, among in wanted:
        if value not in among:
            close = get_close_matches(value, among, n=3)
            instead = f"did you mean {' or '.join(close)}?" if close else "add it to the reference data first"
            faults.append(f"{place}, {field}: {value!r} is not known; {instead}")
    if values["price_basis"] == ABSOLUTE and not values["currency"]:
        faults.append(f"{place}, currency: blank; an absolute price needs its currency")


def _record(
    place: str,
    values: Mapping[str, Any],
    tiers: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    faults: list[str],
    file: tuple[str, str],
) -> OfferRecord | None:
    made = [_try(at, partial(_tier, tier), faults) for at, tier in tiers]
    co2 = _try(f"{place}, co2_saved_kg_per_unit", lambda: _figure(values, "co2_saved_kg_per_unit", "co2"), faults)
    if co2 is None or any(tier is None for tier in made):
        return None

    def build() -> OfferRecord:
        record = OfferRecord(
            id=values["offer"],
            category=values["category"],
            name=values["name"],
            criteria=values["criteria"] or (),
            price_basis=values["price_basis"],
            currency=values["currency"] or "EUR",
            tiers=tuple(tier for tier in made if tier),
            co2_saved=co2,
            max_quantity=values["max_quantity"],
            total_max_quantity=values["total_max_quantity"],
            term_months=values["term_months"],
            valid_from=values["valid_from"],
            valid_to=values["valid_to"],
            file_name=file[0],
            file_sha256=file[1],
        )
        rate_on(record.currency, record.priced_on)
        return record

    return _try(f"{place}, offer {values['offer']!r}", build, faults)


def _tier(values: Mapping[str, Any]) -> TierRecord:
    return TierRecord(_figure(values, "from_quantity", "quantity"), _figure(values, "price", "price"))


def _figure(values: Mapping[str, Any], field: str, source: str) -> Figure:
    """The figure in ``field`` with its range; ``source`` is how its source columns begin."""
    low, high = ("co2_low", "co2_high") if source == "co2" else (f"{field}_low", f"{field}_high")
    said = [values[name] for name in (low, field, high)]
    if None not in said and not said[0] <= said[1] <= said[2]:
        scale = 1 if field == "from_quantity" else MICRO
        shown = ", ".join(f"{name} {value / scale:.12g}" for name, value in zip((low, field, high), said, strict=True))
        raise BadInput(f"{shown}: give low <= value <= high")
    try:
        return Figure(
            values[field], values[low], values[high], values[f"{source}_source"], values[f"{source}_source_date"]
        )
    except BadInput as wrong:
        raise BadInput(f"{field}: {wrong}") from wrong


def _try(place: str, make: Callable[[], Read], faults: list[str]) -> Read | None:
    try:
        return make()
    except BadInput as wrong:
        faults.append(f"{place}: {wrong}")
        return None
