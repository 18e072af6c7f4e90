"""Alembic's entry: migrates the engine that `pooling.schema` hands over, in one transaction."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import String
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import pooling.tables  # noqa: F401 registers every subject's tables
from pooling.database import UtcDateTime


def render_item(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """Write plain SQLAlchemy types, so that a revision needs none of our modules."""
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.{String(item.length)!r}"
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


with context.config.attributes["engine"].connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        compare_type=True,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
