"""`genba-touch gate`: the window, or the same gate without one; `genba-touch office`: the office's window."""

from __future__ import annotations

import argparse
import json
import os
import queue
import sys
import threading
from datetime import UTC, datetime
from typing import Any

from app.cli import out
from app.errors import EnvironmentTrouble, UsageError
from app.gate.news import Announcement, News, StorageAlarm
from app.readers.port import ReaderEvent, ReaderState
from app.readers.specs import SYNTAX, parse_spec
from app.settings import DataDir
from app.wiring import gate as wiring
from app.wiring import update_apply
from app.wiring.stopping import Stop


def add_commands(commands: Any) -> None:
    """Add `gate` and `office` to the parser."""
    gate = commands.add_parser("gate", help="record touches (window, or --headless)")
    gate.add_argument("--site", metavar="ID", help="site id, when this PC serves several")
    gate.add_argument(
        "--reader",
        action="append",
        metavar="SPEC",
        default=[],
        help="may be repeated: " + SYNTAX,
    )
    gate.add_argument("--kiosk", action="store_true", help="full screen, left only with an operator's PIN")
    gate.add_argument("--headless", action="store_true", help="no window")
    gate.add_argument("--json-lines", action="store_true", help="with --headless: one JSON object per event on stdout")
    gate.add_argument("--seconds", type=out.seconds, metavar="N", help="end after N seconds")
    gate.set_defaults(run=_gate)
    office = commands.add_parser("office", help="the month, direct entries, approvals (window)")
    office.add_argument("--site", metavar="ID", help="site id, when this PC serves several")
    office.add_argument(
        "--reader", action="append", metavar="SPEC", default=[], help="a gate in the same window; as for gate"
    )
    office.add_argument("--seconds", type=out.seconds, metavar="N", help="end after N seconds")
    office.set_defaults(run=_office)


def _office(args: argparse.Namespace) -> int:
    if not has_display():
        raise EnvironmentTrouble("cli.no_display")
    data = DataDir.at(args.data_dir)
    if update_apply.at_start(data, sys.argv[1:]):
        return 0
    from app.wiring.office_window import open_office_window

    return open_office_window(
        data,
        site_id=args.site,
        reader_specs=args.reader,
        seconds=args.seconds,
        language=args.language,
    )


def _gate(args: argparse.Namespace) -> int:
    if not args.headless and not has_display():
        raise EnvironmentTrouble("cli.no_display")
    data = DataDir.at(args.data_dir)
    if update_apply.at_start(data, sys.argv[1:]):
        return 0
    if not args.headless:
        from app.wiring.window import open_window

        return open_window(
            data,
            site_id=args.site,
            reader_specs=args.reader,
            kiosk=args.kiosk,
            seconds=args.seconds,
            language=args.language,
        )
    wanted = [parse_spec(text) for text in args.reader]
    run = wiring.open_gate(data, site_id=args.site, reader_specs=wanted)
    if run.wedge:
        run.station.close()
        raise UsageError("reader.wedge_needs_window", "wedge")
    stop = Stop().on_signals()
    printer = LinePrinter(json_lines=args.json_lines)
    run.gate.listen(printer.news)
    run.listen_readers(printer.reader)
    run.listen_sync(printer.sync)
    run.start()
    try:
        stop.wait(args.seconds)
    finally:
        run.stop()
        printer.close()
    return 0


def has_display() -> bool:
    """Whether a window could open here."""
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class LinePrinter:
    """Events as lines: JSON for scripts, short text for people. Called from several threads, holds up none of them.

    A reader of our output that is slow or gone is its own trouble: touches keep their lines, newer states replace what
    cannot be taken (beyond `MOST` waiting lines), and a closed output is written to no more.
    """

    MOST = 10_000

    def __init__(self, *, json_lines: bool) -> None:
        self._json = json_lines
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._thread = threading.Thread(target=self._write, name="printer", daemon=True)
        self._thread.start()

    def close(self, seconds: float = 2.0) -> None:
        """Let what waits be written, but not for longer than so many seconds."""
        self._lines.put(None)
        self._thread.join(seconds)

    def news(self, news: News) -> None:
        """What the gate announces."""
        if isinstance(news, Announcement):
            local = f"{news.at.astimezone():%H:%M:%S}"
            self._print(touch_line(news), f"{local} {news.outcome.value} {news.name}", keep=True)
        elif isinstance(news, StorageAlarm):
            line = {"event": "alarm", "code": news.code, "at": _iso(news.at)}
            self._print(line, f"NOT STORED: {news.code}", keep=True)

    def reader(self, event: ReaderEvent) -> None:
        """A reader's new state (cards come as touches)."""
        if isinstance(event, ReaderState):
            condition = event.condition.value
            line = {"event": "reader_state", "reader": event.reader, "label": event.label, "condition": condition}
            self._print(line, f"reader {event.label}: {condition}")

    def sync(self, status: Any) -> None:
        """The engine's new status."""
        self._print(sync_line(status), f"waiting to send: {status.pending}")

    def _print(self, line: dict[str, Any], text: str, *, keep: bool = False) -> None:
        if keep or self._lines.qsize() < self.MOST:
            self._lines.put(json.dumps(line, ensure_ascii=False) if self._json else text)

    def _write(self) -> None:
        taken = True
        while (line := self._lines.get()) is not None:
            try:
                if taken:
                    out.write_through(line)
            except OSError:
                taken = False


def touch_line(told: Announcement) -> dict[str, Any]:
    """An announcement as the JSON line that scripts read (docs/cli.md)."""
    return {
        "event": "touch",
        "id": told.id,
        "seq": told.seq,
        "card": told.card_masked,
        "worker_id": told.worker_id,
        "site_id": told.site_id,
        "direction": told.direction.value,
        "work_day": told.work_day,
        "assurance": told.assurance,
        "outcome": told.outcome.value,
        "reasons": [reason.value for reason in told.reasons],
        "reader": told.lane,
        "at": _iso(told.at),
        "stored_at": _iso(told.stored_at),
    }


def sync_line(status: Any) -> dict[str, Any]:
    """A sync status as a JSON line."""
    return {
        "event": "sync",
        "pending": status.pending,
        "rejected": status.rejected,
        "accepted": status.accepted,
        "handed": status.handed,
        "last_sync_at": _iso(status.last_sync_at),
        "last_error": status.last_error,
        "next_attempt_at": _iso(status.next_attempt_at),
        "online": status.online,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds") if moment else None
