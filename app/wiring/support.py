"""The file for support: what somebody who helps from afar must see, and nothing of people or keys.

Everything that leaves is a `Part`: text, which can be read before it is saved. Two guards: what goes in is chosen field
by field (no names, no ids, no secrets), and all of it passes `app.redact`, which knows the roster's names and numbers.
"""

from __future__ import annotations

import getpass
import io
import json
import locale
import platform
import re
import ssl
import sys
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from app import crash, logs
from app.clock import SystemClock
from app.domain.roster import Roster
from app.errors import EnvironmentTrouble, GenbaError, InputRefused
from app.files import write_private
from app.redact import Redactor, present, spellings
from app.settings import DataDir, Settings, desktop_folder
from app.store import driver
from app.store.backup import disk_space
from app.store.office import OfficeBook
from app.version import VERSION
from app.wiring import doctor
from app.wiring.diagnosis.check import Finding, Live
from app.wiring.station import Station, open_station

INDEX = "index.txt"
LOG_BYTES = 2_000_000
"""Of all log files, the newest lines."""
READER_ROWS = 500
LIBRARIES = (
    "PySide6-Essentials", "alembic", "cryptography", "httpx", "keyring", "msgspec", "nfcpy", "openpyxl", "pyscard",
    "sqlalchemy", "sqlcipher3", "truststore", "tuf", "uuid-utils", "zstandard",
)  # fmt: skip
SHOWN_SETTINGS = frozenset(
    {"schema", "site_id", "readers", "language", "kiosk", "card_profiles", "update_channel", "crl_refuse_days"}
)
"""As they are. Of the others it is said whether they are there: they may name people, or hold keys."""
ADDRESSES = frozenset({"centre_url", "proxy", "update_url"})
"""Without user and password."""
_LOGIN = re.compile(r"(?<=://)[^/\s]*@")


@dataclass(frozen=True, slots=True)
class Part:
    """A text file of the bundle, as it leaves."""

    name: str
    text: str

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.text.encode())


@dataclass(frozen=True, slots=True)
class Known:
    """What the station's own records say must not leave."""

    names: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


def collect(data: DataDir, language: str = "ja", live: Live | None = None) -> list[Part]:
    """Everything, the index first. Changes nothing; beside a running gate too. Takes seconds: not on a window's thread.

    What cannot be had (a locked keyring, a damaged database) is left out, and its part says so.
    """
    raw: list[tuple[str, Any]] = [("versions.json", versions())]
    findings: list[Finding] = []
    with closing(doctor.findings(data, language, live=live)) as found:
        findings.extend(found)
    raw += [("doctor.json", [finding.as_json() for finding in findings]), ("settings.json", _settings(data))]
    raw += [("files.json", _files(data)), *_crashes(data), *_update(data)]
    known = Known()
    try:
        with open_station(data, look=True) as station:
            known = _known(station)
            raw += [("status.json", station.status()), ("readers.json", _readers(station))]
    except GenbaError as error:
        raw.append(("status.json", {"missing": error.code}))
    raw += _logs(data)
    return _clean(raw, known)


