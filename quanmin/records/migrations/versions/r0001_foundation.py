"""The first ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Apply."""
    _received()
    _published()
    _people()


def _received() -> None:
    op.create_table(
        "submission",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False), sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("file", sa.String(400), nullable=False), sa.Column("sender", sa.String(100), nullable=False),
        sa.Column("mapping", sa.String(100), nullable=False), sa.Column("received_at", sa.String(40), nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False), sa.Column("read", sa.Integer, nullable=False),
        sa.Column("accepted", sa.Integer, nullable=False), sa.Column("rejected", sa.Integer, nullable=False),
        sa.Column("mapping_version", sa.String(12), nullable=False),
    )
    op.create_index("submission_file", "submission", ["sha256", "sender", "mapping"])
    op.create_table(
        "piece",
        sa.Column("submission", sa.Integer, sa.ForeignKey("submission.id"), primary_key=True),
        sa.Column("table_name", sa.String(60), primary_key=True), sa.Column("period", sa.String(10), primary_key=True),
        sa.Column("sender", sa.String(100), nullable=False), sa.Column("mode", sa.String(10), nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
    )
    op.create_index("piece_place", "piece", ["table_name", "period", "sender"])


def _published() -> None:
    op.create_table(
        "snapshot",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False), sa.Column("published_at", sa.String(40), nullable=False),
        sa.Column("through", sa.Integer, nullable=False), sa.Column("decisions", sa.Integer, nullable=False),
        sa.Column("definitions", sa.String(64), nullable=False),
    )
    op.create_table(
        "version",
        sa.Column("snapshot", sa.Integer, sa.ForeignKey("snapshot.id"), primary_key=True),
        sa.Column("table_name", sa.String(60), primary_key=True), sa.Column("version", sa.Integer, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
    )


def _people() -> None:
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer, primary_key=True), sa.Column("identity_a", sa.String(32), nullable=False),
        sa.Column("identity_b", sa.String(32), nullable=False), sa.Column("decision", sa.String(10), nullable=False),
        sa.Column("reason", sa.Text, nullable=False), sa.Column("decided_by", sa.String(100), nullable=False),
        sa.Column("decided_at", sa.String(40), nullable=False),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(100), nullable=False, unique=True),
        sa.Column("password_hash", sa.String(200), nullable=False), sa.Column("must_change", sa.Boolean, nullable=False),
        sa.Column("role", sa.String(40), nullable=False), sa.Column("scope_kind", sa.String(20), nullable=False),
        sa.Column("scope_value", sa.String(100), nullable=False), sa.Column("is_disabled", sa.Boolean, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False), sa.Column("locked_until", sa.String(40), nullable=False),
        sa.Column("created_at", sa.String(40), nullable=False),
    )
    op.create_table(
        "session",
        sa.Column("token_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("account", sa.Integer, sa.ForeignKey("account.id"), nullable=False), sa.Column("csrf", sa.String(64), nullable=False),
        sa.Column("created_at", sa.String(40), nullable=False), sa.Column("seen_at", sa.String(40), nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True), sa.Column("at", sa.String(40), nullable=False),
        sa.Column("account", sa.String(100), nullable=False), sa.Column("action", sa.String(60), nullable=False),
        sa.Column("subject", sa.String(400), nullable=False), sa.Column("result", sa.String(40), nullable=False),
        sa.Column("rows", sa.Integer, nullable=False), sa.Column("before", sa.String(64), nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
    )
