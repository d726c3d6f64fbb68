"""What an imported file was called, from when to when it goes, what became of its rows; touches that are nobody's."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = ("file", "first_at", "last_at", "counts")
NOBODY = "touch (card_key, site_id, work_day, outcome) WHERE worker_id IS NULL"


def upgrade() -> None:
    """Add them; of batches before this nothing is known."""
    for name in COLUMNS:
        op.execute(f"ALTER TABLE import_batch ADD COLUMN {name} TEXT")
    op.execute(f"CREATE INDEX touch_nobody ON {NOBODY}")


def downgrade() -> None:
    """Take them away: the batches stay, their files' names and counts are lost."""
    op.execute("DROP INDEX touch_nobody")
    for name in reversed(COLUMNS):
        op.execute(f"ALTER TABLE import_batch DROP COLUMN {name}")
