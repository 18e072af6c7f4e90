"""What may become of cycles, demand and tenders, said again here, and what a database shows of it: for random walks."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, select
from sqlmodel import SQLModel

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
Moves = frozenset[tuple[str | None, str | None]]
TENDER: Mapping[str, Moves] = {
    "review": frozenset({("proposed", "under-review")}),
    "invite": frozenset({("under-review", "invited")}),
    "confirm": frozenset({("invited", "confirmed")}),
    "hand-over": frozenset({("confirmed", "handed-over")}),
    "reject": frozenset({("proposed", "rejected"), ("under-review", "rejected"), ("invited", "rejected")}),
    "expire": frozenset((status, "expired") for status in ("proposed", "under-review", "invited")),
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
SENT: Moves = frozenset({(None, "accepted"), (None, "superseded"), ("accepted", "superseded")})
"""What may become of submissions where demand is sent; one that corrects an earlier cycle is superseded at once."""
REPLACED: Moves = frozenset({("accepted", "superseded")})
"""Of forecasts: once none of a submission's lines is in force any more."""
WITHDRAWN: Moves = frozenset({("accepted", "withdrawn")})
UPLOAD: Mapping[str, Moves] = {
    "create": frozenset({(None, "received")}),
    "ready": frozenset({("received", "ready")}),
    "unreadable": frozenset({("received", "unreadable")}),
    "confirm": frozenset({("ready", "confirmed"), ("refused", "confirmed")}),
    "loaded": frozenset({("confirmed", "loaded")}),
    "refused": frozenset({("confirmed", "refused")}),
    "discard": frozenset((status, None) for status in ("received", "ready", "unreadable", "refused")),
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
    "repaired": "tender-repairs.apply",
    "asked-again": "answers.ask-again",
}
"""What the history calls a deed, and what the audit does."""
OPEN = ("proposed", "under-review", "invited")
UNSETTLED = ("none", "change-proposed")
FROZEN = ("confirmed", "handed-over")
LIVE = (*OPEN, *FROZEN)
BUYING = ("framework", "joint")


def table_of(name: str) -> Any:
    return SQLModel.metadata.tables[name].c


def rows_of(run: Connection, table: str, *names: str, order: str | None = None) -> list[Any]:
    """The rows of a table, of them the columns that are named, or all."""
    return list(run.execute(_query(table, names, order)))


@cache
def _query(table: str, names: tuple[str, ...], order: str | None) -> Select[Any]:
    columns = table_of(table)
    query = select(*(columns[name] for name in names or columns.keys()))
    return query if order is None else query.order_by(columns[order])


@dataclass(frozen=True, slots=True)
class Submission:
    """A set of lines. ``whose``: for whom they were sent, None where not all are known; ``source``: the system whose
    forecasts they are."""

    status: str
    version: int
    whose: frozenset[str] | None
    source: str | None


@dataclass(frozen=True, slots=True)
class Seen:
    """All that must not change by itself; tenders in the order they were proposed in.

    ``bought``: lots, lines and places of each tender, as fixed at its freeze. ``uploads``: status, version and
    sender. ``repairs``: numbers of those that fit, by tender.
    """

    tenders: Mapping[UUID, Any]
    cycles: Mapping[str, tuple[str, int]]
    members: Mapping[tuple[UUID, str], tuple[str, int]]
    call_offs: Mapping[UUID, Any]
    forecasts: Mapping[str, tuple[int, bool]]
    bought: Mapping[UUID, frozenset[Any]]
    submissions: Mapping[UUID, Submission]
    uploads: Mapping[UUID, tuple[str, int, UUID]]
    repairs: Mapping[UUID, tuple[int, ...]]
    position: int
    event: int

    def waiting(self, tender: UUID) -> list[str]:
        """Members that have neither committed nor declined."""
        return [code for (key, code), (answer, _) in self.members.items() if key == tender and answer in UNSETTLED]


TENDER_COLUMNS = (
    "id",
    "status",
    "version",
    "cycle",
    "depth",
    "locked",
    "lead",
    "answers_due",
    "start",
    "notice_by",
    "frozen_at",
)


