"""Commands about this PC: status, doctor, readers, recover."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from app.cli import out, status_words
from app.errors import EnvironmentTrouble
from app.messages import known, say
from app.settings import DataDir
from app.version import VERSION
from app.wiring import doctor as doctor_wiring
from app.wiring import gate as gate_wiring
from app.wiring import setup
from app.wiring import station as wiring
from app.wiring import usb as usb_wiring
from app.wiring.diagnosis.card import CARD_S

WARNINGS_EXIT = 6
"""Of `doctor` alone: it works, and something is worth a look."""


def add_commands(commands: Any) -> None:
    """Add this family to the parser."""
    status = commands.add_parser("status", help="what is stored, what waits, how the chain stands")
    status.add_argument("--json", action="store_true")
    status.set_defaults(run=_status)

    rejoin = commands.add_parser("rejoin", help="go on with a restored copy of this folder (docs/restore.md)")
    rejoin.add_argument("--code", required=True, help="a new enrolment code")
    rejoin.add_argument("--json", action="store_true")
    rejoin.set_defaults(run=_rejoin)

    rejected = commands.add_parser("rejected", help="what the centre did not accept, and why")
    rejected.add_argument("--resend", action="store_true", help="send it again, under the same ids")
    rejected.add_argument("ids", nargs="*", metavar="ID", help="these alone")
    rejected.add_argument("--json", action="store_true")
    rejected.set_defaults(run=_rejected)

    doctor = commands.add_parser("doctor", help="check this PC in the order in which a person should")
    doctor.add_argument(
        "--card", nargs="?", type=out.seconds, const=CARD_S, metavar="SECONDS", help="wait for a card, and check it too"
    )
    doctor.add_argument("--quick", action="store_true", help="open no reader, ask no centre: for monitoring")
    doctor.add_argument("--json", action="store_true")
    doctor.set_defaults(run=_doctor)

    readers = commands.add_parser("readers", help="which readers are there, and what is wrong with them")
    readers.add_argument("--reader", action="append", metavar="SPEC", default=[])
    readers.add_argument("--json", action="store_true")
    readers.set_defaults(run=_readers)

    recover = commands.add_parser("recover", help="open a database whose keyring is lost, with the recovery key")
    recover.add_argument("folder", type=Path, metavar="OLD_DIR", help="data folder of the lost PC")
    recover.add_argument(
        "--private-key", type=Path, required=True, metavar="FILE", help="PEM of the site's recovery key"
    )
    recover.set_defaults(run=_recover)

    key = commands.add_parser("recovery-key", help="make a site's recovery key pair")
    key.add_argument("folder", type=Path, metavar="DIR", help="recovery-private.pem and recovery-public.pem go here")
    key.set_defaults(run=_recovery_key)


def _status(args: argparse.Namespace) -> int:
    with wiring.open_station(DataDir.at(args.data_dir), look=True) as station:
        status = station.status()
    if args.json:
        out.print_json(status)
        return 0
    for line in status_words.lines(status, args.language):
        out.say(line)
    return 0


def _rejoin(args: argparse.Namespace) -> int:
    done = setup.rejoin(DataDir.at(args.data_dir), args.code)
    if args.json:
        out.print_json(done)
    else:
        out.say(say("rejoin.done", args.language, **done).title)
    return 0


def _rejected(args: argparse.Namespace) -> int:
    with wiring.open_station(DataDir.at(args.data_dir), look=not args.resend) as station:
        rows = wiring.not_accepted(station, resend=args.resend, ids=args.ids)
    if args.json:
        out.print_json(rows)
        return 0
    for row in rows:
        message = known(f"sync.verdict_{row['code']}", "sync.verdict_other", args.language, verdict=row["code"])
        out.say(f"{row['seq']} {row['id']} {message.title}")
        out.say(f"    → {message.remedy}")
    out.say(say("rejected.resent" if args.resend else "rejected.count", args.language, count=len(rows)).title)
    return 0


def _doctor(args: argparse.Namespace) -> int:
    checks = doctor_wiring.examine(
        DataDir.at(args.data_dir),
        args.language,
        card_s=args.card,
        prompt=lambda code: out.warn(say(code, args.language).title),
        quick=args.quick,
    )
    failed = [c for c in checks if c["result"] == "failed"]
    warned = any(c["result"] == "warning" for c in checks)
    if args.json:
        state = "failed" if failed else "warnings" if warned else "well"
        first = failed[0]["check"] if failed else None
        out.print_json({"ok": not failed, "state": state, "first_failed": first, "version": VERSION, "checks": checks})
    else:
        marks = {"ok": "✓", "failed": "×", "warning": "!", "not_checked": "-", "info": "i"}
        if failed:
            out.say(f"{say('doctor.first', args.language).title}: {failed[0]['title']}")
            out.say(f"    → {failed[0]['remedy']}")
            out.say("")
        for check in checks:
            note = f" ({say('doctor.not_checked', args.language).title})" if check["result"] == "not_checked" else ""
            out.say(f"{marks[check['result']]} {check['title']}{note}")
            if check["remedy"] and check["result"] in ("failed", "warning", "info"):
                out.say(f"    → {check['remedy']}")
    return EnvironmentTrouble.exit_code if failed else WARNINGS_EXIT if warned else 0


def _readers(args: argparse.Namespace) -> int:
    states = gate_wiring.look_at_readers(args.reader)
    rows = [
        {
            "reader": s.reader,
            "label": s.label,
            "condition": s.condition.value,
            "usable": s.condition.usable,
            "detail": s.detail,
        }
        for s in states
    ]
    if args.json:
        out.print_json(rows)
    else:
        for state in states:
            message = say(f"reader.{state.condition.value}", args.language)
            out.say(f"{state.label} ({state.reader}): {message.title}")
            if not state.condition.usable and message.remedy:
                out.say(f"    → {message.remedy}")
        if not any(s.condition.usable for s in states):
            found = usb_wiring.on_usb(args.reader)
            if found is not None:
                code = "doctor.usb" if found else "doctor.usb_none"
                out.say(say(code, args.language, found=", ".join(found)).title)
    return 0 if any(s.condition.usable for s in states) else EnvironmentTrouble.exit_code


def _recover(args: argparse.Namespace) -> int:
    found = setup.recover(args.folder, args.private_key, DataDir.at(args.data_dir))
    out.say(say("recovery.done", args.language, **found).title)
    return 0


def _recovery_key(args: argparse.Namespace) -> int:
    private, public = setup.make_recovery_key(args.folder)
    out.say(str(private))
    out.say(str(public))
    return 0