def pack(parts: Sequence[Part]) -> bytes:
    """The bundle's bytes."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        for part in parts:
            packed.writestr(part.name, part.text)
    return held.getvalue()


def save(parts: Sequence[Part], file: Path | None = None) -> Path:
    """Write it: to `file`, else on the desktop. Raises InputRefused `support.file_there`, EnvironmentTrouble."""
    target = file or desktop_folder() / f"genba-touch-support-{SystemClock().now().astimezone():%Y%m%d-%H%M%S}.zip"
    if target.exists():
        raise InputRefused("support.file_there", str(target))
    try:
        write_private(target, pack(parts))
    except OSError as exc:
        raise EnvironmentTrouble("support.not_written", str(target), why=exc.strerror or "") from exc
    return target


def read(file: Path) -> list[Part]:
    """The parts of a bundle that was saved. Raises InputRefused."""
    try:
        with zipfile.ZipFile(file) as packed:
            return [Part(name, packed.read(name).decode()) for name in packed.namelist()]
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError) as exc:
        raise InputRefused("file.missing", str(file), why=getattr(exc, "strerror", None) or "zip") from exc


def versions() -> dict[str, Any]:
    """Of the program and all that it stands on."""
    found: dict[str, str] = {}
    for name in LIBRARIES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return {
        "program": VERSION,
        "installed": bool(getattr(sys, "frozen", False)),
        "python": platform.python_version(),
        "os": crash.os_name(),
        "bits": platform.architecture()[0],
        "sqlite": driver.SQLITE_VERSION,
        "sqlcipher": driver.cipher_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "encoding": locale.getpreferredencoding(False),
        "time": SystemClock().now().astimezone().isoformat(timespec="seconds"),
        "libraries": found,
    }


def _settings(data: DataDir) -> dict[str, Any]:
    try:
        held, identity = data.settings(), data.identity()
    except GenbaError as error:
        return {"missing": error.code}
    shown = {name: _setting(name, getattr(held, name)) for name in (field.name for field in fields(Settings))}
    if identity is not None:
        shown |= {"station_id": identity.station_id, "role": identity.role, "site_ids": list(identity.site_ids)}
    return shown


def _setting(name: str, value: Any) -> Any:
    if value is None or name in SHOWN_SETTINGS:
        return value
    return _LOGIN.sub("", str(value)).partition("?")[0] if name in ADDRESSES else "(set)"


def _files(data: DataDir) -> list[dict[str, Any]]:
    """Which files there are, two folders deep; names of other people's files are not the program's to tell."""
    found: list[dict[str, Any]] = []
    for path in _two_deep(data.root):
        with suppress(OSError):
            state = path.stat()
            at = datetime.fromtimestamp(state.st_mtime, UTC).isoformat(timespec="seconds")
            size = None if path.is_dir() else state.st_size
            found.append({"file": path.relative_to(data.root).as_posix(), "bytes": size, "changed": at})
    with suppress(GenbaError):
        space = disk_space(data.root)
        found.append({"file": ".", "free": space.free, "total": space.total})
    return found


def _two_deep(root: Path) -> list[Path]:
    found: list[Path] = []
    with suppress(OSError):  # not there, or another user's
        for path in sorted(root.iterdir()):
            found.append(path)
            with suppress(OSError):
                found += sorted(path.iterdir())
    return found


def _crashes(data: DataDir) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for report in crash.reports(data.crashes):
        with suppress(OSError, ValueError):
            text = report.path.read_text(encoding="utf-8", errors="replace")
            found.append((f"crashes/{report.path.name}", json.loads(text) if report.path.suffix == ".json" else text))
    return found


def _update(data: DataDir) -> list[tuple[str, Any]]:
    with suppress(OSError, ValueError):
        return [("update.json", json.loads((data.root / "update" / "state.json").read_text(encoding="utf-8")))]
    return []


def _readers(station: Station) -> list[dict[str, Any]]:
    rows = OfficeBook(station.db).reader_news(READER_ROWS)
    return [{"at": at.isoformat(timespec="seconds"), "reader": name, "usable": works} for at, name, works in rows]


def _logs(data: DataDir) -> list[tuple[str, Any]]:
    """The newest first of what there is room for."""
    found: list[tuple[str, Any]] = []
    left = LOG_BYTES
    for path in reversed(logs.files(data.logs)):
        if left <= 0:
            break
        with suppress(OSError):
            text = path.read_bytes()[-left:].decode("utf-8", "replace")
            left -= len(text)
            found.append((f"logs/{path.name}", text))
    return found


def _known(station: Station) -> Known:
    names: set[str] = set()
    numbers: set[str] = set(OfficeBook(station.db).card_keys())
    for site in station.rosters.sites():
        roster = station.rosters.load(site.id)
        names.update(_names(roster))
        numbers.update((*roster.workers, *roster.cards))
    return Known(tuple(names), tuple(numbers))


def _names(roster: Roster) -> Iterable[str]:
    for worker in roster.workers.values():
        yield from (worker.name, worker.kana, worker.name_latin)
    for company in roster.companies.values():  # a 一人親方's is his own
        yield from (company.name, company.short_name)
    for operator in roster.operators.values():
        yield operator.name


def _clean(raw: Sequence[tuple[str, Any]], known: Known) -> list[Part]:
    whole = "\n".join(_text(content) for _, content in raw)
    redactor = Redactor(
        present(spellings(known.names), whole), present(known.numbers, whole), home=str(Path.home()), user=_user()
    )
    parts = []
    for name, content in raw:
        clean = redactor.text(content) if isinstance(content, str) else _text(_keeping(content, redactor))
        parts.append(Part(name if name.endswith(".json") else redactor.text(name), clean))
    looked = (
        "yes" if known.names else "no: the records could not be opened, only the forms of such things were looked for"
    )
    lines = [f"genba-touch {VERSION}: file for support", "", *(f"{part.size:>9}  {part.name}" for part in parts), ""]
    lines += ["Taken out: names, worker ids, card numbers, telephone numbers, secrets, the user's folder.", ""]
    return [Part(INDEX, "\n".join([*lines, f"Names of the roster were looked for: {looked}"]) + "\n"), *parts]


_OWN = frozenset({"site_id", "station_id", "site_ids", "at", "changed", "time", "oldest_pending_at", "last_sync_at"})
"""Fields with ids of places and times of ours: no persons', and support needs them."""


def _keeping(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, dict):
        return {redactor.text(key): one if key in _OWN else _keeping(one, redactor) for key, one in value.items()}
    return [_keeping(one, redactor) for one in value] if isinstance(value, list) else redactor.value(value)


def _text(content: Any) -> str:
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _user() -> str:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        return ""
    return "" if name in ("root", "user", "gate", "admin", "administrator") else name
