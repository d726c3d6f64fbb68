"""Commands of the site office: imports (`app.cli.imports`), and the phones whose files are taken."""

from __future__ import annotations

import argparse
from typing import Any

from app.cli import imports, out
from app.messages import say
from app.settings import DataDir
from app.wiring import phones as phones_wiring


def add_commands(commands: Any) -> None:
    """Add these families to the parser."""
    imports.add_commands(commands)
    family = commands.add_parser("phones", help="phones whose files are taken")
    phones = family.add_subparsers(dest="phones_command", required=True, metavar="COMMAND")

    key = phones.add_parser("key", help="the public key that phones seal their files to; made the first time")
    key.add_argument("--json", action="store_true")
    key.set_defaults(run=_key)

    register = phones.add_parser("register", help="take files of a phone from now on")
    register.add_argument("key", metavar="KEY", help="what the phone shows: ed25519: and 64 hex digits")
    register.add_argument("--label", required=True, help="whose phone it is, for lists")
    register.add_argument("--worker", metavar="ID", help="技能者ID of who carries it")
    register.add_argument("--company", metavar="ID", help="事業者ID it belongs to")
    register.add_argument("--operator", required=True, metavar="ID", help="who does it; the PIN is asked for")
    register.add_argument("--json", action="store_true")
    register.set_defaults(run=_register)

    revoke = phones.add_parser("revoke", help="take no more files of a phone, for good")
    revoke.add_argument("phone", metavar="PHONE", help="its id, as `phones list` shows it")
    revoke.add_argument("--reason", required=True)
    revoke.add_argument("--operator", required=True, metavar="ID", help="who does it; the PIN is asked for")
    revoke.set_defaults(run=_revoke)

    listing = phones.add_parser("list", help="every phone there ever was")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_list)


def _key(args: argparse.Namespace) -> int:
    found = phones_wiring.station_key(DataDir.at(args.data_dir))
    if args.json:
        out.print_json(found)
        return 0
    out.say(found["key"])
    out.warn(say("phones.key", args.language, **{**found, "site_ids": ", ".join(found["site_ids"])}).title)
    if not found["sealed"]:
        out.warn(say("phones.key_not_sealed", args.language).title)
    return 0


def _register(args: argparse.Namespace) -> int:
    phone = phones_wiring.register(
        DataDir.at(args.data_dir),
        args.key,
        args.label,
        args.operator,
        out.ask_pin(),
        worker_id=args.worker,
        company_id=args.company,
    )
    if args.json:
        out.print_json({"phone": phone.id, "label": phone.label})
    else:
        out.say(say("phones.registered", args.language, phone=phone.id, label=phone.label).title)
    return 0


def _revoke(args: argparse.Namespace) -> int:
    phone = phones_wiring.revoke(DataDir.at(args.data_dir), args.phone, args.reason, args.operator, out.ask_pin())
    message = say("phones.revoked_now", args.language, phone=phone.id, label=phone.label)
    out.say(message.title)
    out.say(f"    → {message.remedy}")
    return 0


def _list(args: argparse.Namespace) -> int:
    rows = phones_wiring.phones(DataDir.at(args.data_dir))
    if args.json:
        out.print_json(rows)
        return 0
    head = ("phone", "state", "label", "worker_id", "company_id", "at")
    out.say(out.table([[row[name] or "-" for name in head] for row in rows], head))
    return 0
