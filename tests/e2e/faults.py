"""Faults planted into the transaction of a process that is to be killed: what the test must notice.

``split``: the effect is committed first, what is written at the close (audit, feed) in a second transaction.
``forgetful``: the answer that is kept for a repeated request is committed after the effect.
``early``: the answer is sent before the commit.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from pooling import database, handling, idempotency, transactions

PAUSE_S = 0.05
PATCH = pytest.MonkeyPatch()
"""Never undone: the process is killed."""


def plant(faults: Sequence[str]) -> None:
    """Plant what is named; nothing in an honest process."""
    for fault in faults:
        PLANT[fault]()


def commit_and_go_on(session: Session) -> None:
    """Commit beside the session, which goes on as if nothing had happened."""
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("COMMIT")
        time.sleep(PAUSE_S)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    driver = connection.connection.dbapi_connection
    assert driver is not None
    driver.commit()
    time.sleep(PAUSE_S)


@contextmanager
def split(engine: Engine) -> Iterator[Session]:
    """The transaction in two."""
    with Session(engine) as session, session.begin():
        yield session
        session.flush()
        commit_and_go_on(session)
        _close(session)


@contextmanager
def early(engine: Engine) -> Iterator[Session]:
    """The transaction that is left before its commit, which comes a moment later."""
    session = Session(engine)
    try:
        yield session
        session.flush()
        _close(session)
        session.flush()
    except BaseException:
        session.rollback()
        session.close()
        raise

    def later() -> None:
        time.sleep(PAUSE_S)
        session.commit()
        session.close()

    threading.Thread(target=later).start()


def _close(session: Session) -> None:
    closing: dict[int, Callable[[Session], None]] = session.info.get(database.CLOSING, {})
    for rank in sorted(closing):
        closing[rank](session)


def _replace_transaction(by: Any) -> None:
    PATCH.setattr(handling, "transaction", by)
    PATCH.setattr(transactions, "transaction", by)


def _forget() -> None:
    whole = idempotency.keep

    def later(session: Session, *rest: Any, **more: Any) -> None:
        database.at_close(session, 9, lambda _: (commit_and_go_on(session), whole(session, *rest, **more))[1])

    PATCH.setattr(idempotency, "keep", later)


PLANT: dict[str, Callable[[], None]] = {
    "split": lambda: _replace_transaction(split),
    "early": lambda: _replace_transaction(early),
    "forgetful": _forget,
}
