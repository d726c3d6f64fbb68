"""Importing a cp932 dump beside a bare loop with the same work in it: parse, ids, canonical bytes, chain, and
`executemany` into the same tables, indexes and triggers in one transaction.

    python3 dev.py bench import          (GENBA_BENCH_ROWS=100000 for a shorter one)

The bare loop judges nothing, looks nothing up and keeps nothing apart: that is what ours adds. Both run in processes of
their own; ours says how much memory it had at most. A bare loop over plain sqlite3 (no cipher) stands there for the
record.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

ROWS = int(os.environ.get("GENBA_BENCH_ROWS", "1000000"))
PEOPLE = 500
HERE = Path(__file__).resolve()


def write_dump(file: Path, rows: int) -> None:
    """Every working day each of the people comes and goes; in the order of time, as a device writes."""
    from datetime import date, timedelta

    days = -(-rows // (2 * PEOPLE))
    first, left = date(2026, 11, 19) - timedelta(days=days), rows
    with file.open("w", encoding="cp932", newline="") as out:
        out.write("カードID,日時,区分,機器\r\n")
        for n in range(days):
            day = (first + timedelta(days=n)).strftime("%Y/%m/%d")
            for hour, word in ((7, "入場"), (17, "退場")):
                for person in range(min(PEOPLE, left)):
                    second = person * 7 + n % 7
                    clock = f"{hour:02d}:{second // 60:02d}:{second % 60:02d}"
                    out.write(f"{0x0140_0000_0000_0001 + person:016X},{day} {clock},{word},門1\r\n")
                left -= min(PEOPLE, left)


@pytest.mark.timeout(1800)
def test_import_beside_a_bare_loop(
    benchmark: BenchmarkFixture, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = 20_000 if benchmark.disabled else ROWS
    dump = tmp_path / "dump.csv"
    write_dump(dump, rows)
    found: dict[str, dict[str, float]] = {}

    def turns() -> None:
        for name in ("bare", "ours", "again", "plain"):
            folder = tmp_path / ("ours" if name == "again" else name)
            found[name] = run_one(name, dump, folder)

    benchmark.pedantic(turns, rounds=1, iterations=1)
    assert found["ours"]["rows"] == found["bare"]["rows"] == rows
    assert found["again"]["rows"] == 0, "the same file once more"
    cpu, wall = (found["bare"][kind] / found["ours"][kind] for kind in ("cpu", "wall"))
    benchmark.extra_info |= {"ratio_cpu": round(cpu, 3), "ratio_wall": round(wall, 3)}
    with capsys.disabled():
        print(f"\nimport of {rows} rows (cp932):")
        for name, one in found.items():
            print(
                f"  {name:6} {one['wall']:7.1f} s, {one['cpu']:7.1f} s CPU, {rows / one['cpu']:8.0f} rows per CPU"
                f" second, {one['memory']:5.0f} MB at most; reading back {one['verify']:.1f} s"
            )
        print(f"  ours of the bare loop's speed: {cpu:.2f} by CPU, {wall:.2f} by the clock")


def run_one(name: str, dump: Path, folder: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.bench_import", name, str(dump), str(folder)],
        cwd=HERE.parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    told: dict[str, float] = json.loads(done.stdout)
    return told


def main(name: str, dump: Path, folder: Path) -> None:
    """One of the loops, in a process of its own."""
    import time

    from tests.bench import import_loops

    work = import_loops.prepare(name, folder, PEOPLE)
    wall, cpu = time.perf_counter(), time.process_time()
    rows = work.run(dump)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    # not `ru_maxrss`: that of whoever started this process is inherited
    status = Path("/proc/self/status").read_text(encoding="ascii")
    memory = int(status.split("VmHWM:")[1].split()[0]) / 1024
    start = time.perf_counter()
    work.verify()
    verify = time.perf_counter() - start
    told = {"rows": rows, "wall": wall, "cpu": cpu, "memory": memory, "verify": verify}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