def seen(run: Connection) -> Seen:
    """What is there now."""
    first: dict[UUID, int] = {}
    last = 0
    for number, tender in rows_of(run, "tender_event", "id", "tender", order="id"):
        first.setdefault(tender, number)
        last = number
    rows = {row.id: row for row in rows_of(run, "tender", *TENDER_COLUMNS)}
    position = run.execute(select(table_of("audit_head").position)).scalar()
    calls = rows_of(run, "call_off", "id", "version", "tender", "lot", "participant", "cancelled_at", "placed_at")
    return Seen(
        tenders={key: rows[key] for key in sorted(rows, key=lambda key: first[key])},
        cycles={
            code: (status, version) for code, status, version in rows_of(run, "cycle", "code", "status", "version")
        },
        members={
            (tender, code): (answer, version)
            for tender, code, answer, version in rows_of(
                run, "tender_member", "tender", "participant", "answer", "version"
            )
        },
        call_offs={row.id: row for row in sorted(calls, key=lambda row: (row.placed_at, row.id))},
        forecasts={
            key: (version, deleted_at is not None)
            for key, version, deleted_at in rows_of(run, "forecast", "external_id", "version", "deleted_at")
        },
        bought=_bought(run),
        submissions=_submissions(run),
        uploads={
            key: (status, version, sender)
            for key, status, version, sender in rows_of(run, "upload", "id", "status", "version", "sent_by")
        },
        repairs=_repairs(run, {row.id: row.version for row in rows.values()}),
        position=position or 0,
        event=last,
    )


def _submissions(run: Connection) -> dict[UUID, Submission]:
    whose: dict[UUID, set[str]] = {}
    for key, code in rows_of(run, "line", "submission", "sent_as"):
        whose.setdefault(key, set()).add(code)
    names = ("id", "status", "version", "senders_known", "source")
    return {
        row.id: Submission(
            row.status, row.version, frozenset(whose.get(row.id, ())) if row.senders_known else None, row.source
        )
        for row in rows_of(run, "submission", *names, order="received_at")
    }


def _repairs(run: Connection, versions: Mapping[UUID, int]) -> dict[UUID, tuple[int, ...]]:
    found: dict[UUID, tuple[int, ...]] = {}
    names = ("tender", "number", "tender_version", "applied_at")
    for tender, number, version, applied_at in rows_of(run, "tender_repair", *names, order="number"):
        if version == versions[tender] and applied_at is None:
            found[tender] = (*found.get(tender, ()), number)
    return found


@dataclass(frozen=True, slots=True)
class Deed:
    """What was tried. ``tenders``, ``cycles``, ``submissions``, ``uploads``: the moves that may come of it, by what
    they are of; under None those of what was not there, and of any submission or upload.

    ``by``: the principal, None for the service. ``allowed``: whether that one may. ``named``: for whom it is
    stands in the request, so that whoever may not is told so in the way that faults of it are. ``merges``:
    what one region has may become another's. ``again``: it may have been done before, so that nothing comes of it.
    ``also_by``: whose work is done with it.
    """

    name: str
    by: UUID | None
    allowed: bool = True
    tenders: Mapping[Any, Moves] = field(default_factory=dict)
    cycles: Mapping[str, Moves] = field(default_factory=dict)
    submissions: Mapping[Any, Moves] = field(default_factory=dict)
    uploads: Mapping[Any, Moves] = field(default_factory=dict)
    touches: Collection[UUID] = ()
    reason: str | None = None
    named: bool = False
    merges: bool = False
    again: bool = False
    also_by: frozenset[str] = frozenset()

    @property
    def whose(self) -> str:
        """As the audit has it."""
        return "service" if self.by is None else str(self.by)


LOT = ("id", "tender", "quantity", "tier", "unit_price_eur_micro", "estimate_quantity", "maximum_quantity")
LINE = ("lot", "line", "participant", "quantity", "quantity_low", "quantity_high", "stands")


def _bought(run: Connection) -> dict[UUID, frozenset[Any]]:
    lots = rows_of(run, "tender_lot", *LOT)
    of = {row.id: row.tender for row in lots}
    found: dict[UUID, set[Any]] = {}
    for row in lots:
        found.setdefault(row.tender, set()).add(tuple(row))
    for row in (*rows_of(run, "tender_line", *LINE), *rows_of(run, "tender_member_lot")):
        found[of[row.lot]].add(tuple(row))
    return {key: frozenset(rows) for key, rows in found.items()}


def overdue(state: Seen, now: datetime) -> set[UUID]:
    """Tenders whose last day for answers is over in Copenhagen, with somebody who has not settled on it; and those that
    nobody was invited to by the day of their notice."""
    today = now.astimezone(COPENHAGEN).date()
    return {
        key
        for key, row in state.tenders.items()
        if (row.status == "invited" and row.answers_due < today and state.waiting(key))
        or (row.status in ("proposed", "under-review") and row.notice_by < today)
    }


def term(start: str, months: int) -> tuple[date, date]:
    """First day, and first day after."""
    first = int(start[:4]) * 12 + int(start[5:]) - 1
    return date(first // 12, first % 12 + 1, 1), date((first + months) // 12, (first + months) % 12 + 1, 1)


def days_from(now: datetime, days: int) -> str:
    """A day in Copenhagen, so many after today."""
    return (now.astimezone(COPENHAGEN).date() + timedelta(days=days)).isoformat()
