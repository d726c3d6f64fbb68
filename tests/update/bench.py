"""IT's folder of updates, a PC that looks into it, and a web server that can be made to misbehave."""

from __future__ import annotations

import lzma
import os
import random
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from app import signing
from app.settings import Settings
from app.update.installed import Installed, Kind
from app.update.plan import Me
from app.update.publish import KEYS, ROOT_FILE, Keys, Repository, make_keys
from app.update.service import Updates
from app.wiring.updates import alone, source_of
from tests.helpers.fake_clock import FakeClock

PLATFORM = "linux-x86_64"


class Shop:
    """A published list. `now`: when IT did it."""

    def __init__(self, home: Path, now: datetime | None = None) -> None:
        self.home = home
        self.folder = home / "更新 配布"
        self.now = now or datetime.now(UTC)
        self.keys = self.new_keys("keys")
        self.root = Repository(self.folder, self.now).create(self.keys).read_bytes()

    def new_keys(self, name: str) -> Keys:
        folder = self.home / name
        for key in KEYS:
            make_keys(folder, key, None)
        return Keys(folder, {key: signing.private_key(folder / f"{key}-private.pem") for key in KEYS})

    @property
    def repository(self) -> Repository:
        return Repository(self.folder, self.now)

    def package(self, version: str, size: int = 300_000) -> Path:
        """Something of this size that looks like a package."""
        file = self.home / f"genba-touch-{version}-{PLATFORM}.tar.xz"
        file.write_bytes(lzma.compress(random.Random(version).randbytes(size)))
        return file

    def publish(
        self,
        version: str,
        *,
        file: Path | None = None,
        channel: str = "stable",
        platform: str = PLATFORM,
        percent: int = 100,
        minimum: str = "0.0.0",
    ) -> Path:
        file = file or self.package(version)
        self.repository.add(
            self.keys, file, channel=channel, version=version, platform=platform, percent=percent, minimum=minimum
        )
        return file

    def lying(self) -> Path:
        """The one package's file as published."""
        return next((self.folder / "targets").rglob("*.xz"))

    def edit(self, name: str, old: bytes, new: bytes) -> None:
        file = next((self.folder / "metadata").glob(name))
        content = file.read_bytes()
        assert old in content
        file.write_bytes(content.replace(old, new, 1))


def pc(
    shop: Shop,
    home: Path,
    *,
    address: str = "",
    version: str = "0.1.0",
    channel: str = "stable",
    station: str = "station-1",
    root: bytes | None = None,
    clock: FakeClock | None = None,
    proxy: str | None = None,
    kind: Kind = Kind.FOLDERS,
) -> Updates:
    """A PC's updates, in `home`."""
    settings = Settings("https://centre.invalid", "第1ゲート", proxy=proxy)
    place = address or str(shop.folder)
    folder = home / "現場 データ" / "update"
    return Updates(
        folder,
        root or shop.root,
        lambda: source_of(place, settings),
        Me(station, version, PLATFORM, channel),
        Installed(kind, home),
        clock or FakeClock(datetime.now(UTC)),
        lambda: alone(folder),
    )


class Web(ThreadingHTTPServer):
    """Serves a folder with Range. `cut_after`: bytes of the next package before the line breaks; `drip_s`: pause
    between pieces of 16 kB; `longer`: bytes that follow a package; `ranges`: whether it can begin in the middle."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.cut_after: int | None = None
        self.drip_s = 0.0
        self.longer = 0
        self.ranges = True
        self.asked: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away."""


class _Handler(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        path = unquote(self.path)
        self.server.asked.append((path, wanted))
        file = self.server.folder / path.lstrip("/")
        if not file.is_file():
            self.send_error(404)
            return
        content, begin = file.read_bytes(), 0
        if wanted and self.server.ranges:
            begin = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])  # type: ignore[index]
        package = path.endswith(".xz")
        content += b"x" * (self.server.longer if package else 0)
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        rest = content[begin:]
        if package and self.server.cut_after is not None:
            self.wfile.write(rest[: self.server.cut_after])
            self.server.cut_after = None
            return
        for at in range(0, len(rest), 16_384):
            self.wfile.write(rest[at : at + 16_384])
            if package and self.server.drip_s:
                time.sleep(self.server.drip_s)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def served(folder: Path) -> Iterator[Web]:
    with Web(folder) as web:
        thread = threading.Thread(target=web.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield web
        finally:
            web.shutdown()
            thread.join()


def days(count: float) -> timedelta:
    return timedelta(days=count)


def machine(home: Path, root: bytes) -> dict[str, str]:
    """Environment of a PC on which IT put the root file."""
    folder = home / "xdg" / "genba-touch"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ROOT_FILE).write_bytes(root)
    return {**os.environ, "XDG_CONFIG_DIRS": str(home / "xdg")}
