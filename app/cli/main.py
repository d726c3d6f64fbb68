"""The parser, the exit codes, and the one place where errors become words."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from app import logs
from app.cli import cards, centre, demo, gate, office, out, profile, station
from app.errors import GenbaError
from app.messages import LANGUAGES, say
from app.settings import DataDir
from app.version import VERSION

log = logging.getLogger(__name__)

Command = Callable[[argparse.Namespace], int]


def run(arguments: Sequence[str]) -> int:
    """Parse, run, and turn errors into a sentence and an exit code (docs/cli.md)."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    os.umask(0o077)  # whatever we write (databases, logs and what they rotate into) is its user's alone
    parser = build_parser()
    args = parser.parse_args(arguments)
    logs.to_stderr(verbose=args.verbose)
    command: Command = args.run
    try:
        return command(args)
    except GenbaError as error:
        log.debug("refused", exc_info=True)
        out.print_error(error, args.language)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    except Exception as exc:
        # A traceback may hold values (names, keys): it goes to the log file of the data folder, never to the screen.
        log.critical("internal error: %s", type(exc).__name__, exc_info=args.verbose)
        message = say("cli.internal", args.language, why=type(exc).__name__, log=DataDir.at(args.data_dir).logs)
        out.warn(f"{message.title}\n{message.remedy}")
        return 1


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="genba-touch",
        description="現場タッチ: records card touches at a construction site and delivers each exactly once",
    )
    parser.add_argument("--version", action="version", version=f"genba-touch {VERSION}")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="folder of this station's data")
    parser.add_argument("--language", choices=LANGUAGES, default="ja", help="language of messages (default: ja)")
    parser.add_argument("--verbose", action="store_true", help="details of what is done, on stderr")
    commands: Any = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for family in (gate, station, office, cards, profile, centre, demo):
        family.add_commands(commands)
    return parser
