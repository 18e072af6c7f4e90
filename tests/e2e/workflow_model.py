"""What may become of cycles and tenders, said again here, and what a database shows of it: for random walks."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select
from sqlmodel import SQLModel

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
Moves = frozenset[tuple[str | None, str]]
TENDER: Mapping[str, Moves] = {
    "review": frozenset({("proposed", "under-review")}),
    "invite": frozenset({("under-review", "invited")}),
    "confirm": frozenset({("invited", "confirmed")}),
    "hand-over": frozenset({("confirmed", "handed-over")}),
    "reject": frozenset({("proposed", "rejected"), ("under-review", "rejected"), ("invited", "rejected")}),
    "expire": frozenset({("invited", "expired")}),
    "replace": frozenset({("proposed", "rejected"), ("under-review", "rejected")}),
    "propose": frozenset({(None, "proposed")}),
}
CYCLE: Mapping[str, Moves] = {
    "write": frozenset({(None, "announced")}),
    "open": frozenset({("announced", "open")}),
    "close": frozenset({("open", "closed")}),
    "reopen": frozenset({("closed", "open")}),
    "plan": frozenset({("closed", "planned"), ("planned", "planned")}),
    "decide": frozenset({("planned", "decided")}),
}
AUDITED = {
    "proposed": "tenders.propose",
    "under-review": "tenders.review",
    "invited": "tenders.invite",
    "confirmed": "tenders.confirm",
    "handed-over": "tenders.hand-over",
    "rejected": "tenders.reject",
    "expired": "tenders.expire",
    "replaced": "tenders.replace",
    "changed": "tenders.update",
    "answered": "answers.write",
    "succeeded": "tenders.succeed",
}
"""What the history calls a deed, and what the audit does."""
OPEN = ("proposed", "under-review", "invited")
FROZEN = ("confirmed", "handed-over")
LIVE = (*OPEN, *FROZEN)
BUYING = ("framework", "joint")


def _t(name: str) -> Any:
    return SQLModel.metadata.tables[name].c


def _rows(run: Connection, table: str, *names: str, order: str | None = None) -> list[Any]:
    columns = _t(table)
    query = select(*(columns[name] for name in names))
    return list(run.execute(query if order is None else query.order_by(columns[order])))


@dataclass(frozen=True, slots=True)
class Seen:
    """All that must not change by itself; tenders in the order they were proposed in.

    ``bought``: lots, lines and places of each tender, as fixed at its freeze.
    """

    tenders: Mapping[UUID, Any]
    cycles: Mapping[str, tuple[str, int]]
    members: Mapping[tuple[UUID, str], tuple[str, int]]
    call_offs: Mapping[UUID, Any]
    forecasts: Mapping[str, tuple[int, bool]]
    bought: Mapping[UUID, frozenset[Any]]
    position: int
    event: int

    def waiting(self, tender: UUID) -> list[str]:
        """Members that have said nothing that counts."""
        return [code for (key, code), (answer, _) in self.members.items() if key == tender and answer == "none"]


TENDER_COLUMNS = ("id", "status", "version", "cycle", "depth", "locked", "lead", "answers_due", "start", "frozen_at")


def seen(run: Connection) -> Seen:
    """What is there now."""
    first: dict[UUID, int] = {}
    last = 0
    for number, tender in _rows(run, "tender_event", "id", "tender", order="id"):
        first.setdefault(tender, number)
        last = number
    rows = {row.id: row for row in _rows(run, "tender", *TENDER_COLUMNS)}
    position = run.execute(select(_t("audit_head").position)).scalar()
    calls = _rows(run, "call_off", "id", "version", "tender", "lot", "participant", "cancelled_at", "placed_at")
    return Seen(
        tenders={key: rows[key] for key in sorted(rows, key=lambda key: first[key])},
        cycles={code: (status, version) for code, status, version in _rows(run, "cycle", "code", "status", "version")},
        members={
            (tender, code): (answer, version)
            for tender, code, answer, version in _rows(
                run, "tender_member", "tender", "participant", "answer", "version"
            )
        },
        call_offs={row.id: row for row in sorted(calls, key=lambda row: (row.placed_at, row.id))},
        forecasts={
            key: (version, deleted_at is not None)
            for key, version, deleted_at in _rows(run, "forecast", "external_id", "version", "deleted_at")
        },
        bought=_bought(run),
        position=position or 0,
        event=last,
    )


@dataclass(frozen=True, slots=True)
class Deed:
    """What was tried. ``tenders``, ``cycles``: the moves that may come of it, by what they are of.

    ``by``: the principal, None for the service. ``allowed``: whether that one may. ``named``: for whom it is
    stands in the request, so that whoever may not is told so in the way that faults of it are. ``merges``:
    what one region has may become another's.
    """

    name: str
    by: UUID | None
    allowed: bool = True
    tenders: Mapping[UUID | None, Moves] = field(default_factory=dict)
    cycles: Mapping[str, Moves] = field(default_factory=dict)
    touches: Collection[UUID] = ()
    reason: str | None = None
    named: bool = False
    merges: bool = False

    @property
    def whose(self) -> str:
        """As the audit has it."""
        return "service" if self.by is None else str(self.by)


LOT = ("id", "tender", "quantity", "tier", "unit_price_eur_micro", "estimate_quantity", "maximum_quantity")
LINE = ("lot", "line", "participant", "quantity", "quantity_low", "quantity_high", "stands")


def _bought(run: Connection) -> dict[UUID, frozenset[Any]]:
    lots = _rows(run, "tender_lot", *LOT)
    of = {row.id: row.tender for row in lots}
    found: dict[UUID, set[Any]] = {}
    for row in lots:
        found.setdefault(row.tender, set()).add(tuple(row))
    for row in (*_rows(run, "tender_line", *LINE), *run.execute(select(*_t("tender_member_lot")))):
        found[of[row.lot]].add(tuple(row))
    return {key: frozenset(rows) for key, rows in found.items()}


def check_done(run: Connection, deed: Deed, before: Seen, after: Seen) -> None:
    """Nothing changed but what may come of the deed, and all that did is in history and audit, once."""
    _check_moves(deed, before, after)
    _check_cycles(run, deed, before, after)
    _check_ledgers(run, deed, before, after)


def _check_moves(deed: Deed, before: Seen, after: Seen) -> None:
    for key, row in after.tenders.items():
        there = before.tenders.get(key)
        moved = (None if there is None else there.status, row.status)
        allowed = deed.tenders.get(None if there is None else key, frozenset())
        assert moved[0] == moved[1] or moved in allowed, f"{deed.name}: tender {key} went {moved[0]} -> {moved[1]}"
        touched = key in deed.touches or moved[0] != moved[1]
        assert touched or there == row, f"{deed.name}: tender {key} changed: {there} -> {row}"
        assert there is None or there == row or row.version > there.version, f"{deed.name}: {there} -> {row}"
        if there is not None and there.status in FROZEN and not deed.merges:
            assert after.bought[key] == before.bought[key], f"{deed.name}: tender {key} was frozen, and has changed"
    assert before.tenders.keys() <= after.tenders.keys(), f"{deed.name}: a tender is gone"
    for (key, code), said in before.members.items():
        if key not in deed.touches:
            assert after.members.get((key, code)) == said, f"{deed.name}: {code}'s answer in {key} changed"


def _check_cycles(run: Connection, deed: Deed, before: Seen, after: Seen) -> None:
    audit = _t("audit_entry")
    new = select(audit.operation, audit.resource_id).where(
        audit.position > before.position, audit.resource_type == "cycle"
    )
    told = Counter((operation, code) for operation, code in run.execute(new))
    steps = {move: name for name, moves in CYCLE.items() for move in moves}
    for code, (status, version) in after.cycles.items():
        was, counted = before.cycles.get(code, (None, 0))
        assert version >= counted, f"{deed.name}: cycle {code} was at version {counted}, is at {version}"
        if was != status:
            assert (was, status) in deed.cycles.get(code, frozenset()), f"{deed.name}: cycle {code} {was} -> {status}"
            assert told[f"cycles.{steps[was, status]}", code] == 1, f"{deed.name}: {code} {was} -> {status}: {told}"


def _check_ledgers(run: Connection, deed: Deed, before: Seen, after: Seen) -> None:
    event, audit = _t("tender_event"), _t("audit_entry")
    events = run.execute(select(*event).where(event.id > before.event).order_by(event.id)).all()
    entries = run.execute(select(*audit).where(audit.position > before.position).order_by(audit.position)).all()
    assert entries, f"{deed.name} is not in the audit"
    others = {entry.principal for entry in entries} - {deed.whose}
    assert not others, f"{deed.name} by {deed.whose} is in the audit as done by {others}"
    history = Counter((AUDITED[each.what], str(each.tender)) for each in events)
    chain = Counter((each.operation, each.resource_id) for each in entries if each.resource_type == "tender")
    assert history == chain, f"{deed.name}: the history has {history}, the audit {chain}"
    at = {key: row.status for key, row in before.tenders.items()}
    for each in events:
        assert each.from_status == at.get(each.tender, each.from_status), f"{deed.name}: {each} was {at[each.tender]}"
        assert each.by == deed.by, f"{deed.name}: by {each.by} in the history, by {deed.by} in fact"
        if each.tender in deed.touches and each.what != "replaced":
            assert each.reason == deed.reason, f"{deed.name}: for {each.reason!r} in the history, for {deed.reason!r}"
        at[each.tender] = each.to_status
    assert at == {key: row.status for key, row in after.tenders.items()}, f"{deed.name}: not in the history: {at}"


def check_sums(run: Connection) -> None:
    """Lots, places in them and call-offs are what their parts come to."""
    lines: dict[Any, list[int]] = {}
    for lot, code, stands, *amounts in _rows(
        run, "tender_line", "lot", "participant", "stands", "quantity", "quantity_low", "quantity_high"
    ):
        for key in ((lot, code), *([lot] if stands else [])):
            lines[key] = [one + more for one, more in zip(lines.get(key, [0, 0, 0]), amounts)]
    places = run.execute(select(*_t("tender_member_lot"))).all()
    for place in places:
        summed, held = lines.get((place.lot, place.participant), [0, 0, 0]), list(place[4:7])
        assert held == summed, f"{place.participant} in lot {place.lot}: {held}, its lines {summed}"
    called = _called_off(run)
    for lot in run.execute(select(*_t("tender_lot"))):
        assert lot.quantity == lines.get(lot.id, [0])[0], f"lot {lot.id}: {lot.quantity}, its lines {lines.get(lot.id)}"
        bought = [place for place in places if place.lot == lot.id and place.estimate_quantity is not None]
        if lot.estimate_quantity is None:
            assert not bought, f"lot {lot.id} has no estimate, and {len(bought)} of its buyers have"
            continue
        for name in ("estimate_quantity", "estimate_value_minor"):
            summed = sum(getattr(place, name) for place in bought)
            assert getattr(lot, name) == summed, f"lot {lot.id}: {name} {getattr(lot, name)}, its buyers' {summed}"
        most = sum(place.maximum_quantity for place in bought)
        assert lot.estimate_quantity <= lot.maximum_quantity <= most, f"lot {lot.id}: {lot.maximum_quantity} of {most}"
        for each in (*bought, lot):
            done = called.get((lot.id, getattr(each, "participant", None)), (0, 0))
            _check_within(each, done)


def _check_within(fixed: Any, done: tuple[int, int]) -> None:
    assert fixed.estimate_quantity <= fixed.maximum_quantity, f"{fixed}"
    assert done[0] <= fixed.maximum_quantity, f"{done[0]} are called off of {fixed.maximum_quantity}: {fixed}"
    assert (done[1] + 5_000) // 10_000 <= fixed.maximum_value_minor, f"EUR {done[1]} micro are called off: {fixed}"


def _called_off(run: Connection) -> dict[tuple[int, str | None], tuple[int, int]]:
    """Quantity and value by lot and whoever holds the place now; under None those of the whole lot."""
    held = {(lot, code) for lot, code in _rows(run, "tender_member_lot", "lot", "participant")}
    after = dict(tuple(row) for row in _rows(run, "participant", "code", "successor"))
    found: dict[tuple[int, str | None], tuple[int, int]] = {}
    for lot, code, quantity, value, gone in _rows(
        run, "call_off", "lot", "participant", "quantity", "value_eur_micro", "cancelled_at"
    ):
        if gone is None:
            while (lot, code) not in held:
                code = after[code]
            for key in ((lot, code), (lot, None)):
                before = found.get(key, (0, 0))
                found[key] = before[0] + quantity, before[1] + value
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """What a buyer may call off of a lot still, and all buyers together."""

    participant: str
    offer: str
    term_months: int
    left: int
    lot_left: int


def places(run: Connection, tender: UUID) -> list[Place]:
    """Of each buyer of a tender and each lot; of one that is not frozen what might be."""
    done, lots = _called_off(run), {row.id: row for row in run.execute(select(*_t("tender_lot")))}
    found = []
    for place in run.execute(select(*_t("tender_member_lot"))):
        if place.tender == tender:
            lot = lots[place.lot]
            left = (place.maximum_quantity or 0) - done.get((lot.id, place.participant), (0, 0))[0]
            lot_left = (lot.maximum_quantity or 0) - done.get((lot.id, None), (0, 0))[0]
            found.append(Place(place.participant, lot.offer, lot.term_months, left, lot_left))
    return sorted(found, key=lambda each: (each.participant, each.offer))


def effect(run: Connection) -> tuple[int, int]:
    """What was called off, and what was estimated, of agreements that are bought under: EUR cents."""
    buying = {row.id for row in _rows(run, "tender", *TENDER_COLUMNS) if row.status in FROZEN and row.depth in BUYING}
    calls = _rows(run, "call_off", "tender", "value_eur_micro", "cancelled_at")
    micro = sum(value for tender, value, gone in calls if gone is None and tender in buying)
    lots = _rows(run, "tender_lot", "tender", "estimate_value_minor")
    return micro // 10_000, sum(value or 0 for tender, value in lots if tender in buying)


def check_history(run: Connection) -> None:
    """Of each tender from its first event on: one leads to the next, each is a move that there is, the last is now."""
    audit = _t("audit_entry")
    audited = Counter(
        (operation, key)
        for operation, key in run.execute(
            select(audit.operation, audit.resource_id).where(audit.resource_type == "tender")
        )
    )
    moves = {move for each in TENDER.values() for move in each}
    told: Counter[tuple[str, str]] = Counter()
    at: dict[UUID, str] = {}
    for row in run.execute(select(*_t("tender_event")).order_by(_t("tender_event").id)):
        told[AUDITED[row.what], str(row.tender)] += 1
        before = at.get(row.tender)
        assert row.tender not in at or row.from_status == before, f"tender {row.tender} was {before}: {row}"
        assert before in (None, row.to_status) or (before, row.to_status) in moves, f"{before} -> {row.to_status}"
        at[row.tender] = row.to_status
    assert told == audited, f"in the history alone: {told - audited}, in the audit alone: {audited - told}"
    assert at == dict(tuple(row) for row in _rows(run, "tender", "id", "status"))


def overdue(state: Seen, now: datetime) -> set[UUID]:
    """Tenders whose last day for answers is over in Copenhagen, with somebody who has not answered."""
    today = now.astimezone(COPENHAGEN).date()
    return {
        key
        for key, row in state.tenders.items()
        if row.status == "invited" and row.answers_due < today and state.waiting(key)
    }


def term(start: str, months: int) -> tuple[date, date]:
    """First day, and first day after."""
    first = int(start[:4]) * 12 + int(start[5:]) - 1
    return date(first // 12, first % 12 + 1, 1), date((first + months) // 12, (first + months) % 12 + 1, 1)


def days_from(now: datetime, days: int) -> str:
    """A day in Copenhagen, so many after today."""
    return (now.astimezone(COPENHAGEN).date() + timedelta(days=days)).isoformat()
