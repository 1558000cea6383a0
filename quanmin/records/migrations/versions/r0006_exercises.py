"""Exercises played on a site, and what was recorded in their course."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "exercise",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("exercise", sa.String(40), nullable=False),
        sa.Column("template", sa.String(60), nullable=False),
        sa.Column("script", sa.Text, nullable=False),
        sa.Column("county", sa.String(20), nullable=False),
        sa.Column("pace", sa.Float, nullable=False),
        sa.Column("figures", sa.Text, nullable=False),
        sa.Column("snapshot", sa.Integer, nullable=False),
        sa.Column("by", sa.String(100), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.UniqueConstraint("exercise", name="exercise_once"),
    )
    op.create_table(
        "exercise_act",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("exercise", sa.String(40), nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("act", sa.String(20), nullable=False),
        sa.Column("reaction", sa.String(60), nullable=False),
        sa.Column("minutes", sa.Float, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("by", sa.String(100), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.UniqueConstraint("exercise", "step", name="exercise_step"),
    )
