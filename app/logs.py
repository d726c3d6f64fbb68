"""Logging: stderr for people, a rotated file in the data folder. Card ids are masked by those who log them."""

from __future__ import annotations

import logging
import logging.handlers
import os
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
