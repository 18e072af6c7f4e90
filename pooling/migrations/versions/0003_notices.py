"""Notices: an outbox and what each principal has been told; where people can be reached; risk areas."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("audience", sa.String(length=60), nullable=False),
        sa.Column("participant", sa.String(length=40), nullable=True),
        sa.Column("principal", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject_type", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=200), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["participant"], ["participant.code"], name=op.f("fk_notice_participant_participant")),
        sa.ForeignKeyConstraint(["principal"], ["principal.id"], name=op.f("fk_notice_principal_principal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("audience", "key", name=op.f("uq_notice_audience_key")),
    )
    op.create_index("ix_notice_audience_created_at_id", "notice", ["audience", "created_at", "id"], unique=False)
    op.create_table(
        "notice_reading",
        sa.Column("notice", sa.Uuid(), nullable=False),
        sa.Column("principal", sa.Uuid(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["notice"], ["notice.id"], name=op.f("fk_notice_reading_notice_notice")),
        sa.ForeignKeyConstraint(["principal"], ["principal.id"], name=op.f("fk_notice_reading_principal_principal")),
        sa.PrimaryKeyConstraint("notice", "principal", name=op.f("pk_notice_reading")),
    )
    op.create_index(op.f("ix_notice_reading_principal"), "notice_reading", ["principal"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("notice", sa.Uuid(), nullable=False),
        sa.Column("principal", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try", sa.DateTime(timezone=True), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fault", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["notice"], ["notice.id"], name=op.f("fk_outbox_notice_notice")),
        sa.ForeignKeyConstraint(["principal"], ["principal.id"], name=op.f("fk_outbox_principal_principal")),
        sa.PrimaryKeyConstraint("notice", "principal", name=op.f("pk_outbox")),
    )
    op.create_index("ix_outbox_state_next_try", "outbox", ["state", "next_try"], unique=False)
    op.create_table(
        "risk_area",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("risk", sa.String(length=2000), nullable=False),
        sa.Column("leads", sa.String(length=200), nullable=False),
        sa.Column("families", sa.JSON(), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("criteria", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(length=400), nullable=False),
        sa.Column("source_date", sa.Date(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_area")),
    )
    op.add_column("person", sa.Column("email", sa.String(length=254), nullable=True))


def downgrade() -> None:
    op.drop_column("person", "email")
    op.drop_table("risk_area")
    op.drop_index("ix_outbox_state_next_try", table_name="outbox")
    op.drop_table("outbox")
    op.drop_index(op.f("ix_notice_reading_principal"), table_name="notice_reading")
    op.drop_table("notice_reading")
    op.drop_index("ix_notice_audience_created_at_id", table_name="notice")
    op.drop_table("notice")
