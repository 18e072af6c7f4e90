"""Repairs of a tender that falls short: looked for as a job, kept as numbered options, applied by a planner."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from pooling import audit, feed
from pooling.cycles import service as cycles
from pooling.demand import service as demand
from pooling.errors import NotFound, WrongState
from pooling.paging import Page, Window, page_of
from pooling.planning import service as planning
from pooling.planning.plan_reader import Stored
from pooling.planning.storing import packed, unpacked
from pooling.tenders import queries
from pooling.tenders.applying import rebuild
from pooling.tenders.deciding import Decision, due_before_notice, locked, place, set_due
from pooling.tenders.holders import held_now, people
from pooling.tenders.judged import Range
from pooling.tenders.records import LineRecord, MemberRecord, TenderRecord
from pooling.tenders.repair_asking import look_where_open
from pooling.tenders.repair_search import Question, same
from pooling.tenders.rules import DECIDED, OPEN, Answer
from pooling.tenders.standing import proposals_met, proposed_by, said_by, standing
from pooling.tenders.starts import plannable
from pooling.tenders.tables import Tender, TenderRepair
from pooling.tenders.telling import codes


def _declined(session: Session, record: TenderRecord, instance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Lines, each with an offer it is not to have: as the plan was asked, and what was declined since."""
    since = queries.declined_lines(session, cycles.up_to(session, record.cycle))
    asked = {(each["line"], each["offer"]) for each in instance["forbidden"] if each["line"] and each["offer"]}
    return sorted(asked | {(str(line.line), offer) for line, offer, _ in since})


def question_of(session: Session, tender: UUID, *, now: datetime) -> tuple[int, Question]:
    """The tender's version, and the question that its repair is; starts whose notice is due before ``now`` are none.

    Raises NotFound.
    """
    record, members = queries.tender_of(session, tender), queries.members_of(session, tender)
    stored = planning.stored_plan(session, record.plan)
    instance, lots = stored.frozen.instance, queries.lots_of(session, tender)
    inside = {each.participant: each for each in members if each.answer is not Answer.DECLINED}
    offers = {each["id"]: each for each in instance["offers"]} | {lot.offer: lot.offer_terms for lot in lots}
    categories = {each["id"]: each for each in instance["categories"] if each["family"] == record.family}
    own = [line for lot in lots for line in _own(lot.id, lot.lines, inside)]
    months = plannable(stored.frozen.policy, today=cycles.cycle_of(session, record.cycle).day(now))
    others = _others(session, stored, categories, members, cycle=record.cycle, now=now)
    found = standing(session, tender)
    return record.version, Question(
        policy=record.policy,
        participants=people(session, stored, {each["participant"] for each in [*own, *others]}),
        categories=list(categories.values()),
        offers=[each for key, each in sorted(offers.items()) if each["category"] in categories],
        own=own,
        others=others,
        same=frozenset(lot.offer for lot in lots),
        forbidden=_declined(session, record, instance),
        family=record.family,
        start=record.start,
        lead=record.lead,
        months=months,
        wanted=_wanted(members, months),
        as_proposed=bool(proposals_met(members, record.start)),
        now_eur=max(0.0, found.net_eur) if found.holds else 0.0,
    )


def _wanted(members: Iterable[MemberRecord], months: Sequence[str]) -> dict[str, frozenset[str]]:
    """The starts proposed that can be planned, each with who proposed it."""
    found: dict[str, frozenset[str]] = {}
    for member in members:
        start = proposed_by(member).start
        if start is not None and start in months:
            found[start] = found.get(start, frozenset()) | {member.participant}
    return found


def _own(lot: int, lines: Iterable[LineRecord], inside: Mapping[str, MemberRecord]) -> Iterable[dict[str, Any]]:
    """The lines of those who have not declined, with volumes as committed or proposed and criteria as proposed."""
    of: dict[str, list[LineRecord]] = {}
    for line in lines:
        if line.participant in inside:
            of.setdefault(line.participant, []).append(line)
    for code, held in of.items():
        member = inside[code]
        criterion = proposed_by(member).criterion
        for document in _as_said(held, said_by(member).get(lot)):
            yield document if criterion is None else _requiring(document, criterion)


