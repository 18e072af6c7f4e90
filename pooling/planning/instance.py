"""Lines, offers, reference data and policy to the question the solver answers. Pure, and the same input gives the
same document: everything is ordered, money is exact millionths until the last step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache, partial
from typing import Any

from pooling.errors import BadInput
from pooling.market.rules import INDEX, MICRO, OfferRecord, TierRecord
from pooling.planning.holds import (
    NOTHING,
    Akin,
    Forecast,
    Holds,
    Key,
    fixed_pools,
    forbidden,
    held_offers,
    overtaken,
    previous,
)
from pooling.planning.policy import Codes, Policy, refusal, unknown_names
from pooling.planning.rules import first_day, month_after, shifted
from pooling.reference.rates import rate_on
from pooling.reference.rules import CategoryRecord, ParticipantRecord, before_and_after, closure, rehome
from solver.checks import LARGEST_WHOLE

SCHEMA = "pooling.instance/1"
MOST_NAMED = 5  # lines that a warning names


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


@dataclass(frozen=True, slots=True)
class PricedOffer:
    """An offer with prices in EUR: value, low and high of each tier in millionths. ``index_base_micro`` is today's
    volume-weighted price where the price is an index; ``per_eur`` and ``rate_day`` are the rate of an absolute one."""

    record: OfferRecord
    criteria: tuple[str, ...]
    tiers_micro: tuple[tuple[int, int, int], ...]
    index_base_micro: int | None
    per_eur: str | None
    rate_day: str | None


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

    A participant whose demand passes to a successor while its line can start is replaced by it, see `_held`. Criteria
    of offers are closed under implication, so that a line that requires a lower level accepts a higher one; a line's
    own stand as stated. Raises BadSetting where the policy names a criterion or category that is not known.
    """
    _check_names(policy, known)
    akin = cache(partial(before_and_after, participants=known.participants))
    standing, lines, stood_for = _beside(sorted(lines, key=lambda line: line.id), holds, akin)
    pairs, excluded = _placed(lines, known=known, policy=policy)
    placed = [held for _, held in pairs]
    inside_as_sent = [*standing, *(sent for sent, _ in pairs)]
    fixed = [line for lot in holds.lots for line in lot.lines]
    documents = sorted([*fixed, *map(_line, placed)], key=lambda line: int(line["id"]))
    categories = sorted({line["category"] for line in documents})
    weighed = [*standing, *lines]
    priced, without = _priced(offers, lines=weighed, categories=frozenset(categories), known=known, policy=policy)
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
    return Built(document, tuple(priced), inside, left, tuple(_moved(pairs)), held.said)


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


Pair = tuple[LiveLine, LiveLine]  # as sent, as held


def _placed(lines: Sequence[LiveLine], *, known: Known, policy: Policy) -> tuple[list[Pair], list[Excluded]]:
    """The lines as sent and as held at their start, and those that nobody holds or that contradict themselves."""
    placed, excluded = [], []
    for line in lines:
        fault = _contradiction(line, known)
        if fault:
            excluded.append(Excluded("line", str(line.id), *fault))
            continue
        try:
            placed.append((line, _held(line, participants=known.participants, policy=policy)))
        except BadInput as nobody:
            excluded.append(Excluded("line", str(line.id), "no_participant", str(nobody)))
    return placed, excluded


def _held(line: LiveLine, *, participants: Mapping[str, ParticipantRecord], policy: Policy) -> LiveLine:
    """The line under the one participant that holds it at every start that is left to it.

    Where a participant ends among the possible starts, the line is its successor's and starts no earlier than the
    first month that is wholly after: the lead time makes starts before it exceptional. Without a successor the line
    starts before that month. Raises BadInput where nobody holds it.
    """
    earliest, latest = line.earliest_start, line.latest_start
    last = min(latest, shifted(policy.horizon_start, policy.horizon_months - 1))
    holder = rehome(line.participant, first_day(max(earliest, policy.horizon_start)), participants)
    while (end := participants[holder].valid_to) and (border := month_after(end, 0)) <= last:
        if participants[holder].successor is None:
            latest = shifted(border, -1)
            break
        holder, earliest = rehome(holder, first_day(border), participants), border
    if (holder, earliest, latest) == (line.participant, line.earliest_start, line.latest_start):
        return line
    return replace(line, participant=holder, earliest_start=earliest, latest_start=latest)


