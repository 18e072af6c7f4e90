"""Call-offs: made within the maximum, warned of in time, taken back, and taken over; inside the open transaction."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlmodel import Session

from pooling import audit, feed
from pooling.access.rules import EVERYONE, Visible
from pooling.agreements import holding, queries
from pooling.agreements.holding import PlannerNeeded
from pooling.agreements.rules import (
    MICRO_IN_CENT,
    Allowance,
    Amounts,
    MaximumReached,
    Standing,
    Term,
    amounts_of,
    counted_for,
    term_of,
)
from pooling.agreements.tables import CallOff
from pooling.cycles import service as cycles
from pooling.errors import NotFound, WrongState
from pooling.notices import service as notices
from pooling.notices.rules import TOGETHER
from pooling.notices.service import Kind
from pooling.reference import service as reference
from pooling.tenders import service as tenders
from pooling.tenders.records import LotRecord, MemberLotRecord, TenderRecord
from pooling.tenders.rules import BUYING, Role, Status


@dataclass(frozen=True, slots=True)
class Ordered:
    """What is to be called off; ``value_minor`` None: at the agreement's price, ``made_on`` None: today."""

    participant: str
    offer: str
    quantity: int
    reference: str
    value_minor: int | None = None
    made_on: date | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """What a buyer may call off of a lot; ``participant`` empty: all buyers together. ``held``: not by itself.
    ``under``: of an associate the lead, which signs for it."""

    lot: LotRecord
    participant: str
    allowance: Allowance
    term: Term
    held: bool = False
    under: str | None = None


class LotFull(MaximumReached):
    """The buyer has that much left, but not all buyers together; ``place`` is held from here on."""

    def __init__(self, told: str, place: Place) -> None:
        super().__init__(told)
        self.place = place


@dataclass(frozen=True, slots=True)
class Agreement:
    """A tender that was handed over, with the buyers that a reader may see, and its lots."""

    tender: TenderRecord
    buyers: tuple[Place, ...]
    lots: tuple[Place, ...]


def agreement_of(session: Session, sees: Visible, tender: UUID) -> Agreement:
    """What may be called off and what has been; raises NotFound where ``sees`` shows no buyer of it, WrongState where
    it is no agreement (yet)."""
    record = tenders.tender_of(session, tender)
    members = [each for each in tenders.members_of(session, tender) if each.participant in sees]
    if not members:
        raise NotFound(f"no tender {tender}; GET /v1/tenders lists them")
    _check_agreed(record)
    lots = tenders.lots_of(session, tender)
    by_id = {lot.id: lot for lot in lots}
    associates = {each.participant for each in members if each.role is Role.ASSOCIATE}
    done = queries.called_off(session, by_id)
    known, there, held = reference.participants(session), queries.places(session, by_id), holding.held(session, by_id)
    buyers = []
    for place in (each for member in members for each in member.lots if each.maximum_quantity is not None):
        codes = counted_for(place.participant, known, holders=_holders(there, place.lot))
        own = _place(by_id[place.lot], place, queries.summed(done, place.lot, codes), record)
        under = record.lead if place.participant in associates else None
        buyers.append(replace(own, held=any((place.lot, code) in held for code in codes), under=under))
    whole = [_place(lot, lot, queries.summed(done, lot.id), record) for lot in lots if lot.maximum_quantity is not None]
    buyers.sort(key=lambda each: (each.participant, each.lot.category, each.lot.id))
    return Agreement(record, tuple(buyers), tuple(whole))


