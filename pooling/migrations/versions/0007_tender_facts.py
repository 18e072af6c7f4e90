"""Facts of tenders that planners enter for the law to be asked about."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    with op.batch_alter_table("tender", schema=None) as batch_op:
        batch_op.add_column(sa.Column("central_government", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("environment_weight", sa.Float(), nullable=True))
        batch_op.add_column(sa.Column("environment_reasons", sa.String(length=2000), nullable=True))
        batch_op.add_column(sa.Column("agreement_signed", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("lot_reasons", sa.String(length=2000), nullable=True))
        batch_op.add_column(sa.Column("term_reasons", sa.String(length=2000), nullable=True))
        batch_op.add_column(sa.Column("option_months", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("main_cpv", sa.String(length=10), nullable=True))
        batch_op.add_column(sa.Column("category_facts", sa.JSON(), nullable=True))
