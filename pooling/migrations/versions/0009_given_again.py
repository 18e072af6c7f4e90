"""Whose figures a stored answer shows, for when it is given again; the end that a key was made with."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    with op.batch_alter_table("stored_response", schema=None) as batch_op:
        batch_op.add_column(sa.Column("owners", sa.JSON(none_as_null=True), nullable=True))
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.add_column(sa.Column("made_until", sa.DateTime(timezone=True), nullable=True))
