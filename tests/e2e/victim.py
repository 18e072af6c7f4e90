"""The processes that are killed: `python -m tests.e2e.victim load URL FILE MAPPING [split]`, `… plan URL SEED [split]`.

With the word split, half of the lines (of the plan: its pools) are committed before the rest, on purpose: what the
test must notice.
"""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
from sqlmodel import Session

import pooling.tables  # noqa: F401
from pooling.database import connect, transaction
from pooling.demand import service, store
from pooling.planning import service as planning
from pooling.planning import storing
from tests.e2e.killing import BEGUN
from tests.pooling.planning.demand import policy

SPLIT_PAUSE_S = 0.5


def load(url: str, file: str, mapping: str, *options: str) -> None:
    """Load a file as `pooling load` does."""
    if "split" in options:
        split_commits()
    chosen = service.read_mapping(Path(mapping))
    engine = connect(url)
    with transaction(engine) as session:
        print(BEGUN, flush=True)
        service.load(session, Path(file), chosen, series=None, partial=True, received_at=datetime.now(UTC))
    engine.dispose()


def plan(url: str, seed: str, *options: str) -> None:
    """Make a plan as `pooling plan` does."""
    if "split" in options:
        split_plans()
    engine = connect(url)
    print(BEGUN, flush=True)
    planning.make_plan(engine, policy(), now=datetime.now(UTC), effort=planning.Effort(time_limit_s=60, seed=int(seed)))
    engine.dispose()


def split_plans() -> None:
    """Make every store of a plan commit before the lines that stay out."""
    whole = storing._store_unpooled

    def later(session: Session, *rest: Any) -> None:
        _commit(session)
        time.sleep(SPLIT_PAUSE_S)
        whole(session, *rest)

    storing._store_unpooled = later


def split_commits() -> None:
    """Make every store of lines commit its first half."""
    whole = store.add_lines

    def halves(session: Session, lines: pl.DataFrame, *, submission: UUID, mapping: int) -> None:
        half = lines.height // 2
        whole(session, lines[:half], submission=submission, mapping=mapping)
        _commit(session)
        time.sleep(SPLIT_PAUSE_S)
        whole(session, lines[half:], submission=submission, mapping=mapping)

    store.add_lines = halves


def _commit(session: Session) -> None:
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        driver.commit()


if __name__ == "__main__":
    {"load": load, "plan": plan}[sys.argv[1]](*sys.argv[2:])
