"""`genba-touch central …`: broken chains and odd times, looked at and closed."""

from __future__ import annotations

import argparse
from typing import Any

from app.cli import out
from app.cli.centre_url import add_database, database
from app.wiring import centre_chain as wiring

_INCIDENT = ("id", "station_id", "station", "kind", "seq", "times", "first_at", "last_at", "closed_at", "reason")
_ODD = ("event_id", "station_id", "site_id", "code", "detail", "received_at", "corrected")


def add_commands(parts: Any) -> None:
    """Add to `central`."""
    show = parts.add_parser("incidents", help="broken chains, and touches whose times cannot be right")
    show.add_argument("--json", action="store_true")
    show.set_defaults(run=_incidents)
    close = parts.add_parser("close-incident", help="a broken chain was looked at: what comes next is judged anew")
    close.add_argument("id", metavar="ID", help="as `central incidents` shows it")
    close.add_argument("--reason", required=True, metavar="TEXT", help="why; kept with date and user")
    close.set_defaults(run=_close)
    add_database(show, close)


def _incidents(args: argparse.Namespace) -> int:
    found = wiring.incidents(database(args))
    if args.json:
        out.print_json(found)
        return 0
    if not any(found.values()):
        out.nothing(args.language)
    for rows, columns in ((found["incidents"], _INCIDENT), (found["odd_events"], _ODD)):
        if rows:
            out.say(out.table([["-" if row[name] is None else row[name] for name in columns] for row in rows], columns))
    return 0


def _close(args: argparse.Namespace) -> int:
    wiring.close_incident(database(args), args.id, args.reason)
    return 0
