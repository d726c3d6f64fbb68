"""The readers: a card's read beside a bare loop, a secure card's proof, the way to the disk, recovery, idling.

    python3 dev.py bench readers

Nothing here is real hardware: pcscd with an emulated reader (vpcd), PaSoRi on umockdev's USB, nfcpy's UDP pair. The
cards are in processes of their own. Each bare loop does the same transfers in the same run, in turns with ours.
"""

from __future__ import annotations

import json
import os
import queue
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from app.clock import SystemClock
from app.domain.assurance import Assurance
from app.gate.news import Announcement
from app.gate.service import GateService
from app.readers.port import CardSeen, Emit
from app.readers.supervisor import Supervisor
from app.store.events import EventLog
from tests.bench.bench_gate import WORKERS, gate
from tests.bench.bench_piv import P99_MS, quiet
from tests.helpers import namespace, usb_bench, vpcd_bench
from tests.helpers.piv_pki import Authority, card
from tests.helpers.readers_bench import BLOCKS, SERVICE
from tests.helpers.udp_card import CardProcess, free_port

__all__ = ["gate"]

ROOT = Path(__file__).parents[2]
IDM = "0101000000001234"
RECOVERY_S = 2.0
IDLE_SHARE = 0.01


@pytest.fixture(autouse=True)
def _load() -> None:
    """Figures of a busy machine are no figures: say how busy it was."""
    if sys.platform != "win32":
        print(f"\nload {os.getloadavg()[0]:.1f}", end="")


@pytest.fixture
def pcsc_namespace() -> tuple[str, ...]:
    """The way into a namespace with the real PC/SC stack."""
    way_in = namespace.way_in()
    lacking = namespace.lacking_for_pcsc()
    if lacking is not None or way_in is None:
        pytest.skip(str(lacking))
    return way_in


@pytest.fixture
def emulated_usb() -> None:
    lacking = usb_bench.missing()
    if lacking is not None:
        pytest.skip(lacking)


def measure(*arguments: str, before: tuple[str, ...] = (), **environment: str) -> dict[str, Any]:
    """What `readers_bench` measured. `before`: what comes before the command."""
    command = [*before, sys.executable, "-m", "tests.helpers.readers_bench", *arguments]
    environment = {**os.environ, "PATH": namespace.PATH, **environment}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    return dict(json.loads(done.stdout))


def show(name: str, times: list[float]) -> float:
    """Print a row; the p99 in milliseconds."""
    if len(times) < 2:
        return 0.0  # only to see that it works
    cuts = [cut * 1e3 for cut in statistics.quantiles(times, n=100)]
    longest = max(times) * 1e3
    print(f"\n{name}: median {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms, max {longest:.1f} ms ({len(times)})", end="")
    return cuts[98]


def compare(name: str, report: dict[str, Any]) -> None:
    show(f"{name}, ours", report["ours"])
    show(f"{name}, bare loop", report["bare"])
    extra = statistics.median(a - b for a, b in zip(report["ours"], report["bare"], strict=True))
    print(f"\n{name}, what ours adds: median {extra * 1e3:.2f} ms")


def rounds_of(benchmark: BenchmarkFixture, full: int) -> int:
    """So many when measuring, few when only seeing that it works."""
    return 5 if benchmark.disabled else full


def test_four_blocks_over_udp(benchmark: BenchmarkFixture) -> None:
    port, rounds = free_port(), rounds_of(benchmark, 1000)
    with CardProcess(port) as cards:
        blocks = {f"{SERVICE:04X}": [block.hex() for block in BLOCKS]}
        cards.put(idm=IDM, hold_s=120.0, timeout_s=60.0, blocks=blocks)
        compare("UDP, 4 blocks", benchmark.pedantic(measure, ("udp", str(port), str(rounds)), rounds=1))


@pytest.mark.parametrize("kind", ["rcs300", "rcs380"])
@pytest.mark.usefixtures("emulated_usb")
def test_four_blocks_over_usb(benchmark: BenchmarkFixture, kind: str) -> None:
    rounds = rounds_of(benchmark, 300)
    with usb_bench.Bench() as bench:
        bench.do("plug", reader=kind)
        bench.do("card", idm=IDM, blocks=[block.hex() for block in BLOCKS])
        report = benchmark.pedantic(measure, ("usb", str(rounds)), bench.environment, rounds=1)
    compare(f"USB {kind}, 4 blocks", report)


def test_four_blocks_and_proofs_over_pcsc(
    benchmark: BenchmarkFixture, pcsc_namespace: tuple[str, ...], tmp_path: Path
) -> None:
    """A secure card's whole reading (connect, proof, disconnect; pcscd and all) less the card's own time."""
    rounds = rounds_of(benchmark, 300)
    made = [json.dumps(card(Authority().issue(kind), kind) | {"kind": kind}) for kind in ("p256", "p384", "rsa2048")]
    trust = str(Authority().trust(tmp_path / "trust"))
    report = benchmark.pedantic(measure, ("pcsc", str(rounds), trust, *made), {"before": pcsc_namespace}, rounds=1)
    compare("PC/SC, 4 blocks", report)
    slowest = 0.0
    for kind in ("p256", "p384", "rsa2048"):
        show(f"PC/SC, {kind}: the card itself", report[kind]["card"])
        slowest = max(slowest, show(f"PC/SC, {kind}: beyond the card", report[kind]["beyond"]))
    assert benchmark.disabled or not quiet() or slowest <= P99_MS


