"""Reports of crashes and faults: kept here, shown to who asks, never sent by the program.

A report has the kind of the fault, the places in the program, versions and the last log lines, and no values: the text
of an exception may hold names and ids, so it is left out. A file `running-PID.trace` is open while the program runs;
only a native crash (`faulthandler`) writes in it, and the next start makes a report of that. One that stayed empty
tells of a power cut or a killed program: nothing to report, and on a gate that is switched off by the plug no news.
"""

from __future__ import annotations

import atexit
import faulthandler
import json
import logging
import os
import platform
import re
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO

from app import logs
from app.clock import SystemClock
from app.files import PRIVATE_FILE, make_private, write_private
from app.redact import Redactor
from app.version import VERSION

log = logging.getLogger(__name__)

KEPT = 10
MOST_A_RUN = 20
"""Reports that one run writes: a fault in a timer would write one each second."""
QT = "qt"
"""Name of the log in which Qt's messages are."""
_TRACE_BYTES = 200_000
_TRACE_FILE = re.compile(r"(File \")([^\"]+)(\", line)")

Told = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Report:
    """A report as a list shows it. `ended`: whether the program ended by it."""

    path: Path
    at: datetime
    kind: str
    ended: bool


@dataclass(slots=True)
class Watch:
    """What this process knows of its own faults; one a process."""

    folder: Path | None = None
    part: str = ""
    told: Told = lambda: None
    recent: logs.Recent = field(default_factory=logs.Recent)
    seen: set[tuple[str, ...]] = field(default_factory=set)
    trace: IO[bytes] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


_watch = Watch()


def watch(folder: Path, part: str, told: Told = lambda: None) -> None:
    """From now on a fault that nobody catches becomes a report in `folder`, once its parent is there.

    `part`: the command that runs. `told`: called after each report of something serious; must not raise.
    """
    _watch.folder, _watch.part, _watch.told = folder, part, told
    root = logging.getLogger()
    if _watch.recent not in root.handlers:
        root.addHandler(_watch.recent)
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _thread(args.exc_type, args.exc_value, args.thread)
    sys.unraisablehook = lambda args: _fault("unraisable", args.exc_value)


def watch_native() -> None:
    """Also what no `except` sees: a crash in a library, or Qt's own end. Never raises; the second call does nothing."""
    folder = _watch.folder
    if folder is None or _watch.trace is not None:
        return
    try:
        if not folder.parent.is_dir():
            return
        make_private(folder)
        path = folder / f"running-{os.getpid()}.trace"
        _watch.trace = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE), "wb", buffering=0)
        faulthandler.enable(_watch.trace)
    except OSError as exc:
        log.info("no crash reports: %s", logs.kind(exc))
        return
    atexit.register(_went_well, path)
    logging.getLogger(QT).addHandler(_Fatal(logging.CRITICAL))


def take_up() -> None:
    """Make reports of native crashes of earlier runs. Where nobody else works in this data folder. Never raises."""
    if _watch.folder is not None:
        _take_up(_watch.folder)


def ended_by(error: BaseException) -> Path | None:
    """The program ends by an exception that nobody expected. The report; None when there can be none."""
    return _fault("internal error", error, ended=True)


