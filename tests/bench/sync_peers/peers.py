"""The programs side by side: how each one's server starts, and how its client fills its store and pushes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.sync_peers import install
from tests.bench.sync_peers.counting import CountingProxy
from tests.central.postgresql import MISSING, Cluster, binaries
from tests.helpers.station_rig import ROOT, call, free_port, genba_touch
from tests.helpers.tiny_site import SITE_ID, tiny_site

HERE = Path(__file__).parent
PATIENCE_S = 60.0


@dataclass
class Pair:
    """A running server and a client's commands. `pids`: the server's processes."""

    fill: list[str]
    push: list[str]
    pids: list[int]
    proxy: CountingProxy | None = None
    env: Mapping[str, str] = field(default_factory=dict)


class Peer:
    """One row of the table. `running` gives a fresh pair in an empty folder."""

    name = ""
    durable = ""
    most = 100_000
    """Events of its large run."""

    def prepare(self) -> None:
        """Install what is missing. Raises NotToBeHad."""

    @contextmanager
    def running(self, folder: Path, count: int, *, counting: bool) -> Iterator[Pair]:
        """Server started; `counting`: the client speaks to it through a proxy that counts."""
        raise NotImplementedError
        yield


class Pouch(Peer):
    """PouchDB 9 on LevelDB → pouchdb-server."""

    name = "PouchDB 9 → pouchdb-server 4.2, batches of 1,000"
    most = 20_000

    def prepare(self) -> None:
        """npm."""
        self._node, self._modules = install.pouch()

    @contextmanager
    def running(self, folder: Path, count: int, *, counting: bool) -> Iterator[Pair]:
        """See Peer."""
        there, here = folder / "server", folder / "client"
        there.mkdir()
        here.mkdir()
        port = free_port()
        program = [self._node, str(self._modules / ".bin" / "pouchdb-server")]
        command = [*program, "--port", str(port), "--host", "127.0.0.1", "--dir", str(there), "--no-stdout-logs"]
        with _served(command, there, port, {}) as pid, _through(port, counting) as (proxy, seen):
            script = [self._node, str(HERE / "pouch.js")]
            words = [str(here), f"http://127.0.0.1:{seen}", str(count)]
            env = {"NODE_PATH": str(self._modules)}
            yield Pair([*script, "fill", *words], [*script, "push", *words], [pid], proxy, env)


class Anki(Peer):
    """Anki's own client and sync server."""

    def __init__(self, kind: str, name: str) -> None:
        self._kind, self.name = kind, name

    def prepare(self) -> None:
        """PyPI."""
        self._python = str(install.anki())

    @contextmanager
    def running(self, folder: Path, count: int, *, counting: bool) -> Iterator[Pair]:
        """See Peer."""
        there, here = folder / "server", folder / "client"
        there.mkdir()
        here.mkdir()
        port = free_port()
        env = {
            "SYNC_USER1": "bench:bench",
            "SYNC_BASE": str(there),
            "SYNC_HOST": "127.0.0.1",
            "SYNC_PORT": str(port),
            "RUST_LOG": "error",
        }
        command = [self._python, "-m", "anki.syncserver"]
        with _served(command, there, port, env) as pid, _through(port, counting) as (proxy, seen):
            script = [self._python, str(HERE / "anki_client.py"), self._kind]
            words = [str(here), f"http://127.0.0.1:{seen}/", str(count)]
            yield Pair([*script, "fill", *words], [*script, "push", *words], [pid], proxy)


class Ours(Peer):
    """`genba-touch sync --once` (encrypted store, FULL) → `genba-touch central serve`."""

    def __init__(self, database: str) -> None:
        self._database = database
        self.name = f"genba-touch → its centre on {'SQLite' if database == 'sqlite' else 'PostgreSQL'}"

    def prepare(self) -> None:
        """PostgreSQL must be installed for its row."""
        if self._database == "postgresql" and binaries() is None:
            raise install.NotToBeHad(MISSING)

    @contextmanager
    def running(self, folder: Path, count: int, *, counting: bool) -> Iterator[Pair]:
        """See Peer."""
        with centre(folder, self._database) as (port, pids, options), _through(port, counting) as (proxy, seen):
            answer = call(folder / "centre", "central", "issue-code", "--site", SITE_ID, "--json", *options)
            file = folder / "provisioning.toml"
            file.write_text(
                f'schema = 1\ncentre_url = "http://127.0.0.1:{seen}"\nstation_name = "bench"\n'
                f'enrolment_code = "{json.loads(answer)["enrolment_code"]}"\nkey_file = "keys.json"\n',
                encoding="utf-8",
            )
            call(folder / "station", "provision", str(file))
            script = [sys.executable, "-m", "tests.bench.sync_peers.ours_client"]
            station = str(folder / "station")
            yield Pair([*script, "fill", station, str(count)], [*script, "push", station], pids, proxy)


@contextmanager
def centre(
    folder: Path, database: str, processes: int = 1, *, sites: Sequence[dict[str, Any]] = ()
) -> Iterator[tuple[int, list[int], list[str]]]:
    """A centre with its sites: its port, pids, and `--database` options."""
    cluster = None
    options: list[str] = []
    if database == "postgresql":
        found = binaries()
        assert found is not None
        cluster = Cluster(found, durable=True)
        options = ["--database", cluster.database()]
    try:
        for site in sites or [tiny_site(workers=300)]:
            file = folder / "site.json"
            file.write_text(json.dumps(site, ensure_ascii=False), encoding="utf-8")
            call(folder / "centre", "central", "load-site", str(file), *options)
        port = free_port()
        command = genba_touch(folder / "centre", "central", "serve", "--listen", f"127.0.0.1:{port}", *options)
        if processes > 1:
            command += ["--workers", str(processes)]
        with _served(command, folder, port, {}) as pid:
            yield port, [pid, *(cluster.pids() if cluster else [])], options
    finally:
        if cluster is not None:
            cluster.stop()


@contextmanager
def _served(command: list[str], folder: Path, port: int, env: Mapping[str, str]) -> Iterator[int]:
    """A server that answers on its port; its pid."""
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT if command[0] == sys.executable else folder,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        until = time.monotonic() + PATIENCE_S
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"{command} did not start:\n{(folder / 'server.log').read_text()[-2000:]}")
            time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _through(port: int, counting: bool) -> Iterator[tuple[CountingProxy | None, int]]:
    """The port that the client is told."""
    if not counting:
        yield None, port
        return
    with CountingProxy(port) as proxy:
        yield proxy, proxy.port
