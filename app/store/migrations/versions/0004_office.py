"""What the office keeps beside the events: candidates set aside, and when readers worked."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = {
    "aside": """
        n INTEGER NOT NULL, at TEXT NOT NULL, site_id TEXT NOT NULL, worker_id TEXT NOT NULL, work_day TEXT NOT NULL,
        aside INTEGER NOT NULL, operator_id TEXT NOT NULL,
        PRIMARY KEY (n), CONSTRAINT aside_flag CHECK (aside IN (0, 1))""",
    "reader_log": """
        n INTEGER NOT NULL, at_ms INTEGER NOT NULL, reader TEXT NOT NULL, usable INTEGER NOT NULL,
        PRIMARY KEY (n), CONSTRAINT reader_log_usable CHECK (usable IN (0, 1))""",
}
INDEXES = {
    "aside_day": "aside (site_id, work_day)",
    "reader_log_at": "reader_log (at_ms)",
}


def upgrade() -> None:
    """Make them; the triggers come with `app.store.migrate`."""
    for name, columns in TABLES.items():
        op.execute(f"CREATE TABLE {name} ({columns})")
    for name, place in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON {place}")


def downgrade() -> None:
    """Drop them: what was set aside comes up again, the readers' past is forgotten."""
    for name in reversed(TABLES):
        op.execute(f"DROP TABLE {name}")
