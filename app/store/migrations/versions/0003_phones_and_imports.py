"""Registered phones, and which touches came from files."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = {
    "phone": """
        n INTEGER NOT NULL, at TEXT NOT NULL, phone_id TEXT NOT NULL, public_key BLOB NOT NULL, label TEXT NOT NULL,
        worker_id TEXT, company_id TEXT, state TEXT NOT NULL, operator_id TEXT NOT NULL, reason TEXT NOT NULL,
        PRIMARY KEY (n), CONSTRAINT phone_state CHECK (state IN ('registered', 'revoked')),
        CONSTRAINT phone_key CHECK (length(public_key) = 32)""",
    "import_batch": """
        n INTEGER NOT NULL, at TEXT NOT NULL, format TEXT NOT NULL, device TEXT NOT NULL, site_id TEXT NOT NULL,
        digest TEXT NOT NULL, "rows" INTEGER NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
        PRIMARY KEY (n), FOREIGN KEY (first_seq) REFERENCES event (seq),
        FOREIGN KEY (last_seq) REFERENCES event (seq)""",
    "import_row": """
        seq INTEGER NOT NULL, at TEXT NOT NULL, device TEXT NOT NULL, card TEXT NOT NULL, nth INTEGER NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (seq), FOREIGN KEY (seq) REFERENCES event (seq),
        CONSTRAINT import_row_once UNIQUE (at, device, card, nth)""",
}


def upgrade() -> None:
    """Make them; the triggers come with `app.store.migrate`."""
    for name, columns in TABLES.items():
        op.execute(f"CREATE TABLE {name} ({columns})")


def downgrade() -> None:
    """Drop them: registered phones are forgotten, and a file that comes again is taken again."""
    for name in reversed(TABLES):
        op.execute(f"DROP TABLE {name}")
