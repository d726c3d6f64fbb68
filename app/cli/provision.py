"""`genba-touch provision …` and `first-start`: what IT prepares, and what happens on the gate PC."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from app.cli import out, provision_new
from app.errors import EnvironmentTrouble, GenbaError, InputRefused
from app.messages import explain, say
from app.settings import DataDir
from app.wiring import first_start as first_start_wiring
from app.wiring import placing, provision_batch, provisioning, setup

PARTS = ("apply", "check", "new", "batch", "key", "sign", "place")


def spelled_out(rest: Sequence[str]) -> list[str]:
    """Arguments after `provision`: `FILE …` is `apply FILE …`."""
    return list(rest) if rest and rest[0] in (*PARTS, "-h", "--help") else ["apply", *rest]


def add_commands(commands: Any) -> None:
    """Add this family to the parser."""
    provision = commands.add_parser(
        "provision", help="set this PC up and enrol it at the centre: provision FILE; or make and check such files"
    )
    parts = provision.add_subparsers(dest="part", required=True, metavar="FILE | PART")

    apply = parts.add_parser("apply", help="the same as `provision FILE`")
    apply.add_argument("file", type=Path, metavar="FILE", help="provisioning.toml (docs/provisioning.md)")
    apply.add_argument("--code", help="enrolment code, when the file has none")
    _it_key(apply)
    _second_account(apply)
    apply.add_argument("--json", action="store_true")
    apply.set_defaults(run=_apply)

    check = parts.add_parser("check", help="everything that is wrong with a file; exit 3 when something is")
    check.add_argument("file", type=Path, metavar="FILE")
    check.add_argument("--online", action="store_true", help="ask the centre too")
    _it_key(check)
    check.add_argument("--json", action="store_true")
    check.set_defaults(run=_check)

    new = parts.add_parser("new", help="ask for everything, and write a file")
    new.add_argument("file", type=Path, metavar="FILE", nargs="?", default=Path("provisioning.toml"))
    new.set_defaults(run=_new)

    batch = parts.add_parser("batch", help="one file for each line of a table")
    batch.add_argument("table", type=Path, metavar="CSV")
    batch.add_argument("--template", type=Path, required=True, metavar="FILE", help="what all files have in common")
    batch.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder that is not there yet")
    batch.add_argument("--issue-as", metavar="CLIENT_ID", help="issue codes as this administrator of the centre")
    batch.add_argument("--keep-secret", action="store_true", help="keep the administrator's secret in the OS keyring")
    batch.add_argument("--sign", type=Path, metavar="KEY", help="sign each file with IT's private key")
    batch.add_argument("--json", action="store_true")
    batch.set_defaults(run=_batch)

    key = parts.add_parser("key", help="make IT's key pair for signing")
    key.add_argument("folder", type=Path, metavar="DIR", help="it-key-private.pem and it-key.pem go here")
    key.add_argument("--passphrase", action="store_true", help="ask for a passphrase for the private key")
    key.set_defaults(run=_key)

    sign = parts.add_parser("sign", help="sign a file in its place")
    sign.add_argument("file", type=Path, metavar="FILE")
    sign.add_argument("--key", type=Path, required=True, metavar="KEY", help="it-key-private.pem")
    sign.set_defaults(run=_sign)

    place = parts.add_parser("place", help="check a file and put it beside the program, with its certificates")
    place.add_argument("file", type=Path, metavar="FILE")
    place.add_argument("--into", type=Path, required=True, metavar="DIR", help="the program's folder")
    place.set_defaults(run=_place)

    first = commands.add_parser("first-start", help="set this PC up, check it, and say whether it can be used")
    first.add_argument("file", type=Path, metavar="FILE", nargs="?", help="left out: the file left for this PC")
    first.add_argument("--code", help="enrolment code, when the file has none (asked for on a terminal)")
    _it_key(first)
    _second_account(first)
    first.add_argument("--json", action="store_true")
    first.set_defaults(run=_first_start)


def _it_key(part: Any) -> None:
    part.add_argument("--it-key", type=Path, metavar="PEM", help="IT's public key, where this PC has none of its own")


def _second_account(part: Any) -> None:
    part.add_argument(
        "--second-account", action="store_true", help="even though another account of this PC is a station already"
    )


def _apply(args: argparse.Namespace) -> int:
    done = setup.provision(
        DataDir.at(args.data_dir), args.file, args.code, it_key=args.it_key, second_account=args.second_account
    )
    if args.json:
        out.print_json(done)
    else:
        out.say(say("provision.done", args.language, **done).title)
    return 0


def _check(args: argparse.Namespace) -> int:
    report = provisioning.check(args.file, DataDir.at(args.data_dir), args.it_key, online=args.online)
    if args.json:
        faults = [_fault(fault, args.language) for fault in report.faults]
        out.print_json({"ok": not faults, "signed_by": report.signer, "faults": faults, "notes": list(report.notes)})
    else:
        for fault in report.faults:
            out.say("× " + "\n  → ".join(explain(fault, args.language)))
        for note in report.notes:
            message = say(note, args.language, key=report.signer)
            out.say("i " + "\n  → ".join(line for line in (message.title, message.remedy) if line))
        if not report.faults:
            out.say("✓ " + say("provision.sound", args.language).title)
    return max((fault.exit_code for fault in report.faults), default=0)


def _fault(fault: GenbaError, language: str) -> dict[str, str]:
    message = say(fault.code, language, where=fault.where, **fault.values)
    return {"code": fault.code, "where": fault.where, "title": message.title, "remedy": message.remedy}


def _new(args: argparse.Namespace) -> int:
    provision_new.ask_all(args.file, DataDir.at(args.data_dir), args.language)
    out.say(say("provision.written", args.language, file=args.file).title)
    return 0


def _batch(args: argparse.Namespace) -> int:
    data = DataDir.at(args.data_dir)
    planned, faults = provision_batch.plan(args.table, args.template, data, issuing=args.issue_as is not None)
    if faults:
        for fault in faults:
            out.print_error(fault, args.language)
        out.warn(say("provision.nothing_written", args.language, count=len(faults)).title)
        return InputRefused.exit_code
    key = provisioning.signing_key(args.sign, _passphrase(args.sign, args.language)) if args.sign else None
    with ExitStack() as open_things:
        issue = None
        if args.issue_as is not None and any(one.request for one in planned):
            issuer = provisioning.administrator(
                args.template, args.issue_as, lambda: _hidden("provision.ask_secret", args.language),
                keep=args.keep_secret,
            )  # fmt: skip
            issue = open_things.enter_context(issuer).issue
        try:
            written = provision_batch.write(planned, args.out, issue, key)
        except provision_batch.Unissued as stopped:
            out.print_error(stopped.cause, args.language)
            out.warn(say("provision.issued_in_vain", args.language, where=stopped.where, count=stopped.issued).title)
            return stopped.cause.exit_code
    rows = [[one.file, one.company, one.station_name, one.site_ids, one.code, one.expires_at] for one in written]
    head = ["file", "company", "station_name", "site_ids", "code", "expires_at"]
    if args.json:
        out.print_json([dict(zip(head, row, strict=True)) for row in rows])
    else:
        out.say(out.table(rows, head))
        out.say(say("provision.batch_done", args.language, count=len(written), folder=args.out).title)
    return 0


def _key(args: argparse.Namespace) -> int:
    passphrase = None
    if args.passphrase:
        passphrase = _hidden("provision.ask_new_passphrase", args.language)
        if passphrase != _hidden("provision.ask_again", args.language):
            raise InputRefused("provision.passphrases_differ")
    private, public, fingerprint = provisioning.make_key(args.folder, passphrase)
    out.say(f"{private}\n{public}")
    out.say(say("provision.key_made", args.language, key=fingerprint).title)
    return 0


def _sign(args: argparse.Namespace) -> int:
    key = provisioning.signing_key(args.key, _passphrase(args.key, args.language))
    fingerprint = provisioning.sign(args.file, key, DataDir.at(args.data_dir))
    out.say(say("provision.signed", args.language, file=args.file, key=fingerprint).title)
    return 0


def _place(args: argparse.Namespace) -> int:
    for path in placing.place(args.file, args.into, DataDir.at(args.data_dir)):
        out.say(str(path))
    return 0


def _first_start(args: argparse.Namespace) -> int:
    data, code = DataDir.at(args.data_dir), args.code
    while True:
        outcome = first_start_wiring.first_start(
            data, args.language, file=args.file, code=code, it_key=args.it_key, second_account=args.second_account,
            tell=lambda step: out.warn(say(f"first_start.step_{step}", args.language).title),
        )  # fmt: skip
        if args.json or not (outcome.needs_code and sys.stdin.isatty()):
            break
        _page(outcome, args.language)
        try:
            code = input(say("first_start.ask_code", args.language).title + ": ").strip() or None
        except EOFError:
            break
    if args.json:
        out.print_json(outcome.as_json())
    else:
        _page(outcome, args.language)
    return 0 if outcome.usable else EnvironmentTrouble.exit_code


def _page(outcome: first_start_wiring.Outcome, language: str) -> None:
    """The page that is read out on the phone."""
    who = [name for name in (outcome.company, outcome.station_name) if name]
    out.say(say(outcome.code, language).title)
    if who:
        out.say(" ".join(who))
    if outcome.site_name:
        out.say(say("first_start.site", language, site=outcome.site_name, workers=outcome.workers).title)
    for reason in outcome.reasons:
        out.say(f"× {reason.title} [{reason.check}: {reason.code}]")
        if reason.where:
            out.say(f"  {reason.where}")
        if reason.remedy:
            out.say(f"  → {reason.remedy}")
    if outcome.contact:
        out.say(say("first_start.contact", language, contact=outcome.contact).title)


def _passphrase(file: Path, language: str) -> str | None:
    return _hidden("provision.ask_passphrase", language) if provisioning.key_is_locked(file) else None


def _hidden(code: str, language: str) -> str:
    return out.ask_hidden(say(code, language).title)