def place_call_off(session: Session, tender: UUID, ordered: Ordered, *, sees: Visible, by: UUID, now: datetime) -> UUID:
    """Call off from an agreement; the id. Whoever comes near the estimate is warned, in time and once.

    Raises NotFound where ``sees`` shows no such buyer, WrongState where it is no agreement or the reference stands
    already, BadFields for a day outside the term, MaximumReached where more is asked for than is left, LotFull where
    the others have left too little of it, PlannerNeeded where the buyer is held. Whoever sees all sets it free.
    """
    record, lot = _found(session, tender, ordered, sees)
    _check_agreed(record)
    if not queries.lock_place(session, lot.id, ordered.participant):
        raise _no_place(tender, ordered)
    session.expire_all()
    agreement = agreement_of(session, EVERYONE, tender)  # as it is now that nobody else can call off of the lot
    mine = next((each for each in agreement.buyers if _is(each, lot, ordered.participant)), None)
    whole = next((each for each in agreement.lots if each.lot.id == lot.id), None)
    if mine is None or whole is None:
        raise _no_place(tender, ordered)
    made_on = mine.term.checked(ordered.made_on, today=cycles.cycle_of(session, record.cycle).day(now))
    _check_reference(session, lot, ordered)
    asked = _amounts(ordered, lot)
    _check_maximum(asked, mine, whole, sees)
    if mine.held:
        holding.release(session, lot.id, _counted(session, lot.id, ordered.participant))
    row = CallOff(
        id=uuid4(),
        tender=tender,
        lot=lot.id,
        participant=ordered.participant,
        placed_as=ordered.participant,
        quantity=asked.quantity,
        value_eur_micro=asked.value_micro,
        made_on=made_on,
        reference=ordered.reference,
        placed_at=now,
        placed_by=by,
    )
    session.add(row)
    session.flush()
    told(session, row, "call-offs.create", action="created")
    for place in (mine, whole):
        _warn(session, record, place, asked, now)
    return row.id


def hold(session: Session, place: Place, *, now: datetime) -> None:
    """After a refusal for the lot's sake: the buyer's next call-off of it is a planner's to enter."""
    holding.hold(session, place.lot.id, place.participant, now=now)
    details = {"tender": str(place.lot.tender), "offer": place.lot.offer}
    resource = ("tender", place.lot.tender)
    audit.acted(session, "call-offs.hold", resource=resource, details=details, participants=[place.participant])


def cancel(
    session: Session, key: UUID, *, reason: str, sees: Visible, by: UUID, now: datetime, expect: Callable[[int], None]
) -> None:
    """Take a call-off back, so that it counts no longer. Where buyers share the lot's maximum, one that does so itself
    is held.

    Raises NotFound, WrongState where it was taken back before, PlannerNeeded where the buyer is held.
    """
    row = session.get(CallOff, key, with_for_update=True)
    if row is None or row.participant not in sees:
        raise NotFound(f"no call-off {key}; GET /v1/call-offs lists them")
    expect(row.version)
    if row.cancelled_at is not None:
        raise WrongState(f"call-off {key} was cancelled already, {row.cancelled_at:%Y-%m-%d}")
    if not sees.all:
        _hold_back(session, row, now=now)
    row.cancelled_at, row.cancelled_by, row.cancel_reason, row.version = now, by, reason, row.version + 1
    session.add(row)
    session.flush()
    told(session, row, "call-offs.cancel")


def _hold_back(session: Session, row: CallOff, *, now: datetime) -> None:
    queries.lock_place(session, row.lot, row.participant)
    agreement = agreement_of(session, EVERYONE, row.tender)
    buyers = [each for each in agreement.buyers if each.lot.id == row.lot]
    mine = next((each for each in buyers if each.participant == row.participant), None)
    if mine is not None and mine.held:
        raise _planner_needed(mine)
    whole = next(each for each in agreement.lots if each.lot.id == row.lot)
    if mine is not None and holding.shared(whole.allowance, [each.allowance for each in buyers]):
        holding.hold(session, row.lot, row.participant, now=now)


def _found(session: Session, tender: UUID, ordered: Ordered, sees: Visible) -> tuple[TenderRecord, LotRecord]:
    record = tenders.tender_of(session, tender)
    mine = [each for each in tenders.members_of(session, tender) if each.participant in sees]
    if not mine:
        raise NotFound(f"no tender {tender}; GET /v1/tenders lists them")
    lots = {each.lot for member in mine if member.participant == ordered.participant for each in member.lots}
    found = [lot for lot in tenders.lots_of(session, tender) if lot.id in lots and lot.offer == ordered.offer]
    if not found:
        raise _no_place(tender, ordered)
    return record, found[0]


def _no_place(tender: UUID, ordered: Ordered) -> NotFound:
    told = f"{ordered.participant!r} is no buyer of offer {ordered.offer!r} in agreement {tender}"
    return NotFound(f"{told}; GET /v1/tenders/{tender}/allowances lists who may call off what")


def _check_agreed(record: TenderRecord) -> None:
    if record.status is not Status.HANDED_OVER:
        raise WrongState(f"tender {record.id} is {record.status}; call-offs begin once it is handed over")
    if record.depth not in BUYING:
        raise WrongState(f"tender {record.id} goes no deeper than {record.depth}: nothing is bought under it together")


