"""Records of tenders put into the models that the API answers."""

from uuid import UUID

from msgspec import structs
from sqlmodel import Session

from pooling.access.rules import Visible
from pooling.market.rules import MICRO
from pooling.tenders import consequences, facts, freezing, prices, queries, repair_views, views
from pooling.tenders.copying import MILLIGRAMS
from pooling.tenders.judged import Standing
from pooling.tenders.records import LotRecord, MemberRecord, TenderRecord
from pooling.tenders.repairs import Moving, RepairRecord
from pooling.tenders.rules import Role, Status
from pooling.tenders.said import said
from pooling.tenders.standing import standing
from pooling.tenders.tables import TenderEvent

ITEM = tuple(field.name for field in structs.fields(views.TenderItem) if field.name != "holds")
OF_TENDER = (
    "plan",
    "starts_on",
    "ends_before",
    "dialogue_from",
    "notice_by",
    "award_by",
    "frozen_at",
    "deepest",
    "signing_body",
    "note",
    "changed_terms",
)


def item(record: TenderRecord) -> views.TenderItem:
    """A tender in a list."""
    return views.TenderItem(**{name: getattr(record, name) for name in ITEM}, holds=not record.short)


def tender(session: Session, key: UUID) -> views.TenderView:
    """A tender whole; raises NotFound."""
    record, members = queries.tender_of(session, key), queries.members_of(session, key)
    lots = queries.lots_of(session, key)
    named = [each for each in members if each.buys] if record.frozen_at is not None else []
    return views.TenderView(
        **{name: getattr(record, name) for name in (*ITEM, *OF_TENDER)},
        holds=not record.short,
        pool=record.plan_pool,
        buyers=[each.participant for each in named if each.role is not Role.ASSOCIATE],
        associates=[
            views.AssociateView(participant=each.participant, under=record.lead)
            for each in named
            if each.role is Role.ASSOCIATE
        ],
        warnings=freezing.beyond_supply(lots),
        members=[answer(each) for each in members],
        facts=_facts(session, record, {each.category for each in lots}),
        lots=[_lot(each) for each in lots],
    )


def _facts(session: Session, record: TenderRecord, categories: set[str]) -> views.FactsView:
    offered = queries.offers_of(session, categories, record.notice_by)
    return views.FactsView(
        **{name: getattr(record, name) for name in facts.WHOLE},
        categories={each: _category_facts(record, each, offered[each]) for each in sorted(categories)},
    )


def _category_facts(record: TenderRecord, category: str, offers: int) -> views.CategoryFactsView:
    known = facts.of_category(record, category)
    return views.CategoryFactsView(buying_share=known.buying_share, suppliers=known.suppliers, offers=offers)


def answer(record: MemberRecord) -> views.AnswerView:
    """A member with its answer."""
    same = (
        "participant",
        "version",
        "role",
        "answer",
        "conditions",
        "reason",
        "answered_at",
        "answered_by",
        "given_by",
    )
    return views.AnswerView(
        **{name: getattr(record, name) for name in same},
        change=None if record.change is None else dict(record.change),
        volumes=[
            views.MemberVolume(
                lot=each.lot,
                category=each.category,
                quantity_per_year=each.quantity,
                estimate_value_cents=each.estimate_value_minor,
                maximum_value_cents=each.maximum_value_minor,
                **{name: getattr(each, name) for name in OF_VOLUME},
            )
            for each in record.lots
        ],
    )


OF_VOLUME = (
    "quantity_low",
    "quantity_high",
    "committed_quantity",
    "committed_low",
    "committed_high",
    "estimate_quantity",
    "maximum_quantity",
)


