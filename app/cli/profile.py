"""`genba-touch profile`: fit a card's open area, whose layout an office alone knows (docs/card-profiles.md)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from app.cli import out
from app.errors import InputRefused
from app.messages import say
from app.readers.profile import Profile
from app.readers.profile_decode import Decoded
from app.readers.specs import SYNTAX
from app.settings import DataDir
from app.wiring import profile as wiring

SECONDS = 30.0


def add_commands(commands: Any) -> None:
    """Add `profile` to the parser."""
    profile = commands.add_parser("profile", help="card profiles: read a card's open area (docs/card-profiles.md)")
    actions = profile.add_subparsers(dest="action", required=True, metavar="ACTION")

    listing = actions.add_parser("list", help="which profiles are there, and which are in force")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_list)

    check = actions.add_parser("check", help="check a profile file")
    check.add_argument("file", type=Path, metavar="FILE")
    check.add_argument("--json", action="store_true")
    check.set_defaults(run=_check)

    attempt = actions.add_parser("try", help="hold a profile against the card on the reader")
    attempt.add_argument("file", type=Path, metavar="FILE")
    _reading_options(attempt)
    attempt.set_defaults(run=_try)

    dump = actions.add_parser("dump", help="raw blocks of the FeliCa card on the reader")
    dump.add_argument("--service", required=True, metavar="CODE", help="four hexadecimal digits: 3E0B")
    dump.add_argument("--blocks", default="0-3", metavar="0-5", help="block numbers (default: 0-3)")
    dump.add_argument("--system", metavar="CODE", help="the card's system (nfcpy readers only)")
    _reading_options(dump)
    dump.set_defaults(run=_dump)


def _reading_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reader", action="append", metavar="SPEC", default=[], help=SYNTAX)
    parser.add_argument("--seconds", type=float, default=SECONDS, metavar="N", help="how long to wait for a card")
    parser.add_argument("--json", action="store_true")


def _list(args: argparse.Namespace) -> int:
    rows = wiring.listed(DataDir.at(args.data_dir))
    if args.json:
        out.print_json(rows)
        return 0
    for row in rows:
        marks = [say(f"profile.{mark}", args.language).title for mark in ("in_force", "sample") if row[mark]]
        note = f" [{', '.join(marks)}]" if marks else ""
        label = row["label"][args.language] if row["label"] else f"× {row['trouble']}"
        out.say(f"{row['name']}{note}: {label}\n    {row['file']}")
    if not rows:
        out.say(say("profile.none", args.language).title)
    return 0


def _check(args: argparse.Namespace) -> int:
    profile, weak = wiring.check(args.file)
    if args.json:
        out.print_json({"ok": True, "name": profile.name, "bytes": profile.area_bytes, "warnings": list(weak)})
        return 0
    good = say("profile.good", args.language, name=profile.name, fields=len(profile.fields), bytes=profile.area_bytes)
    out.say(good.title)
    for code in weak:
        out.say(f"! {say(code, args.language).title}")
    return 0


def _dump(args: argparse.Namespace) -> int:
    area = wiring.area_of(args.service, args.blocks, args.system)
    looked = _look(args, area)
    missing = [number for number in area.blocks if number not in looked.blocks]
    if args.json:
        blocks = {str(number): data.hex().upper() for number, data in looked.blocks.items()}
        out.print_json(
            {
                "reader": looked.reader,
                "chip": looked.chip_key,
                "service": f"{area.service_code:04X}",
                "blocks": blocks,
                "missing": missing,
            }
        )
    else:
        out.say(f"{looked.chip_key} ({looked.reader}) {area.service_code:04X}")
        for place, number in enumerate(area.blocks):
            if number in looked.blocks:
                data = looked.blocks[number]
                out.say(f"{number:3}  {place * len(data):4}  {data.hex(' ').upper()}  {_letters(data)}")
        _say_missing(missing, bool(looked.blocks), args.language)
    return 0 if looked.blocks else InputRefused.exit_code


def _try(args: argparse.Namespace) -> int:
    profile, _weak = wiring.check(args.file)
    tried = wiring.try_on(profile, _look(args, profile.area))
    if args.json:
        out.print_json(_json(profile, tried))
    else:
        _print(profile, tried, args.language)
    return InputRefused.exit_code if tried.refused else 0


def _look(args: argparse.Namespace, area: wiring.Area | None) -> wiring.Look:
    def ready() -> None:
        out.warn(say("profile.put_card", args.language, seconds=f"{args.seconds:g}").title)

    return wiring.look(area, args.reader, args.seconds, ready)


def _print(profile: Profile, tried: wiring.Tried, language: str) -> None:
    out.say(f"{tried.look.chip_key} ({tried.look.reader})")
    if tried.content.fields:
        rows = [
            (item.field.name, item.field.offset, item.raw.hex(" ").upper(), item.value or "", _result(item, language))
            for item in tried.content.fields
        ]
        out.say(out.table(rows, ("field", "offset", "raw", "value", "result")))
    _say_missing(list(tried.missing), bool(tried.look.blocks), language)
    fits = not tried.refused and not tried.missing
    if tried.content.worker_id and fits:
        out.say(say("profile.worker", language, worker=tried.content.worker_id).title)
    if tried.content.expires_on and fits:
        out.say(say("profile.expires", language, day=tried.content.expires_on).title)
    values = {"name": profile.name, "key": tried.card_key, "assurance": tried.assurance, "why": tried.refused}
    code = "fits_not" if tried.refused else "falls_back" if tried.missing else "fits"
    message = say(f"profile.{code}", language, **values)
    out.say(message.title + (f"\n    → {message.remedy}" if message.remedy else ""))


def _say_missing(missing: list[int], some: bool, language: str) -> None:
    if not missing:
        return
    blocks = ", ".join(map(str, missing))
    message = say("profile.missing_blocks" if some else "profile.no_blocks", language, blocks=blocks)
    out.say(message.title + (f"\n    → {message.remedy}" if message.remedy else ""))


def _result(item: Decoded, language: str) -> str:
    if item.why:
        return "× " + say(f"profile.why.{item.why}", language).title
    rules = ", ".join(check.rule for check in item.field.checks)
    accepted = say("profile.accepted", language).title
    return f"✓ {accepted} ({rules})" if rules else f"✓ {accepted}"


def _letters(data: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in data)


def _json(profile: Profile, tried: wiring.Tried) -> dict[str, Any]:
    fits = not tried.refused and not tried.missing
    return {
        "profile": profile.name,
        "reader": tried.look.reader,
        "chip": tried.look.chip_key,
        "ok": not tried.refused,
        "refused": tried.refused,
        "card_key": None if tried.refused else tried.card_key,
        "assurance": None if tried.refused else tried.assurance,
        "worker_id": tried.content.worker_id if fits else None,
        "expires_on": tried.content.expires_on if fits else None,
        "missing_blocks": list(tried.missing),
        "fields": [
            {
                "name": item.field.name,
                "offset": item.field.offset,
                "raw": item.raw.hex().upper(),
                "value": item.value,
                "why": item.why,
                "checks": [check.rule for check in item.field.checks],
            }
            for item in tried.content.fields
        ],
    }
