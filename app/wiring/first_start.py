"""The first start of a gate PC: find the provisioning file, enrol, fetch the roster, check, and say one thing.

It may be cut off anywhere; the next start goes on where this one was.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.errors import GenbaError, InputRefused
from app.messages import say
from app.settings import PROVISIONING_FILE, DataDir, machine_folders
from app.wiring import accounts, doctor, setup
from app.wiring.diagnosis.check import Finding, Result

log = logging.getLogger(__name__)

Tell = Callable[[str], None]
"""Told the step that begins: 'enrol', 'roster' or 'check'."""
_ABOUT_CODE = ("settings.no_code", "sync.enrol_shape", "sync.enrol_check", "sync.enrol_unknown", "sync.enrol_used_up",
               "sync.enrol_expired")  # fmt: skip
_READERS = frozenset(("usb", "driver", "service", "permission", "holder", "readers"))
"""Checks that an office without a reader need not pass."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The one page: may this PC be used, and if not, why. `needs_code`: a code typed now would help."""

    usable: bool = False
    needs_code: bool = False
    reasons: tuple[Finding, ...] = ()
    company: str = ""
    station_name: str = ""
    site_name: str = ""
    workers: int = 0
    contact: str = ""

    @property
    def code(self) -> str:
        """Message code of the headline."""
        return "first_start.usable" if self.usable else "first_start.not_yet"

    def as_json(self) -> dict[str, Any]:
        """What `first-start --json` prints (docs/cli.md)."""
        names = ("usable", "needs_code", "company", "station_name", "site_name", "workers", "contact")
        return {
            **{name: getattr(self, name) for name in names},
            "reasons": [reason.as_json() for reason in self.reasons],
        }


def needed(data: DataDir) -> bool:
    """Whether this data folder was never set up to the end. What cannot be read is for the opening to complain of."""
    try:
        return data.identity() is None or not data.has_settings() or data.unfinished.exists()
    except GenbaError:
        return False


def provisioning_file(data: DataDir) -> Path | None:
    """A file left for the first start: beside the program, in the machine's folder, or in the data folder.

    Raises as `DataDir.holds` does."""
    places = (folder / PROVISIONING_FILE for folder in machine_folders())
    own = data.root / PROVISIONING_FILE
    return next((place for place in places if place.exists()), None) or (own if data.holds(own) else None)


def first_start(
    data: DataDir,
    language: str,
    *,
    file: Path | None = None,
    code: str | None = None,
    it_key: Path | None = None,
    second_account: bool = False,
    tell: Tell = lambda step: None,
) -> Outcome:
    """Do what is left of setting up, then check this PC. Raises nothing that it can say."""
    try:
        _set_up(data, file or provisioning_file(data), code, it_key, second_account, tell)
    except GenbaError as error:
        # a person at the gate is asked for the code, and not told of files and options
        sentence = "first_start.code_wanted" if error.code == "settings.no_code" else error.code
        message = say(sentence, language, where=error.where, **error.values)
        reason = Finding("setup", Result.FAILED, message.title, message.remedy, error.where, error.code)
        return _named(data, Outcome(needs_code=error.code in _ABOUT_CODE, reasons=(reason,)))
    tell("check")
    failed = tuple(_failed(data, language))
    return _named(data, Outcome(usable=not failed, reasons=failed))


def _set_up(
    data: DataDir, file: Path | None, code: str | None, it_key: Path | None, second_account: bool, tell: Tell
) -> None:
    if not needed(data):
        return
    if data.identity() is None or not data.has_settings():  # otherwise it is the roster that has not come
        if file is not None:
            setup.begin(data, file, code, it_key=it_key, second_account=second_account)
        elif not data.has_settings():
            accounts.check_only_one()
            raise InputRefused("first_start.no_file", ", ".join(str(place) for place in machine_folders()))
        elif code is not None:
            setup.keep_code(data, data.settings(), code)
    setup.go_on(data, tell=tell)


def _failed(data: DataDir, language: str) -> Iterator[Finding]:
    identity, settings = data.identity(), data.settings()
    office = identity is not None and identity.role == "office" and not settings.readers
    for finding in doctor.findings(data, language):
        if finding.result is Result.FAILED and not (office and finding.check in _READERS):
            yield finding


def _named(data: DataDir, outcome: Outcome) -> Outcome:
    """With whose PC this is, as far as it is known already."""
    with suppress(GenbaError):
        settings = data.settings()
        outcome = replace(
            outcome,
            company=settings.company or "",
            station_name=settings.station_name,
            contact=settings.support_contact or "",
        )
    with suppress(GenbaError):
        if not needed(data):
            site_name, workers = setup.roster_of(data)
            outcome = replace(outcome, site_name=site_name, workers=workers)
    return outcome


class FirstStart:
    """A first start on a thread of its own: a window never waits for the network. One attempt at a time."""

    def __init__(self, data: DataDir, language: str, file: Path | None = None) -> None:
        self._data, self._language, self._file = data, language, file

    def attempt(self, code: str | None, tell: Tell, done: Callable[[Outcome], None]) -> None:
        """Begin; `tell` and `done` are called on that thread."""

        def work() -> None:
            try:
                outcome = first_start(self._data, self._language, file=self._file, code=code, tell=tell)
            except Exception as error:
                log.exception("first start failed")
                message = say("cli.internal", self._language, why=type(error).__name__, log=self._data.logs)
                reason = Finding("setup", Result.FAILED, message.title, message.remedy, "", "cli.internal")
                outcome = Outcome(reasons=(reason,))
            done(outcome)

        threading.Thread(target=work, name="first-start", daemon=True).start()
