"""Read-only looks at offers, withdrawn ones too."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, select

from pooling.errors import NotFound
from pooling.market.rules import OfferRecord
from pooling.market.service import record_of
from pooling.market.tables import Offer, OfferDialogue, OfferTier
from pooling.paging import Window


@dataclass(frozen=True, slots=True)
class Shown:
    """An offer as stored: the record, the row it came from, and the dialogues it rests on."""

    record: OfferRecord
    row: Offer
    dialogues: tuple[UUID, ...]


def offers(session: Session, window: Window, *, category: str | None = None, withdrawn: bool = False) -> list[Shown]:
    """Offers by id; ``withdrawn``: those too that were taken back."""
    wanted = select(Offer).where(window.clause(col(Offer.id)))
    if category is not None:
        wanted = wanted.where(col(Offer.category) == category)
    if not withdrawn:
        wanted = wanted.where(col(Offer.withdrawn_at).is_(None))
    return _shown(session, session.exec(wanted.order_by(col(Offer.id)).limit(window.fetch)).all())


def offer(session: Session, key: str) -> Shown:
    """An offer; raises NotFound."""
    row = session.get(Offer, key)
    if row is None:
        raise NotFound(f"no offer {key!r}")
    return _shown(session, [row])[0]


def _shown(session: Session, rows: Sequence[Offer]) -> list[Shown]:
    ids = [row.id for row in rows]
    tiers: dict[str, list[OfferTier]] = {each: [] for each in ids}
    rests: dict[str, list[UUID]] = {each: [] for each in ids}
    order = (col(OfferTier.offer), col(OfferTier.position))
    for tier in session.exec(select(OfferTier).where(col(OfferTier.offer).in_(ids)).order_by(*order)):
        tiers[tier.offer].append(tier)
    for link in session.exec(select(OfferDialogue).where(col(OfferDialogue.offer).in_(ids))):
        rests[link.offer].append(link.dialogue)
    return [Shown(record_of(row, tiers[row.id]), row, tuple(sorted(rests[row.id]))) for row in rows]
