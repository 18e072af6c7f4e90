"""Repairs of a tender that falls short: looked for as a job, kept as numbered options, applied by a planner."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from pooling import audit, feed, jobs
from pooling.cycles import service as cycles
from pooling.errors import NotFound, WrongState
from pooling.paging import Page, Window, page_of
from pooling.planning import service as planning
from pooling.planning.assemble import Stored
from pooling.planning.storing import packed, unpacked
from pooling.tenders import queries
from pooling.tenders.applying import rebuild
from pooling.tenders.deciding import Decision, locked, place, set_due
from pooling.tenders.judging import Range
from pooling.tenders.records import LineRecord, MemberRecord, TenderRecord
from pooling.tenders.repair_search import Question
from pooling.tenders.rules import DECIDED, OPEN, Answer
from pooling.tenders.standing import range_of, standing
from pooling.tenders.tables import TenderRepair
from pooling.tenders.telling import codes

LOOK = "tenders.repair"


def look_later(session: Session, tender: UUID, *, time_limit_s: float, now: datetime, by: UUID) -> UUID:
    """Have looked for what would bring a tender back; returns the job. Raises NotFound, WrongState."""
    row = queries.row_of(session, tender)
    if row.status not in OPEN:
        raise WrongState(f"{place(row)} is {row.status}; only one that is not decided can be repaired")
    job = jobs.enqueue(session, LOOK, {"tender": str(tender), "time_limit_s": time_limit_s}, now=now, actor=by)
    audit.acted(session, "tender-repairs.create", resource=("tender", tender))
    return job


def _declined(session: Session, record: TenderRecord, instance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Lines, each with an offer it is not to have: as the plan was asked, and what was declined since."""
    since = queries.declined_lines(session, cycles.up_to(session, record.cycle))
    asked = {(each["line"], each["offer"]) for each in instance["forbidden"] if each["line"] and each["offer"]}
    return sorted(asked | {(str(line.line), offer) for line, offer, _ in since})


def question_of(session: Session, tender: UUID) -> tuple[int, Question]:
    """The tender's version, and the question that its repair is. Raises NotFound."""
    record, members = queries.tender_of(session, tender), queries.members_of(session, tender)
    stored = planning.stored_plan(session, record.plan)
    instance, lots = stored.frozen.instance, queries.lots_of(session, tender)
    inside = {each.participant: each for each in members if each.answer is not Answer.DECLINED}
    offers = {each["id"]: each for each in instance["offers"]} | {lot.offer: lot.offer_terms for lot in lots}
    categories = {each["id"]: each for each in instance["categories"] if each["family"] == record.family}
    own = [line for lot in lots for line in _own(lot.id, lot.lines, inside)]
    now = standing(session, tender)
    return record.version, Question(
        policy=record.policy,
        participants=instance["participants"],
        categories=list(categories.values()),
        offers=[each for key, each in sorted(offers.items()) if each["category"] in categories],
        own=own,
        others=_others(session, stored, categories, members),
        same=frozenset(lot.offer for lot in lots),
        forbidden=_declined(session, record, instance),
        family=record.family,
        start=record.start,
        lead=record.lead,
        wanted=sorted({str(each.change["start"]) for each in members if each.change and "start" in each.change}),
        now_eur=max(0.0, now.net_eur) if now.holds else 0.0,
    )


def _own(lot: int, lines: Iterable[LineRecord], inside: Mapping[str, MemberRecord]) -> Iterable[dict[str, Any]]:
    """The lines of those who have not declined, with volumes as committed and criteria as proposed."""
    of: dict[str, list[LineRecord]] = {}
    for line in lines:
        if line.participant in inside:
            of.setdefault(line.participant, []).append(line)
    for code, held in of.items():
        member = inside[code]
        part = next(each for each in member.lots if each.lot == lot)
        committed = range_of(part) if member.buys else None
        criterion = (member.change or {}).get("criterion") if member.answer is Answer.CHANGE else None
        for document in _as_committed(held, committed):
            yield document if criterion is None else _requiring(document, criterion)


