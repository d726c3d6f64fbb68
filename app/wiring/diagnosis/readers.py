"""From the plug to a reader that works: USB, driver, service, permission, who holds it."""

from __future__ import annotations

import time

from app import codec
from app.clock import SystemClock
from app.errors import EnvironmentTrouble
from app.readers import specs
from app.readers.port import ReaderCondition, ReaderState
from app.store.database import Database
from app.store.folder import FolderLock
from app.store.meta import Meta
from app.wiring import card_profiles
from app.wiring import gate as gate_wiring
from app.wiring import usb as usb_wiring
from app.wiring.diagnosis.check import Patient, Result, Roads, Worth
from app.wiring.diagnosis.watch import SETTLE_S, Watch
from app.wiring.readers import trust_of
from app.wiring.station import READERS

_LOOK_S = 0.1


def usb(patient: Patient) -> str | None:
    """Whether a reader is plugged in at all, whatever drives it. Not asked where no reader is on USB by its nature."""
    roads = _roads(patient)
    found = usb_wiring.on_usb([state.reader for state in roads.states] if roads.gate else patient.specs)
    if not found and not roads.usable and not (roads.gate and roads.states) and not patient.needs_reader:
        patient.down.add("usb")  # what rests on it is not checked
        raise Worth("doctor.reader_not_needed", Result.INFO)
    if found is None or (not found and roads.usable):  # a reader that works, and is not on USB
        return None
    if not found:
        raise EnvironmentTrouble("doctor.usb_none")
    patient.said["found"] = ", ".join(found)
    return "doctor.usb"


def driver(patient: Patient) -> str | None:
    roads = _roads(patient)
    advice = usb_wiring.windows_advice(patient.specs)
    if advice is not None:
        values = {"found": advice.found, "software": advice.software}
        if advice.wrong and not roads.usable:
            raise EnvironmentTrouble(advice.code, advice.found.strip("- "), **values)
        patient.said |= values
        if advice.code == "doctor.windows_pcsc_plain":
            raise Worth(advice.code, Result.INFO, **values)
        return advice.code if not advice.wrong else None
    drivers = usb_wiring.drivers_on_usb()
    if not roads.usable:
        conflict = _first(roads, ReaderCondition.DRIVER_CONFLICT)
        if conflict is not None:
            raise EnvironmentTrouble("reader.driver_conflict", drivers or conflict.reader)
        missing = _first(roads, ReaderCondition.DRIVER_MISSING)
        if missing is not None and all(state.condition is missing.condition for state in roads.states):
            raise EnvironmentTrouble("reader.driver_missing", missing.reader)
    if drivers is None:
        return None
    patient.said["drivers"] = drivers
    return "doctor.driver" if drivers else "doctor.driver_none"


def service(patient: Patient) -> str | None:
    """PC/SC, where it is a road that counts."""
    roads = _roads(patient)
    trouble = _first(roads, ReaderCondition.NO_SERVICE)
    if trouble is not None:
        if roads.usable:
            return None  # another road works, nobody needs it
        raise EnvironmentTrouble("reader.no_service", trouble.reader)
    told = [s for s in roads.states if s.reader.startswith("pcsc") and s.condition is not ReaderCondition.STARTING]
    if not told or all(state.condition is ReaderCondition.DRIVER_MISSING for state in told):
        return None
    return "doctor.service"


def permission(patient: Patient) -> str | None:
    return _unless(_roads(patient), ReaderCondition.NO_PERMISSION, "doctor.permission")


def holder(patient: Patient) -> str | None:
    """A gate that runs on this PC is not 'another program'."""
    roads = _roads(patient)
    well = "doctor.holder_gate" if roads.gate else "doctor.holder"
    return _unless(roads, ReaderCondition.BUSY_ELSEWHERE, well)


def readers(patient: Patient) -> str | None:
    roads = _roads(patient)
    if all(state.condition is ReaderCondition.STARTING for state in roads.states):
        return None
    unfit = [state for state in roads.states if not state.condition.usable]
    if not roads.usable:
        raise EnvironmentTrouble(f"reader.{unfit[0].condition.value}", unfit[0].reader)
    if unfit and patient.specs and not roads.gate:  # it was named, so it is missed
        raise Worth(f"reader.{unfit[0].condition.value}")
    patient.said["readers"] = ", ".join(state.label for state in roads.states if state.condition.usable)
    return "doctor.readers_gate" if roads.gate else "doctor.readers"


def _unless(roads: Roads, condition: ReaderCondition, well: str) -> str | None:
    if roads.usable:
        return well
    trouble = _first(roads, condition)
    if trouble is not None:
        raise EnvironmentTrouble(f"reader.{condition.value}", trouble.reader)
    return None


def _first(roads: Roads, condition: ReaderCondition) -> ReaderState | None:
    return next((state for state in roads.states if state.condition is condition), None)


def _roads(patient: Patient) -> Roads:
    """The readers as they stand; looked at once. What a gate holds is not opened: it has told how its readers are."""
    if patient.roads is None:
        found = _live(patient) or _beside_a_gate(patient)
        patient.roads = found or (Roads((), gate=False) if patient.quick else _opened(patient))
    return patient.roads


def _live(patient: Patient) -> Roads | None:
    return Roads(tuple(patient.live.states()), gate=True) if patient.live else None


def _beside_a_gate(patient: Patient) -> Roads | None:
    if not FolderLock.beside(patient.data.database).held():
        return None
    states = _kept(patient.station.db) if patient.station else ()
    for _ in range(round(SETTLE_S / _LOOK_S)):
        if patient.station is None or any(s.condition is not ReaderCondition.STARTING for s in states):
            break
        time.sleep(_LOOK_S)  # the gate is being started
        states = _kept(patient.station.db)
    return Roads(states, gate=True)


def _kept(db: Database) -> tuple[ReaderState, ...]:
    rows = codec.decode(Meta(db).get(READERS) or "[]", list)
    return tuple(ReaderState(row["reader"], row["label"], ReaderCondition(row["condition"])) for row in rows)


def _opened(patient: Patient) -> Roads:
    clock = SystemClock()
    wanted = [specs.parse_spec(text) for text in patient.specs or gate_wiring.DEFAULT_ROADS]
    settings = patient.settings
    trust = trust_of(patient.data, settings, clock) if settings else None
    profiles = card_profiles.enabled(settings, patient.data) if settings else ()
    patient.watch = Watch(wanted, clock, trust, profiles)
    return Roads(patient.watch.states(), gate=False)
