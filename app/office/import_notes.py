"""Who imported what, for the audit trail: the window's imports and the command line's in the same words."""

from __future__ import annotations

from pathlib import Path

from app.office.import_shapes import ImportWanted, Report
from app.office.import_tally import COUNTS
from app.store.audit import AuditTrail

ACTION = "import"
_LONGEST_NAME = 120


class ImportNotes:
    """Any thread. `by`: id of the operator; None where nobody was asked who he is (the command line's import)."""

    def __init__(self, audit: AuditTrail) -> None:
        self._audit = audit

    def imported(self, wanted: ImportWanted, report: Report, by: str | None = None) -> None:
        """A file was imported, or somebody has ended its import. Raises StorageTrouble."""
        counts = " ".join(f"{name}={getattr(report.plan, name)}" for name in ("read", "new", *COUNTS))
        what = "cancelled" if report.cancelled else f"batch={report.batch or '-'} {counts}"
        self._note(wanted, what, by, ok=not report.cancelled)

    def refused(self, wanted: ImportWanted, code: str, by: str | None = None) -> None:
        """Nothing of a file was stored, for the reason `code`. Raises StorageTrouble."""
        self._note(wanted, code, by, ok=False)

    def did(self, action: str, by: str, *, ok: bool, detail: str = "") -> None:
        """Something was done about imports (import_bind, import_take_back …), or tried. Raises StorageTrouble."""
        self._audit.record(action, ok=ok, operator_id=by or None, detail=detail)

    def _note(self, wanted: ImportWanted, what: str, by: str | None, *, ok: bool) -> None:
        # the folder is the person's own; the name is what he knows the file by
        detail = f"{wanted.format or '-'} {what} file={Path(wanted.file).name[:_LONGEST_NAME]}"
        self._audit.record(ACTION, ok=ok, operator_id=by, detail=detail)
