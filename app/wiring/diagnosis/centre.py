"""The line to the centre, and the clock, which is measured by it."""

from __future__ import annotations

from app.errors import EnvironmentTrouble, GenbaError
from app.gate.health import CLOCK_SHOWN_MS, went_back
from app.wiring import station as station_wiring
from app.wiring.diagnosis.check import Patient, Worth


def clock(patient: Patient) -> str | None:
    if patient.station is None:
        return None
    skew, _error = _answer(patient)
    if skew is None:
        if went_back(patient.station.clock.now(), patient.station.events.newest_recorded_at()):
            raise Worth("health.clock_went_back")
        return None
    if abs(skew) >= CLOCK_SHOWN_MS:
        way = "ahead" if skew > 0 else "behind"
        raise Worth(f"health.clock_{way}", minutes=abs(skew) // 60_000)
    return "doctor.clock"


def centre(patient: Patient) -> str | None:
    skew, error = _answer(patient)
    if error is not None:
        raise error
    return "doctor.centre" if skew is not None else None


def _answer(patient: Patient) -> tuple[int | None, GenbaError | None]:
    """Asked once; a gate in this process has asked already."""
    if patient.answer is None:
        patient.answer = _live(patient) if patient.live else _asked(patient)
    return patient.answer


def _live(patient: Patient) -> tuple[int | None, GenbaError | None]:
    status = patient.live.sync() if patient.live else None
    if status is None or status.online is None:
        return None, None
    if not status.online or status.last_error:
        return status.skew_ms, EnvironmentTrouble(status.last_error or "gate.offline")
    return status.skew_ms or 0, None


def _asked(patient: Patient) -> tuple[int | None, GenbaError | None]:
    if patient.station is None:
        return None, None
    try:
        return station_wiring.ask_centre(patient.station), None
    except GenbaError as error:
        return None, error
