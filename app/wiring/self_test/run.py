"""The self-test's checks in their order. Qt's are made in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator, Sequence
from pathlib import Path

from app.wiring.self_test import libraries, shipped, stored
from app.wiring.self_test.check import Finding, Result, Step, carry_out, title

KEYRING = "keyring"
DRAWN_BY = "offscreen"
"""Qt's platform plugin that needs no screen."""
QT_S = 120.0
"""Seconds for Qt's checks; a cold disk takes long."""


def _qt(name: str) -> Step:
    """A check of Qt; the module is imported in the process that makes it, and not here."""

    def look() -> str:
        from app.ui import self_test

        return str(getattr(self_test, name.removeprefix("qt_"))())

    return Step(name, look, apart=True)


STEPS = (
    Step("cipher", stored.cipher),
    Step("migrations", stored.migrations),
    Step("keyring_backend", stored.keyring_backend),
    Step(KEYRING, stored.keyring),
    Step("readers", libraries.readers),
    Step("pcsc", libraries.pcsc),
    Step("messages", shipped.messages),
    Step("sounds", shipped.sounds),
    Step("icons", shipped.icons),
    Step("schemas", shipped.schemas),
    Step("profiles", shipped.profiles),
    Step("formats", shipped.formats),
    Step("udev", shipped.udev),
    Step("certificates", libraries.certificates),
    Step("calendar", libraries.calendar),
    Step("libraries", libraries.libraries),
    Step("modules", libraries.modules),
    _qt("qt_plugins"),
    _qt("qt_pictures"),
    _qt("qt_translation"),
    _qt("qt_fonts"),
)


def findings(
    language: str = "ja", *, keyring: bool = True, only: Sequence[str] = (), more: Sequence[Step] = ()
) -> Generator[Finding]:
    """Make every check, one after the other, whatever became of those before it.

    `keyring`: whether a secret may be put into the system's keyring for a moment. `only`: these checks alone, all in
    this process. `more`: further checks, of those who call. Writes into a temporary folder, which is gone afterwards.
    """
    steps = [step for step in (*STEPS, *more) if not only or step.name in only]
    for step in steps:
        if step.name == KEYRING and not keyring:
            yield Finding(step.name, Result.SKIPPED, title(step.name, language))
        elif only or not step.apart:
            yield carry_out(step, language)
    if not only:
        yield from _made_apart([step.name for step in steps if step.apart], language)


def _made_apart(names: Sequence[str], language: str) -> Generator[Finding]:
    command = [*_this_program(), "--language", language, "self-test", "--json"]
    for name in names:
        command += ["--only", name]
    # Windows has a screen in every session, and its fonts are known to its own plugin alone
    environment = {**os.environ, **({"QT_QPA_PLATFORM": DRAWN_BY} if sys.platform != "win32" else {})}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=QT_S)  # noqa: S603 (ourselves)
        told = json.loads(done.stdout)["checks"]
    except (OSError, subprocess.TimeoutExpired, ValueError) as exc:
        ending = f"exit {done.returncode}; {_last(done.stderr)}" if isinstance(exc, ValueError) else str(exc)
        yield Finding(names[0], Result.FAILED, title(names[0], language), ending)
        return
    for one in told:
        yield Finding(one["check"], Result(one["result"]), one["title"], one["detail"])


def _last(stderr: bytes) -> str:
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    return " / ".join(lines[-4:])


def _this_program() -> list[str]:
    if not getattr(sys, "frozen", False):
        return [sys.executable, "-m", "app"]
    program = Path(sys.executable)
    # the windowed twin on Windows has nowhere to print to
    console = program.with_name("genba-touch.exe")
    return [str(console if program.suffix == ".exe" and console.exists() else program)]
