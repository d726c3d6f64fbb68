"""Take what a lost PC holds of people out of its data folder: rosters, PIN verifiers, others' events, copies.

Events of this station stay as they are (append-only, encrypted): they are its records. So do copies that hold an event
which neither the database nor the centre has. Every step may be cut off and done again.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from app.files import sync_folder
from app.store.backup import FOLDER
from app.store.copies import copies
from app.store.database import Database
from app.store.schema import TRIGGERS
from app.store.troubles import trouble

_CACHES = ("roster_item", "centre_record", "cursor")
_APPEND_ONLY = ("remote_event", "phone")
"""Others' events as they were pulled, and phones with the names on them: nothing of either is this station's record."""


def wipe_database(db: Database, meta_keys: tuple[str, ...]) -> bool:
    """Rosters, caches, phones and these facts of `meta` out of the database, and out of its free pages.

    False: a reader was at work, so the log may still hold some; call it again. Raises StorageTrouble.
    """
    with db.hot() as connection:
        connection.execute("PRAGMA secure_delete=ON").fetchall()
        for table in _CACHES:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own
        for table in _APPEND_ONLY:
            for name in (name for name in TRIGGERS if name.startswith(f"{table}_no_")):
                connection.execute(f"DROP TRIGGER IF EXISTS {name}")
            connection.execute(f"DELETE FROM {table}")  # noqa: S608
            for name in (name for name in TRIGGERS if name.startswith(f"{table}_no_")):
                connection.execute(TRIGGERS[name])
        for key in meta_keys:
            connection.execute("DELETE FROM meta WHERE key = ?", (key,))
    return db.compact()


def drop_copies(db: Database, asides: Iterable[Path] = ()) -> list[Path]:
    """Delete the copies in which nothing is alone (`app.store.copies`); those that stay. Raises StorageTrouble."""
    stay: list[Path] = []
    folder, stem = db.path.parent / FOLDER, db.path.stem
    try:
        for part in (*folder.glob(f"{stem}-*.db.part*"), *db.path.parent.glob(f"{db.path.name}.put-back.part*")):
            part.unlink(missing_ok=True)  # one being made ends with an error, or was cut off
        for copy in copies(db, asides):
            if not copy.spare:
                stay.append(copy.path)
            elif copy.path.is_dir():
                shutil.rmtree(copy.path)
            else:
                copy.path.unlink()
        if folder.exists():
            sync_folder(folder)
    except OSError as exc:
        raise trouble(exc, folder) or exc from exc
    return stay
