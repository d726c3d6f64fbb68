"""The port: what every reader says, whatever library drives it.

A road (PC/SC, PaSoRi, scripted …) implements `Reader`. The supervisor runs each one in a thread of its own and passes
on what it emits. Nothing here knows a vendor library, the roster or the store.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from app.domain.assurance import Assurance
from app.domain.verdict import Reason


class ReaderCondition(StrEnum):
    """The states a reader can be in. Each has a sentence and a remedy: messages `reader.<value>`."""

    STARTING = "starting"
    READY = "ready"
    CARD_PRESENT = "card_present"
    BUSY_ELSEWHERE = "busy_elsewhere"
    NO_READER = "no_reader"
    NO_SERVICE = "no_service"
    NO_PERMISSION = "no_permission"
    DRIVER_MISSING = "driver_missing"
    DRIVER_CONFLICT = "driver_conflict"
    FAILED = "failed"
    STOPPED = "stopped"
    """The lane is over: its thread ended, or the lanes of single readers took over from their road's ('pcsc' says
    `NO_READER` until the first PC/SC reader is found, then stops and 'pcsc:NAME' speaks). Take it off the screen."""

    @property
    def usable(self) -> bool:
        """Whether a card put on this reader now would be read."""
        return self in (ReaderCondition.READY, ReaderCondition.CARD_PRESENT)


@dataclass(frozen=True, slots=True)
class ReaderState:
    """What a reader is doing. Emitted only when it changes."""

    reader: str
    """Stable name, shown as it is and stored with each touch: 'pcsc:Virtual PCD 00 00', 'pasori:usb'."""
    label: str
    """Short name for the screen: 'PaSoRi RC-S380', 'リーダー A'."""
    condition: ReaderCondition
    detail: str = ""
    """For the log and `readers --json`; never shown at the gate."""


PROFILE = "profile"
"""Attribute of a `CardSeen`: name of the card profile that was read. So are the next ones."""
WORKER_ID = "worker_id"
"""技能者ID that the card's content names."""
EXPIRES_ON = "expires_on"
"""ISO date that the card's content names."""
CHIP = "chip"
"""Chip number (`felica:IDm`, `uid:hex`) of a card whose key is from its content."""
CONTENT_REFUSED = "content_refused"
"""Beside `refused`: field and rule on which the card's content failed."""


@dataclass(frozen=True, slots=True)
class CardSeen:
    """A card answered and was read (at least its chip number)."""

    reader: str
    card_key: str
    """`piv:GUID | felica:IDm | uid:hex | profile:NAME:value`, normalised (see `app.domain.ids`)."""
    assurance: Assurance
    seen_at: datetime
    """The PC's time when the card answered; aware, UTC."""
    source: str = "card"
    """How it came: 'card' here; 'wedge', 'scripted'."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """What else the card said (system code, profile fields); never a secret."""
    refused: Reason | None = None
    """The card is of a kind that proves itself, and did not: why. It is refused, whatever the site accepts."""


@dataclass(frozen=True, slots=True)
class CardUnreadable:
    """Something was put on the reader and could not be read: nothing to keep, but it needs an answer."""

    reader: str
    seen_at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CardRemoved:
    """The card that was seen last has left the reader."""

    reader: str
    seen_at: datetime


ReaderEvent = ReaderState | CardSeen | CardUnreadable | CardRemoved
Emit = Callable[[ReaderEvent], None]
"""Called on the reader's own thread; must return quickly and never raise."""


class Reader(Protocol):
    """One road to cards. Built by `wiring`, run by the supervisor."""

    name: str
    label: str

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Own the device on the calling thread until `stop` is set; return within a second of it.

        Emits a `ReaderState` at each change, a `CardSeen` once per time a card is put on (a card left lying is
        reported once), `CardRemoved` when it goes. Recovers by itself from everything that can be recovered from
        (device pulled, service restarted, card pulled in mid-command); an exception that escapes is the
        supervisor's to report and restart with back-off.
        """

    def interrupt(self) -> None:
        """Wake a blocking wait so that `run` sees `stop`. The only method called from another thread."""