def reports(folder: Path) -> list[Report]:
    """Newest first; a native crash that no start has taken up yet too. Unreadable ones are left out."""
    found = []
    for path in _named(folder, "crash-*.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            held = json.loads(path.read_text(encoding="utf-8"))
            at = datetime.fromisoformat(held["at"]).astimezone(UTC)
            found.append(Report(path, at, str(held["kind"]), bool(held["ended"])))
    for path in _named(folder, "running-*.trace"):
        with suppress(OSError):
            state = path.stat()
            if state.st_size and (_watch.trace is None or path.name != f"running-{os.getpid()}.trace"):
                found.append(Report(path, datetime.fromtimestamp(state.st_mtime, UTC), "native", True))
    return sorted(found, key=lambda one: one.at, reverse=True)


def _named(folder: Path, pattern: str) -> list[Path]:
    """Files by name, oldest first; none of a folder that is not there or not ours."""
    try:
        return sorted(path for path in folder.iterdir() if path.match(pattern))
    except OSError:
        return []


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Of Qt's slots, and of the end of the main thread; Qt goes on after it."""
    if not isinstance(error, Exception):
        sys.__excepthook__(kind, error, trace)
        return
    _fault("window", error)


def _thread(kind: type[BaseException], error: BaseException | None, thread: threading.Thread | None) -> None:
    if kind is not SystemExit:
        _fault(f"thread {thread.name if thread else ''}".strip(), error)


def _fault(kind: str, error: BaseException | None, *, ended: bool = False) -> Path | None:
    """Never raises, whatever happens: it is called where nothing is left to catch."""
    try:
        lines = logs.outline(error) if error is not None else []
        with _watch.lock:
            first = tuple(lines) not in _watch.seen and (ended or len(_watch.seen) < MOST_A_RUN)
            _watch.seen.add(tuple(lines))
        log.critical("%s: %s", kind, lines[-1] if lines else "?", exc_info=error if first else None)
        if not first or _watch.folder is None or not _watch.folder.parent.is_dir():
            return None
        written = _write(_watch.folder, SystemClock().now(), kind, lines, ended=ended, last=list(_watch.recent.lines))
        _watch.told()
        return written
    except Exception:
        return None


def _write(folder: Path, at: datetime, kind: str, places: list[str], *, ended: bool, last: list[str]) -> Path:
    """Raises OSError."""
    make_private(folder)
    path = folder / f"crash-{at.astimezone(UTC):%Y%m%dT%H%M%S%f}.json"
    held = {
        "at": at.isoformat(timespec="seconds"),
        "kind": kind,
        "ended": ended,
        "command": _watch.part,
        "places": places,
        "versions": {"program": VERSION, "python": platform.python_version(), "os": os_name()},
        "log": last,
    }
    clean = Redactor(home=str(Path.home())).value(held)
    write_private(path, json.dumps(clean, ensure_ascii=False, indent=1).encode())
    for old in _named(folder, "crash-*.json")[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


def os_name() -> str:
    """The system and its version, without this machine's name."""
    return f"{platform.system()} {platform.release()} {platform.version()} {platform.machine()}".strip()


class _Fatal(logging.Handler):
    """Qt says why it will end the program, and ends it: what it says is noted now."""

    def emit(self, record: logging.LogRecord) -> None:
        """Never raises."""
        with suppress(Exception):
            if _watch.folder is not None:
                said = [record.getMessage()]
                _write(_watch.folder, SystemClock().now(), QT, said, ended=True, last=list(_watch.recent.lines))


def _take_up(folder: Path) -> None:
    for path in _named(folder, "running-*.trace"):
        if path.name == f"running-{os.getpid()}.trace":
            continue
        with suppress(OSError):  # on Windows: of a program that runs
            state = path.stat()
            if state.st_size:
                text = path.read_bytes()[:_TRACE_BYTES].decode("utf-8", "replace")
                at = datetime.fromtimestamp(state.st_mtime, UTC)
                _write(folder, at, "native", _shortened(text), ended=True, last=_log_before(folder.parent / "logs"))
                log.error("the program ended unexpectedly at %s", at.isoformat(timespec="seconds"))
            path.unlink()


def _shortened(trace: str) -> list[str]:
    """Lines of `faulthandler`; of a file's name the last parts alone."""

    def short(found: re.Match[str]) -> str:
        return found[1] + "/".join(found[2].replace("\\", "/").split("/")[-3:]) + found[3]

    return [_TRACE_FILE.sub(short, line) for line in trace.splitlines()]


def _log_before(folder: Path) -> list[str]:
    """The last lines of the newest log file."""
    newest = next(reversed(logs.files(folder)), None)
    if newest is None:
        return []
    with suppress(OSError):
        return newest.read_bytes()[-20_000:].decode("utf-8", "replace").splitlines()[-logs.RECENT_LINES :]
    return []


def _went_well(path: Path) -> None:
    """The program ends as it should."""
    faulthandler.disable()
    if _watch.trace is not None:
        _watch.trace.close()
        _watch.trace = None
    with suppress(OSError):
        path.unlink()
