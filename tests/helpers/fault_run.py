"""Real gates, a real centre, and everything that happens to machines at a building site; judged by plain SQL.

`python3 dev.py faults --seed S --rounds N` (docs/faults.md). Each round four gate processes play a script of cards,
each through a proxy of its own (every other one over TLS), while things are done to them and to the centre. After each
round `fault_judge` looks into the database files; after every tenth the faults stop until everything is delivered.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from app.secrets import DATABASE_KEY, KeyFileVault
from app.settings import DataDir
from tests.helpers import fault_judge, namespace
from tests.helpers.fault_proxy import FAULTS, TLS_FAULTS, FaultProxy
from tests.helpers.fault_tls import both_certificates
from tests.helpers.station_rig import Centre, Lines, call
from tests.helpers.tiny_site import tiny_site

STATION = "tests.helpers.fault_station"
INSIDE = "GENBA_FAULTS_INSIDE"
CARDS = 300
DRAIN_S = 120.0
DISK_BYTES = 256 * 1024 * 1024
FIU = ("/usr/lib/fiu/fiu_run_preload.so", "/usr/lib/fiu/fiu_posix_preload.so")
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
# SQLCipher's build syncs with fsync, not fdatasync; other points break Python's own output
FIU_POINTS = {"disk_sync": "posix/io/sync/fsync", "disk_write": "posix/io/rw/pwrite"}


@dataclass
class Gate:
    """One station: its folder, the proxy before it, and what it has said since the beginning."""

    data: Path
    station_id: str
    proxy: FaultProxy
    clock: Path
    process: Lines | None = None
    kind: str = ""
    """Which trouble its process was born with."""
    shown: Counter[str] = field(default_factory=Counter)
    presented: Counter[str] = field(default_factory=Counter)
    alarms: Counter[str] = field(default_factory=Counter)
    refused_starts: int = 0

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self.process is not None and self.process.running

    def collect(self) -> None:
        """Take down what the ended process said."""
        assert self.process is not None
        for item in self.process.items:
            if item["event"] == "touch" and item["id"]:
                self.shown[str(item["id"])] += 1
            elif item["event"] == "alarm":
                self.alarms[str(item["code"])] += 1
        self.process = None


class FaultRun:
    """See the module. `station`: the module that is run as a gate, and what it gets before the folder."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        station: Sequence[str] = (STATION,),
        gates: int = 4,
        touches: int = 200,
        harm: bool = True,
    ) -> None:
        self.folder, self.touches, self.harm = folder, touches, harm
        self.dice = random.Random(seed)
        self.met: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._station = list(station)
        self._stack = ExitStack()
        self._disks = bool(os.environ.get(INSIDE))
        self._fiu = all(Path(part).exists() for part in FIU)
        self._faketime = FAKETIME.exists()
        site = tiny_site(workers=CARDS)
        self._cards = [str(card["id"]) for card in site["cards"]]
        self._disk(folder / "centre")
        self.centre = Centre(folder, site)
        self._stack.callback(self.centre.close)
        self._fresh_centre()
        tls, trusted = both_certificates(folder)
        self.gates: list[Gate] = []
        # a 429 holds everything for half a second or so: a few of them are enough
        often = tuple(fault for fault in FAULTS if not fault.startswith("busy"))
        for number in range(gates):
            over = tls if number % 2 else None
            faults = (*often * 4, *FAULTS, *(TLS_FAULTS if over else ()))
            proxy = FaultProxy(self.centre.centre_port, seed + number, 0.0, faults, busy_s=0, tls=over)
            self._stack.enter_context(proxy)
            self.gates.append(self._provision(number, proxy, trusted if over else None))

    def lacking(self) -> list[str]:
        """Kinds of fault that cannot be made here, and why."""
        found = []
        if not self._disks:
            found.append("full disks (takes root on Linux: a namespace with file systems of its own)")
        if not self._fiu:
            found.append("disk errors (Debian: fiu-utils)")
        if not self._faketime:
            found.append("clock jumps (Debian: faketime)")
        return found

    def close(self) -> None:
        """End every process."""
        for gate in self.gates:
            if gate.running and gate.process is not None:
                gate.process.kill()
        self._stack.close()

    # --- one round

    def round(self) -> list[str]:
        """One round under faults, judged; what is wrong."""
        self._mend()
        for gate in self.gates:
            gate.proxy.trouble(self.dice.uniform(0.6, 0.95))
        self._start(self.gates)
        until = time.monotonic() + 1.2 + self.touches * 0.025
        while time.monotonic() < until:
            time.sleep(self.dice.uniform(0.05, 0.5))
            if self.harm:
                self._do_harm()
            if self.dice.random() < 0.6:
                self._mend()
        for gate in self.gates:
            self._end(gate, kill=self.dice.random() < 0.5)
        self._mend()
        return self._judged(fault_judge.at_any_time)

    def drain(self) -> list[str]:
        """No more faults until everything is delivered; judged; what is wrong."""
        self._mend()
        self._fresh_centre()
        for gate in self.gates:
            gate.proxy.quiet()
        self._start(self.gates, touches=0, peaceful=True)
        until = time.monotonic() + DRAIN_S
        for gate in self.gates:
            while self._pending(gate) and time.monotonic() < until:
                time.sleep(0.2)
        for gate in self.gates:
            self._end(gate, kill=False)
        found = self._judged(fault_judge.at_any_time)
        found += self._judged(lambda shown, station, centre, presented: fault_judge.when_drained(station, centre))
        with _still(self.centre.centre):
            return found + fault_judge.records_are_right(self.centre.centre_data / "central.db")

    def _judged(self, judge: Callable[..., list[str]]) -> list[str]:
        found = []
        for gate in self.gates:
            with _still(self.centre.centre):
                centre = fault_judge.centre_holds(self.centre.centre_data / "central.db", gate.station_id)
            found += judge(gate.shown, self._held(gate), centre, gate.presented)
        return found

    def _held(self, gate: Gate) -> fault_judge.Held:
        key = KeyFileVault(gate.data / "keys.json").require(DATABASE_KEY)
        return fault_judge.station_holds(DataDir.at(gate.data).database, key)

    def _pending(self, gate: Gate) -> int:
        answer = json.loads(call(gate.data, "status", "--json"))
        return int(answer["pending"])

    # --- processes

    def _provision(self, number: int, proxy: FaultProxy, ca_file: Path | None) -> Gate:
        data = self.folder / f"station-{number}"
        self._disk(data)
        more = f'key_file = "keys.json"\n{f"ca_file = {json.dumps(str(ca_file))}" if ca_file else ""}\n'
        file = self.centre.write_provisioning(more)
        file.write_text(file.read_text().replace(self.centre.centre_url, proxy.url))
        call(data, "provision", str(file))
        identity = DataDir.at(data).identity()
        assert identity is not None
        return Gate(data, identity.station_id, proxy, self.folder / f"clock-{number}")

    def _start(self, gates: Sequence[Gate], *, touches: int | None = None, peaceful: bool = False) -> None:
        """Start gates and wait for all of them."""
        count = self.touches if touches is None else touches
        cards = {gate.station_id: [self.dice.choice(self._cards) for _ in range(count)] for gate in gates}
        for gate in gates:
            self._launch(gate, cards[gate.station_id], self._environment(gate, peaceful or not self.harm))
        for gate in gates:
            if not self._works(gate):
                # a disk error while the database was opened: the gate says so and ends, and somebody starts it again
                gate.refused_starts += 1
                self._mend()
                self._launch(gate, cards[gate.station_id], None)
                assert self._works(gate), f"{gate.data.name} does not start: {self._log(gate).read_text()}"
            gate.presented.update(cards[gate.station_id])

    def _launch(self, gate: Gate, cards: Sequence[str], env: Mapping[str, str] | None) -> None:
        script = self.folder / f"{gate.data.name}.jsonl"
        lines = [{"after_s": round(self.dice.uniform(0, 0.03), 4), "card": card, "hold_s": 0.004} for card in cards]
        script.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        command = [sys.executable, "-m", *self._station, str(gate.data), str(script)]
        gate.process = Lines(command, env=env, stderr=self._log(gate))

    def _works(self, gate: Gate) -> bool:
        assert gate.process is not None
        try:
            if gate.process.comes(lambda item: item["event"] == "reader_state"):
                return True
        except AssertionError as exc:
            gate.process.process.send_signal(signal.SIGABRT)  # its log then says where every thread stands
            gate.process.process.wait()
            raise AssertionError(f"{gate.data.name} hangs ({gate.kind}): {self._log(gate).read_text()}") from exc
        gate.process.kill()
        gate.collect()
        return False

    def _log(self, gate: Gate) -> Path:
        return self.folder / f"{gate.data.name}.log"

    def _environment(self, gate: Gate, peaceful: bool) -> Mapping[str, str] | None:
        kind = gate.kind = "" if peaceful else self.dice.choice(("", *FIU_POINTS, "clock", "clock"))
        if kind in FIU_POINTS and self._fiu:
            return self._sick_disk(kind)
        if kind == "clock" and self._faketime:
            self._jump(gate)
            more = {"FAKETIME_TIMESTAMP_FILE": str(gate.clock), "FAKETIME_NO_CACHE": "1"}
            return {**os.environ, **more, "LD_PRELOAD": str(FAKETIME), "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        return None

    def _sick_disk(self, kind: str) -> Mapping[str, str]:
        self.met[f"processes with {kind} errors"] += 1
        chance = self.dice.choice((0.01, 0.05, 0.2))
        enable = f"enable_random name={FIU_POINTS[kind]},probability={chance}"
        return {**os.environ, "LD_PRELOAD": " ".join(FIU), "FIU_ENABLE": enable}

    def _ask_to_end(self, gate: Gate) -> None:
        try:
            gate.process.terminate()
        except subprocess.TimeoutExpired as exc:
            gate.process.process.send_signal(signal.SIGABRT)  # its log then says where every thread stands
            gate.process.process.wait()
            raise AssertionError(f"{gate.data.name} does not end ({gate.kind}): {self._log(gate).read_text()}") from exc

    def _end(self, gate: Gate, *, kill: bool) -> None:
        if gate.process is None:
            return
        if gate.running and not kill:
            self._ask_to_end(gate)
        else:
            self.met["gate killed"] += gate.running
            gate.process.kill()
        gate.collect()

    # --- harm

    def _do_harm(self) -> None:
        gate = self.dice.choice(self.gates)
        match self.dice.choice(
            ("kill gate", "kill centre", "stop gate", "stop centre", "clock", "fill", "fill centre")
        ):
            case "kill gate":
                self._end(gate, kill=True)
                self._start([gate])
            case "kill centre":
                self.met["centre killed"] += 1
                self.centre.kill_centre()
                time.sleep(self.dice.uniform(0, 0.3))
                self._start_centre()
            case "stop gate" if gate.running and gate.process is not None:
                self.met["gate stopped (SIGSTOP)"] += 1
                with _still(gate.process.process):
                    time.sleep(self.dice.uniform(0.05, 0.6))
            case "stop centre":
                self.met["centre stopped (SIGSTOP)"] += 1
                with _still(self.centre.centre):
                    time.sleep(self.dice.uniform(0.05, 0.6))
            case "clock" if gate.clock.exists():
                self._jump(gate)
            case "fill" if self._disks:
                self._fill(gate.data, "gate's disk full")
            case "fill centre" if self._disks:
                self._fill(self.centre.centre_data, "centre's disk full")

    def _fresh_centre(self) -> None:
        """One on a disk that works."""
        self.centre.kill_centre()
        self.centre.start_centre(stderr=self.folder / "centre.log")

    def _start_centre(self) -> None:
        sick = self.dice.choice(("", "", *FIU_POINTS)) if self._fiu and self.harm else ""
        log = self.folder / "centre.log"
        try:
            self.centre.start_centre(env=self._sick_disk(sick) if sick else None, stderr=log)
        except AssertionError:
            self._mend()
            self.centre.start_centre(stderr=log)

    def _jump(self, gate: Gate) -> None:
        self.met["clock jumps"] += 1
        days = self.dice.choice((0, 0.001, 0.04, 1, 31, 400))
        gate.clock.write_text(f"{self.dice.choice('+-')}{days * 86400:.0f}s\n")

    def _fill(self, folder: Path, what: str) -> None:
        self.met[what] += 1
        with (folder / "ballast").open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                with suppress(OSError):  # no room
                    while True:
                        file.write(bytes(size))
        time.sleep(self.dice.uniform(0.1, 0.6))

    def _mend(self) -> None:
        """Whoever had a full disk makes room."""
        for folder in (self.centre.centre_data, *(gate.data for gate in self.gates)):
            (folder / "ballast").unlink(missing_ok=True)

    def _disk(self, folder: Path) -> None:
        """A disk of its own for a folder, where that can be had."""
        folder.mkdir(parents=True)
        if self._disks:
            options = f"size={DISK_BYTES},mode=0700"
            subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
            self._stack.callback(subprocess.run, ["umount", "-l", str(folder)], check=False)

    # --- the tally

    def centre_ids(self, gate: Gate) -> list[str]:
        """Ids that the centre holds of a station."""
        with _still(self.centre.centre):
            return fault_judge.centre_holds(self.centre.centre_data / "central.db", gate.station_id).ids

    def tally(self) -> dict[str, int]:
        """Faults by kind."""
        faults = Counter(self.met)
        for gate in self.gates:
            faults.update({f"network: {fault}": times for fault, times in gate.proxy.faults_met().items()})
            faults.update({f"touches refused aloud ({code})": times for code, times in gate.alarms.items()})
            faults["starts refused aloud"] += gate.refused_starts
        return dict(sorted(faults.items()))


class _still:
    """A process that stands still (SIGSTOP … SIGCONT); None: nothing."""

    def __init__(self, process: subprocess.Popen[str] | None) -> None:
        self._process = process

    def __enter__(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def __exit__(self, *exc: object) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)


NO_FAULT = ("touches refused aloud", "starts refused aloud")
"""Lines of the tally that are what a fault led to, and no faults themselves."""


def report(run: FaultRun, seed: int, rounds: int, wrong: Sequence[str]) -> str:
    """The closing table."""
    faults = run.tally()
    injected = sum(times for kind, times in faults.items() if not kind.startswith(NO_FAULT))
    shown = sum(len(gate.shown) for gate in run.gates)
    held = sum(len(run.centre_ids(gate)) for gate in run.gates)
    lines = [f"{kind:44} {times:8}" for kind, times in faults.items()]
    lines += [
        f"{'faults injected':44} {injected:8}",
        f"{'rounds':44} {rounds:8}",
        f"{'touches shown as recorded':44} {shown:8}",
        f"{'touches at the centre':44} {held:8}",
        f"{'lost':44} {sum(line.startswith('lost') for line in wrong):8}",
        f"{'doubled':44} {sum(line.startswith('doubled') for line in wrong):8}",
        f"{'anything wrong':44} {len(wrong):8}",
        f"seed {seed}",
    ]
    return "\n".join(lines)


DRAIN_EVERY = 10


def play(run: FaultRun, seed: int, rounds: int, say: Callable[[str], None]) -> int:
    """So many rounds, or to the first thing that is wrong; 0 when nothing was."""
    wrong: list[str] = []
    done = 0
    for number in range(1, rounds + 1):
        wrong = run.round()
        if not wrong and (number % DRAIN_EVERY == 0 or number == rounds):
            wrong = run.drain()
        done = number
        faults = sum(times for kind, times in run.tally().items() if not kind.startswith(NO_FAULT))
        say(f"round {number}: {faults} faults so far, {len(wrong)} wrong")
        if wrong:
            break
    for line in wrong[:50]:
        say(line)
    say(report(run, seed, done, wrong))
    return 1 if wrong else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="dev.py faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="repeats the dice, not the timing")
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args(arguments)
    way = namespace.way_in()
    if way is not None and not os.environ.get(INSIDE):
        again = [sys.executable, "-m", "tests.helpers.fault_run", *(sys.argv[1:] if arguments is None else arguments)]
        script = 'ip link set lo up && exec "$@"'
        path = {"PATH": namespace.PATH, INSIDE: "1"}
        return subprocess.call([*way, "sh", "-c", script, "sh", *again], env={**os.environ, **path})
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(1_000_000)
    folder = Path(tempfile.mkdtemp(prefix="genba-faults-"))
    print(f"seed {seed}, files in {folder}", flush=True)
    run = FaultRun(folder, seed)
    try:
        for line in run.lacking():
            print(f"cannot be made here: {line}", flush=True)
        return play(run, seed, args.rounds, lambda text: print(text, flush=True))
    finally:
        run.close()


if __name__ == "__main__":
    sys.exit(main())
