"""Readers opened for a diagnosis, where no gate holds them: what they are doing, and the first card put on one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from app.clock import Clock
from app.domain.assurance import Assurance
from app.domain.verdict import Reason
from app.readers import specs
from app.readers.port import (
    PROFILE,
    WORKER_ID,
    CardSeen,
    CardUnreadable,
    ReaderCondition,
    ReaderEvent,
    ReaderState,
)
from app.readers.profile import Profile
from app.readers.supervisor import Supervisor
from app.readers.trust_folder import TrustFolder
from app.wiring.readers import build

SETTLE_S = 2.0
"""Seconds within which a reader that works says so."""
_PASSING = (ReaderCondition.STARTING, ReaderCondition.STOPPED)


@dataclass(frozen=True, slots=True)
class CardLook:
    """A card that was put on a reader. Its key is for looking it up, never for a person's eyes."""

    readable: bool
    key: str = ""
    worker_id: str | None = None
    """技能者ID that the card's content or the gate names."""
    refused: Reason | None = None
    proven: bool = False
    profile: str = ""


class Watch:
    """Readers by their SPECs, running until `close`. One thread calls it. Touches are not recorded.

    Raises UsageError and InputRefused for a SPEC or a script with a mistake.
    """

    def __init__(
        self,
        wanted: Sequence[specs.ReaderSpec],
        clock: Clock,
        trust: TrustFolder | None = None,
        profiles: Sequence[Profile] = (),
    ) -> None:
        self._works = threading.Event()
        self._cards: queue.SimpleQueue[CardSeen | CardUnreadable] = queue.SimpleQueue()
        readers = [build(spec, clock, trust, profiles) for spec in wanted if not isinstance(spec, specs.WedgeSpec)]
        self._readers = readers
        self._supervisor = Supervisor(readers, self._take, clock)
        self._supervisor.start()

    def _take(self, event: ReaderEvent) -> None:
        if isinstance(event, ReaderState) and event.condition.usable:
            self._works.set()
        elif isinstance(event, CardSeen | CardUnreadable):
            self._cards.put(event)

    def states(self, seconds: float = SETTLE_S) -> tuple[ReaderState, ...]:
        """What the readers are doing, as soon as one works, at the latest after so long."""
        if self._readers:
            self._works.wait(seconds)
        return tuple(sorted(self._supervisor.states().values(), key=_by_weight))

    def card(self, seconds: float) -> CardLook | None:
        """The first card since the readers were opened; None when none came."""
        try:
            event = self._cards.get(timeout=seconds)
        except queue.Empty:
            return None
        return look(event)

    def close(self) -> None:
        """Let the readers go."""
        self._supervisor.stop()


def _by_weight(state: ReaderState) -> tuple[bool, str]:
    return state.condition in _PASSING, state.reader


def look(event: CardSeen | CardUnreadable) -> CardLook:
    """What a reader's event says of the card."""
    if isinstance(event, CardUnreadable):
        return CardLook(readable=False)
    said = event.attributes
    proven = event.assurance is Assurance.AUTHENTICATED and event.refused is None
    return CardLook(True, event.card_key, said.get(WORKER_ID), event.refused, proven, said.get(PROFILE, ""))
