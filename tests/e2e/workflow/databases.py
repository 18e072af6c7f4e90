"""Databases for random walks through the workflow: one for each stage, and one that the walks go on in."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID, uuid4

from psycopg.sql import SQL, Identifier
from sqlalchemy.engine import make_url

from tests import postgresql
from tests.e2e.workflow.here import all_done_here
from tests.e2e.workflow.world import FIRST, STAGES, Running, running


class Databases(Protocol):
    """``empty``: the address of a migrated one."""

    empty: str

    def address(self) -> str:
        """Of a database that is not there yet."""
        ...

    def lay(self, url: str, over: str) -> None:
        """Put a copy of one that nobody uses in the place of another, or where there is none."""
        ...

    def drop(self, url: str) -> None:
        """Take one away."""
        ...


class SqliteDatabases:
    """Files in a folder."""

    def __init__(self, template: Path, folder: Path) -> None:
        self.empty, self.folder = f"sqlite:///{template}", folder

    def address(self) -> str:
        return f"sqlite:///{self.folder / uuid4().hex}.db"

    def lay(self, url: str, over: str) -> None:
        self.drop(over)
        Path(over.removeprefix("sqlite:///")).write_bytes(Path(url.removeprefix("sqlite:///")).read_bytes())

    def drop(self, url: str) -> None:
        path = Path(url.removeprefix("sqlite:///"))
        for each in path.parent.glob(f"{path.name}*"):
            each.unlink()


class PostgresqlDatabases:
    """Databases of one server; ``template``: the name of a migrated one."""

    def __init__(self, url: str, template: str) -> None:
        self.server = make_url(url)
        self.empty = self._named(template)

    def _named(self, name: str) -> str:
        return postgresql.shown(self.server.set(database=name))

    def address(self) -> str:
        return self._named(f"workflow_{uuid4().hex}")

    def lay(self, url: str, over: str) -> None:
        self.drop(over)
        names = [Identifier(str(make_url(each).database)) for each in (over, url)]
        postgresql.ask(self.server, SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(*names))

    def drop(self, url: str) -> None:
        postgresql.drop(self.server, str(make_url(url).database))


@dataclass(frozen=True, slots=True)
class Stage:
    """A database that is never changed, the time it is there, and the plans in it."""

    url: str
    now: datetime
    plans: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Worlds:
    """The stages that walks begin at, and the service over a database for all walks, one after another.

    An application and its connections know their queries: over a new database each time they would learn them again.
    """

    there: Running
    stages: dict[str, Stage]
    lay: Callable[[str], None]

    def begin(self, stage: str) -> Running:
        """The service at a stage; whatever was done before is gone."""
        found = self.stages[stage]
        self.rest()
        self.lay(found.url)
        self.there.made.clock.now = found.now
        return replace(self.there, plans=list(found.plans))

    def rest(self) -> None:
        """Let go of the database, between walks."""
        self.there.made.engine.dispose()
        self.there.made.app.parts.engine.dispose()


@contextmanager
def worlds_of(kind: Databases) -> Iterator[Worlds]:
    """A database for each stage, until the end of the block; each goes on from the one before it."""
    with ExitStack() as kept:
        kept.enter_context(all_done_here())
        walked = kind.address()
        kept.callback(kind.drop, walked)
        kind.lay(kind.empty, walked)
        there = kept.enter_context(running(walked, FIRST))
        worlds = Worlds(there, {}, lambda url: kind.lay(url, walked))
        for name, fill in STAGES.items():
            fill(there)
            worlds.rest()
            url = kind.address()
            kept.callback(kind.drop, url)
            kind.lay(walked, url)
            worlds.stages[name] = Stage(url, there.made.clock.now, tuple(there.plans))
        yield worlds
