"""Logging: stderr for people, one file a day and part of the program in the data folder. Card ids are masked by those
who log them, and of an exception the files have the kind and the places alone: its text may hold values (names, ids).
"""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

from app.clock import SystemClock
from app.errors import GenbaError
from app.files import PRIVATE_FILE

FORMAT = "%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"
FILE_BYTES = 2_000_000
TOTAL_BYTES = 20_000_000
"""Of all log files of a data folder together."""
DAYS_KEPT = 90
RECENT_LINES = 60
"""Kept in memory, for the report of a crash."""
_ROOT = Path(__file__).resolve().parent.parent


def to_stderr(*, verbose: bool) -> None:
    """Warnings (verbose: everything of ours) to stderr; never to stdout, where `--json` goes."""
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a full disk must not cover the terminal with tracebacks of the log itself
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORMAT) if verbose else Plain(FORMAT))
    handler.setLevel(logging.DEBUG if verbose else logging.ERROR)
    root.addHandler(handler)
    # Libraries' request lines hold addresses and ids; ours say what matters.
    for noisy in ("httpx", "httpcore", "nfc", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if verbose:
        logging.getLogger("app").setLevel(logging.DEBUG)


def to_file(folder: Path, part: str) -> None:
    """Also to the day's file of a `part`: 'gate', 'office', 'sync'. A folder that cannot be written is not an error."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler = DayFiles(folder, part)
    except OSError as exc:
        logging.getLogger(__name__).warning("no log file: %s", os.strerror(exc.errno or 0))
        return
    handler.setFormatter(Plain(FORMAT))
    logging.getLogger().addHandler(handler)


def files(folder: Path) -> list[Path]:
    """Log files, oldest first. Those that go while we look are left out."""
    return [path for _, path in sorted((state.st_mtime, path) for path, state in _states(folder))]


def outline(error: BaseException) -> list[str]:
    """Kind and places of an exception and of those behind it, newest call last; no texts, but the codes of our own."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        lines[:0] = [*(_place(frame) for frame in traceback.extract_tb(current.__traceback__)), kind(current)]
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return lines


def kind(error: BaseException) -> str:
    """What an exception is, without what it says: `OSError [28]`, `StorageTrouble store.disk_full`, `KeyError`."""
    name = type(error).__name__
    if isinstance(error, GenbaError):
        return f"{name} {error.code}"
    return f"{name} [{error.errno}]" if isinstance(error, OSError) and error.errno else name


class Plain(logging.Formatter):
    """Lines for a file; see the module."""

    def formatException(self, ei: object) -> str:
        """See `outline`."""
        error = ei[1] if isinstance(ei, tuple) else None
        return "\n".join(f"  {line}" for line in outline(error)) if isinstance(error, BaseException) else ""

    def format(self, record: logging.LogRecord) -> str:
        """The line; a traceback that another handler has set already is not taken from it."""
        kept, record.exc_text = record.exc_text, None
        try:
            return super().format(record)
        finally:
            record.exc_text = kept


class DayFiles(logging.FileHandler):
    """`PART-2026-11-22.log`, from 2 MB on `PART-2026-11-22.2.log`, and so on; mode 0600.

    No file is ever renamed: that fails on Windows while another process has it open, and then nothing would be logged
    any more. With each new file the oldest go, so that all together stay below `TOTAL_BYTES` and none is older than
    `DAYS_KEPT` days; one that another process holds open stays until the next time. Raises OSError at the making.
    """

    def __init__(self, folder: Path, part: str) -> None:
        self._folder, self._part = folder, part
        self._day, self._number = "", 1
        super().__init__(folder / f"{part}.log", encoding="utf-8", delay=True)
        self._turn(_day(SystemClock().now()))

    def emit(self, record: logging.LogRecord) -> None:
        """Write it in its day's file. Never raises: who logs is the gate, and a full disk must not stop it."""
        try:
            day = _day(datetime.fromtimestamp(record.created, UTC))
            if day != self._day or self.stream is None or os.fstat(self.stream.fileno()).st_size >= FILE_BYTES:
                self._turn(day)
        except (OSError, ValueError):
            self.handleError(record)
            return  # the next line tries again
        super().emit(record)

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")

    def _turn(self, day: str) -> None:
        """Go on in the first file of the day that is not full."""
        number = self._number if day == self._day else 1
        while (path := self._file(day, number)).exists() and path.stat().st_size >= FILE_BYTES:
            number += 1
        self._day, self._number, self.baseFilename = day, number, str(path)
        stream, self.stream = self.stream, None
        if stream is not None:
            stream.close()
        clear_out(self._folder, SystemClock().now(), keep=path)
        self.stream = self._open()

    def _file(self, day: str, number: int) -> Path:
        return self._folder / f"{self._part}-{day}{'' if number == 1 else f'.{number}'}.log"


def clear_out(folder: Path, now: datetime, keep: Path | None = None) -> None:
    """Delete log files beyond the age and the sum, the oldest first. `keep`: is written right now."""
    left = [(state.st_mtime, state.st_size, path) for path, state in _states(folder) if path != keep]
    total = FILE_BYTES + sum(size for _, size, _ in left)
    for changed, size, path in sorted(left):
        if total <= TOTAL_BYTES and now.timestamp() - changed <= DAYS_KEPT * 86_400:
            continue
        with suppress(OSError):
            path.unlink()
            total -= size


def _states(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    with suppress(OSError):
        for path in list(folder.iterdir()):
            if path.match("*.log*"):
                with suppress(OSError):
                    yield path, path.stat()


class Recent(logging.Handler):
    """The last lines, in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: deque[str] = deque(maxlen=RECENT_LINES)
        self.setFormatter(Plain(FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        with suppress(Exception):
            self.lines.append(self.format(record))


class JsonLines(logging.Formatter):
    """A record as one line of JSON. `extra={"fields": {…}}` adds to it.

    Of an exception it has the kind and the places, not its text: a database's may hold values (card ids, names).
    """

    def format(self, record: logging.LogRecord) -> str:
        """See the class."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": record.process,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = type(error).__name__
            line["places"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
            ]
        return json.dumps(line, ensure_ascii=False)


def to_stderr_as_json(level: str) -> None:
    """For a server: JSON lines from `level` ('debug' … 'error') on, instead of what `to_stderr` set up."""
    logging.captureWarnings(True)
    logging.raiseExceptions = False
    root = logging.getLogger()
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("asyncio", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _day(at: datetime) -> str:
    return at.astimezone().date().isoformat()


def _place(frame: traceback.FrameSummary) -> str:
    """Without the way to the program's folder, which may name a user."""
    path = Path(frame.filename)
    if path.is_relative_to(_ROOT / "app"):
        short = path.relative_to(_ROOT).as_posix()
    else:
        short = "/".join(path.parts[-3:])
    return f"{short}:{frame.lineno} {frame.name}"
