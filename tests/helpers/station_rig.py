"""A station, a centre and a hand with cards as real processes, driven by the command line alone."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
"""How long to wait for what must come; a busy machine is no failure."""


def genba_touch(data: Path, *arguments: str) -> list[str]:
    """The command line of a call."""
    return [sys.executable, "-m", "app", "--data-dir", str(data), *arguments]


def ask(data: Path, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end. `env`: instead of this process's environment."""
    return subprocess.run(
        genba_touch(data, *arguments),
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=False,
    )


def call(data: Path, *arguments: str, code: int = 0, env: Mapping[str, str] | None = None) -> str:
    """As `ask`; its stdout. Fails when it ends with another exit code."""
    done = ask(data, *arguments, env=env)
    assert done.returncode == code, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Lines:
    """A process and the JSON lines it prints."""

    def __init__(
        self,
        command: list[str],
        *,
        stdin: bool = False,
        env: Mapping[str, str] | None = None,
        stderr: Path | None = None,
    ) -> None:
        self.items: list[dict[str, Any]] = []
        self._news = threading.Condition()
        self._ended = False
        with open(stderr or os.devnull, "ab") as errors:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors if stderr else None,
                text=True,
                encoding="utf-8",
                env={**(os.environ if env is None else env), "PYTHONUNBUFFERED": "1"},
            )
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def wait(
        self, wanted: Callable[[dict[str, Any]], bool], seconds: float = PATIENCE_S, *, since: int = 0
    ) -> dict[str, Any]:
        """The first line, past (from number `since` on) or coming, that is wanted."""
        until = time.monotonic() + seconds
        with self._news:
            while True:
                for item in self.items[since:]:
                    if wanted(item):
                        return item
                since = max(since, len(self.items))
                left = until - time.monotonic()
                if self._ended or left <= 0:
                    raise AssertionError(f"did not come; so far: {self.items[-12:]}")
                self._news.wait(left)

    def comes(self, wanted: Callable[[dict[str, Any]], bool]) -> bool:
        """Whether such a line comes before the process ends."""
        try:
            self.wait(wanted)
        except AssertionError:
            if not self._ended:
                raise
            return False
        return True

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """SIGKILL: the power cut of processes."""
        self.process.kill()
        self._end()

    def terminate(self) -> int:
        """A friendly end; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        self._end()
        return self.process.returncode

    def _end(self) -> None:
        self.process.wait(timeout=PATIENCE_S)
        self._thread.join(timeout=5)
        if self.process.stdin is not None:
            self.process.stdin.close()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{") and line.endswith("\n"):  # SIGKILL may cut the last one short
                with self._news:
                    self.items.append(json.loads(line))
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


class Centre:
    """A centre with one site loaded. Answers from its construction on; `close` at the end."""

    host = "127.0.0.1"

    def __init__(self, folder: Path, site: dict[str, Any]) -> None:
        self.folder = folder
        self.centre_data = folder / "centre"
        self.site_id = str(site["site"]["id"])
        self.centre_port = free_port()
        self.centre: subprocess.Popen[str] | None = None
        site_file = folder / "site.json"
        site_file.write_text(json.dumps(site, ensure_ascii=False), encoding="utf-8")
        call(self.centre_data, "central", "load-site", str(site_file))
        self.start_centre()

    @property
    def centre_url(self) -> str:
        return f"http://{self.host}:{self.centre_port}"

    def issue_code(self) -> str:
        """An enrolment code for one station."""
        out = call(self.centre_data, "central", "issue-code", "--site", self.site_id, "--json")
        return str(json.loads(out)["enrolment_code"])

    def write_provisioning(self, settings: str, code: str | None = None) -> Path:
        """A provisioning file for a new station; `settings`: more lines of TOML."""
        file = self.folder / f"provisioning-{len(list(self.folder.glob('provisioning-*')))}.toml"
        file.write_text(
            f'schema = 1\ncentre_url = "{self.centre_url}"\nstation_name = "第1ゲート"\n'
            f'enrolment_code = "{code or self.issue_code()}"\n{settings}',
            encoding="utf-8",
        )
        return file

    def start_centre(self, *, env: Mapping[str, str] | None = None, stderr: Path | None = None) -> None:
        """Start the centre and wait until it answers. `env`: instead of this process's; `stderr`: a file for it."""
        command = genba_touch(self.centre_data, "central", "serve", "--listen", f"{self.host}:{self.centre_port}")
        with open(stderr or os.devnull, "ab") as errors:
            self.centre = subprocess.Popen(
                command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=errors if stderr else None, text=True
            )
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex((self.host, self.centre_port)) == 0:
                    return
            assert self.centre.poll() is None, "the centre ended"
            time.sleep(0.05)
        raise AssertionError("the centre did not start")

    def kill_centre(self) -> None:
        """SIGKILL."""
        assert self.centre is not None
        self.centre.kill()
        self.centre.wait()
        self.centre = None

    def close(self) -> None:
        """End it, if it runs."""
        if self.centre is not None:
            self.kill_centre()


