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
from app.cli import out
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
    arguments = _spelled_out(arguments)
    parser = build_parser(arguments)
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


def build_parser(arguments: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The command line; where `arguments` name a command, that command's family alone."""
    parser = argparse.ArgumentParser(
        prog="genba-touch",
        description="現場タッチ: records card touches at a construction site and delivers each exactly once",
    )
    parser.add_argument("--version", action="version", version=f"genba-touch {VERSION}")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="folder of this station's data")
    parser.add_argument("--language", choices=LANGUAGES, default="ja", help="language of messages (default: ja)")
    parser.add_argument("--verbose", action="store_true", help="details of what is done, on stderr")
    commands: Any = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for family in _families(_command(arguments)):
        family.add_commands(commands)
    return parser


def _command(arguments: Sequence[str]) -> str:
    """The command among the arguments, as far as can be seen without a parser; '' when it cannot."""
    return next(iter(arguments[_place(arguments) :]), "")


def _place(arguments: Sequence[str]) -> int:
    """Where the command stands; their number when it cannot be seen."""
    rest = iter(enumerate(arguments))
    for place, one in rest:
        if one in ("--data-dir", "--language"):
            next(rest, None)
        elif not one.startswith("-"):
            return place
    return len(arguments)


def _spelled_out(arguments: Sequence[str]) -> Sequence[str]:
    """`provision FILE` is `provision apply FILE`."""
    after = _place(arguments) + 1
    if _command(arguments) != "provision":
        return arguments
    from app.cli import provision

    return [*arguments[:after], *provision.spelled_out(arguments[after:])]


def _families(command: str) -> Sequence[Any]:
    """Modules with commands. Each brings what it builds on (the centre its web framework, the gate its readers):
    half a second and 40 MB that another family's command should not pay for."""
    match command:
        case "sync":
            from app.cli import sync

            return (sync,)
        case "central":
            from app.cli import centre

            return (centre,)
        case "gate" | "office":
            from app.cli import gate

            return (gate,)
        case "provision" | "first-start":
            from app.cli import provision

            return (provision,)
    from app.cli import cards, centre, demo, gate, office, profile, provision, station, sync

    return gate, station, provision, sync, office, cards, profile, centre, demo
