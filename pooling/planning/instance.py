"""Lines, offers, reference data and policy to the question the solver answers. Pure, and the same input gives the
same document: everything is ordered, money is exact millionths until the last step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from pooling.market.rules import MICRO, OfferRecord
from pooling.planning.holds import (
    NOTHING,
    Akin,
    Holds,
    fixed_pools,
    forbidden,
    held_offers,
    overtaken,
    previous,
)
from pooling.planning.live import Excluded, Known, LiveLine
from pooling.planning.placing import moved, placed_lines
from pooling.planning.policy import Codes, Policy, refusal, unknown_names
from pooling.planning.pricing import PricedOffer, priced_offers
from pooling.reference.rules import CategoryRecord, ParticipantRecord, before_and_after
from solver.instance import SCHEMA


@dataclass(frozen=True, slots=True)
class Built:
    """The instance document, the offers in it, the lines that are in it, and what is not and why.

    ``warnings`` say, in sentences, which lines are in it for another participant or window than was sent.
    ``held``: what was said of offers that are in it as tenders stand on them, by their id in it.
    """

    document: dict[str, Any]
    offers: tuple[PricedOffer, ...]
    lines: tuple[LiveLine, ...]
    excluded: tuple[Excluded, ...]
    warnings: tuple[str, ...]
    held: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def build(
    lines: Sequence[LiveLine],
    offers: Sequence[OfferRecord],
    *,
    known: Known,
    policy: Policy,
    holds: Holds = NOTHING,
) -> Built:
    """The instance of all ``lines`` and of the ``offers`` that hold on ``policy.as_of``.

    ``holds``: what is decided already; ``lines`` have those of its tenders too. They stand as they were decided on, and
    a later line of the same participant (or one before or after it in a succession), category and item code is left
    out.

    A participant whose demand passes to a successor while its line can start is replaced by it, see
    `pooling.planning.placing`. Criteria of offers are closed under implication, so that a line that requires a lower
    level accepts a higher one; a line's own stand as stated. Raises BadSetting where the policy names a criterion or
    category that is not known.
    """
    _check_names(policy, known)
    akin = cache(partial(before_and_after, participants=known.participants))
    standing, lines, stood_for = _beside(sorted(lines, key=lambda line: line.id), holds, akin)
    pairs, excluded = placed_lines(lines, known=known, policy=policy)
    placed = [held for _, held in pairs]
    inside_as_sent = [*standing, *(sent for sent, _ in pairs)]
    fixed = [line for lot in holds.lots for line in lot.lines]
    documents = sorted([*fixed, *map(_line, placed)], key=lambda line: int(line["id"]))
    categories = sorted({line["category"] for line in documents})
    weighed = [*standing, *lines]
    priced, without = priced_offers(offers, lines=weighed, categories=frozenset(categories), known=known, policy=policy)
    held, names = held_offers(holds, map(_offer, priced)), [line["id"] for line in documents]
    document = {
        "schema": SCHEMA,
        "policy": policy.of_instance(),
        "participants": [
            _participant(known.participants[code], policy)
            for code in sorted({line["participant"] for line in documents})
        ],
        "categories": [_category(known.categories[key], policy) for key in categories],
        "offers": held.offers,
        "lines": documents,
        "fixed": fixed_pools(holds, held.names),
        "forbidden": forbidden(holds, held, names, {line.id: line.key for line in lines}, akin),
        "previous": previous(holds, held, {line.id: (line.key, line.forecast) for line in inside_as_sent}, akin),
    }
    inside = tuple(sorted([*standing, *placed], key=lambda line: line.id))
    left = (*stood_for, *excluded, *without)
    return Built(document, tuple(priced), inside, left, tuple(moved(pairs)), held.said)


def _beside(
    lines: Sequence[LiveLine], holds: Holds, akin: Akin
) -> tuple[list[LiveLine], list[LiveLine], list[Excluded]]:
    """The lines of tenders that stand, all others, and those that a tender stands for already."""
    ids = holds.lines
    known = overtaken(holds, {line.id: line.sender for line in lines if line.id in ids}, akin)
    standing, others, left = [], [], []
    for line in lines:
        tender, last = known.get(line.key, ("", line.id))
        if line.id in ids:
            standing.append(line)
        elif line.id > last:
            words = f"tender {tender} stands for an earlier line of its participant, category and item code"
            left.append(Excluded("line", str(line.id), "in_tender", words))
        else:
            others.append(line)
    return standing, others, left


def _check_names(policy: Policy, known: Known) -> None:
    named = {name: getattr(policy, name) for name in ("criterion_value", "green_floor", "category_term_months")}
    faults = unknown_names(named, Codes(known.criteria, known.categories))
    if faults:
        raise refusal(f"policy {policy.name!r}", faults)


def _participant(record: ParticipantRecord, policy: Policy) -> dict[str, Any]:
    leads, pools = record.max_leads, record.max_pools_per_quarter
    return {
        "id": record.code,
        "country": record.country,
        "contracting_authority": record.contracting_authority,
        "may_lead": record.may_lead and record.contracting_authority,
        "max_leads": policy.participant_max_leads if leads is None else leads,
        "max_pools_per_quarter": policy.participant_max_pools_per_quarter if pools is None else pools,
    }


def _category(record: CategoryRecord, policy: Policy) -> dict[str, Any]:
    return {
        "id": record.id,
        "family": record.family,
        "unit": record.base_unit,
        "term_months": policy.category_term_months.get(record.id),
    }


def _offer(offer: PricedOffer) -> dict[str, Any]:
    return {
        "id": offer.record.id,
        "category": offer.record.category,
        "criteria": list(offer.criteria),
        "max_quantity": offer.record.max_quantity,
        "total_max_quantity": offer.record.total_max_quantity,
        "tiers": [
            {"from_quantity": tier.from_quantity.value, "unit_price_eur": micro[0] / MICRO}
            for tier, micro in zip(offer.record.tiers, offer.tiers_micro, strict=True)
        ],
        "co2_saved_kg_per_unit": offer.record.co2_saved.value / MICRO,
    }


def _line(line: LiveLine) -> dict[str, Any]:
    return {
        "id": str(line.id),
        "participant": line.participant,
        "category": line.category,
        "quantity": line.quantity,
        "quantity_low": line.quantity_low,
        "quantity_high": line.quantity_high,
        "unit_price_eur": line.unit_price_eur_micro / MICRO,
        "earliest_start": line.earliest_start,
        "latest_start": line.latest_start,
        "required": sorted(line.required),
        "refused": sorted(line.refused),
        "bridging_rate_per_year": None,
    }
