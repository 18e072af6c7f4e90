"""Joint tenders: pools taken up, invitations, answers, decisions; runs on a cycle."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "tender",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("cycle", sa.String(length=40), nullable=False),
        sa.Column("plan", sa.Uuid(), nullable=False),
        sa.Column("plan_pool", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("family", sa.String(length=80), nullable=False),
        sa.Column("start", sa.String(length=7), nullable=False),
        sa.Column("lead", sa.String(length=40), nullable=False),
        sa.Column("signing_body", sa.String(length=40), nullable=False),
        sa.Column("depth", sa.String(length=10), nullable=False),
        sa.Column("deepest", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=4000), nullable=True),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("lines_up_to", sa.BigInteger(), nullable=False),
        sa.Column("dialogue_from", sa.Date(), nullable=False),
        sa.Column("notice_by", sa.Date(), nullable=False),
        sa.Column("award_by", sa.Date(), nullable=False),
        sa.Column("changed_terms", sa.Boolean(), nullable=False),
        sa.Column("short", sa.Boolean(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("invited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answers_due", sa.Date(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handed_over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["cycle"], ["cycle.code"], name=op.f("fk_tender_cycle_cycle")),
        sa.ForeignKeyConstraint(["lead"], ["participant.code"], name=op.f("fk_tender_lead_participant")),
        sa.ForeignKeyConstraint(["plan"], ["plan.id"], name=op.f("fk_tender_plan_plan")),
        sa.ForeignKeyConstraint(["plan_pool"], ["plan_pool.id"], name=op.f("fk_tender_plan_pool_plan_pool")),
        sa.ForeignKeyConstraint(
            ["signing_body"], ["signing_body.code"], name=op.f("fk_tender_signing_body_signing_body")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tender")),
    )
    op.create_index("ix_tender_cycle_start_id", "tender", ["cycle", "start", "id"], unique=False)
    op.create_index(op.f("ix_tender_plan"), "tender", ["plan"], unique=False)

    op.create_table(
        "tender_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tender", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("from_status", sa.String(length=12), nullable=False),
        sa.Column("to_status", sa.String(length=12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("participant", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.String(length=2000), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant"], ["participant.code"], name=op.f("fk_tender_event_participant_participant")
        ),
        sa.ForeignKeyConstraint(["tender"], ["tender.id"], name=op.f("fk_tender_event_tender_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tender_event")),
    )
    op.create_index(op.f("ix_tender_event_tender"), "tender_event", ["tender"], unique=False)

    op.create_table(
        "tender_lot",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tender", sa.Uuid(), nullable=False),
        sa.Column("category", sa.String(length=80), nullable=False),
        sa.Column("offer", sa.String(length=120), nullable=False),
        sa.Column("offer_name", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=3), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("tipping_quantity", sa.BigInteger(), nullable=False),
        sa.Column("tier_quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit_price_eur_micro", sa.BigInteger(), nullable=False),
        sa.Column("term_months", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("sure_quantity", sa.Float(), nullable=False),
        sa.Column("co2_saved_mg_per_unit", sa.BigInteger(), nullable=False),
        sa.Column("co2_saved_mg_low", sa.BigInteger(), nullable=False),
        sa.Column("co2_saved_mg_high", sa.BigInteger(), nullable=False),
        sa.Column("criteria", sa.JSON(), nullable=False),
        sa.Column("offer_terms", sa.JSON(), nullable=False),
        sa.Column("offer_said", sa.JSON(), nullable=False),
        sa.Column("estimate_quantity", sa.BigInteger(), nullable=True),
        sa.Column("maximum_quantity", sa.BigInteger(), nullable=True),
        sa.Column("estimate_value_minor", sa.BigInteger(), nullable=True),
        sa.Column("maximum_value_minor", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["category"], ["category.id"], name=op.f("fk_tender_lot_category_category")),
        sa.ForeignKeyConstraint(["tender"], ["tender.id"], name=op.f("fk_tender_lot_tender_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tender_lot")),
    )
    op.create_index(op.f("ix_tender_lot_tender"), "tender_lot", ["tender"], unique=False)

    op.create_table(
        "tender_member",
        sa.Column("tender", sa.Uuid(), nullable=False),
        sa.Column("participant", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("answer", sa.String(length=16), nullable=False),
        sa.Column("conditions", sa.String(length=2000), nullable=True),
        sa.Column("reason", sa.String(length=2000), nullable=True),
        sa.Column("change", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["participant"], ["participant.code"], name=op.f("fk_tender_member_participant_participant")
        ),
        sa.ForeignKeyConstraint(["tender"], ["tender.id"], name=op.f("fk_tender_member_tender_tender")),
        sa.PrimaryKeyConstraint("tender", "participant", name=op.f("pk_tender_member")),
    )
    op.create_index(op.f("ix_tender_member_participant"), "tender_member", ["participant"], unique=False)

    op.create_table(
        "tender_repair",
        sa.Column("tender", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tender_version", sa.Integer(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tender"], ["tender.id"], name=op.f("fk_tender_repair_tender_tender")),
        sa.PrimaryKeyConstraint("tender", "number", name=op.f("pk_tender_repair")),
    )
    op.create_table(
        "tender_line",
        sa.Column("lot", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("line", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("participant", sa.String(length=40), nullable=False),
        sa.Column("category", sa.String(length=80), nullable=False),
        sa.Column("item_code", sa.String(length=80), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("quantity_low", sa.BigInteger(), nullable=False),
        sa.Column("quantity_high", sa.BigInteger(), nullable=False),
        sa.Column("unit_price_eur_micro", sa.BigInteger(), nullable=False),
        sa.Column("earliest_start", sa.String(length=7), nullable=False),
        sa.Column("latest_start", sa.String(length=7), nullable=False),
        sa.Column("required", sa.JSON(), nullable=False),
        sa.Column("refused", sa.JSON(), nullable=False),
        sa.Column("depth", sa.String(length=10), nullable=True),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["category"], ["category.id"], name=op.f("fk_tender_line_category_category")),
        sa.ForeignKeyConstraint(["line"], ["line.id"], name=op.f("fk_tender_line_line_line")),
        sa.ForeignKeyConstraint(["lot"], ["tender_lot.id"], name=op.f("fk_tender_line_lot_tender_lot")),
        sa.ForeignKeyConstraint(
            ["participant"], ["participant.code"], name=op.f("fk_tender_line_participant_participant")
        ),
        sa.PrimaryKeyConstraint("lot", "line", name=op.f("pk_tender_line")),
    )
    op.create_index(op.f("ix_tender_line_line"), "tender_line", ["line"], unique=False)

    op.create_table(
        "tender_member_lot",
        sa.Column("lot", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("participant", sa.String(length=40), nullable=False),
        sa.Column("tender", sa.Uuid(), nullable=False),
        sa.Column("category", sa.String(length=80), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("quantity_low", sa.BigInteger(), nullable=False),
        sa.Column("quantity_high", sa.BigInteger(), nullable=False),
        sa.Column("committed_quantity", sa.BigInteger(), nullable=True),
        sa.Column("committed_low", sa.BigInteger(), nullable=True),
        sa.Column("committed_high", sa.BigInteger(), nullable=True),
        sa.Column("estimate_quantity", sa.BigInteger(), nullable=True),
        sa.Column("maximum_quantity", sa.BigInteger(), nullable=True),
        sa.Column("estimate_value_minor", sa.BigInteger(), nullable=True),
        sa.Column("maximum_value_minor", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["category"], ["category.id"], name=op.f("fk_tender_member_lot_category_category")),
        sa.ForeignKeyConstraint(["lot"], ["tender_lot.id"], name=op.f("fk_tender_member_lot_lot_tender_lot")),
        sa.ForeignKeyConstraint(
            ["participant"], ["participant.code"], name=op.f("fk_tender_member_lot_participant_participant")
        ),
        sa.ForeignKeyConstraint(["tender"], ["tender.id"], name=op.f("fk_tender_member_lot_tender_tender")),
        sa.PrimaryKeyConstraint("lot", "participant", name=op.f("pk_tender_member_lot")),
    )
    op.create_index(op.f("ix_tender_member_lot_participant"), "tender_member_lot", ["participant"], unique=False)
    op.create_index(op.f("ix_tender_member_lot_tender"), "tender_member_lot", ["tender"], unique=False)

    op.add_column("plan_run", sa.Column("cycle", sa.String(length=40), nullable=True))
    op.add_column("plan_run", sa.Column("holds", sa.JSON(none_as_null=True), nullable=True))
