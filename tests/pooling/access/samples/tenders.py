"""Tenders: of the pools that the planning samples have, one with a line of the coordinator's region and one without."""

from datetime import date, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlmodel import Session, col, select

from pooling.cycles import service as cycles
from pooling.demand import cycle_lines
from pooling.demand import service as demand
from pooling.planning import service as planning
from pooling.tenders import queries, repairs
from pooling.tenders.copying import Source, copy
from pooling.tenders.tables import Tender, TenderMember, TenderMemberLot
from tests.pooling.access.samples import Place, Sample, Sent
from tests.pooling.access.samples.planning import BOTH, THEIRS, THIRD

if TYPE_CHECKING:
    from tests.pooling.access.world import World

FACTS = {"central_government": False, "environment_weight": 0.3}
ANY_VERSION = {"If-Match": "*"}
WHY = {"reason": "made up"}
CYCLE = "tender-samples"
PLACES: tuple[Place, ...] = ("own", "others")
_days = count()


def plant(world: "World") -> None:
    """A planned cycle of all lines, and a tender of each pool that was invited and has expired."""
    _cycle(world, CYCLE)
    for place in PLACES:
        world.planted["tender", place] = _tender(world, place, "expired")
        with world.written() as opened:
            _option(opened.session, world.planted["tender", place], opened.now)


def _cycle(world: "World", code: str) -> str:
    day = date(2060, 1, 1) + timedelta(days=next(_days))
    given = cycles.Given(
        name="made up", time_zone="Europe/Oslo", opens_on=day, closes_on=day, plan_by=day, decide_by=day
    )
    with world.written() as opened:
        cycles.put(opened.session, code, given, now=opened.now, expect=lambda _: None)
        opened.session.execute(text("UPDATE cycle SET status = 'planned' WHERE code = :code"), {"code": code})
        cycle_lines.freeze(opened.session, code)
    return code


def _tender(world: "World", place: Place, status: str) -> UUID:
    """A fresh tender at ``status``, everybody committed; none that was made before stands in its way."""
    family = BOTH if place == "own" else THEIRS
    with world.written() as opened:
        session = opened.session
        session.execute(text("UPDATE tender SET status = 'rejected' WHERE status NOT IN ('expired', 'rejected')"))
        session.execute(text("UPDATE tender_member SET answer = 'none' WHERE answer = 'declined'"))
        stored = planning.stored_plan(session, world.planted["plan"])
        ids = [int(line["id"]) for line in stored.frozen.instance["lines"]]
        own = {
            row["id"]: (row["depth"], row["item_code"]) for row in demand.lines_of(session, ids).iter_rows(named=True)
        }
        numbers = queries.plan_pools(session, stored.id)
        source = Source(cycles.cycle_of(session, CYCLE), stored, own, numbers)
        offers = {f"{family}-o"}
        pool = next(each for each in stored.document["pools"] if {lot["offer"] for lot in each["lots"]} == offers)
        key = copy(session, source, pool, now=opened.now, by=world.principals["planner"])
        row = session.get_one(Tender, key)
        row.status, row.invited_at, row.answers_due = status, opened.now, opened.now.date() + timedelta(days=9)
        for member in session.exec(select(TenderMember).where(col(TenderMember.tender) == key)):
            member.answer = "committed"
        for part in session.exec(select(TenderMemberLot).where(col(TenderMemberLot.tender) == key)):
            part.committed_low, part.committed_quantity, part.committed_high = (
                part.quantity_low,
                part.quantity,
                part.quantity_high,
            )
    return key


def _option(session: Session, tender: UUID, now: Any) -> None:
    """A repair that leaves everything as it is."""
    record, lots = queries.tender_of(session, tender), queries.lots_of(session, tender)
    document = {
        "kind": "lead",
        "start": record.start,
        "lead": record.lead,
        "joins": [],
        "leaves": [],
        "net_eur": 1.0,
        "worth_eur": 1.0,
        "lots": [
            {
                "offer": lot.offer,
                "category": lot.category,
                "tier": lot.tier,
                "unit_price_eur": 1.0,
                "quantity": lot.quantity,
                "sure_quantity": lot.sure_quantity,
                "lines": [str(line.line) for line in lot.lines],
            }
            for lot in lots
        ],
    }
    repairs.keep(session, tender, record.version, [document], now=now)