def _moved(pairs: Sequence[Pair]) -> Iterator[str]:
    """A sentence for each change of window that `_held` made, with the lines it concerns."""
    found: dict[tuple[str, str], list[int]] = {}
    for sent, held in pairs:
        words = []
        if held.earliest_start != sent.earliest_start:
            words.append(f"as {held.participant}'s, from {held.earliest_start} on")
        if held.latest_start != sent.latest_start:
            words.append(f"up to {held.latest_start}")
        if words:
            found.setdefault((sent.participant, " and ".join(words)), []).append(held.id)
    for (sender, change), ids in sorted(found.items()):
        named = ", ".join(map(str, ids[:MOST_NAMED])) + (" and others" if len(ids) > MOST_NAMED else "")
        lines = "line" if len(ids) == 1 else "lines"
        yield f"{sender} ends while {len(ids)} of its lines could start: they are planned {change} ({lines} {named})."


def _contradiction(line: LiveLine, known: Known) -> tuple[str, str] | None:
    both = set(line.required) & set(line.refused)
    if both:
        return "required_and_refused", f"it both requires and refuses {' '.join(sorted(both))}"
    if line.category not in known.categories:
        return "no_category", f"category {line.category!r} is not known; add it to the reference data"
    in_order = line.quantity >= 1 and 0 <= line.quantity_low <= line.quantity <= line.quantity_high <= LARGEST_WHOLE
    if not in_order:
        return "not_a_quantity", f"low {line.quantity_low}, quantity {line.quantity}, high {line.quantity_high}"
    if line.earliest_start > line.latest_start:
        return "not_a_window", f"earliest start {line.earliest_start} after latest {line.latest_start}"
    return None


def _priced(
    offers: Sequence[OfferRecord],
    *,
    lines: Sequence[LiveLine],
    categories: frozenset[str],
    known: Known,
    policy: Policy,
) -> tuple[list[PricedOffer], list[Excluded]]:
    today = weighted_prices(lines)
    priced, excluded = [], []
    for record in sorted(offers, key=lambda offer: offer.id):
        term = policy.category_term_months.get(record.category, policy.term_months)
        if not record.holds(policy.as_of):
            days = f"it holds from {record.valid_from or 'ever'} to before {record.valid_to or 'ever'}"
            excluded.append(Excluded("offer", record.id, "not_valid", f"{days}, not on {policy.as_of}"))
        elif record.category not in categories:
            excluded.append(Excluded("offer", record.id, "no_demand", f"nobody has demand in {record.category}"))
        elif record.term_months not in (None, term):
            words = f"its prices presume {record.term_months} months, the term is {term}"
            excluded.append(Excluded("offer", record.id, "other_term", words))
        else:
            priced.append(_price(record, today[record.category], known))
    return priced, excluded


def weighted_prices(lines: Sequence[LiveLine]) -> dict[str, Fraction]:
    """Today's price of each category: sum of spend over sum of quantity of all its live lines, millionths of EUR."""
    spend: dict[str, int] = {}
    quantity: dict[str, int] = {}
    for line in lines:
        spend[line.category] = spend.get(line.category, 0) + line.quantity * line.unit_price_eur_micro
        quantity[line.category] = quantity.get(line.category, 0) + line.quantity
    return {category: Fraction(spend[category], quantity[category]) for category in spend if quantity[category]}


def _price(record: OfferRecord, today: Fraction, known: Known) -> PricedOffer:
    rate = None if record.price_basis == INDEX else rate_on(record.currency, record.priced_on)
    factor = today / MICRO if rate is None else 1 / Fraction(rate.per_eur)

    def in_eur(tier: TierRecord) -> tuple[int, int, int]:
        value, low, high = (round(amount * factor) for amount in (tier.price.value, tier.price.low, tier.price.high))
        return value, low, high

    return PricedOffer(
        record=record,
        criteria=tuple(sorted(closure(record.criteria, known.implications))),
        tiers_micro=tuple(in_eur(tier) for tier in record.tiers),
        index_base_micro=round(today) if rate is None else None,
        per_eur=str(rate.per_eur) if rate else None,
        rate_day=rate.day.isoformat() if rate else None,
    )


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
