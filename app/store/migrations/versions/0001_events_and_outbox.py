"""Events, touches, and the outbox."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = {
    "event": """
        seq INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, site_id TEXT NOT NULL,
        occurred_at TEXT NOT NULL, recorded_at TEXT NOT NULL, body BLOB NOT NULL, hash BLOB NOT NULL,
        PRIMARY KEY (seq), CONSTRAINT event_id UNIQUE (id), CONSTRAINT event_hash CHECK (length(hash) = 32)""",
    "touch": """
        seq INTEGER NOT NULL, id TEXT NOT NULL, site_id TEXT NOT NULL, card_key TEXT NOT NULL, worker_id TEXT,
        direction TEXT NOT NULL, work_day TEXT NOT NULL, assurance TEXT NOT NULL, outcome TEXT NOT NULL,
        reasons TEXT NOT NULL, suppressed_by TEXT, reader TEXT NOT NULL, source TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        PRIMARY KEY (seq), FOREIGN KEY (seq) REFERENCES event (seq)""",
    "mention": """
        seq INTEGER NOT NULL, type TEXT NOT NULL, site_id TEXT NOT NULL, worker_id TEXT, work_day TEXT,
        card_key TEXT, target TEXT,
        PRIMARY KEY (seq), FOREIGN KEY (seq) REFERENCES event (seq)""",
    "outbox": """
        seq INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, code TEXT, detail TEXT,
        settled_at TEXT, receipt INTEGER,
        PRIMARY KEY (seq), FOREIGN KEY (seq) REFERENCES event (seq),
        CONSTRAINT outbox_state CHECK (state IN ('waiting', 'accepted', 'rejected', 'conflict'))""",
    "sync_state": """
        only INTEGER NOT NULL, next_attempt_at TEXT, failures INTEGER NOT NULL, last_sync_at TEXT,
        last_error TEXT, paused TEXT NOT NULL,
        PRIMARY KEY (only), CONSTRAINT sync_state_only CHECK (only = 1)""",
    "meta": "key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (key)",
}
INDEXES = {
    "touch_card": "touch (card_key, at_ms)",
    "touch_day": "touch (site_id, work_day)",
    "touch_worker": "touch (worker_id, work_day) WHERE worker_id IS NOT NULL",
    "touch_outcome": "touch (outcome) WHERE outcome IN ('suppressed', 'refused', 'unknown_card')",
    "mention_type": "mention (type, site_id, work_day)",
    "mention_worker": "mention (worker_id) WHERE worker_id IS NOT NULL",
    "mention_card": "mention (card_key) WHERE card_key IS NOT NULL",
    "mention_target": "mention (target) WHERE target IS NOT NULL",
    "outbox_waiting": "outbox (attempts, seq) WHERE state = 'waiting'",
    "outbox_look": "outbox (state, seq) WHERE state IN ('rejected', 'conflict')",
}


def upgrade() -> None:
    """Make them; the triggers come with `app.store.migrate`."""
    for name, columns in TABLES.items():
        op.execute(f"CREATE TABLE {name} ({columns})")
    for name, place in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON {place}")


def downgrade() -> None:
    """Nothing is left."""
    for name in reversed(TABLES):
        op.execute(f"DROP TABLE {name}")
