"""The price that members were told, against the one that a lot comes to as it is answered.

A commitment is one to a price: where less comes together than was expected and a lot reaches a dearer tier only,
whoever committed has committed to other terms and is asked again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlmodel import Session

from pooling.errors import WrongState
from pooling.market.rules import MICRO
from pooling.notices import service as notices
from pooling.notices.rules import Kind
from pooling.tenders import queries
from pooling.tenders.freezing import price
from pooling.tenders.judged import Standing
from pooling.tenders.records import LotRecord
from pooling.tenders.rules import Answer, Status
from pooling.tenders.standing import standing
from pooling.tenders.tables import Tender, TenderLot, TenderMember


class TermsChanged(WrongState):
    """A lot is dearer than the price its members committed to: the message names them and both prices."""

    code = "terms-changed"


@dataclass(frozen=True, slots=True)
class Dearer:
    """A lot whose price as answered is above the one its members were told; ``participants``: in it now."""

    lot: LotRecord
    tier: int
    unit_price_eur: float
    participants: tuple[str, ...]

    @property
    def words(self) -> str:
        """In words, with both prices."""
        told = self.lot.unit_price_eur_micro / MICRO
        whose = ", ".join(self.participants)
        return (
            f"lot {self.lot.id} ({self.lot.category}): EUR {self.unit_price_eur:.6g} a unit is reached, and {whose}"
            f" were told EUR {told:.6g}"
        )


def dearer(lots: Sequence[LotRecord], found: Standing) -> list[Dearer]:
    """The lots that come to a dearer price as ``found`` than their members were told; those below their tipping volume
    come to none."""
    told = {lot.id: lot for lot in lots}
    return [
        Dearer(told[each.lot], each.tier, each.unit_price_eur, each.participants)
        for each in found.lots
        if each.tier is not None and each.unit_price_eur is not None
        if round(each.unit_price_eur * MICRO) > told[each.lot].unit_price_eur_micro
    ]


def must_be_as_told(session: Session, row: Tender, found: Standing, place: str) -> None:
    """Raises TermsChanged where a member committed to less than its lot costs as ``found``."""
    above = dearer(queries.lots_of(session, row.id), found)
    if above:
        ask = f"POST /v1/tenders/{row.id}/answers/{above[0].participants[0]}/ask-again"
        said = "; ".join(each.words for each in above)
        raise TermsChanged(f"{place}: {said}; ask them again at the new price ({ask}), or look for a repair")


def against(session: Session, tender: UUID) -> list[str]:
    """Why it could not be confirmed for its prices, as it is answered now, in words; nothing before it is invited."""
    if queries.row_of(session, tender).status != Status.INVITED:
        return []
    return [each.words for each in dearer(queries.lots_of(session, tender), standing(session, tender))]


def reprice(session: Session, row: Tender, only: frozenset[str] | None) -> frozenset[str] | None:
    """Let the lots state the prices that they come to as answered, where these are dearer; the caller asks again.

    Returns whom: ``only`` and everybody whose price it was; None: all.
    """
    asked = only
    for each in dearer(queries.lots_of(session, row.id), standing(session, row.id)):
        price(session.get_one(TenderLot, each.lot.id), each.tier)
        asked = None if asked is None else asked | frozenset(each.participants)
    session.flush()
    return asked


def ask_too(session: Session, row: Tender, participant: str) -> list[str]:
    """One member is asked again, so it is told what its lots cost now; whoever else committed to a cheaper price in
    them is asked too. Returns those others, whose answers count no more."""
    asked = (reprice(session, row, frozenset()) or frozenset()) - {participant}
    found = [session.get_one(TenderMember, (row.id, code)) for code in sorted(asked)]
    others = [each for each in found if each.answer == Answer.COMMITTED]
    for each in others:
        each.answer, each.version = Answer.NONE, each.version + 1
    session.flush()
    return [each.participant for each in others]


def lower(row: TenderLot, tier: int) -> None:
    """Set the tier that a lot reaches unless it is dearer than the price its members were told."""
    if round(row.offer_terms["tiers"][tier]["unit_price_eur"] * MICRO) <= row.unit_price_eur_micro:
        price(row, tier)


def tell_dearer(session: Session, row: Tender, *, now: datetime, without: str) -> None:
    """Tell the members of lots that have become dearer and the planners, once for each price; not ``without``, whose
    answer it was: by trying volumes and waiting to be told it could learn how much the others bring."""
    above = dearer(queries.lots_of(session, row.id), standing(session, row.id))
    if not above:
        return
    reached = ",".join(f"{each.lot.id}-{each.lot.tier}-{each.tier}" for each in above)
    notices.tell(
        session,
        kind=Kind.TENDER_DEARER,
        subject=("tender", row.id),
        key=f"{Kind.TENDER_DEARER}:{row.id}:{sha256(reached.encode()).hexdigest()[:32]}",
        now=now,
        participants=sorted({code for each in above for code in each.participants} - {without}),
        planners=True,
        due=row.answers_due,
        facts={"family": row.family, "cycle": row.cycle},
    )
