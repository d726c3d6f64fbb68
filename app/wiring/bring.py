"""What of a data folder goes along to another PC beside the database and the secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from app.files import DATABASE_NAME
from app.recovery import SEALED_NAME
from app.secrets import INSTALLATION_ID
from app.settings import PROVISIONING_FILE, SETTINGS_FILE, STATION_FILE, DataDir, Settings

_MARKS = ("first-start.unfinished", "move-in.unfinished", "purge.unfinished")
_MADE_ANEW = frozenset({SETTINGS_FILE, STATION_FILE, PROVISIONING_FILE, SEALED_NAME, INSTALLATION_ID, *_MARKS})
"""`provisioning.toml` is for a first start alone, and may have an enrolment code in it."""
_FOLDERS_THAT_STAY = frozenset({"backups", "logs", "crashes", "update"})
"""Copies and reports of the PC that was, and what updates fetch anew. `damaged-log` goes along: it may hold records."""
_TEMPORARY = (".lock", ".new", ".part")


def others(data: DataDir, settings: Settings) -> Iterator[Path]:
    """Relative paths of the files that go along: certificates, trust, profiles, formats, whatever comes later."""
    keys = (data.root / settings.key_file).resolve() if settings.key_file else None
    for path in sorted(data.root.rglob("*")):
        here = path.relative_to(data.root)
        if path.is_symlink() or not path.is_file() or here.parts[0] in _FOLDERS_THAT_STAY:
            continue
        top = len(here.parts) == 1
        if path.resolve() == keys or (top and (here.name.startswith(DATABASE_NAME) or here.name in _MADE_ANEW)):
            continue
        if not here.name.endswith(_TEMPORARY):
            yield here


def moved(settings: Settings, to: Path, names: frozenset[str]) -> Settings:
    """The settings as they are right in `to`, given names of files in it: a path into the old folder leads there."""
    name = re.split(r"[\\/]", settings.ca_file)[-1] if settings.ca_file else ""
    return replace(settings, ca_file=str(to / name)) if name in names else settings