class Hand:
    """A reader whose cards come from `put`."""

    name = label = "hand"

    def __init__(self) -> None:
        self._cards: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.began = 0.0

    def put(self, key: str) -> None:
        self._cards.put(key)

    def run(self, emit: Emit, stop: threading.Event) -> None:
        while (key := self._cards.get()) is not None:
            self.began = time.perf_counter()
            emit(CardSeen(self.name, key, Assurance.UID, SystemClock().now()))

    def interrupt(self) -> None:
        self._cards.put(None)


def test_card_seen_to_committed(
    benchmark: BenchmarkFixture,
    gate: tuple[GateService, queue.SimpleQueue[Announcement]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Reader's thread → supervisor → gate's thread → verdict → SQLCipher with synchronous=FULL."""
    service, told = gate
    committed: list[float] = []
    append: Callable[..., Any] = EventLog.append

    def noted(log: EventLog, *rest: Any) -> Any:
        stored = append(log, *rest)
        committed.append(time.perf_counter())
        return stored

    monkeypatch.setattr(EventLog, "append", noted)
    hand = Hand()
    supervisor = Supervisor([hand], service.on_reader_event, SystemClock())
    supervisor.start()
    times: list[float] = []

    def touch() -> None:
        hand.put(f"felica:{0x0140_0000_0000_0000 + 1 + len(times) % WORKERS:016X}")
        assert told.get(timeout=10).id is not None
        times.append(committed.pop() - hand.began)

    benchmark.pedantic(touch, rounds=rounds_of(benchmark, 2000), iterations=1)
    assert supervisor.stop()
    show("card seen → committed", times)


def test_ready_again_after_the_service_was_restarted(
    benchmark: BenchmarkFixture, pcsc_namespace: tuple[str, ...]
) -> None:
    took: list[float] = []
    with vpcd_bench.Bench() as bench:
        bench.do("service", on=True)
        bench.do("reader")
        bench.wait_state(vpcd_bench.SLOT_A, "ready")

        def restart() -> None:
            bench.do("service", on=False)
            bench.wait_state(vpcd_bench.SLOT_A, "no_service")
            bench.quiet(0.37 * (len(took) % 8))
            began = bench.do("service", on=True, wait=False)
            took.append(bench.wait_state(vpcd_bench.SLOT_A, "ready")["t"] - began)

        benchmark.pedantic(restart, rounds=2 if benchmark.disabled else 20, iterations=1)
    show("pcscd started again → ready", took)
    assert benchmark.disabled or statistics.median(took) <= RECOVERY_S


@pytest.mark.parametrize("kind", ["rcs300", "rcs380"])
@pytest.mark.usefixtures("emulated_usb")
def test_ready_again_after_replugging(benchmark: BenchmarkFixture, kind: str) -> None:
    took: list[float] = []
    with usb_bench.Bench() as bench:
        bench.do("plug", reader=kind)
        bench.start_program()
        bench.wait_state("ready")

        def replug() -> None:
            bench.do("unplug")
            bench.wait_state("no_reader")
            time.sleep(0.37 * (len(took) % 8))
            began = time.monotonic()
            bench.do("plug", reader=kind)
            took.append(bench.wait_state("ready")["at"] - began)

        benchmark.pedantic(replug, rounds=2 if benchmark.disabled else 20, iterations=1)
    show(f"USB {kind} plugged in → ready", took)
    assert benchmark.disabled or statistics.median(took) <= RECOVERY_S


def test_idle_over_pcsc(benchmark: BenchmarkFixture, pcsc_namespace: tuple[str, ...]) -> None:
    """Two slots; the whole process."""
    seconds = 1.0 if benchmark.disabled else 40.0
    with vpcd_bench.Bench() as bench:
        bench.do("service", on=True)
        bench.do("reader")
        bench.wait_state(vpcd_bench.SLOT_B, "ready")
        share = benchmark.pedantic(lambda: bench.do("cpu", seconds=seconds), rounds=1)
    print(f"\nidle, two PC/SC readers: {share:.2%} of a core over {seconds:.0f} s")
    assert benchmark.disabled or share <= IDLE_SHARE


@pytest.mark.parametrize("kind", ["rcs300", "rcs380"])
@pytest.mark.usefixtures("emulated_usb")
def test_idle_over_usb(benchmark: BenchmarkFixture, kind: str) -> None:
    """One reader that is asked for a card all the time; the emulator's share in the process is in it."""
    seconds = 1.0 if benchmark.disabled else 40.0
    with usb_bench.Bench() as bench:
        bench.do("plug", reader=kind)
        bench.start_program()
        bench.wait_state("ready")

        def idle() -> float:
            before = bench.cpu_s()
            time.sleep(seconds)
            return (bench.cpu_s() - before) / seconds

        share = benchmark.pedantic(idle, rounds=1)
    print(f"\nidle, USB {kind}: {share:.2%} of a core over {seconds:.0f} s")


def test_idle_over_udp_with_two_readers(benchmark: BenchmarkFixture) -> None:
    from app.readers.pasori import PasoriReader

    seconds = 1.0 if benchmark.disabled else 40.0
    clock = SystemClock()
    readers = [PasoriReader(f"udp:127.0.0.1:{free_port()}", clock) for _ in range(2)]
    supervisor = Supervisor(readers, lambda event: None, clock)
    supervisor.start()
    time.sleep(1.0)

    def idle() -> float:
        before = time.process_time()
        time.sleep(seconds)
        return (time.process_time() - before) / seconds

    share = benchmark.pedantic(idle, rounds=1)
    assert supervisor.stop()
    print(f"\nidle, two UDP readers: {share:.2%} of a core over {seconds:.0f} s")
    assert benchmark.disabled or share <= IDLE_SHARE
