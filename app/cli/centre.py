"""`genba-touch central …`: the reference centre."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from app.cli import centre_admin, centre_chain, out
from app.cli.centre_url import add_database, database
from app.errors import InputRefused, UsageError
from app.wiring import centre as wiring


def add_commands(commands: Any) -> None:
    """Add `central` to the parser."""
    central = commands.add_parser("central", help="the reference centre")
    parts = central.add_subparsers(dest="part", required=True, metavar="PART")

    serve = parts.add_parser("serve", help="answer stations")
    serve.add_argument("--listen", required=True, metavar="HOST:PORT")
    serve.add_argument("--workers", type=int, default=1, metavar="N", help="processes on the one address (default: 1)")
    serve.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    serve.add_argument(
        "--trusted-proxy",
        default="",
        metavar="IP,…",
        help="whose X-Forwarded-For is believed (default: this machine)",
    )
    serve.add_argument(
        "--oldest-version", default="", metavar="X.Y.Z", help="stations with an older program are told to upgrade"
    )
    serve.set_defaults(run=_serve)

    code = parts.add_parser("issue-code", help="make an enrolment code")
    code.add_argument("--site", required=True, metavar="ID", action="append")
    code.add_argument("--uses", type=int, default=1, metavar="N")
    code.add_argument("--valid-days", type=int, default=180, metavar="N")
    code.add_argument(
        "--role", choices=("gate", "office"), default="gate", help="office: with insurance and residence data"
    )
    code.add_argument("--json", action="store_true")
    code.set_defaults(run=_issue_code)

    load = parts.add_parser("load-site", help="load a site file (docs/site-file.md)")
    load.add_argument("file", type=Path, metavar="FILE")
    load.add_argument("--replace", action="store_true", help="what the file does not name is taken out")
    load.add_argument("--json", action="store_true")
    load.set_defaults(run=_load_site)

    pin = parts.add_parser("pin-verifier", help="ask for an operator's PIN and print what goes in the site file")
    pin.set_defaults(run=_pin_verifier)

    key = parts.add_parser("drop-key", help="the public keys for letters that are carried (docs/file-drop.md)")
    key.add_argument("folder", type=Path, nargs="?", metavar="FOLDER", help="make this folder ready for letters")
    key.set_defaults(run=_drop_key)

    take = parts.add_parser("take-drop", help="take stations' letters from a folder, and lay the answers beside them")
    take.add_argument("folder", type=Path, metavar="FOLDER")
    take.add_argument("--json", action="store_true")
    take.set_defaults(run=_take_drop)

    add_database(serve, code, load, key, take)
    centre_admin.add_commands(parts)
    centre_chain.add_commands(parts)


def _serve(args: argparse.Namespace) -> int:
    host, _, port = args.listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise UsageError("cli.bad_listen", args.listen)
    if not 1 <= args.workers <= wiring.MAX_WORKERS:
        raise UsageError("cli.bad_workers", str(args.workers), most=wiring.MAX_WORKERS)
    return wiring.serve(
        database(args),
        host.strip("[]"),
        int(port),
        workers=args.workers,
        log_level=args.log_level,
        proxies=args.trusted_proxy,
        oldest_version=args.oldest_version,
        announce=out.say,
    )


def _issue_code(args: argparse.Namespace) -> int:
    answer = wiring.issue_code(database(args), args.site, args.uses, args.valid_days, args.role)
    if args.json:
        out.print_json(answer)
    else:
        out.say(answer["enrolment_code"])
    return 0


def _load_site(args: argparse.Namespace) -> int:
    loaded = wiring.load_site(database(args), args.file, replace=args.replace)
    if args.json:
        out.print_json(loaded)
    else:
        out.say(out.table(list(loaded.items()), ("item", "count")))
    return 0


def _drop_key(args: argparse.Namespace) -> int:
    out.say(wiring.drop_key(database(args), args.folder))
    return 0


def _take_drop(args: argparse.Namespace) -> int:
    taken = wiring.take_drop(database(args), args.folder)
    if args.json:
        out.print_json(taken)
    elif taken:
        out.say(out.table([list(one.values()) for one in taken], list(taken[0])))
    else:
        out.nothing(args.language)
    return InputRefused.exit_code if any(one["result"] == "refused" for one in taken) else 0


def _pin_verifier(args: argparse.Namespace) -> int:
    import getpass

    try:
        pin = getpass.getpass("PIN: ")
        if sys.stdin.isatty() and getpass.getpass("PIN (2): ") != pin:
            raise InputRefused("cli.pins_differ")
    except EOFError:  # nobody there to type one
        pin = ""
    out.say(wiring.pin_verifier(pin))
    return 0
