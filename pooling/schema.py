"""The schema of the database: migrated, compared with the tables, ready or not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from pooling.database import connect, reading


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """A migrated engine, closed at the end: what a command works on."""
    engine = connect(url)
    try:
        migrate(engine)
        yield engine
    finally:
        engine.dispose()


def _alembic(engine: Engine) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["engine"] = engine
    return config


def migrate(engine: Engine, revision: str = "head") -> None:
    """Bring the schema to ``revision``; safe to repeat."""
    command.upgrade(_alembic(engine), revision)


def new_revision(engine: Engine, message: str, number: str) -> None:
    """Write the next revision file from the difference between the tables and ``engine``'s schema."""
    command.revision(_alembic(engine), message, autogenerate=True, rev_id=number)


def check_schema(engine: Engine) -> None:
    """Raise alembic's ``CommandError`` where the tables and the migrated schema differ."""
    command.check(_alembic(engine))


def schema_gap(engine: Engine) -> str | None:
    """What keeps the schema from being the one of this version, in words; None where nothing does."""
    wanted = ScriptDirectory.from_config(_alembic(engine)).get_current_head()
    with reading(engine) as session:
        found = MigrationContext.configure(session.connection()).get_current_revision()
    return None if found == wanted else f"the schema is at {found or 'nothing'}, this version needs {wanted}"
