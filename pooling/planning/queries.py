"""Read-only looks across subjects: where lines came from, and the lists of plans, pools and outcomes."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Table, bindparam, func, select, true
from sqlmodel import Session, SQLModel

from pooling.access.rules import Visible, sees_parameters
from pooling.looking import Reading
from pooling.paging import Window, after_parameters
from pooling.planning.pool_views import Trace
from pooling.prepared import Prepared

SLICE_IDS = 10_000  # ids in one statement


def _table(name: str) -> Table:
    return SQLModel.metadata.tables[name]


def _rows(session: Session, query: Any) -> Sequence[Row[Any]]:
    return session.connection().execute(query).all()


def submissions(session: Session, ids: Iterable[UUID]) -> list[dict[str, Any]]:
    """The submissions of these ids, by series and id: what a snapshot says of where its lines came from."""
    table = _table("submission")
    names = ("id", "series", "file_name", "file_sha256", "mapping_name", "mapping_sha256", "rows_read", "lines_made")
    columns = [table.c[name] for name in names]
    found: list[Any] = []
    for part in _parts(sorted(set(ids))):
        found += session.connection().execute(select(*columns).where(table.c.id.in_(part))).mappings().all()
    rows = [dict(row) | {"id": str(row["id"])} for row in found]
    return sorted(rows, key=lambda row: (row["series"], row["id"]))


def traces(session: Session, ids: Iterable[int]) -> dict[int, Trace]:
    """Where lines came from, by line id; superseded submissions keep their lines, so old plans can be traced too."""
    line, submission = _table("line"), _table("submission")
    own = ("id", "submission", "row", "rows", "sent_as", "item_code", "currency", "window_source")
    originals = ("original_quantity", "original_unit", "original_price")
    columns = [line.c[name] for name in (*own, *originals)]
    query = select(*columns, submission.c.file_name, submission.c.file_sha256).join(
        submission, line.c.submission == submission.c.id
    )
    found = {}
    for part in _parts(sorted(set(ids))):
        for row in session.connection().execute(query.where(line.c.id.in_(part))).mappings():
            values = dict(row) | {"submission": str(row["submission"])}
            number = values.pop("id")
            found[number] = Trace(**values)
    return found


def _parts(ids: Sequence[Any]) -> Iterator[list[Any]]:
    rest = iter(ids)
    while part := list(islice(rest, SLICE_IDS)):
        yield part


PLAN_COLUMNS = ("id", "version", "created_at", "snapshot", "solver_version", "status", "objective_eur", "bound_eur")


def _latest_plan() -> Select[Any]:
    plan = _table("plan").c
    return select(plan.id).order_by(plan.created_at.desc(), plan.id.desc()).limit(1)


_LATEST_PLAN = Prepared(_latest_plan)


def latest_plan(opened: Reading | Session) -> UUID | None:
    """The plan made last."""
    found = _LATEST_PLAN.rows(opened, {})
    return found[0][0] if found else None


def plans(session: Session, window: Window) -> Sequence[Row[Any]]:
    """Plans, the latest first: ``PLAN_COLUMNS``, gap, totals, as_of, policy_name and the number of pools."""
    plan, snapshot, pool = _table("plan").c, _table("snapshot").c, _table("plan_pool").c
    count = select(func.count()).where(pool.plan == plan.id).scalar_subquery()
    columns = [plan[name] for name in (*PLAN_COLUMNS, "gap", "totals")]
    named = snapshot.policy["name"].as_string().label("policy_name")
    query = select(*columns, snapshot.as_of, named, count.label("pools")).join(snapshot.id.table, _of_plan())
    query = query.where(window.clause_descending(plan.created_at, plan.id))
    query = query.order_by(plan.created_at.desc(), plan.id.desc()).limit(window.fetch)
    return _rows(session, query)


def _of_plan() -> ColumnElement[bool]:
    return _table("plan").c.snapshot == _table("snapshot").c.id


POOL_COLUMNS = (
    "id",
    "plan",
    "number",
    "family",
    "start",
    "dialogue_from",
    "notice_by",
    "award_by",
    "lead",
    "signing_body",
    "members",
    "countries",
    "lots",
    "lines",
    "spend_eur_per_year",
    "value_over_term_eur",
    "co2_saved_tonnes_per_year",
    "savings_eur",
    "green_value_eur",
    "bridging_cost_eur",
    "set_up_cost_eur",
)


def _pools(*, sees: int | None, after: bool, family: bool) -> Select[Any]:
    pool = _table("plan_pool").c
    query = select(*(pool[name] for name in POOL_COLUMNS)).where(pool.plan == bindparam("plan", type_=pool.plan.type))
    if sees is not None:
        query = query.where(_with_line_where(sees_parameters(_table("line").c.participant, sees)))
    if family:
        query = query.where(pool.family == bindparam("family", type_=pool.family.type))
    if after:
        query = query.where(after_parameters(pool.start, pool.family))
    return query.order_by(pool.start, pool.family).limit(bindparam("fetch"))


_POOLS = Prepared(_pools)


def pools(
    opened: Reading | Session, sees: Visible, window: Window, *, plan: UUID, family: str | None = None
) -> list[Iterable[Any]]:
    """The pools of a plan by start and family that ``sees`` has a line in: ``POOL_COLUMNS``, a column at a time."""
    pool = _table("plan_pool").c
    named = {} if family is None else {"family": family}
    values = {**sees.values, **window.values(pool.start, pool.family), **named, "plan": plan}
    shape = {"sees": sees.count, "after": window.after is not None, "family": family is not None}
    return _POOLS.columns(opened, values, **shape)


def pool_place(session: Session, sees: Visible, pool_id: int) -> Row[Any] | None:
    """Plan, family and start of a pool that ``sees`` has a line in."""
    pool = _table("plan_pool").c
    query = select(pool.plan, pool.family, pool.start).where(pool.id == pool_id, _with_line(sees))
    found = _rows(session, query)
    return found[0] if found else None


def _with_line(sees: Visible) -> ColumnElement[bool]:
    """The condition that a pool has a line of somebody whom ``sees`` shows."""
    return true() if sees.all else _with_line_where(sees.clause(_table("line").c.participant))


def _with_line_where(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    pool, lot, held, line = (_table(name).c for name in ("plan_pool", "plan_lot", "plan_lot_line", "line"))
    inside = select(lot.id).join(held.lot.table, held.lot == lot.id).join(line.id.table, held.line == line.id)
    return inside.where(lot.pool == pool.id, condition).exists()


def senders(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """Whose lines are: participant by line id, as submitted."""
    line = _table("line").c
    found: dict[int, str] = {}
    for part in _parts(sorted(set(ids))):
        rows = session.connection().execute(select(line.id, line.participant).where(line.id.in_(part)))
        found.update((key, participant) for key, participant in rows)
    return found


def described(session: Session, ids: Iterable[int]) -> dict[int, tuple[Any, ...]]:
    """Participant as submitted, category and item code of lines, by id."""
    line = _table("line").c
    found: dict[int, tuple[Any, ...]] = {}
    for part in _parts(sorted(set(ids))):
        query = select(line.id, line.participant, line.category, line.item_code).where(line.id.in_(part))
        found.update((key, tuple(rest)) for key, *rest in session.connection().execute(query))
    return found


def pooled_lines(session: Session, sees: Visible, window: Window, plan: UUID) -> Sequence[Row[Any]]:
    """Lines of ``sees`` in pools of a plan by id: line, participant, pool, start, offer, tier."""
    pool, lot, held, line = (_table(name).c for name in ("plan_pool", "plan_lot", "plan_lot_line", "line"))
    query = (
        select(held.line, line.participant, pool.id.label("pool"), pool.start, lot.offer, lot.tier)
        .join(lot.id.table, held.lot == lot.id)
        .join(pool.id.table, lot.pool == pool.id)
        .join(line.id.table, held.line == line.id)
        .where(pool.plan == plan, sees.clause(line.participant), window.clause(held.line))
    )
    return _rows(session, query.order_by(held.line).limit(window.fetch))


def unpooled_lines(
    session: Session, sees: Visible, window: Window, plan: UUID, *, reason: str | None = None
) -> Sequence[Row[Any]]:
    """Lines of ``sees`` that a plan leaves out, by id: line, participant, reason, figures."""
    left, line = _table("plan_unpooled_line").c, _table("line").c
    query = select(left.line, line.participant, left.reason, left.figures).join(line.id.table, left.line == line.id)
    query = query.where(left.plan == plan, sees.clause(line.participant), window.clause(left.line))
    if reason is not None:
        query = query.where(left.reason == reason)
    return _rows(session, query.order_by(left.line).limit(window.fetch))


def excluded_lines(session: Session, sees: Visible, ids: Iterable[int]) -> Sequence[Row[Any]]:
    """Lines of ``sees`` among ``ids``: line, participant, category, quantity, unit_price_eur_micro, by id."""
    line = _table("line").c
    columns = (line.participant, line.category, line.quantity, line.unit_price_eur_micro)
    query = select(line.id.label("line"), *columns).where(line.id.in_(sorted(ids)), sees.clause(line.participant))
    return _rows(session, query.order_by(line.id))
