"""Snapshots are what their id says, plans' rows what their document says, pools the sum of their lines."""

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from math import isclose
from typing import Any

from sqlalchemy import Row, bindparam, select, text
from sqlmodel import Session, SQLModel

from pooling.invariants.violation import Violation, shown_id
from solver.check import check

LOTS = """
SELECT o.plan, o.family, o.start, t.id, t.offer, t.quantity,
    (SELECT coalesce(sum(l.quantity), 0) FROM plan_lot_line p JOIN line l ON l.id = p.line WHERE p.lot = t.id) AS summed
FROM plan_lot t JOIN plan_pool o ON o.id = t.pool ORDER BY o.plan, t.id
"""
POOLS = """
SELECT o.id, o.plan, o.family, o.start, o.lots, o.lines, o.spend_eur_per_year AS spend,
    t.id AS lot, l.id AS line, l.quantity, l.unit_price_eur_micro
FROM plan_pool o LEFT JOIN plan_lot t ON t.pool = o.id LEFT JOIN plan_lot_line p ON p.lot = t.id
LEFT JOIN line l ON l.id = p.line ORDER BY o.plan, o.id
"""
ROWS = """
SELECT o.id AS pool, o.family, o.start, o.lead, t.id AS lot, t.offer, t.tier, t.quantity, t.sure_quantity,
    t.benefit_eur, p.line
FROM plan_pool o LEFT JOIN plan_lot t ON t.pool = o.id LEFT JOIN plan_lot_line p ON p.lot = t.id
WHERE o.plan = :plan ORDER BY o.id, t.id, p.line
"""
FIGURES = ("status", "objective_eur", "bound_eur", "gap", "runtime_s", "seed", "workers")
MICRO = 10**6
CLOSE = 1e-9
"""Sums of many figures in another order differ by so small a share."""
OF_LOT = ("offer", "tier", "quantity", "sure_quantity", "benefit_eur")


def snapshots(session: Session) -> Iterator[Violation]:
    """A snapshot's id is the SHA-256 of its content in canonical JSON."""
    for key in _keys(session, "snapshot"):
        content = {name: part for name, part in _snapshot(session, key).items() if name != "id"}
        found = hashlib.sha256(_canonical(content).encode()).hexdigest()
        if found != key:
            yield Violation(f"snapshot {key}", f"its content has the hash {found}: it is not what was frozen")


def plans(session: Session) -> Iterator[Violation]:
    """A plan's rows and figures are those of its document, which the judge still passes on its snapshot."""
    table = SQLModel.metadata.tables["plan"]
    for key in _keys(session, "plan"):
        row = session.connection().execute(select(table).where(table.c.id == key)).one()._mapping
        place = f"plan {key}"
        document = json.loads(zlib.decompress(row["document"]))
        for name in FIGURES:
            if name in document and document[name] != row[name]:
                yield Violation(place, f"{name} is {row[name]}, its document says {document[name]}")
        if row["totals"] is not None and row["totals"] != document["totals"]:
            yield Violation(place, f"totals are {row['totals']}, its document says {document['totals']}")
        if _pools_of_rows(session, key) != _pools_of_document(document):
            yield Violation(place, "its pools, lots and lines are not those of its document")
        yield from _unpooled(session, key, document)
        instance = _snapshot(session, row["snapshot"])["instance"]
        yield from _members(session, key, document, instance)
        for found in check(instance, document):
            yield Violation(place, f"the judge: {found.rule} at {found.path}: {found.message}")


def pools(session: Session) -> Iterator[Violation]:
    """A lot's quantity is the sum of its lines', and what a pool says of itself is what its lines come to."""
    for row in session.connection().execute(text(LOTS)):
        if row.quantity != row.summed:
            place = f"plan {shown_id(row.plan)}, pool {row.family} {row.start}, lot {row.id} ({row.offer})"
            yield Violation(place, f"quantity {row.quantity}, its lines sum up to {row.summed}")
    for _, rows in groupby(session.connection().execute(text(POOLS)), key=lambda row: row.id):
        yield from _pool_faults(list(rows))


