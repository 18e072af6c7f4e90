"""Read-only looks at tenders."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_
from sqlalchemy import select as sql_select
from sqlmodel import Session, SQLModel, col, select

from pooling.access.rules import Visible
from pooling.cycles.rules import Depth
from pooling.errors import NotFound
from pooling.paging import Page, Window, page_of
from pooling.planning.holds import Stood
from pooling.tenders.records import LineRecord, LotRecord, MemberLotRecord, MemberRecord, TenderRecord
from pooling.tenders.rules import BUYING, DECIDED, MEMBER, OPEN, PLANNER, Answer, Role, Status
from pooling.tenders.tables import Tender, TenderEvent, TenderLine, TenderLot, TenderMember, TenderMemberLot

Record = TypeVar("Record")


def tender_of(session: Session, tender: UUID) -> TenderRecord:
    """A tender; raises NotFound."""
    return record(row_of(session, tender), _terms(session, [tender]).get(tender, 0))


def row_of(session: Session, tender: UUID, *, lock: bool = False) -> Tender:
    """Its row, locked where it is to be changed; raises NotFound."""
    found = session.get(Tender, tender, with_for_update=lock)
    if found is None:
        raise NotFound(f"no tender {tender}; GET /v1/tenders lists them")
    return found


def record(row: Tender, term_months: int) -> TenderRecord:
    """A row as a record."""
    words = {"status": Status(row.status), "depth": Depth(row.depth), "deepest": Depth(row.deepest)}
    return _filled(TenderRecord, row, **words, term_months=term_months)


def tenders(
    session: Session,
    sees: Visible,
    window: Window,
    *,
    cycle: str | None = None,
    status: str | None = None,
) -> Page[TenderRecord]:
    """Tenders with a member that ``sees`` shows, by start and id."""
    key = (col(Tender.start), col(Tender.id))
    wanted = select(Tender).where(window.clause(*key))
    if cycle is not None:
        wanted = wanted.where(Tender.cycle == cycle)
    if status is not None:
        wanted = wanted.where(Tender.status == status)
    if not sees.all:
        mine = select(TenderMember.tender).where(sees.clause(TenderMember.participant))
        wanted = wanted.where(col(Tender.id).in_(mine))
    rows = session.exec(wanted.order_by(*key).limit(window.fetch)).all()
    terms = _terms(session, [row.id for row in rows])
    return page_of([record(row, terms.get(row.id, 0)) for row in rows], window, lambda each: (each.start, each.id))


def of_cycle(session: Session, cycle: str) -> list[TenderRecord]:
    """All tenders of a cycle, by start, family and id."""
    rows = session.exec(select(Tender).where(Tender.cycle == cycle)).all()
    terms = _terms(session, [row.id for row in rows])
    return [record(row, terms.get(row.id, 0)) for row in sorted(rows, key=lambda row: (row.start, row.family, row.id))]


def of_statuses(session: Session, statuses: Collection[Status]) -> list[TenderRecord]:
    """All tenders at one of these, by start, family and id."""
    rows = session.exec(select(Tender).where(col(Tender.status).in_(sorted(statuses)))).all()
    terms = _terms(session, [row.id for row in rows])
    return [record(row, terms.get(row.id, 0)) for row in sorted(rows, key=lambda row: (row.start, row.family, row.id))]


def _terms(session: Session, tenders: Sequence[UUID]) -> dict[UUID, int]:
    longest = select(TenderLot.tender, func.max(TenderLot.term_months)).where(col(TenderLot.tender).in_(tenders))
    return dict(session.exec(longest.group_by(col(TenderLot.tender))).all())


def members_of(session: Session, tender: UUID) -> list[MemberRecord]:
    """The members of a tender by code, those that declined too."""
    lots: dict[str, list[MemberLotRecord]] = {}
    brought = select(TenderMemberLot).where(TenderMemberLot.tender == tender).order_by(col(TenderMemberLot.lot))
    for each in session.exec(brought):
        lots.setdefault(each.participant, []).append(_filled(MemberLotRecord, each))
    wanted = select(TenderMember).where(TenderMember.tender == tender).order_by(col(TenderMember.participant))
    rows = session.exec(wanted).all()
    others = _by_planners(session, tender) if any(row.answer == Answer.DECLINED for row in rows) else frozenset()
    return [_member(row, lots.get(row.participant, []), others) for row in rows]


def _by_planners(session: Session, tender: UUID) -> frozenset[tuple[UUID | None, datetime]]:
    """The answers that planners gave in members' places: by whom, and when."""
    wanted = select(TenderEvent).where(TenderEvent.tender == tender, TenderEvent.what == "answered")
    return frozenset((each.by, each.at) for each in session.exec(wanted) if each.details.get("given_by") == PLANNER)


