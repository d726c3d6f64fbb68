"""The check of the program's own version: whether a newer one waits, and whether updates can still be trusted."""

from __future__ import annotations

from app.version import VERSION
from app.wiring import updates
from app.wiring.diagnosis.check import Patient, Worth


def version(patient: Patient) -> str | None:
    """Asks nobody: what the running (or last) gate found."""
    noted = updates.note(patient.data)
    if noted is not None:
        code, values = noted
        raise Worth(code, **values)
    patient.said |= {"version": VERSION}
    return "doctor.version"
