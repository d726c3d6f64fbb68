"""The office. Empty of rooms for now: imports, direct entry and reports will live here."""