def _member(
    row: TenderMember, lots: Sequence[MemberLotRecord], others: Collection[tuple[UUID | None, datetime]]
) -> MemberRecord:
    given = MEMBER if row.answered_at is not None else None
    if row.answered_at is not None and (row.answered_by, row.answered_at) in others:
        given = PLANNER
    return _filled(MemberRecord, row, role=Role(row.role), answer=Answer(row.answer), lots=tuple(lots), given_by=given)


def lots_of(session: Session, tender: UUID) -> list[LotRecord]:
    """The lots of a tender with their lines, by category and id; from the freeze on with those of its buyers alone.

    Before it the lines of members that declined are there too.
    """
    lines: dict[int, list[LineRecord]] = {}
    inside = select(TenderLine).join(TenderLot, col(TenderLine.lot) == col(TenderLot.id)).where(col(TenderLine.stands))
    for each in session.exec(inside.where(TenderLot.tender == tender).order_by(col(TenderLine.line))):
        lines.setdefault(each.lot, []).append(_line(each))
    key = (col(TenderLot.category), col(TenderLot.id))
    rows = session.exec(select(TenderLot).where(TenderLot.tender == tender).order_by(*key)).all()
    there = [(row, lines[row.id]) for row in rows if row.id in lines]
    return [_filled(LotRecord, row, criteria=tuple(row.criteria), lines=tuple(held)) for row, held in there]


def events_of(session: Session, sees: Visible, window: Window, tender: UUID) -> Page[TenderEvent]:
    """What was done to a tender, in order; of what concerns one member alone, what ``sees`` shows."""
    key, whose = col(TenderEvent.id), col(TenderEvent.participant)
    wanted = select(TenderEvent).where(TenderEvent.tender == tender, window.clause(key))
    wanted = wanted.where(or_(whose.is_(None), sees.clause(whose)))
    rows = session.exec(wanted.order_by(key).limit(window.fetch)).all()
    return page_of(rows, window, lambda each: (each.id,))


def visible(session: Session, sees: Visible, tender: UUID) -> None:
    """Raises NotFound where there is no such tender, or none with a member that ``sees`` shows."""
    row_of(session, tender)
    own = select(TenderMember.participant).where(TenderMember.tender == tender, sees.clause(TenderMember.participant))
    if not sees.all and session.exec(own.limit(1)).first() is None:
        raise NotFound(f"no tender {tender}; GET /v1/tenders lists them")


def _filled(kind: type[Record], row: SQLModel, **given: Any) -> Record:
    """A record of the row's columns of the same names, and of ``given``."""
    names = [each.name for each in fields(cast("Any", kind))]
    return kind(**{name: given[name] if name in given else getattr(row, name) for name in names})


@dataclass(frozen=True, slots=True)
class Stands:
    """A tender that stays whatever is proposed: family and start, the lines that are still in it, and its cycle."""

    place: tuple[str, str]
    lines: frozenset[int]
    cycle: str


def standing_lines(session: Session, cycle: str) -> dict[UUID, Stands]:
    """The tenders that a new proposal of the cycle leaves as they are: decided, invited, or locked by a planner, of
    this cycle or so deep that something is bought."""
    stays = or_(
        col(Tender.status).in_([*sorted(DECIDED), Status.INVITED]),
        and_(col(Tender.locked), col(Tender.status).in_(sorted(OPEN))),
    )
    wanted = select(Tender.id, Tender.family, Tender.start, Tender.cycle).where(stays, _keeps_from(cycle))
    rows = session.exec(wanted).all()
    inside = select(TenderLot.tender, TenderLine.line).join(TenderLine, col(TenderLine.lot) == col(TenderLot.id))
    left = select(TenderMember.participant).where(
        TenderMember.tender == TenderLot.tender,
        TenderMember.participant == TenderLine.participant,
        TenderMember.answer == Answer.DECLINED,
    )
    inside = inside.where(col(TenderLot.tender).in_([row[0] for row in rows]), ~left.exists())
    lines: dict[UUID, set[int]] = {}
    for key, line in session.exec(inside):
        lines.setdefault(key, set()).add(line)
    return {key: Stands((family, start), frozenset(lines.get(key, ())), of) for key, family, start, of in rows}


def _keeps_from(cycle: str) -> ColumnElement[bool]:
    """Whether a tender keeps its lines from others of the cycle: in its own it does, elsewhere where it buys."""
    return or_(col(Tender.cycle) == cycle, col(Tender.depth).in_(sorted(BUYING)))


