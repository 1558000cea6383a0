"""Targets set by people, and the definitions that were in use."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "target",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("indicator", sa.String(100), nullable=False), sa.Column("place_code", sa.String(100), nullable=False),
        sa.Column("period", sa.String(10), nullable=False), sa.Column("value", sa.Float),
        sa.Column("document", sa.String(200), nullable=False), sa.Column("note", sa.Text, nullable=False),
        sa.Column("set_by", sa.String(100), nullable=False), sa.Column("set_at", sa.String(40), nullable=False),
    )
    op.create_index("target_of", "target", ["indicator", "place_code", "period"])
    op.create_table(
        "definition",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("indicator", sa.String(100), nullable=False), sa.Column("version", sa.String(12), nullable=False),
        sa.Column("snapshot", sa.Integer, nullable=False), sa.Column("noted_at", sa.String(40), nullable=False), sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("definition_of", "definition", ["indicator"])
