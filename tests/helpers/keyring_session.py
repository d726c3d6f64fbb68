"""A D-Bus session with a real, unlocked gnome-keyring of its own, and the environment in which programs find it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_HIDDEN = ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "PYTHON_KEYRING_BACKEND")
_SCRIPT = """
printf %s pass-phrase | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
echo "$DBUS_SESSION_BUS_ADDRESS"
exec cat
"""


def missing() -> str | None:
    """What a real keyring lacks here; None when it can be had."""
    if sys.platform != "linux":
        return "the Secret Service is Linux's keyring"
    lacking = [name for name in ("dbus-run-session", "gnome-keyring-daemon") if shutil.which(name) is None]
    return f"not installed: {', '.join(lacking)}" if lacking else None


def bare_environment(folder: Path) -> dict[str, str]:
    """A user on `folder` without desktop session, keyring and display."""
    home, runtime = folder / "home", folder / "run"
    for path in (home, runtime):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = {name: value for name, value in os.environ.items() if name not in _HIDDEN and not name.startswith("XDG_")}
    return {**kept, "HOME": str(home), "XDG_RUNTIME_DIR": str(runtime)}


class KeyringSession:
    """A context manager; `environment` is for the programs in it. What was kept stays in `folder`."""

    def __init__(self, folder: Path) -> None:
        # what gnome-keyring starts outlives the shell: the bus's end is its end
        self._process = subprocess.Popen(
            ["dbus-run-session", "--", "sh", "-c", _SCRIPT],
            env=bare_environment(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # in a container the bus complains of limits it may not set
            text=True,
        )
        assert self._process.stdout is not None
        address = self._process.stdout.readline().strip()
        assert address, "no D-Bus session"
        self.environment = {**bare_environment(folder), "DBUS_SESSION_BUS_ADDRESS": address}

    def __enter__(self) -> KeyringSession:
        return self

    def __exit__(self, *_exc: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()