def plan_pools(session: Session, plan: UUID) -> dict[tuple[str, str], int]:
    """The ids of a plan's pools by family and start."""
    pool = SQLModel.metadata.tables["plan_pool"].c
    rows = session.connection().execute(sql_select(pool.family, pool.start, pool.id).where(pool.plan == plan))
    return {(family, start): key for family, start, key in rows}


def talks_about(session: Session, categories: Collection[str]) -> list[tuple[date, tuple[str, ...]]]:
    """When the market was talked to about any of these categories, and about which of them."""
    talk, about = (SQLModel.metadata.tables[name] for name in ("dialogue", "dialogue_category"))
    query = sql_select(talk.c.id, talk.c.held_on, about.c.category).join(about, about.c.dialogue == talk.c.id)
    found: dict[UUID, tuple[date, list[str]]] = {}
    wanted = query.where(about.c.category.in_(sorted(categories))).order_by(talk.c.held_on, talk.c.id, about.c.category)
    for key, held_on, category in session.connection().execute(wanted):
        found.setdefault(key, (held_on, []))[1].append(category)
    return [(held_on, tuple(named)) for held_on, named in found.values()]


def offers_of(session: Session, categories: Collection[str], on: date) -> Counter[str]:
    """How many products are on offer in each of these categories on that day; by category."""
    offer = SQLModel.metadata.tables["offer"].c
    wanted = sql_select(offer.category, offer.id).where(offer.category.in_(sorted(categories)))
    wanted = wanted.where(offer.withdrawn_at.is_(None), or_(offer.valid_from.is_(None), offer.valid_from <= on))
    wanted = wanted.where(or_(offer.valid_to.is_(None), offer.valid_to > on))
    return Counter(category for category, _ in session.connection().execute(wanted))


def lines_in(session: Session, statuses: Collection[Status], *, cycle: str) -> frozenset[int]:
    """All lines in tenders at one of these that keep them from the cycle's, but those whose participant declined."""
    wanted = select(TenderLine.line).join(TenderLot, col(TenderLine.lot) == col(TenderLot.id))
    wanted = wanted.join(Tender, col(TenderLot.tender) == col(Tender.id)).where(
        col(Tender.status).in_(sorted(statuses)), _keeps_from(cycle)
    )
    left = select(TenderMember.participant).where(
        TenderMember.tender == TenderLot.tender,
        TenderMember.participant == TenderLine.participant,
        TenderMember.answer == Answer.DECLINED,
    )
    return frozenset(session.exec(wanted.where(~left.exists())))


def declined_lines(session: Session, cycles: Collection[str]) -> list[tuple[LineRecord, str, int]]:
    """Each line whose participant declined in one of the cycles, with the offer it declined and the newest line that
    its tender's plan knew, in order."""
    wanted = (
        select(TenderLine, TenderLot.offer, Tender.lines_up_to)
        .join(TenderLot, col(TenderLine.lot) == col(TenderLot.id))
        .join(Tender, col(TenderLot.tender) == col(Tender.id))
        .join(TenderMember, col(TenderMember.tender) == col(TenderLot.tender))
        .where(TenderMember.participant == TenderLine.participant, TenderMember.answer == Answer.DECLINED)
        .where(col(Tender.cycle).in_(sorted(cycles)))
    )
    found = {(_line(row), offer, last) for row, offer, last in session.exec(wanted)}
    return sorted(found, key=lambda each: (each[0].line, *each[1:]))


def _line(row: TenderLine) -> LineRecord:
    return _filled(LineRecord, row, required=tuple(row.required), refused=tuple(row.refused))


def places_in(session: Session, plan: UUID) -> list[Stood]:
    """Where a plan has its lines, by line."""
    tables = SQLModel.metadata.tables
    pool, lot, held, line = (tables[name] for name in ("plan_pool", "plan_lot", "plan_lot_line", "line"))
    sent = (line.c.sent_as, line.c.category, line.c.item_code, line.c.source, line.c.external_id)
    query = sql_select(line.c.id, lot.c.offer, pool.c.start, *sent).join(held, held.c.line == line.c.id)
    query = query.join(lot, held.c.lot == lot.c.id).join(pool, lot.c.pool == pool.c.id)
    query = query.where(pool.c.plan == plan).order_by(line.c.id)
    return [
        Stood(key, offer, start, (sender, category, item), None if source is None else (source, external_id))
        for key, offer, start, sender, category, item, source, external_id in session.connection().execute(query)
    ]