def _check_reference(session: Session, lot: LotRecord, ordered: Ordered) -> None:
    codes = _counted(session, lot.id, ordered.participant)
    found = queries.reference_taken(session, lot=lot.id, participants=codes, reference=ordered.reference)
    if found is not None:
        told = f"reference {ordered.reference!r} stands for call-off {found} already"
        raise WrongState(f"{told}; give another, or cancel it")


def _counted(session: Session, lot: int, participant: str) -> frozenset[str]:
    holders = _holders(queries.places(session, [lot]), lot)
    return counted_for(participant, reference.participants(session), holders=holders)


def _holders(held: Collection[tuple[int, str]], lot: int) -> set[str]:
    return {code for key, code in held if key == lot}


def _amounts(ordered: Ordered, lot: LotRecord) -> Amounts:
    if ordered.value_minor is not None:
        return Amounts(ordered.quantity, ordered.value_minor * MICRO_IN_CENT)
    return Amounts(ordered.quantity, ordered.quantity * lot.unit_price_eur_micro)


def _check_maximum(asked: Amounts, mine: Place, whole: Place, sees: Visible) -> None:
    """By the buyer's own figures first. What the others have left is not told to one of them."""
    own = f"{mine.participant} has {_said(mine.allowance.left, mine.lot)} left"
    if mine.allowance.with_more(asked).beyond:
        raise MaximumReached(f"{own}; call off no more")
    if mine.held and not sees.all:
        raise _planner_needed(mine)
    if whole.allowance.with_more(asked).beyond:
        if sees.all:
            raise MaximumReached(f"{own} of its own, but the lot has {_said(whole.allowance.left, mine.lot)} left")
        told = f"{own} of its own, but the lot has less left than that for all buyers together"
        raise LotFull(f"{told}; ask a planner, who enters {mine.participant}'s next call-off of it", mine)


def _planner_needed(mine: Place) -> PlannerNeeded:
    told = (
        f"{mine.participant} was refused for the lot's sake, or took a call-off back: of {mine.lot.offer!r} it orders"
    )
    return PlannerNeeded(f"{told} and takes back no more by itself; ask a planner to enter its next call-off")


def _said(amounts: Amounts, lot: LotRecord) -> str:
    return f"{amounts.quantity} {lot.unit} and EUR {amounts.value_minor // 100}.{amounts.value_minor % 100:02d}"


def _is(place: Place, lot: LotRecord, participant: str) -> bool:
    return place.lot.id == lot.id and place.participant == participant


def _place(lot: LotRecord, fixed: LotRecord | MemberLotRecord, done: Amounts, tender: TenderRecord) -> Place:
    participant = fixed.participant if isinstance(fixed, MemberLotRecord) else ""
    estimate = amounts_of(fixed.estimate_quantity, fixed.estimate_value_minor)
    maximum = amounts_of(fixed.maximum_quantity, fixed.maximum_value_minor)
    return Place(lot, participant, Allowance(estimate, maximum, done), term_of(tender.start, lot.term_months))


ORDER = list(Standing)


def _warn(session: Session, tender: TenderRecord, place: Place, asked: Amounts, now: datetime) -> None:
    """Tell the buyer and the planners, of a whole lot the planners alone, each once for each step up."""
    standing = place.allowance.with_more(asked).standing
    if ORDER.index(standing) <= ORDER.index(place.allowance.standing):
        return
    notices.tell(
        session,
        kind=Kind.CALL_OFF_WARNING,
        subject=("tender", tender.id),
        key=f"call-off-warning:{place.lot.id}:{place.participant}:{standing}",
        now=now,
        participants=[place.participant] if place.participant else [],
        planners=True,
        facts={
            "family": tender.family,
            "category": place.lot.category,
            "standing": standing.value,
            "buyer": place.participant or TOGETHER,
        },
    )


def told(session: Session, row: CallOff, operation: str, *, action: str = "updated", also: Iterable[str] = ()) -> None:
    """Put what was done to a call-off into feed and audit; ``also``: whose it was before."""
    whose = [row.participant, *also]
    feed.changed(session, "call_off", row.id, version=row.version, action=action, participants=whose)
    audit.acted(
        session, operation, resource=("call_off", row.id), details={"tender": str(row.tender)}, participants=whose
    )
