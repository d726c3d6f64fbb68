"""While the gate is open the PC neither sleeps nor darkens its screen; failing that, the log whispers."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys

log = logging.getLogger(__name__)

_CONTINUOUS, _SYSTEM, _DISPLAY = 0x80000000, 0x00000001, 0x00000002
"""Flags of Windows' SetThreadExecutionState (learn.microsoft.com, winbase.h)."""


class Inhibitor:
    """Asks the system on `start`, gives it back on `stop`. Never raises, never waits. GUI thread only."""

    def __init__(self, reason: str) -> None:
        self._reason = reason
        self._helper: subprocess.Popen[bytes] | None = None
        self._on = False

    def start(self) -> None:
        """No sleep and no dark screen from now on."""
        self._on = True
        if sys.platform == "win32":
            _windows(_CONTINUOUS | _SYSTEM | _DISPLAY)
        elif sys.platform == "darwin":
            self._help(["caffeinate", "-d", "-i", "-w", str(os.getpid())])
        else:
            asked = _screensaver(self._reason)
            # logind: held by a helper that ends with us, however we end
            helped = self._help(
                [
                    "systemd-inhibit",
                    "--what=idle:sleep",
                    "--who=Genba Touch",
                    f"--why={self._reason}",
                    "--mode=block",
                    "tail",
                    f"--pid={os.getpid()}",
                    "-f",
                    "/dev/null",
                ]
            )
            if not (asked or helped):
                log.info("the system offers no way to keep the screen on")

    def stop(self) -> None:
        """Sleep as the system likes."""
        if not self._on:
            return
        self._on = False
        if sys.platform == "win32":
            _windows(_CONTINUOUS)
        if self._helper is not None:
            self._helper.terminate()
            try:
                self._helper.wait(timeout=2)
            except subprocess.TimeoutExpired:
                self._helper.kill()
                self._helper.wait()
            self._helper = None

    def _help(self, command: list[str]) -> bool:
        program = shutil.which(command[0])
        if program is None:
            return False
        try:
            self._helper = subprocess.Popen(  # noqa: S603 (a fixed program)
                [program, *command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            log.info("%s: %s", command[0], error)
            return False
        return True


def _windows(flags: int) -> None:
    if sys.platform == "win32":
        import ctypes

        if not ctypes.windll.kernel32.SetThreadExecutionState(ctypes.c_uint(flags)):
            log.info("Windows did not take SetThreadExecutionState")


def _screensaver(reason: str) -> bool:
    """Ask the desktop's screen saver; it forgets us when our connection ends."""
    if not os.environ.get("DBUS_SESSION_BUS_ADDRESS") and not os.path.exists(
        os.path.join(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent"), "bus")
    ):
        return False  # Qt would try to start a bus of its own
    from PySide6.QtDBus import QDBusConnection, QDBusMessage

    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return False
    name = "org.freedesktop.ScreenSaver"
    message = QDBusMessage.createMethodCall(name, "/org/freedesktop/ScreenSaver", name, "Inhibit")
    message.setArguments(["Genba Touch", reason])
    return bool(bus.send(message))
