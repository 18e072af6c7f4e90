"""Read-only looks of cycles at what other subjects keep."""

from sqlalchemy import select
from sqlmodel import Session, SQLModel


def policy_names(session: Session) -> list[str]:
    """The policies that planners keep, by name."""
    names = SQLModel.metadata.tables["planning_policy"].c.name
    return list(session.connection().execute(select(names).order_by(names)).scalars())
