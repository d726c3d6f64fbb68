"""Which imported batches were taken back."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = """
    n INTEGER NOT NULL, batch INTEGER NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
    at TEXT NOT NULL, operator_id TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (n),
    CONSTRAINT import_taken_back_once UNIQUE (batch), FOREIGN KEY(batch) REFERENCES import_batch (n),
    FOREIGN KEY(first_seq) REFERENCES event (seq), FOREIGN KEY(last_seq) REFERENCES event (seq)"""


def upgrade() -> None:
    """Make it; the triggers come with `app.store.migrate`."""
    op.execute(f"CREATE TABLE import_taken_back ({COLUMNS})")


def downgrade() -> None:
    """Drop it: the corrections stay, the batches cannot be imported again."""
    op.execute("DROP TABLE import_taken_back")
