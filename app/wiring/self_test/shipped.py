"""The files that come with the program: each is there, and says what it should."""

from __future__ import annotations

import wave
from pathlib import Path

from app import datafile
from app.messages import FILES, LANGUAGES, catalogue
from app.resources import resource
from app.settings import DataDir
from app.wiring import card_profiles, import_formats
from app.wiring.self_test.check import Missing

SOUNDS = ("alarm", "already", "bad", "check", "recorded", "unknown")
ICONS = ("down.png", "genba-touch.ico", "genba-touch.png", "genba-touch.svg")
SCHEMAS = ("card-profile", "import-format", "provisioning", "site-file")
PROFILES = ("sample-felica-digits", "sample-uid")
FORMATS = ("bnr01-like", "certified-system", "dragon_ble-like", "generic", "other-system", "phone-calls")
UDEV = "70-genba-touch-pasori.rules"
_NOWHERE = DataDir(Path("nowhere"))
"""A data folder that is not there: only what is shipped is found."""


def messages() -> str:
    """Every sentence in both languages."""
    for language in LANGUAGES:
        for ending in FILES:
            _there("messages", f"{language}{ending}")
    first, *others = (catalogue(language) for language in LANGUAGES)
    for other in others:
        if odd := sorted(first.keys() ^ other.keys()):
            raise Missing(", ".join(odd[:5]))
    return f"{len(first)} × {len(LANGUAGES)}"


def sounds() -> str:
    """Every sound is a WAV file with something to hear."""
    for name in SOUNDS:
        path = _there("sounds", f"{name}.wav")
        with wave.open(str(path)) as sound:
            if not sound.getnframes():
                raise Missing(str(path))
    return str(len(SOUNDS))


def icons() -> str:
    """Every icon is there; whether Qt can draw them is Qt's check."""
    for name in ICONS:
        if not _there("icons", name).stat().st_size:
            raise Missing(name)
    return str(len(ICONS))


def schemas() -> str:
    """Every JSON Schema refuses what is empty."""
    for name in SCHEMAS:
        _there("schemas", f"{name}.schema.json")
        if not datafile.faults({}, name, "-"):
            raise Missing(f"{name}: takes anything")
    return str(len(SCHEMAS))


def profiles() -> str:
    """Every card profile that is shipped loads."""
    for name in PROFILES:
        card_profiles.load(_there(card_profiles.SCHEMA.replace("-", "_") + "s", f"{name}.toml"))
    return str(len(PROFILES))


def formats() -> str:
    """Every format of touch files that is shipped loads."""
    for name in FORMATS:
        import_formats.load(_there(import_formats.FOLDER, f"{name}.toml"))
    return str(len(FORMATS))


def udev() -> str:
    """The rule that lets Linux users reach a PaSoRi; read by the installer."""
    return _there("udev", UDEV).name


def _there(*parts: str) -> Path:
    path = resource(*parts)
    if not path.is_file():
        raise Missing("/".join(parts))
    return path
