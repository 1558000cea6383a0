"""What people do about events of surveillance, and the contacts they follow."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "event_act",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("event", sa.String(40), nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("act", sa.String(20), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("item", sa.String(60), nullable=False),
        sa.Column("county", sa.String(20), nullable=False),
        sa.Column("first_on", sa.String(10), nullable=False),
        sa.Column("last_on", sa.String(10), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("method", sa.String(40), nullable=False),
        sa.Column("by", sa.String(100), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.UniqueConstraint("event", "step", name="event_step"),
    )
    op.create_table(
        "event_contact",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("event", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("card", sa.String(60), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("phone", sa.String(40), nullable=False),
        sa.Column("relation", sa.String(60), nullable=False),
        sa.Column("met_on", sa.String(10), nullable=False),
        sa.Column("until", sa.String(10), nullable=False),
        sa.Column("county", sa.String(20), nullable=False),
        sa.Column("by", sa.String(100), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.UniqueConstraint("event", "number", name="event_contact_number"),
    )
    op.create_table(
        "event_illness",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("event", sa.String(40), nullable=False),
        sa.Column("contact", sa.Integer, nullable=False),
        sa.Column("card", sa.String(60), nullable=False),
        sa.Column("by", sa.String(100), nullable=False),
        sa.Column("at", sa.String(40), nullable=False),
        sa.UniqueConstraint("event", "contact", name="event_illness_once"),
    )
