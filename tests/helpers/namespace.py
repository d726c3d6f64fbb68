"""A network, mount and process namespace of its own for whatever a test starts; Linux, root.

Nothing is left behind: the end of the namespace's first process ends everything in it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
_UNSHARE = ("unshare", "-n", "-m", "-p", "-f", "--kill-child")
_WAYS = (
    ("--mount-proc",),
    # in a bare chroot the root is no mount, so its propagation cannot be changed
    ("--propagation", "unchanged", "--mount-proc"),
    ("--propagation", "unchanged"),
)


@lru_cache(maxsize=1)
def way_in() -> tuple[str, ...] | None:
    """What to put before a command to start it in a new namespace; None when this machine has none to give."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("unshare", path=PATH) is None:
        return None
    for way in _WAYS:
        command = (*_UNSHARE, *way)
        tried = subprocess.run(
            [*command, "sh", "-c", "ip link set lo up && mount -t tmpfs tmpfs /run"],
            capture_output=True,
            env={**os.environ, "PATH": PATH},
            check=False,
        )
        if tried.returncode == 0:
            return command
    return None


def lacking_for_pcsc() -> str | None:
    """What the real PC/SC stack lacks here; None when it can be had."""
    if sys.platform != "linux":
        return "the emulated PC/SC stack is for Linux"
    if os.geteuid() != 0:
        return "namespaces need root"
    lacking = [name for name in ("pcscd", "unshare", "ip", "mount") if shutil.which(name, path=PATH) is None]
    if not Path("/etc/reader.conf.d/vpcd").exists():
        lacking.append("vsmartcard-vpcd")
    if lacking:
        return f"not installed: {', '.join(lacking)}"
    return None if way_in() else "this machine lets nobody make namespaces"
