"""`genba-touch sync`. Alone in its file: it brings only what a delivery needs (docs/benchmarks.md)."""

from __future__ import annotations

import argparse
from typing import Any

from app import crash, logs
from app.cli import out
from app.messages import say
from app.settings import DataDir
from app.wiring import station as wiring


def add_commands(commands: Any) -> None:
    """Add this family to the parser."""
    sync = commands.add_parser("sync", help="send what waits and fetch the roster")
    sync.add_argument("--once", action="store_true", help="one round, then end (otherwise until interrupted)")
    sync.add_argument("--json", action="store_true")
    sync.set_defaults(run=_sync)


def _sync(args: argparse.Namespace) -> int:
    with wiring.open_station(DataDir.at(args.data_dir)) as station:
        logs.to_file(station.data.logs, "sync")
        crash.watch_native()
        crash.take_up()
        if not args.once:
            return _until_interrupted(station, as_json=args.json)
        result, error = wiring.sync_once(station)
    if args.json:
        out.print_json(result)
    else:
        out.say(say("sync_once.done", args.language, **result).title)
        if result["rejected"]:
            out.say(say("sync_once.rejected", args.language).title)
        if result["handed"]:
            out.say(say("sync_page.handed", args.language, count=result["handed"]).title)
    if error is None:
        return 0
    out.print_error(error, args.language)
    return error.exit_code


def _until_interrupted(station: wiring.Station, *, as_json: bool) -> int:
    from app.cli.gate import LinePrinter

    wiring.sync_until_interrupted(station, LinePrinter(json_lines=as_json).sync)
    return 0
