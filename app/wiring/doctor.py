"""`doctor`: checks in the order in which a person should, each with a remedy. The first failure is to be mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from app.errors import EnvironmentTrouble, GenbaError
from app.gate.health import CLOCK_SHOWN_MS
from app.messages import explain, say
from app.secrets import DATABASE_KEY
from app.settings import DataDir
from app.store.backup import SpaceLevel, disk_space, is_sound
from app.store.events import EventLog
from app.wiring import card_profiles
from app.wiring import gate as gate_wiring
from app.wiring import station as station_wiring
from app.wiring import usb as usb_wiring

OK, FAILED, WARNING, NOT_CHECKED = "ok", "failed", "warning", "not_checked"


@dataclass(slots=True)
class _Patient:
    """What earlier checks found out, for later ones."""

    data: DataDir
    language: str
    station: station_wiring.Station | None = None
    skew_ms: int | None = None
    centre_answered: bool = False
    found: list[dict[str, Any]] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)
    """Values for the sentences of checks that went well."""


class _Warning(Exception):
    """Not well, but it works. Holds a message code and its values."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


def examine(data: DataDir, language: str = "ja") -> list[dict[str, Any]]:
    """Run every check. Each: `check` (a stable code), `result` (ok, failed, warning, not_checked), `title`, `remedy` …

    Read only: works beside a running gate. A check whose ground has failed is `not_checked`.
    """
    patient = _Patient(data, language)
    try:
        for name, check in _checks():
            patient.found.append(_run(patient, name, check))
    finally:
        if patient.station is not None:
            patient.station.close()
    return patient.found


def _checks() -> Iterator[tuple[str, Callable[[_Patient], bool]]]:
    yield "folder", _folder
    yield "disk", _disk
    yield "settings", _settings
    yield "keys", _keys
    yield "recovery", _recovery
    yield "database", _database
    yield "chain", _chain
    yield "accepted", _accepted
    yield "roster", _roster
    yield "usb", _usb
    yield "readers", _readers
    yield "centre", _centre
    yield "clock", _clock


def _run(patient: _Patient, name: str, check: Callable[[_Patient], bool]) -> dict[str, Any]:
    entry = {"check": name, "result": OK, "title": "", "remedy": "", "where": "", "code": ""}
    try:
        if not check(patient):
            entry["result"] = NOT_CHECKED
        title = say(f"doctor.{name}", patient.language, **patient.said).title
    except _Warning as warning:
        message = say(warning.code, patient.language, **warning.values)
        entry |= {"result": WARNING, "remedy": message.remedy, "code": warning.code}
        title = message.title
    except GenbaError as error:
        message = say(error.code, patient.language, where=error.where, **error.values)
        entry |= {"result": FAILED, "remedy": message.remedy, "where": error.where, "code": error.code}
        title = explain(error, patient.language)[0]
    return {**entry, "title": title}


def _folder(patient: _Patient) -> bool:
    patient.data.create()
    probe = patient.data.root / ".doctor"
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as exc:
        raise EnvironmentTrouble("settings.folder", str(patient.data.root), why=exc.strerror or "") from exc
    return True


def _disk(patient: _Patient) -> bool:
    space = disk_space(patient.data.root)
    free = space.free // 1024**2
    if space.level is SpaceLevel.CRITICAL:
        raise EnvironmentTrouble("health.disk_nearly_full", str(patient.data.root), free=free)
    if space.level is SpaceLevel.LOW:
        raise _Warning("health.disk_low", free=free)
    return True


def _settings(patient: _Patient) -> bool:
    card_profiles.enabled(patient.data.settings(), patient.data)
    return True


def _keys(patient: _Patient) -> bool:
    if not _ok(patient, "settings"):
        return False
    settings = patient.data.settings()
    station_wiring.vault_of(patient.data, settings).require(DATABASE_KEY)
    if settings.key_file:
        raise _Warning("doctor.key_file")
    return True


def _recovery(patient: _Patient) -> bool:
    if not _ok(patient, "settings"):
        return False
    if not patient.data.sealed.exists():
        raise _Warning("doctor.recovery_missing")
    return True


def _database(patient: _Patient) -> bool:
    if not _ok(patient, "keys"):
        return False
    patient.station = station_wiring.open_station(patient.data, look=True)
    with patient.station.db.looking() as connection:
        if not is_sound(connection):
            raise EnvironmentTrouble("store.damaged", str(patient.data.database))
    return True


def _chain(patient: _Patient) -> bool:
    if patient.station is None:
        return False
    broken = EventLog(patient.station.db).verify_chain()
    if broken is not None:
        raise EnvironmentTrouble("doctor.chain_broken", str(patient.data.database), seq=broken)
    return True


def _accepted(patient: _Patient) -> bool:
    if patient.station is None:
        return False
    counts = patient.station.outbox.counts()
    if counts.rejected or counts.conflict:
        raise _Warning("doctor.not_accepted", count=counts.rejected + counts.conflict)
    return True


def _roster(patient: _Patient) -> bool:
    if patient.station is None:
        return False
    site = patient.station.site()
    if not patient.station.rosters.load(site.id).workers:
        raise _Warning("health.roster_empty")
    return True


def _usb(patient: _Patient) -> bool:
    """Whether a reader is plugged in at all, whatever drives it. Not asked where no reader is on USB by its nature."""
    asked = patient.station.settings.readers if patient.station else ()
    found = usb_wiring.on_usb(asked)
    if found is None:
        return False
    patient.said["found"] = ", ".join(found)
    if not found:
        raise _Warning("doctor.usb_none")
    return True


def _readers(patient: _Patient) -> bool:
    specs = patient.station.settings.readers if patient.station else ()
    states = gate_wiring.look_at_readers(specs)
    if not any(state.condition.usable for state in states):
        first = states[0]
        raise EnvironmentTrouble(f"reader.{first.condition.value}", first.reader)
    return True


def _centre(patient: _Patient) -> bool:
    if patient.station is None:
        return False
    patient.skew_ms = station_wiring.ask_centre(patient.station)
    patient.centre_answered = True
    return True


def _clock(patient: _Patient) -> bool:
    skew = patient.skew_ms
    if skew is None:
        return False
    if abs(skew) >= CLOCK_SHOWN_MS:
        way = "ahead" if skew > 0 else "behind"
        raise _Warning(f"health.clock_{way}", minutes=abs(skew) // 60_000)
    return True


def _ok(patient: _Patient, name: str) -> bool:
    return any(entry["check"] == name and entry["result"] in (OK, WARNING) for entry in patient.found)
