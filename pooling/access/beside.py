"""Short writes beside a request: they give up where the database is busy rather than hold the answer back."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

PATIENCE_MS = 50


@contextmanager
def beside(engine: Engine) -> Iterator[Connection]:
    """A transaction of its own; raises OperationalError where a writer is in the way for longer than a moment."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            with connection.begin():
                connection.execute(text(f"SET LOCAL lock_timeout = {PATIENCE_MS}"))
                yield connection
            return
        driver = connection.connection.driver_connection
        if driver is None:
            raise TypeError("a connection that is open has one of the driver's")
        usual = driver.execute("PRAGMA busy_timeout").fetchone()[0]
        driver.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")  # before the transaction: its begin is what waits
        try:
            with connection.begin():
                yield connection
        finally:
            driver.execute(f"PRAGMA busy_timeout = {usual}")
