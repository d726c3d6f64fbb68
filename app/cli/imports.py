"""`genba-touch import`, `formats` and `bind`: files of touches that other devices kept (docs/import-formats.md)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from app.cli import out
from app.domain.events import JST
from app.errors import InputRefused, UsageError
from app.messages import say
from app.settings import DataDir
from app.wiring import import_deeds as deeds
from app.wiring import imports as wiring
from app.wiring.import_formats import FormatFolder, faults_of, load


def add_commands(commands: Any) -> None:
    """Add this family to the parser."""
    files = commands.add_parser("import", help="take in touches that other devices kept (docs/import-formats.md)")
    files.add_argument("files", type=Path, nargs="*", metavar="FILE")
    files.add_argument("--format", default="", metavar="NAME", help="by default found out from the first lines")
    files.add_argument("--site", default="", metavar="ID", help="import for this site")
    files.add_argument("--device", default="", metavar="NAME", help="name of the device, instead of what the file says")
    files.add_argument(
        "--clock",
        action="append",
        default=[],
        metavar="DEVICE=PC",
        help="what the device's clock and this PC's showed at one moment (2026-11-19T07:40:12=2026-11-19T07:38:02);"
        " twice or more: drift too",
    )
    files.add_argument("--bad", default="", metavar="FILE", help="write rows that are left out here, to be mended")
    files.add_argument("--dry-run", action="store_true", help="say what would happen, store nothing")
    files.add_argument("--unknown", action="store_true", help="list the cards that belong to nobody")
    files.add_argument("--batches", action="store_true", help="list what was imported")
    files.add_argument("--take-back", type=int, metavar="BATCH", help="void everything a batch has added")
    files.add_argument("--reason", default="", help="of taking back")
    files.add_argument("--confirm", type=Path, metavar="FILE", help="store the assignments that this file proposes")
    files.add_argument("--phone-book", type=Path, metavar="FILE", help="keep whose telephone is which (CSV)")
    files.add_argument("--operator", default="", metavar="ID", help="who does it; the PIN is asked for")
    files.add_argument("--json", action="store_true")
    files.set_defaults(run=_import)

    bind = commands.add_parser("bind", help="unknown cards become workers', their past touches too")
    bind.add_argument("card", nargs="?", metavar="CARD", help="card key, as `import --unknown` shows it")
    bind.add_argument("worker", nargs="?", metavar="WORKER", help="技能者ID")
    bind.add_argument("--file", type=Path, metavar="CSV", help="many at once: columns card, worker, valid_from")
    bind.add_argument("--from", dest="valid_from", default="", metavar="DAY", help="by default the first touch's day")
    bind.add_argument("--site", default="", metavar="ID")
    bind.add_argument("--operator", required=True, metavar="ID", help="who does it; the PIN is asked for")
    bind.set_defaults(run=_bind)

    formats = commands.add_parser("formats", help="formats of files with touches").add_subparsers(
        dest="action", required=True, metavar="ACTION"
    )
    listing = formats.add_parser("list", help="which formats there are")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(run=_formats)
    check = formats.add_parser("check", help="check a format file")
    check.add_argument("file", type=Path, metavar="FILE")
    check.set_defaults(run=_check)
    attempt = formats.add_parser("try", help="read the first rows of a file by a format; stores nothing")
    attempt.add_argument("format", metavar="FORMAT", help="its name, or a format file")
    attempt.add_argument("file", type=Path, metavar="FILE")
    attempt.add_argument("--rows", type=int, default=20, metavar="N")
    attempt.add_argument("--json", action="store_true")
    attempt.set_defaults(run=_try)


def _import(args: argparse.Namespace) -> int:
    data = DataDir.at(args.data_dir)
    if args.unknown or args.batches:
        return _print_rows(deeds.unknown_cards(data, args.site) if args.unknown else deeds.batches(data), args)
    if args.take_back is not None or args.confirm or args.phone_book:
        return _deed(data, args)
    if not args.files:
        raise UsageError("import.no_files")
    correction = deeds.clock_of([_pair(text) for text in args.clock])
    if args.clock and not args.json:
        said = {"offset": f"{correction.correction.offset_s:+.1f}", "drift": f"{correction.correction.drift_ppm:+.1f}"}
        _tell(args.language, "import.clock", said)
        if correction.note:
            _tell(args.language, correction.note.code, dict(correction.note.values))
    wanted = wiring.Wanted(args.format, args.site, args.device, correction.correction, args.bad, args.dry_run)
    done = wiring.import_files(data, args.files, wanted, language=args.language)
    if args.json:
        out.print_json({"files": [one.as_json() for one in done]})
    for one in done:
        if one.error is not None:
            out.print_error(one.error, args.language)
            if not args.json:
                _tell(args.language, "import.keep_refused", {})
        elif not args.json:
            _print(one, args.language, dry_run=args.dry_run)
    return next((one.error.exit_code for one in done if one.error is not None), 0)


def _print(one: wiring.Imported, language: str, *, dry_run: bool) -> None:
    assert one.report is not None  # noqa: S101 - there is one without an error
    plan, values = one.report.plan, {**one.values, "file": one.file}
    values.setdefault("label", values["device"] or values["format"])
    _tell(language, "import.tried" if dry_run else "import.done", values)
    for name in ("recorded", "recorded_check", "unknown_card", "suppressed", "refused", "known", "skipped"):
        if values[name]:
            _tell(language, f"import.count_{name}", values)
    for reason, number in plan.refusals.items():
        out.say(f"    {say(f'reason.{reason}', language).title}: {number}")
    if plan.bad:
        _tell(language, "import.count_bad", values)
    for bad in plan.bad_rows[:20]:
        message = say(bad.problem.code, language, **bad.problem.values)
        out.say(f"    {bad.line}: {message.title}\n        → {message.remedy}")
    if one.report.bad_file:
        _tell(language, "import.bad_written", {"bad_file": one.report.bad_file, "count": plan.bad})
    if plan.proposals:
        _tell(language, "import.proposals", {"count": len(plan.proposals), "file": one.file})
    for proposal in plan.proposals[:20]:
        parts = (proposal.worker_id, proposal.name, proposal.company_id, proposal.company, proposal.occupation)
        out.say(f"    {' '.join(part for part in (*parts, proposal.role) if part)}")
    if one.values.get("phone_may_delete_to"):
        _tell(language, "import.may_delete", values)
    if one.report.batch is not None:
        _tell(language, "import.batch", {"batch": one.report.batch})
    _tell(language, one.report.verdict.code, dict(one.report.verdict.values))
    for code, count in one.report.kept if one.report.may_clear else ():
        out.say(f"    {say(code, language, count=count).title}")


def _deed(data: DataDir, args: argparse.Namespace) -> int:
    if not args.operator:
        raise UsageError("import.no_operator")
    who = deeds.Who(args.site, args.operator, out.ask_pin())
    if args.take_back is not None:
        _tell(args.language, "import.taken_back", deeds.take_back(data, args.take_back, args.reason, who))
    elif args.confirm:
        _tell(args.language, "import.confirmed", {"count": deeds.confirm(data, args.confirm, args.format, who)})
    else:
        _tell(args.language, "import.book_kept", {"count": deeds.keep_phone_book(data, args.phone_book, who)})
    return 0


def _bind(args: argparse.Namespace) -> int:
    if (args.file is None) == (args.card is None or args.worker is None):
        raise UsageError("import.bind_what")
    data, who = DataDir.at(args.data_dir), deeds.Who(args.site, args.operator, out.ask_pin())
    if args.file is not None:
        count = deeds.bind_file(data, args.file, who)
    else:
        count = deeds.bind(data, args.card, args.worker, args.valid_from, who)
    _tell(args.language, "import.bound", {"count": count})
    return 0


def _formats(args: argparse.Namespace) -> int:
    entries = FormatFolder(DataDir.at(args.data_dir)).entries()
    rows = [
        {
            "name": one.name,
            "label": dict(one.label),
            "assurance": one.assurance.value if one.assurance else None,
            "sample": one.sample,
            "own": one.own,
            "ok": one.error is None,
        }
        for one in entries
    ]
    if args.json:
        out.print_json(rows)
        return 0
    marks = {name: say(f"formats.{name}", args.language).title for name in ("sample", "own", "wrong")}
    lines = []
    for one in entries:
        there = {"sample": one.sample, "own": one.own, "wrong": one.error is not None}
        said = " ".join(marks[name] for name, is_so in there.items() if is_so)
        lines.append([one.name, one.assurance.value if one.assurance else "-", said, one.label[args.language]])
    out.say(out.table(lines, ("name", "assurance", "", "label")))
    return 0


def _check(args: argparse.Namespace) -> int:
    troubles = faults_of(args.file)
    if troubles:
        for trouble in troubles:
            out.print_error(trouble, args.language)
        return troubles[0].exit_code
    made = load(args.file)
    _tell(args.language, "formats.good", {"name": made.name, "assurance": made.assurance.value})
    return 0


def _try(args: argparse.Namespace) -> int:
    data = DataDir.at(args.data_dir)
    preview = deeds.try_format(data, args.format, args.file, args.rows, args.language)
    rows = [
        {
            "line": row.line,
            "device_at": row.device_at,
            "at": row.at.isoformat(timespec="seconds") if row.at else None,
            "card": row.card,
            "worker_id": row.worker_id,
            "name": row.name,
            "direction": row.direction,
            "problem": row.problem.code if row.problem else None,
        }
        for row in preview.rows
    ]
    if args.json:
        out.print_json({"device": preview.device, "encoding": preview.encoding, "rows": rows})
        return 0
    _tell(args.language, "formats.tried", {"device": preview.device, "encoding": preview.encoding, "count": len(rows)})
    head = ("line", "device_at", "at", "card", "worker_id", "name", "direction")
    out.say(out.table([[str(row[name] or "-") for name in head] for row in rows], head))
    for shown in preview.rows:
        if shown.problem:
            message = say(shown.problem.code, args.language, **shown.problem.values)
            out.say(f"    {shown.line}: {message.title}\n        → {message.remedy}")
    return 0


def _print_rows(rows: Sequence[dict[str, Any]], args: argparse.Namespace) -> int:
    if args.json:
        out.print_json(rows)
    elif rows:
        head = tuple(rows[0])
        out.say(out.table([[_cell(row[name]) for name in head] for row in rows], head))
    else:
        out.nothing(args.language)
    return 0


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={number}" for name, number in value.items() if number) or "-"
    return "-" if value in (None, "") else str(value)


def _pair(text: str) -> tuple[datetime, datetime]:
    try:
        device, pc = (datetime.fromisoformat(part.strip()) for part in text.split("="))
    except ValueError as exc:
        raise InputRefused("import.clock_pair", text[:80]) from exc
    return tuple(at if at.tzinfo else at.replace(tzinfo=JST) for at in (device, pc))  # type: ignore[return-value]


def _tell(language: str, code: str, values: dict[str, Any]) -> None:
    message = say(code, language, **values)
    out.say(message.title)
    if message.remedy:
        out.say(f"    → {message.remedy}")
