"""A small Nordic demand, made up, straight into the tables: what the tests of planning look at."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from pooling.database import transaction
from pooling.demand.tables import Line, MappingVersion, Submission
from pooling.market import service as market
from pooling.market.rules import Figure, OfferRecord, TierRecord
from pooling.planning.policy import Policy, policy_of
from pooling.reference import service as reference
from tests import copies

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
AS_OF = date(2026, 11, 1)
NAMES = UUID("b7a1f2de-0000-4000-8000-000000000000")
GLOVES, GOWNS = "examination-gloves-nitrile-non-sterile", "isolation-non-surgical-gowns"


def submission(session: Session, name: str = "all", *, status: str = "accepted") -> UUID:
    """A submission without lines."""
    version = MappingVersion(name="own", sha256=name.ljust(64, "0"), first_used_at=NOW)
    row = Submission(
        id=uuid5(NAMES, name),
        series=name,
        status=status,
        supersedes=None,
        file_name=f"=cmd {name}.csv",
        file_sha256="f" * 64,
        file_bytes=100,
        mapping_name="own",
        mapping_sha256=version.sha256,
        received_at=NOW,
        rows_read=9,
        lines_made=9,
        rows_refused=0,
        rows_skipped=0,
        rows_quarantined=0,
        report={},
    )
    session.add_all([version, row])
    session.flush()
    return row.id


def line(participant: str, quantity: int = 400_000, category: str = GLOVES, **changes: Any) -> dict[str, Any]:
    """A line's own columns; price EUR 0.05 unless said otherwise."""
    return {
        "participant": participant,
        "category": category,
        "quantity": quantity,
        "quantity_low": quantity * 9 // 10,
        "quantity_high": quantity * 11 // 10,
        "unit_price_eur_micro": 50_000,
        "earliest_start": "2027-12",
        "latest_start": "2028-12",
        "required": "",
        "refused": "",
        "item_code": None,
    } | changes


def add_lines(session: Session, of: UUID, lines: Sequence[dict[str, Any]]) -> list[int]:
    """Store lines in a submission; returns their ids."""
    version = session.exec(
        select(MappingVersion.id)
        .join(Submission, col(Submission.mapping_sha256) == col(MappingVersion.sha256))
        .where(Submission.id == of)
    ).one()
    rows = [
        Line(
            submission=of,
            row=number,
            rows=1,
            mapping=version,
            sent_as=values["participant"],
            unit_price_micro=values["unit_price_eur_micro"] * 11,
            currency="SEK",
            exchange_rate_micro=11_000_000,
            exchange_rate_date=date(2026, 10, 30),
            window_source="contract end",
            delivered=None,
            original_quantity=str(values["quantity"]),
            original_unit="ST",
            original_price="-0,55",
            **values,
        )
        for number, values in enumerate(lines, start=2)
    ]
    session.add_all(rows)
    session.flush()
    return [row.id for row in rows if row.id is not None]


def figure(value: int, source: str = "made up") -> Figure:
    return Figure(value, value * 9 // 10, value * 11 // 10, source, AS_OF)


def offer(name: str = "gloves-green", category: str = GLOVES, **changes: Any) -> OfferRecord:
    """Tipping volume 1 000 000 at EUR 0.049, from 2 000 000 at EUR 0.047; meets the spearhead level."""
    fields: dict[str, Any] = {
        "id": name,
        "category": category,
        "name": "Green gloves",
        "criteria": ("uhm-spearhead",),
        "price_basis": "absolute",
        "currency": "EUR",
        "tiers": (
            TierRecord(figure(1_000_000), figure(49_000)),
            TierRecord(figure(2_000_000), figure(47_000)),
        ),
        "co2_saved": figure(12_000),
        "file_name": "offers.csv",
        "file_sha256": "e" * 64,
    }
    return OfferRecord(**fields | changes)


def policy(**changes: Any) -> Policy:
    """Cheap to pool, so that a few lines do."""
    given = {
        "as_of": AS_OF,
        "pool_cost_eur": 100,
        "lot_cost_eur": 10,
        "line_cost_eur": 1,
        "country_cost_eur": 20,
        "forecast_correlation": 0.0,
        "criterion_value": {"uhm-basic": 0.01},
    }
    return policy_of(given | changes, today=NOW.date())


def small_world(session: Session) -> list[int]:
    """Eight lines of gloves and gowns, one offer for the gloves; returns the line ids in order."""
    if not reference.participants(session):
        reference.install(session)
    market.store_offers(session, [offer()], file=("offers.csv", "e" * 64), loaded_at=NOW)
    return add_lines(
        session,
        submission(session),
        [
            line("SE-M", 900_000, required="uhm-basic"),
            line("SE-M", 100_000, latest_start="2028-01"),
            line("NO-HSO", 700_000),
            line("DK-84", 600_000, earliest_start="2026-11"),
            line("FO", 50_000),
            line("FI-11", 300_000, refused="uhm-advanced"),
            line("SE-AB", 500_000, GOWNS),
            line("IS", 10_000, earliest_start="2040-01", latest_start="2040-06"),
        ],
    )


def small_world_in(engine: Engine) -> list[int]:
    """The small world in an empty database with the packaged reference data, as one call."""

    def fill() -> list[int]:
        copies.install_reference(engine)
        with transaction(engine) as session:
            return small_world(session)

    return copies.once(engine, fill, key="small world")