def _as_committed(lines: Sequence[LineRecord], committed: Range | None) -> Iterable[dict[str, Any]]:
    """The lines in proportion to what was committed to together; none where that is nothing."""
    if committed is None:
        return [line.document() for line in lines]
    whole, made = sum(line.quantity for line in lines), []
    said = (committed.low, committed.quantity, committed.high)
    for line in lines:
        low, quantity, high = (each * line.quantity // whole for each in said)
        if quantity:
            made.append({**line.document(), "quantity_low": low, "quantity": quantity, "quantity_high": high})
    return made


def _requiring(line: dict[str, Any], criterion: str) -> dict[str, Any]:
    return {
        **line,
        "required": sorted({*line["required"], criterion}),
        "refused": [each for each in line["refused"] if each != criterion],
    }


def _others(
    session: Session, stored: Stored, categories: Mapping[str, Any], members: Sequence[MemberRecord]
) -> list[Mapping[str, Any]]:
    """The plan's lines of the family that are in no tender, save those of members that declined this one."""
    taken = queries.lines_in(session, OPEN | DECIDED)
    gone = {each.participant for each in members if each.answer is Answer.DECLINED}
    lines = [line for line in stored.frozen.instance["lines"] if line["category"] in categories]
    return [line for line in lines if int(line["id"]) not in taken and line["participant"] not in gone]


def keep(session: Session, tender: UUID, version: int, options: Sequence[Mapping[str, Any]], *, now: datetime) -> int:
    """Keep the options found for a version of the tender; returns how many."""
    row = queries.row_of(session, tender, lock=True)
    wanted = select(TenderRepair.number).where(TenderRepair.tender == tender).order_by(col(TenderRepair.number).desc())
    last = session.exec(wanted.limit(1)).first() or 0
    for number, option in enumerate(options, start=last + 1):
        session.add(
            TenderRepair(
                tender=tender,
                number=number,
                tender_version=version,
                found_at=now,
                kind=option["kind"],
                document=packed(option),
            )
        )
    session.flush()
    feed.changed(session, "tender", tender, version=row.version, participants=codes(session, tender))
    audit.acted(session, "tender-repairs.finish", resource=("tender", tender), details={"options": len(options)})
    return len(options)


@dataclass(frozen=True, slots=True)
class RepairRecord:
    """An option; ``document`` is what `pooling.tenders.repair_search` says of it. ``fits``: whether the tender is still
    at the version that it was found for."""

    number: int
    tender_version: int
    found_at: datetime
    kind: str
    document: Mapping[str, Any]
    applied_at: datetime | None
    fits: bool


def repairs_of(session: Session, window: Window, tender: UUID) -> Page[RepairRecord]:
    """The options found for a tender, by number. Raises NotFound."""
    version = queries.row_of(session, tender).version
    key = col(TenderRepair.number)
    wanted = select(TenderRepair).where(TenderRepair.tender == tender, window.clause(key)).order_by(key)
    rows = [_record(row, version) for row in session.exec(wanted.limit(window.fetch))]
    return page_of(rows, window, lambda each: (each.number,))


def _record(row: TenderRepair, version: int) -> RepairRecord:
    same = ("number", "tender_version", "found_at", "kind", "applied_at")
    fits = row.tender_version == version and row.applied_at is None
    return RepairRecord(**{name: getattr(row, name) for name in same}, document=unpacked(row.document), fits=fits)


def apply(session: Session, tender: UUID, number: int, decision: Decision, *, due: date | None) -> None:
    """Change a tender as an option says. Raises NotFound, BadFields, WrongState where the tender has changed since."""
    row = locked(session, tender, decision.expect)
    option = session.get(TenderRepair, (tender, number))
    if option is None:
        raise NotFound(f"{place(row)} has no repair {number}; POST /v1/tenders/{tender}/repairs looks for some")
    if row.status not in OPEN:
        raise WrongState(f"{place(row)} is {row.status}; only one that is not decided can be repaired")
    if option.tender_version != row.version:
        raise WrongState(f"{place(row)} has changed since repair {number} was found; look for repairs again")
    if due is not None:
        set_due(session, row, due, decision.now)
    option.applied_at = decision.now
    rebuild(session, row, unpacked(option.document), decision, number=number)
