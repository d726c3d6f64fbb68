"""The reference centre: implements the contract on SQLite or PostgreSQL."""
