"""That nothing changed but what may come of a deed, and that all that did is in history and audit: for random walks."""

from collections import Counter
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import Connection, select

from tests.e2e.workflow.model import AUDITED, CYCLE, FROZEN, TENDER, UPLOAD, Deed, Moves, Seen, rows_of, table_of


def check_done(run: Connection, deed: Deed, before: Seen, after: Seen) -> None:
    """Nothing changed but what may come of the deed, and all that did is in history and audit, once."""
    _check_moves(deed, before, after)
    _check_cycles(run, deed, before, after)
    _check_demand(run, deed, before, after)
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
    told = _told(run, before, "cycle")
    steps = {move: name for name, moves in CYCLE.items() for move in moves}
    for code, (status, version) in after.cycles.items():
        was, counted = before.cycles.get(code, (None, 0))
        assert version >= counted, f"{deed.name}: cycle {code} was at version {counted}, is at {version}"
        if was != status:
            assert (was, status) in deed.cycles.get(code, frozenset()), f"{deed.name}: cycle {code} {was} -> {status}"
            assert told[f"cycles.{steps[was, status]}", code] == 1, f"{deed.name}: {code} {was} -> {status}: {told}"


def _told(run: Connection, before: Seen, kind: str) -> Counter[tuple[str, str]]:
    """What the audit says since then was done to resources of a kind: operation and id."""
    audit = table_of("audit_entry")
    new = select(audit.operation, audit.resource_id).where(
        audit.position > before.position, audit.resource_type == kind
    )
    return Counter((operation, key) for operation, key in run.execute(new))


def _check_demand(run: Connection, deed: Deed, before: Seen, after: Seen) -> None:
    """Submissions, uploads and call-offs: each move may come of the deed, and is in the audit under its own name."""
    _check_kind(
        deed.name,
        deed.submissions,
        {key: each.status for key, each in before.submissions.items()},
        {key: each.status for key, each in after.submissions.items()},
    )
    then, now = ({key: each[0] for key, each in there.uploads.items()} for there in (before, after))
    steps = {move: name for name, moves in UPLOAD.items() for move in moves}
    told = _told(run, before, "upload")
    for key, move in _check_kind(deed.name, deed.uploads, then, now):
        assert told[f"uploads.{steps[move]}", str(key)] == 1, f"{deed.name}: upload {key} {move}: {told}"
    entered = _told(run, before, "call_off")
    for key, row in after.call_offs.items():
        if row != before.call_offs.get(key):
            assert any(of == str(key) for _, of in entered), f"{deed.name}: {row} is not in the audit: {entered}"
    assert before.call_offs.keys() <= after.call_offs.keys(), f"{deed.name}: a call-off is gone"


def _check_kind(
    name: str, may: Mapping[UUID | None, Moves], then: Mapping[UUID, str], now: Mapping[UUID, str]
) -> list[tuple[UUID, tuple[str | None, str | None]]]:
    made = []
    for key in {**then, **now}:
        move = (then.get(key), now.get(key))
        if move[0] != move[1]:
            allowed = may.get(key, frozenset()) | may.get(None, frozenset())
            assert move in allowed, f"{name}: {key} went {move[0]} -> {move[1]}"
            made.append((key, move))
    return made


def _check_ledgers(run: Connection, deed: Deed, before: Seen, after: Seen) -> None:
    event, audit = table_of("tender_event"), table_of("audit_entry")
    events = run.execute(select(*event).where(event.id > before.event).order_by(event.id)).all()
    entries = run.execute(select(*audit).where(audit.position > before.position).order_by(audit.position)).all()
    assert entries or deed.again, f"{deed.name} is not in the audit"
    others = {entry.principal for entry in entries} - {deed.whose} - deed.also_by
    assert not others, f"{deed.name} by {deed.whose} is in the audit as done by {others}"
    history = Counter((AUDITED[each.what], str(each.tender)) for each in events)
    chain = Counter(
        (each.operation, each.resource_id)
        for each in entries
        if each.resource_id and each.operation in AUDITED.values()
    )
    assert history == chain, f"{deed.name}: the history has {history}, the audit {chain}"
    at = {key: row.status for key, row in before.tenders.items()}
    for each in events:
        assert each.from_status == at.get(each.tender, each.from_status), f"{deed.name}: {each} was {at[each.tender]}"
        assert each.by == deed.by, f"{deed.name}: by {each.by} in the history, by {deed.by} in fact"
        if each.tender in deed.touches and each.what != "replaced":
            assert each.reason == deed.reason, f"{deed.name}: for {each.reason!r} in the history, for {deed.reason!r}"
        at[each.tender] = each.to_status
    assert at == {key: row.status for key, row in after.tenders.items()}, f"{deed.name}: not in the history: {at}"


def check_history(run: Connection) -> None:
    """Of each tender from its first event on: one leads to the next, each is a move that there is, the last is now."""
    audit = table_of("audit_entry")
    audited = Counter(
        (operation, key)
        for operation, key in run.execute(
            select(audit.operation, audit.resource_id).where(
                audit.resource_type == "tender", audit.operation.in_(sorted(set(AUDITED.values())))
            )
        )
    )
    moves = {move for each in TENDER.values() for move in each}
    told: Counter[tuple[str, str]] = Counter()
    at: dict[UUID, str] = {}
    for row in run.execute(select(*table_of("tender_event")).order_by(table_of("tender_event").id)):
        told[AUDITED[row.what], str(row.tender)] += 1
        before = at.get(row.tender)
        assert row.tender not in at or row.from_status == before, f"tender {row.tender} was {before}: {row}"
        assert before in (None, row.to_status) or (before, row.to_status) in moves, f"{before} -> {row.to_status}"
        at[row.tender] = row.to_status
    assert told == audited, f"in the history alone: {told - audited}, in the audit alone: {audited - told}"
    assert at == dict(tuple(row) for row in rows_of(run, "tender", "id", "status"))
