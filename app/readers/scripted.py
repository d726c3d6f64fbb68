"""A reader that plays a file: for demonstrations, for tests of everything above, and to reproduce a morning.

The file is JSON Lines; each line is played in order:

    {"after_s": 0.5, "card": "felica:0123456789ABCDEF", "assurance": "open", "hold_s": 0.3}
    {"after_s": 0.5, "unreadable": true}
    {"after_s": 1.0, "state": "no_reader", "detail": "cable"}

`after_s` (seconds since the line before ended, default 0) goes with exactly one of `card`, `unreadable`, `state`. A
card stays for `hold_s` seconds (default 0.3). Blank lines are skipped. After the last line the reader stays as it is.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from app.clock import Clock
from app.domain.assurance import Assurance
from app.domain.ids import InvalidId, card_key
from app.errors import InputRefused
from app.readers.port import CardRemoved, CardSeen, CardUnreadable, Emit, ReaderCondition, ReaderState

T = TypeVar("T")

HOLD_S = 0.3
LIMIT_S = 86400.0
_KEYS = {
    "card": {"after_s", "card", "assurance", "hold_s"},
    "unreadable": {"after_s", "unreadable"},
    "state": {"after_s", "state", "detail"},
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the file; exactly one of `card`, `unreadable`, `state` is set."""

    after_s: float
    card: str | None = None
    assurance: Assurance = Assurance.UID
    hold_s: float = HOLD_S
    unreadable: bool = False
    state: ReaderCondition | None = None
    detail: str = ""


class ScriptedReader:
    """Plays `file`. The file is read and checked here: InputRefused names it and the line."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self.name = f"scripted:{file.name}"
        self.label = file.stem
        self._clock = clock
        self._steps = read_script(file)

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Play the file once, then wait for `stop`."""
        self._say(emit, ReaderCondition.READY)
        for step in self._steps:
            if stop.wait(step.after_s):
                return
            self._play(step, emit, stop)
        stop.wait()

    def interrupt(self) -> None:
        """Nothing to wake: every wait is on `stop`."""

    def _play(self, step: Step, emit: Emit, stop: threading.Event) -> None:
        if step.state is not None:
            self._say(emit, step.state, step.detail)
        elif step.unreadable:
            emit(CardUnreadable(self.name, self._clock.now(), "as the script says"))
        elif step.card is not None:
            emit(CardSeen(self.name, step.card, step.assurance, self._clock.now(), source="scripted"))
            self._say(emit, ReaderCondition.CARD_PRESENT)
            if stop.wait(step.hold_s):
                return
            emit(CardRemoved(self.name, self._clock.now()))
            self._say(emit, ReaderCondition.READY)

    def _say(self, emit: Emit, condition: ReaderCondition, detail: str = "") -> None:
        emit(ReaderState(self.name, self.label, condition, detail))


def read_script(file: Path) -> list[Step]:
    """The steps of a script. Raises InputRefused `reader.script_unreadable`, `reader.script_line`."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise InputRefused("reader.script_unreadable", where=str(file), problem=str(exc)) from exc
    steps = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            steps.append(_step(json.loads(line)))
        except ValueError as exc:  # JSONDecodeError and InvalidId are ValueErrors
            raise InputRefused("reader.script_line", where=f"{file}:{number}", problem=str(exc)) from exc
    return steps


def _step(item: object) -> Step:
    if not isinstance(item, dict):
        raise ValueError("a line is an object {…}")
    kinds = [kind for kind in _KEYS if kind in item]
    if len(kinds) != 1:
        raise ValueError("a line has exactly one of card, unreadable, state")
    kind = kinds[0]
    unknown = sorted(set(item) - _KEYS[kind])
    if unknown:
        raise ValueError(f"unknown here: {', '.join(unknown)}")
    after_s = _seconds(item, "after_s", 0.0)
    if kind == "card":
        return Step(
            after_s,
            card=_of(card_key, item, "card"),
            assurance=_of(Assurance, item, "assurance") if "assurance" in item else Assurance.UID,
            hold_s=_seconds(item, "hold_s", HOLD_S),
        )
    if kind == "unreadable":
        if item["unreadable"] is not True:
            raise ValueError("unreadable is true or left out")
        return Step(after_s, unreadable=True)
    detail = item.get("detail", "")
    if not isinstance(detail, str):
        raise ValueError("detail is a text")
    return Step(after_s, state=_of(ReaderCondition, item, "state"), detail=detail)


def _of(make: Callable[[str], T], item: dict[str, object], key: str) -> T:
    value = item[key]
    if not isinstance(value, str):
        raise ValueError(f"{key} is a text")
    try:
        return make(value)
    except InvalidId:
        raise
    except ValueError:
        raise ValueError(f"{key}: unknown value {value!r}") from None


def _seconds(item: dict[str, object], key: str, default: float) -> float:
    value = item.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LIMIT_S:
        raise ValueError(f"{key} is a number of seconds from 0 to {LIMIT_S:.0f}")
    return float(value)