def _as_said(lines: Sequence[LineRecord], given: Range | None) -> list[dict[str, Any]]:
    """The lines in proportion to what was said of them together; none where that is nothing.

    What was said has one range, so the largest line has all of it, and what is left over from the others.
    """
    if given is None:
        return [line.document() for line in lines]
    whole, largest = sum(line.quantity for line in lines), max(lines, key=lambda line: line.quantity)
    shares = {line.line: given.quantity * line.quantity // whole for line in lines}
    shares[largest.line] += given.quantity - sum(shares.values())
    made = [{**line.document(), **_sure(shares[line.line])} for line in lines if shares[line.line]]
    for document in made:
        if document["id"] == str(largest.line):
            document["quantity_low"] = max(0, document["quantity"] - (given.quantity - given.low))
            document["quantity_high"] = document["quantity_low"] + given.high - given.low
    return made


def _sure(quantity: int) -> dict[str, int]:
    return {"quantity_low": quantity, "quantity": quantity, "quantity_high": quantity}


def _requiring(line: dict[str, Any], criterion: str) -> dict[str, Any]:
    return {
        **line,
        "required": sorted({*line["required"], criterion}),
        "refused": [each for each in line["refused"] if each != criterion],
    }


def _others(
    session: Session,
    stored: Stored,
    categories: Mapping[str, Any],
    members: Sequence[MemberRecord],
    *,
    cycle: str,
    now: datetime,
) -> list[dict[str, Any]]:
    """The plan's lines of the family that are in no tender, save those of members that declined this one and those
    that a correction has taken out of the cycle since."""
    free = set(demand.lines_of_cycle(session, cycle)) - queries.lines_in(session, OPEN | DECIDED, cycle=cycle)
    gone = {each.participant for each in members if each.answer is Answer.DECLINED}
    lines = [each for each in stored.frozen.instance["lines"] if each["category"] in categories]
    there = held_now(session, (each for each in lines if int(each["id"]) in free), now=now)
    return [line for line in there if line["participant"] not in gone]


def keep(session: Session, tender: UUID, version: int, options: Sequence[Mapping[str, Any]], *, now: datetime) -> int:
    """Keep the options found for a version of the tender that were not found for it before; returns how many.

    None of a tender that was decided meanwhile; where it is another by now, that one is looked at too.
    """
    row = queries.row_of(session, tender, lock=True)
    if row.status not in OPEN:
        return 0
    there = session.exec(select(TenderRepair).where(TenderRepair.tender == tender)).all()
    last = max((each.number for each in there), default=0)
    known = {same(unpacked(each.document)) for each in there if each.tender_version == version}
    new = [each for each in options if same(each) not in known]
    for number, option in enumerate(new, start=last + 1):
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
    audit.acted(session, "tender-repairs.finish", resource=("tender", tender), details={"options": len(new)})
    if row.version != version:
        look_where_open(session, row, now=now)
    return len(new)


@dataclass(frozen=True, slots=True)
class Moving:
    """A line that joins or leaves: whose it is, and what it brings, base units a year."""

    line: int
    participant: str
    category: str
    quantity: int


@dataclass(frozen=True, slots=True)
class RepairRecord:
    """An option; ``document`` is what `pooling.tenders.repair_search` says of it. ``fits``: whether the tender is still
    at the version that it was found for. ``joins``, ``leaves``: by id."""

    number: int
    tender_version: int
    found_at: datetime
    kind: str
    document: Mapping[str, Any]
    applied_at: datetime | None
    fits: bool
    joins: tuple[Moving, ...]
    leaves: tuple[Moving, ...]


def repairs_of(session: Session, window: Window, tender: UUID, *, now: datetime) -> Page[RepairRecord]:
    """The options found for a tender, by number. Raises NotFound."""
    row = queries.row_of(session, tender)
    key = col(TenderRepair.number)
    wanted = select(TenderRepair).where(TenderRepair.tender == tender, window.clause(key)).order_by(key)
    found = session.exec(wanted.limit(window.fetch)).all()
    lines = _lines(session, row, now) if found else {}
    return page_of([_record(each, row.version, lines) for each in found], window, lambda each: (each.number,))


def _lines(session: Session, row: Tender, now: datetime) -> dict[str, Moving]:
    """By id: the lines of the plan; those that are in the tender as it has them, with the volumes that were said."""
    lots = queries.lots_of(session, row.id)
    members = queries.members_of(session, row.id)
    inside = {each.participant: each for each in members if each.answer is not Answer.DECLINED}
    documents = [
        *held_now(session, planning.stored_plan(session, row.plan).frozen.instance["lines"], now=now),
        *(line.document() for lot in lots for line in lot.lines),
        *(line for lot in lots for line in _own(lot.id, lot.lines, inside)),
    ]
    return {
        each["id"]: Moving(int(each["id"]), each["participant"], each["category"], each["quantity"])
        for each in documents
    }


def _record(row: TenderRepair, version: int, lines: Mapping[str, Moving]) -> RepairRecord:
    kept = ("number", "tender_version", "found_at", "kind", "applied_at")
    document = unpacked(row.document)
    return RepairRecord(
        **{name: getattr(row, name) for name in kept},
        document=document,
        fits=row.tender_version == version and row.applied_at is None,
        joins=tuple(lines[each] for each in document["joins"]),
        leaves=tuple(lines[each] for each in document["leaves"]),
    )


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
    document = unpacked(option.document)
    _still_sent(session, row, document, number)
    if due is not None:
        set_due(session, row, due, decision.now)
    option.applied_at = decision.now
    rebuild(session, row, document, decision, number=number)
    due_before_notice(row)


def _still_sent(session: Session, row: Tender, option: Mapping[str, Any], number: int) -> None:
    """Raises WrongState where a line that would join was corrected since the option was found."""
    gone = sorted({int(line) for line in option["joins"]} - set(demand.lines_of_cycle(session, row.cycle)))
    if gone:
        named = ", ".join(map(str, gone))
        raise WrongState(
            f"{place(row)}: lines {named} of repair {number} are not those of cycle {row.cycle!r} any more, which was"
            " corrected since; look for repairs again"
        )
