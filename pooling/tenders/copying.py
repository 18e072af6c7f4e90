"""A pool of a stored plan copied into a tender's rows: what is decided on does not change with offers or demand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlmodel import Session, col, select

from pooling.cycles.rules import CycleRecord, shallowest
from pooling.market.rules import MICRO
from pooling.planning.plan_reader import Stored
from pooling.planning.rules import Timetable, milestones
from pooling.reference import service as reference
from pooling.tenders.rules import Role, Status
from pooling.tenders.tables import Tender, TenderLine, TenderLot, TenderMember, TenderMemberLot
from pooling.tenders.telling import Act, told

MILLIGRAMS = 10**6
"""In a kilogram."""
SUMMED = ("quantity", "quantity_low", "quantity_high")

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """A stored plan and the cycle it is proposed for; ``own``: depth and item code of lines by id; ``pools``: ids by
    family and start."""

    cycle: CycleRecord
    stored: Stored
    own: Mapping[int, tuple[str | None, str | None]]
    pools: Mapping[tuple[str, str], int]


def copy(session: Session, source: Source, pool: Document, *, now: datetime, by: UUID) -> UUID:
    """Make the tender of a pool of the plan's document."""
    instance = source.stored.frozen.instance
    lines = {line["id"]: line for line in instance["lines"]}
    inside = [lines[key] for lot in pool["lots"] for key in lot["lines"]]
    depth = shallowest((source.own[int(line["id"])][0] for line in inside), most=source.cycle.depth)
    tender = _tender(source, pool, depth=depth, now=now)
    session.add(tender)
    session.flush()
    _members(session, tender, {line["participant"] for line in inside})
    for lot in pool["lots"]:
        add_lot(session, tender, source, lot, [lines[key] for key in lot["lines"]])
    told(session, tender, Act("proposed", "tenders.propose", now, by, details={"depth": depth.value}), new=True)
    return tender.id


def _tender(source: Source, pool: Document, *, depth: str, now: datetime) -> Tender:
    frozen = source.stored.frozen
    dates = milestones(
        pool["start"],
        lead_time_months=frozen.policy["lead_time_months"],
        timetable=Timetable(**frozen.policy["timetable"]),
    )
    return Tender(
        id=uuid4(),
        cycle=source.cycle.code,
        plan=source.stored.id,
        plan_pool=source.pools[pool["family"], pool["start"]],
        family=pool["family"],
        start=pool["start"],
        lead=pool["lead"],
        signing_body=frozen.context["participants"][pool["lead"]]["signing_body"],
        depth=depth,
        deepest=depth,
        status=Status.PROPOSED,
        locked=False,
        policy=dict(frozen.instance["policy"]),
        lines_up_to=max(int(line["id"]) for line in frozen.instance["lines"]),
        dialogue_from=dates.dialogue_from,
        notice_by=dates.notice_by,
        award_by=dates.award_by,
        proposed_at=now,
    )


def _members(session: Session, tender: Tender, codes: set[str]) -> None:
    known = reference.participants(session)
    for code in sorted(codes):
        role = role_of(code, lead=tender.lead, contracting_authority=known[code].contracting_authority)
        session.add(TenderMember(tender=tender.id, participant=code, role=role))
    session.flush()


def role_of(code: str, *, lead: str, contracting_authority: bool) -> Role:
    """What a participant is in a tender."""
    if code == lead:
        return Role.LEAD
    return Role.MEMBER if contracting_authority else Role.ASSOCIATE


def add_lot(session: Session, tender: Tender, source: Source, lot: Document, lines: list[Document]) -> int:
    """Add a lot of the plan's document with its lines; returns its id."""
    frozen = source.stored.frozen
    offer = next(each for each in frozen.instance["offers"] if each["id"] == lot["offer"])
    said = frozen.context["offers"][lot["offer"]]
    category = next(each for each in frozen.instance["categories"] if each["id"] == offer["category"])
    tier, co2 = offer["tiers"][lot["tier"]], said["co2_saved_kg_per_unit"]
    values = {
        "tender": tender.id,
        "category": category["id"],
        "offer": lot["offer"],
        "offer_name": said["name"],
        "unit": category["unit"],
        "tier": lot["tier"],
        "tipping_quantity": offer["tiers"][0]["from_quantity"],
        "tier_quantity": tier["from_quantity"],
        "unit_price_eur_micro": round(tier["unit_price_eur"] * MICRO),
        "term_months": category["term_months"] or frozen.instance["policy"]["term_months"],
        "quantity": sum(line["quantity"] for line in lines),
        "sure_quantity": lot["sure_quantity"],
        "co2_saved_mg_per_unit": round(co2["value"] * MILLIGRAMS),
        "co2_saved_mg_low": round(co2["low"] * MILLIGRAMS),
        "co2_saved_mg_high": round(co2["high"] * MILLIGRAMS),
        "criteria": list(offer["criteria"]),
        "offer_terms": dict(offer),
        "offer_said": dict(said),
    }
    key = int(session.scalars(insert(TenderLot).values(values).returning(col(TenderLot.id))).one() or 0)
    add_lines(session, tender, key, lines, source.own)
    return key


def add_lines(
    session: Session,
    tender: Tender,
    lot: int,
    lines: list[Document],
    own: Mapping[int, tuple[str | None, str | None]],
) -> None:
    """Add lines of an instance to a lot, and what they bring of each member; its sum is the caller's."""
    brought: dict[str, dict[str, int]] = {}
    for line in lines:
        depth, item_code = own[int(line["id"])]
        same = ("participant", "category", *SUMMED, "earliest_start", "latest_start")
        session.add(
            TenderLine(
                lot=lot,
                line=int(line["id"]),
                **{name: line[name] for name in same},
                unit_price_eur_micro=round(line["unit_price_eur"] * MICRO),
                required=list(line["required"]),
                refused=list(line["refused"]),
                depth=depth,
                item_code=item_code,
            )
        )
        sums = brought.setdefault(line["participant"], dict.fromkeys(SUMMED, 0))
        for name in SUMMED:
            sums[name] += line[name]
    category = lines[0]["category"]
    parts = session.exec(select(TenderMemberLot).where(TenderMemberLot.lot == lot))
    there = {part.participant: part for part in parts}
    for code, sums in sorted(brought.items()):
        part = there.get(code)
        if part is None:
            part = TenderMemberLot(lot=lot, participant=code, tender=tender.id, category=category, **sums)
        else:
            for name in SUMMED:
                setattr(part, name, getattr(part, name) + sums[name])
        session.add(part)
    session.flush()
