"""What this PC remembers of updates: one small file beside the packages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from app import codec
from app.errors import EnvironmentTrouble, InputRefused
from app.files import make_private, write_private
from app.update.port import Offer

FILE = "state.json"


@dataclass(slots=True)
class Applied:
    """A version that was put in, and the way back. Times are RFC 3339; `seq` and `hash`: the chain's head in `backup`.

    `stage`: 'begun' (put in, but not seen to run), 'proven' (it has opened the records), 'back' (the older one is to
    run again), 'returned'.
    """

    from_version: str
    to_version: str
    at: str
    backup: str
    seq: int
    hash: str
    schema: str
    stage: str = "begun"
    starts: int = 0
    """Starts since, as long as it is not proven."""


@dataclass(slots=True)
class State:
    """`ready`: verified and here. `kept`: the package of `kept.version`, the way back to it."""

    ready: Offer | None = None
    kept: Offer | None = None
    applied: Applied | None = None
    found: str = ""
    """The newer version that was there at the last look; '': none."""
    left: str = ""
    """A version that was put back: not put in again by itself."""
    failed: str = ""
    """A version that proved no good at a start: a person may begin it again, no start does."""
    newest: str = ""
    """The latest time this PC had reason to believe in."""
    checked_at: str = ""
    """Of the last look that came to an end."""
    error: str = ""
    """Message code of what went wrong at the last one."""


@dataclass(slots=True)
class Memory:
    """The file. One thread at a time; a reader beside it sees the old or the new one."""

    folder: Path
    state: State = field(default_factory=State)

    @classmethod
    def of(cls, folder: Path) -> Memory:
        """Raises InputRefused `file.invalid`, EnvironmentTrouble."""
        file = folder / FILE
        try:
            return cls(folder, codec.decode(file.read_bytes(), State))
        except FileNotFoundError:
            return cls(folder)
        except codec.DecodeError as exc:
            raise InputRefused("file.invalid", str(file), why=str(exc)) from exc
        except OSError as exc:
            raise EnvironmentTrouble("update.disk", str(file), why=exc.strerror or "") from exc

    def save(self) -> None:
        """Raises EnvironmentTrouble."""
        try:
            make_private(self.folder)
            write_private(self.folder / FILE, codec.encode(self.state) + b"\n")
        except OSError as exc:
            raise EnvironmentTrouble("update.disk", str(self.folder), why=exc.strerror or "") from exc

    def moment(self, now: datetime, skew_ms: int | None) -> datetime:
        """The latest time there is reason to believe in. `now`: the PC's; `skew_ms`: how far it is ahead of the centre.

        What is remembered (`State.newest`) was within a list's life: a clock that once ran far ahead spoils nothing.
        """
        believed = now if skew_ms is None else now - timedelta(milliseconds=skew_ms)
        return max(believed, datetime.fromisoformat(self.state.newest)) if self.state.newest else believed
