"""What can be done with offers, inside the open transaction; nothing here commits."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete
from sqlmodel import Session, col, select

from pooling import audit, feed
from pooling.database import one_at_a_time
from pooling.demand import service as demand
from pooling.errors import BadInput
from pooling.market import files, intake
from pooling.market.fit import FitSettings, Fitted, Observed, fit_category
from pooling.market.rules import MICRO, Figure, OfferRecord, TierRecord
from pooling.market.tables import Offer, OfferTier
from pooling.market.volume import DemandLine, VolumeSettings, volume_to_market
from pooling.reference import service as reference

__all__ = [
    "DemandLine",
    "FitSettings",
    "VolumeSettings",
    "all_offers",
    "fit_offers",
    "load_offers",
    "offers",
    "store_offers",
    "volume_to_market",
]


@dataclass(frozen=True, slots=True)
class OffersLoaded:
    """What a load did, by offer id; ``unchanged`` were there already, word for word."""

    file_name: str
    file_sha256: str
    added: tuple[str, ...]
    replaced: tuple[str, ...]
    unchanged: tuple[str, ...]


def load_offers(session: Session, path: Path, *, loaded_at: datetime) -> OffersLoaded:
    """Store the offers of a CSV, XLSX or TOML file (docs/offers.md); an id that is known is replaced.

    The same file again changes nothing. Raises BadInput with every fault, and then nothing is stored.
    """
    drafts, faults = files.read(path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    known = intake.Known(reference.categories(session).keys(), reference.criteria(session).keys())
    records, more = intake.records(drafts, known=known, file_name=path.name, file_sha256=sha256)
    faults += more
    if not drafts and not faults:
        faults.append("no offer in it; give at least one")
    if faults:
        raise BadInput("\n  ".join([f"{path.name}: {len(faults)} to correct, nothing was stored", *faults]))
    return store_offers(session, records, file=(path.name, sha256), loaded_at=loaded_at)


def store_offers(
    session: Session, records: Iterable[OfferRecord], *, file: tuple[str, str], loaded_at: datetime
) -> OffersLoaded:
    """Store records as they are; ``file`` is the name and SHA-256 they come from. A withdrawn offer stands again."""
    lock(session)
    before = {record.id: record for record in all_offers(session)}
    done: dict[str, list[str]] = {"added": [], "replaced": [], "unchanged": []}
    for record in records:
        stored = before.get(record.id)
        if stored is not None and replace(stored, file_name=record.file_name) == record:
            done["unchanged"].append(record.id)
        else:
            done[_store(session, record, loaded_at)].append(record.id)
    session.flush()
    if done["added"] or done["replaced"]:
        details = {name: len(ids) for name, ids in done.items()} | {"sha256": file[1]}
        ids = done["added"] + done["replaced"]
        audit.acted(session, "offers.load", resource=("offer", ids[0]) if len(ids) == 1 else None, details=details)
    return OffersLoaded(*file, *(tuple(done[name]) for name in ("added", "replaced", "unchanged")))


def _store(session: Session, record: OfferRecord, loaded_at: datetime) -> str:
    row = session.get(Offer, record.id)
    new = row is None
    if row is None:
        row = Offer(version=1, **_offer_values(record, loaded_at))
        session.add(row)
    else:
        for name, value in _offer_values(record, loaded_at).items():
            setattr(row, name, value)
        row.version += 1
        session.execute(delete(OfferTier).where(col(OfferTier.offer) == record.id))
        session.expire_all()
    session.flush()  # the tiers point at it
    session.add_all(_tier_row(record.id, position, tier) for position, tier in enumerate(record.tiers))
    feed.changed(session, "offer", record.id, version=row.version, action="created" if new else "updated")
    return "added" if new else "replaced"


def lock(session: Session) -> None:
    """One writer of offers at a time."""
    one_at_a_time(session, "pooling.market.offers")


def all_offers(session: Session) -> list[OfferRecord]:
    """Every offer that was not withdrawn, whenever it holds, by id."""
    tiers: dict[str, list[OfferTier]] = {}
    for tier in session.exec(select(OfferTier).order_by(OfferTier.offer, col(OfferTier.position))):
        tiers.setdefault(tier.offer, []).append(tier)
    standing = session.exec(select(Offer).where(col(Offer.withdrawn_at).is_(None)))
    return [record_of(row, tiers[row.id]) for row in sorted(standing, key=lambda row: row.id)]


def offers(session: Session, on: date) -> list[OfferRecord]:
    """The offers that hold on that day, by id."""
    return [record for record in all_offers(session) if record.holds(on)]


def fit_offers(session: Session, settings: FitSettings) -> list[Fitted]:
    """Offers fitted on the live demand, one answer a category. Nothing is stored: write them to a file and load it."""
    lines = demand.live_lines(session).sort("category", "id")
    observed: dict[str, list[Observed]] = {}
    columns = ("category", "quantity", "unit_price_eur_micro", "earliest_start")
    for category, quantity, price, start in lines.select(columns).iter_rows():
        observed.setdefault(category, []).append(Observed(quantity, price / MICRO, start[:4]))
    return [fit_category(category, observed[category], settings) for category in sorted(observed)]


def _offer_values(record: OfferRecord, loaded_at: datetime) -> dict[str, Any]:
    return {
        "id": record.id,
        "category": record.category,
        "name": record.name,
        "criteria": list(record.criteria),
        "currency": record.currency,
        "price_basis": record.price_basis,
        "max_quantity": record.max_quantity,
        "total_max_quantity": record.total_max_quantity,
        "term_months": record.term_months,
        "co2_saved_mg_per_unit": record.co2_saved.value,
        "co2_saved_mg_low": record.co2_saved.low,
        "co2_saved_mg_high": record.co2_saved.high,
        "co2_source": record.co2_saved.source,
        "co2_source_date": record.co2_saved.source_date,
        "valid_from": record.valid_from,
        "valid_to": record.valid_to,
        "file_name": record.file_name,
        "file_sha256": record.file_sha256,
        "loaded_at": loaded_at,
        "withdrawn_at": None,
    }


def _tier_row(offer: str, position: int, tier: TierRecord) -> OfferTier:
    return OfferTier(
        offer=offer,
        position=position,
        from_quantity=tier.from_quantity.value,
        from_quantity_low=tier.from_quantity.low,
        from_quantity_high=tier.from_quantity.high,
        quantity_source=tier.from_quantity.source,
        quantity_source_date=tier.from_quantity.source_date,
        price_micro=tier.price.value,
        price_low_micro=tier.price.low,
        price_high_micro=tier.price.high,
        price_source=tier.price.source,
        price_source_date=tier.price.source_date,
    )


def record_of(row: Offer, tiers: Iterable[OfferTier]) -> OfferRecord:
    """A stored offer as a record; ``tiers`` in order."""
    return OfferRecord(
        id=row.id,
        category=row.category,
        name=row.name,
        criteria=tuple(row.criteria),
        price_basis=row.price_basis,
        currency=row.currency,
        tiers=tuple(
            TierRecord(
                Figure(
                    tier.from_quantity,
                    tier.from_quantity_low,
                    tier.from_quantity_high,
                    tier.quantity_source,
                    tier.quantity_source_date,
                ),
                Figure(
                    tier.price_micro,
                    tier.price_low_micro,
                    tier.price_high_micro,
                    tier.price_source,
                    tier.price_source_date,
                ),
            )
            for tier in tiers
        ),
        co2_saved=Figure(
            row.co2_saved_mg_per_unit,
            row.co2_saved_mg_low,
            row.co2_saved_mg_high,
            row.co2_source,
            row.co2_source_date,
        ),
        max_quantity=row.max_quantity,
        total_max_quantity=row.total_max_quantity,
        term_months=row.term_months,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        file_name=row.file_name,
        file_sha256=row.file_sha256,
    )
