"""Buyers that call off no further until a planner has entered a call-off for them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "call_off_hold",
        sa.Column("lot", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("participant", sa.String(length=40), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lot"], ["tender_lot.id"], name=op.f("fk_call_off_hold_lot_tender_lot")),
        sa.ForeignKeyConstraint(
            ["participant"], ["participant.code"], name=op.f("fk_call_off_hold_participant_participant")
        ),
        sa.PrimaryKeyConstraint("lot", "participant", name=op.f("pk_call_off_hold")),
    )
    op.create_index(op.f("ix_call_off_hold_participant"), "call_off_hold", ["participant"], unique=False)
