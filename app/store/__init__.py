"""The store: an encrypted SQLite database, its log of events, outbox, roster, audit trail and backups."""
