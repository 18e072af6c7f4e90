"""What the contract notice of a tender must state, for whoever runs the procedure: its lead, from the hand-over on.

Buyers are named by then, each with estimate and maximum, which everybody will read in the notice. Nothing else that is
another's is in it: no lines, answers, conditions or prices of today, and of the offer neither tiers nor sources.
"""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlmodel import Session

from pooling.access.projection import OPEN, OWN
from pooling.access.rules import Visible
from pooling.errors import NotFound
from pooling.reference import service as reference
from pooling.tenders import queries
from pooling.tenders.consequences import consequences, value_with_options
from pooling.tenders.records import LotRecord, MemberRecord, TenderRecord
from pooling.tenders.rules import Status
from pooling.tenders.said import Said, said

Count = Annotated[int, OWN]


class NoticeBuyerLot(msgspec.Struct, frozen=True, kw_only=True):
    """What a buyer may call off of a lot over its term: base units, and EUR cents ex VAT."""

    whole: ClassVar[Meta] = OWN
    lot: Count
    estimate_quantity: Count
    maximum_quantity: Count
    estimate_value_cents: Count
    maximum_value_cents: Count


class NoticeBuyer(msgspec.Struct, frozen=True, kw_only=True):
    """A buyer by name. ``role``: lead, member, or associate where it cannot sign. Seen by itself and by ``lead``."""

    owner: ClassVar[tuple[str, ...]] = ("participant", "lead")
    whole: ClassVar[Meta] = OWN
    participant: str
    name: str
    country: str
    role: str
    signing_body: str
    lead: str
    lots: list[NoticeBuyerLot]


class NoticeLot(msgspec.Struct, frozen=True, kw_only=True):
    """A lot, with what all its buyers may call off together; its maximum may be less than theirs added up."""

    whole: ClassVar[Meta] = OWN
    lot: Count
    category: str
    cpv: str | None
    unit: str
    criteria: list[str]
    term_months: Count
    estimate_quantity: Count
    maximum_quantity: Count
    estimate_value_cents: Count
    maximum_value_cents: Count


class NoticeConsequence(Said, frozen=True, kw_only=True):
    """What one rule of the law says of the tender, why, and what follows."""

    whole: ClassVar[Meta] = OWN
    figures: Annotated[dict[str, float], OWN]


class TenderNotice(msgspec.Struct, frozen=True, kw_only=True):
    """What the notice of a tender states. Values are EUR cents ex VAT over the whole term: ``maximum_value_cents`` is
    the value with all options, which thresholds are held against. ``consequences``: by the law of ``notice_by``."""

    owner: ClassVar[str] = "lead"
    whole: ClassVar[Meta] = OWN
    tender: UUID
    version: Annotated[int, OPEN]
    cycle: str
    family: str
    depth: str
    starts_on: date
    ends_before: date
    notice_by: date
    lead: str
    signing_body: str
    law: str
    language: str
    complaint_board: str
    estimate_value_cents: Count
    maximum_value_cents: Count
    buyers: list[NoticeBuyer]
    lots: list[NoticeLot]
    consequences: list[NoticeConsequence]


def notice(session: Session, sees: Visible, tender: UUID) -> TenderNotice:
    """What the notice states. Raises NotFound where it was not handed over yet, or ``sees`` does not show its lead."""
    record = queries.tender_of(session, tender)
    if record.lead not in sees or record.status is not Status.HANDED_OVER:
        raise NotFound(f"no notice of tender {tender}; its lead has it once the tender is handed over")
    body = reference.signing_bodies(session)[record.signing_body]
    lots = [lot for lot in queries.lots_of(session, tender) if lot.maximum_quantity is not None]
    same = ("version", "cycle", "family", "depth", "starts_on", "ends_before", "notice_by", "lead")
    return TenderNotice(
        tender=record.id,
        **{name: getattr(record, name) for name in same},
        signing_body=body.name,
        **{name: getattr(body, name) for name in ("law", "language", "complaint_board")},
        estimate_value_cents=sum(lot.estimate_value_minor or 0 for lot in lots),
        maximum_value_cents=value_with_options(session, tender),
        buyers=_buyers(session, record, queries.members_of(session, tender)),
        lots=_lots(session, lots),
        consequences=_consequences(session, record),
    )


def _buyers(session: Session, record: TenderRecord, members: Sequence[MemberRecord]) -> list[NoticeBuyer]:
    known, bodies = reference.participants(session), reference.signing_bodies(session)
    return [
        NoticeBuyer(
            participant=each.participant,
            name=known[each.participant].name,
            country=known[each.participant].country,
            role=each.role.value,
            signing_body=bodies[known[each.participant].signing_body].name,
            lead=record.lead,
            lots=[
                NoticeBuyerLot(
                    lot=part.lot,
                    estimate_quantity=part.estimate_quantity or 0,
                    maximum_quantity=part.maximum_quantity,
                    estimate_value_cents=part.estimate_value_minor or 0,
                    maximum_value_cents=part.maximum_value_minor or 0,
                )
                for part in each.lots
                if part.maximum_quantity is not None
            ],
        )
        for each in members
        if each.buys
    ]


def _lots(session: Session, lots: Sequence[LotRecord]) -> list[NoticeLot]:
    categories = reference.categories(session)
    return [
        NoticeLot(
            lot=lot.id,
            category=lot.category,
            cpv=categories[lot.category].cpv,
            unit=lot.unit,
            criteria=list(lot.criteria),
            term_months=lot.term_months,
            estimate_quantity=lot.estimate_quantity or 0,
            maximum_quantity=lot.maximum_quantity or 0,
            estimate_value_cents=lot.estimate_value_minor or 0,
            maximum_value_cents=lot.maximum_value_minor or 0,
        )
        for lot in lots
    ]


def _consequences(session: Session, record: TenderRecord) -> list[NoticeConsequence]:
    return [NoticeConsequence(**said(each)) for each in consequences(session, record.id)]
