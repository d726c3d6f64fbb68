"""Serious trouble in the system's own log, where IT's monitoring looks: Windows' event log, Linux's journal or syslog.

Which troubles, and their stable numbers: `EVENTS`, in docs/monitoring.md too. Nothing personal: a number, the program's
version and a fixed sentence.
"""

from __future__ import annotations

import logging
import logging.handlers
import sys
from pathlib import Path

from app.version import VERSION

log = logging.getLogger(__name__)

SOURCE = "genba-touch"
SOCKET = Path("/dev/log")
"""journald and every syslog listen here."""
EVENTS: dict[str, int] = {
    "crash": 100,
    "store.disk_full": 110,
    "health.disk_nearly_full": 111,
    "store.read_only": 112,
    "store.disk_error": 113,
    "store.no_access": 114,
    "store.damaged": 120,
    "store.tampered": 121,
    "store.log_damaged": 122,
    "store.log_lost": 123,
    "store.lost": 124,
    "store.file_gone": 125,
    "store.failed": 126,
    "health.backup_failed": 130,
    "sync.chain_broken": 140,
    "sync.offline_tls": 150,
    "sync.offline_tls_expired": 151,
    "sync.offline_tls_unknown": 152,
    "sync.offline_tls_host": 153,
    "health.secure_root_expired": 154,
    "health.secure_trust_broken": 155,
    "sync.auth_failed": 160,
    "sync.forbidden_station_revoked": 161,
    "sync.upgrade_needed": 162,
    "keyring.lost": 170,
}
"""Message codes and their numbers. Below 1001, so that Windows' own EventCreate.exe can hold the sentences' frame."""
WORDS: dict[int, str] = {
    100: "The program met an unexpected fault; a report lies in its data folder (genba-touch doctor)",
    110: "The disk is full: touches cannot be stored",
    111: "The disk is nearly full",
    112: "The database cannot be written: touches cannot be stored",
    113: "The disk reports errors: touches cannot be stored",
    114: "The data folder cannot be used by this user",
    120: "The database is damaged",
    121: "The database was changed by somebody else",
    122: "The log of the newest records is damaged",
    123: "Records of a damaged log could not all be recovered",
    124: "The database is missing",
    125: "The database's file was taken away while the program ran",
    126: "A touch could not be stored",
    130: "The daily copy of the database could not be made",
    140: "This PC's records do not join those at the centre",
    150: "The centre's certificate is not accepted",
    151: "The centre's certificate has expired",
    152: "The centre's certificate is from an unknown authority",
    153: "The centre's certificate is for another name",
    154: "The root certificate of secure cards has expired",
    155: "The certificates of secure cards cannot be used",
    160: "The centre does not accept this station's secret",
    161: "This station was taken out of service at the centre",
    162: "The centre asks for a newer program",
    170: "The database's key is missing from the keyring",
}


def write(code: str) -> bool:
    """Note a trouble of `EVENTS`. Whether the system's log took it; no log is no trouble. Any thread, at once."""
    number = EVENTS[code]
    text = f"{WORDS[number]} [{code}] (genba-touch {VERSION})"
    try:
        return _write(number, text)
    except OSError as exc:
        log.info("the system's log cannot be written: %s", exc.strerror)
        return False


if sys.platform == "win32":
    import ctypes

    _ERROR_TYPE = 1  # EVENTLOG_ERROR_TYPE (winnt.h)

    def _write(number: int, text: str) -> bool:
        api = ctypes.WinDLL("advapi32", use_last_error=True)
        api.RegisterEventSourceW.argtypes = (ctypes.c_wchar_p, ctypes.c_wchar_p)
        api.RegisterEventSourceW.restype = ctypes.c_void_p
        api.ReportEventW.argtypes = (
            ctypes.c_void_p, ctypes.c_ushort, ctypes.c_ushort, ctypes.c_uint, ctypes.c_void_p, ctypes.c_ushort,
            ctypes.c_uint, ctypes.POINTER(ctypes.c_wchar_p), ctypes.c_void_p,
        )  # fmt: skip
        api.ReportEventW.restype = ctypes.c_int
        api.DeregisterEventSource.argtypes = (ctypes.c_void_p,)
        source = api.RegisterEventSourceW(None, SOURCE)
        if not source:
            raise ctypes.WinError(ctypes.get_last_error())
        try:
            strings = (ctypes.c_wchar_p * 1)(text)
            if not api.ReportEventW(source, _ERROR_TYPE, 0, number, None, 1, 0, strings, None):
                raise ctypes.WinError(ctypes.get_last_error())
        finally:
            api.DeregisterEventSource(source)
        return True

else:

    def _write(number: int, text: str) -> bool:
        if not SOCKET.is_socket():
            return False
        handler = _Syslog(str(SOCKET), facility=logging.handlers.SysLogHandler.LOG_USER)
        handler.ident = f"{SOURCE}: "
        handler.append_nul = False
        try:
            said = {"msg": f"event {number}: {text}", "levelno": logging.CRITICAL, "levelname": "CRITICAL"}
            handler.emit(logging.makeLogRecord(said))
        finally:
            handler.close()
        return True

    class _Syslog(logging.handlers.SysLogHandler):
        """One that says when nobody listens."""

        def handleError(self, record: logging.LogRecord) -> None:
            raise
