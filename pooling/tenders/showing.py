"""Records of tenders put into the models that the API answers."""

from uuid import UUID

from msgspec import structs
from sqlmodel import Session

from pooling.market.rules import MICRO
from pooling.tenders import consequences, queries, views
from pooling.tenders.copying import MILLIGRAMS
from pooling.tenders.judging import Standing
from pooling.tenders.records import LotRecord, MemberRecord, TenderRecord
from pooling.tenders.repairs import RepairRecord
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
    named = [each.participant for each in members if each.buys] if record.frozen_at is not None else []
    return views.TenderView(
        **{name: getattr(record, name) for name in (*ITEM, *OF_TENDER)},
        holds=not record.short,
        pool=record.plan_pool,
        buyers=named,
        members=[answer(each) for each in members],
        lots=[_lot(each) for each in queries.lots_of(session, key)],
    )


def answer(record: MemberRecord) -> views.AnswerView:
    """A member with its answer."""
    same = ("participant", "version", "role", "answer", "conditions", "reason", "answered_at", "answered_by")
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


def event(row: TenderEvent) -> views.EventView:
    """A row of the history."""
    same = ("id", "what", "from_status", "to_status", "at", "participant", "by", "reason", "details")
    return views.EventView(**{name: getattr(row, name) for name in same})


def standings(session: Session, key: UUID) -> views.Standings:
    """A tender as it is answered now; raises NotFound."""
    return views.Standings(
        tender=key,
        version=queries.tender_of(session, key).version,
        expected=_standing(standing(session, key)),
        committed=_standing(standing(session, key, only_committed=True)),
        blocked=consequences.blocking(session, key),
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
        members=[views.MemberStandingView(**{name: getattr(each, name) for name in members}) for each in found.members],
        net_eur=found.net_eur,
    )


def law(session: Session, key: UUID) -> views.Consequences:
    """What the law asks of a tender; raises NotFound."""
    record = queries.tender_of(session, key)
    words = ("rule", "title", "why", "follows", "source", "verified", "applies", "severity")
    return views.Consequences(
        tender=key,
        version=record.version,
        on=record.notice_by,
        items=[
            views.ConsequenceView(
                **{name: getattr(each, name) for name in words},
                participants=list(each.participants),
                figures={name: float(figure) for name, figure in each.figures.items()},
            )
            for each in consequences.consequences(session, key)
        ],
    )


def repair(record: RepairRecord) -> views.RepairView:
    """An option that was found."""
    same = ("number", "kind", "fits", "found_at", "applied_at")
    said = ("start", "lead", "joins", "leaves", "net_eur", "worth_eur")
    return views.RepairView(
        **{name: getattr(record, name) for name in same},
        **{name: record.document[name] for name in said},
        lots=[views.RepairLot(**lot) for lot in record.document["lots"]],
    )
