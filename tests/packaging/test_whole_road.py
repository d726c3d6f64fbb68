"""IT's whole road in one go: a set-up for each company, a PC that works, a new version, the way back, the end.

Everything is the real thing but Windows, which is wine: program (a test build), centre, codes, signatures, set-ups,
Windows' vault, the list of updates. Newer versions are the same build with another number (tests/helpers).
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from app.messages import say
from app.version import VERSION
from installer import signing
from installer.windows import build, wine
from installer.windows.wine import windows_path
from tests.helpers.central_judge import centre_events, centre_records, judge
from tests.helpers.other_version import other_version
from tests.helpers.station_rig import Centre
from tests.helpers.tiny_site import tiny_site
from tests.helpers.windows_rig import PATIENCE_S, WindowsGate, WindowsStation
from tests.packaging.it_office import SECRETS, ItOffice
from tests.packaging.setup_bench import KEY, Bench, bench

pytestmark = [pytest.mark.long, pytest.mark.timeout(build.BUILD_S + 1800)]

NEXT = f"9{VERSION[1:]}"
COMPANIES = {"yamada": "山田組", "suzuki 建設": "鈴木 建設", "髙﨑": "髙﨑鉄筋㈱"}
SITE = tiny_site(workers=12)
KEYS = [str(card["id"]) for card in SITE["cards"]]
T = TypeVar("T")
VAULT = r"HKCU\Software\Wine\Credential Manager"
"""Where wine keeps what Windows has in its vault."""


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    lacking = wine.missing() or next(
        (f"not installed: {n}" for n in ("makensis", "osslsigncode") if not shutil.which(n)), None
    )
    if lacking is not None:
        if os.environ.get("CI") == "true" and sys.platform == "linux":
            pytest.fail(f"CI must have all of it: {lacking}")
        pytest.skip(lacking)
    with bench(tmp_path_factory.mktemp("pc")) as made:
        yield made


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    running = Centre(tmp_path, SITE)
    yield running
    running.close()


@pytest.fixture
def office(tmp_path: Path, centre: Centre, monkeypatch: pytest.MonkeyPatch) -> ItOffice:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return ItOffice(tmp_path / "情報 システム部", centre)


@pytest.fixture
def program(windows: Bench, tmp_path: Path) -> Path:
    """The build; signing changes it, so a copy."""
    folder = build.current() or build.build(windows.wine, build.OUT, build.WORK)
    return shutil.copytree(folder, tmp_path / "program")


def test_the_whole_road(windows: Bench, centre: Centre, office: ItOffice, program: Path, tmp_path: Path) -> None:
    newer_program = other_version(program, tmp_path / "newer program", NEXT)
    setup = three_signed_set_ups(office, program, tmp_path / "配布 用")
    with ThreadPoolExecutor(1) as beside:
        other = beside.submit(office.common, program, tmp_path / "dist")
        newer = office.common_of(newer_program, NEXT, tmp_path / "dist")
        older = other.result()
    Pc(windows, centre, office, setup, older, newer).all_its_life()


def three_signed_set_ups(office: ItOffice, program: Path, out: Path) -> Path:
    """One command; every file verified. The first company's."""
    (rows, printed), took = timed(lambda: office.for_companies(COMPANIES, program, out))
    told(f"three companies' set-ups: {took:.0f} s", *printed.splitlines()[-9:])
    setups = [out / row["file"] for row in rows]
    assert [row["company"] for row in rows] == list(COMPANIES.values())
    assert {path.name for path in out.iterdir()} == {*(row["file"] for row in rows), "summary.csv"}
    assert [row["code"] for row in rows] == ["issued"] * len(COMPANIES)
    assert [row["sha256"] for row in rows] == [signing.digest(setup) for setup in setups]
    office.verify(*setups)
    changed = out.with_name("changed.exe")
    everything = bytearray(setups[0].read_bytes())
    everything[len(everything) // 2] ^= 1
    changed.write_bytes(everything)
    office.verify(changed, code=4)
    return setups[0]


class Pc:
    """The gate PC of the first company."""

    def __init__(self, windows: Bench, centre: Centre, office: ItOffice, setup: Path, older: Path, newer: Path) -> None:
        self.windows, self.centre, self.office = windows, centre, office
        self.setup, self.older, self.newer = setup, older, newer
        self.program = WindowsStation(windows.wine, [windows.inside(windows.own / build.PROGRAM)], None)
        self.announced: list[str] = []
        self.played = 0

    def all_its_life(self) -> None:
        """Each step finds what the one before has left."""
        self.is_installed_and_records()
        self.gets_a_newer_version_while_the_gate_is_open()
        self.refuses_an_older_version_but_for_the_way_back()
        self.updates_itself_and_goes_back()
        self.loses_the_program_and_no_record()
        self.is_purged()

    def is_installed_and_records(self) -> None:
        self.install(self.setup, "/S /CurrentUser")
        self.office.verify(self.windows.own)
        assert self.program.json("self-test")["ok"]
        page = self.program.json("first-start", code=4)
        assert (page["company"], page["workers"]) == ("山田組", len(KEYS))
        assert [reason["code"] for reason in page["reasons"]] == ["doctor.usb_none"]  # and all else is well
        assert self.secrets() > 0
        gate = self.gate(3)
        gate.wait(lambda line: line["event"] == "sync" and line["pending"] == 0 and line["accepted"] == 3)
        gate.running.kill()
        self.judge_centre()

    def gets_a_newer_version_while_the_gate_is_open(self) -> None:
        self.centre.kill_centre()
        gate = self.gate(3)
        self.install(self.newer, "/S /CurrentUser")
        assert gate.running.end(PATIENCE_S).code == 0, gate.running.complained()
        assert "it has closed" in self.windows.logged()
        assert self.version() == NEXT
        assert self.program.json("status")["pending"] == 3
        self.centre.start_centre()
        self.program.json("sync", "--once")
        self.judge_centre()

    def refuses_an_older_version_but_for_the_way_back(self) -> None:
        assert self.windows.run(self.setup, "/S /CurrentUser") == 1638
        assert self.version() == NEXT
        self.install(self.setup, "/S /CurrentUser /ROLLBACK")
        assert self.version() == VERSION
        self.judge_centre()

    def updates_itself_and_goes_back(self) -> None:
        """From the list of updates; the program begins the set-up, and the set-up opens the window."""
        self.office.publish(self.older, VERSION, 0)
        self.office.publish(self.newer, NEXT, 100)
        self.centre.kill_centre()
        gate = self.gate(2)
        assert self.program.json("update", "check") == {"version": NEXT}
        assert self.program.json("update", "download") == {"version": NEXT}
        self.is_told_to_close_first("apply")
        gate.running.kill()
        with self.set_up_by_itself():
            assert self.program.json("update", "apply", "--start")["running"]
        assert self.version() == NEXT
        self.until(lambda: self.program.json("update", "status")["last_update"]["stage"] == "proven")
        self.is_told_to_close_first("back")
        self.windows.wine.run("taskkill", "/F", "/IM", "genba-touchw.exe", limit=60)
        with self.set_up_by_itself():
            assert self.program.json("update", "back")["running"]
        assert self.version() == VERSION
        assert self.program.json("status")["pending"] == 2

    def is_told_to_close_first(self, part: str) -> None:
        """The gate or its window is open."""
        refused = self.program.ask("update", part)
        assert (refused.code, refused.err.splitlines()[0]) == (4, say("update.close_first", "ja").title)

    def loses_the_program_and_no_record(self) -> None:
        assert self.windows.uninstall(self.windows.own, "/S /PURGE") == 4309, self.windows.logged()
        assert self.version() == VERSION
        assert self.windows.uninstall(self.windows.own) == 0, self.windows.logged()
        assert {path.name for path in self.windows.own.iterdir()} == {"uninstall.exe"}
        self.install(self.setup, "/S /CurrentUser")
        assert self.program.json("status")["pending"] == 2
        self.centre.start_centre()
        self.program.json("sync", "--once")
        self.judge_centre()

    def is_purged(self) -> None:
        assert self.windows.data.exists()
        assert self.windows.uninstall(self.windows.own, "/S /PURGE") == 0, self.windows.logged()
        assert not self.windows.data.exists()
        assert self.secrets() == 0
        assert not self.windows.registry("HKCU", KEY)

    def install(self, setup: Path, switches: str) -> None:
        code, took = timed(lambda: self.windows.run(setup, switches, limit=PATIENCE_S * 2))
        told(f"{setup.name} {switches}: {took:.0f} s")
        assert code == 0, self.windows.logged()

    def gate(self, touches: int) -> WindowsGate:
        """The gate without a window, open, once it has stored so many more touches."""
        keys = KEYS[self.played : self.played + touches]
        self.played += touches
        script = self.centre.folder / f"morning-{self.played}.jsonl"
        script.write_text("".join(json.dumps({"after_s": 0.3, "card": key}) + "\n" for key in keys), "utf-8")
        gate = self.program.start_gate(f"scripted:{windows_path(script)}")
        gate.wait(lambda _: len(gate.touches) == touches)
        self.announced += [str(touch["id"]) for touch in gate.touches]
        return gate

    def judge_centre(self) -> None:
        """Everything that any gate has announced is there, once, and became work records."""
        once = dict.fromkeys(KEYS[: self.played], 1)
        events, status = centre_events(self.centre.centre_data), self.program.json("status")
        judge(self.announced, events, status, at_least=once, at_most=once, cut_short=0)
        workers = {worker for worker, _, _ in centre_records(self.centre.centre_data)}
        assert workers == {worker["id"] for worker in SITE["workers"][: self.played]}

    def version(self) -> str:
        """Of the installed program; Windows is told the same one."""
        version = self.program.call("--version").split()[-1]
        assert self.windows.registry("HKCU", KEY)["Version"] == version
        return version

    def secrets(self) -> int:
        """How many of our entries are in the vault."""
        return self.windows.wine.run("reg", "query", VAULT, "/s", limit=60).out.count("genba-touch")

    @contextmanager
    def set_up_by_itself(self) -> Iterator[None]:
        """Wait until the set-up that is begun in the block has come to its end."""
        log = self.windows.temporary / "genba-touch-setup.log"
        log.unlink(missing_ok=True)
        began = time.monotonic()
        yield
        self.until(lambda: log.exists() and "done" in log.read_text("utf-16"))
        told(f"the set-up that an update began: {time.monotonic() - began:.0f} s")

    @staticmethod
    def until(holds: Callable[[], bool]) -> None:
        """Wait for it."""
        end = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.5)


def timed(deed: Callable[[], T]) -> tuple[T, float]:
    """With the seconds it took."""
    began = time.monotonic()
    return deed(), time.monotonic() - began


def told(*lines: str) -> None:
    """What it took, for whoever looks (pytest -s); load: of the last minute."""
    print(*lines, f"load {os.getloadavg()[0]:.1f}", sep="\n  ", flush=True)
