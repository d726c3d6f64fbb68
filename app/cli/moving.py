"""Commands about a station's secret and its way to another PC: rotate-secret, move-out, move-in."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from app.cli import out
from app.errors import UsageError
from app.messages import say
from app.settings import DataDir
from app.wiring import duties, moving
from app.wiring import station as wiring


def add_commands(commands: Any) -> None:
    """Add this family to the parser."""
    rotate = commands.add_parser("rotate-secret", help="change this PC's secret for the centre (the gate closed)")
    rotate.set_defaults(run=_rotate)

    away = commands.add_parser("move-out", help="put everything into one encrypted file for another PC; ends this one")
    away.add_argument("file", type=Path, nargs="?", metavar="FILE")
    away.add_argument("--undo", action="store_true", help="go on here after all: as long as nobody has moved in")
    away.add_argument("--json", action="store_true")
    away.set_defaults(run=_move_out)

    here = commands.add_parser("move-in", help="go on here with what another PC has put into a file")
    here.add_argument("file", type=Path, metavar="FILE")
    here.add_argument("--json", action="store_true")
    here.set_defaults(run=_move_in)


def _rotate(args: argparse.Namespace) -> int:
    with wiring.open_station(DataDir.at(args.data_dir)) as station:
        duties.rotate_now(station)
    out.say(say("rotate.done", args.language).title)
    return 0


def _move_out(args: argparse.Namespace) -> int:
    data = DataDir.at(args.data_dir)
    if args.undo == (args.file is not None):
        raise UsageError("move.file_or_undo")
    if args.undo:
        moving.take_back(data)
        out.say(say("move.undone", args.language).title)
        return 0
    done = moving.move_out(data, args.file.resolve())
    if args.json:
        out.print_json(done)
        return 0
    code = done.pop("code")
    message = say("move.out", args.language, **done)
    out.say(f"{message.title}\n\n    {code}\n\n{message.remedy}")
    return 0


def _move_in(args: argparse.Namespace) -> int:
    done = moving.move_in(args.file.resolve(), _code(args.language), DataDir.at(args.data_dir))
    if args.json:
        out.print_json(done)
        return 0
    message = say("move.in", args.language, **done)
    out.say(f"{message.title}\n{message.remedy}")
    return 0


def _code(language: str) -> str:
    """Asked for on the terminal, or the first line of stdin: a command line can be read by others."""
    if sys.stdin.isatty():
        sys.stderr.write(f"{say('move.ask_code', language).title}: ")
        sys.stderr.flush()
    return sys.stdin.readline().strip()
