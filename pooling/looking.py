"""Asking the driver itself: for requests that come by the thousand, most of which need no session.

They meet the same transactions, the same time limit and the same errors as with `pooling.database`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Dialect, Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from pooling.database import STATEMENT_TIME, limit_driver

REPEATABLE_READ = 3
"""PostgreSQL's level of one consistent view, as psycopg numbers it."""


class Reading:
    """A reading transaction in which the driver itself is asked; also as a session for whoever wants one."""

    __slots__ = ("_checked_out", "_connection", "_engine", "_session", "dialect")

    def __init__(self, engine: Engine, checked_out: Any) -> None:
        self.dialect = engine.dialect
        self._engine = engine
        self._checked_out = checked_out
        self._connection: Connection | None = None
        self._session: Session | None = None

    def ask(self, statement: str, parameters: Any) -> tuple[list[tuple[Any, ...]], Any]:
        """The rows of a statement in the driver's own words and values, and its cursor, which describes the columns.

        Raises what a session would.
        """
        try:
            cursor = self._checked_out.driver_connection.execute(statement, parameters)
            return cursor.fetchall(), cursor
        except self.dialect.loaded_dbapi.Error as broken:
            raise self._told(statement, broken) from broken

    @property
    def session(self) -> Session:
        """The same transaction as a session."""
        if self._session is None:
            self._connection = Connection(self._engine, connection=self._checked_out)
            self._session = Session(self._connection, expire_on_commit=False)
        return self._session

    def _told(self, statement: str, broken: Any) -> BaseException:
        lost = self.dialect.is_disconnect(broken, self._checked_out.driver_connection, None)
        if lost:  # then the others in the pool are lost too, as a session has it
            self._engine.pool._invalidate(self._checked_out, broken)
        return _as_alchemy(self.dialect, statement, broken, lost=lost)

    def begin(self) -> None:
        """Open the transaction."""
        driver = self._checked_out.driver_connection
        if self.dialect.name == "postgresql":
            driver.set_isolation_level(REPEATABLE_READ)
            driver.set_read_only(True)
            return
        driver.execute("BEGIN")
        seconds = self._engine.__dict__.get(STATEMENT_TIME)
        if seconds is not None:
            limit_driver(seconds, driver)

    def end(self) -> None:
        """Give the connection back as it was; there is nothing to keep."""
        try:
            if self._session is not None:
                self._session.close()
            if self._connection is not None and self._connection.in_transaction():
                self._connection.rollback()
            if self.dialect.name == "postgresql" and self._checked_out.is_valid:
                driver = self._checked_out.driver_connection
                driver.commit()  # after a rollback psycopg forgets what it has prepared
                driver.set_isolation_level(None)
                driver.set_read_only(None)
        except self.dialect.loaded_dbapi.Error as broken:  # it was lost meanwhile: the answer is there all the same
            self._checked_out.invalidate(broken)
        finally:
            if self._checked_out.is_valid:
                self._checked_out.close()


def _as_alchemy(dialect: Dialect, statement: str | None, broken: Any, *, lost: bool = False) -> BaseException:
    """A driver's error as everybody else meets it."""
    kind = dialect.loaded_dbapi.Error
    told: BaseException = DBAPIError.instance(
        statement, None, broken, kind, hide_parameters=True, connection_invalidated=lost, dialect=dialect
    )
    return told


@contextmanager
def looking(engine: Engine) -> Iterator[Reading]:
    """As `reading`, for requests that come by the thousand: most of them ask the driver and need no session."""
    try:
        checked_out = engine.raw_connection()
    except engine.dialect.loaded_dbapi.Error as broken:
        raise _as_alchemy(engine.dialect, None, broken) from broken
    look = Reading(engine, checked_out)
    try:
        look.begin()
        yield look
    finally:
        look.end()


def at_once(engine: Engine, statement: str, parameters: Any) -> None:
    """One statement in the driver's own words that is a transaction of its own. Raises what a session would."""
    broken_by = engine.dialect.loaded_dbapi.Error
    try:
        checked_out = engine.raw_connection()
    except broken_by as broken:
        raise _as_alchemy(engine.dialect, None, broken) from broken
    driver: Any = checked_out.driver_connection
    try:
        if engine.dialect.name == "postgresql":
            driver.set_autocommit(True)
        seconds = engine.__dict__.get(STATEMENT_TIME)
        if seconds is not None:  # anew: the limit of whoever had the connection before has run out
            limit_driver(seconds, driver)
        driver.execute(statement, parameters)
        if engine.dialect.name == "postgresql":
            driver.set_autocommit(False)
    except broken_by as broken:
        checked_out.invalidate(broken)
        raise _as_alchemy(engine.dialect, statement, broken) from broken
    finally:
        if checked_out.is_valid:
            checked_out.close()
