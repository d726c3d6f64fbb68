"""`genba-touch update …` on a PC, and `update-repo …` where IT publishes new versions (docs/updates.md)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from app.cli import out
from app.errors import InputRefused
from app.messages import say
from app.settings import DataDir
from app.wiring import update_apply, updates
from app.wiring import update_repo as repo


def add_commands(commands: Any) -> None:
    """Add `update` and `update-repo` to the parser."""
    update = commands.add_parser("update", help="new versions of this program, as IT publishes them")
    parts = update.add_subparsers(dest="part", required=True, metavar="PART")
    for name, does, run in (
        ("check", "is there a newer version for this PC", _check),
        ("download", "fetch it, with the way back", _download),
        ("apply", "put it in; gate and office are closed", _apply),
        ("back", "put the version of before in again", _back),
        ("status", "what is here; asks nobody", _status),
    ):
        part = parts.add_parser(name, help=does)
        part.add_argument("--json", action="store_true")
        part.set_defaults(run=run)
    parts.choices["apply"].add_argument(
        "--without-way-back", action="store_true", help="though the running version's package is not here"
    )
    parts.choices["apply"].add_argument("--start", action="store_true", help="Windows: open the window afterwards")
    parts.choices["back"].add_argument(
        "--leave-rejected", action="store_true", help="what the centre rejected since stays in the file kept aside"
    )
    _add_repo(commands)


def _add_repo(commands: Any) -> None:
    root = commands.add_parser(
        "update-repo", help="IT: a signed list of versions, for a web server, a share or a stick"
    )
    parts = root.add_subparsers(dest="part", required=True, metavar="PART")

    def part(name: str, does: str, run: Any, *, keys: bool = True) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = parts.add_parser(name, help=does)
        made.add_argument("folder", type=Path, metavar="DIR")
        if keys:
            made.add_argument("--keys", type=Path, required=True, metavar="KEYS", help="folder of the keys")
        made.set_defaults(run=run)
        return made

    new = part("new", "a new list, and its keys", _new)
    new.add_argument("--passphrase", action="store_true", help="ask for a passphrase for root and release key")
    add = part("add", "put a package on the list", _add)
    add.add_argument("file", type=Path, metavar="FILE")
    add.add_argument("--platform", required=True, help="windows-x86_64 or linux-x86_64")
    add.add_argument("--percent", type=int, default=100, help="of the PCs that get it (default: 100)")
    add.add_argument("--minimum", default="0.0.0", metavar="VERSION", help="the oldest version that may go on to it")
    percent = part("percent", "offer a version to more PCs, or to fewer", _percent)
    percent.add_argument("percent", type=int)
    withdraw = part("withdraw", "take a version off the list", _withdraw)
    for one in (add, percent, withdraw):
        one.add_argument("--channel", default=updates.CHANNEL)
        one.add_argument("--version", required=True)
    refresh = part("refresh", "the list is good for longer; needs the online key alone", _refresh)
    refresh.add_argument("--days", type=int, default=repo.ONLINE_DAYS)
    rotate = part("rotate-root", "new keys, or the same for longer", _rotate)
    rotate.add_argument("--new-keys", type=Path, metavar="KEYS", help="left out: the same keys")
    rotate.add_argument("--passphrase", action="store_true", help="ask for a passphrase for new root and release keys")
    listing = part("list", "what is on the list", _list, keys=False)
    listing.add_argument("--json", action="store_true")


def _check(args: argparse.Namespace) -> int:
    found = updates.updates_of(DataDir.at(args.data_dir)).check()
    return _told(args, "update.found", found.version if found else None)


def _download(args: argparse.Namespace) -> int:
    found = updates.updates_of(DataDir.at(args.data_dir)).download()
    return _told(args, "update.is_ready", found.version if found else None)


def _told(args: argparse.Namespace, code: str, version: str | None) -> int:
    if args.json:
        out.print_json({"version": version})
    else:
        message = say(code if version else "update.newest", args.language, version=version)
        out.say(message.title)
    return 0


def _apply(args: argparse.Namespace) -> int:
    say("update.put_in", args.language)  # these words are read now: afterwards another version's lie there
    done = update_apply.apply(DataDir.at(args.data_dir), then_start=args.start, without_way_back=args.without_way_back)
    return _done(args, done, "update.put_in")


def _back(args: argparse.Namespace) -> int:
    say("update.put_back", args.language)
    done = update_apply.back(DataDir.at(args.data_dir), leave_rejected=args.leave_rejected)
    return _done(args, done, "update.put_back")


def _done(args: argparse.Namespace, done: update_apply.Done, code: str) -> int:
    if args.json:
        out.print_json(done.as_json())
        return 0
    out.say(say(code if done.program else "update.setup_runs", args.language, version=done.version).title)
    if done.rejoin:
        message = say("settings.rejoin_first", args.language)
        out.say(f"{message.title}\n  → {message.remedy}")
    return 0


def _status(args: argparse.Namespace) -> int:
    said = updates.status(DataDir.at(args.data_dir))
    if args.json:
        out.print_json(said)
        return 0
    code, values = updates.note(DataDir.at(args.data_dir)) or ("doctor.version", {"version": said["version"]})
    message = say(code, args.language, **values)
    out.say("\n  → ".join(line for line in (message.title, message.remedy) if line))
    for key, value in said.items():
        out.say(f"    {key}: {value if value is not None else '-'}")
    return 0


def _new(args: argparse.Namespace) -> int:
    asked: dict[str, str | None] = {}
    file = repo.create(args.folder, args.keys, lambda name: _passphrase(args, name, asked))
    out.say(say("update_repo.created", args.language, file=file, keys=args.keys).title)
    return 0


def _add(args: argparse.Namespace) -> int:
    repo.add(
        args.folder,
        args.keys,
        out.ask_hidden,
        args.file,
        channel=args.channel,
        version=args.version,
        platform=args.platform,
        percent=args.percent,
        minimum=args.minimum,
    )
    return _said(args, 1)


def _percent(args: argparse.Namespace) -> int:
    return _said(
        args,
        repo.percent(
            args.folder, args.keys, out.ask_hidden, channel=args.channel, version=args.version, value=args.percent
        ),
    )


def _withdraw(args: argparse.Namespace) -> int:
    return _said(
        args, repo.withdraw(args.folder, args.keys, out.ask_hidden, channel=args.channel, version=args.version)
    )


def _said(args: argparse.Namespace, count: int) -> int:
    out.say(say("update_repo.published", args.language, count=count).title)
    return 0


def _refresh(args: argparse.Namespace) -> int:
    if not 1 <= args.days <= 365:
        raise InputRefused("update_repo.days", str(args.days))
    until = repo.refresh(args.folder, args.keys, out.ask_hidden, args.days)
    out.say(say("update_repo.refreshed", args.language, until=until.date().isoformat()).title)
    return 0


def _rotate(args: argparse.Namespace) -> int:
    asked: dict[str, str | None] = {}
    file = repo.rotate(
        args.folder, args.keys, args.new_keys or args.keys, out.ask_hidden, lambda name: _passphrase(args, name, asked)
    )
    out.say(say("update_repo.rotated", args.language, file=file).title)
    return 0


def _list(args: argparse.Namespace) -> int:
    found = repo.offers(args.folder)
    if args.json:
        names = ("channel", "version", "platform", "percent", "minimum", "name", "size", "sha256")
        out.print_json([{name: getattr(one, name) for name in names} for one in found])
    elif not found:
        out.nothing(args.language)
    else:
        rows = [(one.channel, one.version, one.platform, f"{one.percent} %", one.minimum, one.name) for one in found]
        out.say(out.table(rows, ("channel", "version", "platform", "percent", "minimum", "file")))
    return 0


def _passphrase(args: argparse.Namespace, name: str, asked: dict[str, str | None]) -> str | None:
    """For a new key; the online one is used by a machine every night."""
    if name not in asked:
        asked[name] = _new_passphrase(name, args.language) if args.passphrase and name != "online" else None
    return asked[name]


def _new_passphrase(name: str, language: str) -> str:
    """On the terminal asked for twice: nobody can mend a slip. Raises InputRefused `provision.passphrases_differ`."""
    given = out.ask_hidden(f"{say('provision.ask_new_passphrase', language).title} {name}")
    if sys.stdin.isatty() and given != out.ask_hidden(say("provision.ask_again", language).title):
        raise InputRefused("provision.passphrases_differ")
    return given