def _lot(lot: LotRecord) -> views.TenderLotView:
    same = ("id", "category", "unit", "offer", "offer_name", "tier", "tipping_quantity", "tier_quantity", "term_months")
    return views.TenderLotView(
        **{name: getattr(lot, name) for name in (*same, "sure_quantity", "estimate_quantity", "maximum_quantity")},
        criteria=list(lot.criteria),
        unit_price_eur=lot.unit_price_eur_micro / MICRO,
        quantity_per_year=lot.quantity,
        co2_saved_kg_per_unit=lot.co2_saved_mg_per_unit / MILLIGRAMS,
        co2_saved_low_kg_per_unit=lot.co2_saved_mg_low / MILLIGRAMS,
        co2_saved_high_kg_per_unit=lot.co2_saved_mg_high / MILLIGRAMS,
        lines=[line.line for line in lot.lines],
        estimate_value_cents=lot.estimate_value_minor,
        maximum_value_cents=lot.maximum_value_minor,
    )


TOLD_WHY = frozenset(
    {Status.INVITED, Status.CONFIRMED, Status.HANDED_OVER, Status.REJECTED, Status.EXPIRED, "replaced"}
)
"""What was done to a tender that its members are told the reason of."""


def event(row: TenderEvent, *, sees: Visible) -> views.EventView:
    """A row of the history as ``sees`` lets it be read: planners' reasons of what they prepare are for planners."""
    same = ("id", "what", "from_status", "to_status", "at", "participant", "by", "details")
    told = row.what in TOLD_WHY or (row.participant in sees if row.participant else sees.all)
    return views.EventView(
        **{name: getattr(row, name) for name in same}, by_role=_role(row), reason=row.reason if told else None
    )


def _role(row: TenderEvent) -> str:
    if row.by is None:
        return "service"
    return str(row.details.get("given_by", "member")) if row.what == "answered" else "planner"


def standings(session: Session, key: UUID) -> views.Standings:
    """A tender as it is answered now; raises NotFound."""
    return views.Standings(
        tender=key,
        version=queries.tender_of(session, key).version,
        expected=_standing(standing(session, key)),
        committed=_standing(standing(session, key, only_committed=True)),
        blocked=[*consequences.blocking(session, key), *prices.against(session, key)],
    )


def _standing(found: Standing) -> views.StandingView:
    faults = ("code", "words", "lot", "participant", "missing")
    lots = ("lot", "category", "quantity", "sure_quantity", "tipping_quantity", "tier", "unit_price_eur", "authorities")
    members = ("participant", "counted", "quantity", "cash_eur", "valued_eur")
    return views.StandingView(
        holds=found.holds,
        faults=[views.FaultView(**{name: getattr(each, name) for name in faults}) for each in found.faults],
        depth=found.depth,
        lots=[
            views.LotStandingView(**{name: getattr(each, name) for name in lots}, participants=list(each.participants))
            for each in found.lots
        ],
        members=[
            views.MemberStandingView(**{name: getattr(each, name) for name in members}, worse_off=list(each.worse_off))
            for each in found.members
        ],
        net_eur=found.net_eur,
    )


def law(session: Session, key: UUID) -> views.Consequences:
    """What the law asks of a tender; raises NotFound."""
    record = queries.tender_of(session, key)
    return views.Consequences(
        tender=key,
        version=record.version,
        on=record.notice_by,
        items=[views.ConsequenceView(**said(each)) for each in consequences.consequences(session, key)],
    )


def repair(record: RepairRecord) -> repair_views.RepairView:
    """An option that was found."""
    same = ("number", "kind", "fits", "found_at", "applied_at")
    said = ("start", "lead", "net_eur", "worth_eur")
    return repair_views.RepairView(
        **{name: getattr(record, name) for name in same},
        **{name: record.document[name] for name in said},
        lots=[repair_views.RepairLot(**lot) for lot in record.document["lots"]],
        joins=[_moving(each) for each in record.joins],
        leaves=[_moving(each) for each in record.leaves],
    )


def _moving(line: Moving) -> repair_views.RepairLine:
    return repair_views.RepairLine(
        line=line.line, participant=line.participant, category=line.category, quantity_per_year=line.quantity
    )
