"""Our sync beside its peers, in one run: events that are durable here, until the other end has acknowledged each.

    python3 dev.py bench sync

Every figure comes from real processes: a server, and a client that pushes what its store holds. Time and memory are
measured without anything in between; bytes and flushes in another run, through a proxy and under strace. A peer that
cannot be installed is left out and named. Prints a table, and writes it with all figures to
`bench-sync.json` and `bench-sync.md` in the user's cache folder for genba-touch-bench (or GENBA_BENCH_OUT).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.bench.sync_peers import counting, install, load
from tests.bench.sync_peers.peers import Anki, Ours, Pair, Peer, Pouch
from tests.helpers.station_rig import ROOT

PEERS: tuple[Peer, ...] = (
    Ours("sqlite"),
    Ours("postgresql"),
    Anki("note", "Anki 26.9.3, notes as its program makes them"),
    Anki("review", "Anki 26.9.3, rows of nine numbers in its review log"),
    Pouch(),
)
SMALL, LARGE, FLAT = 10_000, 100_000, 500_000
RUNS = int(os.environ.get("GENBA_BENCH_RUNS", "3"))
PATIENT_S = 25.0
"""A peer that took so long for one large run is not asked for another."""
BUDGET_S = 480.0 if RUNS > 1 else 200.0
"""After so long nothing is run twice any more, and the longest run is shortened: the whole should end within twelve
minutes, with one run of each within five."""
LOADS = (("sqlite", 1), ("postgresql", 1), ("postgresql", 2))
"""The centre alone: database, processes."""


@dataclass
class Figures:
    """One push. `client_cpu`, `server_cpu`: seconds; hardly changed by what else the machine does, unlike `seconds`.

    `flushes`: fsync and fdatasync, client and server; None where strace is not there.
    """

    events: int
    seconds: float
    rss_mb: float
    client_cpu: float = 0.0
    server_cpu: float = 0.0
    bytes_per_event: float | None = None
    client_flushes: int | None = None
    server_flushes: int | None = None

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds


def timed_push(peer: Peer, folder: Path, count: int) -> Figures:
    """Fill, push, and nothing in between."""
    folder.mkdir()
    with peer.running(folder, count, counting=False) as pair:
        told(pair, pair.fill)
        before = counting.cpu_seconds(pair.pids)
        found = figures(told(pair, pair.push), count)
        found.server_cpu = counting.cpu_seconds(pair.pids) - before
        return found


def counted_push(peer: Peer, folder: Path, count: int) -> Figures:
    """The same through the proxy and under strace: its time counts for nothing."""
    folder.mkdir()
    with peer.running(folder, count, counting=True) as pair:
        assert pair.proxy is not None
        told(pair, pair.fill)
        before = pair.proxy.total
        client, server = folder / "client.strace", folder / "server.strace"
        if counting.strace() is None:
            found = figures(told(pair, pair.push), count)
        else:
            with counting.flushes_of(pair.pids, server):
                found = figures(told(pair, counting.traced(pair.push, client)), count)
            found.client_flushes, found.server_flushes = counting.counted(client), counting.counted(server)
        found.bytes_per_event = (pair.proxy.total - before) / count
        return found


def told(pair: Pair, command: list[str]) -> dict[str, float]:
    """Run a client to its end; the first line of JSON that it printed, or nothing."""
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **pair.env}, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    lines = [line for line in done.stdout.splitlines() if line.startswith("{") and line.endswith("}")]
    said: dict[str, float] = json.loads(lines[0]) if lines else {}
    return said


def figures(said: dict[str, float], count: int) -> Figures:
    """As the client told; all of its events must have arrived."""
    assert said["events"] == count, said
    return Figures(count, said["seconds"], said["rss_mb"], said["cpu"])


def measure(peer: Peer, folder: Path, until: float) -> dict[str, list[Figures]]:
    """All runs of one peer; after `until` (by the steady clock) each only once."""
    folder.mkdir()
    found: dict[str, list[Figures]] = {"small": [], "large": []}
    for size, count in (("small", SMALL), ("large", peer.most)):
        for n in range(RUNS):
            begin = monotonic()
            found[size].append(timed_push(peer, folder / f"{size}-{n}", count))
            if monotonic() - begin > PATIENT_S or monotonic() > until:
                break
    return {**found, "counted": [counted_push(peer, folder / "counted", SMALL)]}


def under_load(folder: Path, left_out: list[str]) -> list[load.Loaded]:
    """The centre alone, three times each."""
    folder.mkdir()
    found = []
    for database, processes in LOADS:
        try:
            Ours(database).prepare()
        except install.NotToBeHad as why:
            left_out.append(f"Left out: the centre on {database}: {why}")
            continue
        runs = [load.measure(folder / f"{database}-{processes}-{n}", database, processes, 4, 9) for n in range(RUNS)]
        found.append(sorted(runs, key=lambda one: one.rate)[len(runs) // 2])
    return found


def table(found: dict[str, dict[str, list[Figures]]]) -> str:
    """Markdown."""
    lines = [
        f"| | events/s, {SMALL:,} | events/s, {LARGE:,} | bytes/event both ways | CPU µs/event: client / server"
        f" | client's peak memory, {SMALL:,} / {LARGE:,} | flushes for {SMALL:,}: client / server |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, sets in found.items():
        counted = sets["counted"][0]
        flushes = "–" if counted.client_flushes is None else f"{counted.client_flushes} / {counted.server_flushes}"
        memory = " / ".join(f"{statistics.median(f.rss_mb for f in sets[size]):.0f}" for size in ("small", "large"))
        lines.append(
            f"| {name} | {_rates(sets['small'])} | {_rates(sets['large'])} | {counted.bytes_per_event:.1f}"
            f" | {_cpu(sets['large'], 'client_cpu')} / {_cpu(sets['large'], 'server_cpu')} | {memory} MB | {flushes} |"
        )
    return "\n".join(lines)


def _cpu(some: list[Figures], of: str) -> str:
    return f"{statistics.median(getattr(f, of) / f.events for f in some) * 1e6:.1f}"


def _rates(some: list[Figures]) -> str:
    rates = sorted(f.rate for f in some)
    spread = f" ({rates[0]:,.0f}–{rates[-1]:,.0f})" if len(rates) > 1 else " (1 run)"
    if some[0].events not in (SMALL, LARGE):
        spread += f", {some[0].events:,} events"
    return f"{statistics.median(rates):,.0f}{spread}"


def out_folder() -> Path:
    """Where the results go."""
    folder = Path(os.environ.get("GENBA_BENCH_OUT") or install.cache())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.long
@pytest.mark.timeout(1500)
def test_sync_beside_its_peers(benchmark: BenchmarkFixture, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if benchmark.disabled:  # not measuring: our own pair once, to see that all of this works
        one = benchmark(lambda: counted_push(Ours("sqlite"), tmp_path / "once", 400))
        assert one.bytes_per_event is not None
        assert one.bytes_per_event < 200
        return
    found: dict[str, dict[str, list[Figures]]] = {}
    left_out: list[str] = []
    failed: list[str] = []

    def all_of_them() -> None:
        for number, peer in enumerate(PEERS):
            try:
                peer.prepare()
            except install.NotToBeHad as why:
                left_out.append(f"Left out: {peer.name}: {why}")
                continue
            with capsys.disabled():
                print(f"\n… {peer.name}", flush=True)
            try:
                found[peer.name] = measure(peer, tmp_path / str(number), until)
            except (AssertionError, OSError, subprocess.SubprocessError, json.JSONDecodeError) as fault:
                failed.append(f"FAILED: {peer.name}: {str(fault)[:1500]}")  # the others' figures are worth having
            (out_folder() / "bench-sync.md").write_text(table(found), encoding="utf-8")  # in case the rest is cut short

    until = monotonic() + BUDGET_S
    benchmark.pedantic(all_of_them, rounds=1, iterations=1)
    assert found, left_out
    flat = timed_push(Ours("sqlite"), tmp_path / "flat", FLAT if monotonic() < until else LARGE)
    loads = under_load(tmp_path / "load", left_out)
    busy = os.getloadavg()
    text = "\n".join(
        [
            table(found),
            "",
            *left_out,
            *failed,
            f"{flat.events:,} events, ours on SQLite: {flat.rate:,.0f} events/s, client's peak {flat.rss_mb:.0f} MB",
            "",
            "| the centre alone, bodies made beforehand, 4 stations | events/s, work records derived |",
            "|---|---|",
            *(f"| {one.database}, processes: {one.processes} | {one.rate:,.0f} |" for one in loads),
            "",
            f"Load of the machine at the end: {busy[0]:.1f} (1 min), {busy[2]:.1f} (15 min); {os.cpu_count()} cores",
        ]
    )
    plain = {name: {size: [asdict(f) for f in some] for size, some in sets.items()} for name, sets in found.items()}
    alone = [{**asdict(one), "rate": one.rate} for one in loads]
    result = {"peers": plain, "flat": asdict(flat), "centre_alone": alone, "left_out": left_out, "machine_load": busy}
    (out_folder() / "bench-sync.md").write_text(text + "\n", encoding="utf-8")
    (out_folder() / "bench-sync.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    with capsys.disabled():
        print(f"\n{text}\n\nAlso in {out_folder()}/bench-sync.md and .json", flush=True)
    assert not failed