def _of(path: str = "") -> Any:
    return lambda world, place: Sent(f"/v1/tenders/{world.planted['tender', place]}{path}")


def _fresh(path: str, status: str, body: Any = None) -> Any:
    def ask(world: "World", _: Place) -> Sent:
        key = _tender(world, "own", status)
        return Sent(f"/v1/tenders/{key}{path}", json={} if body is None else body, headers=ANY_VERSION)

    return ask


def _invite(world: "World", place: Place) -> Sent:
    due = (world.now.date() + timedelta(days=20)).isoformat()
    sent: Sent = _fresh("/invite", "under-review", {"due": due, **WHY})(world, place)
    return sent


def _member(world: "World", place: Place) -> str:
    return world.participant(place) or THIRD


def _invitation(world: "World", place: Place) -> Sent:
    key = world.planted["tender", place]
    return Sent(f"/v1/tenders/{key}/invitation?participant={_member(world, place)}")


def _answer(world: "World", place: Place) -> Sent:
    return Sent(f"/v1/tenders/{world.planted['tender', place]}/answers/{_member(world, place)}")


def _write_answer(world: "World", place: Place) -> Sent:
    key = _tender(world, place, "invited")
    path = f"/v1/tenders/{key}/answers/{_member(world, place)}"
    return Sent(path, json={"answer": "decline", "reason": "made up"}, headers=ANY_VERSION)


def _ask_again(world: "World", _: Place) -> Sent:
    key = _tender(world, "own", "invited")
    path = f"/v1/tenders/{key}/answers/{_member(world, 'own')}/ask-again"
    return Sent(path, json={"reason": "made up"}, headers=ANY_VERSION)


def _apply(world: "World", _: Place) -> Sent:
    key = _tender(world, "own", "invited")
    with world.written() as opened:
        _option(opened.session, key, opened.now)
    return Sent(f"/v1/tenders/{key}/repairs/1/apply", json={}, headers=ANY_VERSION)


def _propose(world: "World", _: Place) -> Sent:
    _tender(world, "own", "proposed")
    body = {"plan": str(world.planted["plan"])}
    return Sent(f"/v1/cycles/{CYCLE}/proposal", json=body, headers=ANY_VERSION)


def _decide(world: "World", _: Place) -> Sent:
    code = _cycle(world, f"t{uuid4().hex[:30]}")
    return Sent(f"/v1/cycles/{code}/decide", headers=ANY_VERSION)


SAMPLES = (
    Sample("tenders.list", "GET", lambda world, place: Sent(f"/v1/tenders?cycle={CYCLE}&limit=500")),
    Sample("tenders.read", "GET", _of(), places=PLACES),
    Sample("tenders.history", "GET", _of("/history"), places=PLACES),
    Sample("tenders.propose", "POST", _propose),
    Sample("tenders.update", "PATCH", _fresh("", "proposed", {"note": "made up", "facts": FACTS})),
    Sample("tenders.review", "POST", _fresh("/review", "proposed", WHY)),
    Sample("tenders.invite", "POST", _invite),
    Sample("tenders.confirm", "POST", _fresh("/confirm", "invited", WHY)),
    Sample("tenders.hand-over", "POST", _fresh("/hand-over", "confirmed", WHY)),
    Sample("tenders.reject", "POST", _fresh("/reject", "proposed", {"reason": "made up"})),
    Sample("cycle-runs.create", "POST", lambda world, place: Sent(f"/v1/cycles/{CYCLE}/runs", json={})),
    Sample("cycles.decide", "POST", _decide),
    Sample("invitations.read", "GET", _invitation, places=PLACES),
    Sample("answers.read", "GET", _answer, places=PLACES),
    Sample("answers.write", "PUT", _write_answer, places=PLACES),
    Sample("answers.ask-again", "POST", _ask_again),
    Sample("standings.read", "GET", lambda world, place: Sent(_of("/standing")(world, "own").path)),
    Sample("consequences.read", "GET", lambda world, place: Sent(_of("/consequences")(world, "own").path)),
    Sample("tender-repairs.list", "GET", lambda world, place: Sent(_of("/repairs")(world, "own").path)),
    Sample("tender-repairs.create", "POST", _fresh("/repairs", "proposed")),
    Sample("tender-repairs.apply", "POST", _apply),
)
