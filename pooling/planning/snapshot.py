"""Lines, offers, reference data and policy frozen together, so that a plan can be made and read again at any time.

The content is JSON in one canonical spelling; its SHA-256 is the snapshot's id. Nothing in it depends on when the
snapshot was taken or on the database: the same data and policy give the same id.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pooling.market.rules import MICRO, Figure
from pooling.planning.instance import Built
from pooling.planning.live import Known
from pooling.planning.policy import Policy
from pooling.planning.pricing import PricedOffer
from pooling.reference.rules import SigningBodyRecord


@dataclass(frozen=True, slots=True)
class Frozen:
    """A snapshot: ``instance`` (``pooling.instance/1``), the policy it was built with, and all that a reader of the
    plan needs beside it: names, signing bodies, offers with sources and ranges, submissions, rates, exclusions and
    warnings."""

    id: str
    instance: Mapping[str, Any]
    policy: Mapping[str, Any]
    context: Mapping[str, Any]


def canonical(document: Any) -> str:
    """The one spelling of a JSON document: keys sorted, no blanks, no NaN."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def freeze(
    built: Built,
    *,
    known: Known,
    bodies: Mapping[str, SigningBodyRecord],
    policy: Policy,
    submissions: Sequence[Mapping[str, Any]],
    line_rates: Iterable[tuple[str, str, int]],
    doubts: Mapping[int, Sequence[str]],
) -> Frozen:
    """The snapshot of a built instance; ``submissions`` and ``line_rates`` (currency, day, millionths of currency per
    EUR) say where the lines come from, ``doubts`` what is doubted of them, by line id."""
    context = {
        "participants": _participants(built, known),
        "signing_bodies": _signing_bodies(built, known, bodies),
        "categories": _categories(built, known),
        "implications": {code: sorted(implied) for code, implied in known.implications.items() if implied},
        "offers": {offer.record.id: offer_context(offer) for offer in built.offers} | dict(built.held),
        "excluded": [asdict(one) for one in built.excluded],
        "warnings": list(built.warnings),
        "submissions": [dict(one) for one in submissions],
        "offer_files": _offer_files(built.offers),
        "rates": _rates(line_rates, built.offers),
        "doubts": {str(line.id): list(doubts[line.id]) for line in built.lines if line.id in doubts},
    }
    content = {"instance": built.document, "policy": policy.to_document(), "context": context}
    text = canonical(content)
    content = json.loads(text)  # what is kept is what comes back from the database: no tuples, no dates
    return Frozen(hashlib.sha256(text.encode()).hexdigest(), content["instance"], content["policy"], content["context"])


def _participants(built: Built, known: Known) -> dict[str, Any]:
    records = (known.participants[each["id"]] for each in built.document["participants"])
    return {record.code: {"name": record.name, "signing_body": record.signing_body} for record in records}


def _signing_bodies(built: Built, known: Known, bodies: Mapping[str, SigningBodyRecord]) -> dict[str, Any]:
    signing = {known.participants[each["id"]].signing_body for each in built.document["participants"]}
    names = ("name", "country", "law", "language", "complaint_board")
    return {code: {name: getattr(bodies[code], name) for name in names} for code in signing}


def _categories(built: Built, known: Known) -> dict[str, Any]:
    records = (known.categories[each["id"]] for each in built.document["categories"])
    return {record.id: {"name": record.name, "cpv": record.cpv, "emdn": record.emdn} for record in records}


def offer_context(offer: PricedOffer) -> dict[str, Any]:
    """An offer as it was stated, with its prices in EUR: everything a reader needs to judge a figure."""
    record = offer.record
    return {
        "name": record.name,
        "category": record.category,
        "criteria": list(record.criteria),
        "price_basis": record.price_basis,
        "currency": record.currency,
        "index_base_eur": None if offer.index_base_micro is None else offer.index_base_micro / MICRO,
        "co2_saved_kg_per_unit": _figure(record.co2_saved, MICRO),
        "file_name": record.file_name,
        "tiers": [
            {
                "from_quantity": _figure(tier.from_quantity, 1),
                "price": _figure(tier.price, MICRO),
                "unit_price_eur": [micro / MICRO for micro in in_eur],
            }
            for tier, in_eur in zip(record.tiers, offer.tiers_micro, strict=True)
        ],
    }


def _figure(figure: Figure, parts: int) -> dict[str, Any]:
    amounts = {"value": figure.value, "low": figure.low, "high": figure.high}
    scaled = amounts if parts == 1 else {name: amount / parts for name, amount in amounts.items()}
    return {**scaled, "source": figure.source, "source_date": figure.source_date.isoformat()}


def _offer_files(offers: Sequence[PricedOffer]) -> list[dict[str, Any]]:
    counts: dict[tuple[str, str], int] = {}
    for offer in offers:
        key = (offer.record.file_name, offer.record.file_sha256)
        counts[key] = counts.get(key, 0) + 1
    return [{"file_name": name, "sha256": sha256, "offers": count} for (name, sha256), count in sorted(counts.items())]


def _rates(line_rates: Iterable[tuple[str, str, int]], offers: Sequence[PricedOffer]) -> list[dict[str, Any]]:
    """Every exchange rate that an amount was converted at: of lines and of offers with absolute prices."""
    found = {(currency, day, f"{micro / MICRO:.6f}") for currency, day, micro in line_rates}
    found |= {
        (offer.record.currency, offer.rate_day, f"{float(offer.per_eur):.6f}")
        for offer in offers
        if offer.per_eur and offer.rate_day
    }
    return [
        {"currency": currency, "day": day, "per_eur": per_eur, "source": "European Central Bank, reference rate"}
        for currency, day, per_eur in sorted(found)
        if currency != "EUR"
    ]
