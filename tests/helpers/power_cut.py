"""What a disk may hold after the power was cut: worked out from the recorded writes and syncs of a real process.

`record` runs a program under strace and keeps, in order, everything it does to the files of a folder and every line
it prints. `Disk` then plays the record up to some place and gives one of the states that the disk may be in: of what
was written to a file since its last sync, any part of it (whole writes, single sectors of 512 bytes, in any choice)
may be there or not; of the names made, changed or removed since their folder's last sync, a beginning.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
_CALLS = "open,openat,creat,pwrite64,write,fdatasync,fsync,ftruncate,unlink,unlinkat,rename,renameat,renameat2"
_LINE = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)(?:<([^>]*)>)?")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_FILE = re.compile(r"^\d+<([^>]*)>")


@dataclass(frozen=True, slots=True)
class Done:
    """One thing the program did: `call` is write, sync, truncate, create, remove, rename or say."""

    call: str
    path: str = ""
    data: bytes = b""
    at: int = 0
    to: str = ""


def lacking() -> str | None:
    """What recording lacks here; None when it can be done."""
    if shutil.which("strace") is None:
        return "not installed: strace"
    tried = subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], capture_output=True, check=False)
    return None if tried.returncode == 0 else "this machine lets nobody trace processes"


def record(command: Sequence[str], folder: Path, trace: Path, cwd: Path) -> list[Done]:
    """Run a program of one thread to its end. AssertionError when it fails."""
    strace = ["strace", "-qq", "-y", "-xx", "-s", str(1 << 20), "-e", f"trace={_CALLS}", "-o", str(trace)]
    done = subprocess.run([*strace, *command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return read(trace.read_text(), str(folder))


def read(trace: str, folder: str) -> list[Done]:
    """The record in strace's output, of files under `folder`."""
    found: list[Done] = []
    ends: dict[str, int] = {}
    for line in trace.splitlines():
        match = _LINE.match(line)
        if match is None or int(match[3]) < 0:
            continue
        call, arguments, result, opened = match[1], match[2], int(match[3]), match[4]
        texts = [_bytes(text) for text, _ in _TEXT.findall(arguments)]
        assert '"...' not in arguments or call in ("open", "openat"), "cut short by strace"
        on = _FILE.match(arguments)
        path = _bytes(on[1]).decode() if on else ""
        if call == "write" and on and arguments.startswith("1<"):
            found.append(Done("say", data=texts[0][:result]))
            continue
        if call in ("open", "openat", "creat"):
            path = _bytes(opened or "").decode()
        elif call.startswith(("unlink", "rename")):
            path = texts[0].decode()
        if not path.startswith(folder):
            continue
        if call in ("open", "openat", "creat"):
            if "O_CREAT" in arguments and path not in ends:
                found.append(Done("create", path))
                ends[path] = 0
            if "O_TRUNC" in arguments:
                found.append(Done("truncate", path))
                ends[path] = 0
        elif call == "pwrite64":
            at = int(arguments.rsplit(",", 1)[1])
            found.append(Done("write", path, texts[0][:result], at))
            ends[path] = max(ends.get(path, 0), at + result)
        elif call == "write":  # such files are written once, from their beginning on
            found.append(Done("write", path, texts[0][:result], ends.get(path, 0)))
            ends[path] = ends.get(path, 0) + result
        elif call in ("fdatasync", "fsync"):
            found.append(Done("sync", path))
        elif call == "ftruncate":
            ends[path] = int(arguments.rsplit(",", 1)[1])
            found.append(Done("truncate", path, at=ends[path]))
        elif call.startswith("unlink"):
            found.append(Done("remove", path))
            ends.pop(path, None)
        elif call.startswith("rename"):
            found.append(Done("rename", path, to=texts[1].decode()))
            ends[texts[1].decode()] = ends.pop(path, 0)
    return found


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


@dataclass
class _File:
    """A file's content as synced, and what was done to it since."""

    synced: bytearray = field(default_factory=bytearray)
    since: list[Done] = field(default_factory=list)


class Disk:
    """Plays a record; `cut` gives what may be left of it. Files are theirs by number, names point at them."""

    def __init__(self) -> None:
        self._names: dict[str, _File] = {}
        self._unsynced_names: list[tuple[Done, _File | None]] = []
        self._synced_names: dict[str, _File] = {}

    def do(self, done: Done) -> None:
        """One more thing."""
        if done.call in ("write", "truncate"):
            self._file(done.path).since.append(done)
        elif done.call == "sync":
            self._sync(done.path)
        elif done.call == "create":
            self._file(done.path)
        elif done.call == "remove":
            self._names.pop(done.path, None)
            self._unsynced_names.append((done, None))
        elif done.call == "rename":
            file = self._names.pop(done.path)
            self._names[done.to] = file
            self._unsynced_names.append((done, file))

    def cut(self, folder: Path, to: Path, dice: random.Random) -> None:
        """Write a state that the disk may be in after a power cut now into `to`."""
        names = dict(self._synced_names)
        # names change in their order (a journal of the file system), so a beginning of them is there
        for done, file in self._unsynced_names[: dice.randint(0, len(self._unsynced_names))]:
            _rename(names, done, file)
        for name, file in names.items():
            target = to / Path(name).relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_left(file, dice))
            target.chmod(0o600)

    def _file(self, path: str) -> _File:
        file = self._names.get(path)
        if file is None:
            file = self._names[path] = _File()
            self._unsynced_names.append((Done("create", path), file))
        return file

    def _sync(self, path: str) -> None:
        file = self._names.get(path)
        if file is not None:
            for done in file.since:
                _apply(file.synced, done)
            file.since.clear()
            return
        # a folder: the names in it
        later = []
        for done, made in self._unsynced_names:
            if os.path.dirname(done.to or done.path) == path:
                _rename(self._synced_names, done, made)
            else:
                later.append((done, made))
        self._unsynced_names = later


def _rename(names: dict[str, _File], done: Done, file: _File | None) -> None:
    if done.call == "remove":
        names.pop(done.path, None)
    elif file is not None:
        if done.call == "rename":
            names.pop(done.path, None)
        names[done.to or done.path] = file


def _apply(content: bytearray, done: Done) -> None:
    if done.call == "truncate":
        content[:] = content[: done.at].ljust(done.at, b"\0")
        return
    if len(content) < done.at:
        content.extend(bytes(done.at - len(content)))
    content[done.at : done.at + len(done.data)] = done.data


def _left(file: _File, dice: random.Random) -> bytes:
    """The content with some of what was done since its last sync: nothing, all, a beginning, or any choice of it."""
    content = bytearray(file.synced)
    how = dice.choice(("nothing", "all", "beginning", "choice", "choice", "sectors", "sectors"))
    stop = {"nothing": 0, "beginning": dice.randint(0, len(file.since))}.get(how, len(file.since))
    for done in file.since[:stop]:
        if how in ("choice", "sectors") and dice.random() < 0.5:
            continue
        if how == "sectors" and done.call == "write":
            for part in _sectors(done):
                if dice.random() < 0.5:
                    _apply(content, part)
            continue
        _apply(content, done)
    return bytes(content)


def _sectors(done: Done) -> list[Done]:
    cuts = [done.at, *range((done.at // SECTOR + 1) * SECTOR, done.at + len(done.data), SECTOR)]
    ends = [*cuts[1:], done.at + len(done.data)]
    pairs = zip(cuts, ends, strict=True)
    return [Done("write", done.path, done.data[a - done.at : b - done.at], a) for a, b in pairs]
