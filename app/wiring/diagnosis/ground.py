"""The ground everything stands on (folder, disk, settings, keys, database), and how the records stand."""

from __future__ import annotations

from datetime import timedelta

from app import crash
from app.clock import SystemClock
from app.errors import CentreRefused, EnvironmentTrouble, InputRefused
from app.readers.specs import parse_spec
from app.secrets import DATABASE_KEY
from app.store import closing, rescue
from app.store.backup import SpaceLevel, disk_space, is_sound
from app.store.closing import MOVED
from app.store.events import EventLog
from app.store.meta import Meta
from app.store.opening import check_access
from app.wiring import card_profiles, duties
from app.wiring import station as station_wiring
from app.wiring.diagnosis.check import Patient, Worth

CRASH_TOLD = timedelta(days=7)
"""A crash is told of for so long."""


def folder(patient: Patient) -> str | None:
    """Looked at as it is: making it or its rights good is the setting-up's and the gate's."""
    patient.data.has_settings()
    if not patient.data.holds(patient.data.root):
        return None  # not set up yet: the settings' check says so
    probe = patient.data.root / ".doctor"
    try:
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as exc:
        raise EnvironmentTrouble("settings.folder", str(patient.data.root), why=exc.strerror or "") from exc
    return "doctor.folder"


def disk(patient: Patient) -> str | None:
    if not patient.data.holds(patient.data.root):
        return None
    space = disk_space(patient.data.root)
    free = space.free // 1024**2
    if space.level is SpaceLevel.CRITICAL:
        raise EnvironmentTrouble("health.disk_nearly_full", str(patient.data.root), free=free)
    if space.level is SpaceLevel.LOW:
        raise Worth("health.disk_low", free=free)
    return "doctor.disk"


def settings(patient: Patient) -> str | None:
    held = patient.data.settings()
    card_profiles.enabled(held, patient.data)
    for text in held.readers:
        parse_spec(text)
    patient.settings = held
    return "doctor.settings"


def keys(patient: Patient) -> str | None:
    held = patient.data.settings()
    station_wiring.vault_of(patient.data, held).require(DATABASE_KEY)
    if held.key_file:
        raise Worth("doctor.key_file")
    return "doctor.keys"


def database(patient: Patient) -> str | None:
    check_access(patient.data.database, patient.data.backups)
    patient.station = station_wiring.open_station(patient.data, look=True)
    if patient.quick:
        return "doctor.database_opens"
    with patient.station.db.looking() as connection:
        if not is_sound(connection):
            raise EnvironmentTrouble("store.damaged", str(patient.data.database))
    return "doctor.database"


def in_service(patient: Patient) -> str | None:
    """Whether this folder's station still records here: it may have moved, or been withdrawn by the centre."""
    station = patient.station
    if station is None:
        return None
    found = closing.closing(station.db)
    if found is not None:
        raise InputRefused(MOVED, found.detail) if found.code == MOVED else duties.withdrawn(station)
    return "doctor.in_service"


def recovery(patient: Patient) -> str | None:
    if not patient.data.holds(patient.data.sealed):
        raise Worth("doctor.recovery_missing")
    return "doctor.recovery"


def log(patient: Patient) -> str | None:
    rescued = rescue.standing(patient.data.database)
    if rescued is not None and rescued.lost:
        raise EnvironmentTrouble("store.log_lost", str(rescued.folder))
    if rescued is not None:
        raise Worth("store.log_rescued")
    return "doctor.log"


def crashes(patient: Patient) -> str | None:
    """Whether the program ended unexpectedly of late, or met a fault; where the newest report lies."""
    if not patient.data.holds(patient.data.root):
        return None
    since = SystemClock().now() - CRASH_TOLD
    late = [report for report in crash.reports(patient.data.crashes) if report.at > since]
    if late:
        worst = next((report for report in late if report.ended), late[0])
        code = "doctor.crashed" if worst.ended else "doctor.faulted"
        raise Worth(code, at=f"{worst.at.astimezone():%m/%d %H:%M}", file=worst.path)
    return "doctor.crashes"


def chain(patient: Patient) -> str | None:
    if patient.station is None:
        return None
    if Meta(patient.station.db).get(station_wiring.CHAIN_BROKEN) == "1":
        raise CentreRefused("sync.chain_broken", patient.station.identity.station_id)
    if patient.quick:
        return None
    broken = EventLog(patient.station.db).verify_chain()
    if broken is not None:
        raise EnvironmentTrouble("doctor.chain_broken", str(patient.data.database), seq=broken)
    return "doctor.chain"


def accepted(patient: Patient) -> str | None:
    if patient.station is None:
        return None
    counts = patient.station.outbox.counts()
    if counts.rejected or counts.conflict:
        raise Worth("doctor.not_accepted", count=counts.rejected + counts.conflict)
    return "doctor.accepted"
