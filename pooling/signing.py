"""The service's own secret, with which it signs cursors: given by a setting, or made once and kept in the database."""

import secrets
import threading

from sqlalchemy import Engine, LargeBinary
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Field, SQLModel

from pooling.database import reading, transaction

CURSORS = "cursors"
BYTES = 32


class ServiceSecret(SQLModel, table=True):
    """A random secret by what it is for; in the database so that all processes, and a restored backup, share it."""

    __tablename__ = "service_secret"

    name: str = Field(primary_key=True, max_length=40)
    secret: bytes = Field(sa_type=LargeBinary)


class Secret:
    """The secret for one purpose, read or made at first use: the database may not be there before."""

    def __init__(self, engine: Engine, name: str, *, given: str | None = None) -> None:
        self._engine = engine
        self._name = name
        self._found = given.encode() if given else None
        self._lock = threading.Lock()

    def get(self) -> bytes:
        """The same bytes every time, in every process over this database or with this setting."""
        with self._lock:
            if self._found is None:
                self._found = self._read() or self._make()
            return self._found

    def _read(self) -> bytes | None:
        with reading(self._engine) as session:
            found = session.get(ServiceSecret, self._name)
            return found.secret if found else None

    def _make(self) -> bytes:
        insert = postgresql_insert if self._engine.dialect.name == "postgresql" else sqlite_insert
        row = {"name": self._name, "secret": secrets.token_bytes(BYTES)}
        with transaction(self._engine) as session:
            session.connection().execute(insert(ServiceSecret).values(row).on_conflict_do_nothing())
            return session.get_one(ServiceSecret, self._name).secret
