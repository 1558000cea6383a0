"""What each table of a snapshot was made by."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Apply."""
    op.add_column("version", sa.Column("made_by", sa.String(64), nullable=False, server_default=""))
