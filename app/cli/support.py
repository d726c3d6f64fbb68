"""`genba-touch support-bundle`: a file for who helps from afar, shown before it leaves."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from app.cli import out
from app.errors import InputRefused
from app.messages import say
from app.settings import DataDir
from app.wiring import support as wiring


def add_commands(commands: Any) -> None:
    """Add `support-bundle` to the parser."""
    bundle = commands.add_parser("support-bundle", help="a file for support, without names and secrets")
    bundle.add_argument("file", nargs="?", type=Path, metavar="FILE.zip", help="left out: on the desktop")
    bundle.add_argument("--list", action="store_true", dest="only_list", help="what would be in it; nothing is written")
    bundle.add_argument("--show", metavar="NAME", help="one part, as it leaves; of FILE.zip when it is there already")
    bundle.add_argument("--json", action="store_true")
    bundle.set_defaults(run=_bundle)


def _bundle(args: argparse.Namespace) -> int:
    looking = args.only_list or args.show is not None
    made = looking and args.file is not None and args.file.exists()
    parts = wiring.read(args.file) if made else wiring.collect(DataDir.at(args.data_dir), args.language)
    if args.show is not None:
        wanted = next((part for part in parts if part.name == args.show), None)
        if wanted is None:
            raise InputRefused("support.no_such_part", args.show)
        out.say(wanted.text.rstrip("\n"))
        return 0
    file = None if looking else wiring.save(parts, args.file)
    if args.json:
        rows = [{"name": part.name, "bytes": part.size} for part in parts]
        out.print_json({"file": str(file) if file else None, "parts": rows})
        return 0
    out.say(out.table([(f"{part.size:,}", part.name) for part in parts], ("bytes", "name")))
    if file is not None:
        message = say("support.saved", args.language, file=file)
        out.say(message.title)
        out.say(f"    → {message.remedy}")
    return 0
