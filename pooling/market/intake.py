"""Offer drafts to records: every cell read strictly, every fault named with place, value and remedy."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from pooling.errors import BadInput, did_you_mean
from pooling.market.files import OFFER_FIELDS, OPTIONAL, TIER_FIELDS, Draft
from pooling.market.rules import ABSOLUTE, LARGEST, MICRO, Figure, OfferRecord, TierRecord, offer_faults
from pooling.reference.rates import NoRate, UnknownCurrency, rate_on

Read = TypeVar("Read")
NAMES = {
    "from_quantity": ("from_quantity_low", "from_quantity_high", "quantity"),
    "price": ("price_low", "price_high", "price"),
    "co2_saved_kg_per_unit": ("co2_low", "co2_high", "co2"),
}
"""The columns of a figure's range, and how those of its source begin."""


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
    """The offers that are right, and every fault of the others."""
    faults: list[str] = []
    made = []
    seen: dict[str, str] = {}
    for draft in drafts:
        before = len(faults)
        values = _values(draft, OFFER_FIELDS, faults)
        tiers = [_tier(tier.place, _values(tier, TIER_FIELDS, faults), faults) for tier in draft.tiers]
        co2 = _figure(draft.place, values, "co2_saved_kg_per_unit", faults)
        name = values["offer"]
        if name and seen.setdefault(name, draft.place) != draft.place:
            faults.append(f"{draft.place}, offer: {name!r} is already in {seen[name]}; keep one of them")
        _check_known(draft.place, values, known=known, faults=faults)
        fields = _fields(values, tiers)
        place = f"{draft.place}, offer {name!r}" if name else draft.place
        faults += [f"{place}: {fault}" for fault in offer_faults(fields)]
        _check_rate(draft.place, values, tiers, faults)
        if len(faults) == before and co2 is not None:
            made.append(OfferRecord(**fields, co2_saved=co2, file_name=file_name, file_sha256=file_sha256))
    return made, faults


def _values(draft: Draft, fields: Sequence[str], faults: list[str]) -> dict[str, Any]:
    """The fields as read; None where blank, wrong, or without a column, which the file's own faults tell."""
    values: dict[str, Any] = {}
    for field in fields:
        text = draft.values.get(field)
        values[field] = None
        if text:
            try:
                values[field] = _READERS.get(field, str)(text)
            except _Wrong as wrong:
                faults.append(f"{draft.place}, {field}: {text[:80]!r}: {wrong}")
        elif text is not None and field not in OPTIONAL:
            faults.append(f"{draft.place}, {field}: blank; fill it in")
    return values


def _fields(values: Mapping[str, Any], tiers: Sequence[TierRecord | None]) -> dict[str, Any]:
    """What an offer is made of, for its record and for the rules on it as a whole."""
    same = ("category", "name", "price_basis", "max_quantity", "total_max_quantity", "term_months")
    return {field: values[field] for field in (*same, "valid_from", "valid_to")} | {
        "id": values["offer"],
        "criteria": values["criteria"] or (),
        "currency": values["currency"] or "EUR",
        "tiers": tuple(tiers),
    }


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
    wanted += [("criteria", code, known.criteria) for code in dict.fromkeys(values["criteria"] or ())]
    for field, value, among in wanted:
        if value not in among:
            instead = did_you_mean(value, among, "add it to the reference data first")
            faults.append(f"{place}, {field}: {value!r} is not known; {instead}")
    if values["price_basis"] == ABSOLUTE and not values["currency"]:
        faults.append(f"{place}, currency: blank; an absolute price needs its currency")


def _check_rate(place: str, values: Mapping[str, Any], tiers: Sequence[TierRecord | None], faults: list[str]) -> None:
    """An absolute price can be converted on the latest day one was stated."""
    days = [tier.price.source_date for tier in tiers if tier is not None]
    if values["price_basis"] != ABSOLUTE or not values["currency"] or not days:
        return
    try:
        rate_on(values["currency"], max(days))
    except UnknownCurrency as wrong:
        faults.append(f"{place}, currency: {wrong}")
    except NoRate as wrong:
        faults.append(f"{place}, price_source_date: {wrong}")


def _tier(place: str, values: Mapping[str, Any], faults: list[str]) -> TierRecord | None:
    quantity = _figure(place, values, "from_quantity", faults)
    price = _figure(place, values, "price", faults)
    if quantity is None or price is None:
        return None
    return _try(place, lambda: TierRecord(quantity, price), faults)


def _figure(place: str, values: Mapping[str, Any], field: str, faults: list[str]) -> Figure | None:
    """The figure in ``field`` with its range and source; None where a part of it is wrong or not there."""
    low, high, source = NAMES[field]
    said = [values[name] for name in (low, field, high)]
    parts = (*said, values[f"{source}_source"], values[f"{source}_source_date"])
    if None not in said and not said[0] <= said[1] <= said[2]:
        scale = 1 if field == "from_quantity" else MICRO
        shown = ", ".join(f"{name} {value / scale:.12g}" for name, value in zip((low, field, high), said, strict=True))
        faults.append(f"{place}: {shown}: give low <= value <= high")
        return None
    if None in parts:
        return None
    return _try(f"{place}, {field}", lambda: Figure(said[1], said[0], said[2], *parts[3:]), faults)


def _try(place: str, make: Callable[[], Read], faults: list[str]) -> Read | None:
    try:
        return make()
    except BadInput as wrong:
        faults.append(f"{place}: {wrong}")
        return None
