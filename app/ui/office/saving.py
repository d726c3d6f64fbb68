"""A list as a file: straight into the person's documents, no question asked, and the place said."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import QStandardPaths

from app.ui.words import Words

_UNFIT = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


def documents() -> Path:
    """The folder 'Genba Touch' in this user's documents."""
    found = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    return Path(found or Path.home()) / "Genba Touch"


def save_file(name: str, data: bytes, words: Words, folder: Path | None = None) -> tuple[str, str]:
    """Write a new file; what the status line should say: a look's name and the sentence. Never overwrites."""
    folder = folder or documents()
    path = folder / _UNFIT.sub("_", name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        count = 1
        while path.exists():
            count += 1
            path = path.with_name(f"{Path(name).stem}-{count}{Path(name).suffix}")
        path.write_bytes(data)
    except OSError as exc:
        return "bad", words.title("office.not_saved_file", where=str(path), why=exc.strerror or "")
    return "recorded", words.title("office.saved_file", where=str(path))
