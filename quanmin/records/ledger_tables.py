"""The ledger's tables: append-only records of what was received, published and decided, and of who may do what."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text, UniqueConstraint

metadata = MetaData()

submission = Table(
    "submission", metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("sha256", String(64), nullable=False),
    Column("file", String(400), nullable=False),
    Column("sender", String(100), nullable=False),
    Column("mapping", String(100), nullable=False),
    Column("received_at", String(40), nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("read", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("mapping_version", String(12), nullable=False),
    Index("submission_file", "sha256", "sender", "mapping"),
)

# One row per table and period a submission speaks of; mode "replace" supersedes what its sender sent before, "add" joins it.
piece = Table(
    "piece", metadata,
    Column("submission", Integer, ForeignKey("submission.id"), primary_key=True),
    Column("table_name", String(60), primary_key=True),
    Column("period", String(10), primary_key=True),
    Column("sender", String(100), nullable=False),
    Column("mode", String(10), nullable=False),
    Column("rows", Integer, nullable=False),
    Index("piece_place", "table_name", "period", "sender"),
)

snapshot = Table(
    "snapshot", metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("published_at", String(40), nullable=False),
    Column("through", Integer, nullable=False),
    Column("decisions", Integer, nullable=False),
    Column("definitions", String(64), nullable=False),
)

version = Table(
    "version", metadata,
    Column("snapshot", Integer, ForeignKey("snapshot.id"), primary_key=True),
    Column("table_name", String(60), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("made_by", String(64), nullable=False, server_default=""),
)

decision = Table(
    "decision", metadata,
    Column("id", Integer, primary_key=True),
    Column("identity_a", String(32), nullable=False),
    Column("identity_b", String(32), nullable=False),
    Column("decision", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("decided_by", String(100), nullable=False),
    Column("decided_at", String(40), nullable=False),
)

# A target somebody set; the newest entry for indicator, place and period holds, without a value it is withdrawn.
target = Table(
    "target", metadata,
    Column("id", Integer, primary_key=True),
    Column("indicator", String(100), nullable=False),
    Column("place_code", String(100), nullable=False),
    Column("period", String(10), nullable=False),
    Column("value", Float),
    Column("document", String(200), nullable=False),
    Column("note", Text, nullable=False),
    Column("set_by", String(100), nullable=False),
    Column("set_at", String(40), nullable=False),
    Index("target_of", "indicator", "place_code", "period"),
)

# The text of an indicator's definition when a snapshot was first answered by it; a new row whenever it differs from the one before.
definition = Table(
    "definition", metadata,
    Column("id", Integer, primary_key=True),
    Column("indicator", String(100), nullable=False),
    Column("version", String(12), nullable=False),
    Column("snapshot", Integer, nullable=False),
    Column("noted_at", String(40), nullable=False),
    Column("text", Text, nullable=False),
    Index("definition_of", "indicator"),
)

# What somebody did about a finding, step by step; of two who take the same step, one was first. What was found stands beside it.
finding_act = Table(
    "finding_act", metadata,
    Column("id", Integer, primary_key=True),
    Column("finding", String(64), nullable=False),
    Column("step", Integer, nullable=False),
    Column("act", String(20), nullable=False),
    Column("text", Text, nullable=False),
    Column("due_on", String(10), nullable=False),
    Column("evidence", String(64), nullable=False),
    Column("evidence_name", String(200), nullable=False),
    Column("rule", String(120), nullable=False),
    Column("facility", String(100), nullable=False),
    Column("county", String(20), nullable=False),
    Column("found_on", String(10), nullable=False),
    Column("amount_cny", Float),
    Column("by", String(100), nullable=False),
    Column("at", String(40), nullable=False),
    UniqueConstraint("finding", "step", name="finding_step"),
)

# A file that somebody attached to an act.
attachment = Table(
    "attachment", metadata,
    Column("sha256", String(64), primary_key=True),
    Column("facility", String(100), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("kept_by", String(100), nullable=False),
    Column("kept_at", String(40), nullable=False),
)

account = Table(
    "account", metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("password_hash", String(200), nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("role", String(40), nullable=False),
    Column("scope_kind", String(20), nullable=False),
    Column("scope_value", String(100), nullable=False),
    Column("is_disabled", Boolean, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", String(40), nullable=False),
    Column("created_at", String(40), nullable=False),
)

session = Table(
    "session", metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("account", Integer, ForeignKey("account.id"), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("created_at", String(40), nullable=False),
    Column("seen_at", String(40), nullable=False),
)

audit = Table(
    "audit", metadata,
    Column("id", Integer, primary_key=True),
    Column("at", String(40), nullable=False),
    Column("account", String(100), nullable=False),
    Column("action", String(60), nullable=False),
    Column("subject", String(400), nullable=False),
    Column("result", String(40), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("before", String(64), nullable=False),
    Column("seal", String(64), nullable=False),
)

# What somebody did about an event of surveillance, step by step; of two who take the same step, one was first.
event_act = Table(
    "event_act", metadata,
    Column("id", Integer, primary_key=True),
    Column("event", String(40), nullable=False),
    Column("step", Integer, nullable=False),
    Column("act", String(20), nullable=False),
    Column("text", Text, nullable=False),
    Column("item", String(60), nullable=False),
    Column("county", String(20), nullable=False),
    Column("first_on", String(10), nullable=False),
    Column("last_on", String(10), nullable=False),
    Column("source", String(20), nullable=False),
    Column("method", String(40), nullable=False),
    Column("by", String(100), nullable=False),
    Column("at", String(40), nullable=False),
    UniqueConstraint("event", "step", name="event_step"),
)

# People who met a case of an event.
event_contact = Table(
    "event_contact", metadata,
    Column("id", Integer, primary_key=True),
    Column("event", String(40), nullable=False),
    Column("number", Integer, nullable=False),
    Column("card", String(60), nullable=False),
    Column("name", String(60), nullable=False),
    Column("phone", String(40), nullable=False),
    Column("relation", String(60), nullable=False),
    Column("met_on", String(10), nullable=False),
    Column("until", String(10), nullable=False),
    Column("county", String(20), nullable=False),
    Column("by", String(100), nullable=False),
    Column("at", String(40), nullable=False),
    UniqueConstraint("event", "number", name="event_contact_number"),
)

# The report card of a contact who fell ill, once.
event_illness = Table(
    "event_illness", metadata,
    Column("id", Integer, primary_key=True),
    Column("event", String(40), nullable=False),
    Column("contact", Integer, nullable=False),
    Column("card", String(60), nullable=False),
    Column("by", String(100), nullable=False),
    Column("at", String(40), nullable=False),
    UniqueConstraint("event", "contact", name="event_illness_once"),
)

# An exercise begun: its script and what the registers said then stand beside it, since both may change later.
exercise = Table(
    "exercise", metadata,
    Column("id", Integer, primary_key=True),
    Column("exercise", String(40), nullable=False),
    Column("template", String(60), nullable=False),
    Column("script", Text, nullable=False),
    Column("county", String(20), nullable=False),
    Column("pace", Float, nullable=False),
    Column("figures", Text, nullable=False),
    Column("snapshot", Integer, nullable=False),
    Column("by", String(100), nullable=False),
    Column("at", String(40), nullable=False),
    UniqueConstraint("exercise", name="exercise_once"),
)

# What was recorded of an exercise, step by step; a correction is a record of its own.
exercise_act = Table(
    "exercise_act", metadata,
    Column("id", Integer, primary_key=True),
    Column("exercise", String(40), nullable=False),
    Column("step", Integer, nullable=False),
    Column("act", String(20), nullable=False),
    Column("reaction", String(60), nullable=False),
    Column("minutes", Float, nullable=False),
    Column("note", Text, nullable=False),
    Column("by", String(100), nullable=False),
    Column("at", String(40), nullable=False),
    UniqueConstraint("exercise", "step", name="exercise_step"),
)
