"""Logging: stderr for people, a rotated file in the data folder. Card ids are masked by those who log them."""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import traceback
from datetime import UTC, datetime
from pathlib import Path

FORMAT = "%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"
FILE_BYTES = 1_000_000
FILES_KEPT = 5


def to_stderr(*, verbose: bool) -> None:
    """Warnings (verbose: everything of ours) to stderr; never to stdout, where `--json` goes."""
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a full disk must not cover the terminal with tracebacks of the log itself
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORMAT))
    handler.setLevel(logging.DEBUG if verbose else logging.ERROR)
    root.addHandler(handler)
    # Libraries' request lines hold addresses and ids; ours say what matters.
    for noisy in ("httpx", "httpcore", "nfc", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if verbose:
        logging.getLogger("app").setLevel(logging.DEBUG)


def to_file(folder: Path) -> None:
    """Also to `folder/genba-touch.log`, rotated (mode 0600). A folder that cannot be written is not an error."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / "genba-touch.log"
        path.touch(mode=0o600, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8"
        )
    except OSError as exc:
        logging.getLogger(__name__).warning("no log file: %s", os.strerror(exc.errno or 0))
        return
    handler.setFormatter(logging.Formatter(FORMAT))
    logging.getLogger().addHandler(handler)


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
