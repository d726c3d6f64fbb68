"""The parser, the exit codes, and the one place where errors become words."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from app import crash, eventlog, logs
from app.cli import out
from app.errors import GenbaError
from app.messages import LANGUAGES, say
from app.settings import DataDir
from app.version import VERSION
from app.wiring import running

log = logging.getLogger(__name__)

WINDOWS = ("gate", "office", "start")
"""Commands that load Qt, which may end the program itself."""
Command = Callable[[argparse.Namespace], int]

SELF_TEST = "--self-test"
LEFT_OUT = {"central": "app.cli.centre", "demo": "app.cli.demo"}
"""Commands that only a copy with the reference centre has, and their families."""


def run(arguments: Sequence[str], *, own_process: bool = False) -> int:
    """Parse, run, and turn errors into a sentence and an exit code (docs/cli.md).

    `own_process`: faults that nobody catches, on any thread, become reports in the data folder (app.crash).
    """
    _prepare_streams()
    os.umask(0o077)  # whatever we write (databases, logs and what they rotate into) is its user's alone
    arguments = _spelled_out(arguments)
    parser = build_parser(arguments)
    args = parser.parse_args(arguments)
    logs.to_stderr(verbose=args.verbose)
    if own_process:
        running.announce()
        crash.watch(DataDir.at(args.data_dir).crashes, args.command, lambda: eventlog.write("crash"))
        if args.command in WINDOWS:
            crash.watch_native()
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
        out.nobody_reads()
        return 0
    except Exception as exc:
        # its text may hold values (names, keys): the report has its kind and the places alone
        report = crash.ended_by(exc)
        where = report or DataDir.at(args.data_dir).logs
        message = say("cli.internal", args.language, why=type(exc).__name__, log=where)
        out.warn(f"{message.title}\n{message.remedy}")
        return 1


def _prepare_streams() -> None:
    """UTF-8, whatever the system thinks. Windows gives a program without a console no streams at all: then nowhere."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")


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
    only_asked = "--version" in arguments[: _place(arguments)]  # as help desks and installers do
    for family in () if only_asked else _families(_command(arguments)):
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
    """`provision FILE` is `provision apply FILE`, and `--self-test` is `self-test`."""
    after = _place(arguments) + 1
    if SELF_TEST in arguments[: after - 1]:
        place = arguments.index(SELF_TEST)
        return [*arguments[:place], SELF_TEST[2:], *arguments[place + 1 :]]
    if _command(arguments) != "provision":
        return arguments
    from app.cli import provision

    return [*arguments[:after], *provision.spelled_out(arguments[after:])]


def _families(command: str) -> Sequence[Any]:
    """Modules with commands. Each brings what it builds on (the centre its web framework, the gate its readers):
    half a second and 40 MB that another family's command should not pay for."""
    if command in LEFT_OUT and not _is_here(LEFT_OUT[command]):
        from app.cli import left_out

        return (left_out,)
    match command:
        case "self-test":
            from app.cli import upkeep

            return (upkeep,)
        case "sync":
            from app.cli import sync

            return (sync,)
        case "central":
            from app.cli import centre

            return (centre,)
        case "start" | "purge":
            from app.cli import start

            return (start,)
        case "gate" | "office":
            from app.cli import gate

            return (gate,)
        case "provision" | "first-start":
            from app.cli import provision

            return (provision,)
        case "rotate-secret" | "move-out" | "move-in":
            from app.cli import moving

            return (moving,)
        case "update" | "update-repo":
            from app.cli import update

            return (update,)
    from app.cli import cards, gate, moving, office, profile, provision, start, station, support, sync, update, upkeep

    more = [import_module(family) for family in LEFT_OUT.values() if _is_here(family)]
    return gate, start, station, support, provision, moving, sync, office, cards, profile, *more, upkeep, update


def _is_here(family: str) -> bool:
    """Whether a module that installers leave out is in this copy of the program."""
    return find_spec(family) is not None
