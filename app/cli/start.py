"""`genba-touch start`: what the desktop's entry and the sign-in call; `purge`: takes the station off this PC."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from app.cli import out
from app.cli.gate import has_display
from app.errors import EnvironmentTrouble, InputRefused
from app.messages import say
from app.settings import DataDir
from app.wiring import purge as purge_wiring
from app.wiring import update_apply


def add_commands(commands: Any) -> None:
    """Add `start` and `purge` to the parser."""
    start = commands.add_parser("start", help="this PC's window: first start, gate or office, as it was set up")
    start.add_argument("--at-sign-in", action="store_true", help="open nothing where another account has the station")
    start.add_argument("--seconds", type=out.seconds, metavar="N", help="end after N seconds")
    start.set_defaults(run=_start)

    purge = commands.add_parser("purge", help="delete this account's data folder and keys; nothing brings them back")
    purge.add_argument("--yes", action="store_true", help="really")
    purge.add_argument("--force", action="store_true", help="also records that the centre does not have: THEY ARE LOST")
    purge.add_argument("--json", action="store_true")
    purge.set_defaults(run=_purge)


def _start(args: argparse.Namespace) -> int:
    if not has_display():
        raise EnvironmentTrouble("cli.no_display")
    from app.wiring.start import start

    data = DataDir.at(args.data_dir)
    if update_apply.at_start(data, sys.argv[1:]):
        return 0
    return start(data, language=args.language, seconds=args.seconds, at_sign_in=args.at_sign_in)


def _purge(args: argparse.Namespace) -> int:
    data = DataDir.at(args.data_dir)
    if not args.yes:
        raise InputRefused("purge.not_asked", str(data.root))
    done = purge_wiring.purge(data, force=args.force)
    if args.json:
        fields = ("folder", "deleted", "secrets", "left")
        out.print_json({name: getattr(done, name) for name in fields})
        return 0
    for path in done.deleted:
        out.say(path)
    what = "purge.done" if done.deleted or done.secrets else "purge.nothing"
    out.say(say(what, args.language, folder=done.folder, files=len(done.deleted), keys=len(done.secrets)).title)
    if done.left:
        out.say(say("purge.left", args.language, names=", ".join(done.left)).title)
    return 0
