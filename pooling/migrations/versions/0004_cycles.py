"""Cycles, the lines frozen for them, versions of submissions, how deep a line may go, who took a line over."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "cycle",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("plan_by", sa.Date(), nullable=False),
        sa.Column("decide_by", sa.Date(), nullable=False),
        sa.Column("depth", sa.String(length=10), nullable=False),
        sa.Column("policy_name", sa.String(length=80), nullable=True),
        sa.Column("policy", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("plan", sa.Uuid(), nullable=True),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reopened_because", sa.String(length=1000), nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_cycle")),
    )
    op.create_index(op.f("ix_cycle_status"), "cycle", ["status"], unique=False)
    line_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "cycle_line",
        sa.Column("cycle", sa.String(length=40), nullable=False),
        sa.Column("line", line_id, nullable=False),
        sa.ForeignKeyConstraint(["cycle"], ["cycle.code"], name=op.f("fk_cycle_line_cycle_cycle")),
        sa.ForeignKeyConstraint(["line"], ["line.id"], name=op.f("fk_cycle_line_line_line")),
        sa.PrimaryKeyConstraint("cycle", "line", name=op.f("pk_cycle_line")),
    )
    op.create_index(op.f("ix_cycle_line_line"), "cycle_line", ["line"], unique=False)
    op.create_table(
        "cycle_confirmation",
        sa.Column("cycle", sa.String(length=40), nullable=False),
        sa.Column("participant", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=60), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["cycle"], ["cycle.code"], name=op.f("fk_cycle_confirmation_cycle_cycle")),
        sa.ForeignKeyConstraint(
            ["participant"], ["participant.code"], name=op.f("fk_cycle_confirmation_participant_participant")
        ),
        sa.PrimaryKeyConstraint("cycle", "participant", "source", name=op.f("pk_cycle_confirmation")),
    )
    op.create_table(
        "line_succession",
        sa.Column("line", line_id, nullable=False),
        sa.Column("ended", sa.String(length=40), nullable=False),
        sa.Column("successor", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ended"], ["participant.code"], name=op.f("fk_line_succession_ended_participant")),
        sa.ForeignKeyConstraint(["line"], ["line.id"], name=op.f("fk_line_succession_line_line")),
        sa.ForeignKeyConstraint(
            ["successor"], ["participant.code"], name=op.f("fk_line_succession_successor_participant")
        ),
        sa.PrimaryKeyConstraint("line", "ended", name=op.f("pk_line_succession")),
    )
    op.add_column("line", sa.Column("depth", sa.String(length=10), nullable=True))
    op.add_column("submission", sa.Column("cycle", sa.String(length=40), nullable=True))
    op.add_column("submission", sa.Column("number", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.add_column("submission", sa.Column("correction_reason", sa.String(length=1000), nullable=True))
    op.create_index(op.f("ix_submission_cycle"), "submission", ["cycle"], unique=False)
    op.add_column("upload", sa.Column("cycle", sa.String(length=40), nullable=True))
    op.add_column("upload", sa.Column("correction_reason", sa.String(length=1000), nullable=True))
    op.execute(
        "UPDATE submission SET number = ("
        "SELECT count(*) FROM submission AS other WHERE other.series = submission.series"
        " AND (other.source IS NULL) = (submission.source IS NULL)"
        " AND (other.received_at < submission.received_at"
        " OR (other.received_at = submission.received_at AND other.id <= submission.id)))"
    )
