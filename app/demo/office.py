"""The office to try: a fictional month behind the window, a centre of its own, people with PINs to sit down as.

Nothing differs from a real office's PC but that everything lies in a throw-away folder and goes with it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from app.clock import Clock, SystemClock
from app.demo import office_files
from app.demo.office_pictures import touches_of
from app.demo.site import SITE_ID, demo_site
from app.demo.stage import free_port
from app.domain.events import JST
from app.messages import say as sentence
from app.office.shapes import EntryWanted
from app.secrets import make_pin_verifier
from app.settings import DataDir
from app.wiring import centre as centre_wiring
from app.wiring import setup
from app.wiring.gate import DEMO_PACE
from app.wiring.office import OfficeRun, build_office
from app.wiring.office_window import show_office
from app.wiring.station import open_station

PINS = {"op-foreman": "1111", "op-approver": "2222", "op-admin": "3333"}
"""Of the fictional operators, shown on the screen: they and their site are gone when the window closes."""
WEEKS = 7


@dataclass(frozen=True, slots=True)
class Trial:
    """What is there to try. `dump`: a reader's file whose memory may be cleared afterwards, `mixed`: one with bad
    rows."""

    run: OfficeRun
    dump: Path
    mixed: Path
    waiting: int


class OfficeStage:
    """Use as a context manager, from one thread."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.folder = Path(tempfile.mkdtemp(prefix="genba-touch-office-"))
        self._centre: centre_wiring.RunningCentre | None = None
        self._run: OfficeRun | None = None
        try:
            self.trial = self._build()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> OfficeStage:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End everything and remove the folder."""
        if self._run is not None:
            self._run.stop()
        if self._centre is not None:
            self._centre.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def hand_over(self) -> OfficeRun:
        """The office, for a window that starts and stops it."""
        handed, self._run = self.trial.run, None
        return handed

    def _build(self) -> Trial:
        today = self.clock.now().astimezone(JST).date()
        site = demo_site(today)
        for operator in site["operators"]:
            if operator["id"] in PINS:
                operator["pin_verifier"] = make_pin_verifier(PINS[operator["id"]])
        site_file, url, port = self.folder / "site.json", f"sqlite:///{self.folder / 'central.db'}", free_port()
        site_file.write_text(json.dumps(site, ensure_ascii=False), encoding="utf-8")
        centre_wiring.load_site(url, site_file)
        self._centre = centre_wiring.RunningCentre(url, "127.0.0.1", port)
        code = centre_wiring.issue_code(url, [SITE_ID], 1, 1, "office")["enrolment_code"]
        provisioning = self.folder / "provisioning.toml"
        provisioning.write_text(
            f'schema = 1\ncentre_url = "http://127.0.0.1:{port}"\nstation_name = "デモ 事務所"\n'
            f'enrolment_code = "{code}"\nkey_file = "keys.json"\n',
            encoding="utf-8",
        )
        data = DataDir.at(self.folder / "station")
        setup.provision(data, provisioning)
        station = open_station(data)
        days = [today - timedelta(days=n) for n in range(WEEKS * 7, 0, -1)]
        station.events.append_many(list(touches_of(days, today)))
        run = self._run = build_office(station, SITE_ID, DEMO_PACE)
        waiting = _enter_for(run, today.isoformat())
        workers = run.desk.roster.workers
        held = [card for card in run.desk.roster.cards.values() if card.worker_id in workers]
        cast = office_files.Cast([card.id for card in held], [workers[card.worker_id].name for card in held], today)
        files = self.folder / "files"
        return Trial(run, office_files.clean(files, cast), office_files.known(files, cast), waiting)


def _enter_for(run: OfficeRun, today: str) -> int:
    """The foreman has entered some missed days already, for the approver to decide on; how many."""
    run.desk.sign_in("op-foreman")
    found = []
    for month in {today[:7], (datetime.fromisoformat(today) - timedelta(days=28)).strftime("%Y-%m")}:
        found += [one for step in run.desk.candidates(month) if isinstance(step, list) for one in step][:3]
    wanted = [EntryWanted(one.worker_id, one.day, "card_forgotten", one.in_at, one.out_at) for one in found]
    stored = run.desk.enter(wanted).stored
    run.desk.person = None
    return stored


def run(*, language: str, seconds: float | None, say: Callable[[str], None]) -> int:
    """Open the office's window on the fictional site. Main thread."""
    with OfficeStage() as stage:
        trial = stage.trial
        banner = sentence(
            "demo.office_banner",
            language,
            foreman=PINS["op-foreman"],
            approver=PINS["op-approver"],
            office=PINS["op-admin"],
            files=trial.dump.parent,
        )
        for line in (banner.title, banner.remedy):
            say(line)
        said = f"{banner.title}\n{banner.remedy}"
        return show_office(stage.hand_over(), seconds=seconds, language=language, banner=said)
