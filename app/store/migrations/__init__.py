"""Alembic's folder: found from the package, needs no alembic.ini. Run by `app.store.migrate`."""
