"""`genba-touch central …`: looking after stations, sites and personal data."""

from __future__ import annotations

import argparse
from datetime import date
from typing import Any

from app.cli import out
from app.cli.centre_url import add_database, database
from app.errors import UsageError
from app.wiring import centre_admin as wiring


def add_commands(parts: Any) -> None:
    """Add to `central`."""
    made = [
        _stations(parts),
        _revoke(parts),
        _lost(parts),
        _rotate(parts),
        _move(parts),
        _close(parts),
        _client(parts),
        _erase(parts),
    ]
    made += [_retention(parts), _audit(parts)]
    add_database(*made)


def _stations(parts: Any) -> Any:
    part = parts.add_parser("stations", help="every station: last heard, waiting, readers, clock, chain")
    part.add_argument("--json", action="store_true")
    part.set_defaults(run=_list_stations)
    return part


def _revoke(parts: Any) -> Any:
    part = parts.add_parser("revoke-station", help="take a station out of service at once: nothing of it is taken")
    part.add_argument("station", metavar="STATION")
    _reason(part)
    part.set_defaults(run=_revoke_station)
    return part


def _lost(parts: Any) -> Any:
    part = parts.add_parser("lost-station", help="its PC is lost: take what waits, hand nothing down, have it wiped")
    part.add_argument("station", metavar="STATION")
    part.add_argument("--found", action="store_true", help="it is there again (as long as it has not heard of it)")
    _reason(part)
    part.set_defaults(run=_lost_station)
    return part


def _rotate(parts: Any) -> Any:
    part = parts.add_parser("rotate-secret", help="have a station change its secret at its next contact")
    part.add_argument("station", metavar="STATION")
    _reason(part)
    part.set_defaults(run=_rotate_secret)
    return part


def _move(parts: Any) -> Any:
    part = parts.add_parser("move-station", help="give a station to another site")
    part.add_argument("station", metavar="STATION")
    part.add_argument("--to", required=True, metavar="SITE")
    _reason(part)
    part.set_defaults(run=_move_station)
    return part


def _close(parts: Any) -> Any:
    part = parts.add_parser("close-site", help="take nothing of later days any more; what is late, is taken")
    part.add_argument("site", metavar="SITE")
    part.add_argument("--last-day", required=True, metavar="YYYY-MM-DD", help="the site's last work day")
    part.add_argument("--withdraw", action="store_true", help="stations drop the site, its roster and records too")
    _reason(part)
    part.set_defaults(run=_close_site)
    return part


def _client(parts: Any) -> Any:
    part = parts.add_parser("create-client", help="id and secret of an administrator or of a status page's viewer")
    part.add_argument("--kind", choices=("administrator", "viewer"), required=True)
    part.add_argument("--name", required=True)
    part.add_argument("--json", action="store_true")
    _reason(part)
    part.set_defaults(run=_create_client)
    return part


def _erase(parts: Any) -> Any:
    part = parts.add_parser("erase-person", help="take a person's name, id and cards out; counts stay")
    part.add_argument("--worker", required=True, metavar="ID")
    part.add_argument("--dry-run", action="store_true", help="only say what would be done")
    part.add_argument("--json", action="store_true")
    _reason(part)
    part.set_defaults(run=_erase_person)
    return part


def _retention(parts: Any) -> Any:
    part = parts.add_parser("retention", help="erase everybody whose last work is older than so many months")
    part.add_argument("--months", type=int, required=True, metavar="N")
    part.add_argument("--dry-run", action="store_true", help="only say what would be done")
    part.add_argument("--json", action="store_true")
    _reason(part)
    part.set_defaults(run=_run_retention)
    return part


def _audit(parts: Any) -> Any:
    part = parts.add_parser("audit", help="who did what, when and why")
    part.add_argument("--last", type=int, default=50, metavar="N")
    part.add_argument("--json", action="store_true")
    part.set_defaults(run=_show_audit)
    return part


def _reason(part: Any) -> None:
    part.add_argument("--reason", required=True, metavar="TEXT", help="why; kept with date and user (no names, please)")


def _list_stations(args: argparse.Namespace) -> int:
    found = wiring.stations(database(args))
    if args.json:
        out.print_json(found)
        return 0
    if not found:
        out.nothing(args.language)
        return 0
    head = (
        "station",
        "name",
        "sites",
        "version",
        "last heard",
        "waiting",
        "oldest",
        "skew ms",
        "readers",
        "last record",
        "disk MB",
        "update",
        "crashed",
        "os",
        "chain",
        "h",
    )
    out.say(out.table([_station_row(one) for one in found], head))
    return 0


def _station_row(one: dict[str, Any]) -> tuple[object, ...]:
    pc = one["pc"] or {}
    readers = " ".join(f"{reader['label']}:{reader['condition']}" for reader in one["readers"])
    return (
        one["id"],
        one["name"] + _standing(one),
        " ".join(one["site_ids"]),
        one["app_version"],
        one["last_heard"] or "-",
        "-" if one["waiting"] is None else one["waiting"],
        one["oldest_waiting"] or "-",
        "-" if one["skew_ms"] is None else one["skew_ms"],
        readers or "-",
        *(pc.get(name) or "-" for name in ("last_recorded_at", "disk_free_mb", "update", "crashed_at", "os")),
        one["chain"],
        f"{one['working_hours']}/{one['heard_hours']}",
    )


def _standing(one: dict[str, Any]) -> str:
    if one["withdrawn_at"]:
        return " (wiped)"
    return " (revoked)" if one["revoked_at"] else " (lost)" if one["lost_at"] else ""


def _revoke_station(args: argparse.Namespace) -> int:
    wiring.revoke_station(database(args), args.station, args.reason)
    return 0


def _lost_station(args: argparse.Namespace) -> int:
    wiring.mark_lost(database(args), args.station, args.reason, found=args.found)
    return 0


def _rotate_secret(args: argparse.Namespace) -> int:
    wiring.rotate_secret(database(args), args.station, args.reason)
    return 0


def _move_station(args: argparse.Namespace) -> int:
    for left in wiring.move_station(database(args), args.station, args.to, args.reason):
        out.say(left)
    return 0


def _close_site(args: argparse.Namespace) -> int:
    try:
        last_day = date.fromisoformat(args.last_day)
    except ValueError as exc:
        raise UsageError("cli.bad_day", args.last_day) from exc
    wiring.close_site(database(args), args.site, last_day, args.reason, withdraw=args.withdraw)
    return 0


def _create_client(args: argparse.Namespace) -> int:
    made = wiring.create_client(database(args), args.kind, args.name, args.reason)
    if args.json:
        out.print_json(made)
    else:
        out.say(f"{made['client_id']}\n{made['client_secret']}")
    return 0


def _erase_person(args: argparse.Namespace) -> int:
    done = wiring.erase_person(database(args), args.worker, args.reason, dry_run=args.dry_run)
    if args.json:
        out.print_json(done)
    else:
        out.say(out.table(list(done.items()), ("what", "count")))
    return 0


def _run_retention(args: argparse.Namespace) -> int:
    done = wiring.retention(database(args), args.months, args.reason, dry_run=args.dry_run)
    if args.json:
        out.print_json(done)
    elif done:
        out.say(out.table([list(one.values()) for one in done], list(done[0])))
    else:
        out.nothing(args.language)
    return 0


def _show_audit(args: argparse.Namespace) -> int:
    rows = wiring.audit_rows(database(args), args.last)
    if args.json:
        out.print_json(rows)
    elif rows:
        out.say(out.table([list(row.values()) for row in rows], list(rows[0])))
    else:
        out.nothing(args.language)
    return 0
