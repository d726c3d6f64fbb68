"""What a check is: a question about this PC with a sentence for its answer, and what earlier checks found out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from app.errors import GenbaError
from app.messages import say
from app.readers.port import ReaderState
from app.settings import DataDir, Settings
from app.sync.status import SyncStatus
from app.wiring.diagnosis.watch import CardLook, Watch
from app.wiring.station import Station


class Result(StrEnum):
    """How a check came out."""

    OK = "ok"
    FAILED = "failed"
    WARNING = "warning"
    """Not well, but it works."""
    NOT_CHECKED = "not_checked"
    """Its ground has failed, nobody asked, or nobody here can tell."""
    INFO = "info"
    """Nothing to be mended: so it is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer of one check. `check` and `code` (message code of what is wrong, else '') are stable."""

    check: str
    result: Result
    title: str
    remedy: str = ""
    where: str = ""
    code: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Worth(Exception):
    """Something to say that is no failure: a message code and its values."""

    def __init__(self, code: str, result: Result = Result.WARNING, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.result = result
        self.values = values


@dataclass(frozen=True, slots=True)
class Live:
    """What a gate in this process knows: so nothing is opened that it holds, and nobody is asked twice."""

    states: Callable[[], Sequence[ReaderState]]
    sync: Callable[[], SyncStatus | None]


@dataclass(frozen=True, slots=True)
class Roads:
    """The readers as they stand. `gate`: as a running gate sees them, which holds them; else they were opened here."""

    states: tuple[ReaderState, ...]
    gate: bool

    @property
    def usable(self) -> bool:
        return any(state.condition.usable for state in self.states)


@dataclass(slots=True)
class Patient:
    """This PC, and what earlier checks found out for later ones."""

    data: DataDir
    language: str = "ja"
    live: Live | None = None
    card_s: float | None = None
    """Seconds to wait for a card; None: nobody asked for one."""
    prompt: Callable[[str], None] = lambda code: None
    quick: bool = False
    """Only what is known at once: no reader is opened, nobody is asked, no file is read through."""
    """Told the message code of what a person must do now."""
    settings: Settings | None = None
    station: Station | None = None
    roads: Roads | None = None
    watch: Watch | None = None
    """The readers, while this program has opened them itself."""
    card: CardLook | None = None
    answer: tuple[int | None, GenbaError | None] | None = None
    """Of the centre: the PC's clock minus the centre's in milliseconds, or why it did not answer."""
    said: dict[str, object] = field(default_factory=dict)
    """Values for the sentences of checks that went well."""
    down: set[str] = field(default_factory=set)
    """Checks that failed, and those that could not be made for it."""

    @property
    def specs(self) -> tuple[str, ...]:
        """Readers that the settings name."""
        return self.settings.readers if self.settings else ()

    @property
    def needs_reader(self) -> bool:
        """An office's PC may do without; one whose settings name a reader, and every gate, may not."""
        identity = self.data.identity() if self.settings and not self.specs else None
        return identity is None or identity.role != "office"

    def close(self) -> None:
        """Let go of whatever the checks have opened."""
        if self.watch is not None:
            self.watch.close()
        if self.station is not None:
            self.station.close()


Check = Callable[[Patient], str | None]
"""The message code of what is well; None when it cannot be told. Raises `Worth`, or the GenbaError that is wrong."""


@dataclass(frozen=True, slots=True)
class Step:
    """A check in its place. `rests_on`: it is not made when one of these has failed."""

    name: str
    check: Check
    rests_on: tuple[str, ...] = ()


def left_out(patient: Patient, step: Step) -> Finding:
    """A check that nobody asked for."""
    return Finding(step.name, Result.NOT_CHECKED, say(f"check.{step.name}", patient.language).title)


def carry_out(patient: Patient, step: Step) -> Finding:
    """Make a check, if its ground stands."""
    name, language, untold = step.name, patient.language, left_out(patient, step)
    if patient.down.intersection(step.rests_on):
        patient.down.add(name)
        return untold
    try:
        code = step.check(patient)
    except Worth as worth:
        message = say(worth.code, language, **worth.values)
        return Finding(name, worth.result, message.title, message.remedy, code=worth.code)
    except GenbaError as error:
        patient.down.add(name)
        message = say(error.code, language, where=error.where, **error.values)
        return Finding(name, Result.FAILED, message.title, message.remedy, error.where, error.code)
    return Finding(name, Result.OK, say(code, language, **patient.said).title) if code else untold
