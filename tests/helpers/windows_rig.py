"""A station as a Windows program under wine; its centre and its cards are processes of this machine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from installer.windows.wine import Ended, Running, Wine
from tests.helpers.udp_card import CardProcess

PATIENCE_S = 180.0
"""How long to wait for what must come; wine on a busy machine takes its time."""


class WindowsStation:
    """The program (`command`: its words before our own) with a data folder."""

    def __init__(self, wine: Wine, command: Sequence[str | Path], data: Path | None) -> None:
        self._wine = wine
        self._command = [*command, *(("--data-dir", data) if data else ())]

    def ask(self, *words: str | Path, stdin: bytes = b"") -> Ended:
        """Run a command to its end."""
        return self._wine.run(*self._command, *words, limit=PATIENCE_S, stdin=stdin)

    def call(self, *words: str | Path, code: int = 0, stdin: bytes = b"") -> str:
        """As `ask`; its stdout. Fails when it ends with another exit code."""
        ended = self.ask(*words, stdin=stdin)
        assert ended.code == code, f"{words}: exit {ended.code}\n{ended.out}\n{ended.err}"
        return ended.out

    def json(self, *words: str | Path, code: int = 0) -> Any:
        """What a command says with `--json`."""
        return json.loads(self.call(*words, "--json", code=code))

    def start(self, *words: str | Path) -> Running:
        """Start a command that stays."""
        return self._wine.start(*self._command, *words)

    def start_gate(self, reader: str) -> WindowsGate:
        """The gate without a window, once its reader works."""
        gate = WindowsGate(self.start("gate", "--headless", "--json-lines", "--reader", reader))
        gate.wait(lambda line: line["event"] == "reader_state" and line["condition"] in ("ready", "card_present"))
        return gate


class WindowsGate:
    """A running `gate --headless --json-lines`."""

    def __init__(self, running: Running) -> None:
        self.running = running

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it has said; a last line that was cut short is left out."""
        whole = self.running.printed().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]

    @property
    def touches(self) -> list[dict[str, Any]]:
        """What it announced as stored, in order."""
        return [line for line in self.lines if line["event"] == "touch" and line["id"]]

    def touch(self, hand: CardProcess, card_key: str) -> None:
        """Put a card on the reader until the gate says that it is stored."""
        so_far = len(self.touches)
        hand.put(idm=card_key.partition(":")[2], hold_s=0.05, timeout_s=PATIENCE_S)
        self.wait(lambda _: len(self.touches) > so_far)
        assert hand.answer(PATIENCE_S)["read"]

    def wait(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first line, past or coming, that is wanted."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and self.running.process.poll() is None:
            for line in self.lines:
                if wanted(line):
                    return line
            time.sleep(0.05)
        raise AssertionError(f"did not come: {self.lines[-5:]}\n{self.running.complained()[-3000:]}")
