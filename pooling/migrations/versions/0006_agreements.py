"""Plans of scenarios kept; call-offs after hand-over."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    with op.batch_alter_table("scenario_set", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cycle", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("holds", sa.JSON(), nullable=True))
    op.create_table(
        "scenario_plan",
        sa.Column("scenarios", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["scenarios"], ["scenario_set.id"], name=op.f("fk_scenario_plan_scenarios_scenario_set")
        ),
        sa.PrimaryKeyConstraint("scenarios", "number", name=op.f("pk_scenario_plan")),
    )
    op.create_table(
        "call_off",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tender", sa.Uuid(), nullable=False),
        sa.Column("lot", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("participant", sa.String(length=40), nullable=False),
        sa.Column("placed_as", sa.String(length=40), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("value_eur_micro", sa.BigInteger(), nullable=False),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.String(length=120), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("placed_by", sa.Uuid(), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by", sa.Uuid(), nullable=True),
        sa.Column("cancel_reason", sa.String(length=2000), nullable=True),
        sa.ForeignKeyConstraint(["lot"], ["tender_lot.id"], name=op.f("fk_call_off_lot_tender_lot")),
        sa.ForeignKeyConstraint(
            ["participant"], ["participant.code"], name=op.f("fk_call_off_participant_participant")
        ),
        sa.ForeignKeyConstraint(["placed_as"], ["participant.code"], name=op.f("fk_call_off_placed_as_participant")),
        sa.ForeignKeyConstraint(["tender"], ["tender.id"], name=op.f("fk_call_off_tender_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_off")),
    )
    op.create_index("ix_call_off_lot_participant", "call_off", ["lot", "participant"], unique=False)
    op.create_index(op.f("ix_call_off_participant"), "call_off", ["participant"], unique=False)
    op.create_index("ix_call_off_tender_made_on_id", "call_off", ["tender", "made_on", "id"], unique=False)
