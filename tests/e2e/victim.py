"""The processes that are killed: ``load URL FILE MAPPING [split]`` and ``plan URL SEED [split]``.

`python -m tests.e2e.victim` reads the words of one a line (JSON) and forks it; said are its process id, what it says
itself, and its exit code once it has ended.

With the word split, half of the lines (of the plan: its pools) are committed before the rest, on purpose: what the
test must notice.
"""

import json
import os
import sys
import threading
import time
import traceback
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


def fork(words: list[str]) -> int:
    """A child at work; its process id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        print(os.getpid(), flush=True)
        (load if words[0] == "load" else plan)(*words[1:])
        code = 0
    except BaseException:  # noqa: BLE001 told as the interpreter does at its end
        traceback.print_exc()
    finally:
        os._exit(code)


def main() -> None:
    """Take orders until there are no more."""
    assert threading.active_count() == 1, "threads of our own are lost in a fork"
    for line in sys.stdin:
        child = fork(json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
