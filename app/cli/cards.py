"""`genba-touch cards …`: secure cards that a site issues itself (docs/secure-cards.md)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from app.cli import out
from app.errors import InputRefused
from app.messages import say
from app.settings import DataDir
from app.wiring import cards as wiring

_MARKS = {"ok": "✓", "failed": "×", "not_reached": "-"}


def add_commands(commands: Any) -> None:
    """Add this family to the parser."""
    family = commands.add_parser("cards", help="secure cards that the site issues itself")
    cards = family.add_subparsers(dest="cards_command", required=True, metavar="COMMAND")

    show = cards.add_parser("show", help="what the card on the reader is, check by check")
    show.add_argument("--reader", metavar="SPEC", default="pcsc", help="pcsc, or pcsc:part of its name")
    show.add_argument("--seconds", type=float, metavar="N", default=20.0, help="wait so long for a card (default 20)")
    show.add_argument("--json", action="store_true")
    show.set_defaults(run=_show)

    listing = cards.add_parser("list", help="the site's roots and revocation lists on this PC")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_list)

    root = cards.add_parser("import-root", help="trust the CA that issues the site's cards")
    root.add_argument("file", type=Path, metavar="FILE", help="its certificate, PEM")
    root.set_defaults(run=_import_root)

    crl = cards.add_parser("import-crl", help="take in a CA's revocation list")
    crl.add_argument("file", type=Path, metavar="FILE", help="PEM or DER")
    crl.set_defaults(run=_import_crl)

    make = cards.add_parser("make-test-ca", help="TESTS ONLY: a CA whose key lies in a plain file")
    make.add_argument("folder", type=Path, metavar="DIR")
    make.set_defaults(run=_make_test_ca)

    issue = cards.add_parser("issue-test-card", help="TESTS ONLY: a card file for the emulated card")
    issue.add_argument("--ca", type=Path, required=True, metavar="DIR", help="made by make-test-ca")
    issue.add_argument("--guid", required=True, help="the card's number, as in the roster: piv:GUID")
    issue.add_argument("--key", choices=("p256", "p384", "rsa2048"), default="p256")
    issue.add_argument("--out", type=Path, required=True, metavar="FILE")
    issue.set_defaults(run=_issue_test_card)


def _show(args: argparse.Namespace) -> int:
    look = wiring.show(DataDir.at(args.data_dir), args.reader, args.seconds)
    if args.json:
        out.print_json(look.as_json())
    else:
        _print_look(look, args.language)
    return 0 if look.result == wiring.PROVEN else InputRefused.exit_code


def _print_look(look: wiring.Look, language: str) -> None:
    for entry in look.steps:
        out.say(f"{_MARKS[entry['result']]} {say('cards.step.' + entry['step'], language).title}")
    code = f"reason.{look.reason}" if look.reason else f"cards.{look.result}"
    message = say(code, language, why=look.detail)
    out.say(message.title + (f" ({look.guid or look.card})" if look.card else ""))
    if message.remedy:
        out.say(f"    → {message.remedy}")
    if look.detail:
        out.warn(look.detail)
    if look.result == wiring.NOT_SECURE:
        out.say(say("cards.ccus", language).title)


def _list(args: argparse.Namespace) -> int:
    rows = wiring.listing(wiring.open_trust(DataDir.at(args.data_dir)))
    if args.json:
        out.print_json(rows)
        return 0
    for row in rows:
        out.say(f"{row['root']} ({row['fingerprint'][:16]}, {row['valid_until']})" if "root" in row else row["file"])
        if row.get("crl_next_update"):
            out.say(f"    CRL: {row['crl_next_update']}, {row['revoked']}")
        if row["trouble"]:
            message = say(row["trouble"], args.language)
            out.say(f"    → {message.title}")
    return 0


def _import_root(args: argparse.Namespace) -> int:
    trust = wiring.open_trust(DataDir.at(args.data_dir))
    for root in trust.import_root(args.file):
        out.say(say("cards.root_imported", args.language, name=f"{root.name} ({root.fingerprint[:16]})").title)
    return 0


def _import_crl(args: argparse.Namespace) -> int:
    crl = wiring.open_trust(DataDir.at(args.data_dir)).import_crl(args.file)
    name = f"{crl.root.name}, {crl.next_update:%Y-%m-%d}, {crl.count}"
    out.say(say("cards.crl_imported", args.language, name=name).title)
    return 0


def _make_test_ca(args: argparse.Namespace) -> int:
    for path in wiring.make_test_ca(args.folder):
        out.say(str(path))
    out.warn(say("cards.test_made", args.language).title)
    return 0


def _issue_test_card(args: argparse.Namespace) -> int:
    wiring.issue_test_card(args.ca, args.guid, args.key, args.out)
    out.say(str(args.out))
    out.warn(say("cards.test_made", args.language).title)
    return 0
