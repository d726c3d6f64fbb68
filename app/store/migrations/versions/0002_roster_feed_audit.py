"""What is pulled (sites, rosters, other stations' events, the centre's records), and the audit trail."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = {
    "cursor": """
        scope TEXT NOT NULL, site_id TEXT, value TEXT NOT NULL, etag TEXT, at TEXT NOT NULL,
        PRIMARY KEY (scope)""",
    "site": "id TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (id)",
    "roster_item": """
        site_id TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, worker_id TEXT, body BLOB NOT NULL,
        PRIMARY KEY (site_id, kind, id)""",
    "remote_event": """
        receipt INTEGER NOT NULL, station_id TEXT NOT NULL, site_id TEXT NOT NULL, id TEXT NOT NULL,
        type TEXT NOT NULL, occurred_at TEXT NOT NULL, worker_id TEXT, work_day TEXT, card_key TEXT, target TEXT,
        body BLOB NOT NULL,
        PRIMARY KEY (receipt), CONSTRAINT remote_event_id UNIQUE (id)""",
    "centre_record": """
        site_id TEXT NOT NULL, work_day TEXT NOT NULL, worker_id TEXT NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (site_id, work_day, worker_id)""",
    "audit": """
        n INTEGER NOT NULL, at TEXT NOT NULL, action TEXT NOT NULL, operator_id TEXT, ok INTEGER NOT NULL,
        detail TEXT NOT NULL,
        PRIMARY KEY (n), CONSTRAINT audit_ok CHECK (ok IN (0, 1))""",
}
INDEXES = {
    "roster_worker": "roster_item (site_id, worker_id) WHERE worker_id IS NOT NULL",
    "remote_type": "remote_event (type, site_id, work_day)",
    "remote_worker": "remote_event (worker_id) WHERE worker_id IS NOT NULL",
    "remote_card": "remote_event (card_key) WHERE card_key IS NOT NULL",
    "remote_target": "remote_event (target) WHERE target IS NOT NULL",
}


def upgrade() -> None:
    """Make them; the triggers come with `app.store.migrate`."""
    for name, columns in TABLES.items():
        op.execute(f"CREATE TABLE {name} ({columns})")
    for name, place in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON {place}")


def downgrade() -> None:
    """Drop them: what was pulled can be pulled again, the audit trail is lost."""
    for name in reversed(TABLES):
        op.execute(f"DROP TABLE {name}")
