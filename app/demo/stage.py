"""The demonstration's stage: a centre on loopback, a station provisioned against it, a hand with virtual cards.

Everything lies in a throw-away folder and goes with it. The station's keys are in a key file there, as the status bar
says; nothing else differs from a real gate.
"""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from app.clock import Clock, SystemClock
from app.demo.hand import CardHand, free_udp_port
from app.demo.site import demo_site
from app.domain.events import JST
from app.readers.specs import parse_spec
from app.secrets import make_pin_verifier
from app.settings import DataDir
from app.wiring import centre as centre_wiring
from app.wiring import gate as gate_wiring
from app.wiring import setup

PIN = "1234"
"""The demonstration's operators all have it: the site is fictional and gone when the window closes."""


class Stage:
    """Use as a context manager, from one thread."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.clock: Clock = SystemClock()
        self._never = threading.Event()
        self._switching = threading.Lock()
        self.folder = Path(tempfile.mkdtemp(prefix="genba-touch-demo-"))
        self.site = self._site()
        self._url = f"sqlite:///{self.folder / 'central.db'}"
        self._port = free_port()
        self._server: centre_wiring.RunningCentre | None = None
        self.hand: CardHand | None = None
        self.gate: gate_wiring.GateRun | None = None
        try:
            self._build(say)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def run(self) -> gate_wiring.GateRun:
        """The gate; built, not started."""
        assert self.gate is not None  # noqa: S101 - built by the constructor
        return self.gate

    @property
    def cards(self) -> CardHand:
        """The hand."""
        assert self.hand is not None  # noqa: S101 - built by the constructor
        return self.hand

    def centre_away(self) -> None:
        """The centre stops: connections are refused."""
        with self._switching:
            if self._server is not None:
                self._server.stop()
                self._server = None

    def centre_back(self) -> None:
        """The centre answers again, on the same address and database."""
        with self._switching:
            if self._server is None:
                self._server = centre_wiring.RunningCentre(self._url, "127.0.0.1", self._port)

    def held(self) -> list[str]:
        """Ids of all events that the centre's database holds, in the order of receipt."""
        return centre_wiring.held_events(self._url)

    def work_records(self) -> int:
        """How many work records the centre has derived."""
        return centre_wiring.count_work_records(self._url)

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        self._never.wait(seconds)

    def close(self) -> None:
        """End everything and remove the folder."""
        if self.gate is not None:
            self.gate.stop()
        if self.hand is not None:
            self.hand.close()
        self.centre_away()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _build(self, say: Callable[[str], None]) -> None:
        site_file = self.folder / "site.json"
        site_file.write_text(json.dumps(self.site, ensure_ascii=False), encoding="utf-8")
        centre_wiring.load_site(self._url, site_file)
        self.centre_back()
        say(f"センター / centre: http://127.0.0.1:{self._port}")
        code = centre_wiring.issue_code(self._url, [self.site["site"]["id"]], 1, 1, "gate")["enrolment_code"]
        provisioning = self.folder / "provisioning.toml"
        provisioning.write_text(
            f'schema = 1\ncentre_url = "http://127.0.0.1:{self._port}"\nstation_name = "デモ ゲート"\n'
            f'enrolment_code = "{code}"\nkey_file = "keys.json"\n',
            encoding="utf-8",
        )
        data = DataDir.at(self.folder / "station")
        done = setup.provision(data, provisioning)
        say(f"現場 / site: {done['site_name']} · {done['workers']} 人")
        self.hand = CardHand(free_udp_port())
        self.gate = gate_wiring.open_gate(
            data, reader_specs=[parse_spec(self.hand.reader_spec)], pace=gate_wiring.DEMO_PACE
        )

    def _site(self) -> dict[str, Any]:
        local = self.clock.now().astimezone(JST)
        late = local.hour in (23, 0)
        day = local - timedelta(hours=12) if late else local
        site = demo_site(day.date(), pin=PIN, make_verifier=make_pin_verifier)
        if late:  # a demonstration around midnight must not split into two work days
            site["site"]["day_change"] = "12:00"
        return site


def free_port() -> int:
    """A port on loopback that is free now; 0 where none was given."""
    with suppress(OSError), socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
    return 0
