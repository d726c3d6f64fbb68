"""A bare Debian in a folder, as an office's PC is before anybody installed anything: no Qt, no readers, no Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SUITE = "bookworm"
# a /proc of its own, so that what is looked for there is what runs in the root; all ends with the shell
_ENTER = (
    'mount -t proc proc "$1/proc" && mkdir -p "$1/var/cache/apt/archives" && '
    'mount --bind "$2" "$1/var/cache/apt/archives" && exec chroot "$1" sh -c "$3"'
)


def lacking() -> str | None:
    """What is missing to make one here; None when it can be made."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a Debian root takes Linux and an administrator"
    names = [name for name in ("debootstrap", "unshare", "mount") if shutil.which(name, path=PATH) is None]
    return f"not installed: {', '.join(names)}" if names else None


def cache() -> Path:
    """Where the pristine root and downloaded packages are kept from one run to the next."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "genba-touch"


@lru_cache(maxsize=1)
def pristine() -> Path:
    """The root that others are copied from, made once a machine (a minute, downloads 60 MB)."""
    base = cache() / f"debian-{SUITE}"
    if not base.exists():
        unfinished = base.with_name(f"{base.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        command = ["debootstrap", "--variant=minbase", SUITE, str(unfinished)]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PATH": PATH})
        assert done.returncode == 0, done.stdout[-2000:]
        unfinished.rename(base)
    return base


class BareDebian:
    """A fresh copy at `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        subprocess.run(["cp", "-a", "--reflink=auto", str(pristine()), str(root)], check=True)
        # packages come the same way as on this machine
        for name in ("/etc/resolv.conf", "/etc/hosts"):
            shutil.copy(name, root / name[1:])
        for file in Path("/etc/apt/apt.conf.d").glob("*artifact*"):
            shutil.copy(file, root / "etc/apt/apt.conf.d")
        self._archives = cache() / "archives"
        self._archives.mkdir(parents=True, exist_ok=True)

    def sh(self, script: str, *, user: str = "root", code: int = 0) -> str:
        """Run a script in it and return what it printed (stderr too). Fails when it ends with another exit code."""
        if user != "root":
            script = f"exec su - {user} -c '{script}'"
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]
        command += ["sh", "-c", _ENTER, "sh", str(self.root), str(self._archives), script]
        environment = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=environment, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"exit {done.returncode}\n{script}\n{done.stdout[-4000:]}"
        return done.stdout

    def take(self, file: Path, place: str = "/root") -> str:
        """Copy a file of this machine into it; its path there."""
        target = self.root / place.lstrip("/") / file.name
        shutil.copy(file, target)
        target.chmod(0o644)
        return f"{place}/{file.name}"
