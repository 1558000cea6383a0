"""What people do about findings."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "finding_act",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("finding", sa.String(64), nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("act", sa.String(20), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("due_on", sa.String(10), nullable=False),
        sa.Column("evidence", sa.String(64), nullable=False),
        sa.Column("evidence_name", sa.String(200), nullable=False),
        sa.Column("rule", sa.String(120), nullable=False),
        sa.Column("facility", sa.String(100), nullable=False),
        sa.Column("county", sa.String(20), nullable=False),
        sa.Column("found_on", sa.String(10), nullable=False),
        sa.Column("amount_cny", sa.Float),
        sa.Column("by", sa.String(100), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.UniqueConstraint("finding", "step", name="finding_step"),
    )
    op.create_table(
        "attachment",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("facility", sa.String(100), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("kept_by", sa.String(100), nullable=False),
        sa.Column("kept_at", sa.String(40), nullable=False),
    )
