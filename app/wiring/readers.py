"""From a reader SPEC to the reader. A road's vendor library is imported only when that road is used."""

from __future__ import annotations

from app.clock import Clock
from app.errors import UsageError
from app.readers.port import Reader
from app.readers.specs import PasoriSpec, PcscSpec, ReaderSpec, ScriptedSpec, WedgeSpec


def build(spec: ReaderSpec, clock: Clock) -> Reader:
    """The reader of a SPEC. Raises UsageError `reader.wedge_needs_window` for a wedge (the window reads the
    keyboard itself), InputRefused for a script with a mistake."""
    match spec:
        case PcscSpec(name_part):
            from app.readers.pcsc import PcscReader

            return PcscReader(name_part, clock)
        case PasoriSpec(path):
            from app.readers.pasori import PasoriReader

            return PasoriReader(path, clock)
        case ScriptedSpec(file):
            from app.readers.scripted import ScriptedReader

            return ScriptedReader(file, clock)
        case WedgeSpec():
            raise UsageError("reader.wedge_needs_window", where="wedge")
