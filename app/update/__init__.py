"""New versions of the program: found, fetched, verified, put in, and put back (docs/updates.md)."""
