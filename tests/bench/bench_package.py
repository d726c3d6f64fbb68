"""The program as it is delivered: the time to build it, its size, its start, its memory.

    python3 dev.py bench package

Linux. The station is a real one, set up with a real centre by the program from source; then the built program runs on
its folder, beside the same from source. Memory is what a process has to itself plus its share (PSS), its own processes
together. A window is drawn in memory, so no graphics are in its figures.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from installer import build
from installer.twice import fingerprints
from tests.helpers.station_rig import Rig
from tests.helpers.tiny_site import tiny_site

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

STARTS = 7
IDLE_S = 20.0
"""Seconds after which a gate's memory is read: readers, sync and window are up, and nothing happens."""
OPEN_S = 0.5


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build made here and now."""
    folder = tmp_path_factory.mktemp("package")
    start = time.monotonic()
    made = build.build(folder / "out", folder / "work")
    seconds = time.monotonic() - start
    size = sum(file.stat().st_size for file in made.rglob("*") if file.is_file() and not file.is_symlink())
    print(f"\nbuild, self-test included: {seconds:.0f} s; {size / 1e6:.0f} MB in {len(fingerprints(made))} files")
    return made / build.PROGRAM


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a station that was set up and whose centre is gone: it works alone."""
    rig = Rig(tmp_path_factory.mktemp("station"), tiny_site(workers=100))
    rig.kill_centre()
    yield rig.station_data
    rig.close()


def both(program: Path) -> dict[str, list[str]]:
    return {"built": [str(program)], "from source": [sys.executable, "-m", "app"]}


def environment() -> dict[str, str]:
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen"}


def seconds_of(command: Sequence[str], *, codes: tuple[int, ...] = (0,)) -> float:
    start = time.monotonic()
    done = subprocess.run(command, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
    assert done.returncode in codes, done.stderr.decode(errors="replace")
    return time.monotonic() - start


def median(take: Callable[[], float], times: int = STARTS) -> float:
    take()  # once for the disk's cache
    return statistics.median(take() for _ in range(times))


def test_starts(program: Path, station: Path) -> None:
    for name, command in both(program).items():
        at = [*command, "--data-dir", str(station)]
        version = median(lambda command=command: seconds_of([*command, "--version"]))  # type: ignore[misc]
        status = median(lambda at=at: seconds_of([*at, "status", "--json"]))  # type: ignore[misc]
        window = median(lambda at=at: seconds_of([*at, "gate", "--seconds", str(OPEN_S)])) - OPEN_S  # type: ignore[misc]
        whole = seconds_of([*command, "--self-test", "--no-keyring"])
        print(
            f"\n{name}: --version {version:.2f} s, status {status:.2f} s, window opened and closed {window:.2f} s,"
            f" --self-test {whole:.1f} s; load {os.getloadavg()[0]:.1f}",
            end="",
        )


def pss_mb(pid: int) -> float:
    """Of a process and those it has started; of one that has ended meanwhile nothing."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
        text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    own = int(text.split("Pss:")[1].split()[0]) / 1024
    return own + sum(pss_mb(int(child)) for child in children)


def test_memory(program: Path, station: Path) -> None:
    for name, command in both(program).items():
        told = []
        for kind, words in {"headless": ["--headless"], "window": []}.items():
            line = [*command, "--data-dir", str(station), "gate", "--seconds", str(IDLE_S + 60), *words]
            gate = subprocess.Popen(line, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            try:
                time.sleep(IDLE_S)
                assert gate.poll() is None
                told.append(f"{kind} {pss_mb(gate.pid):.0f} MB")
            finally:
                gate.terminate()
                gate.wait(30)
        print(f"\n{name}, an idle gate: {', '.join(told)}", end="")
