"""What a push costs on the wire and on the disk: a proxy that counts bytes, and strace that counts flushes."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

CALLS = "trace=fsync,fdatasync,sync_file_range,msync"


class CountingProxy:
    """Between a client and a server on loopback: payload bytes both ways, whatever the protocol. A context manager."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="counting-proxy")
        self._server: asyncio.Server | None = None
        self.up = self.down = 0
        self.port = 0

    def __enter__(self) -> CountingProxy:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def total(self) -> int:
        """Bytes so far, both ways."""
        return self.up + self.down

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        try:
            await asyncio.gather(self._pump(reader, far_writer, "up"), self._pump(far_reader, writer, "down"))
        except OSError:
            pass  # one of them hung up: so do we
        finally:
            writer.close()
            far_writer.close()

    async def _pump(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, way: str) -> None:
        while data := await source.read(65536):
            setattr(self, way, getattr(self, way) + len(data))
            to.write(data)
            await to.drain()
        if to.can_write_eof():
            to.write_eof()


def cpu_seconds(pids: Sequence[int]) -> float:
    """CPU time that these processes and their children have used so far, user and system; ended children too."""
    waiting, seen, ticks = list(pids), set[int](), 0
    while waiting:
        pid = waiting.pop()
        if pid in seen:
            continue
        seen.add(pid)
        try:
            ticks += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]))
            for task in Path(f"/proc/{pid}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except OSError:
            pass  # it has ended, and stands in its parent's account
    return ticks / os.sysconf("SC_CLK_TCK")


def strace() -> str | None:
    """The program, if this machine has it."""
    return shutil.which("strace")


@contextmanager
def flushes_of(pids: Sequence[int], out: Path) -> Iterator[None]:
    """Count the flushes of running processes, their threads and children to come, into `out`."""
    attached = [part for pid in pids for part in ("-p", str(pid))]
    command = [str(strace()), "-f", "-c", "-q", "-e", CALLS, "-o", str(out), *attached]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    threading.Event().wait(0.5)  # strace says nothing when it is attached
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def traced(command: list[str], out: Path) -> list[str]:
    """The command with its flushes counted into `out`."""
    return [str(strace()), "-f", "-c", "-q", "-e", CALLS, "-o", str(out), *command]


def counted(out: Path) -> int:
    """Flushes in a summary of strace's."""
    text = out.read_text("utf-8") if out.exists() else ""
    rows = re.findall(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", text, re.MULTILINE)
    return sum(int(calls) for calls, name in rows if name != "total")
