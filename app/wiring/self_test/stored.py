"""What keeps the records: a fresh encrypted database in a folder that is thrown away, and the keyring."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from app.clock import SystemClock
from app.errors import EnvironmentTrouble, StorageTrouble
from app.secrets import SecretVault, new_database_key
from app.store import migrate, opening, schema
from app.store.database import Database
from app.store.meta import Meta
from app.wiring.self_test.check import Missing

PAGE = 4096
"""Bytes of a SQLCipher page."""
KEYRING_S = 20.0
"""Seconds after which a keyring that asks its user something is not waited for."""
BACKENDS = {
    "win32": ("keyring.backends.Windows", "win32ctypes.pywin32.win32cred"),
    "darwin": ("keyring.backends.macOS", "keyring.backends.macOS.api"),
}
SECRET_SERVICE = ("keyring.backends.SecretService", "secretstorage", "jeepney.io.blocking")


def cipher() -> str:
    """What is written cannot be found in the files, and no page of them is anything but noise."""
    words = "genba-touch self-test: plain words"
    with _database() as (db, _key):
        Meta(db).set("self-test", words)
        with db.looking() as connection:
            version = str(connection.execute("PRAGMA cipher_version").fetchone()[0])
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        path = db.path
        for file in path.parent.glob(f"{path.name}*"):
            if words.encode() in file.read_bytes():
                raise Missing(f"encryption: {file.name} holds plain words")
        pages = path.read_bytes()
        for place in range(0, len(pages), PAGE):
            if len(zlib.compress(pages[place : place + PAGE])) < PAGE:
                raise Missing(f"encryption: page {place // PAGE + 1} of the file is not noise")
        try:
            opening.revision(path, new_database_key())
        except StorageTrouble:
            return f"SQLCipher {version}, SQLite {db.sqlite_version}, {len(pages) // PAGE} pages"
        raise Missing("encryption: another key opens the file")


def migrations() -> str:
    """Every step of the schema is there, and all of them bring an empty file to the newest."""
    steps = sorted(path.name[:4] for path in (migrate.FOLDER / "versions").glob("[0-9]*.py"))
    if lacking := set(schema.REVISIONS) - set(steps):
        raise Missing(", ".join(f"migration {step}" for step in sorted(lacking)))
    with _database() as (db, key):
        found = opening.revision(db.path, key)
    if found != schema.HEAD:
        raise Missing(f"migration {schema.HEAD}: stopped at {found}")
    return f"{steps[0]} … {found}"


def keyring_backend() -> str:
    """The part of `keyring` that speaks with this system's keyring, whether one runs or not."""
    names = BACKENDS.get(sys.platform, SECRET_SERVICE)
    for name in names:
        importlib.import_module(name)
    return names[0]


def keyring() -> str:
    """A secret goes into the system's keyring, comes back and is forgotten. Raises EnvironmentTrouble."""
    answer: list[BaseException | None] = []
    thread = Thread(target=_round_trip, args=(answer,), name="self-test-keyring", daemon=True)
    thread.start()
    thread.join(KEYRING_S)
    if not answer:
        raise EnvironmentTrouble("keyring.locked")
    if answer[0] is not None:
        raise answer[0]
    return "set, get, delete"


def _round_trip(answer: list[BaseException | None]) -> None:
    vault, name, secret = SecretVault(f"self-test-{uuid.uuid4()}"), "self-test", os.urandom(32)
    try:
        vault.set(name, secret)
        vault.delete(name)
        if vault.get(name) is not None:
            raise EnvironmentTrouble("keyring.failed", "delete")
    except BaseException as exc:
        answer.append(exc)
    else:
        answer.append(None)


@contextmanager
def _database() -> Iterator[tuple[Database, bytes]]:
    key = new_database_key()
    with tempfile.TemporaryDirectory(prefix="genba-touch-self-test-") as folder:
        with Database.open(Path(folder) / "self-test.db", key, SystemClock()) as db:
            yield db, key