class Rig(Centre):
    """See the module. `start_gate`, `touch`, and `close` at the end.

    `reader`: SPEC of the gate's reader; left out: the virtual one that `touch` serves.
    """

    def __init__(
        self, folder: Path, site: dict[str, Any], *, station_settings: str = "", reader: str | None = None
    ) -> None:
        super().__init__(folder, site)
        self.station_data = folder / "station"
        self.gate: Lines | None = None
        self.gates: list[Lines] = []
        self._hand: Lines | None = None
        self._udp_port = free_port(socket.SOCK_DGRAM)
        self.reader = reader or f"pasori:udp:127.0.0.1:{self._udp_port}"
        self.provisioning = self.write_provisioning(f'key_file = "keys.json"\n{station_settings}')
        try:
            call(self.station_data, "provision", str(self.provisioning))
        except BaseException:
            self.close()
            raise

    def start_gate(self, *extra: str, env: Mapping[str, str] | None = None) -> Lines:
        """Start the gate without a window and wait until its reader works. `env`: beside our own environment."""
        command = genba_touch(self.station_data, "gate", "--headless", "--json-lines", "--reader", self.reader, *extra)
        self.gate = Lines(command, env={**os.environ, **(env or {})})
        self.gates.append(self.gate)
        self.gate.wait(lambda e: e["event"] == "reader_state" and e["condition"] in ("ready", "card_present"))
        return self.gate

    def touch(self, idm: str, *, hold_s: float = 0.1, timeout_s: float = 30.0, **card: Any) -> bool:
        """Put a card (more of it: `virtual_card`) on the reader and take it away; whether it was read."""
        if self._hand is None:
            command = [sys.executable, "-m", "app.readers.virtual_card", "--udp", f"127.0.0.1:{self._udp_port}"]
            self._hand = Lines(command, stdin=True)
        shown = len(self._hand.items)
        assert self._hand.process.stdin is not None
        line = json.dumps({"idm": idm, "hold_s": hold_s, "timeout_s": timeout_s, **card})
        self._hand.process.stdin.write(line + "\n")
        self._hand.process.stdin.flush()
        hand = self._hand
        hand.wait(lambda _: len(hand.items) > shown, timeout_s + PATIENCE_S)
        return bool(hand.items[shown]["read"])

    def touches(self) -> list[dict[str, Any]]:
        """Every touch that any gate process has announced, in order."""
        return [item for gate in self.gates for item in gate.items if item["event"] == "touch"]

    def status(self) -> dict[str, Any]:
        """`status --json`."""
        answer: dict[str, Any] = json.loads(call(self.station_data, "status", "--json"))
        return answer

    def drained(self, seconds: float = PATIENCE_S) -> dict[str, Any]:
        """Wait until nothing waits to be sent any more."""
        until = time.monotonic() + seconds
        while True:
            status = self.status()
            if status["pending"] == 0:
                return status
            assert time.monotonic() < until, f"still waiting: {status}"
            time.sleep(0.5)

    def told(self) -> list[str]:
        """Ids of `touches`."""
        return [str(touch["id"]) for touch in self.touches() if touch["id"]]

    def close(self) -> None:
        """End every process."""
        for gate in self.gates:
            if gate.running:
                gate.kill()
        if self._hand is not None:
            self._hand.kill()
        super().close()