def _pool_faults(rows: Sequence[Row[Any]]) -> Iterator[Violation]:
    """``rows``: the lines of one pool; figures of its own that are empty were not kept when it was stored."""
    pool = rows[0]
    place = f"plan {shown_id(pool.plan)}, pool {pool.family} {pool.start}"
    lines = [row for row in rows if row.line is not None]
    found = {"lots": len({row.lot for row in rows if row.lot is not None}), "lines": len(lines)}
    for name, value in found.items():
        stated = getattr(pool, name)
        if stated is not None and stated != value:
            yield Violation(place, f"{name} {stated}, its lines come to {value}")
    spend = sum(row.quantity * row.unit_price_eur_micro for row in lines) / MICRO
    if pool.spend is not None and not isclose(pool.spend, spend, rel_tol=CLOSE):
        yield Violation(place, f"spend a year EUR {pool.spend}, its lines come to {spend}")


def _keys(session: Session, name: str) -> list[Any]:
    column = SQLModel.metadata.tables[name].c.id
    return list(session.connection().execute(select(column).order_by(column)).scalars())


def _snapshot(session: Session, key: str) -> dict[str, Any]:
    table = SQLModel.metadata.tables["snapshot"]
    row = session.connection().execute(select(table).where(table.c.id == key)).one()
    instance = json.loads(zlib.decompress(row.instance))
    return {"id": key, "instance": instance, "policy": row.policy, "context": row.context}


def _canonical(document: object) -> str:
    """As snapshots are spelt; written again here, so that a slip there is found here."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _pools_of_rows(session: Session, plan: object) -> list[Any]:
    pools: dict[int, tuple[Any, ...]] = {}
    lots: dict[int, dict[int, tuple[Any, ...]]] = {}
    lines: dict[int, list[int]] = {}
    query = text(ROWS).bindparams(bindparam("plan", plan, SQLModel.metadata.tables["plan"].c.id.type))
    for row in session.connection().execute(query):
        pools[row.pool] = (row.family, row.start, row.lead)
        if row.lot is not None:
            figures = tuple(getattr(row, name) for name in OF_LOT)
            lots.setdefault(row.pool, {})[row.lot] = figures
        if row.line is not None:
            lines.setdefault(row.lot, []).append(row.line)
    return sorted(
        (*own, sorted((*figures, tuple(sorted(lines.get(lot, [])))) for lot, figures in lots.get(pool, {}).items()))
        for pool, own in pools.items()
    )


def _pools_of_document(document: Mapping[str, Any]) -> list[Any]:
    return sorted(
        (
            *(pool["family"], pool["start"], pool["lead"]),
            sorted(
                (*(lot[name] for name in OF_LOT), tuple(sorted(int(line) for line in lot["lines"])))
                for lot in pool["lots"]
            ),
        )
        for pool in document["pools"]
    )


def _members(
    session: Session, plan: object, document: Mapping[str, Any], instance: Mapping[str, Any]
) -> Iterator[Violation]:
    """The members that a pool's row names are those whose lines are in it, as the snapshot has them."""
    table = SQLModel.metadata.tables["plan_pool"]
    rows = session.connection().execute(select(table).where(table.c.plan == plan, table.c.members.is_not(None)))
    stored = {(row.family, row.start): set(row.members.split()) for row in rows}
    whose = {line["id"]: line["participant"] for line in instance["lines"]}
    for pool in document["pools"]:
        key = (pool["family"], pool["start"])
        members = {whose[line] for lot in pool["lots"] for line in lot["lines"] if line in whose}
        if key in stored and stored[key] != members:
            place = f"plan {plan}, pool {pool['family']} {pool['start']}"
            yield Violation(place, f"members {sorted(stored[key])}, its lines are of {sorted(members)}")


def _unpooled(session: Session, plan: object, document: Mapping[str, Any]) -> Iterator[Violation]:
    table = SQLModel.metadata.tables["plan_unpooled_line"]
    rows = session.connection().execute(select(table.c.line, table.c.reason).where(table.c.plan == plan))
    stored = {row.line: row.reason for row in rows}
    stated = {int(entry["line"]): entry["reason"] for entry in document["unpooled"]}
    for line in sorted({*stored, *stated}):
        if stored.get(line) != stated.get(line):
            place = f"plan {plan}, line {line} outside of pools"
            yield Violation(place, f"the reason is {stored.get(line)}, its document says {stated.get(line)}")
